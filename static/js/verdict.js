// Says the verdict in words once it is there, and keeps the tab's title with it.
const status = document.getElementById("status");
const seen = { verdict: null, state: null };

function look() {
  const verdict = document.querySelector("[data-verdict]");
  if (!verdict) return;
  const { verdict: id, state, said, title } = verdict.dataset;
  // What was on the page when it came is read with the page; only what happens afterwards is said.
  if (id === seen.verdict && state !== seen.state && state !== "running") status.textContent = said;
  if (title) document.title = title;
  Object.assign(seen, { verdict: id, state });
}

for (const type of ["htmx:sseMessage", "htmx:afterSettle"]) document.addEventListener(type, look);
look();

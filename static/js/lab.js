// Studies and datasets of the Lab, live: redraws only what changed, says it in words, keeps the tab's title with it.
const status = document.getElementById("status");
const seen = { thing: null, state: null, quarter: 0 };

function look() {
  const thing = document.querySelector("[data-lab]");
  if (!thing) return;
  const { lab, said, title } = thing.dataset;
  const figures = document.querySelector("[data-lab] [data-percent]");
  const state = figures?.dataset.state ?? thing.dataset.state;
  const percent = Number(figures?.dataset.percent ?? 100);
  const quarter = Math.floor(percent / 25);
  // What was on the page when it came is read with the page; only what happens afterwards is said.
  if (lab === seen.thing && state !== seen.state) status.textContent = said;
  else if (lab === seen.thing && figures && quarter > seen.quarter && quarter < 4) status.textContent = `${quarter * 25} % done.`;
  Object.assign(seen, { thing: lab, state, quarter });
  document.title = figures ? `${percent} % · ${title}` : title;
}

function attribute(markup, selector, name) {
  const template = document.createElement("template");
  template.innerHTML = markup;
  return template.content.querySelector(selector)?.dataset[name];
}

// The first events of a connection say again what is shown already: a grid that is redrawn would forget where it was scrolled to.
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const { target } = event;
  const known = { "dataset-body": ["[data-look]", "look"], "study-body": ["[data-look]", "look"], grid: ["[data-shape]", "shape"] }[target.id];
  if (!known) return;
  const shown = target.querySelector(known[0])?.dataset[known[1]];
  if (shown !== undefined && shown === attribute(event.detail.data, ...known)) event.preventDefault();
});
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.matches(".cell") && target.dataset.state === fragment.firstElementChild?.dataset.state) event.detail.shouldSwap = false;
});
// A button that had the focus may be gone after its study changed state: the study itself takes it.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches("#dataset-body, #study-body") && document.activeElement === document.body) target.focus({ preventScroll: true });
});

for (const type of ["htmx:sseMessage", "htmx:afterSettle"]) document.addEventListener(type, look);
look();

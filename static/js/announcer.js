// Says in words, for screen readers and in the tab's title, how far the job is.
const status = document.getElementById("status");
const pageTitle = document.title;
const SAID = {
  queued: "Waiting in the queue.",
  running: "Painting has begun.",
  done: "The painting is finished.",
  failed: "The painting failed.",
  cancelled: "The job was cancelled.",
};
let lastState = null;
let lastQuarter = 0;

function tell(state, percent) {
  const quarter = Math.floor(percent / 25);
  if (state !== lastState) {
    if (lastState !== null) status.textContent = SAID[state];
    lastQuarter = quarter;
  } else if (state === "running" && quarter > lastQuarter && quarter < 4) {
    status.textContent = `${quarter * 25} % painted.`;
    lastQuarter = quarter;
  }
  lastState = state;
  const base = pageTitle.replace(/^.* · (?=Pentimento$)/, "");
  const words = { queued: "Waiting", running: `${percent} %`, done: "Done", failed: "Failed", cancelled: "Cancelled" };
  document.title = `${words[state]} · ${base}`;
}

function look() {
  const job = document.querySelector("#job [data-job]");
  if (!job) return;
  const figures = document.querySelector("#figures [data-percent]");
  tell(figures?.dataset.state ?? job.dataset.state, Number(figures?.dataset.percent ?? 100));
}

// The stream rests while the tab is hidden; its title must not.
const HIDDEN_LOOK_MS = 5000;
setInterval(async () => {
  const job = document.querySelector("#job [data-job]");
  if (!document.hidden || job?.dataset.live !== "yes") return;
  try {
    const answer = await fetch(`/api/jobs/${job.dataset.job}`);
    if (answer.ok) {
      const { state, percent } = await answer.json();
      tell(state, Math.floor(percent));
    }
  } catch {
    // Away for the moment: the next look comes soon.
  }
}, HIDDEN_LOOK_MS);

for (const type of ["htmx:sseMessage", "htmx:afterSettle"]) document.addEventListener(type, look);
look();

// Says in words, for screen readers and in the tab's title, how far the job is.
const status = document.getElementById("status");
const SAID = {
  queued: "Waiting in the queue.",
  running: "Painting has begun.",
  paused: "The painting is paused.",
  done: "The painting is finished.",
  failed: "The painting failed.",
  cancelled: "The job was cancelled.",
};
const WORDS = { queued: "Waiting", paused: "Paused", done: "Done", failed: "Failed", cancelled: "Cancelled" };
// What was on the page when it came is read with the page; only what happens afterwards is said.
let lastJob = shownJob()?.dataset.job;
let lastState = null;
let lastQuarter = 0;

function shownJob() {
  return document.querySelector("#job [data-job]");
}

function inWords(state) {
  const place = state === "queued" && document.querySelector("#figures .times dd")?.textContent.trim();
  return Number(place) ? `Waiting in the queue, at place ${place}.` : SAID[state];
}

function tell(job, state, percent) {
  const quarter = Math.floor(percent / 25);
  const another = job.dataset.job !== lastJob;
  if (another || state !== lastState) {
    if (another || lastState !== null) status.textContent = inWords(state);
    lastQuarter = quarter;
  } else if (state === "running" && quarter > lastQuarter && quarter < 4) {
    status.textContent = `${quarter * 25} % painted.`;
    lastQuarter = quarter;
  }
  lastJob = job.dataset.job;
  lastState = state;
  document.title = `${WORDS[state] ?? `${percent} %`} · ${job.dataset.title} · Pentimento`;
}

function look() {
  const job = shownJob();
  if (!job) return;
  const figures = document.querySelector("#figures [data-percent]");
  tell(job, figures?.dataset.state ?? job.dataset.state, Number(figures?.dataset.percent ?? 100));
}

// The stream rests while the tab is hidden; its title must not.
const HIDDEN_LOOK_MS = 5000;
setInterval(async () => {
  const job = shownJob();
  if (!document.hidden || job?.dataset.live !== "yes") return;
  try {
    const answer = await fetch(`/api/jobs/${job.dataset.job}`);
    if (answer.ok) {
      const { state, percent } = await answer.json();
      tell(job, state, Math.floor(percent));
    }
  } catch {
    // Away for the moment: the next look comes soon.
  }
}, HIDDEN_LOOK_MS);

for (const type of ["htmx:sseMessage", "htmx:afterSettle"]) document.addEventListener(type, look);
look();

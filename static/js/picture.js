// Puts a new picture in place only once it is loaded, and leaves what has not changed alone, so that nothing jumps.
import { follow } from "./balance.js";

let newest = 0;
// States of the job that the stream has told, and how many it had told when each request was sent.
let states = 0;
const sentAt = new WeakMap();

async function replacePicture(place, next) {
  const turn = ++newest;
  try {
    await next.decode();
  } catch {
    return; // already replaced on the server; the next one comes soon
  }
  if (turn === newest && place.isConnected) place.replaceChildren(next);
}

function parse(markup) {
  const template = document.createElement("template");
  template.innerHTML = markup;
  return document.importNode(template.content, true);
}

function lookOf(part) {
  return part.querySelector("[data-look]")?.dataset.look;
}

// Whoever watches may have a slider in hand: while a job has sliders they stay, and the rest is drawn around them.
function slidersStay(job, next) {
  return [job, next].every((part) => part.querySelector("#balance"));
}

// Takes over what is told of a job without drawing all of it again.
function renew(job, next) {
  const focused = job.contains(document.activeElement) ? document.activeElement.id : null;
  Object.assign(job.querySelector("[data-look]").dataset, next.querySelector("[data-look]").dataset);
  for (const id of ["figures", "actions", "curves"]) {
    const [place, newer] = [job, next].map((part) => part.querySelector(`#${id}`));
    if (!place || !newer || place.isEqualNode(newer)) continue;
    place.replaceChildren(...newer.childNodes);
    htmx.process(place);
  }
  if (slidersStay(job, next)) follow(job.querySelector("#balance"), next.querySelector("#balance"));
  const [shown, newer] = [job, next].map((part) => part.querySelector("#picture img"));
  if (shown && newer && shown.src !== newer.src) replacePicture(shown.parentElement, newer);
  if (focused !== null && document.activeElement === document.body) {
    document.getElementById(focused)?.focus({ preventScroll: true });
    keepFocus(job);
  }
}

// A button that had the focus may be gone after its job changed state: the job itself takes it.
function keepFocus(job) {
  if (document.activeElement === document.body) job.focus({ preventScroll: true });
}

document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const { target } = event;
  if (target.id === "picture") {
    event.preventDefault();
    replacePicture(target, parse(event.detail.data).querySelector("img"));
  }
  if (target.id !== "job") return;
  const next = parse(event.detail.data);
  // The first event of a connection says again what is shown already.
  const same = lookOf(target) === lookOf(next);
  if (!same) states += 1;
  if (!same && !slidersStay(target, next)) return;
  event.preventDefault();
  renew(target, next);
  target.dispatchEvent(new CustomEvent("htmx:sseMessage", { bubbles: true }));
});

// The answer to a button or a slider may come later than a state that the stream has told since, the end for one:
// what is newer stays, and what the answer had to say comes with the stream.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (["job", "balance-said"].includes(event.detail.target.id)) sentAt.set(event.detail.xhr, states);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, serverResponse } = event.detail;
  const late = sentAt.has(xhr) && sentAt.get(xhr) !== states;
  if (target.id === "balance-said" && late) event.detail.shouldSwap = false;
  if (target.id !== "job") return;
  const next = parse(serverResponse);
  if (!late && !slidersStay(target, next)) return;
  event.detail.shouldSwap = false;
  if (late) return;
  renew(target, next);
  target.dispatchEvent(new CustomEvent("htmx:afterSettle", { bubbles: true }));
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "job") keepFocus(event.target);
});

// Once painting begins the page looks as it would after a reload, the picture is in sight, and the keyboard goes on from there.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "work") return;
  document.querySelector(".studio").classList.add("has-job");
  document.querySelector(".masthead [aria-current]")?.removeAttribute("aria-current");
  const focused = document.activeElement;
  if (focused === document.body || focused.matches("#paint [type=submit]")) document.getElementById("job").focus({ preventScroll: true });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const { top } = event.target.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) event.target.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
});

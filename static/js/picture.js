// Puts a new picture in place only once it is loaded, and leaves what has not changed alone, so that nothing jumps.
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

document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const { target } = event;
  if (target.id === "picture") {
    event.preventDefault();
    replacePicture(target, parse(event.detail.data).querySelector("img"));
  }
  if (target.id !== "job") return;
  const next = parse(event.detail.data);
  const look = next.querySelector("[data-look]").dataset.look;
  if (target.querySelector("[data-look]")?.dataset.look !== look) {
    states += 1;
    return;
  }
  // The first event of a connection says again what is shown already.
  event.preventDefault();
  for (const id of ["figures", "curves"]) {
    const newer = next.querySelector(`#${id}`);
    if (newer) document.getElementById(id)?.replaceChildren(...newer.childNodes);
  }
  target.dispatchEvent(new CustomEvent("htmx:sseMessage", { bubbles: true }));
  const shown = document.querySelector("#picture img");
  const newer = next.querySelector("#picture img");
  if (shown && newer && shown.src !== newer.src) replacePicture(shown.parentElement, newer);
});

// The answer to a button may come later than a state that the stream has told since, the end for one:
// what is newer stays, and what the answer had to say comes with the stream.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "job") sentAt.set(event.detail.xhr, states);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target.id === "job" && sentAt.get(xhr) !== states) event.detail.shouldSwap = false;
});

// A button that had the focus may be gone after its job changed state: the job itself takes it.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "job" && document.activeElement === document.body) event.target.focus({ preventScroll: true });
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

// Strength and colours of a finished picture: shown while they are moved, and taken along by the downloads.
import { say } from "./slider.js";

const QUICK_SIDE = 1024;
const FINE_SIDE = 2048;
// One request at a time; what was moved meanwhile is asked for next.
let busy = false;
let next = null;

function address(form, more) {
  return `${form.dataset.finish}&${new URLSearchParams(new FormData(form))}&${more}`;
}

async function show(form, side) {
  if (busy) {
    next = [form, side];
    return;
  }
  busy = true;
  const wrong = form.querySelector(".finish-wrong");
  const image = new Image();
  image.src = address(form, `side=${side}`);
  try {
    await image.decode();
    const shown = form.closest(".job")?.querySelector(".compare-after img");
    if (shown) shown.src = image.src;
    wrong.textContent = "";
  } catch {
    // What was shown before stays.
    wrong.textContent = "The picture does not show this yet: the server is busy, or cannot be reached. Try again in some seconds.";
  }
  busy = false;
  const waiting = next;
  next = null;
  if (waiting) show(...waiting);
}

function follow(form) {
  say(form.elements.strength, `${Math.round(form.elements.strength.value * 100)} %`);
  for (const link of form.closest(".job").querySelectorAll("a[data-format]")) link.href = address(form, `format=${link.dataset.format}`);
}

for (const [type, side] of [["input", QUICK_SIDE], ["change", FINE_SIDE]]) {
  document.addEventListener(type, ({ target }) => {
    const form = target.closest?.("form.finish");
    if (!form) return;
    follow(form);
    show(form, side);
  });
}

// Before the first move, so that the server has both pictures at hand.
document.addEventListener("pointerover", ({ target }) => {
  const form = target.closest?.("form.finish");
  if (!form || form.dataset.fetched) return;
  form.dataset.fetched = "yes";
  new Image().src = address(form, `side=${QUICK_SIDE}`);
});
// Enter in a field must not load the page again.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form.finish")) event.preventDefault();
});

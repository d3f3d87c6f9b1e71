// The options follow the preset that is chosen, also before this module was there, but for those that were changed by hand.
import { setMessage } from "./message.js";

const form = document.getElementById("paint");
const own = form?.querySelector(".own");

function valuesOf(preset) {
  return JSON.parse(form.querySelector(`[name=preset][value="${preset}"]`).dataset.values);
}

// As the server tells it: what differs from the preset that is shown; a number left empty does not.
function changed() {
  const shown = valuesOf(form.elements.shown_preset.value);
  return [...form.elements].filter(({ name, value }) => name in shown && value.trim() !== shown[name] && (value.trim() || name === "iterations"));
}

function fill(preset, kept) {
  for (const [name, value] of Object.entries(valuesOf(preset))) {
    const field = form.elements[name];
    if (kept.includes(field)) continue;
    field.value = value;
    setMessage(name, "");
  }
  form.elements.shown_preset.value = preset;
  tell();
}

function tell() {
  const fields = changed();
  own.hidden = fields.length === 0;
  own.querySelector("span").textContent = fields.map((field) => field.labels[0].textContent).join(", ");
}

// Not at "change", which would move the button away under the click that leaves a field.
form?.addEventListener("input", ({ target }) => {
  if (target.name === "preset") fill(target.value, changed());
  else tell();
});
own?.querySelector("button").addEventListener("click", () => {
  fill(form.elements.preset.value, []);
  form.querySelector("[name=preset]:checked").focus();
});
if (form) {
  const early = form.elements.preset.value;
  if (early !== form.elements.shown_preset.value) fill(early, changed());
  else tell();
}

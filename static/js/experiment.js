// Choosing an experiment fills its parameters: texts, choices, ticks; also one that was chosen before this module was there.
const form = document.querySelector("form[data-presets]");

function put(name, values) {
  for (const field of form.querySelectorAll(`[name="${name}"]`)) {
    if (field.type === "checkbox") field.checked = values.includes(field.value);
    else field.value = values[0] ?? "";
  }
}

function fill(preset) {
  for (const [name, values] of Object.entries(JSON.parse(preset.dataset.values))) put(name, values);
  form.elements.shown_preset.value = preset.value;
}

form?.addEventListener("change", ({ target }) => {
  if (target.name === "preset") fill(target);
});
const early = form?.querySelector("[name=preset]:checked");
if (early && early.value !== form.elements.shown_preset.value) fill(early);

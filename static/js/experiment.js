// Choosing an experiment fills its parameters: texts, choices, ticks.
const form = document.querySelector("form[data-presets]");

function fill(name, values) {
  for (const field of form.querySelectorAll(`[name="${name}"]`)) {
    if (field.type === "checkbox") field.checked = values.includes(field.value);
    else field.value = values[0] ?? "";
  }
}

form?.addEventListener("change", ({ target }) => {
  if (target.name !== "preset") return;
  for (const [name, values] of Object.entries(JSON.parse(target.dataset.values))) fill(name, values);
  form.elements.shown_preset.value = target.value;
});

// Choosing a preset fills the options with its values; also one that was chosen before this module was there.
const form = document.getElementById("paint");

function fill(preset) {
  for (const [name, value] of Object.entries(JSON.parse(preset.dataset.values))) form.elements[name].value = value;
  form.elements.shown_preset.value = preset.value;
}

form?.addEventListener("change", ({ target }) => {
  if (target.name === "preset") fill(target);
});
const early = form?.querySelector("[name=preset]:checked");
if (early && early.value !== form.elements.shown_preset.value) fill(early);

// Choosing a preset fills the options with its values.
const form = document.getElementById("paint");

form?.addEventListener("change", (event) => {
  if (event.target.name !== "preset") return;
  for (const [name, value] of Object.entries(JSON.parse(event.target.dataset.values))) form.elements[name].value = value;
  form.elements.shown_preset.value = event.target.value;
});

// The balance sliders say their weight while they move: their position is its power of two.
document.addEventListener("input", ({ target }) => {
  if (!target.matches(".balance input[type=range]")) return;
  const said = String(Number((2 ** target.value).toPrecision(3)));
  target.closest(".option").querySelector("output").textContent = said;
  target.setAttribute("aria-valuetext", said);
});

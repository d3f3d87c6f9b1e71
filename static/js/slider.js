// A slider says what its position means: beside it, and to who cannot see that.
export function say(slider, text) {
  slider.closest(".option").querySelector("output").textContent = text;
  if (text) slider.setAttribute("aria-valuetext", text);
  else slider.removeAttribute("aria-valuetext");
}

// The before and after slider: its value is where the photograph ends and the painting begins.
document.addEventListener("input", ({ target }) => {
  if (!target.matches(".compare-range")) return;
  target.closest(".compare").style.setProperty("--cut", `${target.value}%`);
  target.setAttribute("aria-valuetext", `${target.value} % photograph, ${100 - target.value} % painting`);
});

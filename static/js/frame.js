// Tells each frame the proportions of its picture, so that waiting, running and finished pictures have one size.
function measure(root) {
  for (const frame of root.querySelectorAll(".frame")) {
    const picture = frame.querySelector(".canvas");
    if (!picture) continue;
    frame.style.setProperty("--ratio", picture.getAttribute("width") / picture.getAttribute("height"));
    frame.classList.add("measured");
  }
}

measure(document);
document.addEventListener("htmx:afterSwap", () => measure(document));

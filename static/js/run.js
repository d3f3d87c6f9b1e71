// The scrubber over the kept pictures of a run: shows the picture, says its probability, marks its place in the plot.
let newest = 0;

async function show(range) {
  const turn = ++newest;
  const run = range.closest(".run");
  const frame = run.querySelectorAll(".film li")[range.value];
  const said = frame.querySelector("span").textContent;
  range.setAttribute("aria-valuetext", said);
  run.querySelector(".run-caption").textContent = said;
  run.querySelectorAll(".run-dot").forEach((dot, place) => dot.classList.toggle("is-shown", place === Number(range.value)));
  const { src, alt } = frame.querySelector("img");
  const next = new Image();
  next.src = src;
  try {
    await next.decode();
  } catch {
    return; // deleted meanwhile: the words stand without it
  }
  if (turn === newest) Object.assign(run.querySelector(".run-picture"), { src, alt });
}

// Before the first move, so that pictures follow the hand.
function fetchAll({ target }) {
  if (!target.matches?.(".run-range") || target.dataset.fetched) return;
  target.dataset.fetched = "yes";
  for (const image of target.closest(".run").querySelectorAll(".film img")) new Image().src = image.src;
}

document.addEventListener("input", ({ target }) => {
  if (target.matches(".run-range")) show(target);
});
for (const type of ["focusin", "pointerover"]) document.addEventListener(type, fetchAll);

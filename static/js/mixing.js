// Several paintings: added and removed one by one, each with its share in words.
import { say } from "./slider.js";

const fold = document.querySelector(".mixing");
const paintings = [...(fold?.querySelectorAll("[data-painting]") ?? [])];
const add = fold?.querySelector(".painting-add");

function filled(painting) {
  return painting.querySelector(".zone").classList.contains("is-filled");
}

function tell() {
  const counted = [...fold.querySelectorAll("[data-weight]")].filter((weight) => {
    const painting = weight.closest("[data-painting]");
    return !painting || filled(painting);
  });
  const total = counted.reduce((sum, weight) => sum + Number(weight.querySelector("input").value), 0);
  for (const weight of fold.querySelectorAll("[data-weight]")) {
    const share = Math.round((100 * Number(weight.querySelector("input").value)) / total);
    say(weight.querySelector("input"), counted.length > 1 && counted.includes(weight) ? `${share} %` : "");
  }
  add.hidden = paintings.every((painting) => !painting.hidden);
}

if (fold) {
  for (const painting of paintings) {
    painting.hidden = !filled(painting) && !painting.querySelector(".error:not(:empty)");
    painting.querySelector(".painting-remove").addEventListener("click", () => {
      painting.querySelector(".zone-clear").click();
      painting.hidden = true;
      tell();
      add.focus();
    });
  }
  add.addEventListener("click", () => {
    const next = paintings.find((painting) => painting.hidden);
    next.hidden = false;
    next.querySelector(".zone-file").focus();
    tell();
  });
  fold.addEventListener("input", tell);
  document.addEventListener("zone:change", tell);
  tell();
}

// The balance sliders say their weight while they move, and stay as they are while the job around them is drawn again.
import { say } from "./slider.js";

function weight({ dataset, min, value }) {
  // A position is a power of two.
  return "off" in dataset && value === min ? "off" : String(Number((2 ** value).toPrecision(3)));
}

// Where a slider was when the server last drew it, or took it over.
function drawn(slider) {
  return slider.form.elements[`${slider.name}_was`];
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches(".balance input[type=range]")) return;
  if (!("share" in target.dataset)) {
    say(target, weight(target));
    return;
  }
  const shares = [...target.form.querySelectorAll("[data-share]")];
  const total = shares.reduce((sum, one) => sum + Number(one.value), 0);
  for (const one of shares) say(one, `${Math.round((100 * one.value) / total)} %`);
});

// What was taken over is where it stands now; what was refused goes back, so that it is not sent with the next change again.
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target.id !== "balance") return;
  const sent = detail.requestConfig.formData;
  const refused = detail.xhr.status >= 400 && detail.xhr.status < 500;
  if (detail.successful) document.querySelector("#notice .problem-note")?.remove();
  for (const slider of target.querySelectorAll("input[type=range]")) {
    const was = drawn(slider);
    if (sent.get(slider.name) === sent.get(was.name)) continue;
    if (detail.successful) was.value = sent.get(slider.name);
    else if (refused) put(slider, was.value);
  }
});

function put(slider, position) {
  slider.value = position;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

// Takes over what the server says now, but for sliders that were moved meanwhile.
export function follow(form, newer) {
  for (const told of newer.querySelectorAll("input[type=range]")) {
    const slider = form.elements[told.name];
    if (slider.value === drawn(slider).value) {
      slider.value = told.value;
      say(slider, told.getAttribute("aria-valuetext"));
    }
    drawn(slider).value = told.value;
  }
  const [said, now] = [form, newer].map((one) => one.querySelector("#balance-said"));
  // What is the same is not to be read out again.
  if (said.textContent.trim() !== now.textContent.trim()) said.replaceChildren(...now.childNodes);
}

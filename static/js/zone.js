// The places for the two pictures: choose, drop, paste, sample, remove; one picture at a time each.
import { Chosen } from "./chosen.js";

class Zone {
  constructor(element) {
    this.element = element;
    this.role = element.dataset.zone;
    this.box = element.querySelector(".zone");
    this.file = element.querySelector(".zone-file");
    this.chosen = new Chosen(this.file);
    this.kept = element.querySelector(`[name="${this.role}_kept"]`);
    this.picture = element.querySelector(".zone-picture");
    this.blank = element.querySelector(".zone-blank");
    this.name = element.querySelector(".zone-name");
    this.clearButton = element.querySelector(".zone-clear");
    this.samples = [...element.querySelectorAll(`[name="${this.role}_sample"]`)];

    this.file.addEventListener("change", () => this.fileChosen());
    for (const sample of this.samples) sample.addEventListener("change", () => this.sampleChosen(sample));
    this.clearButton.addEventListener("click", () => this.clear());
    for (const type of ["dragenter", "dragover"]) this.box.addEventListener(type, (event) => this.dragged(event));
    for (const type of ["dragleave", "drop"]) this.box.addEventListener(type, () => this.box.classList.remove("is-over"));
    this.box.addEventListener("drop", (event) => {
      event.preventDefault();
      this.take(event.dataTransfer.files);
    });
    this.picture.addEventListener("error", () => this.show(null, this.name.textContent));
    this.restore();
  }

  get empty() {
    return !this.box.classList.contains("is-filled");
  }

  // What the server or a reload of the browser left chosen.
  restore() {
    const sample = this.samples.find((one) => one.checked);
    if (this.file.files.length) this.fileChosen();
    else if (sample) this.sampleChosen(sample);
    else if (this.kept.value) this.clearButton.hidden = false;
  }

  dragged(event) {
    event.preventDefault();
    this.box.classList.add("is-over");
  }

  take(files) {
    if (!files.length) return;
    this.chosen.put(files[0]);
    this.fileChosen();
  }

  fileChosen() {
    const file = this.chosen.take();
    if (!file) return;
    for (const sample of this.samples) sample.checked = false;
    this.kept.value = "";
    this.show(URL.createObjectURL(file), file.name);
  }

  sampleChosen(sample) {
    this.chosen.drop();
    this.kept.value = "";
    this.show(sample.nextElementSibling.src, sample.dataset.title);
  }

  clear() {
    this.chosen.drop();
    this.kept.value = "";
    for (const sample of this.samples) sample.checked = false;
    this.show(null, "");
    this.box.classList.remove("is-filled");
    this.blank.hidden = true;
    this.clearButton.hidden = true;
    this.file.focus();
    this.changed();
  }

  changed() {
    this.element.dispatchEvent(new CustomEvent("zone:change", { bubbles: true }));
  }

  // A file that the browser cannot draw stays chosen: the server may know its kind.
  show(url, name) {
    if (this.picture.src.startsWith("blob:")) URL.revokeObjectURL(this.picture.src);
    delete this.picture.dataset.whole;
    this.picture.hidden = url === null;
    this.blank.hidden = url !== null;
    if (url === null) this.picture.removeAttribute("src");
    else this.picture.src = url;
    this.name.textContent = name;
    this.box.classList.add("is-filled");
    this.clearButton.hidden = false;
    this.changed();
  }
}

const zones = [...document.querySelectorAll("[data-zone]")].map((element) => new Zone(element));

// A picture dropped beside a zone must not replace the page.
for (const type of ["dragover", "drop"]) {
  document.addEventListener(type, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (!files.length || !zones.length) return;
  const focused = zones.find((zone) => zone.element.contains(document.activeElement));
  const zone = focused ?? zones.find((one) => one.empty && one.element.checkVisibility()) ?? zones[0];
  event.preventDefault();
  zone.take(files);
});

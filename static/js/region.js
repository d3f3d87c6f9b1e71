// Where things go, and come from: a region as a file, or painted on the photograph or a painting; shown small, removed again.
import { brush, PAINTED } from "./brush.js";
import { Chosen } from "./chosen.js";
import { setMessage } from "./message.js";

class Region {
  constructor(element) {
    this.element = element;
    this.role = element.dataset.region;
    // The painting that it is a region of, if any, and the picture that it is painted on.
    this.of = element.dataset.of;
    this.on = element.dataset.on;
    this.noun = this.on === "content" ? "photograph" : "painting";
    this.file = element.querySelector(".region-file");
    this.chosen = new Chosen(this.file);
    this.kept = element.querySelector(`[name="${this.role}_kept"]`);
    this.picture = element.querySelector(".region-picture");
    this.clearButton = element.querySelector(".region-clear");
    this.paintButton = element.querySelector(".region-paint");
    this.note = element.querySelector(".region-note");
    // Painted by hand on the picture that is chosen, now or for the job before.
    this.painted = element.dataset.kept === PAINTED;
    this.file.addEventListener("change", () => this.take());
    this.clearButton.addEventListener("click", () => this.clear());
    this.paintButton.addEventListener("click", () => this.paint());
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.take();
  }

  get given() {
    return this.file.files.length > 0 || this.kept.value !== "";
  }

  take() {
    const file = this.chosen.take();
    if (!file) return;
    this.painted = file.name === PAINTED;
    this.kept.value = "";
    this.show(URL.createObjectURL(file));
  }

  clear() {
    this.empty();
    this.file.focus();
  }

  empty() {
    this.painted = false;
    this.chosen.drop();
    this.kept.value = "";
    this.show(null);
  }

  // Another picture has its things elsewhere.
  pictureChanged() {
    if (!this.painted || !this.given) return;
    this.empty();
    this.note.textContent = `The region was painted on the ${this.noun} before, so it was removed.`;
  }

  show(address) {
    this.note.textContent = "";
    if (this.picture.src.startsWith("blob:")) URL.revokeObjectURL(this.picture.src);
    delete this.picture.dataset.whole;
    this.picture.hidden = address === null;
    if (address === null) this.picture.removeAttribute("src");
    else this.picture.src = address;
    this.clearButton.hidden = address === null;
  }

  async paint() {
    const picture = document.querySelector(`[data-zone="${this.on}"] .zone-picture`);
    if (picture.hidden || !picture.src) {
      setMessage(this.role, `Choose a ${this.noun} first, one that the browser can show: the region is painted on it.`);
      return;
    }
    setMessage(this.role, "");
    const region = this.picture.hidden ? null : whole(this.picture);
    const opened = await brush.open(this.element.querySelector("legend").textContent, whole(picture), region, (file) => {
      this.chosen.put(file);
      this.take();
    });
    if (!opened) setMessage(this.role, `The ${this.noun} cannot be shown at the moment. Try again, or give the region as a file.`);
  }
}

// One that was given before is shown small.
const whole = ({ dataset, src }) => dataset.whole ?? src;

const regions = [...document.querySelectorAll("[data-region]")].map((element) => new Region(element));

// Regions are offered of each painting that is there.
function offer() {
  for (const region of regions) {
    const zone = document.querySelector(`[data-zone="${region.of}"] .zone`);
    const there = !region.of || region.of === "style" || zone?.classList.contains("is-filled");
    if (!there && region.given) region.empty();
    region.element.hidden = !there && !region.element.querySelector(".error:not(:empty)");
  }
}

document.addEventListener("zone:change", (event) => {
  offer();
  for (const region of regions) if (region.on === event.target.dataset.zone) region.pictureChanged();
});
if (regions.length) offer();

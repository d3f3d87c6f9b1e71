// Where things go: a region as a file, or painted on the photograph; shown small, removed again.
import { brush, PAINTED } from "./brush.js";
import { setMessage } from "./message.js";

class Region {
  constructor(element) {
    this.element = element;
    this.role = element.dataset.region;
    this.file = element.querySelector(".region-file");
    this.kept = element.querySelector(`[name="${this.role}_kept"]`);
    this.picture = element.querySelector(".region-picture");
    this.clearButton = element.querySelector(".region-clear");
    this.paintButton = element.querySelector(".region-paint");
    this.note = element.querySelector(".region-note");
    // Painted by hand on the photograph that is chosen, now or for the job before.
    this.painted = element.dataset.kept === PAINTED;
    this.file.addEventListener("change", () => {
      this.painted = false;
      this.chosen();
    });
    this.clearButton.addEventListener("click", () => this.clear());
    this.paintButton.addEventListener("click", () => this.paint());
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.chosen();
  }

  chosen() {
    const [file] = this.file.files;
    if (!file) return;
    const limit = Number(this.file.dataset.maxBytes);
    if (file.size > limit) {
      this.file.value = "";
      setMessage(this.role, `${file.name} is larger than ${limit / 1e6} MB. Choose a smaller one.`);
      return;
    }
    setMessage(this.role, "");
    this.kept.value = "";
    this.show(URL.createObjectURL(file));
  }

  clear() {
    this.empty();
    this.file.focus();
  }

  empty() {
    this.painted = false;
    this.file.value = "";
    this.kept.value = "";
    setMessage(this.role, "");
    this.show(null);
  }

  // Another photograph has its things elsewhere.
  photographChanged() {
    if (!this.painted || this.picture.hidden) return;
    this.empty();
    this.note.textContent = "The region was painted on the photograph before, so it was removed.";
  }

  show(address) {
    this.note.textContent = "";
    if (this.picture.src.startsWith("blob:")) URL.revokeObjectURL(this.picture.src);
    this.picture.hidden = address === null;
    if (address === null) this.picture.removeAttribute("src");
    else this.picture.src = address;
    this.clearButton.hidden = address === null;
  }

  async paint() {
    const photograph = document.querySelector('[data-zone="content"] .zone-picture');
    if (photograph.hidden || !photograph.src) {
      setMessage(this.role, "Choose a photograph first, one that the browser can show: the region is painted on it.");
      return;
    }
    setMessage(this.role, "");
    await brush.open(this.element.querySelector("legend").textContent, photograph.src, this.picture.hidden ? null : this.picture.src, (file) => {
      const one = new DataTransfer();
      one.items.add(file);
      this.file.files = one.files;
      this.painted = true;
      this.chosen();
    });
  }
}

const regions = [...document.querySelectorAll("[data-region]")].map((element) => new Region(element));

// A place is offered to each painting that is there.
function offer() {
  for (const region of regions) {
    const zone = document.querySelector(`[data-zone="${region.role.replace("-mask", "")}"] .zone`);
    const there = region.role === "protect" || region.role === "style-mask" || zone?.classList.contains("is-filled");
    region.element.hidden = !there && !region.element.querySelector(".error:not(:empty)");
    if (!there && !region.picture.hidden) region.clear();
  }
}

document.addEventListener("zone:change", (event) => {
  offer();
  if (event.target.dataset.zone === "content") for (const region of regions) region.photographChanged();
});
if (regions.length) offer();

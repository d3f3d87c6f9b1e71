// Many pictures for one part: choose, drop, remove; and how many will come of it, said before it starts.
const form = document.getElementById("new-dataset");

class Pile {
  constructor(element) {
    this.element = element;
    this.role = element.dataset.pile;
    this.box = element.querySelector(".pile");
    this.file = element.querySelector(".zone-file");
    this.said = element.querySelector(".pile-said");
    this.list = element.querySelector(".pile-list");
    this.clearButton = element.querySelector(".zone-clear");
    this.error = element.querySelector(".error");
    this.samples = [...element.querySelectorAll(`[name="${this.role}_sample"]`)];
    this.files = [];
    this.addresses = [];

    this.file.addEventListener("change", () => this.add(this.file.files));
    this.clearButton.addEventListener("click", () => this.clear());
    for (const type of ["dragenter", "dragover"]) this.box.addEventListener(type, (event) => this.dragged(event));
    for (const type of ["dragleave", "drop"]) this.box.addEventListener(type, () => this.box.classList.remove("is-over"));
    this.box.addEventListener("drop", (event) => {
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
    for (const sample of this.samples) sample.addEventListener("change", () => this.show());
    this.add(this.file.files);
  }

  get count() {
    return this.files.length + this.samples.filter((sample) => sample.checked).length;
  }

  dragged(event) {
    event.preventDefault();
    this.box.classList.add("is-over");
  }

  // What was chosen before stays: a second choice adds to it.
  add(files) {
    const limit = Number(this.file.dataset.maxBytes);
    const large = [...files].filter((file) => file.size > limit);
    const known = new Set(this.files.map((file) => `${file.name} ${file.size} ${file.lastModified}`));
    const fresh = [...files].filter((file) => file.size <= limit && !known.has(`${file.name} ${file.size} ${file.lastModified}`));
    this.files.push(...fresh);
    if (files.length) this.error.textContent = large.length ? `Larger than ${limit / 1e6} MB and left out: ${large.map((file) => file.name).join(", ")}.` : "";
    this.keep();
  }

  remove(file) {
    this.files = this.files.filter((one) => one !== file);
    this.keep();
    (this.list.querySelector("button") ?? this.file).focus();
  }

  clear() {
    this.files = [];
    for (const sample of this.samples) sample.checked = false;
    this.keep();
    this.file.focus();
  }

  keep() {
    const kept = new DataTransfer();
    for (const file of this.files) kept.items.add(file);
    this.file.files = kept.files;
    this.draw();
    this.show();
  }

  draw() {
    for (const address of this.addresses) URL.revokeObjectURL(address);
    this.addresses = [];
    this.list.replaceChildren(...this.files.map((file) => this.thumbnail(file)));
    this.list.hidden = this.files.length === 0;
  }

  thumbnail(file) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.title = file.name;
    button.setAttribute("aria-label", `Remove ${file.name}`);
    const image = new Image();
    image.alt = "";
    image.src = URL.createObjectURL(file);
    this.addresses.push(image.src);
    // A kind that the browser cannot draw: the server may know it.
    image.addEventListener("error", () => image.replaceWith(file.name));
    button.append(image);
    button.addEventListener("click", () => this.remove(file));
    item.append(button);
    return item;
  }

  show() {
    this.box.classList.toggle("is-filled", this.count > 0);
    this.clearButton.hidden = this.count === 0;
    this.said.textContent = this.count ? `${this.count} chosen` : "";
    count();
  }
}

const piles = [];

function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

// Only what was measured here at this size is estimated.
function estimate(each, generators, strengths, size) {
  const seconds = generators.map((box) => JSON.parse(box.dataset.seconds)[size]);
  if (seconds.some((one) => one === undefined)) return "";
  const total = seconds.reduce((sum, one, place) => sum + one * each * (generators[place].value === "instant" ? 1 : strengths), 0);
  return `, about ${duration(total)} by what was measured here`;
}

function count() {
  if (piles.length < 2) return;
  const [contents, styles] = piles.map((pile) => pile.count);
  const generators = [...form.querySelectorAll('[name="preset"]:checked')];
  const strengths = Math.max(1, form.elements.strengths.value.split(",").filter((part) => part.trim()).length);
  const ways = generators.reduce((sum, box) => sum + (box.value === "instant" ? 1 : strengths), 0);
  const place = document.getElementById("count");
  const pictures = contents * styles * ways;
  const all = pictures + contents + styles;
  place.classList.toggle("is-wrong", all > Number(place.dataset.most));
  if (!pictures) place.textContent = "";
  else if (all > Number(place.dataset.most)) place.textContent = `${all} pictures are more than a dataset may have: ${place.dataset.most}.`;
  else place.textContent = `${contents} × ${styles}${ways > 1 ? ` × ${ways}` : ""}: ${pictures} pictures to be stylised${estimate(contents * styles, generators, strengths, form.elements.size.value)}.`;
}

if (form) {
  piles.push(...[...form.querySelectorAll("[data-pile]")].map((element) => new Pile(element)));
  for (const type of ["change", "input"]) form.addEventListener(type, count);
  form.addEventListener("submit", () => form.classList.add("htmx-request"));
  addEventListener("pageshow", () => form.classList.remove("htmx-request"));
  count();
}

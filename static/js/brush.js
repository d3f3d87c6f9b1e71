// A region painted on a picture: brush, soft edge, erase, undo, clear; by mouse, finger, pen or keyboard.
const dialog = document.getElementById("brush");
const LONGEST = 1024;
const UNDO_STEPS = 20;
// By its name a painted region is known again.
export const PAINTED = "painted.png";

const part = (selector) => dialog.querySelector(selector);

async function drawable(address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}

class Brush {
  constructor() {
    this.canvas = part(".brush-canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.picture = part(".brush-picture");
    this.ring = part(".brush-ring");
    this.size = part("#brush-size");
    this.soft = part("#brush-soft");
    this.erase = part("#brush-erase");
    this.undoButton = part(".brush-undo");
    this.steps = [];
    // The pointer that paints, and where it was last.
    this.stroke = null;
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("lostpointercapture", (event) => {
      if (event.pointerId === this.stroke?.pointer) this.stroke = null;
    });
    this.canvas.addEventListener("pointerleave", () => (this.ring.hidden = true));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => (this.ring.hidden = true));
    this.undoButton.addEventListener("click", () => this.undo());
    part(".brush-clear").addEventListener("click", () => this.clear());
    part(".brush-cancel").addEventListener("click", () => dialog.close());
    part(".brush-done").addEventListener("click", () => this.done());
  }

  // Gives `use` a PNG, white where it was painted on black. Returns whether the picture can be drawn.
  async open(title, picture, region, use) {
    const image = await drawable(picture);
    if (!image) return false;
    part("h2").textContent = title;
    this.use = use;
    this.picture.src = picture;
    const { naturalWidth, naturalHeight } = image;
    const scale = LONGEST / Math.max(naturalWidth, naturalHeight);
    this.canvas.width = Math.max(1, Math.round(naturalWidth * scale));
    this.canvas.height = Math.max(1, Math.round(naturalHeight * scale));
    part(".brush-stage").style.setProperty("--ratio", naturalWidth / naturalHeight);
    this.steps = [];
    this.stroke = null;
    this.undoButton.disabled = true;
    this.erase.checked = false;
    this.cursor = { x: this.canvas.width / 2, y: this.canvas.height / 2 };
    if (region) await this.load(region);
    dialog.showModal();
    this.canvas.focus();
    return true;
  }

  get colour() {
    return getComputedStyle(dialog).getPropertyValue("--brush-colour");
  }

  // Light becomes cover, as the server reads it; one that cannot be drawn begins empty.
  async load(address) {
    const image = await drawable(address);
    if (!image) return;
    const { width, height } = this.canvas;
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, width, height);
    this.context.drawImage(image, 0, 0, width, height);
    const pixels = this.context.getImageData(0, 0, width, height);
    const { data } = pixels;
    for (let at = 0; at < data.length; at += 4) data[at + 3] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    this.context.putImageData(pixels, 0, 0);
    this.context.globalCompositeOperation = "source-in";
    this.context.fillStyle = this.colour;
    this.context.fillRect(0, 0, width, height);
    this.context.globalCompositeOperation = "source-over";
  }

  get radius() {
    return (Number(this.size.value) / 200) * Math.max(this.canvas.width, this.canvas.height);
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * this.canvas.width, y: ((event.clientY - box.top) / box.height) * this.canvas.height };
  }

  remember() {
    this.steps.push(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height));
    if (this.steps.length > UNDO_STEPS) this.steps.shift();
    this.undoButton.disabled = false;
  }

  undo() {
    const before = this.steps.pop();
    if (before) this.context.putImageData(before, 0, 0);
    this.undoButton.disabled = this.steps.length === 0;
    if (this.undoButton.disabled) this.canvas.focus();
  }

  clear() {
    this.remember();
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  down(event) {
    if (event.button || this.stroke) return;
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    this.remember();
    const last = this.place(event);
    this.stroke = { pointer: event.pointerId, last };
    this.dab(last);
  }

  move(event) {
    if (this.stroke && event.pointerId !== this.stroke.pointer) return;
    const place = this.place(event);
    this.cursor = place;
    this.point();
    if (!this.stroke) return;
    const { last } = this.stroke;
    const [dx, dy] = [place.x - last.x, place.y - last.y];
    const count = Math.ceil(Math.hypot(dx, dy) / Math.max(1, this.radius / 4));
    for (let step = 1; step <= count; step += 1) this.dab({ x: last.x + (dx * step) / count, y: last.y + (dy * step) / count });
    this.stroke.last = place;
  }

  dab({ x, y }) {
    const { context, radius } = this;
    const shade = context.createRadialGradient(x, y, radius * (1 - Number(this.soft.value) / 100) * 0.98, x, y, radius);
    shade.addColorStop(0, this.colour);
    shade.addColorStop(1, "transparent");
    context.globalCompositeOperation = this.erase.checked ? "destination-out" : "source-over";
    context.fillStyle = shade;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    context.globalCompositeOperation = "source-over";
  }

  key(event) {
    const step = this.radius / 2;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key === " ") {
      this.remember();
      this.dab(this.cursor);
    } else if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      this.cursor.x = Math.min(Math.max(this.cursor.x + dx, 0), this.canvas.width);
      this.cursor.y = Math.min(Math.max(this.cursor.y + dy, 0), this.canvas.height);
    } else return;
    event.preventDefault();
    this.point();
  }

  // Shows where the brush is, and how large.
  point() {
    const scale = this.canvas.clientWidth / this.canvas.width;
    Object.assign(this.ring.style, { left: `${this.cursor.x * scale}px`, top: `${this.cursor.y * scale}px`, width: `${2 * this.radius * scale}px` });
    this.ring.hidden = false;
  }

  done() {
    const { width, height } = this.canvas;
    const made = document.createElement("canvas");
    Object.assign(made, { width, height });
    const context = made.getContext("2d");
    context.drawImage(this.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    made.toBlob((blob) => {
      this.use(new File([blob], PAINTED, { type: "image/png" }));
      dialog.close();
    }, "image/png");
  }
}

export const brush = dialog && new Brush();

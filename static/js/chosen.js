// The file of an input: one that is too large, or a dialog that is closed again, leaves the one before.
import { setMessage } from "./message.js";

export class Chosen {
  constructor(input) {
    this.input = input;
    this.file = null;
    this.refusal = "";
    // The server, which never saw what was refused, says nothing of it, or that there is nothing.
    document.addEventListener("htmx:afterSettle", () => {
      if (this.refusal) setMessage(input.name, this.refusal);
    });
  }

  // Returns the input's new file, or null where everything stays as it was.
  take() {
    const [file] = this.input.files;
    const limit = Number(this.input.dataset.maxBytes);
    if (file && file.size <= limit) {
      this.accept(file);
      return file;
    }
    this.put(this.file);
    if (file) {
      this.refusal = `${file.name} is larger than ${limit / 1e6} MB. Choose a smaller one, or save it as a JPEG first.`;
      setMessage(this.input.name, this.refusal);
    }
    return null;
  }

  drop() {
    this.put(null);
    this.accept(null);
  }

  accept(file) {
    this.file = file;
    this.refusal = "";
    setMessage(this.input.name, "");
  }

  put(file) {
    const one = new DataTransfer();
    if (file) one.items.add(file);
    this.input.files = one.files;
  }
}

// An event source that rests while the tab is hidden: browsers keep only six connections to a server.
// The server begins each connection with the whole state, so nothing is lost meanwhile.
class RestingSource extends EventTarget {
  #source = null;
  #names = new Set();
  #ended = false;

  constructor(url) {
    super();
    this.url = url;
    this.#open();
    document.addEventListener("visibilitychange", this.#visibilityChanged);
  }

  get readyState() {
    if (this.#ended) return EventSource.CLOSED;
    return this.#source?.readyState ?? EventSource.CONNECTING;
  }

  addEventListener(name, listener, options) {
    super.addEventListener(name, listener, options);
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#source?.addEventListener(name, this.#forward);
  }

  close() {
    this.#ended = true;
    this.#source?.close();
    document.removeEventListener("visibilitychange", this.#visibilityChanged);
  }

  #open() {
    if (document.hidden) return;
    this.#source = new EventSource(this.url);
    for (const name of this.#names) this.#source.addEventListener(name, this.#forward);
    this.#source.onopen = (event) => this.onopen?.(event);
    this.#source.onerror = (event) => {
      if (this.readyState === EventSource.CLOSED) this.close();
      this.onerror?.(event);
    };
  }

  #forward = (event) => {
    this.dispatchEvent(new MessageEvent(event.type, { data: event.data, lastEventId: event.lastEventId }));
  };

  #visibilityChanged = () => {
    this.#source?.close();
    this.#source = null;
    this.#open();
  };
}

if (window.htmx) htmx.createEventSource = (url) => new RestingSource(url);

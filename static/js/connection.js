// Says when the server cannot be reached, and takes it back once it answers.
const notice = document.getElementById("notice");
const lines = { request: document.createElement("p"), stream: document.createElement("p") };

function say(line, text) {
  line.textContent = text;
  if (!line.isConnected) notice.append(line);
}

document.addEventListener("htmx:sendError", (event) => {
  // The form says it where it stands.
  if (!event.target.matches("form.paint")) say(lines.request, "The server cannot be reached. The job goes on; try again.");
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr.status) lines.request.remove();
});
// Why the server refuses a stream is told to whoever asks for it once more: a browser keeps it to itself.
async function explain(source) {
  const asked = new AbortController();
  try {
    const answer = await fetch(source.url, { headers: { Accept: "text/event-stream" }, signal: asked.signal });
    if (answer.status === 429 && lines.stream.isConnected) {
      say(lines.stream, "You are watching too many things at once. Close some of their pages, or load this one again to see how far it is.");
    }
  } catch {
    // It cannot be reached, which is said already.
  } finally {
    asked.abort();
  }
}

// A stream that ends as it should is closed by its last event, before the browser could call it an error.
document.addEventListener("htmx:sseError", (event) => {
  if (!lines.stream.isConnected) say(lines.stream, "Connection lost. Reconnecting…");
  if (event.detail.source?.readyState === EventSource.CLOSED) explain(event.detail.source);
});
for (const type of ["htmx:sseOpen", "htmx:sseMessage"]) {
  document.addEventListener(type, () => Object.values(lines).forEach((line) => line.remove()));
}

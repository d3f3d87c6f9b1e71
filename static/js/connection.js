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
// A stream that ends as it should is closed by its last event, before the browser could call it an error.
document.addEventListener("htmx:sseError", () => {
  if (!lines.stream.isConnected) say(lines.stream, "Connection lost. Reconnecting…");
});
for (const type of ["htmx:sseOpen", "htmx:sseMessage"]) {
  document.addEventListener(type, () => Object.values(lines).forEach((line) => line.remove()));
}

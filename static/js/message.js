// Messages at form fields: set, cleared, and shown to whoever looks away from them.
export function setMessage(name, text) {
  const place = document.getElementById(`${name}-error`);
  if (place) place.textContent = text;
  mark(name);
}

function mark(name) {
  const wrong = Boolean(document.getElementById(`${name}-error`)?.textContent);
  for (const field of document.querySelectorAll(`form.paint [name="${name}"]`)) {
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

function showFirst() {
  for (const place of document.querySelectorAll("[data-error-for]")) {
    mark(place.dataset.errorFor);
    if (!place.textContent) continue;
    place.closest("details")?.setAttribute("open", "");
    place.closest("[hidden]")?.removeAttribute("hidden");
  }
  const wrong = document.querySelector('form.paint [aria-invalid="true"]');
  if (wrong) wrong.focus();
  else document.getElementById("form-error").scrollIntoView({ block: "nearest" });
}

const form = document.querySelector("form.paint");
form?.addEventListener("input", (event) => setMessage(event.target.name, ""));
form?.addEventListener("htmx:beforeRequest", () => {
  document.getElementById("notice").replaceChildren();
});
form?.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.failed && event.detail.xhr.status) setTimeout(showFirst);
});
form?.addEventListener("htmx:sendError", () => {
  document.getElementById("form-error").textContent = "The server cannot be reached. Check the connection and try again.";
});

// A form that is sent carries along what stands in another one on the page, so that a refusal shows both as they were.
for (const form of document.querySelectorAll("form[data-carries]")) {
  form.addEventListener("formdata", ({ formData }) => {
    const other = document.getElementById(form.dataset.carries);
    if (!other) return;
    for (const [name, value] of new FormData(other)) if (typeof value === "string") formData.append(name, value);
  });
}

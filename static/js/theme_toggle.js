// Switches between light and dark, and remembers it.
const root = document.documentElement;
const button = document.querySelector("[data-theme-toggle]");
const system = matchMedia("(prefers-color-scheme: dark)");

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
const show = () => button.setAttribute("aria-pressed", String(isDark()));

button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // Storage can be forbidden; the choice then lasts until the page is left.
  }
  show();
});
system.addEventListener("change", show);
show();

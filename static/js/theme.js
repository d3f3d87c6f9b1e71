// Runs before the first paint: says that scripts run, and applies the theme chosen before.
(() => {
  const root = document.documentElement;
  root.classList.add("script");
  let stored = null;
  try {
    stored = localStorage.getItem("theme");
  } catch {
    // Storage can be forbidden; the system's theme is then the only one.
  }
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
})();

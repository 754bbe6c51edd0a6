// Light or dark: as the system has it, until the person says otherwise. Loaded before the first paint,
// so that nothing flashes.
(() => {
  const storageKey = "oncewire-chat:theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  const chosen = () => {
    try {
      return localStorage.getItem(storageKey);
    } catch {
      return null; // no storage: the system's choice it is
    }
  };
  const current = () => root.dataset.theme ?? (system.matches ? "dark" : "light");
  const other = () => (current() === "dark" ? "light" : "dark");

  if (chosen()) root.dataset.theme = chosen();

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const label = () => button.setAttribute("aria-label", `Switch to the ${other()} theme`);
    button.addEventListener("click", () => {
      root.dataset.theme = other();
      try {
        localStorage.setItem(storageKey, root.dataset.theme);
      } catch {
        // then for this page only
      }
      label();
    });
    system.addEventListener("change", label);
    label();
  });
})();

// Light or dark: as the system has it, until the person says otherwise; as the embedding site asks, in a
// frame. Loaded before the first paint, so that nothing flashes.
(() => {
  const storageKey = "oncewire-chat:theme";
  const root = document.documentElement;
  const valid = (theme) => (theme === "light" || theme === "dark" ? theme : undefined);

  const stored = () => {
    try {
      return localStorage.getItem(storageKey);
    } catch {
      return undefined; // no storage: the system's choice it is
    }
  };
  const apply = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  const query = new URLSearchParams(location.search);
  apply(valid(query.get("theme")) ?? valid(stored()));
  root.toggleAttribute("data-framed", query.has("frame"));

  globalThis.chatTheme = {
    get chosen() {
      return root.dataset.theme ?? "system";
    },
    choose(theme, { keep = true } = {}) {
      apply(valid(theme));
      try {
        if (keep) localStorage.setItem(storageKey, theme);
      } catch {
        // then for this page only
      }
    },
  };
})();

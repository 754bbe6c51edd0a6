// The chat in a shadow root, for sites that let us run on their pages: the same page, its elements and style
// sheets, without a frame around them. Its outbox lives in the site's origin.

let count = 0;

/**
 * Builds a chat inside `host`.
 * @param {Object} here
 * @param {MessagePort} here.port what embed.js says and hears, as in a frame
 * @param {Object} here.options what it would tell a frame first
 * @param {string} [here.locale]
 * @param {string} [here.theme]
 * @param {AbortSignal} here.signal
 * @param {function()} here.restart
 */
export async function mount(host, here) {
  const page = await fetch(new URL("./", import.meta.url)).then((answer) => answer.text());
  const parsed = new DOMParser().parseFromString(page, "text/html");
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = await Promise.all([...parsed.querySelectorAll("link[rel=stylesheet]")].map(sheetOf));
  const app = document.adoptNode(parsed.getElementById("app"));
  app.toggleAttribute("data-framed", true);
  root.replaceChildren(app);
  const theme = themeOf(host);
  theme.choose(here.theme);
  if (here.signal.aborted) return;
  // The same modules under another address, so that nothing of one chat is another's. The client they share.
  const own = ++count === 1 ? "." : `./inline-${count}`;
  const { surface } = await import(`${own}/surface.js`);
  surface.current = { ...here, root, app, theme, isPage: false, server: new URL(import.meta.url).origin };
  await import(`${own}/chat.js`);
}

async function sheetOf(link) {
  const sheet = new CSSStyleSheet();
  await sheet.replace(await fetch(new URL(link.getAttribute("href"), import.meta.url)).then((answer) => answer.text()));
  return sheet;
}

const themeOf = (host) => ({
  get chosen() {
    return host.dataset.theme ?? "system";
  },
  choose(theme) {
    if (theme === "light" || theme === "dark") host.dataset.theme = theme;
    else delete host.dataset.theme;
  },
});

// Which server and which namespace a URL means, by the rules of socket.io-client.

/**
 * @param {string} [text] absolute, `//host`, `host`, `/namespace`, or nothing for the page's origin
 * @param {Location} [page]
 * @returns {{origin: string, key: string, namespace: string, query: Object, secure: boolean}} `origin`
 *   is the WebSocket origin, `key` names the server for the manager cache
 */
export function parseUrl(text, page = globalThis.location) {
  const url = new URL(withScheme(text ?? "", page));
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const port = url.port || (secure ? "443" : "80");
  return {
    origin: `${secure ? "wss" : "ws"}://${url.host}`,
    key: `${secure ? "https" : "http"}://${url.hostname}:${port}`,
    namespace: decodeURI(url.pathname) || "/",
    query: Object.fromEntries(url.searchParams),
    secure,
  };
}

function withScheme(text, page) {
  const scheme = page ? page.protocol : "https:";
  if (text.startsWith("//")) return scheme + text;
  if (text === "" || text.startsWith("/")) {
    if (!page) throw new TypeError("a URL is needed outside of a page");
    return `${scheme}//${page.host}${text}`;
  }
  return /^(https?|wss?):\/\//.test(text) ? text : `${scheme}//${text}`;
}

/** The address of the WebSocket itself. */
export function socketUrl(origin, { path, query }) {
  const directory = path.endsWith("/") ? path : `${path}/`;
  const parameters = new URLSearchParams({ ...query, EIO: "4", transport: "websocket" });
  return `${origin}${directory}?${parameters}`;
}

// Which server and which namespace a URL means, by the rules of socket.io-client, and where the
// transports of that server are.

/**
 * @param {string} [text] absolute, `//host`, `host`, `/namespace`, or nothing for the page's origin
 * @param {Location} [page]
 * @returns {{origin: string, key: string, namespace: string, query: Object}} `origin` has the scheme
 *   http or https and a port only if it is not the usual one; `key` names the server for the manager
 *   cache; `namespace` is what stands there, to the letter; `query` is undefined if the URL has none;
 *   `isNowhere`: it means the page's own server, and there is no page
 */
export function parseUrl(text = "", page = globalThis.location) {
  const whole = withScheme(text, page);
  const url = new URL(whole);
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const scheme = secure ? "https" : "http";
  const port = url.port || (secure ? "443" : "80");
  return {
    origin: `${scheme}://${url.host}`,
    key: `${scheme}://${url.hostname}:${port}`,
    namespace: whole.match(/^\w+:\/\/[^/?#]*([^?#]*)/)[1] || "/",
    query: url.search ? parseQuery(url.search) : undefined,
    isNowhere: !page && isRelative(text),
  };
}

/** A plus stands for itself, as in the original: tokens in Base64 have some. */
function parseQuery(text) {
  return Object.fromEntries(new URLSearchParams(text.replaceAll("+", "%2B")));
}

const isRelative = (text) => !text || /^\/(?!\/)/.test(text);

function withScheme(text, page) {
  const scheme = page ? page.protocol : "https:";
  if (text.startsWith("//")) return scheme + text;
  if (isRelative(text)) return page ? `${scheme}//${page.host}${text}` : `http://localhost${text}`;
  return /^(https?|wss?):\/\//.test(text) ? text : `${scheme}//${text}`;
}

/** The address of the WebSocket; a session's id may follow it. */
export function socketUrl(origin, { timestampRequests, ...options }) {
  const stamp = timestampRequests === true;
  return address(origin.replace(/^http/, "ws"), { transport: "websocket", stamp, ...options });
}

/** The address of one polling request; `sid` empty: of the handshake. */
export function pollingUrl(origin, { timestampRequests, ...options }) {
  return address(origin, { transport: "polling", stamp: timestampRequests !== false, ...options });
}

function address(origin, { path, query, transport, stamp, timestampParam = "t", addTrailingSlash, sid }) {
  const bare = path.replace(/\/$/, "");
  const given = typeof query === "string" ? parseQuery(query) : query;
  const parameters = new URLSearchParams({ ...given, EIO: "4", transport });
  if (stamp) parameters.set(timestampParam, unique());
  if (sid) parameters.set("sid", sid);
  return `${origin}${bare}${addTrailingSlash === false ? "" : "/"}?${parameters}`;
}

// Keeps caches on the way from answering.
/** The asterisk promises a server of ours that no two requests share one: see request_mark(). */
function unique() {
  return "*" + Date.now().toString(36).slice(3) + Math.random().toString(36).slice(2, 5);
}

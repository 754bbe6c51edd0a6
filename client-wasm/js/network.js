// What a manager's options say about reaching its server: addresses, headers, credentials, and the
// requests of HTTP long-polling.

import { pollingUrl, socketUrl } from "./url.js";

const responseBytesMax = 64 * 2 ** 20; // more is refused before it is copied

export class Network {
  #options;
  #origin;
  #query;
  #requests = new Map(); // link → AbortController of its GET

  constructor(origin, query, options) {
    this.#origin = origin;
    this.#query = query;
    this.#options = options;
  }

  get websocketUrl() {
    return socketUrl(this.#origin, { ...this.#options, query: this.#query });
  }

  /** A WebSocket: the one of the platform, or the class in the option `WebSocket` (npm's `ws`). */
  dial = (url) => {
    const { WebSocket = globalThis.WebSocket, protocols = [] } = this.#options;
    if (!WebSocket) {
      throw new Error("this platform has no WebSocket; pass one, for example { WebSocket: require('ws') }");
    }
    const headers = this.#headersOf("websocket");
    // A browser's takes no headers, and must not be given a third argument it might mistake.
    const socket =
      WebSocket === globalThis.WebSocket || !headers
        ? new WebSocket(url, protocols)
        : new WebSocket(url, protocols, { headers });
    socket.on?.("error", () => {}); // `ws` throws what nobody listens to, even once we have let go
    return socket;
  };

  /** One request of a polling link: a POST if it has a body. Resolves with { status, bytes }. */
  async request(link, sid, body) {
    const abort = new AbortController();
    if (!body) this.#requests.set(link, abort);
    const { requestTimeout, withCredentials } = this.#options;
    const timer = requestTimeout ? setTimeout(() => abort.abort(), requestTimeout) : undefined;
    try {
      const response = await fetch(pollingUrl(this.#origin, { ...this.#options, query: this.#query, sid }), {
        method: body ? "POST" : "GET",
        headers: {
          Accept: "*/*",
          ...(body && { "Content-type": "text/plain;charset=UTF-8" }),
          ...this.#headersOf("polling"),
        },
        body,
        credentials: withCredentials ? "include" : "same-origin",
        cache: "no-store",
        signal: abort.signal,
      });
      if (Number(response.headers.get("content-length")) > responseBytesMax) {
        abort.abort();
        return { status: 0 };
      }
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch {
      return { status: 0 };
    } finally {
      clearTimeout(timer);
      if (this.#requests.get(link) === abort) this.#requests.delete(link);
    }
  }

  /** Nobody waits for the GET of this link any more. */
  abandon(link) {
    this.#requests.get(link)?.abort();
    this.#requests.delete(link);
  }

  #headersOf(transport) {
    return this.#options.transportOptions?.[transport]?.extraHeaders ?? this.#options.extraHeaders;
  }
}

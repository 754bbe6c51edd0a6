// What a manager's options say about reaching its server: addresses, headers, credentials, and the
// requests of HTTP long-polling.

import { warnOnce } from "./emitter.js";
import { pollingUrl, socketUrl } from "./url.js";

const farewellTime = 1_000; // ms
const responseBytesMax = 64 * 2 ** 20; // more is refused before it is copied

let quieten = () => {};
/** What the option autoUnref means on this platform: `how(origin, options)` sees those of every network. */
export function provideQuiet(how) {
  quieten = how;
}

export class Network {
  #options;
  #origin;
  #gets = new Map(); // link → AbortController of its GET
  #posts = new Map(); // link → its POST, until that is answered
  #early; // what begin() began and the engine has not taken: { response } or { socket, events }

  /** `options`: read anew for every request and WebSocket. */
  constructor(origin, options) {
    this.#origin = origin;
    this.#options = options;
    quieten(origin, options);
  }

  get websocketUrl() {
    return socketUrl(this.#origin, this.#options);
  }

  /** Begins the first link while the engine is still on its way, so that neither waits for the other. */
  begin(transport) {
    if (transport === "polling") this.#early = { response: this.#fetch("", undefined) };
    if (transport === "websocket") this.#early = heldSocket(this.websocketUrl, this.#dial);
  }

  /** The engine is here: what it did not take at once it will not. */
  endBegun() {
    this.#early?.socket?.close();
    this.#early = undefined;
  }

  /** A WebSocket, perhaps the one begun early: what it had to say, it says then. One that a platform refuses closes. */
  dial(url) {
    const { socket, events } = this.#early ?? {};
    if (!socket) return orStillborn(() => this.#dial(url));
    this.#early = undefined;
    queueMicrotask(() => events.forEach((event) => socket[`on${event.type}`]?.(event)));
    return socket;
  }

  /** A WebSocket: the one of the platform, or the class in the option `WebSocket` (npm's `ws`). */
  #dial = (url) => {
    const { WebSocket = globalThis.WebSocket, protocols = [] } = this.#options;
    if (!WebSocket) {
      const words = "this platform has no WebSocket; pass one: { WebSocket: require('ws') }";
      warnOnce(words);
      throw new Error(words);
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
  request(link, sid, body) {
    return body ? this.#post(link, sid, body) : this.#get(link, sid);
  }

  #post(link, sid, body) {
    const answer = this.#fetch(sid, body);
    this.#posts.set(link, answer);
    answer.then(() => this.#posts.get(link) === answer && this.#posts.delete(link));
    return answer;
  }

  async #get(link, sid) {
    const early = sid === "" ? this.#early?.response : undefined;
    if (early) {
      this.#early = undefined;
      return early;
    }
    const abort = new AbortController();
    this.#gets.set(link, abort);
    const answer = await this.#fetch(sid, undefined, abort);
    if (this.#gets.get(link) === abort) this.#gets.delete(link);
    return answer;
  }

  /**
   * Nobody waits for the GET of this link any more. It ends after what is being sent, which may be a
   * goodbye: a server takes the end of a GET for the loss of the link.
   */
  async abandon(link) {
    const get = this.#gets.get(link);
    this.#gets.delete(link);
    const until = Date.now() + farewellTime;
    while (this.#posts.has(link) && Date.now() < until) {
      let timer;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, until - Date.now())));
      await Promise.race([this.#posts.get(link), late]);
      clearTimeout(timer);
    }
    get?.abort();
  }

  async #fetch(sid, body, abort = new AbortController()) {
    const { requestTimeout, withCredentials } = this.#options;
    const timer = requestTimeout ? setTimeout(() => abort.abort(), requestTimeout) : undefined;
    try {
      const response = await fetch(pollingUrl(this.#origin, { ...this.#options, sid }), {
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
    }
  }

  #headersOf(transport) {
    return this.#options.transportOptions?.[transport]?.extraHeaders ?? this.#options.extraHeaders;
  }
}

/** A WebSocket whose events are kept until somebody takes it; none if the platform refuses one. */
function heldSocket(url, dial) {
  try {
    const socket = dial(url);
    const events = [];
    socket.binaryType = "arraybuffer";
    for (const type of ["open", "message", "error", "close"]) {
      socket[`on${type}`] = (event) => events.push(event);
    }
    return { socket, events };
  } catch {
    return undefined;
  }
}

/** A refusal must not unwind through WebAssembly: what could not be made closes before it opens. */
function orStillborn(make) {
  try {
    return make();
  } catch (error) {
    const socket = { close() {} };
    queueMicrotask(() => {
      socket.onerror?.(error);
      socket.onclose?.({ code: 1006, reason: error.message, wasClean: false });
    });
    return socket;
  }
}

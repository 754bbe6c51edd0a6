// One server: its link, reconnection, and the sockets that share it.

import { Emitter } from "./emitter.js";
import { loadEngine } from "./engine_source.js";
import { randomHex } from "./lanes.js";
import { Socket } from "./socket.js";
import { parseUrl, socketUrl } from "./url.js";

const defaults = {
  path: "/socket.io",
  autoConnect: true,
  reconnection: true,
  reconnectionAttempts: Infinity,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
  timeout: 20_000,
};

/**
 * Events: open, error(err), close(reason), reconnect_attempt(n), reconnect(n), reconnect_error(err),
 * reconnect_failed.
 */
export class Manager extends Emitter {
  #client;
  #loading;
  #sockets = new Map(); // name → Socket
  #byIndex = []; // Socket by its namespace's number in the engine
  #isOpen = false;
  #attempt = 0; // of the reconnection that is under way; 0: none is
  #failure; // of the attempt that just failed

  constructor(uri, options = {}) {
    super();
    const { origin, key, query } = parseUrl(uri);
    this.uri = key;
    this.options = { ...defaults, ...given(options) };
    this.address = socketUrl(origin, { path: this.options.path, query: options.query ?? query });
    listenForReturn(() => this.retryNow());
  }

  get opts() {
    return this.options;
  }

  /** The socket of a namespace: the one there is, or a new one. */
  socket(nsp, options = {}) {
    const existing = this.#sockets.get(nsp);
    if (existing) {
      if (this.options.autoConnect && !existing.active) existing.connect();
      return existing;
    }
    const socket = new Socket(this, nsp, options);
    this.#sockets.set(nsp, socket);
    return socket;
  }

  hasSocket(nsp) {
    return this.#sockets.has(nsp);
  }

  /** Attempts a connection at once instead of waiting for the next attempt's turn. */
  retryNow() {
    this.#client?.retryNow();
  }

  // ---- for the sockets ----------------------------------------------------------------------------

  /** The engine's client for this server, when the engine is there. */
  client() {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Another client for the same server. Only after client() was resolved. */
  createClient() {
    return this.engine.createClient(this.#engineOptions());
  }

  openNamespace(socket, lane) {
    const index = this.#client.openNamespace(socket.nsp, lane);
    this.#byIndex[index] = socket;
    return index;
  }

  /** Hands on what the engine has to say. A listener may call this again. */
  drain() {
    for (let event = this.#client.poll(); event; event = this.#client.poll()) this.#handle(event);
    this.#tellFailure();
  }

  // ---- inside -------------------------------------------------------------------------------------

  async #load() {
    for (let attempt = 0; ; ++attempt) {
      try {
        this.engine = await loadEngine();
        this.#client = this.createClient();
        this.#client.onEvents = () => this.drain();
        return this.#client;
      } catch (error) {
        this.notify("error", error);
        for (const socket of this.#sockets.values()) {
          socket.handleConnectError(error, error.permanent);
        }
        if (error.permanent) return new Promise(() => {});
        await this.#pause(attempt);
      }
    }
  }

  #pause(attempt) {
    const { reconnectionDelay, reconnectionDelayMax } = this.options;
    const delay = Math.min(reconnectionDelay * 2 ** attempt, reconnectionDelayMax);
    return new Promise((resolve) => setTimeout(resolve, delay));
  }

  #engineOptions() {
    const options = this.options;
    const finite = (value) => (Number.isFinite(value) ? value : 0);
    return {
      url: this.address,
      reconnection: options.reconnection ? 1 : 0,
      attempts: finite(options.reconnectionAttempts),
      delayMin: options.reconnectionDelay,
      delayMax: options.reconnectionDelayMax,
      jitter: Math.round(options.randomizationFactor * 100),
      timeout: options.timeout,
      seed: randomHex(8),
    };
  }

  #handle(event) {
    switch (event.type) {
      case "attempt":
        this.#isOpen = false;
        if (this.#attempt > 0) this.notify("reconnect_attempt", this.#attempt);
        return;
      case "reconnecting":
        this.#tellFailure({ willRetry: true });
        this.#attempt = event.attempt;
        return;
      case "connected":
        this.#handleOpen();
        break;
      case "disconnected":
        this.#handleClose(event.reason);
        break;
      case "connect_failed":
        if (!event.refused) this.#failure ??= new Error(event.error.message);
    }
    this.#byIndex[event.namespace]?.handle(event);
  }

  #handleOpen() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const attempt = this.#attempt;
    this.#attempt = 0;
    this.notify("open");
    if (attempt > 0) this.notify("reconnect", attempt);
  }

  #handleClose(reason) {
    if (!this.#isOpen || reason.startsWith("io ")) return; // one namespace only
    this.#isOpen = false;
    this.notify("close", reason);
  }

  // One failed attempt, however many sockets it concerned.
  #tellFailure({ willRetry = false } = {}) {
    const failure = this.#failure;
    if (!failure) return;
    this.#failure = undefined;
    this.notify("error", failure);
    if (this.#attempt === 0) return;
    if (!willRetry) {
      this.#attempt = 0;
      this.notify("reconnect_failed");
    }
    this.notify("reconnect_error", failure);
  }
}

// Zero and undefined mean the default, as in the original; Infinity stands for itself.
function given(options) {
  const zeroIsMeant = new Set(["randomizationFactor", "autoConnect", "reconnection"]);
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) =>
      name in defaults && !zeroIsMeant.has(name) ? value : value !== undefined,
    ),
  );
}

function listenForReturn(retry) {
  globalThis.addEventListener?.("online", retry);
  globalThis.addEventListener?.("pageshow", retry);
  globalThis.document?.addEventListener("visibilitychange", () => document.hidden || retry());
}

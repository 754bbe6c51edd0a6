// One server: its link, reconnection, and the sockets that share it.

import { Emitter, guarded, throughProxies } from "./emitter.js";
import { EngineSocket } from "./engine_socket.js";
import { isEngineAwaited, loadEngine } from "./engine_source.js";
import { linkDetails, linkError } from "./errors.js";
import { randomHex } from "./lanes.js";
import { Network } from "./network.js";
import { checkOptions, defaults } from "./options.js";
import { asPacket, isPacket } from "./packet.js";
import { Socket } from "./socket.js";
import { parseUrl } from "./url.js";

const known = new Set(["polling", "websocket"]);
const restAfter = 10_000; // ms: who has an outbox comes back to it, or has left for good

/**
 * Events: open, error(err), close(reason, details), ping, packet(packet), reconnect_attempt(n),
 * reconnect(n), reconnect_error(err), reconnect_failed.
 */
export class Manager extends Emitter {
  /** The session with the server (engine_socket.js), from open() on; another one after each reconnection. */
  engine;
  /** Sockets by namespace. */
  nsps = {};

  #origin;
  #network;
  #client;
  #loading;
  #calls = []; // what was called before the engine was there
  #byIndex = []; // Socket by its namespace's number in the engine
  #events = []; // of the engine, not handled yet
  #readyState = "closed";
  #attempt = 0; // of the reconnection that is under way; 0: none is
  #failure; // of the reconnection attempt that just failed
  #onOpened; // callback of open()
  #rest; // timer

  constructor(uri, options) {
    super();
    if (uri && typeof uri === "object") [uri, options] = [undefined, uri];
    const { origin, key, query } = parseUrl(uri);
    this.uri = uri ?? key;
    this.key = key;
    checkOptions(options ?? {});
    this.opts = { ...defaults, ...given(options ?? {}) };
    if (query) this.opts.query = query;
    this.#origin = origin;
    this.#network = new Network(origin, this.opts);
    if (this.opts.autoConnect) this.open();
  }

  /** The socket of a namespace: the one there is, or a new one. */
  socket(nsp, options) {
    const existing = this.nsps[nsp];
    if (existing) {
      if (this.opts.autoConnect && !existing.active) existing.connect();
      return existing;
    }
    this.nsps[nsp] = new Socket(this, nsp, options ?? {});
    return this.nsps[nsp];
  }

  /** Opens the link, if it is not. `callback(error)`: once; then a failure is not followed by another attempt. */
  open(callback) {
    if (this.#readyState !== "closed") return this;
    this.#readyState = "opening";
    this.#onOpened = callback;
    this.#refreshEngine();
    if (isEngineAwaited()) this.#network.begin(this.opts.transports[0]);
    this.#run(() => this.#client.open());
    return this;
  }

  /** Attempts a connection at once instead of waiting for the next attempt's turn. */
  retryNow() {
    this.#client?.retryNow();
  }

  _close() {
    if (!this.#loading) return;
    this.#run(() => {
      this.#client.close();
      this.drain();
    });
  }

  // ---- for the sockets ----------------------------------------------------------------------------

  /** The engine's client for this server, when the engine is there. */
  client() {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Another client for the same server. */
  async createClient(network = new Network(this.#origin, this.opts)) {
    return (await loadEngine()).createClient(this.#engineOptions(network), network, () => this.engine?.binaryType);
  }

  /** What is in `opts` now holds from the attempt on that begins now. */
  configure(client) {
    client.configure(this.#engineOptions(this.#network));
  }

  openNamespace(socket, lane) {
    const index = this.#client.openNamespace(socket.nsp, lane);
    this.#byIndex[index] = socket;
    return index;
  }

  /** Hands on what the engine has to say. A listener may call this again. */
  drain() {
    for (const event of this.#client?.takeEvents() ?? []) this.#events.push(event);
    while (this.#events.length > 0) this.#handle(this.#events.shift());
    if (this.#readyState === "closed") this.#mayRest();
  }

  networkLost() {
    if (new URL(this.#origin).hostname !== "localhost") this.#client?.networkLost();
  }

  // ---- inside -------------------------------------------------------------------------------------

  #run(call) {
    if (this.#client) return call();
    this.#calls.push(call);
    this.client();
  }

  async #load() {
    const client = await this.#loadClient();
    client.onEvents = () => this.drain();
    client.onArrived = (namespace, data, position) => this.#handle({ type: "event", namespace, data, position });
    client.onBroken = (error) => this.#handleBroken(error);
    this.#client = client;
    awake.add(this);
    listenToPage(this.opts);
    for (const call of this.#calls.splice(0)) guarded(call);
    this.drain();
    this.#network.endBegun();
    return client;
  }

  async #loadClient() {
    for (let attempt = 0; ; ++attempt) {
      try {
        return await this.createClient(this.#network);
      } catch (error) {
        for (const socket of Object.values(this.nsps)) socket.handleConnectError(error, error.permanent);
        this.notify("error", error);
        if (error.permanent) return new Promise(() => {});
        await this.#pause(attempt);
      }
    }
  }

  #pause(attempt) {
    const { reconnectionDelay, reconnectionDelayMax } = this.opts;
    const delay = Math.min(reconnectionDelay * 2 ** attempt, reconnectionDelayMax);
    return new Promise((resolve) => setTimeout(resolve, delay));
  }

  // What has ended for good costs nothing any more, however many are made; who comes back finds another engine.
  #mayRest() {
    if (this.#rest) return;
    const some = (what) => Object.values(this.nsps).some((socket) => socket[what]);
    const rest = () => {
      this.#rest = undefined;
      if (this.#readyState === "closed" && this.#client?.isAtRest() && !some("_isBusy")) this.#letGo();
    };
    this.#rest = setTimeout(rest, some("outbox") ? restAfter : 0);
    this.#rest.unref?.();
  }

  #letGo() {
    const client = this.#client;
    this.#client = this.#loading = undefined;
    for (const socket of this.#byIndex.splice(0)) socket.letGo();
    client.destroy();
    awake.delete(this);
  }

  #engineOptions(network) {
    const options = this.opts;
    const finite = (value) => (Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0);
    return {
      url: network.websocketUrl,
      transports: options.transports.filter((name) => known.has(name)),
      upgrade: options.upgrade,
      rememberUpgrade: options.rememberUpgrade,
      tryAllTransports: options.tryAllTransports,
      reconnection: options.reconnection,
      attempts: finite(options.reconnectionAttempts),
      delayMin: finite(options.reconnectionDelay),
      delayMax: finite(options.reconnectionDelayMax),
      jitter: Math.round(options.randomizationFactor * 100),
      ...(options.timeout !== false && { timeout: finite(options.timeout) }),
      seed: randomHex(8),
    };
  }

  _set(name, value) {
    this.opts[name] = value;
    if (this.#client) this.configure(this.#client);
  }

  #refreshEngine() {
    const { binaryType } = this.engine ?? {};
    this.engine = new EngineSocket(this.opts.transports[0], {
      closeLink: () =>
        this.#run(() => {
          this.#client.closeLink();
          this.drain();
        }),
      isWritable: () => this.#client?.isWritable() ?? false,
    });
    this.engine.binaryType = binaryType;
  }

  #handle(event) {
    switch (event.type) {
      case "attempt":
        if (this.engine?.readyState !== "opening") this.#refreshEngine();
        this.#readyState = "opening";
        if (this.#attempt > 0) this.notify("reconnect_attempt", this.#attempt);
        return this.configure(this.#client);
      case "open":
        return this.#handleOpen(event);
      case "upgrade":
        return this.engine.handleUpgrade();
      case "ping":
        this.engine.handlePing();
        return this.notify("ping");
      case "attempt_failed":
        return this.#handleFailure(this.#errorOf(event));
      case "link_failed":
        return this.notify("error", this.#errorOf(event));
      case "close":
        return this.#handleClose(event);
      case "reconnecting":
        this.#attempt = event.attempt;
        return this.#tellFailure();
      case "gave_up":
        this.#attempt = 0;
        this.notify("reconnect_failed");
        return this.#tellFailure();
      default:
        if (this.hasListeners("packet") && isPacket(event)) {
          this.notify("packet", asPacket(event, this.#byIndex[event.namespace].nsp));
        }
        if (event.type === "disconnected") event.details = this.#detailsOf(event);
        if (event.type === "connect_failed") event.error = this.#errorOf(event);
        this.#byIndex[event.namespace]?.handle(event);
    }
  }

  #handleOpen(event) {
    this.#readyState = "open";
    this.engine.handleOpen(event);
    this.notify("open");
    this.#tellOpened();
    const attempt = this.#attempt;
    this.#attempt = 0;
    if (attempt > 0) this.notify("reconnect", attempt);
  }

  #handleFailure(error) {
    this.#readyState = "closed";
    this.engine.handleClose("transport error", error);
    if (this.#attempt > 0) this.#failure = error;
    this.notify("error", error);
    if (!this.#onOpened) return;
    this.#client.close();
    this.#tellOpened(error);
  }

  #handleClose(event) {
    const details = this.#detailsOf(event);
    this.#readyState = "closed";
    this.#attempt = 0;
    this.engine?.handleClose(event.reason, details);
    this.notify("close", event.reason, details);
  }

  #errorOf({ error }) {
    return linkError(error, this.#client.errorEvent);
  }

  #detailsOf({ detail }) {
    return detail && linkDetails(detail, this.#client.closeEvent);
  }

  /** Of a reconnection; told after what follows from it. */
  #tellFailure() {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) this.notify("reconnect_error", failure);
  }

  #tellOpened(error) {
    const callback = this.#onOpened;
    this.#onOpened = undefined;
    if (callback) guarded(() => callback(error));
  }

  /** The engine trapped: everybody hears of it, and nobody waits for what cannot come. */
  #handleBroken(cause) {
    const error = new Error(`the engine broke: ${cause.message}; reload the page`);
    this.#readyState = "closed";
    this.engine?.handleClose("transport error", error);
    for (const socket of Object.values(this.nsps)) socket.handleBroken(error);
    this.notify("error", error);
  }
}

throughProxies(Manager);
Manager.prototype.connect = Manager.prototype.open;

// manager.timeout() tells, manager.timeout(5) sets: for the attempts to come.
const settings = [
  "reconnection",
  "reconnectionAttempts",
  "reconnectionDelay",
  "reconnectionDelayMax",
  "randomizationFactor",
  "timeout",
];
for (const name of settings) {
  Manager.prototype[name] = function (...value) {
    if (value.length === 0) return this.opts[name];
    this._set(name, value[0]);
    return this;
  };
}

// Zero and undefined mean the default, as in the original; Infinity stands for itself.
function given(options) {
  const zeroMeansDefault = new Set(["reconnectionAttempts", "reconnectionDelay", "reconnectionDelayMax", "path"]);
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => (zeroMeansDefault.has(name) ? value : value !== undefined)),
  );
}

const awake = new Set(); // managers whose engine has something to do
const listening = new Set(); // to which events

// What the page knows about the network before the link does: told to whoever is awake, by one listener.
function listenToPage({ closeOnBeforeunload }) {
  for (const event of ["online", "pageshow"]) listenTo(globalThis, event, (manager) => manager.retryNow());
  listenTo(globalThis, "offline", (manager) => manager.networkLost());
  listenTo(globalThis.document, "visibilitychange", (manager) => document.hidden || manager.retryNow());
  const close = (manager) => manager.opts.closeOnBeforeunload && manager.engine.close();
  if (closeOnBeforeunload) listenTo(globalThis, "beforeunload", close);
}

function listenTo(target, event, tell) {
  if (!target?.addEventListener || listening.has(event)) return;
  listening.add(event);
  target.addEventListener(event, () => [...awake].forEach(tell));
}

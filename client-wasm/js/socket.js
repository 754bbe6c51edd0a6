// One namespace of one server, with the methods and events of socket.io-client's Socket.

import { bytesOf, encodeArguments, hasBinary } from "./binary.js";
import { Emitter, guarded, throughProxies, warnOnce } from "./emitter.js";
import { openLane, watchOrphans } from "./lanes.js";
import { LaneSender } from "./lane_sender.js";
import { checkOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import { RetryQueue } from "./retry_queue.js";

const reservedEvents = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

const eventType = 2; // of socket.io-parser, as packets in the sendBuffer have it

const defaultAckTimeout = 10_000; // ms, for `retries` without `ackTimeout`: retrying needs an end of waiting

/**
 * @typedef {Object} SocketOptions
 * @property {Object|function} [auth] sent with every connection; a function gets a callback, or returns it, or
 *   a promise of it, and is then asked once more if the server refuses
 * @property {number} [retries] see RetryQueue
 * @property {number} [ackTimeout] milliseconds, for every emit with a callback
 * @property {string} [owner] whose outbox it is; what somebody else left in this browser stays there
 * @property {OutboxStore} [store] where the outbox survives instead of IndexedDB (index.d.ts)
 * @property {"exactly-once"|{events: string[]}} [delivery] every emit enters the outbox, or those of these
 *   events; `volatile.emit` stays ephemeral
 *
 * Events beyond the original's, with delivery: "exactly-once":
 *   history_replaced({from, to})  the server's log is another one now (a restored backup): what was
 *                                 shown belongs to the old one, and everything arrives anew
 *   history_lost({from, to})      what has its place there in the log was removed before it could be had
 */
export class Socket extends Emitter {
  connected = false;
  /** True if the last connection continued the session before it: nothing was missed. */
  recovered = false;
  /** Why it did not, where the server was asked to and says so; see the types. */
  notRecovered;
  id;
  auth;
  /** Packets emitted while not connected, sent when it is; take out what shall not be. */
  sendBuffer = [];
  /** Arguments of events that came before the answer to CONNECT: what recovery brought. */
  receiveBuffer = [];

  #opening; // until letGo()
  #client; // the engine's client once it is there
  #index; // our namespace in it
  #calls = []; // what was called before, or while an attachment is being read
  #reading = false;
  #active = false;
  #flags = {};
  #acks = new Map(); // id → { ack, errorFirst, timer }
  #nextAck = 0;
  #onTheWire = new Map(); // the engine's number of an ack → ours
  #anyIncoming = [];
  #anyOutgoing = [];
  #retryQueue;
  #isDurable; // (event) => its emits enter the outbox
  #mayAskAgain = false; // for auth, if the server refuses
  #sender; // of our own lane
  #guarantee;
  #position; // how far the log was handed on

  constructor(io, nsp, options) {
    super();
    this.io = io;
    this.nsp = nsp;
    this.auth = options.auth;
    this.options = options;
    checkOptions(options);
    this.#isDurable = durableEvents(options);
    this.#guarantee = this.#isDurable || options.retries ? "at-least-once" : "at-most-once";
    if (this.#isDurable) {
      this.outbox = new Outbox();
      this.anomalies = { holes: 0, repeated: 0, late: 0 };
    }
    if (options.retries) {
      const timeout = options.ackTimeout ?? defaultAckTimeout;
      this.#retryQueue = new RetryQueue({
        retries: options.retries,
        isConnected: () => this.connected,
        send: (args, flags) => this.#emitEphemeral(args, { timeout, ...flags }),
      });
    }
    if (this.#isDurable) this.#opening = this.#open();
    if (io.opts.autoConnect) this.connect();
  }

  // ---- connection ---------------------------------------------------------------------------------

  get disconnected() {
    return !this.connected;
  }

  /** True while connected, or while a connection will come by itself. */
  get active() {
    return this.#active;
  }

  /** What is promised for a message emitted now: "exactly-once", "at-least-once" or "at-most-once". */
  get guarantee() {
    return this.#guarantee;
  }

  connect() {
    if (this.connected) return this;
    this.#active = true;
    this.#mayAskAgain = true;
    this.#run(() => this.#client.connect(this.#index));
    return this;
  }

  disconnect() {
    this.#active = false;
    if (!this.#opening) return this;
    this.#run(() => {
      this.#client.disconnect(this.#index);
      this.io.drain();
    });
    return this;
  }

  // ---- emitting -----------------------------------------------------------------------------------

  emit(event, ...args) {
    if (reservedEvents.has(event) || String(event).startsWith("oncewire:")) {
      throw new Error(`"${event}" is a reserved event name`);
    }
    const flags = this.#flags;
    this.#flags = {};
    if (this.#isDurable?.(event) && !flags.volatile) {
      this.#emitDurable([event, ...args]);
    } else if (this.#retryQueue && !flags.volatile) {
      const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
      encodeArguments(args); // what cannot be said throws now
      this.#retryQueue.add([event, ...args], flags, ack);
      this.#retryQueue.drain();
    } else {
      this.#emitEphemeral([event, ...args], flags);
    }
    return this;
  }

  emitWithAck(event, ...args) {
    this.#flags.promised = true;
    return new Promise((resolve, reject) => {
      this.emit(event, ...args, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  send(...args) {
    return this.emit("message", ...args);
  }

  /** For the next emit: its callback gets an error first, after `milliseconds` without an answer. */
  timeout(milliseconds) {
    this.#flags.timeout = milliseconds;
    return this;
  }

  /** For the next emit: it may be dropped. */
  get volatile() {
    this.#flags.volatile = true;
    return this;
  }

  /** For the next emit. Kept with the packet; browsers decide about compression themselves. */
  compress(compress) {
    this.#flags.compress = compress;
    return this;
  }

  // Private in the original, and looked at all the same: what waits for an answer, and what `retries` keeps.
  get acks() {
    return Object.fromEntries(this.#acks);
  }
  get _queue() {
    return this.#retryQueue?.waiting;
  }

  // ---- listeners for every event ------------------------------------------------------------------

  onAny(listener) {
    this.#anyIncoming.push(listener);
    return this;
  }
  prependAny(listener) {
    this.#anyIncoming.unshift(listener);
    return this;
  }
  offAny(listener) {
    this.#anyIncoming = without(this.#anyIncoming, listener);
    return this;
  }
  listenersAny() {
    return this.#anyIncoming;
  }
  onAnyOutgoing(listener) {
    this.#anyOutgoing.push(listener);
    return this;
  }
  prependAnyOutgoing(listener) {
    this.#anyOutgoing.unshift(listener);
    return this;
  }
  offAnyOutgoing(listener) {
    this.#anyOutgoing = without(this.#anyOutgoing, listener);
    return this;
  }
  listenersAnyOutgoing() {
    return this.#anyOutgoing;
  }

  // ---- for the manager ----------------------------------------------------------------------------

  /** An event of the engine for our namespace. */
  handle(event) {
    if (this.#sender?.handle(event)) return;
    switch (event.type) {
      case "auth":
        return this.#provideAuth(this.#client, this.#index);
      case "connected":
        return this.#handleConnected(event);
      case "connect_failed":
        return this.handleConnectError(event.error, event.refused && !this.#askAgain());
      case "disconnected":
        return this.#handleDisconnected(event);
      case "event":
        return this.#handleEvent(event);
      case "ack":
        return this.#handleAck(event);
      case "stream_changed":
        this.#position = event.to;
        this.notify("history_replaced", event);
        break;
      case "history_lost":
        this.notify("history_lost", { from: event.from, to: event.to });
        break;
      case "noticed":
        this.anomalies = { holes: event.holes, repeated: event.repeated, late: event.late };
    }
  }

  handleConnectError(error, isFinal) {
    if (!this.#active) return;
    if (this.connected) return;
    if (isFinal) this.#active = false;
    this.notify("connect_error", error);
  }

  /** True while what was called waits for the bytes of an attachment, or for the engine and the outbox. */
  get _isBusy() {
    return this.#reading || Boolean(this.#opening && !this.#client);
  }

  /** The engine is let go, with nothing of ours in it; it comes back when something is called that needs it. */
  letGo() {
    this.#sender?.release();
    this.#client = this.#sender = this.#opening = undefined;
  }

  /** The engine is gone for good; what waits in the outbox waits for the next page. */
  handleBroken(error) {
    this.#active = false;
    if (this.connected) this.#handleDisconnected({ reason: "transport error", details: error });
    else this.notify("connect_error", error);
  }

  // ---- inside -------------------------------------------------------------------------------------

  async #open() {
    const [client, lane] = await Promise.all([
      this.io.client(),
      this.#isDurable ? openLane(this.#scope, this.options.store) : undefined,
    ]);
    if (lane) this.#sender = new LaneSender(this.outbox, lane);
    if (lane?.lost?.length > 0) this.outbox.tellLost(lane.lost);
    this.#client = client;
    this.#index = this.io.openNamespace(this, this.#sender?.options(this.#position));
    this.#sender?.attach(client, this.#index);
    this.#runWaiting();
    if (lane) watchOrphans(lane, (orphan) => this.#deliverOrphan(orphan));
    this.io.drain();
  }

  get #scope() {
    const { owner } = this.options;
    return `${this.io.key}${this.io.opts.path} ${this.nsp}${owner ? ` ${owner}` : ""}`;
  }

  // Now, or in its turn once the engine is there and the attachments before it were read.
  #run(call) {
    if (this.#client && !this.#reading) return call();
    this.#calls.push(call);
    this.#opening ??= this.#open();
  }

  #runWaiting() {
    while (!this.#reading && this.#calls.length > 0) guarded(this.#calls.shift());
  }

  // A Blob gives its bytes later; what is called meanwhile waits, so that order is kept.
  #withBytes(attachments, call) {
    const bytes = attachments.map(bytesOf);
    if (bytes.every((item) => item instanceof Uint8Array)) return call(bytes);
    this.#reading = true;
    Promise.all(bytes)
      .then((all) => guarded(() => call(all.map((item) => new Uint8Array(item)))))
      .finally(() => {
        this.#reading = false;
        this.#runWaiting();
        this.io.drain();
      });
  }

  #emitEphemeral(args, flags) {
    const packet = { type: eventType, data: args, options: { compress: flags.compress !== false } };
    const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
    const encoded = encodeArguments(args); // what cannot be said throws here, and nothing waits for it
    if (ack) {
      packet.id = this.#nextAck++;
      this.#expectAck(packet.id, ack, flags);
    }
    if (flags.volatile && !this.#client?.isWritable()) return;
    // The clock is asked: the link may have ended while the page slept, and nobody has told it yet.
    if (this.connected && this.#client.isAlive()) this.#sendPacket(packet, flags, encoded);
    else this.sendBuffer.push(packet);
  }

  #expectAck(id, ack, { timeout = this.options.ackTimeout, promised }) {
    const waiting = { ack, errorFirst: promised || timeout !== undefined };
    this.#acks.set(id, waiting);
    if (timeout === undefined) return;
    waiting.timer = setTimeout(() => {
      this.#acks.delete(id);
      this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
      ack.call(this, new Error("operation has timed out"));
    }, timeout);
  }

  #sendPacket({ data, id }, { volatile = false } = {}, encoded) {
    const listeners = [...this.#anyOutgoing];
    for (const listener of listeners) guarded(() => listener.apply(this, data));
    // What a listener has changed is sent so.
    const { text, attachments } = (listeners.length === 0 && encoded) || encodeArguments(data);
    this.#run(() =>
      this.#withBytes(attachments, (bytes) => {
        const ack = id !== undefined;
        try {
          const number = this.#client.emit(this.#index, text, bytes, { ack, volatile });
          if (ack && number !== undefined) this.#onTheWire.set(number, id);
        } catch (error) {
          this.#refuse(id, error);
        }
      }),
    );
  }

  /** It was not sent, and will not be: told to the callback if that takes errors, or thrown. */
  #refuse(id, error) {
    const { ack, errorFirst, timer } = this.#acks.get(id) ?? {};
    clearTimeout(timer);
    this.#acks.delete(id);
    if (!errorFirst) throw error;
    guarded(() => ack.call(this, error));
  }

  #emitDurable(args) {
    const settle = typeof args.at(-1) === "function" ? args.pop() : undefined;
    const text = durableText(args);
    let handedOver = false;
    const entry = this.outbox.add(args, {
      settle,
      withdraw: () => !handedOver || this.#sender.withdraw(entry),
    });
    this.outbox.changed(entry, {});
    askForPersistence();
    this.#run(() => {
      if (entry.state === "cancelled") return;
      handedOver = true;
      for (const listener of [...this.#anyOutgoing]) guarded(() => listener.apply(this, args));
      this.#sender.send(entry, text);
    });
  }

  #provideAuth(client, index) {
    const provide = (auth) => client.provideAuth(index, JSON.stringify(auth ?? {}));
    const { auth } = this;
    if (typeof auth !== "function") return provide(auth);
    // It calls back, or returns what it has to say, or a promise of that.
    const made = guarded(() => this.auth((data) => void provide(data)));
    const isSaid = (data) => data !== undefined || auth.length === 0;
    const isPromise = typeof made?.then === "function";
    if (!isPromise || auth.length > 0) this.#mayAskAgain = false;
    if (isPromise) made.then((data) => isSaid(data) && provide(data), (error) => this.#handleAuthError(client, index, error));
    else if (made && typeof made === "object" && auth.length === 0) provide(made);
  }

  /** Whoever makes tokens has none now: asked again as if the connection had failed. */
  #handleAuthError(client, index, error) {
    const { reconnection, reconnectionDelay } = this.io.opts;
    if (reconnection) setTimeout(() => this.#active && this.#provideAuth(client, index), reconnectionDelay);
    else if (client === this.#client) client.disconnect(index);
    this.handleConnectError(error, !reconnection);
  }

  /** True: a token that ended is replaced by another one, once, and the connection follows. */
  #askAgain() {
    if (!this.#mayAskAgain || typeof this.auth !== "function") return false;
    this.#mayAskAgain = false;
    this.#client.connect(this.#index);
    return true;
  }

  #handleConnected({ sid, recovered, notRecovered, guarantee }) {
    this.id = sid;
    this.connected = true;
    this.#mayAskAgain = true;
    this.recovered = recovered;
    this.notRecovered = notRecovered || undefined;
    if (this.#sender) this.#guarantee = this.#sender.guarantee = guarantee;
    for (const args of this.receiveBuffer.splice(0)) this.#dispatch(args);
    for (const packet of this.sendBuffer.splice(0)) guarded(() => this.#sendPacket(packet));
    this.#retryQueue?.drain({ again: true });
    this.notify("connect");
  }

  #handleDisconnected({ reason, details }) {
    this.id = undefined;
    this.connected = false;
    if (reason === "io server disconnect") this.#active = false;
    this.notify("disconnect", reason, details);
    this.#giveUpAcks();
  }

  // Of what was sent; what waits to be sent may still be answered.
  #giveUpAcks() {
    this.#onTheWire.clear();
    const buffered = new Set(this.sendBuffer.map((packet) => packet.id));
    for (const [id, { ack, errorFirst, timer }] of [...this.#acks]) {
      if (buffered.has(id)) continue;
      clearTimeout(timer);
      this.#acks.delete(id);
      if (errorFirst) guarded(() => ack.call(this, new Error("socket has been disconnected")));
    }
  }

  #handleEvent({ data: args, ack, position, question }) {
    // Who left hears no more; but what has been read is not said again, nor asked in this page.
    if (position) this.#position = position;
    else if (!this.#active && !question) return;
    if (question) args.push(this.#answerForGood(question));
    if (ack !== undefined) args.push(this.#answer(ack));
    if (this.connected) this.#dispatch(args);
    else this.receiveBuffer.push(args);
  }

  #dispatch(args) {
    if (this.#anyIncoming.length > 0) {
      for (const listener of [...this.#anyIncoming]) guarded(() => listener.apply(this, args));
    }
    this.notify(...args);
  }

  /** The function a listener answers with, once. */
  #answer(ackId) {
    let isAnswered = false;
    return (...args) => {
      if (isAnswered) return;
      const { text, attachments } = encodeArguments(args);
      const client = this.#client; // which knows of it
      this.#run(() =>
        this.#withBytes(attachments, (bytes) => client.acknowledge(this.#index, ackId, text, bytes)),
      );
      isAnswered = true;
    };
  }

  /** The same, where the server asks until it has the answer: a message of our outbox. */
  #answerForGood(question) {
    let isAnswered = false;
    return (...args) => {
      if (isAnswered) return;
      const text = durableText(args);
      this.#run(() => this.#client.answer(this.#index, question, text));
      isAnswered = true;
    };
  }

  #handleAck({ id: number, data }) {
    const id = this.#onTheWire.get(number);
    const waiting = this.#acks.get(id);
    this.#onTheWire.delete(number);
    if (!waiting) return; // timed out
    clearTimeout(waiting.timer);
    this.#acks.delete(id);
    guarded(() => waiting.ack.apply(this, waiting.errorFirst ? [null, ...data] : data));
  }

  // What another page left behind goes out by a client of its own, which listens to nothing.
  async #deliverOrphan(lane) {
    const sender = new LaneSender(this.outbox, lane);
    const client = await this.io.createClient();
    const index = client.openNamespace(this.nsp, sender.options(this.#position));
    sender.attach(client, index);
    client.onEvents = () => {
      for (const event of client.takeEvents()) {
        if (event.type === "attempt") this.io.configure(client);
        if (event.type === "auth") this.#provideAuth(client, index);
        if (event.type === "connected") sender.guarantee = event.guarantee;
        sender.handle(event);
      }
    };
    sender.onEmpty = () => {
      client.destroy();
      lane.release({ remove: true });
    };
    client.connect(index);
  }
}

throughProxies(Socket);
Socket.prototype.open = Socket.prototype.connect;
Socket.prototype.close = Socket.prototype.disconnect;

/** Tells which events enter the outbox; undefined: none. */
function durableEvents({ delivery }) {
  if (delivery === "exactly-once") return () => true;
  if (Array.isArray(delivery?.events)) return (event) => delivery.events.includes(event);
  if (delivery !== undefined) warnOnce(`delivery is "exactly-once" or { events: ["…"] }, not ${JSON.stringify(delivery)}`);
}

function durableText(args) {
  if (hasBinary(args)) {
    throw new TypeError("binary arguments cannot be kept in the outbox; use volatile.emit()");
  }
  return JSON.stringify(args);
}

// Who listens twice is taken off once.
function without(list, listener) {
  const index = list.indexOf(listener);
  return listener === undefined ? [] : list.filter((_, i) => i !== index);
}

let askedForPersistence = false;
// Asks the browser not to evict what waits to be sent. It may say no; nothing depends on it.
function askForPersistence() {
  if (askedForPersistence) return;
  askedForPersistence = true;
  globalThis.navigator?.storage?.persist?.().catch(() => {});
}

// The only file that knows pointers: the C ABI of client_abi.cpp as JavaScript objects.
//
// Growth of the memory detaches views, so views are taken anew for every use.

import createModule from "oncewire-module";

import { restoreBinary } from "./binary.js";
import { emitError } from "./errors.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const frameLengthMax = 64 * 2 ** 20; // a larger message is refused before it is copied
const passesMax = 100; // names of events; more are asked about again
// ClientHost::Verdict
const [showWhole, handOn, withoutLast, untilChanged, indexShift] = [1, 2, 4, 8, 4];

/**
 * Compiles the engine.
 * @param {string|URL|BufferSource} wasm where it is, or what it is
 * @param {function(ArrayBuffer)} [received] what applications are given for the bytes of an attachment,
 *   if they asked for nothing else (EngineSocket.binaryType)
 * @returns {Promise<Engine>} rejects with an Error that has `permanent` set if trying again is useless
 */
export async function loadWasm(wasm, received = (bytes) => bytes) {
  const module = await createModule({
    instantiate: async (imports) => (await instantiate(wasm, imports)).instance,
    eventsReady: (host) => Client.at(host)?.announce(),
    dial: (host, link, url) => Client.at(host).dial(link, url),
    send: (host, link, frame) => Client.at(host).send(link, frame),
    request: (host, link, sid, body) => Client.at(host).request(link, sid, body),
    hangUp: (host, link) => Client.at(host).hangUp(link),
  });
  return new Engine(module, received);
}

async function instantiate(wasm, imports) {
  if (typeof WebAssembly !== "object") throw permanent("this browser has no WebAssembly");
  try {
    if (wasm instanceof WebAssembly.Module) {
      return { instance: await WebAssembly.instantiate(wasm, imports) };
    }
    if (!(typeof wasm === "string" || wasm instanceof URL)) {
      return await WebAssembly.instantiate(wasm, imports);
    }
    const response = await fetch(wasm, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    if (/^application\/wasm\b/.test(response.headers.get("content-type"))) {
      return await WebAssembly.instantiateStreaming(response, imports);
    }
    return await WebAssembly.instantiate(await response.arrayBuffer(), imports);
  } catch (error) {
    throw explained(error, wasm);
  }
}

function explained(error, wasm) {
  const { message } = error;
  if (/unsafe-eval|Content.?Security.?Policy|CSP/i.test(message)) {
    return permanent(
      "this page's Content-Security-Policy blocks WebAssembly; " +
        "add 'wasm-unsafe-eval' to its script-src",
      error,
    );
  }
  const where = typeof wasm === "string" || wasm instanceof URL ? wasm : "the given bytes";
  const words =
    `no engine at ${where}: ${message}; put this version's .wasm there, ` +
    'say where it is by useWasm(), or import "oncewire-client/inline"';
  return error instanceof WebAssembly.CompileError ? permanent(words, error) : new Error(words, { cause: error });
}

function permanent(message, cause) {
  return Object.assign(new Error(message, { cause }), { permanent: true });
}

class Engine {
  #module;
  #received;

  constructor(module, received) {
    this.#module = module;
    this.#received = received;
  }

  /** `network`: see network.js. */
  createClient(options, network, binaryType = () => {}) {
    const received = (bytes) => (binaryType() === "arraybuffer" ? bytes : this.#received(bytes));
    return new Client(this.#module, options, network, received);
  }
}

/** One peer::Client with its host: a server, its link, its namespaces. */
class Client {
  static #all = new Map();
  static at(host) {
    return Client.#all.get(host);
  }

  /** Called, never from inside another call, when takeEvents() has something. */
  onEvents = () => {};
  /** Called as onEvents, with an event that came alone: onArrived(namespace, arguments, position?). */
  onArrived = () => {};
  /** Called once, when the engine broke; nothing works from then on, and nothing throws. */
  onBroken = () => {};
  /** The newest error and the newest CloseEvent of a WebSocket. */
  errorEvent;
  closeEvent;
  network;
  #module;
  #host;
  #binary;
  #sockets = new Map(); // link → WebSocket
  #passes = new Map(); // name of an event → what the engine said of such, while nothing else happens
  #announced = false;
  #isReceiving = false; // events are taken as soon as the module has returned
  #isBroken = false;

  constructor(module, options, network, received) {
    this.#module = module;
    this.network = network;
    this.#binary = received;
    this.#host = module.calls.create(...this.#text(JSON.stringify(options)));
    Client.#all.set(this.#host, this);
  }

  /** Nothing works from then on, and nothing throws. */
  destroy() {
    for (const link of this.#sockets.keys()) this.hangUp(link);
    this.#call("destroy");
    this.#isBroken = true;
    Client.#all.delete(this.#host);
  }

  configure(options) {
    this.#call("configure", ...this.#text(JSON.stringify(options)));
  }
  open() {
    this.#call("open");
  }
  close() {
    this.#call("close");
  }
  closeLink() {
    this.#call("close_link");
  }
  isWritable() {
    return this.#call("is_writable") === 1;
  }
  /** False: the server was silent for too long, which a sleeping page's timers had not told; the link is lost. */
  isAlive() {
    return this.#call("is_alive") === 1;
  }
  /** True: nobody wants anything from it, and nothing is under way. */
  isAtRest() {
    return this.#call("is_at_rest") === 1;
  }
  openNamespace(name, lane) {
    return this.#call("open_namespace", ...this.#text(namespaceText(name, lane)));
  }
  connect(index) {
    this.#call("connect", index);
  }
  disconnect(index) {
    this.#call("disconnect", index);
  }
  provideAuth(index, auth) {
    this.#call("provide_auth", index, ...this.#text(auth));
  }

  /** @returns the ack id; undefined if none was asked for or it was dropped; throws a DeliveryError */
  emit(index, text, attachments, { ack = false, volatile = false } = {}) {
    this.#attach(attachments);
    const flags = (ack ? 1 : 0) | (volatile ? 2 : 0);
    const id = orThrow(this.#call("emit", index, ...this.#text(text), flags));
    return Number.isNaN(id) ? undefined : id;
  }
  /** @returns the sequence; throws a DeliveryError */
  emitDurable(index, text) {
    return orThrow(this.#call("emit_durable", index, ...this.#text(text)));
  }
  saved(index, token) {
    this.#call("saved", index, token);
  }
  cancel(index, sequence) {
    return this.#call("cancel", index, sequence) === 1;
  }
  /** Throws a DeliveryError. */
  acknowledge(index, id, text, attachments) {
    this.#attach(attachments);
    orThrow(this.#call("acknowledge", index, id, ...this.#text(text)));
  }
  /** Of an event with a `question`; throws a DeliveryError. */
  answer(index, question, text) {
    orThrow(this.#call("answer", index, question.length, ...this.#text(question + text)));
  }
  retryNow() {
    this.#call("retry_now");
  }
  networkLost() {
    this.#call("network_lost");
  }

  /** All events there are (event_json.hpp), oldest first. */
  takeEvents() {
    const start = this.#call("take_events");
    const size = this.#isBroken ? 0 : this.#module.calls.events_size();
    if (size === 0) return [];
    const events = JSON.parse(decoder.decode(this.#module.bytes().subarray(start, start + size)));
    let taken = 0;
    for (const event of events) {
      if (!event.attachments) continue;
      event.attachments = event.attachments.map((bytes) => this.#attachment(taken++, bytes));
      event.data = restoreBinary(event.data, event.attachments);
    }
    return events;
  }

  // ---- from inside the module, where no listener may run ------------------------------------------

  announce() {
    if (this.#announced) return;
    this.#announced = true;
    if (!this.#isReceiving) queueMicrotask(() => this.#deliver());
  }

  dial(link, url) {
    const socket = this.network.dial(url);
    this.#sockets.set(link, socket);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#receive("opened", link);
    socket.onmessage = ({ data }) => this.#received(link, data);
    socket.onerror = (event) => (this.errorEvent = event); // a close follows, and says the same to the engine
    socket.onclose = (event) => {
      this.closeEvent = event;
      this.#sockets.delete(link);
      this.#receive("closed", link);
    };
  }

  send(link, frame) {
    this.#sockets.get(link)?.send(frame);
  }

  hangUp(link) {
    const socket = this.#sockets.get(link);
    if (!socket) return this.network.abandon(link);
    this.#sockets.delete(link);
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    socket.close();
  }

  request(link, sid, body) {
    this.network.request(link, sid, body).then(({ status, bytes = new Uint8Array() }) => {
      this.#receive("responded", link, body ? 1 : 0, status, ...this.#bytes(bytes));
      this.onEvents(); // the last words of a session may have left
    });
  }

  // ---- from the WebSockets ------------------------------------------------------------------------

  #received(link, data) {
    const isText = typeof data === "string";
    if (isText && this.#receiveEvent(link, data)) return;
    const bytes = isText ? undefined : new Uint8Array(data);
    const size = isText ? data.length : bytes.length;
    // An empty message is no packet: the link ends as it does for any other nonsense.
    if (size > frameLengthMax) this.#receive("received", link, 1, 0, 0);
    else if (isText) this.#receive("received", link, 1, ...this.#text(data));
    else this.#receive("received", link, 0, ...this.#bytes(bytes));
  }

  // Most of what comes is an event that the engine only has to let pass: the arguments are parsed here,
  // once, and it is shown what it decides by. False: it has to see the whole message.
  #receiveEvent(link, text) {
    // What is not taken yet comes first.
    const event = this.#announced || text.length > frameLengthMax ? undefined : eventIn(text);
    if (!event) return false;
    const { header, args } = event;
    const pass = this.#passes.get(args[0]);
    const verdict = pass?.link === link && pass.header === header ? pass.verdict : this.#ask(link, header, args);
    if (verdict === showWhole) return false;
    const position = verdict & withoutLast ? args.pop() : undefined;
    this.#deliver(); // what is to be known before it
    if (verdict & handOn) this.onArrived(verdict >> indexShift, args, position);
    return true;
  }

  #ask(link, header, args) {
    const seen = args.length > 1 && typeof args.at(-1) === "string" ? [args[0], args.at(-1)] : [args[0]];
    this.#isReceiving = true;
    const verdict = this.#call("received_event", link, ...this.#text(header + JSON.stringify(seen)));
    this.#isReceiving = false;
    if (verdict & untilChanged && this.#passes.size < passesMax) this.#passes.set(args[0], { link, header, verdict });
    return verdict;
  }

  // ---- inside -------------------------------------------------------------------------------------

  #receive(name, ...args) {
    this.#isReceiving = true;
    this.#call(name, ...args);
    this.#isReceiving = false;
    this.#deliver();
  }

  #deliver() {
    if (!this.#announced) return;
    this.#announced = false;
    this.onEvents();
  }

  // What traps once is in an unknown state: it is not asked again.
  #call(name, ...args) {
    if (this.#isBroken) return 0;
    if (name !== "received_event") this.#passes.clear();
    try {
      return this.#module.calls[name](this.#host, ...args);
    } catch (error) {
      this.#isBroken = true;
      queueMicrotask(() => this.onBroken(error));
      return 0;
    }
  }

  #attachment(index, size) {
    const start = this.#module.calls.attachment(this.#host, index);
    return this.#binary(this.#module.bytes().slice(start, start + size).buffer);
  }

  #attach(attachments) {
    if (this.#isBroken) return;
    for (const bytes of attachments) {
      this.#module.calls.attach(...this.#bytes(bytes));
    }
  }

  #text(text) {
    if (this.#isBroken) return [0, 0];
    // A UTF-16 unit never needs more than three bytes.
    const start = this.#module.calls.buffer(text.length * 3);
    const room = this.#module.bytes().subarray(start, start + text.length * 3);
    return [start, encoder.encodeInto(text, room).written];
  }

  #bytes(bytes) {
    if (this.#isBroken) return [0, 0];
    const start = this.#module.calls.buffer(bytes.byteLength);
    this.#module.bytes().set(bytes, start);
    return [start, bytes.byteLength];
  }
}

/** A text that is plainly an event: what stands before its arguments, and they. */
function eventIn(text) {
  if (!text.startsWith("42")) return undefined;
  const start = text[2] === "/" ? text.indexOf(",") + 1 : 2;
  if (text[start] !== "[") return undefined;
  try {
    const args = JSON.parse(text.slice(start));
    // The engine knows what to say of the others.
    return typeof args[0] === "string" && !args[0].startsWith("oncewire:") ? { header: text.slice(0, start), args } : undefined;
  } catch {
    return undefined;
  }
}

function orThrow(result) {
  if (result < 0) throw emitError(-1 - result);
  return result;
}

// Entries are text already: they are put in as they are.
function namespaceText(name, lane) {
  if (!lane) return JSON.stringify({ name });
  const { entries, ...rest } = lane;
  // Rows of the first versions do not say whether they had another number once, so they may have.
  const list = entries.map(({ sequence, digest, message, renumbered = 1 }) => `[${sequence},"${digest}",${message},${renumbered}]`);
  const head = JSON.stringify({ name, lane: rest });
  return `${head.slice(0, -2)},"entries":[${list}]}}`;
}

// The only file that knows pointers: the C ABI of client_abi.cpp as JavaScript objects.
//
// Growth of the memory detaches views, so views are taken anew for every use.

import createModule from "oncewire-module";

import { emitError } from "./errors.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Compiles the engine.
 * @param {string|URL|BufferSource} wasm where it is, or what it is
 * @returns {Promise<Engine>} rejects with an Error that has `permanent` set if trying again is useless
 */
export async function loadWasm(wasm) {
  const { promise: failed, reject } = withResolvers();
  const module = createModule({
    instantiateWasm(imports, done) {
      instantiate(wasm, imports).then(({ instance }) => done(instance), reject);
      return {};
    },
    eventsReady: (host) => Client.at(host)?.announce(),
  });
  return new Engine(await Promise.race([module, failed]));
}

async function instantiate(wasm, imports) {
  if (typeof WebAssembly !== "object") throw permanent("this browser has no WebAssembly");
  try {
    if (!(typeof wasm === "string" || wasm instanceof URL)) {
      return await WebAssembly.instantiate(wasm, imports);
    }
    const response = await fetch(wasm, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`${wasm}: HTTP status ${response.status}`);
    if (/^application\/wasm\b/.test(response.headers.get("content-type"))) {
      return await WebAssembly.instantiateStreaming(response, imports);
    }
    return await WebAssembly.instantiate(await response.arrayBuffer(), imports);
  } catch (error) {
    throw error instanceof WebAssembly.CompileError ? explained(error) : error;
  }
}

function explained(error) {
  const byPolicy = /unsafe-eval|Content.?Security.?Policy|CSP/i.test(error.message);
  if (!byPolicy) return permanent(`the engine does not compile: ${error.message}`, error);
  return permanent(
    "this page's Content-Security-Policy blocks WebAssembly; " +
      "add 'wasm-unsafe-eval' to its script-src",
    error,
  );
}

function permanent(message, cause) {
  return Object.assign(new Error(message, { cause }), { permanent: true });
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

class Engine {
  #module;

  constructor(module) {
    this.#module = module;
  }

  createClient(options) {
    return new Client(this.#module, options);
  }
}

/** One peer::Client with its host: a server, its link, its namespaces. */
class Client {
  static #all = new Map();
  static at(host) {
    return Client.#all.get(host);
  }

  /** Called, never from inside another call, when poll() has something. */
  onEvents = () => {};
  #module;
  #host;
  #announced = false;

  constructor(module, options) {
    this.#module = module;
    this.#host = module._client_create(...this.#text(JSON.stringify(options)));
    Client.#all.set(this.#host, this);
  }

  destroy() {
    Client.#all.delete(this.#host);
    this.#module._client_destroy(this.#host);
  }

  openNamespace(name, lane) {
    return this.#module._client_open_namespace(this.#host, ...this.#text(namespaceText(name, lane)));
  }
  connect(index) {
    this.#module._client_connect(this.#host, index);
  }
  disconnect(index) {
    this.#module._client_disconnect(this.#host, index);
  }
  provideAuth(index, auth) {
    this.#module._client_provide_auth(this.#host, index, ...this.#text(auth));
  }

  /** @returns the ack id; undefined if none was asked for or it was dropped; throws a DeliveryError */
  emit(index, text, attachments, { ack = false, volatile = false, timeout } = {}) {
    this.#attach(attachments);
    const flags = (ack ? 1 : 0) | (volatile ? 2 : 0);
    const id = orThrow(
      this.#module._client_emit(this.#host, index, ...this.#text(text), flags, timeout ?? -1),
    );
    return Number.isNaN(id) ? undefined : id;
  }
  /** @returns the sequence; throws a DeliveryError */
  emitDurable(index, text) {
    return orThrow(this.#module._client_emit_durable(this.#host, index, ...this.#text(text)));
  }
  saved(index, token) {
    this.#module._client_saved(this.#host, index, token);
  }
  cancel(index, sequence) {
    return this.#module._client_cancel(this.#host, index, sequence) === 1;
  }
  acknowledge(index, id, text, attachments) {
    this.#attach(attachments);
    this.#module._client_acknowledge(this.#host, index, id, ...this.#text(text));
  }
  retryNow() {
    this.#module._client_retry_now(this.#host);
  }

  /** The next event (event_json.hpp), or undefined. Attachments are ArrayBuffers. */
  poll() {
    const start = this.#module._client_poll_event(this.#host);
    if (!start) return undefined;
    const memory = this.#module.HEAPU8;
    const event = JSON.parse(decoder.decode(memory.subarray(start, memory.indexOf(0, start))));
    event.attachments = event.attachments?.map((size, i) => this.#attachment(i, size));
    return event;
  }

  // The hint comes from inside the module, where no listener may run.
  announce() {
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      this.onEvents();
    });
  }

  #attachment(index, size) {
    const start = this.#module._client_attachment(this.#host, index);
    return this.#module.HEAPU8.slice(start, start + size).buffer;
  }

  #attach(attachments) {
    for (const bytes of attachments) {
      this.#module._client_attach(...this.#bytes(bytes));
    }
  }

  #text(text) {
    // A UTF-16 unit never needs more than three bytes.
    const start = this.#module._client_buffer(text.length * 3);
    const room = this.#module.HEAPU8.subarray(start, start + text.length * 3);
    return [start, encoder.encodeInto(text, room).written];
  }

  #bytes(bytes) {
    const start = this.#module._client_buffer(bytes.byteLength);
    this.#module.HEAPU8.set(bytes, start);
    return [start, bytes.byteLength];
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
  const list = entries.map((entry) => `[${entry.sequence},"${entry.digest}",${entry.message}]`);
  const head = JSON.stringify({ name, lane: rest });
  return `${head.slice(0, -2)},"entries":[${list}]}}`;
}

// Stands in for the engine: notes what the facade asks of it, and says what a test has it say.
import { provideEngine } from "../../../client-wasm/js/engine_source.js";

export class FakeClient {
  onEvents = () => {};
  onBroken = () => {};
  writable = true;
  alive = true; // false: the link is overdue, and nobody has told it yet
  atRest = false;
  calls = []; // [name, …arguments]
  namespaces = []; // { name, lane }
  #events = [];
  #nextAck = 0;
  #nextSequence = 1;

  constructor(options, network, binaryType) {
    Object.assign(this, { options, network, binaryType });
  }

  /** The engine has these to tell. */
  async say(...events) {
    this.#events.push(...events.map((event) => ({ namespace: 0, ...event })));
    this.onEvents();
    await settled();
  }

  takeEvents() {
    return this.#events.splice(0);
  }

  isWritable() {
    return this.writable;
  }

  isAlive() {
    return this.alive;
  }

  isAtRest() {
    return this.atRest;
  }

  named(name) {
    return this.calls.filter((call) => call[0] === name).map((call) => call.slice(1));
  }

  openNamespace(name, lane) {
    this.#nextSequence = lane?.next ?? 1;
    return this.namespaces.push({ name, lane }) - 1;
  }
  emit(index, text, attachments, options) {
    this.calls.push(["emit", JSON.parse(text), attachments, options]);
    if (this.refuse) throw this.refuse;
    return options.ack ? this.#nextAck++ : undefined;
  }
  emitDurable(index, text) {
    this.calls.push(["emitDurable", JSON.parse(text)]);
    if (this.refuse) throw this.refuse;
    return this.#nextSequence++;
  }
  answer(...args) {
    if (this.refuse) throw this.refuse;
    this.calls.push(["answer", ...args]);
  }
  cancel(...args) {
    this.calls.push(["cancel", ...args]);
    return this.cancels ?? true;
  }
}
for (const name of ["connect", "disconnect", "provideAuth", "saved", "acknowledge", "retryNow", "destroy", "open", "close", "closeLink", "configure", "networkLost"]) {
  FakeClient.prototype[name] = function (...args) {
    this.calls.push([name, ...args]);
  };
}

/** An engine that is there when `load()` is called. */
export function lateEngine() {
  const clients = [];
  let load;
  const engine = {
    createClient(...args) {
      const client = new FakeClient(...args);
      clients.push(client);
      return client;
    },
  };
  provideEngine(() => new Promise((resolve) => (load = () => resolve(engine))));
  return {
    clients,
    /** @returns the newest client */
    async load() {
      load();
      await settled();
      return clients.at(-1);
    },
  };
}

/** All that was promised so far has happened. */
export function settled() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

export const opened = { type: "open", transport: "polling", sid: "E1" };
export const connected = (more) => ({ type: "connected", sid: "S1", pid: "", recovered: false, guarantee: "at-most-once", ...more });

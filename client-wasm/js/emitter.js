// Listeners by event name, with the method names socket.io-client users know.

const itself = Symbol("itself");

export class Emitter {
  #listeners = new Map();

  constructor() {
    // A function, which no proxy wraps; not listed among what is the application's.
    Object.defineProperty(this, itself, { value: () => this, configurable: true, writable: true });
  }

  on(event, listener) {
    return this.#add(event, { listener });
  }

  once(event, listener) {
    return this.#add(event, { listener, once: true });
  }

  /** Without `listener`: all of that event; without anything: all there are. */
  off(event, listener) {
    if (event === undefined) this.#listeners.clear();
    else if (listener === undefined) this.#listeners.delete(event);
    else this.#remove(event, (item) => item.listener === listener);
    return this;
  }

  listeners(event) {
    return (this.#listeners.get(event) ?? []).map((item) => item.listener);
  }

  hasListeners(event) {
    return this.#listeners.has(event);
  }

  /**
   * Calls the listeners there are now; one that throws does not keep the event from the others, and
   * its error reaches window.onerror like any other.
   */
  notify(event, ...args) {
    for (const item of this.#listeners.get(event) ?? []) {
      if (item.once) this.#remove(event, (other) => other === item);
      try {
        item.listener.apply(this, args);
      } catch (error) {
        report(error);
      }
    }
    return this;
  }

  /** As in the original; a Socket's sends instead. */
  emit(event, ...args) {
    return this.notify(event, ...args);
  }

  // Lists are replaced, never changed: somebody may be going through one.
  #add(event, item) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), item]);
    return this;
  }

  #remove(event, matches) {
    const list = this.#listeners.get(event);
    const index = list ? list.findIndex(matches) : -1;
    if (index < 0) return;
    if (list.length === 1) this.#listeners.delete(event);
    else this.#listeners.set(event, list.filter((_, i) => i !== index));
  }
}

/**
 * Lets the methods of a class work through a proxy, as Vue, MobX and Alpine put around what they are given: a
 * proxy has no private members, so each call goes to the object behind it. What returns the object itself
 * returns the proxy.
 */
export function throughProxies({ prototype }) {
  const direct = (call) =>
    call &&
    function (...args) {
      const object = this[itself]();
      const result = call.apply(object, args);
      return result === object ? this : result;
    };
  const { constructor, ...members } = Object.getOwnPropertyDescriptors(prototype);
  for (const [name, member] of Object.entries(members)) {
    const { get, value } = member;
    Object.defineProperty(prototype, name, { ...member, ...(get ? { get: direct(get) } : { value: direct(value) }) });
  }
}
throughProxies(Emitter);

const aliases = {
  addEventListener: "on",
  removeListener: "off",
  removeAllListeners: "off",
  removeEventListener: "off",
};
for (const [alias, name] of Object.entries(aliases)) {
  Emitter.prototype[alias] = Emitter.prototype[name];
}

/** Runs foreign code: what it throws is reported, and does not stop ours. */
export function guarded(call) {
  try {
    return call();
  } catch (error) {
    report(error);
  }
}

function report(error) {
  queueMicrotask(() => {
    throw error;
  });
}

const told = new Set();
/** Says on the console what the application did not mean; the same thing once. */
export function warnOnce(text) {
  if (told.has(text)) return;
  told.add(text);
  console.warn(`oncewire: ${text}`);
}

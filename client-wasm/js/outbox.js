// What this page has promised to deliver and the server has not yet given a verdict on.

import { Emitter, throughProxies, warnOnce } from "./emitter.js";

/**
 * One message on its way. `state` is one of
 *   saving     not yet safe on this device
 *   queued     waiting to be sent
 *   sent       on the wire
 *   accepted   the server has it for good; `results` are what it answered
 *   rejected   it will not be delivered; `error` says why
 *   unknown    it was offered before, so long ago that nobody knows any more whether it was stored; `error`
 *              has the code "outcome_unknown"
 *   cancelled  taken back before it could leave
 */
export class OutboxEntry {
  /** Names this entry in this page, from the moment it is emitted. */
  id;
  /** "producer:sequence", by which the server knows it; null until the outbox is open. */
  key = null;
  event;
  args;
  /** Unix milliseconds of the emit. */
  at;
  state = "saving";
  /** True while a copy on this device outlives the page. */
  saved = false;
  results;
  error;

  constructor(id, [event, ...args], at) {
    Object.assign(this, { id, event, args, at });
  }
}

/**
 * `socket.outbox`. Events:
 *   change(entry)       an entry came, moved on, or left (see entry.state)
 *   renumber(entry, before)  the entry goes on under another key than `before`
 *   durable(isDurable, error)  storage refused: what waits is lost with the page; or takes again
 *   lost(lanes)          messages that had been saved are gone: the browser or its user removed them
 *   busy(milliseconds)  the server cannot store messages for now; they stay here
 */
export class Outbox extends Emitter {
  #entries = new Map(); // id → { entry, settle, withdraw }
  #count = 0;

  /** Whether entries outlive this page; see the event. */
  durable = true;

  get size() {
    return this.#entries.size;
  }

  /** Oldest first. */
  entries() {
    return Array.from(this.#entries.values(), (item) => item.entry);
  }

  /** Takes a message back. False: it may have left already, or there is none of that id. */
  cancel(id) {
    const item = this.#entries.get(id);
    if (!item?.withdraw(item.entry)) return false;
    this.finish(item.entry, "cancelled");
    return true;
  }

  /**
   * Lets the browser ask before it closes the page while a message is not safe on this device; `sent`:
   * while any message waits. Returns the function that stops it.
   */
  guardClose({ sent = false } = {}) {
    const ask = (event) => {
      if (this.entries().some((entry) => sent || !entry.saved)) event.preventDefault();
    };
    globalThis.addEventListener?.("beforeunload", ask);
    return () => globalThis.removeEventListener?.("beforeunload", ask);
  }

  // ---- for the socket -----------------------------------------------------------------------------

  /** `settle(error, ...results)`: the emit's callback. `withdraw(entry)`: tells if it could be stopped. */
  add(args, { at = Date.now(), settle, withdraw }) {
    const entry = new OutboxEntry(String(++this.#count), args, at);
    this.#entries.set(entry.id, { entry, settle, withdraw });
    return entry;
  }

  changed(entry, change) {
    Object.assign(entry, change);
    this.notify("change", entry);
  }

  /** The end of an entry's way: `state` with its error or results. */
  finish(entry, state, { error, results = [] } = {}) {
    const item = this.#entries.get(entry.id);
    if (!item) return;
    this.#entries.delete(entry.id);
    this.changed(entry, { state, error, results });
    if (state !== "cancelled") item.settle?.(error ?? null, ...results);
  }

  tellLost(lanes) {
    if (!this.hasListeners("lost")) warnOnce("waiting messages were removed with the browser's storage");
    this.notify("lost", lanes);
  }

  setDurable(isDurable, error) {
    if (this.durable === isDurable) return;
    this.durable = isDurable;
    this.notify("durable", isDurable, error);
  }
}
throughProxies(Outbox);

// Which lane is this page's: one producer, one page, however tabs are opened, reloaded, duplicated and
// closed. A Web Lock per lane says who holds it; sessionStorage lets a reload continue its own.

import { openStore } from "./store.js";

const reloadPatience = 500; // ms: the page before this one may still be letting go
const orphanGrace = 2000; // ms: a page that is only being reloaded comes back within this

const held = new Set(); // names of the lanes this page holds

/**
 * Finds or makes the lane of `scope` (server and namespace) for this page. Never fails: without
 * storage or locks the lane lives in memory, and its save() says so.
 * @param {OutboxStore} [own] the application's, which no other process has open
 * @returns {Promise<HeldLane>} `lost`: names of lanes whose messages the browser has removed
 */
export async function openLane(scope, own) {
  try {
    if (!own && !globalThis.navigator?.locks) throw new Error("this page has no Web Locks");
    const store = own ?? (await openStore());
    const lost = own ? [] : await findLost(store, scope);
    return Object.assign((await takeLane(store, scope)) ?? (await createLane(store, scope)), { lost });
  } catch (error) {
    return new HeldLane({ lane: { ...newIdentity(scope), next: 1, entries: [] }, error });
  }
}

/**
 * Calls `adopt` with every lane of `scope` that still has messages when its page has gone for good.
 * Only where `lane` is stored itself, and until it is released.
 */
export function watchOrphans(lane, adopt) {
  const { store, scope } = lane;
  if (!store) return;
  const watched = new Set();
  const watch = (name) => {
    if (watched.has(name) || held.has(name)) return;
    watched.add(name);
    takeOrphan(store, name, signal).then((orphan) => orphan && adopt(orphan), () => {}); // released meanwhile
  };
  const { signal } = lane.released;
  store.laneNames(scope).then((names) => names.forEach(watch));
  const hear = ({ data }) => data.scope === scope && watch(data.name);
  if (store.isShared) channel().addEventListener("message", hear, { signal });
}

/** A lane that is ours until release(). */
export class HeldLane {
  released = new AbortController();
  #release;
  #owed = new Map(); // sequence → entry, or null if erased: not on the disk yet
  #next;
  #isNoted;
  #last = Promise.resolve();
  #waiting;

  constructor({ store, lane, release, error }) {
    this.store = store;
    /** Why nothing is saved, if nothing is. */
    this.error = error;
    Object.assign(this, lane); // name, scope, producer, secret, next, entries
    this.#release = release;
  }

  /**
   * True once this change and all before it are on the disk. Changes that come while a transaction
   * runs share the next one; what failed goes with the next, because a stored lane must have no holes.
   */
  save({ next, erase, put }) {
    if (!this.store) return Promise.resolve(false);
    for (const sequence of erase) this.#owed.set(sequence, null);
    for (const entry of put) this.#owed.set(entry.sequence, entry);
    this.#next = next;
    return this.saveAgain();
  }

  /** The disk has messages of it, or none. */
  setWaiting(hasMessages) {
    if (this.#isNoted === hasMessages || !this.store?.isShared) return;
    this.#isNoted = hasMessages;
    note(this.scope, this.name, hasMessages);
  }

  /** Tries what failed before once more. */
  saveAgain() {
    this.#waiting ??= this.#last = this.#last.then(() => this.#commit());
    return this.#waiting;
  }

  /** Gives the lane up; `remove`: nothing is left in it and nobody will come back for it. */
  async release({ remove = false } = {}) {
    this.released.abort();
    held.delete(this.name);
    if (remove) this.setWaiting(false);
    if (remove) await this.store?.removeLane(this.name).catch(() => {});
    this.#release?.();
  }

  async #commit() {
    this.#waiting = undefined;
    const changes = this.#owed;
    this.#owed = new Map();
    try {
      await this.store.save(this, {
        next: this.#next,
        erase: [...changes].filter(([, entry]) => !entry).map(([sequence]) => sequence),
        put: [...changes.values()].filter((entry) => entry),
      });
      this.error = undefined;
      return true;
    } catch (error) {
      this.error = error;
      this.#owed = new Map([...changes, ...this.#owed]);
      return false;
    }
  }
}

async function takeLane(store, scope) {
  const own = recall(scope);
  const continued = own && (await tryLane(store, own, reloadPatience));
  if (continued) return continued;
  for (const name of await store.laneNames(scope)) {
    const lane = await tryLane(store, name, 0);
    if (lane) return lane;
  }
  return undefined;
}

async function tryLane(store, name, patience) {
  if (held.has(name)) return undefined;
  const release = await lock(store, name, patience);
  const lane = release && (await store.loadLane(name));
  if (lane) return hold(store, lane, release);
  release?.();
  return undefined;
}

async function createLane(store, scope) {
  const lane = newIdentity(scope);
  const release = await lock(store, lane.name, 0);
  if (!release) throw new Error("the browser refuses a lock");
  // Not waited for: the first save writes the same row, and is waited for.
  store.save(lane, { next: 1, erase: [], put: [] }).catch(() => {});
  if (store.isShared) channel().postMessage({ scope, name: lane.name });
  return hold(store, { ...lane, next: 1, entries: [] }, release);
}

function hold(store, lane, release) {
  // With two sockets of one scope in a page, a reload continues the lane of the first.
  if (!held.has(recall(lane.scope))) remember(lane.scope, lane.name);
  held.add(lane.name);
  return new HeldLane({ store, lane, release });
}

async function takeOrphan(store, name, signal) {
  for (;;) {
    if (store.isShared) {
      await navigator.locks.request(lockName(name), { signal }, () => {}); // its page has let go
      await new Promise((resolve) => setTimeout(resolve, orphanGrace));
    }
    signal.throwIfAborted();
    const release = await lock(store, name, 0);
    if (!release) continue;
    const lane = await store.loadLane(name);
    if (lane?.entries.length > 0) {
      held.add(name);
      return new HeldLane({ store, lane, release });
    }
    if (lane) await store.removeLane(name);
    release();
    return undefined;
  }
}

/** The function that lets go again; undefined if somebody else has it for longer than `patience`. */
function lock(store, name, patience) {
  if (!store.isShared) return () => {};
  const wait = patience > 0 ? { signal: AbortSignal.timeout(patience) } : { ifAvailable: true };
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lockName(name), wait, (granted) => {
        if (!granted) return resolve(undefined);
        return new Promise((release) => resolve(release));
      })
      .catch((error) => (patience > 0 ? resolve(undefined) : reject(error)));
  });
}

// localStorage knows which lanes have messages: one that IndexedDB no longer knows was removed with them.
async function findLost(store, scope) {
  const before = noted(scope); // a note is made after its lane, and goes before it
  const known = await store.laneNames(scope);
  const lost = noted(scope).filter((name) => before.includes(name) && !known.includes(name));
  for (const name of lost) note(scope, name, false);
  return lost;
}

function noted(scope) {
  const prefix = noteKey(scope, "");
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    return keys.map((key) => key.slice(prefix.length));
  } catch {
    return []; // a sandboxed frame, or a worker
  }
}

function note(scope, name, hasMessages) {
  try {
    if (hasMessages) localStorage.setItem(noteKey(scope, name), "1");
    else localStorage.removeItem(noteKey(scope, name));
  } catch {
    // then an eviction goes unnoticed
  }
}

function newIdentity(scope) {
  return { name: randomHex(8), scope, producer: randomHex(16), secret: randomHex(16) };
}

export function randomHex(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let announcements;
function channel() {
  announcements ??= new BroadcastChannel("oncewire");
  return announcements;
}

const lockName = (name) => `oncewire:${name}`;
const noteKey = (scope, name) => `oncewire:waiting:${scope}:${name}`;
const memoryKey = (scope) => `oncewire:lane:${scope}`;

function recall(scope) {
  try {
    return sessionStorage.getItem(memoryKey(scope)) ?? undefined;
  } catch {
    return undefined; // a sandboxed frame, or a worker
  }
}

function remember(scope, name) {
  try {
    sessionStorage.setItem(memoryKey(scope), name);
  } catch {
    // then a reload takes whichever lane is free
  }
}

// Where outboxes outlive the page: one IndexedDB database per origin. A lane is one producer's
// identity and counter; its entries are the messages that have no verdict yet.

const databaseName = "oncewire";
const formatVersion = 1; // of lanes and entries; rows of another version are left alone
const openTimeout = 4000; // ms: a database that does not open in this time counts as missing

/** Opens the store, or rejects where the browser refuses (private mode, disabled, full disk). */
export function openStore(indexedDB = globalThis.indexedDB) {
  if (!indexedDB) return Promise.reject(new Error("this page has no IndexedDB"));
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName, formatVersion);
    request.onupgradeneeded = () => createTables(request.result);
    request.onsuccess = () => resolve(new Store(request.result));
    request.onerror = () => reject(request.error);
    setTimeout(() => reject(new Error("IndexedDB did not open in time")), openTimeout);
  });
}

function createTables(database) {
  database.createObjectStore("lanes", { keyPath: "name" });
  database.createObjectStore("entries", { keyPath: ["lane", "sequence"] });
}

class Store {
  /** Other pages have it open, too: a lane is locked before it is read. */
  isShared = true;
  #database;

  constructor(database) {
    this.#database = database;
    // Another tab wants a newer format: do not stand in its way. Saving then fails, and says so.
    database.onversionchange = () => database.close();
  }

  /** Names of the lanes of `scope`, those with waiting entries first. */
  async laneNames(scope) {
    const lanes = await this.#read("lanes", (table) => table.getAll());
    const waiting = [];
    const empty = [];
    for (const lane of lanes) {
      if (lane.scope !== scope || lane.version !== formatVersion) continue;
      const count = await this.#read("entries", (table) => table.count(rangeOf(lane.name)));
      (count > 0 ? waiting : empty).push(lane.name);
    }
    return [...waiting, ...empty];
  }

  /** The lane and its entries in order; undefined if unknown or of a format we do not read. */
  async loadLane(name) {
    const lane = await this.#read("lanes", (table) => table.get(name));
    const entries = await this.#read("entries", (table) => table.getAll(rangeOf(name)));
    const readable = lane && [lane, ...entries].every((row) => row.version === formatVersion);
    return readable ? { ...lane, entries } : undefined;
  }

  removeLane(name) {
    return this.#write((lanes, entries) => {
      lanes.delete(name);
      entries.delete(rangeOf(name));
    });
  }

  /** One strictly durable transaction: counter, erased and new entries, all or nothing. */
  save({ name, scope, producer, secret }, { next, erase, put }) {
    return this.#write((lanes, entries) => {
      lanes.put({ name, scope, producer, secret, next, version: formatVersion });
      for (const sequence of erase) entries.delete([name, sequence]);
      for (const entry of put) entries.put({ ...entry, lane: name, version: formatVersion });
    });
  }

  #read(table, ask) {
    return new Promise((resolve, reject) => {
      const request = ask(this.#database.transaction(table, "readonly").objectStore(table));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  // Strict: `complete` means on the disk, not on the way there.
  #write(work) {
    const transaction = this.#database.transaction(["lanes", "entries"], "readwrite", {
      durability: "strict",
    });
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("not stored"));
      work(transaction.objectStore("lanes"), transaction.objectStore("entries"));
    });
  }
}

function rangeOf(lane) {
  return IDBKeyRange.bound([lane, 0], [lane, Infinity]);
}

// What must outlive the browser's sudden end. localStorage reaches the disk seconds after it was written; the
// outbox does so at once, and would come back without the person it belongs to. Never fails: where there is no
// IndexedDB nothing is recalled.

const version = 3;
const patience = { kept: 4000, pages: 4000, pictures: 15_000 }; // ms; some private windows never answer

let opening; // kept open: what is written while the page goes has no time to wait for it

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("oncewire-chat", version);
    request.onupgradeneeded = () => {
      const { result: database } = request;
      for (const name of Object.keys(patience)) if (!database.objectStoreNames.contains(name)) database.createObjectStore(name);
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const forget = () => (database.close(), (opening = undefined));
      database.onversionchange = forget;
      database.onclose = forget; // cleared by the person or the browser
      resolve(database);
    };
  });
  opening.catch(() => (opening = undefined));
  return opening;
}

async function withTable(table, mode, use) {
  const done = async () => {
    const transaction = (await open()).transaction(table, mode, { durability: "strict" });
    const request = use(transaction.objectStore(table));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  };
  const late = new Promise((resolve) => setTimeout(resolve, patience[table]));
  return Promise.race([done().catch(() => undefined), late]);
}

export const recallDurably = (key, table = "kept") => withTable(table, "readonly", (store) => store.get(key));
/** Resolves with the key once it is on the disk; undefined: it is not. */
export const rememberDurably = (key, value, table = "kept") => withTable(table, "readwrite", (store) => store.put(value, key));
export const forgetDurably = (key, table = "kept") => withTable(table, "readwrite", (store) => store.delete(key));
/** All values of a table. */
export const recallAll = async (table) => (await withTable(table, "readonly", (store) => store.getAll())) ?? [];

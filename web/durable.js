// What must outlive the browser's sudden end. localStorage reaches the disk seconds after it was written; the
// outbox does so at once, and would come back without the person it belongs to. Never fails: where there is no
// IndexedDB nothing is recalled.

const version = 3;
const patience = { kept: 1000, pages: 1000, pictures: 15_000 }; // ms; some private windows never answer

function withTable(table, mode, use) {
  const done = new Promise((resolve, reject) => {
    const opening = indexedDB.open("oncewire-chat", version);
    opening.onupgradeneeded = () => {
      const { result: database } = opening;
      for (const name of Object.keys(patience)) if (!database.objectStoreNames.contains(name)) database.createObjectStore(name);
    };
    opening.onerror = reject;
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(table, mode, { durability: "strict" });
      let request;
      try {
        request = use(transaction.objectStore(table));
      } catch (error) {
        database.close();
        return reject(error);
      }
      transaction.oncomplete = () => (database.close(), resolve(request.result));
      transaction.onabort = () => (database.close(), reject(transaction.error));
    };
  });
  const late = new Promise((resolve) => setTimeout(resolve, patience[table]));
  return Promise.race([done, late]).catch(() => undefined);
}

export const recallDurably = (key, table = "kept") => withTable(table, "readonly", (store) => store.get(key));
/** Resolves with the key once it is on the disk; undefined: it is not. */
export const rememberDurably = (key, value, table = "kept") => withTable(table, "readwrite", (store) => store.put(value, key));
export const forgetDurably = (key, table = "kept") => withTable(table, "readwrite", (store) => store.delete(key));
/** All values of a table. */
export const recallAll = async (table) => (await withTable(table, "readonly", (store) => store.getAll())) ?? [];

// What must outlive the browser's sudden end. localStorage reaches the disk seconds after it was written; the
// outbox does so at once, and would come back without the person it belongs to. Never fails: where there is no
// IndexedDB nothing is recalled.

const patience = 1000; // ms; some private windows never answer

function withStore(mode, use) {
  const done = new Promise((resolve, reject) => {
    const opening = indexedDB.open("oncewire-chat", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
    opening.onerror = reject;
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction("kept", mode, { durability: "strict" });
      const request = use(transaction.objectStore("kept"));
      transaction.oncomplete = () => (database.close(), resolve(request.result));
      transaction.onabort = () => (database.close(), reject(transaction.error));
    };
  });
  const late = new Promise((resolve) => setTimeout(resolve, patience));
  return Promise.race([done, late]).catch(() => undefined);
}

export const recallDurably = (key) => withStore("readonly", (store) => store.get(key));
export const rememberDurably = (key, value) => withStore("readwrite", (store) => store.put(value, key));

// What a device does to messages that wait on it: storage that refuses, fills up or is cleared, a clock that
// jumps, and a client that was another version yesterday.
import { expect, numbered, test } from "./chat_page.mjs";

const unsaved = /waiting, not saved on this device$/;

/** Runs in the page before anything else: outboxes find no storage, as in some private modes. */
function refuseStorage() {
  IDBFactory.prototype.open = () => {
    throw new DOMException("storage is not allowed here", "SecurityError");
  };
}

/** The same: storage is full for as long as `isFull` says so. */
function fillStorage() {
  globalThis.isFull = true;
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...args) {
    if (!globalThis.isFull) return put.apply(this, args);
    throw new DOMException("the disk is full", "QuotaExceededError");
  };
}

/** In the page: `change` of every row of both tables of the outbox, then all rows. */
const rows = (change) =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open("oncewire");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const transaction = request.result.transaction(["lanes", "entries"], "readwrite");
      const all = { lanes: [], entries: [] };
      for (const [name, found] of Object.entries(all)) {
        const table = transaction.objectStore(name);
        table.getAll().onsuccess = ({ target }) => {
          for (const row of target.result) {
            if (change) table.put(Object.assign(row, change));
            found.push(row);
          }
        };
      }
      transaction.oncomplete = () => (request.result.close(), resolve(all));
    };
  });

test("where storage is not allowed, nothing is said to be saved, and all of it is sent", async ({ visit, friend }) => {
  const ann = await visit({ empty: true });
  await ann.page.addInitScript(refuseStorage);
  await ann.open();
  await ann.say("private-1");
  await ann.showsExactly(["private-1"]);
  ann.proxy.refuseSockets();
  await ann.say("private-2");
  await expect(ann.message("private-2")).toHaveAccessibleName(unsaved);
  ann.proxy.putUp();
  await ann.showsExactly(numbered("private", 2));
  // What is told to be kept nowhere is gone with its page, and nobody else sends it.
  ann.proxy.refuseSockets();
  await ann.say("private-3");
  await expect(ann.message("private-3")).toHaveAccessibleName(unsaved);
  await ann.page.reload();
  ann.proxy.putUp();
  await ann.isIn();
  await ann.say("private-4");
  await friend.transcript.count(3);
  expect(friend.transcript.texts).toEqual(["private-1", "private-2", "private-4"]);
});

test("when storage is full it says so until there is room, and then everything waiting is saved", async ({ visit, friend }) => {
  const ann = await visit();
  await ann.say("full-1");
  await ann.showsExactly(["full-1"]);
  ann.proxy.refuseSockets();
  await ann.page.evaluate(fillStorage);
  await ann.say("full-2");
  await expect(ann.message("full-2")).toHaveAccessibleName(unsaved);
  await ann.page.evaluate(() => (globalThis.isFull = false));
  await ann.say("full-3");
  for (const text of numbered("full", 2, 2)) {
    await expect(ann.message(text)).toHaveAttribute("data-state", "queued");
    await expect(ann.message(text)).not.toHaveAccessibleName(unsaved);
  }
  await ann.page.reload();
  ann.proxy.putUp();
  await friend.transcript.count(3);
  expect(friend.transcript.texts).toEqual(numbered("full", 3));
});

test("storage that is cleared under an open page takes nothing from what the page still has", async ({ visit, friend }) => {
  const ann = await visit();
  ann.proxy.refuseSockets();
  await ann.say("clear-1");
  await expect(ann.message("clear-1")).toHaveAttribute("data-state", "queued");
  await ann.page.evaluate(() => new Promise((done) => (indexedDB.deleteDatabase("oncewire").onsuccess = () => done())));
  await ann.say("clear-2");
  await expect(ann.message("clear-2")).toHaveAccessibleName(unsaved);
  ann.proxy.putUp();
  await ann.showsExactly(numbered("clear", 2));
  await friend.transcript.count(2);
  expect(friend.transcript.texts).toEqual(numbered("clear", 2));
});

test("a clock that is put back a year and forward ten changes nothing", async ({ visit, friend }) => {
  const ann = await visit({ empty: true });
  await ann.page.clock.install();
  await ann.open();
  const years = (n) => new Date(Date.now() + n * 365 * 24 * 3600 * 1000);
  const times = [years(-1), years(10), years(-1)];
  for (const [i, time] of times.entries()) {
    ann.proxy.refuseSockets();
    await ann.say(`clock-${2 * i + 1}`);
    await ann.page.clock.setSystemTime(time);
    await ann.say(`clock-${2 * i + 2}`);
    await expect(ann.message(`clock-${2 * i + 2}`)).toHaveAttribute("data-state", "queued");
    if (i === 1) await ann.page.reload();
    ann.proxy.putUp();
    await ann.showsExactly(numbered("clock", 2 * i + 2));
  }
  expect(friend.transcript.texts).toEqual(numbered("clock", 6));
});

test("what another version of the client left waiting is kept for it, and this one goes on beside it", async ({ visit, friend }) => {
  const ann = await visit();
  ann.proxy.pages.set("/elsewhere", { type: "text/html", body: Buffer.from("<!doctype html><title>elsewhere</title>") });
  const change = async (version) => {
    await ann.page.goto(`${ann.proxy.url}/elsewhere`);
    return ann.page.evaluate(rows, { version });
  };
  ann.proxy.refuseSockets();
  await ann.say(...numbered("other", 2));
  await expect(ann.message("other-2")).toHaveAttribute("data-state", "queued");
  const before = await change(2);
  expect(before.entries.map(({ message }) => JSON.parse(message)[1])).toEqual(numbered("other", 2));
  ann.proxy.putUp();
  await ann.open();
  await ann.say(...numbered("this", 2));
  await ann.showsExactly(numbered("this", 2));
  const after = await ann.page.evaluate(rows);
  expect(after.entries).toEqual(before.entries);
  expect(after.lanes).toEqual(expect.arrayContaining(before.lanes));
  expect(after.lanes).toHaveLength(2);
  // The other version is back: all of it is sent, once.
  await change(1);
  await ann.open();
  await friend.transcript.count(4);
  expect(friend.transcript.texts).toEqual([...numbered("this", 2), ...numbered("other", 2)]);
});

// The tutorial's page on an unmodified client of the product's own server: it comes back as who it was, and
// what it says about how far it has read repeats nothing.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Server } from "../support/server.mjs";
import { connected, isOld, say, stock, Transcript, within } from "../support/stock.mjs";

let server;
let pages = [];
afterEach(async () => {
  for (const page of pages) page.socket.close();
  pages = [];
  await server.remove();
});

/** As the tutorial writes it: the newest id it has shown is what it asks from. */
async function visit(options = {}) {
  const socket = stock(server.url, { auth: { serverOffset: 0 }, ...options });
  const page = { socket, transcript: new Transcript(socket), comings: [] };
  socket.on("chat message", (_, id) => (socket.auth.serverOffset = id));
  socket.on("connect", () => page.comings.push({ id: socket.id, recovered: socket.recovered }));
  pages.push(page);
  await connected(socket);
  return page;
}

const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => `m${first + i}`);
async function write(author, first, last) {
  for (const text of numbers(first, last)) await say(author.socket, text, text);
}
/** It hears these texts, and then one more: nothing else came between or twice. */
async function heard(page, author, ...texts) {
  await say(author.socket, "the end", `end of ${texts.length}`);
  await page.transcript.heard("the end");
  assert.deepEqual(page.transcript.texts, [...texts, "the end"]);
}
const comesBack = (page) => within(new Promise((resolve) => page.socket.once("connect", resolve)), "it comes back");

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  describe(`over ${transports}`, { skip: isOld && "this version knows nothing of it" }, () => {
    test("a page that lost its link is who it was, and has what it missed once", async () => {
      server = await Server.start();
      const author = await visit({ transports });
      await write(author, 1, 3);
      const page = await visit({ transports });
      await page.transcript.count(3);
      const back = comesBack(page);
      page.socket.io.engine.close();
      await write(author, 4, 6);
      await back;
      assert.deepEqual(page.comings, [{ id: page.socket.id, recovered: false }, { id: page.comings[0].id, recovered: true }]);
      await heard(page, author, ...numbers(1, 6));
    });

    test("so is one whose server was killed", async () => {
      server = await Server.start();
      const author = await visit({ transports });
      const page = await visit({ transports });
      await write(author, 1, 3);
      await page.transcript.count(3);
      const back = Promise.all([comesBack(author), comesBack(page)]);
      await server.restart();
      await back;
      assert.equal(page.socket.recovered, true);
      assert.equal(page.socket.id, page.comings[0].id);
      await write(author, 4, 5);
      await heard(page, author, ...numbers(1, 5));
    });

    test("one that was killed for while it read a long history goes on where it was", async () => {
      server = await Server.start();
      const author = await visit({ transports });
      const texts = numbers(1, 1500);
      await Promise.all(texts.map((text) => say(author.socket, text, text)));
      const page = await visit({ transports });
      await page.transcript.count(10);
      const back = Promise.all([comesBack(author), comesBack(page)]);
      await server.restart();
      await back;
      await heard(page, author, ...texts);
    });

    test("one that heard nothing at all is who it was", async () => {
      server = await Server.start();
      const page = await visit({ transports });
      const back = comesBack(page);
      await server.restart();
      await back;
      assert.deepEqual(page.comings.map(({ recovered }) => recovered), [false, true]);
      const author = await visit({ transports });
      await heard(page, author);
    });
  });
}

test("who comes after the window gets what came after serverOffset, once", { skip: isOld }, async () => {
  server = await Server.start({ config: "[server]\nrecovery_seconds = 1\n" });
  const author = await visit();
  const page = await visit({ reconnection: false });
  await write(author, 1, 2);
  await page.transcript.count(2);
  page.socket.io.engine.close();
  await write(author, 3, 4);
  // Nobody tells when a window has passed.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  page.socket.connect();
  await comesBack(page);
  assert.equal(page.socket.recovered, false);
  assert.notEqual(page.socket.id, page.comings[0].id);
  await heard(page, author, ...numbers(1, 4));
});

test("recovery_seconds = 0 turns it off", { skip: isOld }, async () => {
  server = await Server.start({ config: "[server]\nrecovery_seconds = 0\n" });
  const author = await visit();
  const page = await visit();
  assert.equal(page.socket._pid, undefined);
  await write(author, 1, 2);
  await page.transcript.count(2);
  const back = comesBack(page);
  page.socket.io.engine.close();
  await back;
  assert.ok(!page.socket.recovered);
  await write(author, 3, 3);
  await heard(page, author, ...numbers(1, 3));
});

// Somebody comes back to 100,000 messages and takes them slowly: the log is read for them in pages, and the server
// holds no more than before.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DurableLink, DurableProducer, token } from "../support/durable.mjs";
import { Server } from "../support/server.mjs";
import { within } from "../support/stock.mjs";

const count = 100_000;
const text = (n) => `${n} ${"x".repeat(200)}`;
const patience = 240_000;

/** Bytes of the server's own memory, its files aside. */
function memoryOf(server) {
  const [, kilobytes] = readFileSync(`/proc/${server.child.pid}/status`, "utf8").match(/^RssAnon:\s+(\d+) kB$/m);
  return Number(kilobytes) * 1024;
}

test("100,000 missed messages reach a slow reader once, in order, and the server's memory stays flat", { timeout: 2 * patience }, async () => {
  const server = await Server.start({ config: "[server]\ndurability = \"process\"\n[chat]\nburst = 0\naddress_burst = 0\n" });
  try {
    const writer = new DurableProducer(server.url, { auth: {} });
    for (let n = 1; n <= count; n++) writer.push(["chat message", text(n)]);
    await within(writer.settled(), "the verdicts", patience);
    await writer.stop();

    const before = memoryOf(server);
    const epoch = writer.position.split(".")[0];
    const reader = new DurableLink(server.url, { producer: token(), secret: token(), position: `${epoch}.0` });
    let heard = 0;
    let most = 0;
    const all = new Promise((resolve, reject) => {
      reader.onEvent = (name, ...args) => {
        if (name !== "chat message") return;
        if (args[0] !== text(++heard)) reject(new Error(`${args[0].split(" ")[0]} in the place of ${heard}`));
        if (heard === count) return resolve();
        if (heard % 5000 !== 0) return;
        reader.socket.pause();
        setTimeout(() => {
          most = Math.max(most, memoryOf(server));
          reader.socket.resume();
        }, 50);
      };
    });
    await within(all, () => `${heard} messages`, patience);
    reader.close();
    const grown = (most - before) / 1e6;
    console.log(`${count} messages, ${(count * text(1).length) / 1e6} MB: the server grew by ${grown.toFixed(1)} MB`);
    assert.ok(grown < 8, `the server grew by ${grown} MB`);
  } finally {
    await server.remove();
  }
});

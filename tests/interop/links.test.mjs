// One entry of the log vanishes on the way to one client, on a link that lives on: no TCP does that, but a
// proxy with a bug might.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";
import WebSocket, { WebSocketServer } from "ws";
import { Server, binary } from "../support/server.mjs";
import { connected, until, Transcript } from "../support/stock.mjs";

const { io } = await import("../../build/oncewire-client/dist/node.mjs");
const run = promisify(execFile);

/** Hands WebSocket messages on, but for the first to a client that contains `swallowed`. */
async function openProxy(target, swallowed) {
  const proxy = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const state = { vanished: 0, links: 0 };
  proxy.on("connection", (client, request) => {
    ++state.links;
    const server = new WebSocket(target.replace("http", "ws") + request.url);
    const early = [];
    client.on("message", (data, isBinary) => {
      if (server.readyState === WebSocket.OPEN) server.send(data, { binary: isBinary });
      else early.push(data.toString());
    });
    server.on("open", () => early.forEach((text) => server.send(text)));
    server.on("message", (data, isBinary) => {
      if (!isBinary && state.vanished === 0 && data.toString().includes(swallowed)) return void ++state.vanished;
      client.send(data, { binary: isBinary });
    });
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on("close", () => other.terminate());
      one.on("error", () => other.terminate());
    }
  });
  await once(proxy, "listening");
  return { url: `http://127.0.0.1:${proxy.address().port}`, state, close: () => proxy.close() };
}

test("an entry that vanished is noticed by the next one, fetched, and counted", async () => {
  const server = await Server.start();
  const proxy = await openProxy(server.url, '"second"');
  const open = (url) => io(url, { delivery: "exactly-once", transports: ["websocket"], forceNew: true, WebSocket, reconnectionDelay: 10 });
  const [writer, reader] = [open(server.url), open(proxy.url)];
  try {
    await Promise.all([connected(writer), connected(reader)]);
    const heard = new Transcript(reader);
    for (const text of ["first", "second", "third"]) await writer.emitWithAck("chat message", text);
    await heard.heard("third");
    assert.deepEqual(heard.texts, ["first", "second", "third"]);
    assert.equal(proxy.state.vanished, 1);
    assert.equal(proxy.state.links, 2);
    assert.deepEqual(reader.anomalies, { holes: 1, repeated: 0, late: 0 });
    assert.deepEqual(writer.anomalies, { holes: 0, repeated: 0, late: 0 });
    const status = async () => (await run(binary, ["--db", server.database, "--status"])).stdout;
    await until(async () => /^oncewire_holes_noticed_total 1$/m.test(await status()), "the server counts it");
  } finally {
    writer.close();
    reader.close();
    proxy.close();
    await server.remove();
  }
});

// What has ended for good costs nothing: its engine is let go, and the page's events reach it no more. Whoever comes
// back finds another engine, and everything as it was.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { io } from "../../../client-wasm/js/io.js";
import { connected, lateEngine, opened, settled } from "./fake_engine.mjs";

let engine;
beforeEach(() => {
  engine = lateEngine();
});

const url = "http://server.test";
const closed = [{ type: "disconnected", reason: "io client disconnect" }, { type: "close", reason: "forced close" }];

async function ready(options) {
  const socket = io(url, { forceNew: true, ...options });
  const client = await engine.load();
  await client.say(opened, connected());
  return { socket, client };
}

async function rest(client) {
  client.atRest = true;
  await client.say(...closed);
  await settled();
}

describe("a manager that has nothing to do", () => {
  test("lets its engine go", async () => {
    const { socket, client } = await ready();
    socket.disconnect();
    await rest(client);
    assert.equal(client.named("destroy").length, 1);
    socket.disconnect();
    socket.io._close();
    socket.emit("kept");
    assert.equal(engine.clients.length, 1);
  });

  test("keeps it while something is under way, or comes back at once", async () => {
    const { socket, client } = await ready();
    socket.disconnect();
    await client.say(...closed);
    await settled();
    assert.equal(client.named("destroy").length, 0);
    await client.say(...closed);
    client.atRest = true;
    await client.say({ type: "attempt" });
    await settled();
    assert.equal(client.named("destroy").length, 0);
  });

  test("waits for an outbox that takes its time to open", async () => {
    let found;
    const store = { laneNames: () => new Promise((resolve) => (found = resolve)), save: async () => {}, loadLane: async () => undefined };
    const socket = io(url, { forceNew: true, autoConnect: false, delivery: "exactly-once", store });
    socket.emit("kept");
    const client = await engine.load();
    client.atRest = true;
    for (let turns = 0; turns < 5; turns++) await settled();
    assert.equal(client.named("destroy").length, 0);
    found([]);
    while (client.named("emitDurable").length === 0) await settled();
    assert.deepEqual(client.named("emitDurable"), [[["kept"]]]);
    assert.equal(engine.clients.length, 1);
  });

  test("finds another when somebody comes back", async () => {
    const { socket, client } = await ready();
    socket.disconnect();
    await rest(client);
    socket.emit("written meanwhile");
    socket.connect();
    await settled();
    const second = engine.clients[1];
    assert.deepEqual(second.namespaces, [{ name: "/", lane: undefined }]);
    assert.deepEqual(second.calls, [["connect", 0]]);
    await second.say({ type: "attempt" }, opened, connected({ sid: "S2" }));
    assert.deepEqual(second.named("emit").map(([args]) => args), [["written meanwhile"]]);
    assert.deepEqual([socket.id, socket.connected], ["S2", true]);
  });

  test("hears of the network while it has an engine, by one listener for all", async () => {
    const listeners = new Map();
    globalThis.addEventListener = (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    try {
      const sockets = [await ready(), await ready(), await ready()];
      assert.ok([...listeners.values()].every((list) => list.length === 1));
      await rest(sockets[0].client);
      for (const tell of listeners.get("online")) tell();
      assert.deepEqual(sockets.map(({ client }) => client.named("retryNow").length), [0, 1, 1]);
    } finally {
      delete globalThis.addEventListener;
    }
  });
});

test("a page that is being made on a server, without a URL, asks nobody", async () => {
  const socket = io();
  assert.deepEqual([socket.active, socket.connected, socket.io.engine], [false, false, undefined]);
  socket.on("x", () => {});
  await settled();
  assert.equal(engine.clients.length, 0);
});

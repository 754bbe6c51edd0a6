// A socket inside what frameworks put around it: Vue and Alpine wrap an object and all it hands out, others the
// object alone. Every public member works there, and state set through the proxy is the socket's own.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { io } from "../../../client-wasm/js/io.js";
import { connected, lateEngine, opened, settled } from "./fake_engine.mjs";

let engine;
beforeEach(() => {
  engine = lateEngine();
});

const shallow = (object) => new Proxy(object, {});

/** As Vue's reactive(): what is read from it is wrapped as well, except functions. */
const wrapped = new WeakSet();
function deep(object) {
  if (wrapped.has(object)) return object;
  const get = (target, key, receiver) => {
    const value = Reflect.get(target, key, receiver);
    return value && typeof value === "object" && !(value instanceof Promise) ? deep(value) : value;
  };
  const proxy = new Proxy(object, { get });
  wrapped.add(proxy);
  return proxy;
}

async function ready(wrap, options) {
  const raw = io("http://server.test", { forceNew: true, ...options });
  const client = await engine.load();
  await client.say(opened, connected());
  return { raw, socket: wrap(raw), client };
}

for (const [name, wrap] of Object.entries({ shallow, deep })) {
  describe(`inside a ${name} proxy`, () => {
    test("all of a socket's members work, and what returns the socket returns the proxy", async () => {
      const { socket, client } = await ready(wrap);
      const heard = [];
      const listener = (...args) => heard.push(args);
      const chained = ["on", "once", "addEventListener"].map((add) => socket[add](add, listener));
      chained.push(socket.off("once", listener), socket.removeListener("x"), socket.removeEventListener("x"));
      chained.push(socket.onAny(listener), socket.prependAny(listener), socket.offAny(listener));
      chained.push(socket.onAnyOutgoing(listener), socket.prependAnyOutgoing(listener), socket.offAnyOutgoing());
      chained.push(socket.emit("e", 1), socket.send(2), socket.timeout(50_000), socket.compress(true), socket.volatile);
      chained.push(socket.emit("dropped or not"), socket.connect(), socket.open());
      assert.ok(chained.every((each) => each === socket));
      const answer = socket.emitWithAck("ask");
      await client.say({ type: "ack", id: 0, data: ["answer"] }, { type: "event", data: ["on", 5] });
      assert.equal(await answer, "answer");
      assert.deepEqual(heard, [["on", 5], [5]]);
      assert.deepEqual([socket.listeners("on").length, socket.hasListeners("once")], [1, false]);
      assert.deepEqual([socket.listenersAny().length, socket.listenersAnyOutgoing().length], [1, 0]);
      assert.deepEqual([socket.connected, socket.disconnected, socket.active, socket.id], [true, false, true, "S1"]);
      assert.deepEqual([socket.recovered, socket.notRecovered, socket.guarantee, socket.nsp], [false, undefined, "at-most-once", "/"]);
      assert.deepEqual(client.named("emit").map(([args]) => args), [["e", 1], ["message", 2], ["dropped or not"], ["ask"]]);
      socket.removeAllListeners();
      assert.equal(socket.disconnect(), socket);
      assert.equal(socket.close(), socket);
      assert.equal(client.named("disconnect").length, 2);
    });

    test("so do those of its manager and the engine", async () => {
      const { socket, client } = await ready(wrap);
      const manager = wrap(socket.io);
      const heard = [];
      manager.on("ping", () => heard.push("ping"));
      assert.equal(manager.reconnection(false).reconnectionDelay(5).reconnection(), false);
      assert.equal(manager.socket("/").nsp, "/");
      manager.open().retryNow();
      const session = wrap(manager.engine);
      session.once("close", () => heard.push("close"));
      assert.deepEqual([session.id, session.transport.writable], ["E1", true]);
      session.close();
      await client.say({ type: "ping" }, { type: "close", reason: "forced close" });
      assert.deepEqual(heard, ["ping", "close"]);
      assert.equal(client.named("closeLink").length, 1);
    });

    test("and its outbox", async () => {
      const { socket } = await ready(wrap, { delivery: "exactly-once" });
      const outbox = wrap(socket.outbox);
      const states = [];
      assert.equal(outbox.on("change", ({ state }) => states.push(state)), outbox);
      socket.emit("e", { n: 1 });
      assert.deepEqual([outbox.size, outbox.durable, outbox.entries()[0].args], [1, false, [{ n: 1 }]]);
      outbox.guardClose()();
      assert.equal(outbox.cancel(outbox.entries()[0].id), true);
      assert.deepEqual([states.at(-1), outbox.size], ["cancelled", 0]);
    });

    test("what is set through it holds", async () => {
      const { socket, client } = await ready(wrap);
      socket.auth = { token: 2 };
      await client.say({ type: "disconnected", reason: "transport close" });
      socket.emit("later");
      socket.sendBuffer.length = 0;
      await client.say({ type: "auth" }, connected());
      assert.deepEqual(client.named("provideAuth"), [[0, '{"token":2}']]);
      assert.deepEqual(client.named("emit"), []);
      await settled();
    });
  });
}

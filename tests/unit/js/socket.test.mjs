// The facade on an engine that does what the test says.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { io } from "../../../client-wasm/js/io.js";
import { connected, lateEngine, settled } from "./fake_engine.mjs";

const url = "http://server.test";
let engine;

beforeEach(() => {
  engine = lateEngine();
});

async function ready(options) {
  const socket = io(url, { forceNew: true, ...options });
  const client = await engine.load();
  await client.say(connected());
  return { socket, client };
}

describe("before the engine is there", () => {
  test("a socket comes at once, and what is called on it happens later in order", async () => {
    const socket = io(url, { forceNew: true });
    assert.equal(socket.connected, false);
    assert.equal(socket.active, true);
    assert.equal(socket.id, undefined);
    socket.emit("one", 1);
    socket.timeout(5).emit("two", () => {});
    socket.volatile.emit("three");
    const client = await engine.load();
    assert.deepEqual(client.calls.map((call) => call[0]), ["connect", "emit", "emit", "emit"]);
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["one", "two", "three"]);
    assert.equal(client.named("emit")[1][2].timeout, 5);
    assert.equal(client.named("emit")[2][2].volatile, true);
  });

  test("arguments are those of the call", async () => {
    const socket = io(url, { forceNew: true });
    const argument = { n: 1 };
    socket.emit("e", argument);
    argument.n = 2;
    const client = await engine.load();
    assert.deepEqual(client.named("emit")[0][0], ["e", { n: 1 }]);
  });

  test("options of the connection reach it with the reference's defaults", async () => {
    io(url, { forceNew: true, reconnectionDelay: 0, randomizationFactor: 0, reconnectionAttempts: 3 });
    const { options } = await engine.load();
    const { seed, ...rest } = options;
    assert.match(seed, /^[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      url: "ws://server.test/socket.io/?EIO=4&transport=websocket",
      reconnection: 1,
      attempts: 3,
      delayMin: 1000,
      delayMax: 5000,
      jitter: 0,
      timeout: 20000,
    });
  });
});

describe("connection", () => {
  test("connect, lost, reconnect: state and events as in the original", async () => {
    const socket = io(url, { forceNew: true });
    const heard = [];
    for (const event of ["connect", "disconnect", "connect_error"]) {
      socket.on(event, (...args) => heard.push([event, ...args.map(String), socket.connected, socket.id]));
    }
    for (const event of ["open", "close", "error", "reconnect_attempt", "reconnect", "reconnect_error", "reconnect_failed"]) {
      socket.io.on(event, (...args) => heard.push([event, ...args.map(String)]));
    }
    const client = await engine.load();
    const failed = { type: "connect_failed", refused: false, error: { message: "websocket error" } };
    await client.say({ type: "attempt" }, connected(), { type: "disconnected", reason: "transport close" });
    await client.say({ type: "reconnecting", attempt: 1, delay: 5 });
    await client.say({ type: "attempt" }, failed, { type: "reconnecting", attempt: 2, delay: 5 });
    await client.say({ type: "attempt" }, connected({ sid: "S2", recovered: true }));
    await client.say({ type: "disconnected", reason: "ping timeout" }, { type: "reconnecting", attempt: 1, delay: 5 });
    await client.say({ type: "attempt" }, failed);
    assert.deepEqual(heard, [
      ["open"],
      ["connect", true, "S1"],
      ["close", "transport close"],
      ["disconnect", "transport close", false, undefined],
      ["reconnect_attempt", "1"],
      ["connect_error", "Error: websocket error", false, undefined],
      ["error", "Error: websocket error"],
      ["reconnect_error", "Error: websocket error"],
      ["reconnect_attempt", "2"],
      ["open"],
      ["reconnect", "2"],
      ["connect", true, "S2"],
      ["close", "ping timeout"],
      ["disconnect", "ping timeout", false, undefined],
      ["reconnect_attempt", "1"],
      ["connect_error", "Error: websocket error", false, undefined],
      ["error", "Error: websocket error"],
      ["reconnect_failed"],
      ["reconnect_error", "Error: websocket error"],
    ]);
    assert.equal(socket.recovered, true);
  });

  test("a refusal ends it, with the server's data", async () => {
    const socket = io(url, { forceNew: true });
    const client = await engine.load();
    let error;
    socket.on("connect_error", (e) => (error = e));
    await client.say({ type: "connect_failed", refused: true, error: { message: "no", data: { code: 42 } } });
    assert.equal(error.message, "no");
    assert.deepEqual(error.data, { code: 42 });
    assert.equal(socket.active, false);
  });

  test("auth is asked for anew at every connection, as an object or by a function", async () => {
    const { socket, client } = await ready({ auth: { n: 1 } });
    await client.say({ type: "auth" });
    socket.auth.n = 2;
    await client.say({ type: "auth" });
    socket.auth = (provide) => provide({ n: 3 });
    await client.say({ type: "auth" });
    assert.deepEqual(client.named("provideAuth").map(([, text]) => JSON.parse(text)), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test("disconnect() is over when it returns", async () => {
    const { socket, client } = await ready();
    const reasons = [];
    socket.on("disconnect", (reason) => reasons.push(reason));
    const events = [{ type: "disconnected", reason: "io client disconnect", namespace: 0 }];
    client.poll = () => events.shift();
    socket.disconnect();
    assert.deepEqual([socket.connected, socket.active, reasons], [false, false, ["io client disconnect"]]);
  });

  test("an engine that cannot be loaded is told, and tried again unless that is useless", async () => {
    const { provideEngine } = await import("../../../client-wasm/js/engine_source.js");
    const failures = [new Error("offline"), Object.assign(new Error("blocked"), { permanent: true })];
    let loads = 0;
    provideEngine(() => Promise.reject(failures[Math.min(loads++, 1)]));
    const socket = io(url, { forceNew: true, reconnectionDelay: 1 });
    const messages = [];
    socket.on("connect_error", (error) => messages.push(error.message));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(messages, ["offline", "blocked"]);
    assert.equal(loads, 2);
    assert.equal(socket.active, false);
  });
});

describe("events and acknowledgements", () => {
  test("listeners get the arguments; onAny listeners first", async () => {
    const { socket, client } = await ready();
    const heard = [];
    socket.on("e", (...args) => heard.push(["on", ...args]));
    socket.onAny((...args) => heard.push(["any", ...args]));
    await client.say({ type: "event", data: ["e", 1, { a: 2 }] });
    assert.deepEqual(heard, [["any", "e", 1, { a: 2 }], ["on", 1, { a: 2 }]]);
  });

  test("a listener answers once, also with binary", async () => {
    const { socket, client } = await ready();
    socket.on("ask", (n, answer) => {
      answer(n + 1, new Uint8Array([9]));
      answer("again");
    });
    await client.say({ type: "event", data: ["ask", 1], ack: 7 });
    const [[, id, text, attachments], ...others] = client.named("acknowledge");
    assert.equal(id, 7);
    assert.deepEqual(JSON.parse(text), [2, { _placeholder: true, num: 0 }]);
    assert.deepEqual([...attachments[0]], [9]);
    assert.deepEqual(others, []);
  });

  test("an answer reaches the callback; with a timeout, after an error argument", async () => {
    const { socket, client } = await ready();
    const heard = [];
    socket.emit("a", (...args) => heard.push(args));
    socket.timeout(10).emit("b", (...args) => heard.push(args));
    await client.say({ type: "ack", id: 0, data: [1, 2] }, { type: "ack", id: 1, data: [3] });
    assert.deepEqual(heard, [[1, 2], [null, 3]]);
  });

  test("without an answer, those who can hear of an error do", async () => {
    const { socket, client } = await ready();
    const heard = [];
    socket.emit("a", (...args) => heard.push(args));
    socket.timeout(10).emit("b", (error) => heard.push(error.message));
    const promised = socket.emitWithAck("c").catch((error) => error.message);
    await client.say({ type: "ack_lost", id: 0, timed_out: false }, { type: "ack_lost", id: 1, timed_out: true });
    await client.say({ type: "ack_lost", id: 2, timed_out: false });
    assert.deepEqual(heard, ["operation has timed out"]);
    assert.equal(await promised, "socket has been disconnected");
  });

  test("reserved names throw", async () => {
    const { socket } = await ready();
    for (const name of ["connect", "disconnect", "newListener", "oncewire:send"]) {
      assert.throws(() => socket.emit(name), { message: `"${name}" is a reserved event name` });
    }
  });

  test("a Blob is read first, and what follows waits for its turn", async () => {
    const { socket, client } = await ready();
    socket.emit("blob", new Blob(["xy"]));
    socket.emit("after");
    assert.deepEqual(client.named("emit"), []);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["blob", "after"]);
    assert.deepEqual([...client.named("emit")[0][1][0]], [120, 121]);
  });
});

describe("retries", () => {
  test("emit one at a time while connected, with the ack timeout", async () => {
    const { socket, client } = await ready({ retries: 1, ackTimeout: 50 });
    const heard = [];
    socket.emit("a", (...args) => heard.push(args));
    socket.emit("b");
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["a"]);
    assert.equal(client.named("emit")[0][2].timeout, 50);
    await client.say({ type: "ack_lost", id: 0, timed_out: true });
    await client.say({ type: "ack", id: 1, data: ["ok"] });
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["a", "a", "b"]);
    assert.deepEqual(heard, [[null, "ok"]]);
    assert.equal(socket.guarantee, "at-least-once");
  });

  test("what is emitted before the connection waits for it", async () => {
    const socket = io(url, { forceNew: true, retries: 1, ackTimeout: 50 });
    socket.emit("a");
    const client = await engine.load();
    assert.deepEqual(client.named("emit"), []);
    await client.say(connected());
    assert.equal(client.named("emit").length, 1);
  });
});

describe("the manager cache", () => {
  test("namespaces of one server share a link; the same namespace twice does not", async () => {
    const a = io("http://cache.test/a");
    const b = io("http://cache.test/b");
    const again = io("http://cache.test/a");
    assert.equal(a.io, b.io);
    assert.notEqual(a.io, again.io);
    await engine.load();
    assert.deepEqual(engine.clients[0].namespaces.map(({ name }) => name), ["/a", "/b"]);
  });

  test("a second socket on a shared link does not inherit the options of the first", async () => {
    const first = io("http://inherit.test/a", { auth: { n: 1 }, retries: 3 });
    const second = io("http://inherit.test/b");
    assert.equal(first.io, second.io);
    assert.deepEqual([second.auth, second.guarantee], [undefined, "at-most-once"]);
  });

  test("forceNew and multiplex: false have a link of their own", () => {
    const shared = io("http://alone.test/a");
    assert.notEqual(io("http://alone.test/b", { forceNew: true }).io, shared.io);
    assert.notEqual(io("http://alone.test/c", { multiplex: false }).io, shared.io);
  });
});

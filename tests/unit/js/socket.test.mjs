// The facade on an engine that does what the test says.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { io, Manager } from "../../../client-wasm/js/io.js";
import { connected, lateEngine, opened, settled } from "./fake_engine.mjs";

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
  test("a socket comes at once, and what is emitted on it is sent in order once it is connected", async () => {
    const socket = io(url, { forceNew: true });
    assert.deepEqual([socket.connected, socket.active, socket.id], [false, true, undefined]);
    socket.emit("one", 1);
    socket.timeout(5_000).emit("two", () => {});
    socket.volatile.emit("three");
    assert.deepEqual(socket.sendBuffer.map(({ data, id }) => [data, id]), [[["one", 1], undefined], [["two"], 0]]);
    const client = await engine.load();
    assert.deepEqual(client.calls.map((call) => call[0]), ["open", "connect"]);
    await client.say(connected());
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["one", "two"]);
    assert.deepEqual(socket.sendBuffer, []);
    await client.say({ type: "ack", id: 0, data: [] });
  });

  test("what is taken out of the sendBuffer is not sent", async () => {
    const socket = io(url, { forceNew: true });
    socket.emit("one");
    socket.emit("two");
    socket.sendBuffer = socket.sendBuffer.slice(1);
    const client = await engine.load();
    await client.say(connected());
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["two"]);
  });

  test("options of the connection reach it with the reference's defaults", async () => {
    io(url, { forceNew: true, reconnectionDelay: 0, randomizationFactor: 0, reconnectionAttempts: 3 });
    const { options } = await engine.load();
    const { seed, ...rest } = options;
    assert.match(seed, /^[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      url: "ws://server.test/socket.io/?EIO=4&transport=websocket",
      transports: ["polling", "websocket"],
      upgrade: true,
      rememberUpgrade: false,
      tryAllTransports: false,
      reconnection: true,
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
    const attempt = { type: "attempt" };
    const error = { message: "xhr poll error", status: 503 };
    const failed = [{ type: "connect_failed", refused: false, error }, { type: "attempt_failed", error }];
    const lost = (reason) => [{ type: "disconnected", reason }, { type: "close", reason }];
    const next = (attempt) => ({ type: "reconnecting", attempt, delay: 5 });
    await client.say(attempt, opened, connected(), ...lost("transport close"), next(1));
    await client.say(attempt, ...failed, next(2));
    await client.say(attempt, opened, connected({ sid: "S2", recovered: true }));
    await client.say(...lost("ping timeout"), next(1));
    await client.say(attempt, ...failed, { type: "gave_up" });
    assert.deepEqual(heard, [
      ["open"],
      ["connect", true, "S1"],
      ["disconnect", "transport close", "undefined", false, undefined],
      ["close", "transport close", "undefined"],
      ["reconnect_attempt", "1"],
      ["connect_error", "Error: xhr poll error", false, undefined],
      ["error", "Error: xhr poll error"],
      ["reconnect_error", "Error: xhr poll error"],
      ["reconnect_attempt", "2"],
      ["open"],
      ["reconnect", "2"],
      ["connect", true, "S2"],
      ["disconnect", "ping timeout", "undefined", false, undefined],
      ["close", "ping timeout", "undefined"],
      ["reconnect_attempt", "1"],
      ["connect_error", "Error: xhr poll error", false, undefined],
      ["error", "Error: xhr poll error"],
      ["reconnect_failed"],
      ["reconnect_error", "Error: xhr poll error"],
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

  test("auth is asked for by a promise, too, or taken from what a function returns", async () => {
    const { socket, client } = await ready({ auth: async () => ({ n: 1 }) });
    await client.say({ type: "auth" });
    socket.auth = () => ({ n: 2 });
    await client.say({ type: "auth" });
    socket.auth = async (provide) => provide({ n: 3 });
    await client.say({ type: "auth" });
    socket.auth = async () => {};
    await client.say({ type: "auth" });
    assert.deepEqual(client.named("provideAuth").map(([, text]) => JSON.parse(text)), [{ n: 1 }, { n: 2 }, { n: 3 }, {}]);
  });

  test("a promise of auth is asked for once more after a refusal, and then no more", async () => {
    const refused = { type: "connect_failed", refused: true, error: { message: "expired" } };
    const { socket, client } = await ready({ auth: async () => ({}) });
    const told = [];
    socket.on("connect_error", ({ message }) => told.push([message, socket.active]));
    await client.say({ type: "disconnected", reason: "transport close" }, { type: "auth" });
    await client.say(refused);
    await client.say({ type: "auth" });
    await client.say(refused);
    assert.deepEqual(told, [["expired", true], ["expired", false]]);
    assert.equal(client.named("connect").length, 2); // the first, and this one
  });

  test("auth that cannot be had is told, and asked for again", async () => {
    let times = 0;
    const auth = () => (++times === 1 ? Promise.reject(new Error("no token")) : Promise.resolve({ token: times }));
    const socket = io(url, { forceNew: true, reconnectionDelay: 1, auth });
    const client = await engine.load();
    const told = [];
    socket.on("connect_error", ({ message }) => told.push([message, socket.active]));
    await client.say({ type: "auth" });
    while (client.named("provideAuth").length === 0) await settled();
    assert.deepEqual(told, [["no token", true]]);
    assert.deepEqual(client.named("provideAuth"), [[0, '{"token":2}']]);
  });

  test("disconnect() is over when it returns", async () => {
    const { socket, client } = await ready();
    const reasons = [];
    socket.on("disconnect", (reason) => reasons.push(reason));
    const events = [{ type: "disconnected", reason: "io client disconnect", namespace: 0 }];
    client.takeEvents = () => events.splice(0);
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
    while (messages.length < 2) await settled();
    await settled();
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
    socket.timeout(60_000).emit("b", (...args) => heard.push(args));
    await client.say({ type: "ack", id: 0, data: [1, 2] }, { type: "ack", id: 1, data: [3] });
    assert.deepEqual(heard, [[1, 2], [null, 3]]);
  });

  test("without an answer, those who can hear of an error do", async () => {
    const { socket, client } = await ready();
    const heard = [];
    socket.emit("a", (...args) => heard.push(args));
    await new Promise((resolve) => socket.timeout(1).emit("b", (error) => resolve(heard.push(error.message))));
    const promised = socket.emitWithAck("c").catch((error) => error.message);
    await client.say({ type: "disconnected", reason: "transport close" });
    assert.deepEqual(heard, ["operation has timed out"]);
    assert.equal(await promised, "socket has been disconnected");
    await client.say({ type: "ack", id: 0, data: ["late"] });
    assert.equal(heard.length, 1);
  });

  test("what was not sent when the link was lost may still be answered", async () => {
    const socket = io(url, { forceNew: true });
    const client = await engine.load();
    const answered = socket.emitWithAck("later");
    await client.say({ type: "disconnected", reason: "transport close" }, connected(), { type: "ack", id: 0, data: [5] });
    assert.equal(await answered, 5);
  });

  test("what came before the answer to CONNECT is heard by a connected socket, before connect", async () => {
    const socket = io(url, { forceNew: true });
    const heard = [];
    socket.on("missed", () => heard.push(["missed", socket.connected, socket.recovered]));
    socket.on("connect", () => heard.push(["connect"]));
    const client = await engine.load();
    await client.say({ type: "event", data: ["missed"] });
    assert.deepEqual(socket.receiveBuffer, [["missed"]]);
    await client.say(connected({ recovered: true }));
    assert.deepEqual(heard, [["missed", true, true], ["connect"]]);
  });

  test("what is emitted on a link that ended while the page slept waits for the next one", async () => {
    const { socket, client } = await ready();
    client.alive = false;
    const answer = socket.emitWithAck("asked after sleep");
    assert.deepEqual(client.named("emit"), []);
    await client.say({ type: "disconnected", reason: "ping timeout" }, connected(), { type: "ack", id: 0, data: ["yes"] });
    assert.equal(await answer, "yes");
  });

  test("what cannot be said throws at the emit, and nothing else is lost by it", async () => {
    const socket = io(url, { forceNew: true });
    const retrying = io(url, { forceNew: true, retries: 1 });
    const circle = {};
    circle.circle = circle;
    socket.emit("one");
    for (const value of [1n, circle]) {
      assert.throws(() => socket.emit("bad", value));
      assert.throws(() => socket.emit("bad", value, () => {}));
      assert.throws(() => retrying.emit("bad", value));
      await assert.rejects(socket.emitWithAck("bad", value));
    }
    const nowBad = {};
    socket.emit("turns bad", nowBad);
    socket.emit("two");
    nowBad.n = 1n;
    await engine.load();
    const [client] = engine.clients;
    const { queueMicrotask } = globalThis;
    const reported = new Promise((resolve) => (globalThis.queueMicrotask = (call) => new Promise(call).catch(resolve)));
    await client.say(connected());
    globalThis.queueMicrotask = queueMicrotask;
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["one", "two"]);
    assert.match((await reported).message, /BigInt/);
  });

  test("what is too large for the server is refused: to a callback that takes errors, or by throwing", async () => {
    const { socket, client } = await ready();
    const tooLarge = Object.assign(new Error("too large"), { code: "too_large" });
    client.refuse = tooLarge;
    await assert.rejects(socket.emitWithAck("x"), tooLarge);
    const heard = [];
    socket.timeout(60_000).emit("x", (error) => heard.push(error));
    assert.deepEqual(heard, [tooLarge]);
    assert.throws(() => socket.emit("x"), tooLarge);
    assert.throws(() => socket.emit("x", () => heard.push("never")), tooLarge);
    socket.on("ask", (answer) => {
      client.acknowledge = () => {
        throw tooLarge;
      };
      assert.throws(() => answer("large"), tooLarge);
      delete client.acknowledge;
      answer("small");
    });
    await client.say({ type: "event", data: ["ask"], ack: 3 });
    assert.deepEqual(client.named("acknowledge").map(([, id, text]) => [id, text]), [[3, '["small"]']]);
    assert.equal(heard.length, 1);
  });

  test("a volatile emit is dropped while the link takes nothing", async () => {
    const { socket, client } = await ready();
    client.writable = false;
    socket.volatile.emit("typing");
    client.writable = true;
    socket.volatile.emit("typing again");
    assert.deepEqual(client.named("emit").map(([args]) => args[0]), ["typing again"]);
  });

  test("onAnyOutgoing hears an emit when it is sent, without its callback", async () => {
    const socket = io(url, { forceNew: true });
    const heard = [];
    socket.onAnyOutgoing((...args) => heard.push(args));
    socket.emit("a", 1, () => {});
    assert.deepEqual(heard, []);
    await (await engine.load()).say(connected());
    assert.deepEqual(heard, [["a", 1]]);
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
    while (client.named("emit").length < 2) await settled();
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
    while (client.named("emit").length < 2) await settled(); // the first try has had its time
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

describe("the engine", () => {
  test("is named by the manager, from the first session to the next", async () => {
    const socket = io(url, { forceNew: true, autoConnect: false });
    assert.equal(socket.io.engine, undefined);
    socket.connect().io.open();
    const { engine: first } = socket.io;
    assert.deepEqual([first.transport.name, first.readyState], ["polling", "opening"]);
    const upgraded = [];
    first.on("upgrade", (transport) => upgraded.push(transport.name));
    const client = await engine.load();
    await client.say({ type: "attempt" }, opened, { type: "upgrade" });
    assert.equal(socket.io.engine, first);
    assert.deepEqual([first.id, first.readyState, upgraded], ["E1", "open", ["websocket"]]);
    first.close();
    assert.equal(client.named("closeLink").length, 1);
    await client.say({ type: "close", reason: "forced close" }, { type: "attempt" });
    assert.notEqual(socket.io.engine, first);
  });

  test("that breaks is told to everybody, and nobody waits for ever", async () => {
    const { socket, client } = await ready();
    const heard = [];
    socket.on("disconnect", (reason, { message }) => heard.push([reason, message]));
    const answer = socket.emitWithAck("x").catch((error) => error.message);
    client.onBroken(new Error("unreachable"));
    assert.equal(await answer, "socket has been disconnected");
    assert.deepEqual(heard, [["transport error", "the engine broke: unreachable; reload the page"]]);
    assert.equal(socket.active, false);
  });

  test("hands bytes on as it is asked to, in later sessions, too", async () => {
    const { socket, client } = await ready();
    assert.equal(client.binaryType(), undefined);
    socket.io.engine.binaryType = "arraybuffer";
    await client.say({ type: "close", reason: "transport close" }, { type: "attempt" });
    assert.equal(client.binaryType(), "arraybuffer");
  });

  test("takes new settings for the attempts to come", async () => {
    const { socket, client } = await ready();
    assert.equal(socket.io.reconnectionDelay(), 1000);
    assert.equal(socket.io.reconnectionDelay(7).reconnection(false), socket.io);
    const [options] = client.named("configure").at(-1);
    assert.deepEqual([options.delayMin, options.reconnection], [7, false]);
  });

  test("reports packets to who listens for them", async () => {
    const { socket, client } = await ready();
    const packets = [];
    socket.io.on("packet", (packet) => packets.push(packet));
    await client.say({ type: "event", data: ["e", 1], ack: 4 }, { type: "disconnected", reason: "io server disconnect" });
    assert.deepEqual(packets.map(({ type, nsp, id }) => [type, nsp, id]), [[2, "/", 4], [1, "/", undefined]]);
  });
});

describe("options", () => {
  test("that there are not are told, once each", () => {
    const { warn } = console;
    const told = [];
    console.warn = (text) => told.push(text);
    try {
      for (let i = 0; i < 2; ++i) {
        io(url, { forceNew: true, delivery: "exactly once", recconnection: false, auth: {}, autoUnref: true });
        new Manager(url, { agent: {} }).socket("/x", { ackTimeOut: 5 });
      }
      new Manager({ autoConnect: false, transports: ["websocket"] });
    } finally {
      console.warn = warn;
    }
    assert.deepEqual(told, [
      'oncewire: there is no option "recconnection"',
      'oncewire: delivery is "exactly-once" or { events: ["…"] }, not "exactly once"',
      'oncewire: there is no option "agent"',
      'oncewire: there is no option "ackTimeOut"',
    ]);
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

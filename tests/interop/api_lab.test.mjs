// socketio-lab and socketio-echo: what outside test suites lean on, asked by the unmodified client.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { calm } from "../conformance/wire.mjs";
import { answer, heard, Program } from "../support/program.mjs";

const ways = [["websocket"], ["polling"], ["polling", "websocket"]];
for (const cores of ["1", "2"]) for (const flags of [[], ["--recovery"]]) for (const transports of ways) describe(`socketio-lab ${flags} over ${transports} on ${cores} cores`, () => {
  let lab;
  before(async () => {
    lab = await Program.start("socketio-lab", "--cores", cores, ...flags);
    lab.options = { transports };
  });
  /** With recovery every event that asks for no answer ends in its offset. */
  const told = async (socket, event) => {
    const args = await heard(socket, event);
    if (flags.length) assert.match(args.pop(), /^[\w-]+\.\d+$/);
    return args;
  };
  after(async () => assert.equal(await lab.stop(), 0));

  test("namespaces", async () => {
    const foo = await lab.connected("/foo");
    assert.deepEqual(await answer(foo, "getId"), [foo.id]);
    for (const name of ["/timeout_socket", "/valid", "/asd"]) await lab.connected(name);
    const abc = lab.client("/abc", { query: { b: "c d" }, auth: { x: 1 } });
    const [handshake] = await heard(abc, "handshake");
    assert.equal(handshake.query.b, "c d");
    assert.deepEqual(handshake.auth, { x: 1 });
    assert.ok(Math.abs(Date.now() - handshake.issued) < 60_000);
    const [unknown] = await heard(lab.client("/unknown"), "connect_error");
    assert.equal(unknown.message, "Invalid namespace");
    assert.equal(unknown.data, undefined);
  });

  test("refusals", async () => {
    assert.equal((await heard(lab.client("/no"), "connect_error"))[0].message, "Auth failed (custom namespace)");
    const main = lab.client("/", { query: { fail: "true" } });
    assert.equal((await heard(main, "connect_error"))[0].message, "Auth failed (main namespace)");
  });

  test("texts, dates and acknowledgements", async () => {
    const socket = await lab.connected();
    socket.emit("hi");
    assert.deepEqual(await told(socket, "hi"), []);
    assert.deepEqual(await answer(socket, "echo", { a: [1, "x"] }), [{ a: [1, "x"] }]);
    assert.deepEqual(await answer(socket, "echo", Buffer.from("b")), [Buffer.from("b")]);
    socket.once("ack", (callback) => callback(5, { test: true }));
    socket.emit("ack");
    await heard(socket, "got it");
    assert.ok(!Number.isNaN(Date.parse((await answer(socket, "getAckDate", 1))[0])));
    socket.emit("getDate");
    assert.match((await heard(socket, "takeDate"))[0], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    socket.emit("getDateObj");
    assert.ok((await heard(socket, "takeDateObj"))[0].date);
    const texts = [];
    socket.on("takeUtf8", (text) => texts.push(text));
    socket.emit("getUtf8");
    socket.emit("false");
    assert.deepEqual(await told(socket, "false"), [false]);
    assert.deepEqual(texts, ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"]);
  });

  test("bytes", async () => {
    const socket = await lab.connected();
    const bytes = Buffer.from("asdfasdf");
    socket.emit("doge");
    assert.deepEqual(await told(socket, "doge"), [bytes]);
    for (const [event, value, back] of [
      ["buffa", bytes, "buffack"],
      ["jsonbuff", { hello: "lol", message: bytes, goodbye: "gotcha" }, "jsonbuff-ack"],
      ["jsonblob", { hello: "lol", message: bytes, goodbye: "gotcha" }, "jsonblob-ack"],
      ["blob", bytes, "back"],
    ]) {
      socket.emit(event, value);
      await heard(socket, back);
    }
    socket.emit("getbin", bytes);
    assert.deepEqual(await told(socket, "takebin"), [bytes]);
    for (const events of [["abuff1", "abuff2"], ["blob1", "blob2", "blob3"]]) {
      for (const event of events) socket.emit(event, bytes);
      await heard(socket, `${events.at(-1)}-ack`);
    }
    let misled = false;
    socket.once("buffack", () => (misled = true));
    socket.emit("buffa", "no bytes");
    await answer(socket, "echo", 1);
    assert.ok(!misled);
  });

  test("bytes, from a client that can only send text", async () => {
    const socket = await lab.connected("/", { forceBase64: true });
    const bytes = Buffer.from([0, 250, 255]);
    assert.deepEqual(await answer(socket, "echo", { deep: [bytes] }), [{ deep: [bytes] }]);
    socket.emit("getbin", bytes);
    assert.deepEqual(await told(socket, "takebin"), [bytes]);
  });

  test("rooms, volatile events and counting", async () => {
    const ann = await lab.connected();
    const ben = await lab.connected();
    assert.deepEqual(await answer(ben, "getId"), [ben.id]);
    assert.equal((await answer(ben, "getHandshake"))[0].query.transport, transports[0]);
    await answer(ben, "join", "r");
    const news = told(ben, "news");
    ann.emit("to", "r", "news", 1, Buffer.from("2"));
    assert.deepEqual(await news, [1, Buffer.from("2")]);
    await answer(ben, "leave", "r");
    ann.emit("to", "r", "news", 2);
    // Volatile is lost when nothing can be written at that moment: between two polls, or in the midst of an upgrade.
    const again = told(ann, "again");
    let isHeard = false;
    ann.once("again", () => (isHeard = true));
    while (!isHeard) {
      ann.emit("volatile", "again", "x");
      await answer(ann, "echo", 1);
    }
    assert.deepEqual(await again, ["x"]);
    assert.ok((await answer(ann, "count"))[0] >= 2);
  });
});

describe("socketio-echo", () => {
  let echo;
  before(async () => (echo = await Program.start("socketio-echo", ...calm)));
  after(async () => assert.equal(await echo.stop(), 0));

  for (const namespace of ["/", "/custom"]) {
    test(`on ${namespace}`, async () => {
      const socket = echo.client(namespace, { auth: { token: "123" } });
      assert.deepEqual(await heard(socket, "auth"), [{ token: "123" }]);
      socket.emit("message", 1, "2", { 3: [true] }, Buffer.from([4]));
      assert.deepEqual(await heard(socket, "message-back"), [1, "2", { 3: [true] }, Buffer.from([4])]);
      const answered = await answer(socket, "message-with-ack", 1, Buffer.from([4]));
      assert.deepEqual(answered, [1, Buffer.from([4])]);
    });
  }
});

// Every step of the tutorial, as a program on the public API, asked by the unmodified client.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { answer, heard, Program } from "../support/program.mjs";

let program;
const start = async (...args) => (program = await Program.start(...args));
afterEach(async () => assert.equal(await program.stop(), 0));

test("emit: values of every kind arrive", async () => {
  await start("example-emit");
  const socket = program.client();
  const [text, number, json, bytes] = await heard(socket, "hello");
  assert.deepEqual([text, number, json], ["world", 1, { list: [1, 2, 3] }]);
  assert.deepEqual(bytes, Buffer.from("bytes"));
  socket.emit("chat message", "hi");
  assert.deepEqual(await heard(socket, "chat message"), ["you said: hi"]);
});

test("broadcast: to everybody, and to everybody else", async () => {
  await start("example-broadcast");
  const ann = await program.connected();
  const told = heard(ann, "hi");
  const ben = await program.connected();
  await told;
  ann.emit("chat message", "x");
  assert.deepEqual(await Promise.all([heard(ann, "chat message"), heard(ben, "chat message")]), [["x"], ["x"]]);
});

describe("acknowledgements", () => {
  test("by callback: both ways", async () => {
    await start("example-acks-callback");
    const socket = await program.connected();
    const answered = await answer(socket, "request", "a", { b: 1 });
    assert.deepEqual(answered, [{ status: "ok", first: "a", second: { b: 1 } }]);
    socket.once("question", (text, callback) => callback(text.length, Buffer.from([7])));
    socket.emit("ask me");
    assert.deepEqual(await heard(socket, "you answered"), [11, Buffer.from([7])]);
    socket.emit("ask me");
    assert.deepEqual(await heard(socket, "you did not answer"), ["operation has timed out"]);
  });

  test("by callback: arguments that do not fit are answered", async () => {
    await start("example-acks-callback");
    const socket = await program.connected();
    const [error] = await answer(socket, "request", 1, 2);
    assert.equal(error.error, "bad_arguments");
  });

  test("of a broadcast are told by whom, as they arrive", async () => {
    await start("example-acks-callback", "--cores", "2");
    const sockets = await Promise.all(Array.from({ length: 6 }, () => program.connected()));
    const [asker, silent, ...others] = sockets;
    const answers = [];
    asker.on("answer", (who, what) => answers.push([who, what]));
    for (const socket of [asker, ...others]) socket.on("question", (_, callback) => callback(`I am ${socket.id}`));
    asker.emit("ask everybody");
    assert.deepEqual(await heard(asker, "answers"), [5, 6, true]);
    assert.equal(answers.length, 5);
    for (const [who, what] of answers) assert.equal(what, `I am ${who}`);
    assert.ok(!answers.some(([who]) => who === silent.id));
  });

  test("by co_await", async () => {
    await start("example-acks-await");
    const socket = await program.connected();
    socket.once("question", (callback) => callback(42));
    socket.emit("ask me");
    assert.deepEqual(await heard(socket, "you answered"), [42]);
    socket.emit("ask me");
    assert.deepEqual(await heard(socket, "you did not answer"), ["operation has timed out"]);
  });
});

test("catch-all: every event is heard", async () => {
  await start("example-catch-all");
  const socket = await program.connected();
  socket.emit("anything", 1, Buffer.from("x"));
  assert.deepEqual(await heard(socket, "you sent"), ["anything", 1, Buffer.from("x")]);
});

test("rooms: only members hear it", async () => {
  await start("example-rooms");
  const [ann, ben, eve] = await Promise.all([0, 0, 0].map(() => program.connected()));
  assert.deepEqual(await answer(ann, "join", "r"), [2]);
  await answer(ben, "join", "r");
  await answer(eve, "join", "r");
  await answer(eve, "join", "deaf");
  const all = Promise.all([ann, ben, eve].map((socket) => heard(socket, "said")));
  ben.emit("say", "r", "all");
  assert.deepEqual(await all, [["all"], ["all"], ["all"]]);
  const some = [];
  for (const [name, socket] of Object.entries({ ann, ben, eve })) socket.on("said", (text) => some.push(name + text));
  ann.emit("say to others", "r", "!");
  await answer(ben, "leave", "r");
  ann.emit("say", "r", "?");
  await heard(ann, "said");
  await answer(eve, "join", "x");
  assert.deepEqual(some.sort(), ["ann?", "ben!", "eve?"]);
});

test("disconnect: others are told who came and went, and why", async () => {
  await start("example-disconnect");
  const ann = await program.connected();
  const came = heard(ann, "came");
  const ben = await program.connected();
  const id = ben.id;
  assert.deepEqual(await came, [id]);
  ben.disconnect();
  assert.deepEqual(await heard(ann, "went"), [id, "client namespace disconnect"]);
  ben.connect();
  const [again] = await heard(ann, "came");
  assert.notEqual(again, id);
  const gone = heard(ben, "disconnect");
  ben.emit("leave me alone");
  assert.equal((await gone)[0], "io server disconnect");
  assert.deepEqual(await heard(ann, "went"), [again, "server namespace disconnect"]);
});

test("server delivery: what was missed is sent", async () => {
  await start("example-server-delivery");
  const ann = await program.connected();
  for (const text of ["one", "two", "three"]) await answer(ann, "chat message", text);
  const ben = program.client("/", { auth: { serverOffset: 1 } });
  const texts = [];
  ben.on("chat message", (text) => texts.push(text));
  await heard(ben, "connect");
  while (texts.length < 2) await heard(ben, "chat message");
  assert.deepEqual(texts, ["two", "three"]);
});

test("client delivery: retried messages are stored at least once, with an id exactly once", async () => {
  await start("example-client-delivery");
  const retrying = await program.connected("/", { retries: 3, ackTimeout: 10_000 });
  const texts = [];
  retrying.on("chat message", (text) => texts.push(text));
  // With retries the client puts a null of its own in front of what it was answered.
  assert.deepEqual(await answer(retrying, "chat message", "plain"), [null, null, null]);
  for (let i = 0; i < 3; i++) await answer(retrying, "chat message", "once", "id-1");
  assert.equal((await answer(retrying, "chat message", "other", "id-1"))[1].error, "conflict");
  await answer(retrying, "chat message", "end");
  assert.deepEqual(texts, ["plain", "once", "end"]);
});

test("all cores: one order for everybody, everybody is found, cores hear each other", async () => {
  await start("example-all-cores");
  const sockets = await Promise.all(Array.from({ length: 8 }, () => program.connected()));
  const transcripts = sockets.map((socket) => {
    const texts = [];
    socket.on("chat message", (text) => texts.push(text));
    return texts;
  });
  const each = 25;
  for (let i = 0; i < each; i++) sockets.forEach((socket, who) => socket.emit("chat message", `${who}:${i}`));
  const deadline = Date.now() + 10_000;
  while (transcripts.some((texts) => texts.length < each * sockets.length) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(transcripts[0].length, each * sockets.length);
  for (const texts of transcripts) assert.deepEqual(texts, transcripts[0]);
  const [ids] = await answer(sockets[0], "who");
  assert.deepEqual(ids.sort(), sockets.map((socket) => socket.id).sort());
});

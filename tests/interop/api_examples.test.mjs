// Every step of the tutorial, as a program on the public API, asked by the unmodified client.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { DurableProducer } from "../support/durable.mjs";
import { answer, heard, Program } from "../support/program.mjs";
import { isOld, until, within } from "../support/stock.mjs";

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

describe("a transactional handler", () => {
  test("stores its tables, its events and its tasks together with the message", async () => {
    await start("example-transactions", "--db", "bank.db");
    const socket = await program.connected();
    const events = Promise.all([heard(socket, "transferred"), heard(socket, "receipt")]);
    const [error, [key]] = await answer(socket, "transfer", "ann", "Robert'); DROP TABLE accounts;--", 300);
    assert.equal(error, null);
    const [[from, , cents], [receipt, payload]] = await events;
    assert.deepEqual([from, cents, receipt], ["ann", 300, key]);
    assert.deepEqual(payload, ["Robert'); DROP TABLE accounts;--", 300]);
  });

  test("leaves nothing behind when it rejects", async () => {
    await start("example-transactions", "--db", "bank.db");
    const socket = await program.connected();
    const heardOf = [];
    socket.onAny((...event) => heardOf.push(event));
    assert.equal((await answer(socket, "transfer", "ann", "ben", 5000))[0].error, "no_money");
    assert.equal((await answer(socket, "transfer", "ann", "ben"))[0].error, "bad_arguments");
    assert.equal((await answer(socket, "transfer", "eve", "ben", 1))[0].error, "no_account");
    assert.equal((await answer(socket, "transfer", "ann", "ben", 1000))[0], null);
    assert.deepEqual(heardOf.filter(([name]) => name === "transferred").map((event) => event[3]), [1000]);
  });

  test("is tried again when it throws, and its message rejected in the end, and then the next one goes on", async () => {
    await start("example-transactions", "--db", "bank.db");
    const verdicts = [];
    const producer = new DurableProducer(program.url, { auth: {}, onVerdict: ([, , to], accepted) => verdicts.push([to, accepted]) });
    producer.push(["transfer", "ann", "nobody", 1]);
    producer.push(["transfer", "ann", "ben", 1]);
    await within(producer.settled(), "both verdicts", 60_000);
    await producer.stop();
    assert.deepEqual(verdicts, [
      ["nobody", false],
      ["ben", true],
    ]);
    const told = /^the handler of "transfer" failed on \S+: what a handler throws costs its message alone$/m;
    await until(() => told.test(program.log), "a line on standard error");
  });
});

describe("acknowledgements", () => {
  // Seconds: for an answer that comes, and for one that never does.
  const inTime = 60;
  const soon = 1;

  test("by callback: both ways", async () => {
    await start("example-acks-callback");
    const socket = await program.connected();
    const answered = await answer(socket, "request", "a", { b: 1 });
    assert.deepEqual(answered, [{ status: "ok", first: "a", second: { b: 1 } }]);
    socket.once("question", (text, callback) => callback(text.length, Buffer.from([7])));
    socket.emit("ask me", inTime);
    assert.deepEqual(await heard(socket, "you answered"), [11, Buffer.from([7])]);
    socket.emit("ask me", soon);
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
    let answers;
    asker.on("answer", (who, what) => answers.push([who, what]));
    for (const socket of [asker, ...others]) socket.on("question", (_, callback) => callback(`I am ${socket.id}`));
    const ask = (seconds) => {
      answers = [];
      asker.emit("ask everybody", seconds);
      return heard(asker, "answers");
    };
    let told = await ask(soon);
    if (told[0] < 5) told = await ask(10); // the machine stood still
    assert.deepEqual(told, [5, 6, true]);
    assert.equal(answers.length, 5);
    for (const [who, what] of answers) assert.equal(what, `I am ${who}`);
    assert.ok(!answers.some(([who]) => who === silent.id));
  });

  test("of a client that goes before it has answered: the server is told at once, and asks again", async () => {
    await start("example-acks-callback");
    const friend = await program.connected();
    const told = [];
    for (const event of ["answered", "not answered"]) friend.on(event, (name) => told.push([event, name]));
    const ann = await program.connected("/", { auth: { name: "ann" }, reconnection: true });
    let asked = 0;
    const answers = [];
    ann.on("reminder", (callback) => (asked++, answers.push(callback)));
    ann.emit("remind me");
    await until(() => asked === 1, "the question");
    ann.io.engine.close();
    await until(() => told.length === 1, "that she is gone");
    await until(() => asked === 2, "the question again");
    answers[1]();
    await until(() => told.length === 2, "her answer");
    const back = heard(ann, "connect");
    ann.io.engine.close();
    await back;
    await answer(ann, "request", "a", {}); // comes behind whatever would be asked
    assert.equal(asked, 2);
    assert.deepEqual(told, [["not answered", "ann"], ["answered", "ann"]]);
  });

  test("by co_await", async () => {
    await start("example-acks-await");
    const socket = await program.connected();
    socket.once("question", (callback) => callback(42));
    socket.emit("ask me", inTime);
    assert.deepEqual(await heard(socket, "you answered"), [42]);
    socket.emit("ask me", soon);
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
  const told = heard(ben, "said");
  ann.emit("say to others", "r", "!");
  await told; // two connections: what ben sends next might otherwise arrive first
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
  const gone = Promise.all([heard(ben, "disconnect"), heard(ann, "went")]);
  ben.emit("leave me alone");
  const [[reason], went] = await gone;
  assert.equal(reason, "io server disconnect");
  assert.deepEqual(went, [again, "server namespace disconnect"]);
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

test("client delivery: retried messages are stored at least once, with an id exactly once", { skip: isOld }, async () => {
  await start("example-client-delivery");
  const retrying = await program.connected("/", { retries: 3, ackTimeout: 60_000 });
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
  await until(() => transcripts.every((texts) => texts.length >= each * sockets.length), "every message everywhere");
  assert.equal(transcripts[0].length, each * sockets.length);
  for (const texts of transcripts) assert.deepEqual(texts, transcripts[0]);
  const [ids] = await answer(sockets[0], "who");
  assert.deepEqual(ids.sort(), sockets.map((socket) => socket.id).sort());
  const [counts, timedOut] = await answer(sockets[0], "ask the other cores");
  assert.equal(counts.length, 1);
  assert.ok(counts[0] <= sockets.length && !timedOut);
});

test("insert once, from an ordinary handler, too", async () => {
  await start("example-client-delivery");
  const socket = await program.connected();
  const texts = [];
  socket.on("chat message", (text) => texts.push(text));
  const [word, { id }] = await answer(socket, "order", "tea", "order-1");
  assert.equal(word, "ordered");
  assert.deepEqual(await answer(socket, "order", "tea", "order-1"), ["ordered", { id }]);
  assert.deepEqual(await answer(socket, "chat message", "tea", "order-1"), [null, { id }]);
  assert.equal((await answer(socket, "order", "cake", "order-1"))[1].error, "conflict");
  assert.deepEqual(texts, ["tea"]);
});

test("namespaces come to be when asked for, and hear what is said to all of them on every core", async () => {
  await start("example-namespaces", "--cores", "2");
  const players = Array.from({ length: 6 }, (_, i) => program.client(`/game-${i % 3}`));
  const greetings = await Promise.all(players.map((player) => heard(player, "welcome to")));
  assert.deepEqual(greetings.flat(), players.map((_, i) => `/game-${i % 3}`));
  const news = Promise.all(players.map((player) => heard(player, "news")));
  players[0].emit("tell all games", "it rains");
  assert.deepEqual(await news, players.map(() => ["it rains"]));
  assert.deepEqual(await answer(players[0], "who plays"), [6]);
  await program.connected("/team-red", { auth: { badge: "gold" } });
  const [stranger] = await heard(program.client("/team-red", { auth: { badge: "tin" } }), "connect_error");
  assert.equal(stranger.message, "no badge");
  assert.deepEqual(stranger.data, { ask: "monday" });
  const [lost] = await heard(program.client("/tea"), "connect_error");
  assert.equal(lost.message, "Invalid namespace");
});

test("a doorman is asked before there is a connection", async () => {
  await start("example-doorman");
  for (const transports of [["websocket"], ["polling"]]) {
    await program.connected("/", { transports });
    await heard(program.client("/", { transports, query: { password: "wrong" } }), "connect_error");
  }
});

describe("options", () => {
  const path = "/events/";
  const get = (target, options) => fetch(program.url + target, options);
  beforeEach(async () => {
    await start("example-options");
  });

  test("a path, a limit for messages, a cookie, and compression", async () => {
    const socket = await program.connected("/", { path, transports: ["polling", "websocket"] });
    const large = "x".repeat(50_000);
    assert.deepEqual(await answer(socket, "echo", large), [large]);
    const response = await get(`${path}?EIO=4&transport=polling`);
    assert.equal(JSON.parse((await response.text()).slice(1)).maxPayload, 100_000);
    assert.match(response.headers.get("set-cookie"), /^io=[\w-]{20}; Path=\/events\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    assert.ok(Math.abs(Date.parse(response.headers.get("date")) - Date.now()) < 60_000);
    socket.emit("echo", "x".repeat(150_000));
    await heard(socket, "disconnect");
  });

  test("a handler that throws is told on standard error, in one line, and costs its client alone", async () => {
    const client = () => program.connected("/", { path });
    const [ann, ben] = [await client(), await client()];
    const gone = heard(ann, "disconnect");
    ann.emit("fail");
    await gone;
    await until(() => /^the handler of "fail" failed: no such file$/m.test(program.log), "a line on standard error");
    assert.deepEqual(await answer(ben, "echo", 1), [1]);
  });

  /** [coding, bytes] of the next poll, as they were sent. */
  const pollBytes = (query, coding) =>
    new Promise((resolve, reject) => {
      request(program.url + query, { headers: { "accept-encoding": coding } }, async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve([response.headers["content-encoding"], Buffer.concat(chunks)]);
      }).on("error", reject).end();
    });

  test("answers to polls are compressed if they are long, and only then", async () => {
    for (const [coding, first] of [["gzip", 0x1f], ["deflate", 0x78]]) {
      const session = await get(`${path}?EIO=4&transport=polling`, { headers: { "accept-encoding": coding } });
      assert.equal(session.headers.get("content-encoding"), null);
      const query = `${path}?EIO=4&transport=polling&sid=${JSON.parse((await session.text()).slice(1)).sid}`;
      await get(query, { method: "POST", body: "40" });
      let packets = await (await get(query)).text();
      if (packets === "2") packets = await (await get(query)).text();
      assert.match(packets, /(^|\x1e)40\{/);
      await get(query, { method: "POST", body: `420["echo","${"x".repeat(5000)}"]` });
      let [answeredAs, bytes] = await pollBytes(query, coding);
      if (bytes.length === 1) [answeredAs, bytes] = await pollBytes(query, coding); // that was a ping
      assert.equal(answeredAs, coding);
      assert.equal(bytes[0], first);
      assert.ok(bytes.length < 500);
    }
  });

  test("HTTP of one's own, and no client library", async () => {
    assert.deepEqual([(await get("/health")).status, await (await get("/health?x")).text()], [200, "well\n"]);
    assert.equal(await (await get("/other")).text(), "nothing here\n");
    assert.equal((await get("/health", { method: "POST", body: "x" })).status, 200);
    assert.equal((await get(`${path}socket.io.js`)).status, 400);
  });
});

test("folders are served as they were when the program began, and nothing beside them", async () => {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-folder-"));
  try {
    mkdirSync(join(directory, "public", "deep"), { recursive: true });
    writeFileSync(join(directory, "public", "index.html"), "<p>hello</p>");
    writeFileSync(join(directory, "public", "deep", "a.txt"), "a".repeat(2000));
    writeFileSync(join(directory, "public", ".secret"), "no");
    writeFileSync(join(directory, "outside.txt"), "no");
    program = await Program.start("example-options", { directory });
    const get = (target, options) => fetch(program.url + target, options);
    for (const target of ["/files/", "/files/index.html"]) {
      const page = await get(target);
      assert.deepEqual([page.status, await page.text()], [200, "<p>hello</p>"]);
      assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    }
    const text = await get("/files/deep/a.txt");
    assert.equal((await text.text()).length, 2000);
    assert.equal(text.headers.get("content-encoding"), "gzip");
    assert.equal((await get("/files/deep/a.txt", { headers: { "if-none-match": text.headers.get("etag") } })).status, 304);
    writeFileSync(join(directory, "public", "later.txt"), "no");
    for (const target of ["/files/.secret", "/files/later.txt", "/files/%2e%2e/outside.txt", "/files/deep/"]) {
      assert.equal((await get(target)).status, 404, target);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

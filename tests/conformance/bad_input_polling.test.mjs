// What no decent client sends, 21 to 40: long-polling.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Program } from "../support/program.mjs";
import { calm, get, Polling, probe, refused, request, Tcp } from "./wire.mjs";

let server; // pings every 2 s
let echo; // Engine.IO alone: what is delivered comes back
before(async () => {
  server = await Program.start("socketio-lab");
  echo = await Program.start("engineio-echo", ...calm);
});
after(async () => {
  assert.equal(await server.stop(), 0);
  assert.equal(await echo.stop(), 0);
});

const raw = (session, head, body = "") =>
  `POST /socket.io/?${session.query} HTTP/1.1\r\nHost: a\r\n${head}\r\n${body}`;
/** A plain connection whose `bytes` are in the server's hands: what came before them, and later elsewhere, was answered. */
async function arrived(session, bytes) {
  const tcp = new Tcp(server).send(raw(session, "Content-Length: 1\r\n", "3") + bytes);
  await tcp.until("\r\n\r\nok");
  await Polling.open(server);
  return tcp;
}
const pollOf = (session) => get(`/socket.io/?${session.query}`);
async function goesOn(session) {
  assert.equal((await session.post("40")).body, "ok");
  assert.match((await session.packets())[0], /^40\{/);
}

test("bad input 21: a second GET while one is parked", async () => {
  const session = await Polling.open(server);
  const answers = await Promise.all([session.poll(), session.poll()]);
  assert.deepEqual(answers.map(({ status, body }) => `${status} ${body}`).sort(), ["200 1", "400 "]);
  await session.ends();
});

test("bad input 22: a second POST while one is being read", async () => {
  const session = await Polling.open(server);
  const first = await arrived(session, raw(session, "Content-Length: 10\r\n", "40"));
  assert.equal((await session.post("40")).status, 400);
  await first.send("________").until("HTTP/1.1 400 ");
  first.reset();
  await session.ends();
});

test("bad input 23: a parked GET that is reset, and what is said to it afterwards", async () => {
  const session = await Polling.open(server);
  (await arrived(session, pollOf(session))).reset();
  await session.ends();
});
test("bad input 23: a POST that is reset in the middle", async () => {
  const session = await Polling.open(server);
  (await arrived(session, raw(session, "Content-Length: 10\r\n", "40"))).reset();
  await session.ends();
});

test("bad input 24: a POST beyond the limit is refused before it is read, also in chunks", async () => {
  const session = await Polling.open(server);
  assert.equal((await refused(server, raw(session, "Content-Length: 1000001\r\n"))).status, 413);
  await goesOn(session);
  // Its session was told of a body, which never comes.
  assert.equal((await refused(server, raw(session, "Transfer-Encoding: chunked\r\n", "f4241\r\n"))).status, 413);
  await session.ends();
});
test("bad input 24: a POST in chunks of exactly the limit is taken", async () => {
  const session = await Polling.open(echo, "/engine.io/");
  const body = `4${"x".repeat(999_999)}`;
  const head = `POST /engine.io/?${session.query} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await new Tcp(echo).send(`${head}1\r\n4\r\nF423F\r\n${body.slice(1)}\r\n0\r\n\r\n`).until("\r\n\r\nok");
  assert.equal((await session.packets())[0].length, 1_000_000);
});
test("bad input 24: a POST of exactly the limit is taken", async () => {
  const session = await Polling.open(echo, "/engine.io/");
  assert.equal((await session.post(`4${"x".repeat(999_999)}`)).body, "ok");
  assert.equal((await session.packets())[0].length, 1_000_000);
});

test("bad input 25: a huge length, and no body", async () => {
  const session = await Polling.open(server);
  for (const length of ["999999999999", "18446744073709551615"]) {
    assert.equal((await refused(server, raw(session, `Content-Length: ${length}\r\n`))).status, 413);
  }
  await goesOn(session);
});

test("bad input 26: bytes instead of text are answered, and end the session (CVE-2026-59725)", async () => {
  const session = await Polling.open(server);
  const { status } = await session.post("40", { headers: { "content-type": "application/octet-stream" } });
  assert.equal(status, 400);
  await session.ends();
});

const separator = "\x1e";
for (const [number, name, body] of [
  [27, "an empty body", ""],
  [27, "a separator alone", separator],
  [27, "a separator at the end", `40${separator}`],
  [27, "two separators in a row", `40${separator}${separator}40`],
  [28, "letters", "abc"],
  [30, "a ping", "2"],
  [30, "a probe", "2probe"],
  [33, "text that is not UTF-8", Buffer.from([0x34, 0xff, 0xfe])],
  [33, "a surrogate in UTF-8", Buffer.from([0x34, 0xed, 0xa0, 0x80])],
  [34, "base64 with foreign characters", "b###"],
  [34, "base64 cut short", "bA"],
]) {
  test(`bad input ${number}: ${name} ends the session`, async () => {
    const session = await Polling.open(server);
    const { status, body: answer } = await session.post(body);
    // Whole packets in the wrong direction are heard before they are judged.
    assert.deepEqual([status, answer], number === 30 ? [200, "ok"] : [400, ""]);
    await session.ends();
  });
}

test("bad input 34: base64 wrapped into lines, as clients in Java send it, is read", async () => {
  const session = await Polling.open(echo, "/engine.io/");
  assert.equal((await session.post("bAQID\nBA==\n\x1e4after")).body, "ok");
  assert.deepEqual(await session.packets(), ["bAQIDBA==", "4after"]);
});

test("bad input 29: half a million packets in one body are refused, as many as a client could mean are taken", async () => {
  const crowd = await Polling.open(echo, "/engine.io/");
  assert.equal((await crowd.post(`3${"\x1e3".repeat(499_999)}`)).status, 400);
  await crowd.ends();
  const session = await Polling.open(echo, "/engine.io/");
  assert.equal((await session.post(`3${"\x1e3".repeat(65_535)}`)).body, "ok");
  assert.equal((await session.post("4still here")).body, "ok");
  assert.deepEqual(await session.packets(), ["4still here"]);
});

for (const packet of ["0{}", "5", "6", "3", "3probe"]) {
  test(`bad input 31: ${packet} is ignored`, async () => {
    const session = await Polling.open(server);
    assert.equal((await session.post(packet)).body, "ok");
    await goesOn(session);
  });
}

test("bad input 32: what follows a close packet is not looked at", async () => {
  const session = await Polling.open(echo, "/engine.io/");
  const parked = session.poll();
  assert.equal((await session.post("4before\x1e1\x1e4after")).status, 200);
  assert.equal((await parked).body.split("\x1e").includes("4after"), false);
  await session.ends();
});

test("bad input 35: a compressed body is not decompressed", async () => {
  const session = await Polling.open(server);
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  assert.equal((await session.post(bomb, { headers: { "content-encoding": "gzip" } })).status, 400);
  await session.ends();
});

test("bad input 36: GET and POST after the upgrade", async () => {
  const session = await Polling.open(server);
  const parked = session.poll();
  const channel = await probe(session);
  await parked;
  channel.send("5", "40");
  assert.match(await channel.said(), /^40\{/);
  for (const { status, body } of [await session.poll(), await session.post("42[]")]) {
    assert.deepEqual([status, JSON.parse(body).code], [400, 3]);
  }
  channel.send('420["echo","alive"]');
  assert.equal(await channel.said(), '430["alive"]');
  channel.close();
});

test("bad input 37: JSONP is not spoken, and reflects nothing", async () => {
  const { body, headers } = await request(server, "EIO=4&transport=polling&j=0;alert(1)//<script>");
  assert.match(body, /^0\{"sid"/);
  assert.match(headers.get("content-type"), /^text\/plain/);
});

test("bad input 38: a POST and a GET in one go are taken in order", async () => {
  const session = await Polling.open(echo, "/engine.io/");
  const target = `/engine.io/?${session.query}`;
  const tcp = new Tcp(echo).send(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n4hello${get(target)}`);
  assert.match(await tcp.until("4hello"), /^HTTP\/1.1 200 OK[^]*\r\n\r\nokHTTP\/1.1 200 OK[^]*\r\n\r\n4hello$/);
  tcp.reset();
});

test("bad input 39: a peer that ends its side while its GET is parked has gone", async () => {
  const session = await Polling.open(server);
  const tcp = await arrived(session, pollOf(session));
  tcp.socket.end();
  await tcp.all();
  await session.ends();
});

test("bad input 40: an answer that nobody reads is given up", async () => {
  const doorman = await Program.start("example-doorman"); // writes for 3 s at most
  const session = await Polling.open(doorman);
  const tcp = new Tcp(doorman);
  await new Promise((resolve) => tcp.socket.once("connect", resolve));
  tcp.socket.pause();
  // Answers fill every buffer on the way. Who does not read hears of the end when it writes.
  const ask = (times) => tcp.send(get("/socket.io/?EIO=4&transport=nonsense").repeat(times));
  ask(40_000);
  const asking = setInterval(() => ask(10), 50);
  await tcp.all().finally(() => clearInterval(asking));
  assert.equal((await session.post("40")).body, "ok");
  assert.equal(await doorman.stop(), 0);
});

// What no decent client sends, numbered through these files up to 110. 1 to 20: HTTP and the handshake.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Program } from "../support/program.mjs";
import { calm, Channel, get, Polling, refused, request, Tcp, upgradeHeaders } from "./wire.mjs";

let server; // CORS for everybody, and all the time in the world
let hasty; // pings every 300 ms, waits 200 ms for a pong, 1 s for CONNECT
let closedServer; // CORS off
let doorman; // deadlines of 3 s, twenty connections
before(async () => {
  doorman = await Program.start("example-doorman");
  server = await Program.start("socketio-echo", ...calm);
  hasty = await Program.start("socketio-echo");
  closedServer = await Program.start("example-emit");
});
after(async () => {
  for (const program of [doorman, server, hasty, closedServer]) assert.equal(await program.stop(), 0);
});

const code = async (query, options) => {
  const { status, body } = await request(server, query, options);
  return [status, JSON.parse(body).code];
};
const polling = "EIO=4&transport=polling";
/** The server still opens sessions. */
const isServing = async () => assert.equal((await request(server, polling)).status, 200);

for (const transport of [null, "abc", "__proto__", "constructor", "webtransport", ""]) {
  test(`bad input 1: transport ${transport ?? "missing"}`, async () => {
    assert.deepEqual(await code(transport === null ? "EIO=4" : `EIO=4&transport=${transport}`), [400, 0]);
  });
}

for (const revision of [null, "3", "5", "4.0", "04", "abc"]) {
  test(`bad input 2: EIO ${revision ?? "missing"}`, async () => {
    const query = revision === null ? "" : `EIO=${revision}&`;
    assert.deepEqual(await code(`${query}transport=polling`), [400, 5]);
    const channel = new Channel(server, `${query}transport=websocket`);
    await channel.ended();
    assert.equal(channel.status, 400); // before the upgrade, not after it
  });
}

for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
  test(`bad input 3: ${method} without a session`, async () => {
    const response = await fetch(`${closedServer.url}/socket.io/?${polling}`, { method });
    assert.equal(response.status, 400);
    if (method !== "HEAD") assert.equal((await response.json()).code, 2);
  });
}

test("bad input 4: a WebSocket without an upgrade", async () => {
  assert.deepEqual(await code("EIO=4&transport=websocket"), [400, 3]);
});

for (const [name, sid] of Object.entries({ unknown: "nobody", blank: "%20", long: "x".repeat(7000), magic: "__proto__" })) {
  test(`bad input 5: ${name} sid`, async () => {
    assert.deepEqual(await code(`${polling}&sid=${sid}`), [400, 1]);
    assert.deepEqual(await code(`${polling}&sid=${sid}`, { method: "POST", body: "40" }), [400, 1]);
  });
}
test("bad input 5: a sid of 10 KB does not fit into a request", async () => {
  assert.equal((await refused(server, get(`/socket.io/?${polling}&sid=${"x".repeat(10_000)}`))).status, 431);
});
test("bad input 5: an empty sid counts as none", async () => {
  assert.equal((await request(server, `${polling}&sid=`)).status, 200);
});

test("bad input 6: the sid of a session on another transport", async () => {
  const channel = await Channel.joined(server);
  const { sid } = channel.handshake;
  assert.deepEqual(await code(`${polling}&sid=${sid}`), [400, 3]);
  assert.equal((await request(server, `${polling}&sid=${sid}`, { method: "POST", body: "41" })).status, 400);
  channel.send('42["message"]');
  while (!(await channel.said()).startsWith('42["message-back"')); // unharmed
  channel.close();
});

test("bad input 7: a good sid with another revision", async () => {
  const session = await Polling.open(server);
  assert.deepEqual(await code(`EIO=3&transport=polling&sid=${session.sid}`), [400, 3]);
  assert.deepEqual(await code(`transport=polling&sid=${session.sid}`), [400, 3]);
  assert.equal((await session.post("40")).body, "ok");
});

for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]) {
  test(`bad input 8: ${method} with a good sid harms nothing`, async () => {
    const session = await Polling.open(server);
    assert.equal((await session.poll({ method })).status, 405);
    assert.equal((await session.post("40")).body, "ok");
    assert.match((await session.packets())[0], /^40\{/);
  });
}

test("bad input 9: an Origin with control bytes", async () => {
  for (const byte of ["\x00", "\x01", "\x1f", "\x7f", "\n"]) {
    const { status } = await refused(server, get(`/socket.io/?${polling}`, `Origin: http://a${byte}b\r\n`));
    assert.equal(status, 400);
  }
  await isServing();
});

test("bad input 10: repeated keys, the last one counts; a thousand keys", async () => {
  assert.equal((await request(server, `transport=abc&EIO=3&EIO=4&transport=polling`)).status, 200);
  assert.deepEqual(await code("EIO=4&transport=polling&transport=abc"), [400, 0]);
  const keys = Array.from({ length: 1000 }, (_, i) => `k${i}=`).join("&");
  assert.equal((await request(server, `${polling}&${keys}`)).status, 200);
});

test("bad input 11: broken percent escapes in keys that are not ours", async () => {
  assert.equal((await request(server, `${polling}&a=%zz%ff&%=%&%e0%a4%a`)).status, 200);
});

test("bad input 12: a URL or a head that is too long", async () => {
  assert.equal((await refused(server, get(`/${"x".repeat(20_000)}`))).status, 431);
  assert.equal((await refused(server, get("/", `A: ${"x".repeat(20_000)}\r\n`))).status, 431);
});

test("bad input 13: no Host, or HTTP/1.0", async () => {
  assert.equal((await refused(server, `GET /socket.io/?${polling} HTTP/1.1\r\n\r\n`)).status, 400);
  // As nginx asks by default: answered, and the connection ends.
  assert.equal((await refused(server, `GET /socket.io/?${polling} HTTP/1.0\r\nHost: a\r\n\r\n`)).status, 200);
});

test("bad input 14: two lengths, or one that is none", async () => {
  for (const fields of [
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: x\r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n",
    "Content-Length: 99999999999999999999\r\n",
  ]) {
    const { status } = await refused(server, `POST /socket.io/?${polling} HTTP/1.1\r\nHost: a\r\n${fields}\r\nok`);
    assert.equal(status, 400, fields);
  }
});

test("bad input 15: NUL or garbage instead of a request line", async () => {
  for (const bytes of ["\0\0\0\0\r\n\r\n", "hello\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n"]) {
    assert.equal((await refused(server, bytes)).status, 400, JSON.stringify(bytes));
  }
  await isServing();
});

/** Sends `piece` again and again until the server answers. */
async function dribble(tcp, piece) {
  const timer = setInterval(() => tcp.send(piece), 50);
  return tcp.until("\r\n\r\n").finally(() => clearInterval(timer));
}

describe("what waits for a deadline", { concurrency: true }, () => {
  test("bad input 16: a head that dribbles is cut", async () => {
    assert.match(await dribble(new Tcp(doorman).send("GET / HTTP/1.1\r\n"), "A: b\r\n"), /^HTTP\/1.1 408 /);
  });

  test("bad input 17: a body that dribbles is cut, and its session closed", async () => {
    const session = await Polling.open(doorman);
    const head = `POST /socket.io/?${session.query} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n40`;
    assert.match(await dribble(new Tcp(doorman).send(head), " "), /^HTTP\/1.1 408 /);
    await session.ends();
  });

  test("bad input 18: who joins no namespace is closed at connectTimeout", async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => Polling.open(hasty)));
    await Promise.all(sessions.map(async (session) => {
      for (let rounds = 0; (await session.poll()).status === 200; rounds++) {
        await session.post("3");
        assert.ok(rounds < 20);
      }
    }));
    assert.equal((await request(hasty, polling)).status, 200);
  });
  test("bad input 19: a handshake that is never polled is over after interval and timeout", async () => {
    const strict = await Program.start("socketio-echo", "--ping-interval", "300", "--ping-timeout", "200", "--connect-timeout", "60000");
    const session = await Polling.open(strict);
    // One that began later and was polled, but answered no ping: when its time is over, so is the first one's.
    const later = await Polling.open(strict);
    while ((await later.poll()).status === 200);
    assert.ok(await session.isOver());
    assert.equal(await strict.stop(), 0);
  });
  test("bad input 20: allowRequest may forget to decide, or decide twice", async () => {
    const ask = (password) => request(doorman, `${polling}&password=${password}`, { headers: { connection: "close" } });
    assert.equal((await ask("twice")).status, 200);
    assert.deepEqual((({ status, body }) => [status, body])(await ask("wrong")), [403, '{"code":4,"message":"wrong password"}']);
    const channel = new Channel(doorman, "EIO=4&transport=websocket&password=wrong");
    await channel.ended();
    assert.deepEqual([channel.status, channel.body], [400, "wrong password"]);
    assert.equal((await ask("forget")).status, 403);
  });
});

test("bad input 18: there are only so many sessions", async () => {
  const small = await Program.start("example-doorman");
  const sessions = [];
  let last = await request(small, polling, { headers: { connection: "close" } });
  while (last.status === 200 && sessions.length < 100) {
    sessions.push(last);
    last = await request(small, polling, { headers: { connection: "close" } });
  }
  assert.equal(last.status, 503);
  assert.ok(sessions.length >= 10 && sessions.length <= 20, `${sessions.length}`);
  assert.equal(await small.stop(), 0);
});

test("advisory: a refused upgrade that is reset at once harms nobody (CVE-2022-41940)", async () => {
  for (let i = 0; i < 20; i++) {
    const tcp = new Tcp(server).send(get("/socket.io/?EIO=4&transport=websocket&sid=nobody", upgradeHeaders));
    await new Promise((resolve) => setImmediate(resolve));
    tcp.reset();
  }
  await isServing();
});

test("advisory: an upgrade with another revision cannot start a session without timers", async () => {
  const session = await Polling.open(server);
  const channel = new Channel(server, `EIO=3&transport=websocket&sid=${session.sid}`);
  await channel.ended();
  assert.equal(channel.status, 400);
});

// What no decent client sends, 41 to 65: WebSocket, and the upgrade to it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { Program } from "../support/program.mjs";
import { until } from "../support/stock.mjs";
import { Channel, closeCode, closed, frame, get, Polling, probe, rawWebSocket, refused, request, Tcp, upgradeHeaders } from "./wire.mjs";

let server; // pings every 2 s
let quick; // pings every 300 ms, waits 3 s for a pong
let packing; // with permessage-deflate
before(async () => {
  server = await Program.start("socketio-lab");
  quick = await Program.start("socketio-echo", "--ping-timeout", "3000", "--connect-timeout", "60000");
  packing = await Program.start("example-options");
});
after(async () => {
  for (const program of [server, quick, packing]) assert.equal(await program.stop(), 0);
});

const open = "EIO=4&transport=websocket";
const isServing = async () => assert.equal((await request(server, "EIO=4&transport=polling")).status, 200);

test("bad input 41: handshakes that are none", async () => {
  const with_ = (from, to) => upgradeHeaders.replace(from, to);
  for (const [headers, status] of [
    [with_(/Sec-WebSocket-Key.*\r\n/, ""), 400],
    [with_("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400],
    [with_("dGhlIHNhbXBsZSBub25jZQ==", "?".repeat(24)), 400],
    [with_("Version: 13", "Version: 12"), 400],
    [with_("Version: 13", "Version: "), 400],
    [with_("websocket", "h2c"), 400],
  ]) assert.equal((await refused(server, get(`/socket.io/?${open}`, headers))).status, status, headers);
  const post = get(`/socket.io/?${open}`, `${upgradeHeaders}Content-Length: 0\r\n`).replace("GET", "POST");
  assert.equal((await refused(server, post)).status, 400);
  for (let i = 0; i < 10; i++) {
    const tcp = new Tcp(server).send(get(`/socket.io/?${open}`, with_("websocket", "h2c")));
    await new Promise((resolve) => setImmediate(resolve));
    tcp.reset();
  }
  await isServing();
});

test("bad input 42: an upgrade to a path that is not ours is closed", async () => {
  assert.equal((await refused(server, get("/elsewhere", upgradeHeaders))).status, 404);
});

describe("bad input 43: frames glued to the upgrade request", () => {
  test("bad input 43: good ones are heard", async () => {
    const tcp = await rawWebSocket(server, frame(0x81, "40"));
    await tcp.until('40{"sid"');
    tcp.reset();
  });
  test("bad input 43: bad ones end it (CVE-2022-21676)", async () => {
    for (const first of [0xb1, 0xa1]) {
      const tcp = new Tcp(server).send(get(`/socket.io/?${open}`, upgradeHeaders) + frame(first, "40"));
      assert.equal(await closeCode(tcp), 1002);
    }
  });
});

const long = "x".repeat(126);
for (const [number, name, bytes, code] of [
  [44, "a frame without a mask", frame(0x81, "40", { mask: false }), 1002],
  [44, "RSV1 without an extension", frame(0xc1, "40"), 1002],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [44, `opcode ${opcode}`, frame(0x80 | opcode), 1002]),
  [45, "a ping in fragments", frame(0x09, "x"), 1002],
  [45, "a ping of 126 bytes", frame(0x89, long), 1002],
  [45, "a close frame of one byte", frame(0x88, "\x03"), 1002],
  [45, "close code 1005", frame(0x88, "\x03\xed"), 1002],
  [45, "close code 1006", frame(0x88, "\x03\xee"), 1002],
  [45, "close code 999", frame(0x88, "\x03\xe7"), 1002],
  [45, "close code 0", frame(0x88, "\x00\x00"), 1002],
  [46, "a continuation of nothing", frame(0x80, "x"), 1002],
  [46, "a message inside another", frame(0x01, "4") + frame(0x81, "40"), 1002],
  [47, "a message beyond the limit", frame(0x81, "", { length: 1_000_001 }), 1009],
  [47, "a message of 2^63 bytes", "\x81\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 1009],
  [47, "a message beyond the limit in fragments", frame(0x01, `4${"x".repeat(600_000)}`) + frame(0x80, "x".repeat(400_000)), 1009],
  [49, "text that is not UTF-8", frame(0x81, "4\xff"), 1007],
  [49, "text that ends in the middle of a character", frame(0x81, "4\xe3\x81"), 1007],
  [49, "a surrogate in UTF-8", frame(0x81, "4\xed\xa0\x80"), 1007],
  [49, "a close reason that is not UTF-8", frame(0x88, "\x03\xe8\xff"), 1007],
]) {
  test(`bad input ${number}: ${name}`, async () => {
    const tcp = await rawWebSocket(server);
    tcp.send(bytes);
    assert.equal(await closeCode(tcp), code);
  });
}

for (const [name, fragment] of [["empty", frame(0x00, "")], ["one-byte", frame(0x00, "x")]]) {
  test(`bad input 48: endless ${name} fragments (CVE-2026-48779)`, async () => {
    const tcp = await rawWebSocket(server);
    tcp.send(frame(0x01, "4") + fragment.repeat(2000));
    assert.equal(await closeCode(tcp), 1008);
  });
}

test("bad input 49: a character cut by a fragment is whole again", async () => {
  const tcp = await rawWebSocket(server, frame(0x81, "40"));
  tcp.send(frame(0x01, '420["echo","\xc3') + frame(0x80, '\xa9"]'));
  await tcp.until('430["\xc3\xa9"]');
  tcp.reset();
});

describe("bad input 50: compression", () => {
  const extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  const compressing = async () => {
    const tcp = new Tcp(packing).send(get(`/events/?${open}`, upgradeHeaders + extension));
    assert.match(await tcp.until("maxPayload"), /Sec-WebSocket-Extensions: permessage-deflate; server_no/);
    return tcp;
  };
  const packed = (text) => deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4).toString("latin1");
  test("bad input 50: a bomb is stopped at the limit", async () => {
    const tcp = await compressing();
    tcp.send(frame(0xc1, packed(Buffer.alloc(100_000_000, "4"))));
    assert.equal(await closeCode(tcp), 1009);
  });
  test("bad input 50: what cannot be inflated", async () => {
    const tcp = await compressing();
    tcp.send(frame(0xc1, "\x07\x07\x07"));
    assert.equal(await closeCode(tcp), 1007);
  });
  test("bad input 50: text that is not UTF-8 once it is inflated", async () => {
    const tcp = await compressing();
    tcp.send(frame(0xc1, packed(Buffer.from([0x34, 0xff]))));
    assert.equal(await closeCode(tcp), 1007);
  });
  test("bad input 50: offers that make no sense are ignored (GHSA-5v72-xg48-5rpm)", async () => {
    for (const offer of ["constructor", "permessage-deflate; server_max_window_bits=99", "permessage-deflate; x; x", "=;,;="]) {
      const tcp = new Tcp(packing).send(get(`/events/?${open}`, `${upgradeHeaders}Sec-WebSocket-Extensions: ${offer}\r\n`));
      assert.doesNotMatch(await tcp.until("maxPayload"), /Extensions/);
      tcp.reset();
    }
  });
  test("bad input 50: nothing is agreed to where it is off", async () => {
    const tcp = new Tcp(server).send(get(`/socket.io/?${open}`, upgradeHeaders + extension));
    assert.doesNotMatch(await tcp.until("maxPayload"), /Extensions/);
    tcp.reset();
  });
  test("with the ws package, in both directions", async () => {
    const channel = await Channel.open(packing, { path: "/events/", perMessageDeflate: true });
    assert.match(channel.socket.extensions, /permessage-deflate/);
    channel.send("40");
    assert.match(await channel.said(), /^40\{/);
    for (const text of ["short", "long ".repeat(5000), `noise ${Array.from({ length: 3000 }, Math.random)}`]) {
      channel.send(`421["echo",${JSON.stringify(text)}]`);
      assert.equal(await channel.said(), `431[${JSON.stringify(text)}]`);
    }
    channel.close();
  });
});

test("bad input 51: a flood of pings", async () => {
  const tcp = await rawWebSocket(server);
  tcp.send(frame(0x89, "x").repeat(1000));
  assert.equal(await closeCode(tcp), 1008);
});
test("bad input 51: a flood of pings from a peer that never reads", async () => {
  const tcp = await rawWebSocket(server);
  tcp.socket.pause();
  tcp.send((frame(0x89, "x".repeat(125)).repeat(60) + frame(0x81, "3")).repeat(500));
  await isServing();
  tcp.reset();
});

test("bad input 52: a half-open connection is noticed, and holds up nobody", async () => {
  const silent = await Channel.joined(quick);
  const other = (await Channel.joined(quick)).attend();
  assert.equal(await other.said(), '42["auth",{}]');
  silent.socket._socket.pause();
  for (let i = 0; i < 5; i++) {
    other.send(`42["message",${i}]`);
    assert.equal(await other.said(), `42["message-back",${i}]`);
  }
  await (await Channel.open(quick)).ended(); // which came later, and answers no ping either
  silent.socket._socket.resume();
  await silent.ended();
  other.close();
});

test("bad input 53: a slow reader of a broadcast costs a bounded amount and nobody else", async () => {
  const rooms = await Program.start("socketio-lab");
  const slow = await Channel.joined(rooms);
  const fast = await Channel.joined(rooms);
  const speaker = await Channel.joined(rooms);
  for (const channel of [slow, fast]) {
    channel.send('420["join","r"]');
    assert.equal(await channel.said(), "430[]");
  }
  slow.socket._socket.pause();
  const text = "x".repeat(100_000);
  for (let i = 0; i < 100; i++) {
    speaker.send(`42["to","r","news",${JSON.stringify(text)},${i}]`);
    assert.ok((await fast.said()).endsWith(`,${i}]`));
  }
  slow.socket._socket.resume();
  let count = 0;
  slow.send('421["echo"]');
  for (let said = await slow.said(); said !== "431[]"; said = await slow.said()) {
    assert.notEqual(said, closed);
    count++;
  }
  assert.ok(count < 100, `${count} of 100 were kept for the one who did not read`);
  for (const channel of [slow, fast, speaker]) channel.close();
  assert.equal(await rooms.stop(), 0);
});

test("bad input 54: what follows a close frame is ignored, and the end does not depend on the peer", async () => {
  const tcp = await rawWebSocket(server);
  tcp.send(frame(0x88, "\x03\xe8") + frame(0x81, "40"));
  const text = await tcp.all();
  assert.ok(text.endsWith("\x88\x02\x03\xe8"), "the code is echoed, and nothing else");
  assert.doesNotMatch(text, /40\{/);
});

test("bad input 55: long runs of blanks, and 500 headers (CVE-2021-32640, CVE-2024-37890)", async () => {
  for (const name of ["Protocol", "Extensions"]) {
    const headers = `${upgradeHeaders}Sec-WebSocket-${name}: a${" ".repeat(7000)}b\r\n`;
    const tcp = new Tcp(packing).send(get(`/events/?${open}`, headers));
    await tcp.until("\r\n\r\n");
    tcp.reset();
    assert.equal((await refused(packing, get(`/events/?${open}`, headers.replace(" b", `${" ".repeat(4000)}b`)))).status, 431);
  }
  assert.equal((await refused(server, get("/", Array.from({ length: 500 }, (_, i) => `h${i}: x\r\n`).join("") + upgradeHeaders))).status, 431);
});

for (const packet of ["1", "", "x", "9", "2", "2probe"]) {
  test(`bad input 56: “${packet}” as a text frame closes`, async () => {
    const channel = await Channel.open(server);
    channel.send(packet);
    assert.equal(await channel.said(), closed);
  });
}

// ---- the upgrade --------------------------------------------------------------------------------

const beside = (session, revision = 4) => new Channel(session.program, `EIO=${revision}&transport=websocket&sid=${session.sid}`);
async function polls(session) {
  assert.equal((await session.post("40")).body, "ok");
  let [first] = await session.packets();
  while (first === "6") [first] = await session.packets(); // a WebSocket beside it is not forgotten yet
  assert.match(first, /^40\{/);
}
async function upgraded() {
  const session = await Polling.open(server);
  const parked = session.poll();
  const channel = await probe(session);
  await parked;
  channel.send("5", "40");
  assert.match(await channel.said(), /^40\{/);
  return { session, channel };
}
async function works(channel) {
  channel.send('427["echo","alive"]');
  assert.equal(await channel.said(), '437["alive"]');
  channel.close();
}

test("bad input 57: an upgrade of a session that never was, is upgrading, or has upgraded", async () => {
  const unknown = new Channel(server, `${open}&sid=nobody`);
  await unknown.ended();
  assert.equal(unknown.status, 400);
  const session = await Polling.open(server);
  const first = await probe(session);
  await beside(session).ended();
  first.close();
  await polls(session);
  const { session: moved, channel } = await upgraded();
  await beside(moved).ended();
  await works(channel);
});

for (const [name, packet] of [["a message", "4hello"], ["bytes", Buffer.from("x")], ["a ping", "2"], ["a pong", "3probe"], ["garbage", "x"]]) {
  test(`bad input 58: ${name} instead of a probe closes that WebSocket only`, async () => {
    const session = await Polling.open(server);
    const channel = beside(session);
    await new Promise((resolve) => channel.socket.once("open", resolve));
    channel.send(packet);
    assert.equal(await channel.next(), closed);
    await polls(session);
  });
}

test("bad input 59: an upgrade without a probe is as good as one with it, a repeated one is ignored", async () => {
  const session = await Polling.open(server);
  const parked = session.poll();
  const hasty = beside(session);
  await new Promise((resolve) => hasty.socket.once("open", resolve));
  hasty.send("5", "40");
  assert.equal((await parked).body, "6"); // whoever polls all the same is let go
  assert.match(await hasty.said(), /^40\{/);
  await works(hasty);
  const { channel } = await upgraded();
  channel.send("5", "5");
  await works(channel);
});
test("bad input 59: a thousand probes are answered one by one", async () => {
  const session = await Polling.open(server);
  const channel = await probe(session);
  for (let i = 0; i < 1000; i++) channel.send("2probe");
  for (let i = 0; i < 1000; i++) assert.equal(await channel.next(), "3probe");
  channel.close();
});

test("bad input 60: a probing WebSocket that drops leaves polling as it was, and another may try", async () => {
  const session = await Polling.open(server);
  (await probe(session)).close();
  await polls(session);
  const parked = session.poll();
  let channel;
  await until(async () => (channel = await probe(session)).answer === "3probe", "another probe");
  await parked;
  channel.send("5");
  await works(channel);
});

test("bad input 61: a session that ends during the probe takes the probing WebSocket with it", async () => {
  const session = await Polling.open(server);
  const channel = await probe(session);
  await session.post("1");
  assert.equal(await channel.next(), closed);
});

test("bad input 62: a second WebSocket for a session that began on one", async () => {
  const channel = await Channel.joined(server);
  await new Channel(server, `${open}&sid=${channel.handshake.sid}`).ended();
  await works(channel);
});

test("bad input 63: an upgrade with another revision", async () => {
  const session = await Polling.open(server);
  const channel = beside(session, 3);
  await channel.ended();
  assert.equal(channel.status, 400);
  await polls(session);
});

test("bad input 64: nothing is lost, repeated or overtaken by an upgrade", async () => {
  const session = await Polling.open(server);
  await polls(session);
  const parked = session.packets();
  const channel = await probe(session);
  assert.deepEqual(await parked, ["6"]);
  const { status } = await session.post(Array.from({ length: 200 }, (_, i) => `421${i}["echo",${i}]`).join("\x1e"));
  assert.equal(status, 200);
  channel.send("5");
  for (let i = 200; i < 400; i++) channel.send(`421${i}["echo",${i}]`);
  for (let i = 0; i < 400; i++) assert.equal(await channel.said(), `431${i}[${i}]`);
  channel.close();
});

test("bad input 65: a server that stops during an upgrade closes both ways", async () => {
  const stopping = await Program.start("socketio-lab");
  const session = await Polling.open(stopping);
  const parked = session.poll();
  const channel = await probe(session);
  const code = stopping.stop();
  assert.equal(await channel.next(), closed);
  assert.match((await parked).body, /^[16]$/);
  assert.equal(await code, 0);
});
test("bad input 65: a pong withheld across an upgrade is missed all the same (an advisory, too)", async () => {
  const session = await Polling.open(quick);
  assert.equal((await session.poll()).body, "2");
  const parked = session.poll();
  const channel = await probe(session);
  await parked;
  channel.send("5");
  await channel.ended();
});

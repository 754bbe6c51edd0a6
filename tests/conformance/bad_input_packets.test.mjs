// What no decent client sends, 66 to 103: Socket.IO packets. Those that a decoder alone refuses are in
// tests/vectors; here each of them is sent to a real server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Program } from "../support/program.mjs";
import { Server } from "../support/server.mjs";
import { Channel, closed, Polling, request } from "./wire.mjs";

let server; // pings every 2 s
let quick; // 3 s for CONNECT
let bystander;
before(async () => {
  server = await Program.start("socketio-lab");
  quick = await Program.start("socketio-echo", "--ping-timeout", "60000", "--connect-timeout", "3000");
  bystander = (await Channel.joined(server)).attend(); // for as long as the tests last
});
after(async () => {
  bystander.close();
  assert.equal(await server.stop(), 0);
  assert.equal(await quick.stop(), 0);
});

/** This connection works, and so does everybody else's. */
async function works(channel) {
  for (const each of new Set([channel, bystander])) {
    each.send('429["echo","alive"]');
    assert.equal(await each.said(), '439["alive"]');
  }
}
/** These frames, after CONNECT, end the connection; what is said before that is returned. */
async function closes(...frames) {
  const channel = await Channel.joined(server);
  channel.send(...frames);
  const heard = [];
  for (let said = await channel.said(); said !== closed; said = await channel.said()) heard.push(said);
  await works(bystander);
  return heard;
}
async function closesBeforeConnect(...frames) {
  const channel = await Channel.open(server);
  channel.send(...frames);
  assert.equal(await channel.said(), closed);
}
async function goesOn(frames, ...answers) {
  const channel = await Channel.joined(server);
  channel.send(...frames);
  for (const expected of answers) assert.equal(await channel.said(), expected);
  await works(channel);
  channel.close();
}

// ---- what the decoder refuses ---------------------------------------------------------------------

function bytesOf(value) {
  if (typeof value === "string") return Buffer.from(value);
  if (Array.isArray(value)) return Buffer.concat(value.map(bytesOf));
  if (value.hex !== undefined) return Buffer.from(value.hex, "hex");
  return Buffer.concat(Array(value.times).fill(bytesOf(value.repeat)));
}
/** [data, is binary] as the ws package sends it. */
function frameOf(value) {
  if (value.binary !== undefined) return [bytesOf(value.binary), true];
  return [Buffer.concat([Buffer.from("4"), bytesOf(value.text ?? value)]), false];
}

const vectors = JSON.parse(readFileSync(new URL("../vectors/socketio_rejections.json", import.meta.url)));
for (const { item, frames, error } of vectors.filter((vector) => vector.item)) {
  test(`bad input ${item}: ${error}: ${JSON.stringify(frames).slice(0, 60)}`, async () => {
    const connects = frames.some((frame) => JSON.stringify(frame).match(/^(\{"text":\[)?"0/));
    const channel = connects ? await Channel.open(server) : await Channel.joined(server);
    for (const [data, binary] of frames.map(frameOf)) channel.socket.send(data, { binary });
    for (let said = await channel.said(); said !== closed; said = await channel.said());
    assert.notEqual(channel.code, 1006, "it was told");
  });
}

// ---- the state of a namespace -----------------------------------------------------------------------

for (const packet of ['42["hi"]', '431["x"]', "41", '451-["x",{"_placeholder":true,"num":0}]']) {
  test(`bad input 67: ${packet} before CONNECT`, () => closesBeforeConnect(packet, Buffer.from("x")));
}
test("bad input 68: bytes before any header", () => closesBeforeConnect(Buffer.from("x")));

test("bad input 69: a namespace is joined twice, in two frames or in one payload", async () => {
  await closes("40");
  await joinsTwice();
  const session = await Polling.open(server);
  await session.post("40\x1e40");
  let last = await session.poll();
  while (last.status === 200) last = await session.poll();
  assert.equal(last.status, 400);
});
async function joinsTwice() {
  const channel = await Channel.open(server);
  channel.send("40/foo,", "40/foo,");
  for (let said = await channel.said(); said !== closed; said = await channel.said()) assert.match(said, /^40\/foo,/);
}

test("bad input 70: CONNECT_ERROR from a client", () => closes('44{"message":"no"}'));

test("bad input 71: credentials that are no object are refused before they are looked at", async () => {
  for (const data of ['"x"', "[]", "null", "-1", "{", '{"a":1}xx']) await closesBeforeConnect(`40${data}`);
});

for (const name of ["/nobody", "/NO", "/a b", "/?x=1", "/\u0000", "/日本", `/${"x".repeat(250)}`]) {
  test(`bad input 72: namespace ${JSON.stringify(name.slice(0, 20))} is refused, the connection stays`, async () => {
    const channel = await Channel.joined(server);
    channel.send(`40${name},{"a":1}`);
    assert.equal(await channel.said(), `44${name},{"message":"Invalid namespace"}`);
    await works(channel);
    channel.close();
  });
}

test("bad input 73: thousands of namespaces on one connection", async () => {
  const dynamic = await Program.start("example-namespaces");
  const channel = await Channel.open(dynamic);
  for (let i = 0; i < 1000; i++) channel.send(`40/game-${i},`);
  let count = 0;
  for (let said = await channel.said(); said !== closed; said = await channel.said()) count++;
  assert.ok(count <= 64, `${count}`); // 32 namespaces, each with its greeting
  assert.equal(await dynamic.stop(), 0);
});

test("bad input 74: commas and namespaces in the wrong place", async () => {
  for (const packet of ["40custom", "40/a,b,"]) await closesBeforeConnect(packet);
  for (const packet of ['42/["m"]', '42,["m"]']) await closes(packet);
});

test("bad input 75: an event for a namespace not joined, or left", async () => {
  await closes('42/foo,["getId"]');
  const channel = await Channel.joined(server);
  channel.send("40/foo,");
  assert.match(await channel.said(), /^40\/foo,/);
  channel.send("41/foo,", '42/foo,["getId"]');
  assert.equal(await channel.said(), closed);
});

// ---- contents ---------------------------------------------------------------------------------------

test("bad input 81: answers to questions that were never asked, or were answered", async () => {
  await goesOn(["4312345[1]", "430[]", "439007199254740991[]"]);
  const channel = await Channel.joined(server);
  channel.send('42["ack"]');
  const question = await channel.said();
  const id = question.match(/^42(\d+)/)[1];
  channel.send(`43${id}[5,{"test":true}]`, `43${id}[5,{"test":true}]`);
  assert.equal(await channel.said(), '42["got it"]');
  await works(channel);
  channel.close();
});

test("bad input 84: a million digits (CVE-2020-36049)", async () => {
  await closes(`42${"1".repeat(999_000)}["x"]`); // what is quadratic takes hours
});

test("bad input 88: attachments that never come", { timeout: 60_000 }, async () => {
  const channel = await Channel.joined(server);
  const began = Date.now();
  channel.send('451-["x",{"_placeholder":true,"num":0}]');
  assert.equal(await channel.said(), closed);
  assert.ok(Date.now() - began >= 9000);
});

test("bad input 91: placeholders in an event without attachments are data", async () => {
  const data = '{"_placeholder":true,"num":99}';
  await goesOn([`420["echo",${data}]`], `430[${data}]`);
});

test("bad input 92: one attachment named a thousand times is one attachment", async () => {
  const channel = await Channel.joined(server);
  const placeholder = '{"_placeholder":true,"num":0}';
  channel.send(`451-0["echo"${`,${placeholder}`.repeat(1000)}]`, Buffer.alloc(10_000));
  assert.match(await channel.said(), /^461-0\[/);
  assert.equal((await channel.said()).length, 10_000);
  await works(channel);
  channel.close();
});

test("bad input 94: a hundred thousand keys, and names that mean something elsewhere", async () => {
  const keys = Array.from({ length: 50_000 }, (_, i) => `"k${i}":0`).join(",");
  await goesOn([`420["echo",{${keys}}]`], `430[{${keys}}]`);
  const magic = '{"__proto__":{"x":1},"constructor":1,"a":1,"a":2}';
  await goesOn([`420["echo",${magic}]`], `430[${magic}]`);
});

test("bad input 95: numbers and escapes at the edge are passed on as they came", async () => {
  const values = '1e400,-0,12345678901234567890,1E2,"\\ud800","\\u0000"';
  await goesOn([`420["echo",${values}]`], `430[${values}]`);
});

test("bad input 96: event names nobody heard of, long ones too", async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `42["event ${i}"]`);
  await goesOn([...names, `42[${JSON.stringify("x".repeat(16_000))}]`, '42[7]', '42[-1.5]', '42[""]']);
});

test("bad input 97: an event named error without a listener (CVE-2024-38355)", () => goesOn(['42["error","x"]', '42["connection"]', '42["__proto__"]']));

test("bad input 98: credentials of a megabyte, or nested deeply, are refused", async () => {
  await closesBeforeConnect(`40{"a":${"[".repeat(100)}${"]".repeat(100)}}`);
  const channel = await Channel.open(server);
  channel.send(`40{"a":"${"x".repeat(900_000)}"}`);
  assert.equal(await channel.said(), '44{"message":"auth is too large","data":{"code":"auth_too_large"}}');
  channel.send("40");
  assert.match(await channel.said(), /^40\{"sid"/);
  channel.close();
});

for (const auth of [
  { pid: 1, offset: 2 },
  { pid: {}, offset: [] },
  { pid: "unknown", offset: "unknown" },
  { pid: "x".repeat(10_000), offset: "-" },
  { pid: "*", offset: "$ > + 0-0 * \r\nFLUSHALL\r\n" },
  { offset: "1" },
]) {
  test(`bad input 99: recovery with ${JSON.stringify(auth).slice(0, 60)} opens a new session`, async () => {
    const recovering = await Program.start("socketio-lab", "--recovery");
    const channel = await Channel.joined(recovering, `40${JSON.stringify(auth)}`);
    const { sid, pid } = JSON.parse(channel.welcome.slice(2));
    assert.ok(sid && sid !== auth.pid && (pid === undefined || pid !== auth.pid));
    channel.close();
    assert.equal(await recovering.stop(), 0);
  });
}

test("bad input 100: events behind a DISCONNECT, the client's or the server's", async () => {
  const heard = await closes("41", '420["echo"]');
  assert.deepEqual(heard, []);
  const program = await Program.start("example-disconnect");
  const channel = await Channel.joined(program);
  const frames = ['42["leave me alone"]', ...Array(20).fill('42["leave me alone"]')];
  channel.send(...frames);
  while ((await channel.said()) !== "41");
  channel.send('42["leave me alone"]', "40");
  assert.match(await channel.said(), /^40\{/); // the connection is still there, and may join again
  channel.close();
  assert.equal(await program.stop(), 0);
});

test("bad input 101: events faster than they can be answered, from a peer that does not read", { timeout: 120_000 }, async () => {
  const flooder = await Channel.joined(server);
  flooder.socket._socket.pause();
  const question = `420["echo","${"x".repeat(1000)}"]`;
  for (let i = 0; i < 20_000; i++) flooder.send(question);
  await works(bystander);
  flooder.close();
});

test("bad input 102: events that want an answer nobody gives", async () => {
  const frames = Array.from({ length: 5000 }, (_, i) => `42${i}["nobody answers this"]`);
  await goesOn(frames);
});

test("bad input 103: rooms of any name", async () => {
  for (const room of ["", "x".repeat(100_000), "\u0000\u0001", "a,b/c", "__proto__", "日本"]) {
    const name = JSON.stringify(room);
    const listener = await Channel.joined(server);
    listener.send(`420["join",${name}]`);
    assert.equal(await listener.said(), "430[]");
    bystander.send(`42["to",${name},"news",1]`);
    assert.equal(await listener.said(), '42["news",1]');
    listener.close();
  }
});

test("who joins no namespace is closed at connectTimeout, whatever else it says", async () => {
  const channel = await Channel.open(quick);
  channel.send("40/nobody,");
  assert.match(await channel.said(), /^44/);
  assert.equal(await channel.said(), closed);
});

// ---- 104 to 110: clusters and administration --------------------------------------------------------

// There is no wire between nodes, no msgpack and no administration namespace; so whoever speaks their
// protocols here is a stranger like any other.
test("bad input 104: messages of a cluster adapter are an event like any other", () =>
  goesOn(['42["socket.io","{\\"uid\\":1,\\"type\\":3}"]', '42["socket.io#/#",{"rooms":"none"}]']));
test("bad input 105: responses nobody waits for", () => goesOn(['42["response",{"requestId":"x"}]', '43999[{"requestId":"x"}]']));
test("bad input 106: msgpack bombs are bytes without a header", async () => {
  for (const bytes of ["ddffffffff", "91".repeat(100_000), "c9ffffffff00", "84a474797065"]) {
    await closes(Buffer.from(bytes, "hex"));
  }
});
test("bad input 107: a core does not hear its own messages to the others", async () => {
  const cores = await Program.start("example-all-cores");
  const socket = cores.client();
  const notes = [];
  socket.on("note", (text) => notes.push(text));
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.emit("tell the other cores", "x");
  await new Promise((resolve) => socket.emit("who", resolve));
  assert.deepEqual(notes, []);
  assert.equal(await cores.stop(), 0);
});
for (const auth of ['{"username":"admin"}', '{"username":"admin","password":{}}', `{"password":"${"x".repeat(16_000)}"}`, '{"sessionId":"forged"}']) {
  test(`bad input 109: there is no administration for ${auth.slice(0, 40)}`, async () => {
    const channel = await Channel.joined(server);
    channel.send(`40/admin,${auth}`);
    assert.equal(await channel.said(), '44/admin,{"message":"Invalid namespace"}');
    await works(channel);
    channel.close();
  });
}
test("bad input 110: a sid or an offset after its session is gone", async () => {
  const session = await Polling.open(server);
  await session.post("1");
  await session.ends();
  assert.equal((await request(server, `EIO=4&transport=websocket&sid=${session.sid}`)).status, 400);
  const channel = await Channel.joined(server, `40{"pid":"${session.sid}","offset":"${session.sid}"}`);
  assert.match(channel.welcome, /^40\{"sid"/);
  channel.close();
});

test("bad input 108: a store that cannot write takes nothing, says so to nobody wrongly, and ephemeral events go on", async () => {
  // The largest file the server may write is smaller than what it is asked to store.
  const limited = await Server.start({ fileBlocks: 600 });
  try {
    const text = "x".repeat(20_000);
    let answered = 0;
    let isFull = false;
    let channel = await Channel.joined(limited);
    for (let i = 0; i < 100; i++) {
      channel.send(`421${i}["chat message","${text}"]`, '429["echo","alive"]');
      // The echo waits for no disk; as long as there is room, the message's own answer is waited for, too.
      const awaited = new Set(isFull ? ["echo"] : ["echo", "stored"]);
      while (awaited.size > 0) {
        const said = await channel.said();
        if (said === closed) {
          // What became of its last message is not known, so it was cut; it may come back and be served.
          isFull = true;
          channel = await Channel.joined(limited);
          break;
        }
        if (said === '439["alive"]') awaited.delete("echo");
        if (/^431\d+\[null,/.test(said)) {
          answered++;
          awaited.delete("stored");
        }
      }
    }
    assert.ok(answered > 0 && answered < 100, `${answered} of 100 were stored`);
    const reader = await Channel.joined(limited, '40{"serverOffset":0}');
    for (let i = 0; i < answered; i++) assert.match(await reader.said(), /^42\["chat message"/); // all are there
    for (const each of [channel, reader]) each.close();
  } finally {
    await limited.remove();
  }
});

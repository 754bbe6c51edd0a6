// Socket.IO on top: build/bin/socketio-echo.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Program } from "../support/program.mjs";
import { closes, handshakes, heartbeats, upgrades } from "./engineio.mjs";
import { calm, Channel, closed, patient } from "./wire.mjs";

let hasty, pinging, echo;
before(async () => {
  hasty = await Program.start("socketio-echo");
  pinging = await Program.start("socketio-echo", ...patient);
  echo = await Program.start("socketio-echo", ...calm);
});
after(async () => {
  for (const program of [hasty, pinging, echo]) assert.equal(await program.stop(), 0);
});

/** The connection works, whatever it has joined. */
async function works(channel) {
  channel.send("40/random");
  assert.equal(await channel.said(), '44/random,{"message":"Invalid namespace"}');
}

handshakes(() => hasty);
heartbeats(() => hasty, () => pinging);
closes(() => echo);
upgrades(() => echo, undefined, works);

/** Into a namespace; the two greetings were heard. */
async function joined(namespace = "", auth = "") {
  const channel = await Channel.open(echo);
  const prefix = namespace && `${namespace},`;
  channel.send(`40${prefix}${auth}`);
  const welcome = await channel.said();
  assert.ok(welcome.startsWith(`40${prefix}{`), welcome);
  assert.deepEqual(Object.keys(JSON.parse(welcome.slice(2 + prefix.length))), ["sid"]);
  assert.equal(await channel.said(), `42${prefix}["auth",${auth || "{}"}]`);
  return channel;
}

describe("connect", () => {
  for (const namespace of ["", "/custom"]) {
    for (const auth of ["", '{"token":"123"}']) {
      test(`to ${namespace || "/"} ${auth && "with credentials"}`, async () => (await joined(namespace, auth)).close());
    }
  }
  test("to a namespace that nobody opened: refused in exactly these words", async () => {
    const channel = await Channel.open(echo);
    await works(channel);
    channel.close();
  });
  test("what is no packet ends the connection", async () => {
    const channel = await Channel.open(echo);
    channel.send("4abc");
    assert.equal(await channel.next(), closed);
  });
  test("who joins nothing is sent away", async () => {
    const channel = await Channel.open(hasty);
    assert.equal(await channel.said(), closed);
  });
});

describe("disconnect", () => {
  test("from the main namespace: nothing is said, the connection stays", async () => {
    const channel = await joined();
    channel.send("41");
    await works(channel);
    channel.close();
  });
  test("from one namespace: the other goes on", async () => {
    const channel = await joined();
    channel.send("40/custom");
    assert.ok((await channel.said()).startsWith("40/custom,"));
    assert.equal(await channel.said(), '42/custom,["auth",{}]');
    channel.send("41/custom", '42["message","still here"]');
    assert.equal(await channel.said(), '42["message-back","still here"]');
    channel.close();
  });
});

describe("events", () => {
  test("with text: come back as they were", async () => {
    const channel = await joined();
    channel.send('42["message",1,"2",{"3":[true]}]');
    assert.equal(await channel.said(), '42["message-back",1,"2",{"3":[true]}]');
    channel.close();
  });
  const first = Buffer.from([1, 2, 3]);
  const second = Buffer.from([4, 5, 6]);
  const placeholder = (number) => `{"_placeholder":true,"num":${number}}`;
  test("with bytes: come back with their attachments in order", async () => {
    const channel = await joined();
    channel.send(`452-["message",${placeholder(0)},${placeholder(1)}]`, first, second);
    assert.equal(await channel.said(), `452-["message-back",${placeholder(0)},${placeholder(1)}]`);
    assert.deepEqual([await channel.said(), await channel.said()], [first, second]);
    channel.close();
  });
  test("with an id: are answered under it", async () => {
    const channel = await joined();
    channel.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    assert.equal(await channel.said(), '43456[1,"2",{"3":[false]}]');
    channel.close();
  });
  test("with an id and bytes: are answered under it, with bytes", async () => {
    const channel = await joined();
    channel.send(`452-789["message-with-ack",${placeholder(0)},${placeholder(1)}]`, first, second);
    assert.equal(await channel.said(), `462-789[${placeholder(0)},${placeholder(1)}]`);
    assert.deepEqual([await channel.said(), await channel.said()], [first, second]);
    channel.close();
  });
  for (const packet of ["4abc", "42{}", '42abc["message"]']) {
    test(`${packet} ends the connection`, async () => {
      const channel = await joined();
      channel.send(packet);
      assert.equal(await channel.said(), closed);
    });
  }
});

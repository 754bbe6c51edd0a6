// Why somebody is gone, in the words that applications know.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { heard, Program } from "../support/program.mjs";
import { Channel, Polling } from "./wire.mjs";

const path = "/events/";
let server; // a ping every 2 s, 4 s for a pong; messages of 100 KB at most
before(async () => (server = await Program.start("example-options")));
after(async () => assert.equal(await server.stop(), 0));

/** What the others are told about one who joined and then did this. */
async function reasonFor(act) {
  const witness = await server.connected("/", { path });
  const channel = await Channel.open(server, { path });
  channel.send("40");
  const { sid } = JSON.parse((await channel.said()).slice(2));
  const told = heard(witness, `gone ${sid}`);
  await act(channel);
  const [reason] = await told;
  witness.close();
  channel.close();
  return reason;
}

for (const [reason, name, act] of [
  ["client namespace disconnect", "says goodbye", (channel) => channel.send("41")],
  ["server namespace disconnect", "is sent away", (channel) => channel.send('42["send me away"]')],
  ["transport close", "hangs up", (channel) => channel.close()],
  ["transport close", "closes its session", (channel) => channel.send("1")],
  ["transport close", "closes its WebSocket", (channel) => channel.socket.close()],
  ["transport error", "sends too much", (channel) => channel.send("4".repeat(100_001))],
  ["transport error", "pings", (channel) => channel.send("2")],
  ["parse error", "sends what Engine.IO does not know", (channel) => channel.send("x")],
  ["forced close", "sends what Socket.IO does not know", (channel) => channel.send("42{}")],
  ["forced close", "joins twice", (channel) => channel.send("40")],
  ["ping timeout", "falls silent", () => {}],
]) {
  test(`${reason}: who ${name}`, async () => assert.equal(await reasonFor(act), reason));
}

test("by polling: too large a POST harms no session, a given-up GET ends it", async () => {
  const witness = await server.connected("/", { path });
  const session = await Polling.open(server, path);
  await session.post("40");
  const { sid } = JSON.parse((await session.packets())[0].slice(2));
  const told = heard(witness, `gone ${sid}`);
  assert.equal((await session.post("4".repeat(100_001)).catch(() => ({ status: 413 }))).status, 413);
  assert.equal((await session.post("3")).status, 200);
  const control = new AbortController();
  const parked = session.poll({ signal: control.signal }).catch(() => {});
  await session.post("3");
  control.abort();
  await parked;
  assert.deepEqual(await told, ["transport error"]);
  witness.close();
});

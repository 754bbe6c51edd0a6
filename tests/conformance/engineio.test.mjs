// Engine.IO alone: build/bin/engineio-echo.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Program } from "../support/program.mjs";
import { closes, handshakes, heartbeats, messages, upgrades } from "./engineio.mjs";
import { calm, patient, Polling, request } from "./wire.mjs";

const path = "/engine.io/";
let hasty, pinging, echo;
before(async () => {
  hasty = await Program.start("engineio-echo");
  pinging = await Program.start("engineio-echo", ...patient);
  echo = await Program.start("engineio-echo", ...calm);
});
after(async () => {
  for (const program of [hasty, pinging, echo]) assert.equal(await program.stop(), 0);
});

handshakes(() => hasty, path);
messages(() => echo, path);
heartbeats(() => hasty, () => pinging, path);
closes(() => echo, path);
upgrades(() => echo, path, async (channel) => {
  channel.send("4hello");
  assert.equal(await channel.said(), "4hello");
});

// Ours: browsers send a request again when its connection broke before the answer, and say nothing of it.
test("requests with a stamp of our client are answered again, and taken once", async () => {
  const session = await Polling.open(echo, path);
  const send = (stamp, options) => request(echo, `${session.query}&t=${stamp}`, { path, ...options });
  for (const body of ["4hello", "4hello"]) assert.equal((await send("*p1", { method: "POST", body })).body, "ok");
  const { body } = await send("*g1");
  assert.deepEqual(body.split("\x1e").filter((packet) => packet !== "2"), ["4hello"]);
  assert.equal((await send("*g1")).body, body);
  await send("*p2", { method: "POST", body: "4next" });
  const next = (await send("*g2")).body.split("\x1e");
  assert.ok(next.includes("4next") && !next.includes("4hello"));
});

// Engine.IO alone: build/bin/engineio-echo.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Program } from "../support/program.mjs";
import { closes, handshakes, heartbeats, messages, upgrades } from "./engineio.mjs";

const path = "/engine.io/";
let echo;
before(async () => (echo = await Program.start("engineio-echo")));
after(async () => assert.equal(await echo.stop(), 0));

handshakes(() => echo, path);
messages(() => echo, path);
heartbeats(() => echo, path);
closes(() => echo, path);
upgrades(() => echo, path, async (channel) => {
  channel.send("4hello");
  assert.equal(await channel.said(), "4hello");
});

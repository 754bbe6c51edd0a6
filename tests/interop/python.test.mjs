// python-socketio as Debian has it: another client, written from the protocol by other people.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Program } from "../support/program.mjs";
import { root, Server } from "../support/server.mjs";
import { within } from "../support/stock.mjs";

/** Debian's own interpreter, which finds Debian's packages. */
const python = "/usr/bin/python3";
const script = join(root, "tests/interop/python_client.py");
const ways = ["polling", "websocket", "polling,websocket"];

/** Runs one scenario to its end; `ready` when the script says so. */
async function run(url, way, scenario, ready = () => {}) {
  const child = spawn(python, [script, url, way, scenario], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  createInterface({ input: child.stdout }).on("line", (line) => line === "ready" && ready());
  try {
    const [code] = await within(exited, () => `the end of ${scenario} over ${way}: ${errors}`, 120_000);
    assert.equal(code, 0, errors);
  } finally {
    child.kill("SIGKILL");
  }
}

describe("python-socketio", () => {
  describe("on a server of the API", () => {
    let program;
    beforeEach(async () => (program = await Program.start("socketio-lab")));
    afterEach(async () => assert.equal(await program.stop(), 0));
    for (const way of ways) {
      test(`over ${way}: text, bytes and answers, both ways`, () => run(program.url, way, "talk"));
      test(`over ${way}: rooms, namespaces, goodbyes`, () => run(program.url, way, "rooms"));
    }
  });

  describe("in the chat", () => {
    let server;
    beforeEach(async () => (server = await Server.start()));
    afterEach(() => server.remove());
    for (const way of ways) {
      test(`over ${way}: comes back after kill -9`, () => run(server.url, way, "chat", () => server.restart()));
    }
  });
});

// What a program on the C++ API understands on its command line: its own flags, and what operators ask of it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DurableProducer } from "../support/durable.mjs";
import { Program } from "../support/program.mjs";
import { binary } from "../support/server.mjs";
import { within } from "../support/stock.mjs";

/** Runs to its end: { status, stdout, stderr }. */
const run = (program, ...args) => spawnSync(join(binary, "..", program), args, { encoding: "utf8", timeout: 60_000 });

const flags = {
  "socketio-lab": ["--host", "--port", "--db", "--cores", "--origin", "--check", "--backup", "--status", "--where", "--restored", "--recovery"],
  "example-options": ["--port", "--folder DIRECTORY"],
  "socketio-echo": ["--port", "--ping-interval MS", "--ping-timeout MS", "--connect-timeout MS"],
  "engineio-echo": ["--port", "--ping-interval", "--ping-timeout"],
};
for (const [program, expected] of Object.entries(flags)) {
  test(`${program} --help lists its flags, a line each, and ends`, () => {
    const { status, stdout } = run(program, "--help");
    assert.equal(status, 0);
    for (const flag of expected) assert.match(stdout, new RegExp(`^ *${flag}\\b`, "m"));
    assert.doesNotMatch(stdout, /listening/);
  });
}

test("what it does not know, or cannot use, is told in a sentence", () => {
  const wrong = [["--prot", "1"], ["--port"], ["--port", "x"], ["--cores", "0"], ["--ping-interval", "soon"], ["left over"]];
  for (const args of wrong) {
    const { status, stdout, stderr } = run("socketio-echo", ...args);
    assert.deepEqual([status, stdout], [1, ""], args.join(" "));
    assert.match(stderr, /^socketio-echo: .*--help lists the flags/);
  }
});

test("it answers what operators ask while it serves, and when it does not", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "oncewire-flags-"));
  try {
    const copy = join(elsewhere, "copy.db");
    const program = await Program.start("example-transactions", "--db", "bank.db");
    const database = join(program.directory, "bank.db");
    const ask = (...args) => run("example-transactions", "--db", database, ...args);
    const producer = new DurableProducer(program.url, { auth: {} });
    producer.push(["transfer", "ann", "ben", 1]);
    await within(producer.settled(), "the verdict");
    await producer.stop();
    const key = `${producer.identity.producer}:1`;

    const status = ask("--status");
    assert.equal(status.status, 0, status.stderr);
    assert.match(status.stdout, /^oncewire_\w+(\{.*\})? \d+$/m);
    assert.match(ask("--where", key).stdout, /accepted/);
    const backup = ask("--backup", copy);
    assert.equal(backup.status, 0, backup.stderr);
    assert.equal(await program.stop(), 0);

    const offline = (...args) => run("example-transactions", "--db", copy, ...args);
    assert.match(run("example-transactions", "--check", copy).stdout, /sound/);
    assert.match(offline("--where", key).stdout, /accepted/);
    assert.match(offline("--status").stderr, /^example-transactions: no server has the database/);
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

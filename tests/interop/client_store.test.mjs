// The outbox in Node, with the store of the client's README: what was saved survives the process, and arrives once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root, Server } from "../support/server.mjs";
import { connected, stock, Transcript } from "../support/stock.mjs";

const readme = readFileSync(join(root, "client-wasm/README.md"), "utf8");
const [head] = readme.match(/import \{ open, readFile.*?const store = [^\n]*\n/s);

/** Emits what it is told; ends by kill -9 when all of it is saved, or orderly when nothing waits. */
const program = `${head}
const [url, how, ...texts] = process.argv.slice(2);
const socket = io(url, { delivery: "exactly-once", store, WebSocket, transports: ["websocket"], reconnectionDelay: 20 });
for (const text of texts) socket.emit("chat message", text);
const look = () => {
  const entries = socket.outbox.entries();
  if (how === "saved" && entries.length === texts.length && entries.every(({ saved }) => saved)) process.kill(process.pid, "SIGKILL");
  if (how === "sent" && socket.guarantee === "exactly-once" && entries.length === 0) socket.disconnect();
};
socket.outbox.on("change", () => setImmediate(look));
socket.on("connect", look);
`;

test("a process that is killed leaves its messages to the next one", { timeout: 120_000 }, async () => {
  mkdirSync(join(root, "build/e2e-bundles"), { recursive: true });
  const directory = mkdtempSync(join(root, "build/e2e-bundles/store-"));
  const server = await Server.start();
  const run = async (...args) => {
    const child = spawn(process.execPath, ["main.mjs", server.url, ...args], { cwd: directory, stdio: ["ignore", "ignore", "inherit"] });
    return once(child, "exit");
  };
  try {
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(join(root, "build/oncewire-client"), join(directory, "node_modules/oncewire-client"));
    symlinkSync(join(root, "tests/node_modules/ws"), join(directory, "node_modules/ws"));
    writeFileSync(join(directory, "main.mjs"), program);
    await server.end();
    assert.deepEqual(await run("saved", "one", "two", "three"), [null, "SIGKILL"]);
    await server.start();
    assert.deepEqual(await run("sent", "four"), [0, null]);
    assert.deepEqual(await run("sent"), [0, null]);

    const friend = stock(server.url, { auth: { serverOffset: 0 } });
    const transcript = new Transcript(friend);
    await connected(friend);
    friend.emit("chat message", "end");
    await transcript.count(5);
    friend.close();
    assert.deepEqual(transcript.texts, ["one", "two", "three", "four", "end"]);
    const lanes = Object.values(JSON.parse(readFileSync(join(directory, "outbox.json"))));
    assert.deepEqual(lanes.map(({ entries, next }) => [entries, next]), [[[], 5]]);
  } finally {
    await server.remove();
    rmSync(directory, { recursive: true, force: true });
  }
});

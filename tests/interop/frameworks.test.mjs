// The package where people put it: into a reactive state, a test runner with a made-up page, one file for Node, a
// program that must be able to end. The server is the stock one.
import { reactive } from "@vue/reactivity";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Server } from "socket.io";
import WebSocket from "ws";
import { within } from "../support/stock.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "build/oncewire-client");
const ours = await import(join(folder, "dist/node.mjs"));

let http;
let server;
let url;
let workshop;

before(async () => {
  http = createServer((_, response) => response.writeHead(404).end());
  server = new Server(http, { cors: { origin: true }, serveClient: false });
  server.on("connection", (socket) => socket.on("echo", (...args) => args.pop()(...args)));
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${http.address().port}`;
  mkdirSync(join(root, "build/frameworks"), { recursive: true });
  workshop = mkdtempSync(join(root, "build/frameworks/app-"));
  cpSync(folder, join(workshop, "node_modules/oncewire-client"), { recursive: true });
});
after(async () => {
  await server.close();
  rmSync(workshop, { recursive: true, force: true });
});

/** Runs a script in the workshop; resolves with what it wrote when it has ended. */
async function play(name, text, flags = []) {
  writeFileSync(join(workshop, name), text);
  const { stdout, stderr } = await run(process.execPath, [...flags, join(workshop, name)], { cwd: workshop });
  return { stdout, stderr };
}

describe("a socket in Vue's reactive state", () => {
  test("connects, asks, hears, and is taken off again", async () => {
    const state = reactive({ socket: ours.io(url, { forceNew: true, WebSocket }), manager: null });
    const { socket } = state;
    await within(new Promise((resolve) => socket.once("connect", resolve)), "connect");
    assert.equal(await within(socket.timeout(60_000).emitWithAck("echo", 5), "the answer"), 5);
    assert.deepEqual([socket.connected, socket.active, typeof socket.id], [true, true, "string"]);
    assert.equal(socket.on("x", () => {}).off("x").volatile.emit("x").listeners("x").length, 0);
    state.manager = socket.io;
    assert.equal(state.manager.reconnection(false).reconnection(), false);
    assert.equal(state.manager.engine.readyState, "open");
    const left = new Promise((resolve) => socket.on("disconnect", resolve));
    state.socket.disconnect();
    assert.equal(await left, "io client disconnect");
  });
});

// Each is a program that takes seconds to begin.
describe("a tool", { concurrency: 2 }, () => {
  test("Jest with jsdom requires the package, and its socket works", async () => {
    const tests = `
      test("echo", async () => {
        const { io } = require("oncewire-client");
        expect(typeof document).toBe("object");
        expect(require("oncewire-client")).toBe(io);
        const socket = io(${JSON.stringify(url)});
        const failed = new Promise((_, reject) => socket.on("connect_error", reject));
        const answer = await Promise.race([socket.emitWithAck("echo", { text: "é😀", bytes: new Uint8Array([7]) }), failed]);
        expect(answer.text).toBe("é😀");
        expect(new Uint8Array(answer.bytes)[0]).toBe(7);
        socket.disconnect();
      }, 60_000);`;
    writeFileSync(join(workshop, "echo.test.js"), tests);
    const config = { testEnvironment: join(root, "tests/node_modules/jest-environment-jsdom"), transform: {}, watchman: false, cache: false };
    const flags = [join(root, "tests/node_modules/jest/bin/jest.js"), "--rootDir", workshop, "--config", JSON.stringify(config), "--runInBand", "--forceExit"];
    await run(process.execPath, flags, { cwd: workshop }).catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
  });

  test("TypeScript finds types that need no page", async () => {
    const files = {
      "plain.ts": 'import { io, useWasm, type Socket } from "oncewire-client"; const socket: Socket = io("http://x", { delivery: { events: ["a"] }, auth: async () => ({ token: 1 }) }); useWasm(new Uint8Array(1)); socket.emit("a");',
      "tsconfig.json": JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, module: "nodenext", target: "es2022", lib: ["es2022"], types: [], skipLibCheck: false },
        files: ["plain.ts"],
      }),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(workshop, name), text);
    const compiler = join(root, "tests/node_modules/typescript/bin/tsc");
    await run(process.execPath, [compiler, "-p", workshop], { cwd: workshop }).catch(({ stdout }) => assert.fail(stdout));
    assert.ok(readFileSync(join(workshop, "plain.ts")));
  });
});

describe("in Node", { concurrency: 2 }, () => {
  const echo = `
    const socket = io(${"URL"}, { transports: ["polling"] });
    socket.on("connect_error", (error) => console.log(error.message));
    socket.emit("echo", "hello", (answer) => { console.log(answer); socket.disconnect(); });`;
  const program = () => echo.replace("URL", JSON.stringify(url));

  test("a bundle is one file, as CommonJS and as a module", async () => {
    const { build } = createRequire(join(root, "client-wasm/package.json"))("esbuild");
    for (const [format, name] of [["cjs", "bundle.cjs"], ["esm", "bundle.mjs"]]) {
      writeFileSync(join(workshop, "main.js"), `import { io } from "oncewire-client"; ${program()}`);
      const made = await build({ entryPoints: [join(workshop, "main.js")], bundle: true, format, platform: "node", write: false, logLevel: "error" });
      rmSync(join(workshop, "elsewhere"), { recursive: true, force: true });
      mkdirSync(join(workshop, "elsewhere"));
      assert.equal((await play(join("elsewhere", name), made.outputFiles[0].text)).stdout, "hello\n");
    }
  });

  test("require() of each entry is io", async () => {
    const text = `const entries = ["oncewire-client", "oncewire-client/inline", "oncewire-client/dist/socket.io.js"];
      for (const entry of entries) { const io = require(entry); if (io.io !== io) throw entry; ${program()} }`;
    assert.equal((await play("required.cjs", text)).stdout, "hello\nhello\nhello\n");
  });

  test("a platform without WebSockets is told of, once, and polls", async () => {
    const text = `delete globalThis.WebSocket; const { io } = require("oncewire-client");
      for (const n of [1, 2]) {
        const socket = io(${JSON.stringify(url)}, { forceNew: true });
        socket.io.on("open", () => socket.emit("echo", n, () => { console.log(socket.io.engine.transport.name); socket.disconnect(); }));
      }`;
    const { stdout, stderr } = await play("poor.cjs", text);
    assert.equal(stdout, "polling\npolling\n");
    assert.equal(stderr, "oncewire: this platform has no WebSocket; pass one: { WebSocket: require('ws') }\n");
  });

  for (const [name, options] of Object.entries({
    polling: { transports: ["polling"] },
    "a WebSocket": { transports: ["websocket"] },
    "a server that is not there": { transports: ["polling"], away: true },
  })) {
    test(`autoUnref lets a program end, with ${name}`, async () => {
      const ws = JSON.stringify(createRequire(import.meta.url).resolve("ws"));
      const away = `http://127.0.0.1:1`;
      const text = `const { io } = require("oncewire-client");
        const socket = io(${JSON.stringify(options.away ? away : url)}, { ...${JSON.stringify({ transports: options.transports })}, autoUnref: true, WebSocket: require(${ws}) });
        const wait = setTimeout(() => {}, 60_000); // until something has happened
        const seen = (what) => { console.log(what); clearTimeout(wait); };
        socket.on("connect", () => seen("connected")).once("connect_error", () => seen("failed"));`;
      const { stdout } = await play(`unref-${name.replaceAll(" ", "-")}.cjs`, text);
      assert.equal(stdout, options.away ? "failed\n" : "connected\n");
    });
  }
});

test("whoever says that the engine cannot be had says where it was looked for, and the cure", async () => {
  const wasm = JSON.stringify(`${url}/nothing.wasm`);
  const text = `const { io, useWasm } = require("oncewire-client"); useWasm(${wasm});
    const socket = io(${JSON.stringify(url)}, { reconnection: false });
    socket.on("connect_error", (error) => { console.log(error.message); process.exit(); });`;
  const { stdout } = await play("lost.cjs", text);
  assert.match(stdout, /no engine at http:.*nothing\.wasm: .*useWasm\(\).*"oncewire-client\/inline"/);
});

// build/oncewire-client as npm, Node and TypeScript see it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../../build/oncewire-client/", import.meta.url));
const tests = fileURLToPath(new URL("../", import.meta.url));
const description = JSON.parse(readFileSync(join(folder, "package.json")));

describe("the package", () => {
  test("packs what it names, and runs nothing when it is installed", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json"], { cwd: folder });
    const files = JSON.parse(stdout)[0].files.map(({ path }) => path);
    const targets = JSON.stringify(description.exports).match(/\.\/(dist\/[\w.-]+|(?:index|embed|vite)[\w.]+)/g);
    for (const target of targets) assert.ok(files.includes(target.slice(2)), `${target} is not packed`);
    assert.ok(files.includes("LICENSE") && files.includes("README.md"));
    assert.deepEqual([description.scripts, description.dependencies, description.sideEffects], [undefined, undefined, ["./dist/embed.mjs"]]);
    assert.equal(files.filter((path) => path.endsWith(".wasm")).length, 1);
    for (const path of files.filter((name) => /^dist.*\.[cm]?js$/.test(name))) assert.ok(files.includes(`${path}.map`), `${path} has no map`);
  });

  test("has no code that makes code", () => {
    for (const name of readdirSync(join(folder, "dist")).filter((name) => /\.[cm]?js$/.test(name))) {
      assert.doesNotMatch(readFileSync(join(folder, "dist", name), "utf8"), /\beval\(|\bnew Function\b|\bFunction\(/, name);
    }
  });

  const names = "io Manager Socket DeliveryError protocol connect lookup useWasm default";
  test("is imported by name", async () => {
    const ours = await import(join(folder, description.exports["."].node.import.default));
    assert.deepEqual(Object.keys(ours).sort(), names.split(" ").sort());
    assert.equal(ours.default, ours.io);
    assert.equal(ours.protocol, 5);
    assert.equal(ours.io.Manager, ours.Manager);
  });

  test("is required as well", async () => {
    const script = `const { io, Manager } = require(${JSON.stringify(join(folder, description.exports["."].node.require.default))});
      const socket = io("http://127.0.0.1:1", { reconnection: false, transports: ["polling"] });
      socket.on("connect_error", (error) => console.log(socket.io instanceof Manager, error.message));`;
    const { stdout } = await run(process.execPath, ["-e", script]);
    assert.equal(stdout, "true xhr poll error\n");
  });

  test("says what to do on a platform without WebSockets", async () => {
    const script = `delete globalThis.WebSocket;
      import(${JSON.stringify(join(folder, "dist/node.mjs"))}).then(({ io }) =>
        io("http://127.0.0.1:1", { reconnection: false, transports: ["websocket"] }).on("connect_error", (error) =>
          console.log(error.message, error.description.message)));`;
    const { stdout } = await run(process.execPath, ["-e", script]);
    assert.match(stdout, /^websocket error .*pass one.*require\('ws'\)/);
  });

  test("its types allow what they should, and refuse the rest", async () => {
    const compiler = join(tests, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [compiler, "-p", join(tests, "types")]).catch(({ stdout }) => assert.fail(stdout));
  });
});

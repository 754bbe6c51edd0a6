#!/usr/bin/env node
// Runs the official repository's own suites against what is ours: `node tests/official/run.mjs CHECKOUT`.
//
//   client   packages/socket.io-client/test with our client in the place of theirs, against the stock server it brings
//   server   the same suite with the stock client, against socketio-lab (server/examples)
//   engine   docs/engine.io-protocol/v4-test-suite, against engineio-echo
//   socket   docs/socket.io-protocol/v5-test-suite, against socketio-echo
//
// Nothing of the checkout is kept here: its tests are copied into build/official for the run. Tests that may fail, and
// why, are in allowed.json; one of them that passes is told, so that the list only gets shorter. The ports are theirs.

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");
const bin = join(root, "build/bin");
const workshop = join(root, "build/official");
const allowed = JSON.parse(readFileSync(join(here, "allowed.json")));

/** Which suites there are: how each is laid out, what serves it, and how many tests must pass. */
const suites = {
  client: { prepare: prepareClientSuite, client: "ours", least: 104 },
  server: { prepare: prepareClientSuite, client: "stock", server: [join(bin, "socketio-lab"), "--port", "3210", "--recovery"], least: 111 },
  engine: { prepare: prepareProtocolSuite, from: "docs/engine.io-protocol/v4-test-suite", server: [join(bin, "engineio-echo"), "--port", "3000"], least: 25 },
  socket: { prepare: prepareProtocolSuite, from: "docs/socket.io-protocol/v5-test-suite", server: [join(bin, "socketio-echo"), "--port", "3000"], least: 32 },
};

async function main([checkout, ...wanted]) {
  if (!checkout || !existsSync(join(checkout, "packages/socket.io-client/test"))) {
    throw new Error("usage: make official SUITE=<a checkout of github.com/socketio/socket.io>");
  }
  let isGood = true;
  for (const name of wanted.length > 0 ? wanted : Object.keys(suites)) isGood = (await play(name, resolve(checkout))) && isGood;
  process.exitCode = isGood ? 0 : 1;
}

async function play(name, checkout) {
  const suite = suites[name];
  const folder = join(workshop, name);
  rmSync(folder, { recursive: true, force: true });
  const mocha = suite.prepare(folder, checkout, suite);
  const server = suite.server && (await serve(suite.server));
  try {
    return judge(name, await runMocha(folder, mocha), suite.least);
  } finally {
    server?.kill();
  }
}

function prepareClientSuite(folder, checkout, { client, server }) {
  cpSync(join(checkout, "packages/socket.io-client/test"), join(folder, "test"), { recursive: true });
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
  const entry = { ours: join(here, "our_client.cjs"), stock: join(here, "stock_client.cjs") }[client];
  const url = { ours: join(here, "our_url.mjs"), stock: join(here, "node_modules/socket.io-client/build/cjs/url.js") }[client];
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "client-under-test", main: "./index.js" }));
  writeFileSync(join(folder, "index.js"), `module.exports = require(${JSON.stringify(entry)});`);
  mkdirSync(join(folder, "build/cjs"), { recursive: true });
  writeFileSync(join(folder, "build/cjs/url.js"), `module.exports = require(${JSON.stringify(url)});`);
  const hooks = server ? [] : ["--require", "test/support/hooks.ts"];
  return ["--import=tsx", ...hooks, "--require", join(here, "hooks.cjs"), "--timeout", "10000", "--retries", "2", "--exit", "test/index.ts"];
}

function prepareProtocolSuite(folder, checkout, { from }) {
  cpSync(join(checkout, from), folder, { recursive: true });
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
  return ["--timeout", "8000", "--retries", "2", "--exit", "test-suite.js"];
}

/** Resolves when the program listens. */
function serve([program, ...flags]) {
  mkdirSync(workshop, { recursive: true });
  const child = spawn(program, flags, { cwd: workshop, stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`${program} ended with ${code}`)));
    child.stdout.once("data", () => done(child));
  });
}

/** What mocha reports. */
async function runMocha(folder, args) {
  const report = join(folder, "report.json");
  const mocha = join(here, "node_modules/mocha/bin/mocha.js");
  const tsx = `--import=${new URL("node_modules/tsx/dist/loader.mjs", import.meta.url)}`;
  const child = spawn(process.execPath, [mocha, "--reporter", "json", "--reporter-option", `output=${report}`, ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, NODE_OPTIONS: tsx, TS_NODE: "0" },
  });
  await new Promise((done) => child.once("exit", done));
  return JSON.parse(readFileSync(report));
}

/** Tells what failed, and whether that was to be. */
function judge(name, { passes, failures, pending }, least) {
  const reasons = allowed[name] ?? {};
  const failed = failures.map(({ fullTitle }) => fullTitle);
  const unexpected = failures.filter(({ fullTitle }) => !(fullTitle in reasons));
  for (const title of failed.filter((each) => each in reasons)) console.log(`  differs  ${title}: ${reasons[title]}`);
  for (const { fullTitle, err } of unexpected) console.log(`  FAILED   ${fullTitle}: ${err.message ?? err}`);
  for (const { fullTitle } of passes.filter((each) => each.fullTitle in reasons)) console.log(`  passes   ${fullTitle}: take it off the list`);
  const total = passes.length + failures.length;
  const skipped = pending.length > 0 ? `, ${pending.length} skipped by the suite itself` : "";
  console.log(`${name}: ${passes.length} of ${total}${skipped}`);
  return unexpected.length === 0 && passes.length >= least;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

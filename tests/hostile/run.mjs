// Floods the real server on loopback, one flood after another, each beside somebody who does nothing wrong, and says
// what it cost. tests/README.md has the bounds.
//
//   node tests/hostile/run.mjs [--short] [--only TEXT] [--seconds N] [--list]
//
// The last line is "N passed, N failed".
import { fork } from "node:child_process";
import { once } from "node:events";
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { Server, binary } from "../support/server.mjs";
import { connected, stock, until, within } from "../support/stock.mjs";
import { Bystander } from "./bystander.mjs";
import { floods } from "./floods.mjs";
import { descriptorsOf, diskOf, memoryOf, resetPeak } from "./gauges.mjs";
import { fillLibrary } from "./library.mjs";
import { config } from "./tokens.mjs";

const { values: flags } = parseArgs({ options: { short: { type: "boolean" }, only: { type: "string" }, seconds: { type: "string" }, list: { type: "boolean" } } });

/** What a flood may cost. Those of time are ratios with an allowance for the machine, and only the long form has them. */
const bounds = { memory: 100e6, disk: 20e6, log: 1e6, storeP99: 200, times: 10, newcomer: 3000 };
const form = flags.short ? { seconds: 1, megabytes: 60, library: 500, timed: false } : { seconds: 3, megabytes: 320, library: 2000, timed: true };
if (flags.seconds) form.seconds = Number(flags.seconds);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const megabytes = (bytes) => (bytes / 1e6).toFixed(1).padStart(6);
const millis = (ms) => ms.toFixed(0).padStart(5);

/** Somebody new gets the page and a session while the flood still holds what it got; how long that took. */
async function welcomeNewcomer(url) {
  const begun = performance.now();
  const page = await within(fetch(url), "the page for a newcomer");
  if (page.status !== 200) throw new Error(`a newcomer was answered ${page.status}`);
  await page.text();
  const socket = stock(url, { reconnection: false });
  try {
    await connected(socket);
  } finally {
    socket.close();
  }
  return performance.now() - begun;
}

/** Runs one flood in a process of its own; resolves with it once it did what it could. */
async function attackWith(flood, server) {
  const script = fileURLToPath(new URL("attack.mjs", import.meta.url));
  const attacker = fork(script, [flood.name, String(server.port), String(form.seconds), String(Math.min(form.megabytes, flood.megabytes ?? Infinity))], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  attacker.ended = once(attacker, "exit");
  const [done] = await within(once(attacker, "message"), `the flood “${flood.name}”`, 60_000);
  attacker.done = done;
  return attacker;
}

async function stopAttacker(attacker) {
  if (!attacker) return;
  if (attacker.connected) attacker.disconnect();
  await attacker.ended;
}

/** One flood against one server, or none for the quiet run: what it cost, and what was wrong, as sentences. */
async function measure(flood, server, quiet) {
  const found = { flood, complaints: [] };
  const { pid } = server.child;
  let attacker;
  const bystander = new Bystander(server.url);
  try {
    await bystander.begin();
    await pause(300);
    resetPeak(pid);
    const before = { memory: memoryOf(pid).now, disk: diskOf(server.database), log: server.logBytes, descriptors: descriptorsOf(pid) };
    if (flood) attacker = await attackWith(flood, server);
    else await pause(form.seconds * 1000);
    found.newcomer = await welcomeNewcomer(server.url);
    await bystander.end();
    found.memory = memoryOf(pid).peak - before.memory;
    found.kept = memoryOf(pid).now - before.memory;
    found.disk = diskOf(server.database) - before.disk;
    found.log = server.logBytes - before.log;
    await stopAttacker(attacker);
    await until(() => descriptorsOf(pid) <= before.descriptors, "the flood's connections given back");
  } catch (error) {
    found.complaints.push(error.message);
  }
  await stopAttacker(attacker);
  found.storeP99 = bystander.storeP99;
  found.echoP99 = bystander.echoP99;
  found.done = attacker?.done;
  found.complaints.push(...bystander.complaints());
  await bystander.stop();
  found.complaints.push(...(await endOf(server)), ...complaintsOf(found, quiet));
  return found;
}

/** The server ends as it should, and leaves a sound database. */
async function endOf(server) {
  if (server.child.exitCode === null && server.child.signalCode === null) server.child.kill("SIGTERM");
  const ended = await within(server.exited, "the end of the server").catch(() => null);
  if (!ended) return ["the server does not end"];
  const [code, signal] = ended;
  if (code !== 0) return [`the server ended with ${code ?? signal}: ${server.log.trim().split("\n").at(-1)}`];
  const check = spawnSync(binary, ["--check", server.database]);
  return check.status === 0 ? [] : [`the database is not sound: ${check.stdout}`];
}

function complaintsOf(found, quiet) {
  const list = [];
  const over = (what, value, most, write) => {
    if (value > most) list.push(`${what}: ${write(value).trim()}, at most ${write(most).trim()} allowed`);
  };
  over("MB of memory", found.memory, bounds.memory, megabytes);
  over("MB on disk", found.disk, (found.flood?.diskMegabytes ?? 0) * 1e6 || bounds.disk, megabytes);
  over("MB of log", found.log, bounds.log, megabytes);
  for (const [what, most] of Object.entries(found.flood?.atMost ?? {})) over(what, found.done?.counts[what] ?? 0, most, String);
  if (!quiet || !form.timed) return list;
  over("ms until stored, p99", found.storeP99, Math.max(bounds.storeP99, bounds.times * quiet.storeP99), millis);
  over("ms for a newcomer", found.newcomer, bounds.newcomer, millis);
  return list;
}

/** A server with an empty database, or one whose library is full. */
async function serverFor(flood, library) {
  const server = new Server({ config });
  if (flood?.library) cpSync(library.directory, server.directory, { recursive: true, filter: (path) => !/toml|control/.test(path) });
  server.logBytes = 0;
  await server.start();
  server.child.stderr.on("data", (chunk) => (server.logBytes += chunk.length));
  return server;
}

async function makeLibrary() {
  const server = await Server.start({ args: ["--limits", "off"], config: "[server]\ndurability = \"process\"\n" });
  await fillLibrary(server.url, form.library);
  await server.end("SIGTERM");
  return server;
}

function row(name, found) {
  const { counts = {}, bytes = 0, open = 0 } = found.done ?? {};
  const did = Object.entries(counts).filter(([what]) => what !== "heard bytes").map(([what, count]) => `${count} ${what}`);
  const figures = [found.memory, found.kept, found.disk].map((value) => megabytes(value ?? NaN));
  const times = [found.storeP99, found.echoP99, found.newcomer].map((value) => millis(value ?? NaN));
  return `${name.padEnd(34)} ${figures.join(" ")} ${times.join(" ")}   ${megabytes(bytes)} MB sent, ${open} lines open; ${did.join(", ")}`;
}

async function main() {
  const chosen = floods.filter((flood) => (!flags.short || flood.short) && (!flags.only || `${flood.door} ${flood.name}`.includes(flags.only)));
  if (flags.list) return chosen.forEach((flood) => console.log(`${flood.name.padEnd(34)} ${flood.about}`));
  const begun = performance.now();
  const library = chosen.some((flood) => flood.library) ? await makeLibrary() : null;
  console.log(`${"".padEnd(7)} ${"".padEnd(34)} MB: peak   kept   disk ms: store  echo   new`);
  let failed = 0;
  let quiet = null;
  for (const flood of [null, ...chosen]) {
    const server = await serverFor(flood, library);
    const found = await measure(flood, server, quiet).finally(() => server.remove());
    quiet ??= found;
    const isFine = found.complaints.length === 0;
    failed += isFine ? 0 : 1;
    console.log(`${isFine ? "ok     " : "FAILED "} ${row(flood?.name ?? "(quiet)", found)}`);
    for (const complaint of found.complaints) console.log(`          ${complaint}`);
  }
  await library?.remove();
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`${chosen.length + 1} floods, the quiet one included, in ${seconds} s`);
  console.log(`${chosen.length + 1 - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0;
}

await main();

// Measures our server and Node's beside each other in one run: cells take turns, round after round, medians and
// spread are printed, and every figure that matters is a ratio, because absolute ones differ from machine to machine.
//
//   tests/bench/run [--rounds 3] [--seconds 3] [--only cell,…]       (browser: our client beside the stock one)
import { execFile, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { picture } from "./picture.mjs";
import { failureRows, measureRounds } from "./rounds.mjs";
import { sizes, sizeTable } from "./sizes.mjs";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "3" }, only: { type: "string" } },
});
const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const bin = (name) => join(root, "build/bin", name);
const out = join(root, "build/bench");
const run = promisify(execFile);

// ---- what is there to be measured ---------------------------------------------------------------

/** The native modules come as source in their packages; nothing but the registry is asked. */
function installPeers() {
  const quietly = { cwd: here, stdio: ["ignore", "ignore", "pipe"] };
  if (!existsSync(join(here, "node_modules/.package-lock.json"))) {
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], quietly);
  }
  for (const name of ["better-sqlite3", "sqlite3"]) {
    const directory = join(here, "node_modules", name);
    if (existsSync(join(directory, "build/Release"))) continue;
    console.log(`compiling ${name} for Node, once …`);
    try {
      execFileSync(join(here, "node_modules/.bin/node-gyp"), ["rebuild", "--release", "--nodedir=/usr"], { ...quietly, cwd: directory });
    } catch {
      console.log(`${name} does not compile here (libnode-dev missing?): its cells are left out`);
    }
  }
}
const has = (name) => existsSync(join(here, "node_modules", name, "build/Release"));

const servers = {
  node: () => ["node", join(here, "node/fanout.mjs")],
  tutorial: (db) => ["node", join(here, "node/tutorial.mjs"), db],
  best: (db) => ["node", join(here, "node/best.mjs"), db],
  "best-full": (db) => ["node", join(here, "node/best.mjs"), db, "full"],
  beast: () => [bin("bench-beast_server")],
  ours: () => [bin("bench-fanout_server")],
  "ours-2": () => [bin("bench-fanout_server"), "--cores", "2"],
  chat: (db) => [bin("oncewire-server"), "--port", "0", "--db", db, "--log-level", "warn", "--limits", "off"],
};

/** Starts one of them on an empty database; resolves with its port and pid. */
async function start(name, database) {
  const [command, ...args] = servers[name](database);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const match = line.match(/^listening on http:\/\/[^:]+:(\d+)$/);
      if (match) resolve(match[1]);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return { port, pid: child.pid, stop: () => (child.kill("SIGKILL"), ended) };
}

async function load(server, mode, flags) {
  const args = Object.entries({ port: server.port, pid: server.pid, ...flags }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await run(bin("bench-load"), [mode, ...args], { timeout: 180_000 });
  return JSON.parse(stdout);
}

/** One of the clients over a long link, both in a process of their own. */
const link = (client) => async (server) => {
  const args = ["--client", client, "--port", server.port, "--seconds", seconds];
  const { stdout } = await run("node", [join(here, "link.mjs"), ...args], { timeout: 180_000 });
  return JSON.parse(stdout);
};

// ---- the cells ----------------------------------------------------------------------------------

const seconds = options.seconds;
const rows = 50_000;
const durable = (flags) => (server) => load(server, "durable", { seconds, ...flags });
const replay = (fill) => async (server) => {
  await load(server, "durable", { count: rows, ...fill });
  return load(server, "replay", { rows });
};
/** Storing, alone or while somebody reads all that is stored, over and over. */
const storing = (isRead) => async (server) => {
  await load(server, "durable", { count: 4 * rows, tier: 2 });
  const reading = isRead && load(server, "replay", { rows: 4 * rows, seconds });
  const stored = await load(server, "durable", { seconds, tier: 2 });
  return { ...stored, ...(isRead && { rows_read_per_s: (await reading).rows_per_s }) };
};
const beside = (measure) => ({ node: measure, beast: measure, ours: measure });
/** And ours on two cores, which share the machine with whoever measures. */
const besideTwo = (measure) => ({ ...beside(measure), "ours-2": measure });
/** One kind of measurement: how, for which servers, and which figures are compared with whose. */
const cells = [
  { name: "fan-out, pipelined 4 × 4, 1,000 receivers", key: "fanout", on: besideTwo((s) => load(s, "fanout", { seconds })) },
  { name: "fan-out, one at a time, 1,000 receivers", key: "fanout-one", on: beside((s) => load(s, "fanout", { seconds, senders: 1, window: 1 })) },
  { name: "acknowledgement round trip", key: "echo", on: beside((s) => load(s, "echo", { seconds })) },
  { name: "10,000 idle connections", key: "idle", on: beside((s) => load(s, "idle")) },
  { name: "durable, 4 × 64 in flight", key: "durable", on: { tutorial: durable(), best: durable(), "best-full": durable(), chat: durable(), "chat tier 2": durable({ tier: 2 }) } },
  { name: "durable, one at a time", key: "durable-one", on: { tutorial: durable({ connections: 1, window: 1 }), best: durable({ connections: 1, window: 1 }), "best-full": durable({ connections: 1, window: 1 }), chat: durable({ connections: 1, window: 1 }) } },
  { name: "stored and fanned out to 1,000, 4 × 16", key: "stored-fanout", on: { best: durable({ connections: 1000, senders: 4, window: 16 }), chat: durable({ connections: 1000, senders: 4, window: 16 }) } },
  { name: "sent over a link of 50 ms each way", key: "link", on: { tutorial: link("stock"), chat: link("ours") } },
  { name: `replay of ${rows.toLocaleString("en")} rows to one reader`, key: "replay", on: { best: replay({}), chat: replay({ tier: 2 }) } },
  { name: `durable tier 2, 4 × 64, beside a reader of ${(4 * rows).toLocaleString("en")} rows`, key: "reading", on: { "chat alone": storing(false), "chat read": storing(true) } },
];

/** cell, figure, whose ÷ whose, what it must be, what it should be; without the last three it is told only. */
const targets = [
  ["fanout", "deliveries_per_s", "ours", "node", ">=", 12, 20],
  ["fanout", "cpu_s_per_million", "ours", "node", "<=", 0.1, 0.04],
  ["fanout", "p99_ms", "ours", "node", "<=", 0.8, 0.6],
  ["fanout", "deliveries_per_s", "ours", "beast"],
  ["fanout", "cpu_s_per_million", "ours-2", "ours", "<=", 1.15, 1.05],
  ["fanout", "deliveries_per_s", "ours-2", "ours", ">=", 0.8, 0.95],
  ["fanout-one", "deliveries_per_s", "ours", "node", ">=", 1.8, 2.1],
  ["fanout-one", "deliveries_per_s", "ours", "beast"],
  ["fanout-one", "cpu_s_per_million", "ours", "node", "<=", 0.6, 0.48],
  ["stored-fanout", "deliveries_per_s", "chat", "best", ">=", 12, 30],
  ["durable", "messages_per_s", "chat tier 2", "tutorial", ">=", 100, 150],
  ["durable", "messages_per_s", "chat", "tutorial", ">=", 120, 200],
  ["durable", "messages_per_s", "chat tier 2", "best", ">=", 10, 30],
  ["durable", "messages_per_s", "chat", "best", ">=", 10, 30],
  ["durable", "messages_per_s", "chat tier 2", "best-full", ">=", 20, 30],
  ["reading", "messages_per_s", "chat read", "chat alone", ">=", 0.6, 0.8],
  ["reading", "p99_ms", "chat read", "chat alone", "<=", 3, 2],
  ["durable-one", "messages_per_s", "chat", "best", ">=", 1.0, 1.2],
  ["durable-one", "messages_per_s", "chat", "best-full", ">=", 1.0, 1.2],
  ["link", "messages_per_s", "chat", "tutorial", ">=", 100, 1000],
  ["replay", "rows_per_s", "chat", "best", ">=", 20, 30],
  ["idle", "connects_per_s", "ours", "node", ">=", 5, 7],
  ["idle", "connects_per_s", "ours", "beast"],
  ["idle", "cpu_us_per_connect", "ours", "node"],
  ["idle", "kib_per_connection", "ours", "node", "<=", 0.138, 0.069],
  ["idle", "kib_per_connection", "ours", "beast"],
  ["echo", "round_trips_per_s", "ours", "node", ">=", 1.25, 1.4],
  ["echo", "round_trips_per_s", "ours", "beast"],
  ["echo", "cpu_us_per_round_trip", "ours", "node"],
  ["echo", "cpu_us_per_round_trip", "ours", "beast"],
];

// ---- running ------------------------------------------------------------------------------------

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const available = (server) => (server.startsWith("best") ? has("better-sqlite3") : server === "tutorial" ? has("sqlite3") : true);

/** One measurement on a fresh process with an empty database. */
async function measure(cell, who) {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-bench-"));
  const server = await start(who.split(" ")[0], join(directory, "bench.db"));
  try {
    return await cell.on[who](server);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true });
  }
}

/** How long this disk takes to promise something: what one durable message at a time cannot beat. */
function flushMilliseconds() {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-bench-"));
  const file = openSync(join(directory, "flush"), "w");
  const times = Array.from({ length: 40 }, () => {
    const begun = process.hrtime.bigint();
    writeSync(file, Buffer.alloc(4096));
    fdatasyncSync(file);
    return Number(process.hrtime.bigint() - begun) / 1e6;
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return median(times);
}

const chosen = cells.filter((cell) => !options.only || options.only.split(",").includes(cell.key));
execFileSync("cmake", ["--build", join(root, "build"), "--target", "bench-programs"], { stdio: "inherit" });
installPeers();
mkdirSync(out, { recursive: true });
const jobs = chosen.flatMap((cell) =>
  Object.keys(cell.on).filter((name) => available(name)).map((who) => ({ cell: cell.key, who, measure: () => measure(cell, who) })));
const nameOf = (key) => cells.find((cell) => cell.key === key)?.name ?? key;
const { results, failures } = await measureRounds(jobs, Number(options.rounds), (round, cell, who, said) =>
  console.log(`round ${round} · ${nameOf(cell)} · ${who}: ${said}`));

// ---- telling ------------------------------------------------------------------------------------

const figure = (cell, who, name) => results[cell]?.[who]?.[name];
const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
const spread = (values) => `${number(median(values))} (${number(Math.min(...values))}–${number(Math.max(...values))})`;

const comparisons = targets.flatMap(([cell, name, ours, theirs, direction, must, goal]) => {
  const mine = figure(cell, ours, name);
  const other = figure(cell, theirs, name);
  if (!mine || !other) return [];
  const ratio = median(mine) / median(other);
  const reaches = (target) => (direction === ">=" ? ratio >= target : ratio <= target);
  return [{
    cell: nameOf(cell), figure: name, ours, theirs, mine: spread(mine), other: spread(other),
    ratio, direction, must, goal, verdict: !direction ? "" : reaches(goal) ? "goal" : reaches(must) ? "must" : "below",
  }];
});

const target = ({ direction }, value) => (direction ? `${direction} ${value}` : "");
const lines = [
  `${cpus().length} cores, ${options.rounds} rounds of ${seconds} s, medians (least–most); this disk flushes in ${number(flushMilliseconds())} ms`,
  "beast = a plain Beast broadcast server: no Socket.IO but for the frames, one write per message",
  "ours-2 = ours on two cores",
  "best = better-sqlite3 with WAL, which does not flush at commit; best-full = the same, flushing as ours always does",
  "",
  "| measured | figure | ours | theirs | ratio | must | goal | |",
  "|---|---|---|---|---|---|---|---|",
  ...comparisons.map((row) => `| ${row.cell} | ${row.figure} | ${row.mine} | ${row.other} (${row.theirs}) | ${number(row.ratio)} | ${target(row, row.must)} | ${target(row, row.goal)} | ${row.verdict} |`),
  "",
  sizeTable(),
];
// The clients, in a browser.
if (!options.only || options.only.split(",").includes("browser")) {
  try {
    lines.push(execFileSync("node", [join(here, "browser.mjs")], { encoding: "utf8" }).trimEnd());
  } catch (error) {
    failures.push({ cell: "the clients in a browser", who: "both", round: 1, why: error.message.split("\n", 1)[0] });
  }
}
lines.push(...failureRows(failures, nameOf));
console.log(`\n${lines.join("\n")}`);
writeFileSync(join(out, "table.md"), `${lines.join("\n")}\n`);
writeFileSync(join(out, "results.json"), JSON.stringify({ results, comparisons, sizes: sizes() }, null, 1));
// Some targets are about ourselves, under other conditions.
const compared = comparisons.filter(({ direction, theirs }) => direction && !["ours", "chat alone"].includes(theirs));
if (compared.length > 0) writeFileSync(join(out, "picture.svg"), picture(compared));
if (failures.length > 0) process.exitCode = 1;

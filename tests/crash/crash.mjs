// Kills the real server under load, again and again, and holds it to what it acknowledged.
//
//   tests/crash/run --cycles N --seed S [--keep]
//
// The witness stands outside: stock clients and hand-written tier-2 clients produce, an fsynced journal
// remembers each acknowledgement before anything else happens, readers note what they were shown, and after
// every kill -9 a script reads the database file on its own. Prints one JSON object; exits with 0 only if
// something was acknowledged and nothing of it was lost, doubled or reordered.
//
// A hundred cycles share one database, because every check reads all of it.
//
// Half of the lives end at a random moment, the other half at a chosen call: the nth write, fsync or send,
// just before or just after it (aim.c, preloaded).
import { execFileSync, spawn } from "node:child_process";
import { fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { DurableProducer } from "../support/durable.mjs";
import { root, Server } from "../support/server.mjs";
import { stock } from "../support/stock.mjs";
import { judge } from "./judge.mjs";

const { values: options } = parseArgs({
  options: { cycles: { type: "string", default: "10" }, seed: { type: "string", default: "1" }, keep: { type: "boolean" } },
});
const cycles = Number(options.cycles);
const messages_per_cycle = 150; // for each producer: enough to be in flight all the time, few enough to check
const producers_of_each_kind = 2;
const readers_of_each_kind = 1;
const cycles_per_database = 100;

/** mulberry32: the moments of the kills follow from the seed alone. */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = chance(Number(options.seed));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The library that kills the server at a chosen call. */
function buildAim(directory) {
  const library = join(directory, "aim.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, join(root, "tests/crash/aim.c"), "-ldl"]);
  return library;
}

/** The environment of a life that ends at a chosen call; small numbers are start and recovery, large ones load. */
function takeAim(library) {
  const kind = ["write", "fsync", "send"][Math.floor(random() * 3)];
  const furthest = { write: 400, fsync: 60, send: 200 }[kind];
  const shot = 1 + Math.floor(furthest ** random());
  return { LD_PRELOAD: library, ONCEWIRE_AIM: `${kind}:${shot}:${random() < 0.5 ? "before" : "after"}` };
}

/** What was acknowledged, on disk before anybody acts on it. */
class Journal {
  constructor(path) {
    this.path = path;
    this.file = openSync(path, "a");
    this.count = 0;
  }
  note(text) {
    writeSync(this.file, `${text}\n`);
    fdatasyncSync(this.file);
    this.count++;
  }
  read() {
    return readFileSync(this.path, "utf8").split("\n").filter(Boolean);
  }
}

/** A stock client, one message in flight, retrying under the same client offset until acknowledged. */
class StockProducer {
  constructor(url, name, journal) {
    this.name = name;
    this.sent = 0;
    this.open = 0;
    this.refused = [];
    this.journal = journal;
    this.socket = stock(url, { retries: 1_000_000, ackTimeout: 400, reconnectionDelay: 5, reconnectionDelayMax: 20 });
  }
  produce(n) {
    for (; n > 0; n--) {
      const text = `${this.name}:${this.sent++}`;
      this.open++;
      this.socket.emit("chat message", text, text, (timeout, error) => {
        this.open--;
        if (timeout || error) this.refused.push(text);
        else this.journal.note(text);
      });
    }
  }
  stop() {
    this.socket.close();
  }
}

/** Tier 2: a window in flight, any number of reconnects. */
class WindowProducer {
  constructor(url, name, journal) {
    this.name = name;
    this.sent = 0;
    this.refused = [];
    this.client = new DurableProducer(url, {
      auth: { serverOffset: Number.MAX_SAFE_INTEGER },
      onVerdict: ([, text], accepted) => (accepted ? journal.note(text) : this.refused.push(text)),
    });
  }
  get open() {
    return this.client.pending.length;
  }
  produce(n) {
    for (; n > 0; n--) this.client.push(["chat message", `${this.name}:${this.sent++}`]);
  }
  stop() {
    return this.client.stop();
  }
}

class StockReader {
  constructor(url) {
    this.heard = [];
    let serverOffset = 0;
    this.socket = stock(url, { auth: (give) => give({ serverOffset }), reconnectionDelay: 5, reconnectionDelayMax: 20 });
    this.socket.on("chat message", (text, id) => {
      serverOffset = id;
      this.heard.push(text);
    });
  }
  stop() {
    this.socket.close();
  }
}

class CursorReader {
  constructor(url) {
    this.heard = [];
    this.client = new DurableProducer(url, { onMessage: (_, text) => this.heard.push(text) });
  }
  stop() {
    return this.client.stop();
  }
}

/** The independent look into the file. */
class Examiner {
  constructor() {
    this.child = spawn("python3", ["-B", join(root, "tests/crash/check.py")], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }
  async look(database) {
    this.child.stdin.write(`${database}\n`);
    return JSON.parse((await this.lines.next()).value);
  }
  end() {
    this.child.stdin.end();
  }
}

async function until(holds, what, ms = 60_000) {
  for (const deadline = Date.now() + ms; !holds(); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
  }
}

const several = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const examiner = new Examiner();
const problems = [];
const result = { cycles: 0, acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, committed_unacknowledged: 0, cycles_with_unacknowledged: 0, aimed_kills: 0 };

/** One database from its beginning to its end, and everybody who ever talks to it. */
class Era {
  constructor(server) {
    this.server = server;
    this.aim = buildAim(server.directory);
    this.journal = new Journal(join(server.directory, "witness"));
    this.worst = { lost: 0, duplicated: 0, reordered: 0 }; // what is wrong stays wrong, and is counted once
    this.producers = [
      ...several(producers_of_each_kind, (i) => new StockProducer(server.url, `stock${i}`, this.journal)),
      ...several(producers_of_each_kind, (i) => new WindowProducer(server.url, `window${i}`, this.journal)),
    ];
    this.readers = [
      ...several(readers_of_each_kind, () => new StockReader(server.url)),
      ...several(readers_of_each_kind, () => new CursorReader(server.url)),
    ];
  }

  /** Dead server: the file against the journal. */
  async check() {
    const found = await examiner.look(this.server.database);
    const texts = found.messages.map(([, text]) => text);
    const acknowledged = this.journal.read();
    const verdict = judge(texts, acknowledged);
    for (const key of Object.keys(this.worst)) this.worst[key] = Math.max(this.worst[key], verdict[key]);
    problems.push(...found.problems);
    const unacknowledged = texts.length - acknowledged.length + verdict.lost;
    result.committed_unacknowledged += unacknowledged;
    if (unacknowledged > 0) result.cycles_with_unacknowledged++;
    return texts;
  }

  /** Starts a life that may end at a chosen call, perhaps before it serves; then another one starts. */
  async startAimed() {
    const { server } = this;
    server.env = random() < 0.5 ? takeAim(this.aim) : {};
    try {
      await server.start();
    } catch (error) {
      if (server.child.signalCode !== "SIGKILL") throw error;
      result.aimed_kills++;
      await this.check();
      server.env = {};
      await server.start();
    }
    server.env = {};
  }

  async cycle() {
    const { server } = this;
    for (const producer of this.producers) producer.produce(Math.max(0, messages_per_cycle - producer.open));
    await Promise.race([sleep(1 + random() * 499), server.exited]);
    if (server.child.signalCode === "SIGKILL") result.aimed_kills++;
    await server.end("SIGKILL");
    await this.check();
    // Every eighth time it dies again while it starts: recovery is code, too.
    if (random() < 0.125) {
      const starting = server.start().catch(() => {});
      await sleep(random() * 30);
      await server.end("SIGKILL");
      await starting;
    }
    await this.startAimed();
  }

  /** Everybody gets what is theirs, and the server its orderly stop. */
  async finish() {
    const { server, producers, readers } = this;
    await server.end("SIGKILL"); // this life may have an end of its own
    await server.start();
    await until(() => producers.every((producer) => producer.open === 0), "every message acknowledged");
    const total = producers.reduce((sum, producer) => sum + producer.sent, 0);
    await until(() => readers.every((reader) => reader.heard.length >= total), "readers at the end of the log");
    const [code] = await server.end("SIGTERM");
    if (code !== 0) problems.push(`SIGTERM: exit ${code}`);
    const log = await this.check();
    for (const reader of readers) {
      const seen = judge(reader.heard, log);
      for (const key of Object.keys(this.worst)) result[key] += seen[key];
      if (reader.heard.join() !== log.join()) problems.push(`${reader.constructor.name}: what it was shown is not the log`);
    }
    problems.push(...producers.flatMap((producer) => producer.refused.map((text) => `refused: ${text}`)));
  }

  async end() {
    for (const part of [...this.producers, ...this.readers]) await part.stop();
    for (const key of Object.keys(this.worst)) result[key] += this.worst[key];
    result.acknowledged += this.journal.count;
    if (options.keep) console.error(`kept: ${this.server.directory}`);
    else await this.server.remove();
  }
}

let failure;
while (result.cycles < cycles && !failure) {
  const era = new Era(await Server.start());
  try {
    for (const last = Math.min(cycles, result.cycles + cycles_per_database); result.cycles < last; ) {
      await era.cycle();
      if (++result.cycles % 10 === 0) console.error(`cycle ${result.cycles}: ${result.acknowledged + era.journal.count} acknowledged`);
    }
    await era.finish();
  } catch (error) {
    failure = `${error.message}; server said: ${era.server.log.slice(-2000)}`;
  }
  await era.end();
}

examiner.end();
console.log(JSON.stringify({ ...result, problems: [...new Set(problems)].slice(0, 20), ...(failure && { failure }) }));
const good = !failure && problems.length === 0 && result.acknowledged > 0 && result.lost + result.duplicated + result.reordered === 0;
process.exit(good ? 0 : 1);

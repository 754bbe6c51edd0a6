// Runs the tiers of `make test` or `make prove`, two at a time, and counts honestly: a tier that ran nothing, or
// whose count cannot be read, has failed. Each tier's whole output goes to build/logs.
//
//   node tests/run.mjs test|prove [tier …]
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { count, failures, soFar } from "./count.mjs";
import { next } from "./order.mjs";
import { tiers } from "./tiers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const logs = join(root, "build", "logs");
const secondsSince = (when) => (Date.now() - when) / 1000;
const started = Date.now();

function say(line) {
  const seconds = Math.round(secondsSince(started));
  console.log(`[${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, "0")}] ${line}`);
}

/** One tier while it runs, and what came of it. */
class Run {
  constructor(tier, position) {
    this.tier = tier;
    this.begun = Date.now();
    this.output = "";
    this.latest = "";
    say(`begins ${tier.name} (${position})`);
  }

  /** To its end or its deadline. */
  async finish() {
    const code = await this.#execute();
    Object.assign(this, count(this.tier.counted, code, this.output), { seconds: secondsSince(this.begun) });
    const counts = this.failed ? `${this.passed} passed, ${this.failed} failed` : `${this.passed} passed`;
    say(`${this.failed ? "FAILED" : "ok    "} ${this.tier.name}: ${counts}, ${this.seconds.toFixed(1)} s`);
    if (this.failed) console.log(failures(this.tier.counted, this.output));
    return this;
  }

  /** How far it is, for somebody who waits: what has ended, for how long it runs, its latest words. */
  get progress() {
    const ended = soFar(this.tier.counted, this.output);
    return `${this.tier.name}, ${secondsSince(this.begun).toFixed(0)} s${ended ? `, ${ended} so far` : ""}: ${this.latest.trim().slice(0, 110)}`;
  }

  #execute() {
    const { tier } = this;
    return new Promise((resolve) => {
      const child = spawn("bash", ["-c", tier.command], {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true, // its own process group, so that the deadline reaches everything it started
        env: { ...process.env, ...tier.env, FORCE_COLOR: "0" },
      });
      const log = createWriteStream(join(logs, `${tier.name}.log`));
      const take = (chunk) => {
        this.output += chunk;
        log.write(chunk);
        this.latest = chunk.toString().trimEnd().split("\n").at(-1) || this.latest;
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      const deadline = setTimeout(() => {
        take(`\n${tier.name}: still running after ${tier.minutes} minutes\n`);
        process.kill(-child.pid, "SIGKILL");
      }, tier.minutes * 60_000);
      child.on("close", (code) => {
        clearTimeout(deadline);
        log.end();
        resolve(code ?? 1);
      });
    });
  }
}

/** What took how long, in the order of their ends. */
function table(runs) {
  const row = (name, seconds, passed, failed) => `${name.padEnd(14)} ${seconds.padStart(8)} ${passed.padStart(7)} ${failed.padStart(7)}`;
  const rows = runs.map(({ tier, seconds, passed, failed }) => row(tier.name, seconds.toFixed(1), String(passed), String(failed)));
  const sum = (key) => String(runs.reduce((total, run) => total + run[key], 0));
  return [row("tier", "seconds", "passed", "failed"), ...rows, row("all", secondsSince(started).toFixed(1), sum("passed"), sum("failed"))].join("\n");
}

const [form, ...only] = process.argv.slice(2);
const chosen = (tiers[form] ?? []).filter((tier) => only.length === 0 || only.includes(tier.name));
mkdirSync(logs, { recursive: true });
const ended = [];
const running = new Map(); // Run → promise of it, finished
const waiting = [...chosen];
const pulse = setInterval(() => [...running.keys()].forEach((run) => say(`  … ${run.progress}`)), 30_000);
while (waiting.length > 0 || running.size > 0) {
  for (let tier; (tier = next(waiting, [...running.keys()].map((run) => run.tier))); ) {
    waiting.splice(waiting.indexOf(tier), 1);
    const run = new Run(tier, `${chosen.length - waiting.length} of ${chosen.length}`);
    running.set(run, run.finish());
  }
  const run = await Promise.race(running.values());
  running.delete(run);
  ended.push(run);
  if (run.failed && run.tier.stopsAll) break;
}
clearInterval(pulse);
if (ended.length > 0) console.log(`\n${table(ended)}\n`);
for (const run of ended) if (run.failed) console.log(`failed: ${run.tier.name}, its output is in build/logs/${run.tier.name}.log`);
const passed = ended.reduce((total, run) => total + run.passed, 0);
const failed = ended.reduce((total, run) => total + run.failed, chosen.length === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

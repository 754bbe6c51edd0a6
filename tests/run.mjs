// Runs the tiers of `make test` or `make prove`, two at a time, and counts honestly: a tier that ran nothing, or
// whose count cannot be read, has failed. Each tier's whole output goes to build/logs.
//
//   node tests/run.mjs test|prove [tier …]
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mayBegin } from "./order.mjs";
import { tiers } from "./tiers.mjs";
import { count, failures } from "./count.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const logs = join(root, "build", "logs");
const started = Date.now();

function say(line) {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(7);
  console.log(`[${seconds}] ${line}`);
}

/** Runs one tier's command to its end or its deadline; resolves with exit code and output. */
function execute(tier) {
  return new Promise((resolve) => {
    const child = spawn("bash", ["-c", tier.command], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // its own process group, so that the deadline reaches everything it started
      env: { ...process.env, ...tier.env, FORCE_COLOR: "0" },
    });
    const log = createWriteStream(join(logs, `${tier.name}.log`));
    let output = "";
    let latest = "";
    const take = (chunk) => {
      output += chunk;
      log.write(chunk);
      latest = chunk.toString().trimEnd().split("\n").at(-1) || latest;
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const pulse = setInterval(() => say(`  ${tier.name}: ${latest.slice(0, 150)}`), 20_000);
    const deadline = setTimeout(() => {
      take(`\n${tier.name}: still running after ${tier.minutes} minutes\n`);
      process.kill(-child.pid, "SIGKILL");
    }, tier.minutes * 60_000);
    child.on("close", (code) => {
      clearInterval(pulse);
      clearTimeout(deadline);
      log.end();
      resolve({ code: code ?? 1, output });
    });
  });
}

async function run(tier) {
  const begun = Date.now();
  const { code, output } = await execute(tier);
  const result = count(tier.counted, code, output);
  const took = ((Date.now() - begun) / 1000).toFixed(1);
  say(`${result.failed ? "FAILED" : "ok    "} ${tier.name}: ${result.passed} passed, ${result.failed} failed (${took} s)`);
  if (result.failed) console.log(failures(tier.counted, output));
  return result;
}

const [form, ...only] = process.argv.slice(2);
const chosen = (tiers[form] ?? []).filter((tier) => only.length === 0 || only.includes(tier.name));
mkdirSync(logs, { recursive: true });
const total = { passed: 0, failed: 0 };
const failed = [];
const running = new Map(); // tier → promise of its result
const waiting = [...chosen];
while (waiting.length > 0 || running.size > 0) {
  while (waiting.length > 0 && mayBegin(waiting[0], [...running.keys()])) {
    const tier = waiting.shift();
    say(`${tier.name} …`);
    running.set(tier, run(tier).then((result) => ({ tier, result })));
  }
  const { tier, result } = await Promise.race(running.values());
  running.delete(tier);
  total.passed += result.passed;
  total.failed += result.failed;
  if (result.failed) failed.push(tier.name);
  if (result.failed && tier.stopsAll) break;
}
for (const name of failed) console.log(`failed: ${name}, its output is in build/logs/${name}.log`);
if (chosen.length === 0) total.failed = 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;

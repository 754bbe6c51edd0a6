// client-wasm/build.mjs with stand-ins for the compilers: what is left when a build ends in the middle.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const build = fileURLToPath(new URL("../../../client-wasm/build.mjs", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "oncewire-"));
const programs = join(place, "programs");
const work = join(place, "client/.work");
after(() => rmSync(place, { recursive: true, force: true }));

mkdirSync(programs);
const programsAre = (scripts) => {
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(programs, name), 0o755);
  }
};

/** Builds as far as the glue, which is none. A link writes `version` into both files, the optimizer appends to the engine. */
async function link(version, optimizer = 'for last; do :; done; echo " optimized" >> "$last"') {
  programsAre({
    ccache: "exit 1",
    "em++": `for last; do :; done
      case "$last" in
        *.mjs) printf ${version} > "$last"; printf ${version} > "\${last%.mjs}.wasm" ;;
        *) touch "$last"; echo "$last:" > "$last.d" ;;
      esac`,
    "wasm-opt": optimizer,
  });
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
  const ended = await run(process.execPath, [build, "--out", join(place, "client")], { env }).catch((error) => error);
  return ended.stderr;
}
const pair = () => ["oncewire.mjs", "oncewire.wasm"].map((name) => existsSync(join(work, name)) && readFileSync(join(work, name), "utf8"));
const noGlue = /glue is not what it was/;

test("a link that is cut short leaves no half, and is done again", async () => {
  assert.match(await link("one", "exit 1"), /wasm-opt.*failed/);
  assert.deepEqual(pair(), [false, false]);
  assert.match(await link("two"), noGlue);
  assert.deepEqual(pair(), ["two", "two optimized\n"]);
  rmSync(join(work, readdirSync(work).find((name) => name.endsWith(".o")))); // is made again, and is newer
  assert.match(await link("three", "exit 1"), /wasm-opt.*failed/);
  assert.deepEqual(pair(), ["two", "two optimized\n"]);
  assert.match(await link("four"), noGlue);
  assert.deepEqual(pair(), ["four", "four optimized\n"]);
  assert.deepEqual(readdirSync(work).filter((name) => name.includes("linking")), []);
});

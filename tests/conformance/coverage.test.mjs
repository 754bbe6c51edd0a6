// There are 110 bad inputs, numbered from 1, and each has a test that names it: in a title, as “bad input 37”,
// or as the item of a vector.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/server.mjs";

const count = 110;
const files = ["conformance", "unit", "integration", "interop"].flatMap((directory) =>
  readdirSync(join(root, "tests", directory), { recursive: true })
    .filter((name) => /\.(test\.mjs|cpp)$/.test(name) && name !== "coverage.test.mjs")
    .map((name) => join(root, "tests", directory, name)),
);

/** Numbers in titles: `test("bad input 37: …`, `TEST_CASE("bad input 50: …`, `[37, "a name", …` of a table. */
function named(text) {
  const titles = [...text.matchAll(/(?:test|TEST_CASE)\(\s*["`]bad input (\d+)/g)].map((match) => Number(match[1]));
  const isTable = /bad input \$\{number\}/.test(text);
  const rows = isTable ? [...text.matchAll(/^\s*(?:\.\.\.\[.*=> )?\[(\d+), /gm)].map((match) => Number(match[1])) : [];
  return [...titles, ...rows];
}

test("all 110 bad inputs are covered", () => {
  const vectors = JSON.parse(readFileSync(join(root, "tests/vectors/socketio_rejections.json")));
  const covered = new Set([...files.flatMap((file) => named(readFileSync(file, "utf8"))), ...vectors.map(({ item }) => item)]);
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((number) => !covered.has(number));
  assert.deepEqual(missing, []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { failureRows, measureRounds } from "./bench/rounds.mjs";

test("a measurement that fails is a row that says so, and the rest is measured", async () => {
  let calls = 0;
  const jobs = [
    { cell: "echo", who: "ours", measure: async () => ({ per_s: ++calls }) },
    { cell: "echo", who: "node", measure: async () => assert.fail("node ended with 1\nand a long trace") },
    { cell: "idle", who: "ours", measure: async () => { if (calls === 1) throw new Error("no a|b"); return { kib: 5 }; } },
  ];
  const { results, failures } = await measureRounds(jobs, 2);
  assert.deepEqual(results, { echo: { ours: { per_s: [1, 2] } }, idle: { ours: { kib: [5] } } });
  assert.deepEqual(failures.map(({ cell, who, round }) => [cell, who, round]), [["echo", "node", 1], ["idle", "ours", 1], ["echo", "node", 2]]);
  assert.deepEqual(failureRows(failures, (cell) => cell.toUpperCase()).slice(3), [
    "| ECHO | node | 1 | node ended with 1 |",
    "| IDLE | ours | 1 | no a\\|b |",
    "| ECHO | node | 2 | node ended with 1 |",
  ]);
  assert.deepEqual(failureRows([]), []);
});

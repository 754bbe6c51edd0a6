import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { judge } from "./judge.mjs";

test("an acknowledged message that is not there is lost, an unacknowledged one that is there is not", () => {
  assert.deepEqual(judge(["a:0", "a:1"], ["a:0"]), { lost: 0, duplicated: 0, reordered: 0 });
  assert.deepEqual(judge(["a:0"], ["a:0", "a:1", "b:0"]), { lost: 2, duplicated: 0, reordered: 0 });
});

test("repetition and disorder are counted for each producer", () => {
  assert.deepEqual(judge(["a:0", "b:0", "a:1", "b:1"], []), { lost: 0, duplicated: 0, reordered: 0 });
  assert.deepEqual(judge(["a:0", "a:0"], []), { lost: 0, duplicated: 1, reordered: 0 });
  assert.deepEqual(judge(["a:1", "b:5", "a:0"], []), { lost: 0, duplicated: 0, reordered: 1 });
});

/** Makes a database with Python's sqlite3 from `sql` and has check.py read it. */
function examine(sql) {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-"));
  const file = join(directory, "x.db");
  const tables = `
    CREATE TABLE rooms (id INTEGER, name TEXT, last_seq INTEGER);
    CREATE TABLE log (offset INTEGER, room INTEGER, room_seq INTEGER, data TEXT);
    CREATE TABLE producers (id INTEGER, last INTEGER, forgotten INTEGER);
    CREATE TABLE verdicts (producer INTEGER, sequence INTEGER);`;
  spawnSync("python3", ["-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.executescript(sys.argv[2]); d.commit()", file, tables + sql]);
  const answer = spawnSync("python3", ["-B", fileURLToPath(new URL("check.py", import.meta.url))], { input: `${file}\n`, encoding: "utf8" });
  rmSync(directory, { recursive: true });
  return JSON.parse(answer.stdout);
}

test("the look into the file finds what is right", () => {
  const { messages, problems } = examine(`
    INSERT INTO rooms VALUES (1, 'chat', 2);
    INSERT INTO log VALUES (1, 1, 1, '["chat message","a:0"]'), (2, 1, 2, '["chat message","a:1"]');
    INSERT INTO producers VALUES (7, 2, 0), (8, 3, 2); INSERT INTO verdicts VALUES (7, 1), (7, 2), (8, 3);`);
  assert.deepEqual(messages, [[1, "a:0"], [2, "a:1"]]);
  assert.deepEqual(problems, []);
});

test("the look into the file finds holes in the log, in a room, and in a producer's verdicts", () => {
  const hole = `INSERT INTO log VALUES (1, 1, 1, '["m","a:0"]'), (3, 1, 3, '["m","a:2"]'); INSERT INTO rooms VALUES (1, 'chat', 3);`;
  assert.equal(examine(hole).problems.filter((problem) => problem.startsWith("log:")).length, 2);
  const counter = `INSERT INTO log VALUES (1, 1, 1, '["m","a:0"]'); INSERT INTO rooms VALUES (1, 'chat', 2);`;
  assert.match(examine(counter).problems[0], /^rooms:/);
  const verdicts = "INSERT INTO producers VALUES (7, 3, 0); INSERT INTO verdicts VALUES (7, 1), (7, 3);";
  assert.match(examine(verdicts).problems[0], /^producer 7:/);
});

// The demo's judge and its schedule of faults: what is counted, and that both sides meet the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Judge } from "../../../web/demo/judge.js";
import { faultAt } from "../../../web/demo/schedule.js";
import { rowsOf } from "../../../web/demo/story.js";

/** A judge that heard these; each event is a line like "press 1" or "link up", a second apart unless it says "@ms". */
function judged(...lines) {
  const judge = new Judge();
  lines.forEach((line, i) => {
    const [said, at = i * 10] = line.split(" @");
    const [kind, first, second] = said.split(" ");
    const rest = { link: { up: first === "up" }, state: { n: Number(first), state: second }, log: { numbers: first ? first.split(",").map(Number) : [] } };
    judge.hear({ kind, at: Number(at), ...(rest[kind] ?? { n: Number(first) }) });
  });
  return judge;
}
const counts = (judge, now = 1_000_000) => {
  const { sent, lost, twice, disorder } = judge.count(now);
  return [sent, lost, twice, disorder];
};

test("what was stored and shown once counts as sent alone", () => {
  const judge = judged("page", "link up", "press 1", "press 2", "state 1 stored", "shown 1", "state 2 stored", "shown 2", "log 1,2");
  assert.deepEqual(counts(judge), [2, 0, 0, 0]);
  assert.equal(judge.count(0).waiting, 0);
});

test("a message that a page holds waits, however long, and is not lost", () => {
  const judge = judged("page", "link up", "press 1", "state 1 sent");
  assert.deepEqual(counts(judge), [1, 0, 0, 0]);
  assert.equal(judge.count(1_000_000).waiting, 1);
  assert.ok(judge.isBusy);
});

test("a message that its page forgot is lost when the next one had time to hear everything", () => {
  const forgotten = ["page", "link up", "press 1", "page", "link up @5000"];
  assert.deepEqual(counts(judged(...forgotten), 5_100), [1, 0, 0, 0]);
  assert.deepEqual(counts(judged(...forgotten)), [1, 1, 0, 0]);
  assert.deepEqual(counts(judged(...forgotten, "link down @5001")), [1, 0, 0, 0], "who is not connected heard nothing yet");
  assert.deepEqual(counts(judged(...forgotten, "shown 1 @5002")), [1, 0, 0, 0], "it had been stored");
  assert.deepEqual(counts(judged(...forgotten, "state 1 kept @5002")), [1, 0, 0, 0], "the next page holds it");
});

test("a message that its page gave up is lost unless it is there", () => {
  assert.deepEqual(counts(judged("page", "link up", "press 1", "state 1 dropped")), [1, 1, 0, 0]);
  assert.deepEqual(counts(judged("page", "link up", "press 1", "state 1 dropped", "shown 1")), [1, 0, 0, 0]);
});

test("at the end the server's log and the screen must both have it", () => {
  const shown = ["page", "link up", "press 1", "shown 1", "state 1 stored"];
  assert.deepEqual(counts(judged(...shown, "log")), [1, 1, 0, 0]);
  assert.deepEqual(counts(judged("page", "link up", "press 1", "state 1 stored", "log 1")), [1, 1, 0, 0]);
});

test("twice on one screen or twice in the log is counted once; a screen that begins anew is no repetition", () => {
  assert.deepEqual(counts(judged("page", "press 1", "shown 1", "shown 1", "shown 1")), [1, 0, 1, 0]);
  assert.deepEqual(counts(judged("page", "press 1", "shown 1", "log 1,1")), [1, 0, 1, 0]);
  assert.deepEqual(counts(judged("page", "press 1", "shown 1", "page", "shown 1")), [1, 0, 0, 0]);
});

test("what is shown after a later one is out of order", () => {
  assert.deepEqual(counts(judged("page", "press 1", "press 2", "shown 2", "shown 1")), [2, 0, 0, 1]);
  assert.deepEqual(counts(judged("page", "press 1", "press 2", "shown 2", "page", "shown 1", "shown 2")), [2, 0, 0, 0]);
});

test("another key press reopens the count", () => {
  const judge = judged("page", "press 1", "shown 1", "log 1", "press 2");
  assert.equal(judge.isCounted, false);
  assert.deepEqual(counts(judge), [2, 0, 0, 0]);
});

test("the same seed, step and chaos give the same fault, and another seed others", () => {
  const run = (seed, chaos) => Array.from({ length: 200 }, (_, step) => faultAt(seed, step, chaos));
  assert.deepEqual(run(7, 60), run(7, 60));
  assert.notDeepEqual(run(7, 60), run(8, 60));
  assert.ok(run(7, 0).every((fault) => fault === null));
  assert.ok(run(7, 100).every((fault) => fault !== null));
});

test("chaos is how many steps of a hundred have a fault, and every kind of fault comes", () => {
  const faults = Array.from({ length: 3000 }, (_, step) => faultAt(3, step, 60)).filter(Boolean);
  assert.ok(faults.length > 1650 && faults.length < 1950, String(faults.length));
  assert.deepEqual([...new Set(faults.map(({ name }) => name))].sort(), ["cut", "halfOpen", "kill", "reload", "slow", "unplug"]);
});

test("more chaos has the faults of less, and more", () => {
  for (let step = 0; step < 200; ++step) if (faultAt(5, step, 30)) assert.deepEqual(faultAt(5, step, 90), faultAt(5, step, 30));
});

test("a story tells what broke between the key press and the check, and what was lost by it", () => {
  const story = [{ at: 100, what: "press" }, { at: 101, what: "kept" }, { at: 102, what: "sent" }, { at: 900, what: "sent" }, { at: 920, what: "stored" }, { at: 921, what: "shown" }];
  const rows = rowsOf(story, [{ at: 50, what: "link lost" }, { at: 110, what: "link lost" }, { at: 2000, what: "server killed" }]);
  assert.deepEqual(rows.map(({ text }) => text), ["key press", "kept on the device", "offered, and lost", "link lost", "offered again", "COMMIT", "the check", "shown"]);
  assert.equal(rows[4].after, 800);
});

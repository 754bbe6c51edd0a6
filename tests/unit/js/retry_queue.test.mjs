import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { RetryQueue } from "../../../client-wasm/js/retry_queue.js";

let sent; // { args, answer } of every transmission
let queue;
let isConnected;

beforeEach(() => {
  sent = [];
  isConnected = true;
  queue = new RetryQueue({
    retries: 2,
    isConnected: () => isConnected,
    send: (args) => sent.push({ args: args.slice(0, -1), answer: args.at(-1) }),
  });
});

const add = (name) => {
  const answers = [];
  queue.add([name], {}, (...answer) => answers.push(answer));
  return answers;
};
const names = () => sent.map(({ args }) => args[0]);
const lost = new Error("operation has timed out");

describe("the retry queue", () => {
  test("sends one after the other, each after the answer to the one before", () => {
    const first = add("a");
    const second = add("b");
    queue.drain();
    queue.drain();
    assert.deepEqual(names(), ["a"]);
    sent[0].answer(null, "x", "y");
    assert.deepEqual(first, [[null, "x", "y"]]);
    assert.deepEqual(names(), ["a", "b"]);
    assert.deepEqual(second, []);
  });

  test("sends again after an error, retries + 1 times in all, then gives up and goes on", () => {
    const first = add("a");
    add("b");
    queue.drain();
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(first, []);
      sent[i].answer(lost);
    }
    assert.deepEqual(first, [[lost]]);
    assert.deepEqual(names(), ["a", "a", "a", "b"]);
  });

  test("sends the head again on a new link, which counts as a try", () => {
    const first = add("a");
    queue.drain();
    queue.drain({ again: true });
    queue.drain({ again: true });
    assert.deepEqual(names(), ["a", "a", "a"]);
    sent[2].answer(lost);
    assert.deepEqual(first, [[lost]]);
  });

  test("keeps the head over a lost link, whose error is a try, and sends nothing meanwhile", () => {
    const first = add("a");
    queue.drain();
    isConnected = false;
    sent[0].answer(new Error("socket has been disconnected"));
    queue.drain();
    assert.deepEqual([names(), first], [["a"], []]);
    isConnected = true;
    queue.drain({ again: true });
    sent[1].answer(null);
    assert.deepEqual([names(), first], [["a", "a"], [[null]]]);
  });

  test("an answer to an earlier try changes nothing", () => {
    const first = add("a");
    queue.drain();
    queue.drain({ again: true });
    sent[0].answer(lost);
    assert.deepEqual(names(), ["a", "a"]);
    sent[1].answer(null);
    sent[0].answer(null);
    assert.deepEqual(first, [[null]]);
  });
});

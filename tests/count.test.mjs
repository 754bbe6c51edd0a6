import assert from "node:assert/strict";
import test from "node:test";
import { count, failures, soFar } from "./count.mjs";

test("each runner's own words are read", () => {
  assert.deepEqual(count("catch2", 0, "All tests passed (900 assertions in 120 test cases)\n"), { passed: 120, failed: 0 });
  assert.deepEqual(count("catch2", 0, "\x1b[0m\x1b[1;32mAll tests passed\x1b[0m (9 assertions in 1 test case)\n"), { passed: 1, failed: 0 });
  assert.deepEqual(count("catch2", 2, "test cases: 5 | 3 passed | 2 failed\n"), { passed: 3, failed: 2 });
  assert.deepEqual(count("node", 1, "ℹ pass 7\nℹ fail 1\nℹ cancelled 1\n"), { passed: 7, failed: 2 });
  assert.deepEqual(count("node", 0, "# pass 7\n# fail 0\n# cancelled 0\n"), { passed: 7, failed: 0 });
  assert.deepEqual(count("playwright", 1, "  1 failed\n    a.spec.mjs:3:1 › x\n  1 flaky\n  11 passed (1.2m)\n"), { passed: 11, failed: 2 });
  assert.deepEqual(count("plain", 0, "3 passed, 0 failed\n9 passed, 0 failed\n"), { passed: 9, failed: 0 });
});

test("what has ended so far is counted while the rest runs", () => {
  assert.equal(soFar("node", "ok 1 - a\n    not ok 2 - b\n  ---\n"), 2);
  assert.equal(soFar("playwright", "  ✓   1 e2e/a.spec.mjs:3:1 › x (2s)\n  ✘  12 e2e/b.spec.mjs:3:1 › y (2s)\n"), 2);
  assert.equal(soFar("plain", "ok      lint: fine\nFAILED  x\nokay\n"), 2);
  assert.equal(soFar("catch2", "ok 1 - a\n"), 0);
  assert.equal(soFar("exit", "\n\n"), 0);
});

test("a tier that ran nothing has failed", () => {
  for (const how of ["catch2", "node", "playwright", "plain"]) {
    assert.deepEqual(count(how, 0, "nothing to see"), { passed: 0, failed: 1 }, how);
  }
  assert.deepEqual(count("node", 0, "# pass 0\n# fail 0\n"), { passed: 0, failed: 1 });
});

test("a bad exit is a failure, whatever was counted", () => {
  assert.deepEqual(count("plain", 1, "9 passed, 0 failed\n"), { passed: 9, failed: 1 });
  assert.deepEqual(count("exit", 134, ""), { passed: 0, failed: 1 });
});

test("a failed test is told by name and reason, wherever in the output it stands", () => {
  const output = ["TAP version 13", "    not ok 2 - only members hear it", "      ---", "      error: 'no ben'", "      ...", "ok 3 - more"];
  const told = failures("node", [...output, ...Array.from({ length: 500 }, (_, i) => `ok ${i}`)].join("\n"));
  assert.equal(told, output.slice(1, 4).join("\n"));
  assert.equal(failures("plain", "a\nb\n"), "a\nb");
});

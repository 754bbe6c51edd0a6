import assert from "node:assert/strict";
import { test } from "node:test";
import { mayBegin } from "./order.mjs";
import { tiers } from "./tiers.mjs";

const a = { name: "a" };
const b = { name: "b" };
const alone = { name: "alone", alone: true };

test("two at a time", () => {
  assert.equal(mayBegin(a, []), true);
  assert.equal(mayBegin(a, [b]), true);
  assert.equal(mayBegin(a, [b, { name: "c" }]), false);
});

test("nothing beside a tier that is alone", () => {
  assert.equal(mayBegin(alone, []), true);
  assert.equal(mayBegin(alone, [a]), false);
  assert.equal(mayBegin(a, [alone]), false);
});

test("not beside the one it is after", () => {
  assert.equal(mayBegin({ name: "c", after: "a" }, [a]), false);
  assert.equal(mayBegin({ name: "c", after: "a" }, [b]), true);
});

test("a tier that is after another comes after it in the list", () => {
  for (const list of Object.values(tiers)) {
    const names = list.map((tier) => tier.name);
    for (const { name, after } of list) if (after) assert.ok(names.indexOf(after) < names.indexOf(name), name);
  }
});

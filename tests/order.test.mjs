import assert from "node:assert/strict";
import { test } from "node:test";
import { next } from "./order.mjs";
import { tiers } from "./tiers.mjs";

const a = { name: "a" };
const b = { name: "b" };
const c = { name: "c", after: "a" };
const alone = { name: "alone", alone: true };

test("two at a time, in order", () => {
  assert.equal(next([a, b], []), a);
  assert.equal(next([b], [a]), b);
  assert.equal(next([b], [a, { name: "d" }]), undefined);
  assert.equal(next([], [a]), undefined);
});

test("nothing beside a tier that is alone, and nothing overtakes it", () => {
  assert.equal(next([alone, a], []), alone);
  assert.equal(next([alone, a], [b]), undefined);
  assert.equal(next([a], [alone]), undefined);
});

test("not before the one it is after has ended; others go on", () => {
  assert.equal(next([c, b], [a]), b);
  assert.equal(next([c], [b]), c);
  assert.equal(next([a, c], [b]), a);
});

test("a tier that is after another comes after it in the list", () => {
  for (const list of Object.values(tiers)) {
    const names = list.map((tier) => tier.name);
    for (const { name, after } of list) if (after) assert.ok(names.indexOf(after) < names.indexOf(name), name);
  }
});

test("no two tiers of a form have one name", () => {
  for (const list of Object.values(tiers)) assert.equal(new Set(list.map((tier) => tier.name)).size, list.length);
});

// Which names are taken for one another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { looksOf } from "../../../web/lookalike.js";

const areAlike = (one, two) => [...looksOf(one)].some((look) => looksOf(two).has(look));

test("a name that looks like another is taken for it", () => {
  const admins = [
    "admin", "ADMIN", " Admin ", "Αdmin", "Аdmin", "Admın", "Admіn", "Adm1n", "AdmIn", "Admln", "Ad\u200bmin", "Ad\u034fmin",
    "Admin\ufe0f", "Admin\u3164", "\u2800Admin", "Admin\u00a0", "Ａｄｍｉｎ", "𝐀𝐝𝐦𝐢𝐧", "Adrnin", "Ꭺdmin", "Adm\u0456n", "Ad\u{e0041}min",
  ];
  for (const name of admins) assert.ok(areAlike("Admin", name), JSON.stringify(name));
  assert.ok(areAlike("Ann Lee", "Ann\u2003Lee"));
  assert.ok(areAlike("paypal", "раураl"));
});

test("other names are not", () => {
  for (const [one, two] of [["Ann", "Anna"], ["Ann", "Anne"], ["Ben", "Den"], ["李", "王"], ["田中", "田口"], ["Ann Lee", "AnnLee"], ["José", "Jose"]]) {
    assert.ok(!areAlike(one, two), `${one} ${two}`);
  }
});

test("names of any length and kind are looked at", () => {
  for (const name of ["", " ", "\u3164", "x".repeat(10_000), "\ud800", "`${}\\"]) assert.ok(looksOf(name).size > 0);
});

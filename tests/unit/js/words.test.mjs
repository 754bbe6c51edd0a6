// The page's words: every catalogue says what the English one says, with the same names and numbers in it.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { en } from "../../../web/words/en.js";
import { made } from "../../../web/words/plural.js";

const folder = new URL("../../../web/words/", import.meta.url);
const codes = readdirSync(folder)
  .map((name) => name.replace(".js", ""))
  .filter((code) => !["plural", "pseudo"].includes(code));
const catalogues = new Map();
for (const code of codes) catalogues.set(code, (await import(new URL(`${code}.js`, folder)))[code]);

const isGroup = (value) => typeof value === "object";
/** "line.slow" → its text, for every text. `direction` is what only some languages have. */
const flat = (words, prefix = "") =>
  Object.entries(words)
    .filter(([key]) => key !== "direction")
    .flatMap(([key, value]) => (isGroup(value) ? flat(value, `${prefix}${key}.`) : [[prefix + key, value]]));

const spoken = new Map(flat(en));
// Numbers that no language writes as a word, and none of whose digits stand in a text by themselves.
const called = {
  counted: (text) => String(text(777)),
  named: (text) => String(text("«name»", 0, "«state»")),
};
const listed = new Set(["joined", "left", "typing"]);

for (const [code, words] of catalogues) {
  test(`${code} has each text, and none that is not used`, () => {
    const keys = flat(words).map(([key]) => key);
    assert.deepEqual(keys.toSorted(), [...spoken.keys()].toSorted());
  });

  test(`${code} says what English says with the names and numbers it is given`, () => {
    for (const [key, text] of flat(words)) {
      assert.equal(typeof text, typeof spoken.get(key), key);
      if (typeof text !== "function") {
        assert.equal(text === "", spoken.get(key) === "", key);
        continue;
      }
      if (listed.has(key)) {
        assert.match(text(["«one»", "«two»"], 0), /«one».*«two»/, key);
        assert.match(text(["«one»", "«two»"], 777), /77[79]/, key);
        continue;
      }
      for (const [way, call] of Object.entries(called)) {
        const has = (said) => ["777", "«name»", "«state»"].filter((part) => said.includes(part));
        assert.deepEqual(has(call(text)), has(call(spoken.get(key))), `${key}, ${way}`);
      }
    }
  });

  test(`${code} has every plural form that Intl asks for`, () => {
    const asked = new Intl.PluralRules(code).resolvedOptions().pluralCategories.toSorted();
    for (const { forms } of made.filter(({ language }) => language === code))
      assert.deepEqual(Object.keys(forms).toSorted(), asked, JSON.stringify(forms));
  });
}

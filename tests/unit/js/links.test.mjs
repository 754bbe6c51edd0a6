import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

// A file of the page, which no package.json calls a module.
const source = readFileSync(new URL("../../../web/links.js", import.meta.url), "utf8");
const { findAddresses } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const found = (text) => [...findAddresses(text)].map(({ from, to, href }) => [text.slice(from, to), href]);

describe("an address in a text becomes a link", () => {
  const cases = [
    ["see https://example.org/a?b=c#d.", [["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"]]],
    ["(https://example.org/Foo_(bar)).", [["https://example.org/Foo_(bar)", "https://example.org/Foo_(bar)"]]],
    ["HTTP://EXAMPLE.ORG!?", [["HTTP://EXAMPLE.ORG", "http://example.org/"]]],
    ['"https://a.example" <https://b.example>', [["https://a.example", "https://a.example/"], ["https://b.example", "https://b.example/"]]],
    ["看https://example.org，很好", [["https://example.org", "https://example.org/"]]],
    ["mailto:ann@example.org", [["mailto:ann@example.org", "mailto:ann@example.org"]]],
    ["www.example.org/path, and", [["www.example.org/path", "https://www.example.org/path"]]],
    ["Www.Example.org", [["Www.Example.org", "https://www.example.org/"]]],
    ["write to ann.lee+tea@mail.example.org.", [["ann.lee+tea@mail.example.org", "mailto:ann.lee+tea@mail.example.org"]]],
    ["ann@example.org,ben@example.org", [["ann@example.org", "mailto:ann@example.org"], ["ben@example.org", "mailto:ben@example.org"]]],
    ["ann@bücher.example", [["ann@bücher.example", "mailto:ann@bücher.example"]]],
    ["https://user@example.org/", [["https://user@example.org/", "https://user@example.org/"]]],
  ];
  for (const [text, wanted] of cases) test(text, () => assert.deepEqual(found(text), wanted));
});

describe("what only looks like one stays text", () => {
  const cases = ["javascript:alert(1)", "xhttps://example.org", "https://", "www.", "www.example", "www..org", "@ann", "ann@", "ann@localhost",
    "ann@example..org", ".@example.org", "a@b@c", "ann@-example.org", "ann@example.1", "data:text/html,x", `${"a".repeat(65)}@example.org`];
  for (const text of cases) test(text, () => assert.deepEqual(found(text), []));
});

test("an address of more than 2,048 characters is none", () => {
  const fits = `https://example.org/${"a".repeat(2048 - 20)}`;
  assert.deepEqual(found(`${fits} x`).map(([address]) => address), [fits]);
  assert.deepEqual(found(`${fits}a x`), []);
  assert.deepEqual(found(`${fits}a ann@example.org`).map(([address]) => address), ["ann@example.org"]);
});

describe("whoever writes it, each character is looked at a bounded number of times", () => {
  /** How often the search reads a character of `text`. */
  const reads = (text) => {
    let count = 0;
    const at = (i) => (count++, text[i]);
    for (const address of findAddresses(text, at)) assert.ok(address);
    return count;
  };
  const parts = [".", ")", "(", "https://", "https://x.org/...", "https://x.org/))))", "@", "a@", "a.a@a", "a@b-", "www.", "www.a", "mailto:", "x", "，", "-@-", "a@b.cc"];
  for (const part of parts) {
    for (const text of [part.repeat(4096), `https://x.org/${part.repeat(4096)}`, `https://x.org/${part.repeat(4096)}y`, `${part.repeat(4096)} y`, `a@${part.repeat(4096)}y`]) {
      test(`${text.slice(0, 30)}… of ${text.length}`, () => assert.ok(reads(text) <= 8 * text.length, `${reads(text)} reads of ${text.length} characters`));
    }
  }
});

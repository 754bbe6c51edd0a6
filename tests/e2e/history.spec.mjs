// A long history: loaded in pages from its end, and read without a jump or a stutter.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/server.mjs";
import { say } from "../support/stock.mjs";
import { expect, numbered, test } from "./chat_page.mjs";

/** Stores `count` messages "long-1" … in the main room. */
async function fill(socket, count) {
  for (let i = 1; i <= count; i += 500) {
    const some = Array.from({ length: Math.min(500, count - i + 1) }, (_, k) => `long-${i + k}`);
    await Promise.all(some.map((text) => say(socket, text)));
  }
}

test("earlier messages load above, without moving what is being read", async ({ visit, friend }) => {
  await fill(friend.socket, 3000);
  const ann = await visit();
  await expect(ann.message(/long-3000(?!\d)/)).toBeInViewport();
  await expect.poll(() => ann.messages.count()).toBeGreaterThanOrEqual(2000); // what is loaded by itself
  const scroller = ann.page.getByRole("group", { name: "Conversation" });
  const top = () =>
    scroller.evaluate(async (node) => {
      for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame); // heights that were estimated settle
      const edge = node.getBoundingClientRect().top;
      const first = [...node.querySelectorAll("[data-id]")].find((each) => each.getBoundingClientRect().bottom > edge);
      return { id: first.dataset.id, top: Math.round(first.getBoundingClientRect().top) };
    });
  const count = await ann.messages.count();
  await scroller.evaluate((node) => (node.scrollTop = 1000));
  const before = await top();
  await expect.poll(() => ann.messages.count()).toBeGreaterThan(count);
  const after = await top();
  expect(after.id).toBe(before.id);
  expect(Math.abs(after.top - before.top)).toBeLessThanOrEqual(2);
});

test("10,000 messages: opened at the newest, and while they are scrolled only those nearby are laid out @long", async ({ visit, friend }) => {
  test.setTimeout(180_000);
  await fill(friend.socket, 10_000);
  const ann = await visit({ empty: true });
  await ann.page.goto(ann.proxy.url);
  const begun = Date.now();
  await expect(ann.message(/long-10000(?!\d)/)).toBeInViewport();
  const opened = Date.now() - begun;
  const scroller = ann.page.getByRole("group", { name: "Conversation" });
  const scrolledUp = async () => {
    await scroller.evaluate((node) => (node.scrollTop = 0));
    return ann.messages.count();
  };
  await expect.poll(scrolledUp, { intervals: [50], timeout: 120_000 }).toBe(10_000);
  // The frames of a long scroll, in milliseconds: told, not judged, since other processes want a part of the machine.
  const frames = await scroller.evaluate(async (node) => {
    const times = [];
    let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 300; i++) {
      node.scrollTop += 400;
      const now = await new Promise(requestAnimationFrame);
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  const memory = await ann.page.evaluate(() => Math.round((performance.memory?.usedJSHeapSize ?? 0) / 1e6));
  console.log(`10,000 messages: opened in ${opened} ms; frames ${frames[150].toFixed(1)} ms in the middle, ${frames[285].toFixed(1)} ms at 95 %; ${memory} MB of JavaScript`);
  const laidOut = await ann.messages.evaluateAll((nodes) => nodes.filter((node) => node.checkVisibility({ contentVisibilityAuto: true })).length);
  expect(laidOut).toBeGreaterThan(0);
  expect(laidOut).toBeLessThan(1000);
});

test.describe("where only three messages of a room are kept", () => {
  test.use({ config: "[server]\nkeep_messages = 3\n" });
  test("who was away for longer is told that something is missing, and where", async ({ visit, server, friend }) => {
    const ann = await visit();
    await ann.say("kept-1");
    await ann.showsExactly(["kept-1"]);
    ann.proxy.refuseSockets();
    for (const text of numbered("kept", 7, 2)) await say(friend.socket, text);
    await server.restart(); // which removes what is too much
    const ben = await visit();
    await expect(async () => {
      await ben.page.reload();
      await ben.showsExactly(numbered("kept", 3, 6), 5000);
    }).toPass({ timeout: 60_000 });
    ann.proxy.putUp();
    await ann.showsExactly(["kept-1", ...numbered("kept", 3, 6)]);
    const lines = await ann.log.locator(".notice, [data-state]").evaluateAll((nodes) => nodes.map((node) => node.textContent));
    const lost = lines.findIndex((line) => line.includes("not kept that long"));
    expect(lines[lost - 1]).toContain("kept-1");
    expect(lines[lost + 1]).toContain("kept-6");
  });
});

// The fourth is written before the page has read the first three from this device; the clock may have been set back.
for (const clock of ["goes on", "was set back"])
  test(`what was said while the page was still reading what this device kept stands behind it; the clock ${clock}`, async ({ visit }) => {
    const ann = await visit();
    // The modules as they are written; the page has them in one file.
    for (const name of readdirSync(join(root, "web"), { recursive: true }).filter((each) => each.endsWith(".js")))
      ann.proxy.pages.set(`/web/${name}`, { type: "text/javascript", body: readFileSync(join(root, "web", name)) });
    const client = "socket.io/socket.io.esm.min.js";
    ann.proxy.pages.set(`/web/${client}`, { type: "text/javascript", body: readFileSync(join(root, "build/client", client.slice(10))) });
    const seen = await ann.page.evaluate(async (isBack) => {
      const { Timeline } = await import("/web/timeline.js");
      const timeline = new Timeline((show) => show());
      const texts = () => [...timeline.element.querySelectorAll("[data-state]")].map((node) => node.innerText.match(/said-\d/)[0]);
      const post = (n) => ({ text: `said-${n}`, at: isBack ? 1000 - n : 1000 + n, key: `p:${n}` });
      const entry = (n) => ({ id: n, key: `p:${n}`, event: "chat message", args: [`said-${n}`], state: "queued", saved: true });
      document.body.append(timeline.element);
      for (const n of [4, 1, 2, 3]) timeline.showEntry(entry(n), post(n));
      const waiting = texts();
      timeline.addOlder([3, 2, 1].map((n) => ({ ...post(n), id: n }))); // the server had them
      timeline.showEntry({ ...entry(4), state: "accepted", results: [{ id: 4 }] }, post(4));
      return { waiting, stored: texts() };
    }, clock === "was set back");
    if (clock === "goes on") expect(seen.waiting).toEqual(numbered("said", 4));
    expect(seen.stored).toEqual(numbered("said", 4));
  });

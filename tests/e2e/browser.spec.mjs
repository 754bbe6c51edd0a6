// What browsers do to a page: kill it, crash it, freeze it, put it away and bring it back. What was shown as
// queued survives all of it, once and in order.
import { KeptBrowser } from "./browser.mjs";
import { ChatPage, expect, numbered, test as base } from "./chat_page.mjs";
import { Proxy } from "./proxy.mjs";

const test = base.extend({
  /** One person's browser that can be killed: page() opens the chat in it, always behind the same wire. */
  kept: async ({ server }, use) => {
    const browser = await KeptBrowser.start();
    const proxy = await Proxy.to(server.port);
    await use({ browser, proxy, page: async () => new ChatPage(await browser.context.newPage(), proxy).open() });
    await browser.remove();
    await proxy.close();
  },
});

/** Says them, and waits until each is at least stored in the browser. */
async function write(chat, texts) {
  await chat.say(...texts);
  await expect(chat.message(new RegExp(`${texts.at(-1)}(?!\\d)`))).not.toHaveAttribute("data-state", "saving");
}

const long = process.env.LONG ? 600_000 : undefined;

for (const { rounds, tag = "" } of [{ rounds: 2 }, { rounds: 15, tag: " @long" }]) {
  test(`the browser is killed after messages were written, ${rounds} times${tag}`, async ({ kept, friend }) => {
    if (long) test.setTimeout(long);
    for (let round = 0; round < rounds; round++) {
      const ann = await kept.page();
      if (round % 2) kept.proxy.refuseSockets();
      await write(ann, numbered("kill", 4, round * 4 + 1));
      await kept.browser.kill();
      kept.proxy.putUp();
      await kept.browser.start();
    }
    const ann = await kept.page();
    await ann.showsExactly(numbered("kill", 4 * rounds));
    await friend.transcript.count(4 * rounds);
    expect(friend.transcript.texts).toEqual(numbered("kill", 4 * rounds));
  });
}

for (const { rounds, tag = "" } of [{ rounds: 4 }, { rounds: 60, tag: " @long" }]) {
  test(`refresh in the middle of sending, ${rounds} times${tag}`, async ({ visit, friend }) => {
    if (long) test.setTimeout(long);
    const ann = await visit();
    for (let round = 0; round < rounds; round++) {
      await write(ann, numbered("fresh", 3, round * 3 + 1));
      await ann.page.reload();
      await expect(ann.composer).toBeEditable();
    }
    await friend.transcript.count(3 * rounds);
    expect(friend.transcript.texts).toEqual(numbered("fresh", 3 * rounds));
    await expect.poll(async () => (await ann.shown()).at(-1)?.text).toBe(`fresh-${3 * rounds}`);
  });
}

test("the page crashes with messages waiting, and another tab sends them", async ({ kept, friend }) => {
  const ann = await kept.page();
  kept.proxy.refuseSockets();
  await write(ann, numbered("crash", 5));
  const crashed = ann.page.waitForEvent("crash");
  ann.page.goto("chrome://crash").catch(() => {});
  await crashed;
  kept.proxy.putUp();
  const again = await kept.page();
  await again.showsExactly(numbered("crash", 5));
  await friend.transcript.count(5);
  expect(friend.transcript.texts).toEqual(numbered("crash", 5));
});

test("a page that is left with messages waiting and come back to goes on", async ({ kept, friend }) => {
  kept.proxy.pages.set("/elsewhere", { type: "text/html", body: Buffer.from("<!doctype html><title>elsewhere</title>") });
  const ann = await kept.page();
  await write(ann, ["back-1"]);
  kept.proxy.refuseSockets();
  await write(ann, numbered("back", 3, 2));
  await ann.page.goto(`${kept.proxy.url}/elsewhere`);
  kept.proxy.putUp();
  // goBack() waits for a load, and out of the cache there is none; a page that leaves at once answers nobody.
  await ann.page.evaluate(() => history.back()).catch(() => {});
  await expect(ann.composer).toBeEditable();
  await ann.say("back-5");
  await ann.showsExactly(numbered("back", 5));
  await friend.transcript.count(5);
  expect(friend.transcript.texts).toEqual(numbered("back", 5));
});

test("a page that was frozen shows what it missed, once, and sends what it had", async ({ visit, friend }) => {
  const ann = await visit();
  await write(ann, ["ice-1"]);
  await ann.showsExactly(["ice-1"]);
  ann.proxy.refuseSockets();
  await write(ann, ["ice-2"]);
  const devtools = await ann.page.context().newCDPSession(ann.page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  ann.proxy.putUp();
  for (const text of numbered("ice", 3, 3)) await new Promise((stored) => friend.socket.emit("chat message", text, stored));
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  await expect(ann.message("ice-2")).toHaveAttribute("data-state", "delivered");
  await friend.transcript.count(5);
  await ann.showsExactly(friend.transcript.texts);
  expect([...friend.transcript.texts].sort()).toEqual(numbered("ice", 5));
});

test("five tabs of one person write while their links break", async ({ visit, friend }) => {
  const first = await visit();
  const others = await Promise.all(numbered("tab", 4).map(() => visit({ context: first.page.context(), proxy: first.proxy })));
  const tabs = [first, ...others];
  const cuts = setInterval(() => first.proxy.cut(), 300);
  await Promise.all(tabs.map((tab, i) => write(tab, numbered("abcde"[i], 6))));
  clearInterval(cuts);
  await friend.transcript.count(30);
  const { texts } = friend.transcript;
  for (const word of "abcde") expect(texts.filter((text) => text.startsWith(word))).toEqual(numbered(word, 6));
  for (const tab of tabs) await tab.showsExactly(texts);
});

for (const { count, tag = "" } of [{ count: 300 }, { count: 10_000, tag: " @long" }]) {
  test(`${count} messages written in three days without a link, with a refresh between, arrive in order${tag}`, async ({ visit, friend }) => {
    if (long) test.setTimeout(long);
    const ann = await visit({ empty: true });
    ann.proxy.pages.set("/writer", {
      type: "text/html",
      body: Buffer.from('<!doctype html><script src="/socket.io/socket.io.js"></script><script>const socket = io({ delivery: "exactly-once" });</script>'),
    });
    await ann.page.clock.install();
    await ann.page.goto(`${ann.proxy.url}/writer`);
    await ann.page.waitForFunction("socket.connected");
    ann.proxy.refuseSockets();
    const texts = numbered("day", count);
    for (let day = 0; day < 3; day++) {
      const from = Math.ceil((day * count) / 3);
      const said = texts.slice(from, Math.ceil(((day + 1) * count) / 3));
      await ann.page.evaluate((list) => list.forEach((text) => socket.emit("chat message", text)), said);
      await ann.page.waitForFunction((size) => socket.outbox.entries().filter(({ state }) => state !== "saving").length === size, from + said.length);
      await ann.page.clock.fastForward("24:00:00");
      if (day === 1) await ann.page.reload();
    }
    ann.proxy.putUp();
    await expect.poll(() => friend.transcript.messages.length, { timeout: 120_000 }).toBe(count);
    expect(friend.transcript.texts).toEqual(texts);
    await ann.page.waitForFunction("socket.outbox.size === 0");
  });
}

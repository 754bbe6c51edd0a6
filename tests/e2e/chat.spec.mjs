// The stories of the chat page: whatever happens to wire, tab or server, every message ends up on every
// screen once and in order.
import { say } from "../support/stock.mjs";
import { expect, numbered, test } from "./chat_page.mjs";

test("two people chat", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  await ann.say("hello-1");
  await expect(ben.message("hello-1")).toHaveAttribute("data-state", "received");
  await expect(ann.message("hello-1")).toHaveAttribute("data-state", "delivered");
  await ben.say("hello-2");
  const ids = await ann.showsExactly(["hello-1", "hello-2"]);
  expect(await ben.showsExactly(["hello-1", "hello-2"])).toEqual(ids);
});

test("the Send button sends, an empty composer does not", async ({ visit }) => {
  const ann = await visit();
  await ann.send.click();
  await ann.composer.fill("button-1");
  await ann.send.click();
  await ann.showsExactly(["button-1"]);
  await expect(ann.composer).toHaveValue("");
});

test("markup is text", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  await ann.say("<img src=x onerror=alert(1)> mark-1");
  await expect(ben.messages).toHaveCount(1);
  await expect(ben.messages).toContainText("<img src=x onerror=alert(1)>");
  await expect(ben.log.locator("img")).toHaveCount(0);
});

test("a message is never shown delivered before the server has it", async ({ visit }) => {
  const ann = await visit({ empty: true });
  await ann.page.clock.install();
  await ann.open();
  await ann.say("early-1");
  await ann.showsExactly(["early-1"]);
  ann.proxy.stall();
  await ann.say("early-2");
  await expect(ann.message("early-2")).toHaveAttribute("data-state", /^(queued|sent)$/);
  await ann.page.clock.fastForward(10_000); // long enough for a page that guesses, too short for one that misses a ping
  await expect(ann.message("early-2")).toHaveAttribute("data-state", /^(queued|sent)$/);
  await expect(ann.message("early-2")).not.toHaveAttribute("data-id");
  ann.proxy.resume();
  await ann.showsExactly(["early-1", "early-2"]);
});

// One place each way, and more in the long form; the simulator cuts links anywhere.
for (const [direction, bytes, tag = ""] of [["up", 1, " @long"], ["up", 60], ["up", 300, " @long"], ["down", 1, " @long"], ["down", 40], ["down", 200, " @long"]]) {
  test(`the link breaks ${bytes} bytes later on the way ${direction}, while sending${tag}`, async ({ visit, friend }) => {
    const ann = await visit();
    await ann.say("cut-1");
    await ann.showsExactly(["cut-1"]);
    const cut = ann.proxy.cutAfter(bytes, direction);
    await ann.say(...numbered("cut", 9, 2));
    await cut;
    await ann.showsExactly(numbered("cut", 10));
    await friend.transcript.count(10);
    expect(friend.transcript.texts).toEqual(numbered("cut", 10));
  });
}

test("the link breaks again and again while both write", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  const cuts = setInterval(() => (ann.proxy.cut(), ben.proxy.reset()), 150);
  await Promise.all([ann.say(...numbered("ann", 25)), ben.say(...numbered("ben", 25))]);
  clearInterval(cuts);
  await expect.poll(async () => (await ann.shown()).filter((m) => m.id !== null).length, { timeout: 30_000 }).toBe(50);
  const texts = (await ann.shown()).map((message) => message.text);
  expect(texts.filter((text) => text.startsWith("ann"))).toEqual(numbered("ann", 25));
  expect(texts.filter((text) => text.startsWith("ben"))).toEqual(numbered("ben", 25));
  expect(await ben.showsExactly(texts)).toEqual(await ann.showsExactly(texts));
});

test("refresh with queued messages, the server out of reach", async ({ visit, friend }) => {
  const ann = await visit();
  await ann.say("queue-1");
  await ann.showsExactly(["queue-1"]);
  ann.proxy.refuseSockets();
  await ann.say(...numbered("queue", 5, 2));
  for (const text of numbered("queue", 5, 2)) {
    await expect(ann.message(text)).toHaveAttribute("data-state", "queued");
  }
  await ann.page.reload();
  await expect.poll(async () => (await ann.shown()).filter((m) => m.state === "queued").map((m) => m.text)).toEqual(numbered("queue", 5, 2));
  ann.proxy.putUp();
  await ann.showsExactly(numbered("queue", 6));
  await friend.transcript.count(6);
  expect(friend.transcript.texts).toEqual(numbered("queue", 6));
});

test("refresh with queued messages, the server dead", async ({ visit, server, friend }) => {
  const ann = await visit();
  await server.end("SIGKILL");
  await ann.say(...numbered("down", 5));
  await expect(ann.message("down-5")).toHaveAttribute("data-state", "queued");
  await ann.page.reload().catch(() => {}); // the browser's own error page
  await server.start();
  await expect(() => ann.open()).toPass(); // the error page may still be on its way
  await ann.showsExactly(numbered("down", 5));
  await friend.transcript.count(5);
  expect(friend.transcript.texts).toEqual(numbered("down", 5));
});

test("kill -9 and restart of the server with messages in flight", async ({ visit, server }) => {
  const ann = await visit();
  const ben = await visit();
  const writing = ann.say(...numbered("crash", 60));
  for (const seen of [5, 20, 40]) {
    await expect.poll(async () => (await ann.shown()).length).toBeGreaterThan(seen);
    await server.restart();
  }
  await writing;
  const ids = await ann.showsExactly(numbered("crash", 60));
  expect(await ben.showsExactly(numbered("crash", 60))).toEqual(ids);
});

test("1,000 messages while the other page is away", async ({ visit, friend }) => {
  const ben = await visit();
  await say(friend.socket, "away-1");
  await ben.showsExactly(["away-1"]);
  ben.proxy.takeDown();
  await Promise.all(numbered("away", 1000, 2).map((text) => say(friend.socket, text, text)));
  ben.proxy.putUp();
  await ben.showsExactly(numbered("away", 1001));
});

test("what is rejected stays before its author's eyes, and the next message goes on", async ({ visit, friend }) => {
  const ann = await visit();
  ann.proxy.refuseSockets();
  const long = "long".repeat(8300); // the client takes it, the server does not
  await ann.say(`${long} large-1`, `${long.repeat(2)} large-2`, "small-3");
  await expect(ann.message("large-2")).toHaveAccessibleName(/not sent: the message is too large$/);
  await expect(ann.message("large-1")).toHaveAttribute("data-state", "queued");
  ann.proxy.putUp();
  await expect(ann.message("large-1")).toHaveAccessibleName(/not sent: the text is too long$/);
  await expect(ann.message("small-3")).toHaveAttribute("data-state", "delivered");
  for (const text of numbered("large", 2)) await expect(ann.message(text)).toHaveAttribute("data-state", "rejected");
  await friend.transcript.count(1);
  await ann.page.reload();
  await ann.showsExactly(["small-3"]);
  expect(friend.transcript.texts).toEqual(["small-3"]);
});

test("Disconnect and Connect", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  await expect(ben.toggle).toHaveText("Disconnect");
  await ben.toggle.click();
  await expect(ben.toggle).toHaveText("Connect");
  await ann.say("toggle-1");
  await ann.showsExactly(["toggle-1"]);
  await expect(ben.messages).toHaveCount(0);
  await ben.say("toggle-2");
  await expect(ben.message("toggle-2")).toHaveAttribute("data-state", "queued");
  await ben.toggle.click();
  await expect(ben.toggle).toHaveText("Disconnect");
  await ann.showsExactly(["toggle-1", "toggle-2"]);
  await ben.showsExactly(["toggle-1", "toggle-2"]);
});

test("a half-open link: the page comes back on a new one and nothing is there twice", async ({ visit, friend }) => {
  const ann = await visit();
  await ann.say("half-1");
  await ann.showsExactly(["half-1"]);
  ann.proxy.halfOpen();
  await ann.say(...numbered("half", 3, 2));
  await say(friend.socket, "half-5");
  await expect(ann.message("half-4")).toHaveAttribute("data-state", /^(queued|sent)$/);
  await ann.page.reload();
  await ann.showsExactly(["half-1", "half-5", "half-2", "half-3", "half-4"]);
  await friend.transcript.count(5);
  expect(friend.transcript.texts).toEqual(["half-1", "half-5", "half-2", "half-3", "half-4"]);
});

test("a slow wire in small pieces", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  for (const { proxy } of [ann, ben]) Object.assign(proxy, { delay: 40, sliceBytes: 3 });
  await ann.say(...numbered("slow", 12));
  await ben.showsExactly(numbered("slow", 12));
  await ann.showsExactly(numbered("slow", 12));
});

test("page and stock client see each other", async ({ visit, friend }) => {
  const ann = await visit();
  await ann.say("mixed-1");
  await friend.transcript.heard("mixed-1");
  await say(friend.socket, "mixed-2", "f-1");
  await say(friend.socket, "mixed-2", "f-1");
  await ann.say("mixed-3");
  const ids = await ann.showsExactly(numbered("mixed", 3));
  await friend.transcript.count(3);
  expect(friend.transcript.texts).toEqual(numbered("mixed", 3));
  expect(friend.transcript.ids).toEqual(ids);
});

test("two tabs of one person keep separate queues", async ({ visit, friend }) => {
  const one = await visit();
  const two = await visit({ context: one.page.context(), proxy: one.proxy });
  one.proxy.refuseSockets();
  for (let i = 1; i <= 4; i++) {
    await one.say(`one-${i}`);
    await two.say(`two-${i}`);
  }
  await expect(two.message("two-4")).toHaveAttribute("data-state", "queued");
  one.proxy.putUp();
  await friend.transcript.count(8);
  const texts = friend.transcript.texts;
  expect(texts.filter((text) => text.startsWith("one"))).toEqual(numbered("one", 4));
  expect(texts.filter((text) => text.startsWith("two"))).toEqual(numbered("two", 4));
  await one.showsExactly(texts);
  await two.showsExactly(texts);
});

test("what a closed tab still had to say, another tab of the same person says", async ({ visit, friend }) => {
  const one = await visit();
  const two = await visit({ context: one.page.context(), proxy: one.proxy });
  one.proxy.refuseSockets();
  await one.say(...numbered("left", 3));
  await expect(one.message("left-3")).toHaveAttribute("data-state", "queued");
  await one.page.close();
  one.proxy.putUp();
  await two.showsExactly(numbered("left", 3));
  await friend.transcript.count(3);
  expect(friend.transcript.texts).toEqual(numbered("left", 3));
});

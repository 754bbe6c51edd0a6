// What people do with each other: names, rooms, private messages, changing one's mind.
import { expect, numbered, test } from "./chat_page.mjs";

test.use({ config: "[chat]\ngrace_seconds = 1\n" });

/** A page of somebody with a name. */
const meet = async (visit, name, options) => (await visit(options)).called(name);

/** Asked once more: there is no way back. */
async function forgetMe({ page }) {
  await page.getByRole("button", { name: "Forget me on this device" }).click();
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Yes, forget me" }).click()]);
}

/** The pages of conversations that this browser keeps, as text. */
const keptOn = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open("oncewire-chat");
        opening.onsuccess = () => {
          const reading = opening.result.transaction("pages").objectStore("pages").getAll();
          reading.onsuccess = () => (opening.result.close(), resolve(JSON.stringify(reading.result)));
        };
      }),
  );

test("somebody comes in, says who they are, and leaves", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await visit();
  await expect(ann.log).toContainText("joined");
  await expect(ben.log).not.toContainText("joined");
  await ben.called("Ben");
  await expect(ann.people).toContainText("Ben");
  await ben.say("hello-1");
  await expect(ann.message("hello-1")).toHaveAccessibleName(/^Ben, /);
  await ben.page.context().close();
  await expect(ann.log).toContainText("Ben left");
  await expect(ann.people).not.toContainText("Ben");
});

test.describe("with the grace a busy machine needs", () => {
  test.use({ config: "[chat]\ngrace_seconds = 60\n" });
  test("a refresh is no farewell", async ({ visit }) => {
    const ann = await meet(visit, "Ann");
    const ben = await meet(visit, "Ben");
    await expect(ann.people).toContainText("Ben");
    await ben.page.reload();
    await ben.say("back-1");
    await expect(ann.message("back-1")).toBeVisible();
    await expect(ann.log).not.toContainText("left");
    await expect(ann.people).toContainText("Ben");
  });
});

test("two people of the same name can be told apart", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const other = await meet(visit, "ANN");
  const eve = await visit();
  await ann.say("same-1");
  await other.say("same-2");
  await expect(eve.messages).toHaveCount(2);
  for (const [text, name] of [["same-1", /^Ann · \w{4}$/], ["same-2", /^ANN · \w{4}$/]]) {
    await expect(eve.message(text).locator(".text")).toHaveAttribute("data-author", name);
  }
});

test("a name chosen while the page is still connecting is the name the others see", async ({ visit }) => {
  const ben = await visit();
  const ann = await visit({ empty: true });
  const answered = ann.proxy.stallAt("40{"); // the answer to CONNECT
  await ann.page.goto(ann.proxy.url);
  await answered;
  await ann.called("Ann");
  ann.proxy.resume();
  await expect(ben.people).toContainText("Ann");
});

test("a room that is being pressed while somebody comes in is opened", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  await ann.openRoom("Tea");
  await ann.go("Everyone");
  await ann.page.locator(".place", { hasText: "Tea" }).hover();
  await ann.page.mouse.down();
  await meet(visit, "Ben");
  await expect(ann.people).toContainText("Ben");
  await ann.page.mouse.up();
  await expect(ann.place).toHaveText("Tea");
});

test("Ben sees that Ann is typing, and no longer when she has sent it", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  // A hint is for who is there at that moment, and nobody sends it again: both must be there, and she goes on writing.
  await expect(ben.people).toContainText("Ann");
  await expect(ann.people).toContainText("Ben");
  await expect(async () => {
    await ann.composer.pressSequentially("typing");
    await expect(ben.page.locator("#detail")).toHaveText("Ann is typing", { timeout: 3000 });
  }).toPass({ timeout: 60_000 });
  await ann.composer.fill("typing-1");
  await ann.composer.press("Enter");
  await expect(ben.message("typing-1")).toBeVisible();
  await expect(ben.page.locator("#detail")).not.toContainText("typing");
});

test("a room keeps what was said in it, also for who comes later", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  await ann.openRoom("Tea 茶");
  await ann.say(...numbered("tea", 3));
  await ann.showsExactly(numbered("tea", 3));
  const ben = await meet(visit, "Ben");
  await expect(ben.messages).toHaveCount(0);
  await ben.go("Tea 茶");
  await ben.showsExactly(numbered("tea", 3));
  await ben.say("tea-4");
  await ann.showsExactly(numbered("tea", 4));
  await ben.page.reload();
  await ben.go("Tea 茶");
  await ben.showsExactly(numbered("tea", 4));
});

test("Ann writes to Ben alone, knows when he has read it, and nobody else ever sees it", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  const eve = await meet(visit, "Eve");
  await ann.go("Ben");
  await ann.say("secret-1");
  await expect(ann.message("secret-1")).toHaveAttribute("data-state", "delivered");
  await expect(ben.people.getByRole("button", { name: "Ann, 1 unread" })).toBeVisible();
  await ben.go("Ann");
  await expect(ben.message("secret-1")).toHaveAttribute("data-state", "received");
  await expect(ann.message("secret-1")).toHaveAttribute("data-state", "read");
  await ben.say("secret-2");
  await expect(ann.message("secret-2")).toBeVisible();
  for (const name of ["Ann", "Ben"]) {
    await eve.go(name);
    await expect(eve.messages).toHaveCount(0);
  }
  await eve.page.reload();
  await eve.say("public-1");
  await eve.showsExactly(["public-1"]);
  await ann.page.reload();
  await ann.go("Ben");
  await expect(ann.messages).toHaveCount(2);
});

test("a private message written offline is sent once, to the same person", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  await ann.go("Ben");
  ann.proxy.refuseSockets();
  await ann.say("later-1");
  await expect(ann.message("later-1")).toHaveAttribute("data-state", "queued");
  await ann.page.reload();
  ann.proxy.putUp();
  await ben.go("Ann");
  await expect(ben.message("later-1")).toBeVisible();
  await expect(ben.messages).toHaveCount(1);
});

test("Ann changes her message and takes another back", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  await expect(ann.people).toContainText("Ben"); // a line that he came in moves the messages
  await ann.say("change-1", "change-2");
  await expect(ben.messages).toHaveCount(2);
  await ann.act("change-1", "Edit");
  await expect(ann.composer).toHaveValue("change-1");
  await ann.composer.fill("better-1");
  await ann.composer.press("Enter");
  await expect(ben.message("better-1")).toHaveAttribute("data-edited", "");
  await ann.takeBack("change-2");
  await expect(ben.message("deleted")).toHaveCount(1, { timeout: 30_000 });
  await expect(ann.message("deleted")).toHaveCount(1);
  await ben.page.reload();
  await expect(ben.message("better-1")).toBeVisible();
  await expect(ben.message("change-2")).toHaveCount(0);
  await ben.hasRead();
  await ben.message("better-1").hover();
  await expect(ben.page.getByRole("button", { name: "Copy text" })).toBeVisible();
  await expect(ben.page.getByRole("button", { name: "Edit" })).toHaveCount(0);
});

test("taking back asks first and can be undone; whoever comes later never sees the words", async ({ visit, friend }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  await expect(ann.people).toContainText("Ben"); // a line that he came in moves the messages
  await ann.say("secret-1", "other-1");
  await ben.showsExactly(["secret-1", "other-1"]);
  const changes = [];
  friend.socket.on("edit", (change) => changes.push(change));

  await ann.act("secret-1", "Delete");
  const dialog = ann.page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(ann.message("secret-1")).toBeVisible();

  await ann.takeBack("secret-1");
  await expect(ann.message("secret-1")).toHaveCount(0);
  await ann.page.getByRole("button", { name: "Undo" }).click();
  await expect(ann.message("secret-1")).toBeVisible();
  await expect(ann.message("You deleted this")).toHaveCount(0);

  // A page that is left sends what could still be undone; so nothing came of the first time.
  await ann.takeBack("secret-1");
  await expect(ben.message("secret-1")).toBeVisible();
  await ann.page.reload();
  await ann.isIn();
  await expect(ben.message("Message deleted")).toHaveCount(1);
  await expect(ann.message("Message deleted")).toHaveCount(1);
  await expect.poll(() => changes.length).toBe(1);

  const late = await visit();
  await late.hasRead();
  await expect(late.message("Message deleted")).toHaveCount(1);
  await expect(late.message("other-1")).toBeVisible();
  await expect(late.log).not.toContainText("secret-1");
  await late.page.getByRole("button", { name: "Search" }).click();
  await late.page.getByRole("searchbox").fill("secret");
  await late.page.getByRole("searchbox").press("Enter");
  await expect(late.page.getByText("Nothing found")).toBeVisible();

  // Nor is it on Ben's device.
  await expect.poll(() => keptOn(ben.page)).toContain("other-1");
  await expect.poll(() => keptOn(ben.page)).not.toContain("secret-1");
});

test("what is taken back without a link stays so over a reload, and goes out with the next link", async ({ visit, server }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  await expect(ann.people).toContainText("Ben");
  await ann.say("secret-1", "other-1");
  await ben.showsExactly(["secret-1", "other-1"]);
  await ann.page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => keptOn(ann.page)).toContain("other-1");
  await server.end("SIGTERM");
  await expect(ann.status).toContainText("The server does not answer");
  await ann.takeBack("secret-1");
  await expect.poll(() => keptOn(ann.page)).not.toContain("secret-1");
  await expect.poll(() => keptOn(ann.page)).toContain("other-1");
  await ann.page.reload();
  await expect(ann.message("other-1")).toBeVisible();
  await expect(ann.message("Message deleted")).toHaveCount(1);
  await expect(ann.log).not.toContainText("secret-1");
  await server.start();
  await expect(ben.message("Message deleted")).toHaveCount(1, { timeout: 30_000 });
});

test("what was unread is marked where reading stopped, and can be jumped to", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  await ann.say("seen-1");
  await ben.hasRead();
  await expect(ben.message("seen-1")).toBeVisible();
  await ben.page.goto("about:blank");
  await ann.say(...numbered("news", 30));
  await ann.showsExactly(["seen-1", ...numbered("news", 30)]);
  await ben.open();
  const divider = ben.page.getByRole("separator");
  await expect(divider).toBeInViewport();
  await expect(ben.message(/^news-1$/)).toBeInViewport();
  await expect(ben.message("news-30")).not.toBeInViewport();
  await ben.page.getByRole("button", { name: "Latest" }).click();
  await expect(ben.message("news-30")).toBeInViewport();
});

test("a message of long ago is found, and shown where it was said", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  await ann.say("The TRAIN leaves early-1", ...numbered("noise", 40));
  await ann.showsExactly(["early-1", ...numbered("noise", 40)]);
  await ann.page.getByRole("button", { name: "Search" }).click();
  const field = ann.page.getByRole("searchbox");
  await field.fill("train leaves");
  await field.press("Enter");
  await expect(ann.page.getByText("1 message found")).toBeVisible();
  await ann.page.locator("#search-results button").click();
  await expect(ann.message("early-1")).toBeInViewport();
  await expect(ann.message("early-1")).toBeFocused();
});

test("drafts wait in their rooms, also through a refresh", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  await ann.composer.fill("for everyone");
  await ann.openRoom("Tea");
  await ann.composer.fill("for tea");
  await ann.go("Everyone");
  await expect(ann.composer).toHaveValue("for everyone");
  await ann.page.reload();
  await expect(ann.composer).toHaveValue("for everyone");
  await ann.go("Tea");
  await expect(ann.composer).toHaveValue("for tea");
});

test("the Enter that chooses a word of an input method sends nothing", async ({ visit }) => {
  const ann = await visit();
  await ann.composer.fill("にほんご");
  await ann.composer.dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true });
  await ann.composer.dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });
  await expect(ann.composer).toHaveValue("にほんご");
  await expect(ann.messages).toHaveCount(0);
});

test("who is forgotten on a device leaves an outbox that nobody else sends", async ({ visit, friend }) => {
  const ann = await visit({ empty: true });
  await ann.page.clock.install();
  await (await ann.open()).called("Ann");
  ann.proxy.refuseSockets();
  await ann.say("mine-1");
  await expect(ann.message("mine-1")).toHaveAttribute("data-state", "queued");
  await ann.page.getByRole("button", { name: "Settings" }).click();
  await forgetMe(ann);
  await expect(ann.composer).toBeEditable();
  await expect(ann.messages).toHaveCount(0);
  ann.proxy.putUp();
  await ann.say("other-1");
  await friend.transcript.heard("other-1");
  await ann.page.clock.fastForward(3000); // longer than an orphaned outbox waits for its page
  await ann.say("other-2");
  await friend.transcript.heard("other-2");
  expect(friend.transcript.texts).toEqual(["other-1", "other-2"]);
});

test("who signs out in one tab is told so in the other, which sends nothing more in the old name", async ({ visit, friend }) => {
  const one = await meet(visit, "Ann");
  const two = await visit({ context: one.page.context(), proxy: one.proxy });
  await one.page.getByRole("button", { name: "Settings" }).click();
  await forgetMe(one);
  await expect(two.status).toContainText("signed out in another tab");
  await expect(two.toggle).toHaveText("Connect");
  await two.say("old-1");
  await expect(two.message("old-1")).toHaveAttribute("data-state", "queued");
  await Promise.all([two.page.waitForEvent("load"), two.page.getByRole("button", { name: "Start anew" }).click()]);
  await two.isIn();
  await expect(two.messages).toHaveCount(0);
  await two.say("new-1");
  await friend.transcript.heard("new-1");
  expect(friend.transcript.texts).toEqual(["new-1"]);
});

test("the page opens without a network, with what waits", async ({ visit, server, friend }) => {
  const ann = await visit();
  const notKept = () =>
    ann.page.evaluate(async () => {
      const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
      const files = ["/", ...loaded].filter((path) => path !== "/socket.io/" && path !== "/sw.js");
      const kept = await Promise.all(files.map((path) => caches.match(path)));
      return files.filter((_, index) => !kept[index]);
    });
  await expect.poll(notKept).toEqual([]);
  // What else lives at this origin is none of its business, whatever it is called.
  const isOtherKept = await ann.page.evaluate(async () => {
    await fetch("/debug.js").then((answer) => answer.text());
    return (await caches.match("/debug.js")) !== undefined;
  });
  expect(isOtherKept).toBe(false);
  ann.proxy.takeDown();
  await ann.say("tunnel-1");
  await expect(ann.message("tunnel-1")).toHaveAttribute("data-state", "queued");
  await ann.page.reload();
  await expect(ann.message("tunnel-1")).toHaveAttribute("data-state", "queued");
  await ann.say("tunnel-2");
  ann.proxy.putUp();
  await friend.transcript.count(2);
  expect(friend.transcript.texts).toEqual(numbered("tunnel", 2));
  expect(server.port).toBeGreaterThan(0);
});

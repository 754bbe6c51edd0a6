// What the page says when the device keeps nothing, when the link is dead on one side, and when there is no network
// at all: the truth, and in time.
import { expect, test } from "./chat_page.mjs";

/** Runs in the page before anything else: outboxes find no storage, as in some private modes. */
function refuseStorage() {
  IDBFactory.prototype.open = () => {
    throw new DOMException("storage is not allowed here", "SecurityError");
  };
}

test("where nothing can be saved the line says so first, and closing the page asks while something waits", async ({ visit }) => {
  const ann = await visit({ empty: true });
  await ann.page.addInitScript(refuseStorage);
  await ann.open();
  ann.proxy.refuseSockets();
  await ann.say("risk-1");
  await expect(ann.status).toHaveText(/^This browser keeps nothing: leave the page open.*1 message is waiting; trying again by itself$/);
  const asked = ann.page.waitForEvent("dialog");
  await ann.page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss(); // stay
  ann.proxy.putUp();
  await ann.showsExactly(["risk-1"]);
  await expect(ann.status).toHaveText("");
  const closed = ann.page.waitForEvent("close");
  await ann.page.close({ runBeforeUnload: true });
  await closed;
});

test("a link that is dead on one side: somebody who has just written is told, and gets a new one", async ({ visit }) => {
  const ann = await visit();
  await ann.say("dead-1");
  await ann.showsExactly(["dead-1"]);
  ann.proxy.halfOpen();
  await ann.say("dead-2");
  await expect(ann.status).toHaveText(/^The connection is slow\. 1 message is waiting$/);
  await ann.showsExactly(["dead-1", "dead-2"]);
  await expect(ann.status).toHaveText("");
});

/** In the page: which places have their last page kept on this device. */
const keptPlaces = () =>
  new Promise((resolve) => {
    const request = indexedDB.open("oncewire-chat");
    request.onsuccess = () => {
      const keys = request.result.transaction("pages").objectStore("pages").getAllKeys();
      keys.onsuccess = () => (request.result.close(), resolve(keys.result.sort()));
    };
  });

test("a reload without a network shows the room one was in, what was said there, and nobody who may be gone", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  await ben.called("Ben");
  await expect(ann.people).toContainText("Ben");
  await ben.say("kept-1");
  await ann.showsExactly(["kept-1"]);
  await ann.openRoom("garden");
  await ann.say("kept-2");
  await ann.showsExactly(["kept-2"]);
  await expect(ann.people).toContainText("Ben");
  await expect.poll(() => ann.page.evaluate(keptPlaces)).toContain("room/garden");
  ann.proxy.takeDown();
  await ann.page.reload();
  await expect(ann.place).toHaveText("garden");
  await expect(ann.message("kept-2")).toBeVisible();
  await expect(ann.page.getByText("Who is here shows when you are online")).toBeVisible();
  await expect(ann.page.getByText("Nobody else is here")).toBeHidden();
  await expect(ann.page.getByText("Nothing here yet")).toBeHidden();
  await expect(ann.people).not.toContainText("Ben");
  await expect(ann.page.locator("#detail")).toHaveText("");
  await ann.go("Everyone");
  await expect(ann.message("kept-1")).toHaveAccessibleName(/^Ben, /);
  ann.proxy.putUp();
  await ann.showsExactly(["kept-1"]);
  await expect(ann.people).toContainText("Ben");
});

test("the number of people in a room is that of the people in it", async ({ visit, friend }) => {
  const ann = await visit();
  await ann.openRoom("shed");
  await expect(ann.page.locator("#detail")).toHaveText("1 person here");
  const ben = await visit();
  await ben.go("shed");
  await expect(ann.page.locator("#detail")).toHaveText("2 people here");
  await ben.page.close();
  await expect(ann.page.locator("#detail")).toHaveText("1 person here");
  expect(friend.socket.connected).toBe(true);
});

test("messages as people write them: from right to left, with addresses, and very long", async ({ visit }) => {
  const ann = await visit();
  await ann.called("דנה");
  await ann.say("see www.example.org and mail ann@example.org");
  const links = ann.messages.first().getByRole("link");
  await expect(links).toHaveText(["www.example.org", "ann@example.org"]);
  await expect(links.first()).toHaveAttribute("href", /^https?:\/\/www\.example\.org\/?$/);
  await expect(links.last()).toHaveAttribute("href", "mailto:ann@example.org");
  await ann.say(`long-1 ${"word ".repeat(600)}`);
  const long = ann.message("long-1");
  const folded = (await long.boundingBox()).height;
  await long.getByRole("button", { name: "Show all" }).click();
  expect((await long.boundingBox()).height).toBeGreaterThan(folded);
  await long.getByRole("button", { name: "Show less" }).click();
  // Whatever way their names run, what is said stands where the others' words stand.
  const ben = await visit();
  await ben.called("Ben");
  await ben.say("left-1");
  const eve = await visit();
  const edge = (text) => eve.message(text).locator(".text").evaluate((node) => node.getBoundingClientRect().left);
  await expect(eve.message("left-1")).toBeVisible();
  expect(await edge("www.example.org")).toBe(await edge("left-1"));
});

test("a new name holds for what was said before, and everybody sees one time", async ({ visit }) => {
  const [ann, ben] = [await visit(), await visit()];
  await ann.called("Ann");
  await ann.say("name-1");
  await expect(ben.message("name-1")).toHaveAccessibleName(/^Ann, /);
  await ann.called("Anna");
  await ann.say("name-2");
  await expect(ben.message("name-1")).toHaveAccessibleName(/^Anna, /);
  await expect(ben.message("name-2")).toHaveAccessibleName(/^Anna, /);
  const timeFor = async (chat) => (await chat.message("name-1").getAttribute("aria-label")).match(/\d+:\d+ [AP]M/)[0];
  expect(await timeFor(ann)).toBe(await timeFor(ben));
});

test("whether this device or the server is out of reach is told apart", async ({ visit }) => {
  const ann = await visit();
  const context = ann.page.context();
  ann.proxy.takeDown();
  await ann.say("apart-1");
  await expect(ann.status).toHaveText("The server does not answer. 1 message is waiting; trying again by itself");
  await context.setOffline(true);
  await expect(ann.status).toHaveText("This device is offline. 1 message is waiting");
  await context.setOffline(false);
  await expect(ann.status).toContainText("The server does not answer");
  ann.proxy.putUp();
  await ann.showsExactly(["apart-1"]);
  await expect(ann.status).toBeEmpty();
});

// Where somebody is in the chat: an address for each room, the way back, and what a reload brings.
import { expect, numbered, test } from "./chat_page.mjs";

test("a room has an address: reload, Back and a copied address lead to it", async ({ visit }) => {
  const ann = await visit();
  await ann.say("hall-1");
  await ann.openRoom("Design & more");
  await ann.say("room-1");
  await ann.showsExactly(["room-1"]);
  const address = ann.page.url();
  expect(new URL(address).hash).toBe("#room/Design%20%26%20more");
  await ann.page.reload();
  await expect(ann.place).toHaveText("Design & more");
  await ann.showsExactly(["room-1"]);
  await ann.page.goBack();
  await expect(ann.place).toHaveText("Everyone");
  await ann.page.goForward();
  await expect(ann.place).toHaveText("Design & more");
  const ben = await visit({ proxy: ann.proxy, empty: true });
  await ben.page.goto(address);
  await expect(ben.place).toHaveText("Design & more");
  await ben.showsExactly(["room-1"]);
});

test("an address of one message leads to it, however far back it is", async ({ visit, friend }) => {
  for (const text of numbered("old", 260)) friend.socket.emit("chat message", text);
  await friend.transcript.count(260);
  const id = friend.transcript.ids?.[3] ?? 4;
  const ann = await visit({ empty: true });
  await ann.page.goto(`${ann.proxy.url}/#?m=${id}`);
  await expect(ann.page.locator(`[data-id="${id}"]`)).toHaveAttribute("data-found");
  await expect(ann.page.locator(`[data-id="${id}"]`)).toBeInViewport();
});

test("what is no address of ours leads to everybody", async ({ visit }) => {
  const ann = await visit({ empty: true });
  await ann.page.goto(`${ann.proxy.url}/#%E0%A4%A`);
  await ann.isIn();
  await expect(ann.place).toHaveText("Everyone");
});

test("rooms stand in one order for everybody, and many of them leave people in view", async ({ visit, friend }) => {
  const names = Array.from({ length: 25 }, (_, i) => `r ${(i * 7) % 25}`);
  for (const name of names) await new Promise((resolve) => friend.socket.emit("open room", name, resolve));
  const sorted = ["Everyone", ...names.sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)))];
  const [ann, ben] = [await visit(), await visit()];
  await ben.go("r 24");
  await expect(ben.place).toHaveText("r 24");
  for (const each of [ann, ben]) {
    await expect(each.rooms.locator("bdi")).toHaveText(sorted);
    await expect(each.page.getByRole("heading", { name: "People" })).toBeInViewport();
    await expect(each.people.getByRole("button").first()).toBeInViewport();
  }
});

test("each list is one stop of the Tab key", async ({ visit, friend }) => {
  for (const name of ["a", "b", "c"]) await new Promise((resolve) => friend.socket.emit("open room", name, resolve));
  const [ann] = [await visit(), await visit()];
  await expect(ann.rooms.getByRole("button")).toHaveCount(4);
  await expect(ann.people.getByRole("button")).toHaveCount(1);
  const stops = (list) => list.locator('button[tabindex="0"]');
  await expect(stops(ann.rooms)).toHaveCount(1);
  await expect(stops(ann.people)).toHaveCount(1);
  await stops(ann.rooms).focus();
  await ann.page.keyboard.press("ArrowDown");
  await ann.page.keyboard.press("ArrowDown");
  await expect(ann.rooms.getByRole("button", { name: "b" })).toBeFocused();
  await expect(stops(ann.rooms)).toHaveCount(1);
  await ann.page.keyboard.press("Tab");
  await expect(ann.page.getByRole("textbox", { name: "Name of the room" })).toBeFocused();
});

test("after something was done with a message the focus is back on it", async ({ visit }) => {
  const ann = await visit();
  await ann.say("focus-1");
  await expect(ann.message("focus-1")).toHaveAttribute("data-id");
  await ann.message("focus-1").focus();
  await ann.page.keyboard.press("Enter");
  const bar = ann.page.getByRole("toolbar");
  await expect(bar.getByRole("button").first()).toBeFocused();
  await bar.getByRole("button", { name: "Copy text" }).press("Enter");
  await expect(ann.message("focus-1")).toBeFocused();
});

test("the line of what is new is there at every return", async ({ visit, friend }) => {
  const ann = await visit();
  await ann.openRoom("away");
  const say = (text) => new Promise((resolve) => friend.socket.emit("post", "room/away", { text }, resolve));
  const divider = ann.log.getByRole("separator");
  await say("back-1");
  await expect(ann.message("back-1")).toBeVisible();
  for (const text of numbered("back", 2, 2)) {
    await ann.go("Everyone");
    await say(text);
    await expect(ann.rooms.getByRole("button", { name: "away, 1 unread" })).toBeVisible();
    await ann.go("away");
    await expect(divider).toHaveCount(1);
    expect(await divider.evaluate((line) => line.nextElementSibling.textContent)).toBe(text);
  }
});

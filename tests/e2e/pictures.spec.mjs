// Pictures: by paste, drop and file; kept while there is no link; seen by whoever may read them, and nobody else.
import { drawId, png } from "../support/pictures.mjs";
import { connected, stock, within } from "../support/stock.mjs";
import { accessibilityProblems } from "./axe.mjs";
import { expect, test } from "./chat_page.mjs";

const meet = async (visit, name, options) => (await visit(options)).called(name);

/** Hands a file to the page, as the clipboard or a dragging hand does. */
const hand = (chat, { bytes, type = "image/png", how = "paste" }) =>
  chat.composer.evaluate(
    (field, { data, size, type, how }) => {
      const bytes = data === undefined ? new Uint8Array(size) : Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], "picture", { type }));
      const given = how === "drop" ? { dataTransfer: files } : { clipboardData: files };
      const Kind = how === "drop" ? DragEvent : ClipboardEvent;
      field.dispatchEvent(new Kind(how, { ...given, bubbles: true, cancelable: true }));
    },
    { type, how, ...(typeof bytes === "number" ? { size: bytes } : { data: bytes.toString("base64") }) },
  );

const ready = (chat) => expect(chat.page.locator("#note")).toContainText(/Picture, \d+ kB/);
/** Sends a picture with these words, and does not wait. */
async function send(chat, words, bytes = png(300, 200, { noise: true })) {
  await hand(chat, { bytes });
  await ready(chat);
  await chat.say(words);
}
/** The picture in the message with these words is there, and is one. */
async function sees(chat, words, width = 300) {
  const picture = chat.message(words).getByRole("img");
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((image) => image.naturalWidth)).toBe(width);
}
const ask = (socket, ...event) => within(new Promise((resolve) => socket.emit(...event, (...answer) => resolve(answer))), event[0]);

test("a picture is pasted, dropped or chosen as a file, looked at, sent, and kept", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  const ben = await visit();
  const ways = {
    pasted: () => hand(ann, { bytes: png(300, 200, { noise: true }) }),
    dropped: () => hand(ann, { bytes: png(300, 200), how: "drop" }),
    chosen: () => ann.page.locator("#file").setInputFiles({ name: "a.png", mimeType: "image/png", buffer: png(300, 200) }),
  };
  for (const [how, give] of Object.entries(ways)) {
    await give();
    await ready(ann);
    await expect(ann.page.locator("#preview img")).toBeVisible();
    await ann.say(`${how}-1`);
    await expect(ann.page.locator("#preview")).toBeHidden();
    await sees(ann, `${how}-1`);
    await expect(ann.message(`${how}-1`)).toHaveAttribute("data-state", "delivered");
    await sees(ben, `${how}-1`);
  }
  await expect(ben.page.getByRole("img", { name: "Picture from Ann" })).toHaveCount(3);
  await ben.page.reload();
  for (const how of Object.keys(ways)) await sees(ben, `${how}-1`);
  await ann.showsExactly(["pasted-1", "dropped-1", "chosen-1"]);
});

test("a large picture is drawn smaller before it leaves", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  await send(ann, "large-1", png(1000, 700, { noise: true })); // some 700 kB
  const picture = ben.message("large-1").getByRole("img");
  await expect(picture).toBeVisible();
  const width = () => picture.evaluate((image) => image.naturalWidth);
  await expect.poll(width).toBeGreaterThan(100);
  expect(await width()).toBeLessThan(1000);
});

test("a picture chosen without a link survives a refresh, and is there once", async ({ visit, friend }) => {
  const ann = await visit();
  const ben = await visit();
  ann.proxy.refuseSockets();
  await expect(ann.status).not.toBeEmpty();
  await send(ann, "away-1");
  await expect(ann.message("away-1")).toHaveAttribute("data-state", "queued");
  await expect(ann.status).toContainText("1 message is waiting");
  await ann.page.reload();
  await expect(ann.message("away-1")).toHaveAttribute("data-state", "queued");
  await sees(ann, "away-1");
  ann.proxy.putUp();
  await ann.showsExactly(["away-1"]);
  await ben.showsExactly(["away-1"]);
  await sees(ben, "away-1");
  // Nothing is left that a later page would send again.
  await ann.page.reload();
  await ann.isIn();
  await ann.say("after-2");
  await ben.showsExactly(["away-1", "after-2"]);
  await friend.transcript.heard("after-2");
});

const noise = png(300, 200, { noise: true }); // some 60 kB

for (const [what, bytes, direction] of [["its bytes", 20_000, "up"], ["the answer", 5, "down"], ["its message", noise.length + 140, "up"]]) {
  test(`the link breaks in ${what}, and the picture is there once`, async ({ visit }) => {
    const ann = await visit();
    const ben = await visit();
    await hand(ann, { bytes: noise });
    await ready(ann);
    const cut = ann.proxy.cutAfter(bytes, direction);
    await ann.say("cut-1");
    await cut;
    await ann.showsExactly(["cut-1"]);
    await ben.showsExactly(["cut-1"]);
    await sees(ben, "cut-1");
  });
}

test("kill -9 of the server and a refresh in the midst of it: every picture is there once, in order", async ({ visit, server }) => {
  const ann = await visit();
  const ben = await visit();
  for (let i = 1; i <= 3; ++i) await send(ann, `kill-${i}`);
  await server.restart();
  await ann.page.reload();
  for (let i = 4; i <= 5; ++i) await send(ann, `kill-${i}`);
  await expect.poll(async () => (await ben.shown()).filter(({ id }) => id !== null).map(({ text }) => text).sort(), { timeout: 30_000 })
    .toEqual([1, 2, 3, 4, 5].map((i) => `kill-${i}`));
  await sees(ben, "kill-5");
  await ann.page.reload();
  await expect(ann.messages).toHaveCount(5);
});

test("a private picture is seen by its two readers alone", async ({ visit, server }) => {
  const ann = await meet(visit, "Ann");
  const ben = await meet(visit, "Ben");
  const eve = await meet(visit, "Eve");
  await ann.go("Ben");
  await send(ann, "secret-1");
  await ben.go("Ann");
  await sees(ben, "secret-1");
  await eve.page.reload();
  await eve.isIn();
  await expect(eve.page.getByRole("img", { name: /Picture from/ })).toHaveCount(0);
  // Not even by its id, which nobody told her.
  const post = await within(new Promise((resolve) => {
    ben.page.evaluate(() => localStorage.getItem("oncewire-chat:visitor")).then((visitor) => {
      const reader = stock(server.url, { auth: { visitor, live: true } });
      reader.on("connect", () => reader.emit("history", "inbox", null, 10, (_, { entries }) => (reader.close(), resolve(entries[0][1][1]))));
    });
  }), "the post as Ben has it");
  const stranger = stock(server.url, { auth: { visitor: "e".repeat(32), live: true } });
  await connected(stranger);
  expect((await ask(stranger, "see picture", post.picture))[0].error).toBe("no_picture");
  stranger.close();
});

test("what is taken back is gone for everybody; words under a picture can be changed", async ({ visit }) => {
  const ann = await visit();
  const ben = await visit();
  await send(ann, "regret-1");
  await sees(ben, "regret-1");
  await ann.act("regret-1", "Edit");
  await ann.composer.fill("better-1");
  await ann.composer.press("Enter");
  await sees(ben, "better-1");
  await ann.takeBack("better-1");
  await expect(ben.page.getByText("Message deleted")).toBeVisible({ timeout: 30_000 });
  await expect(ben.page.getByRole("img", { name: /Picture from/ })).toHaveCount(0);
  const late = await visit();
  await expect(late.page.getByText("Message deleted")).toBeVisible();
});

test("a file that is no picture, holds a program, or is too large, is refused before anything is sent", async ({ visit }) => {
  const ann = await visit();
  const note = ann.page.locator("#note");
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.harmed=1"><script>globalThis.harmed=1</script></svg>');
  for (const [bytes, type] of [[100, "image/png"], [svg, "image/svg+xml"], [svg, "image/png"], [Buffer.from("<script>globalThis.harmed=1</script>"), "image/gif"]]) {
    await hand(ann, { bytes: png(3, 3) });
    await ready(ann);
    await hand(ann, { bytes, type });
    await expect(note).toHaveText("This file is no picture the browser can read");
    await ann.page.getByRole("button", { name: "Remove the picture" }).click();
  }
  await hand(ann, { bytes: 21 * 1024 * 1024 });
  await expect(note).toContainText("larger than 20 MB");
  await ann.composer.press("Enter");
  await expect(ann.messages).toHaveCount(0);
  expect(await ann.page.evaluate(() => globalThis.harmed)).toBeUndefined();
});

test("files that are two things at once are shown as pictures, and nothing in them runs", async ({ visit, server }) => {
  const ann = await visit();
  await ann.page.evaluate(() => {
    globalThis.reports = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.reports.push(event.violatedDirective));
  });
  const eve = stock(server.url, { auth: { visitor: "e".repeat(32), live: true } });
  await connected(eve);
  const program = Buffer.from("\n<html><script>globalThis.harmed=1</script><svg onload=globalThis.harmed=1>*/=1;globalThis.harmed=1");
  const twofold = [Buffer.concat([png(30, 20), program]), Buffer.concat([Buffer.from("GIF89a\x0a\x00\x0a\x00", "latin1"), program]), png(30, 20)];
  for (const [i, bytes] of twofold.entries()) {
    const id = drawId();
    expect(await ask(eve, "picture", id, bytes)).toEqual([null]);
    await ask(eve, "post", "chat", { picture: id, text: `both-${i}`, type: "text/html", width: "x", onload: "harmed=1" });
  }
  await expect(ann.messages).toHaveCount(3);
  await sees(ann, "both-0", 30);
  await sees(ann, "both-2", 30);
  await expect(ann.page.locator("img[data-loading]")).toHaveCount(0);
  const sources = await ann.page.locator("#logs img").evaluateAll((images) => images.map((image) => new URL(image.src).protocol));
  expect(new Set(sources)).toEqual(new Set(["blob:"]));
  expect(await ann.page.evaluate(() => [globalThis.harmed, globalThis.reports])).toEqual([undefined, []]);
  eve.close();
});

for (const [name, browser] of [["light @long", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["phone", { viewport: { width: 390, height: 800 } }]]) {
  test(`pictures stand in nobody's way: ${name}`, async ({ visit }) => {
    const ann = await visit({ browser });
    const ben = await visit();
    const check = async (what) => expect(await accessibilityProblems(ann.page), what).toEqual([]);
    await hand(ann, { bytes: png(300, 200) });
    await ready(ann);
    await check("a picture that is looked at before it is sent");
    await ann.say("mine-1");
    await expect(ann.message("mine-1")).toHaveAttribute("data-state", "delivered");
    await send(ben, "theirs-2");
    await sees(ann, "theirs-2");
    await ann.message("mine-1").focus();
    await check("pictures in the conversation");
    ann.proxy.refuseSockets();
    await send(ann, "waits-3");
    await expect(ann.status).toContainText("1 message is waiting");
    await check("a picture that waits");
  });
}

test("a picture is added, looked at and removed by keyboard alone", async ({ visit }) => {
  const ann = await visit();
  const chooser = ann.page.waitForEvent("filechooser");
  await ann.page.getByRole("button", { name: "Add a picture" }).focus();
  await ann.page.keyboard.press("Enter");
  await (await chooser).setFiles({ name: "a.png", mimeType: "image/png", buffer: png(300, 200) });
  await ready(ann);
  await ann.page.keyboard.press("Shift+Tab");
  await expect(ann.page.getByRole("button", { name: "Remove the picture" })).toBeFocused();
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.locator("#preview")).toBeHidden();
  await ann.composer.press("Enter");
  await expect(ann.messages).toHaveCount(0);
});

test.describe("where little is kept", () => {
  test.use({ config: "[chat]\npictures_megabytes = 1\npictures_megabytes_each_day = 1\n" });
  test("who has sent enough is told so, and can send it again or let it go", async ({ visit, server }) => {
    const ann = await visit();
    const visitor = await ann.page.evaluate(() => localStorage.getItem("oncewire-chat:visitor"));
    const other = stock(server.url, { auth: { visitor, live: true } });
    await connected(other);
    for (let i = 0; i < 3; ++i) expect(await ask(other, "picture", drawId(), png(510, 510, { noise: true }))).toEqual([null]);
    other.close();
    await send(ann, "much-1", png(510, 510, { noise: true }));
    await expect(ann.message("much-1")).toHaveAttribute("data-state", "rejected");
    await expect(ann.message("much-1").locator(".text")).toHaveAttribute("data-label", "not sent: enough pictures for one day");
    await ann.message("much-1").hover();
    await expect(ann.page.getByRole("toolbar").getByRole("button")).toHaveText(["Send again", "Discard"]);
    await ann.page.getByRole("button", { name: "Discard" }).click();
    await expect(ann.messages).toHaveCount(0);
    await ann.page.reload();
    await ann.isIn();
    await expect(ann.messages).toHaveCount(0);
  });
});

// The chat on sites that say nothing of its size, on a phone, and on a site that the server does not know.
import { Server } from "../support/server.mjs";
import { expect, inside, launcher, loader, test, write } from "./embed_site.mjs";

const manual = (chat) => `<script async type="module" src="${chat.url}/embed.js" data-manual></script>`;
const long = "<p>Text of the shop.</p>".repeat(60);

for (const inline of ["", " inline"]) {
  test(`an element${inline} on a page that says nothing of its size has a useful one, and leaves focus and scroll alone`, async ({ site, chat, page }) => {
    site.page = `<!doctype html><title>Shop</title><label>Search <input id="find" autofocus></label>${long}
      <oncewire-chat${inline} room="support"></oncewire-chat>${manual(chat)}`;
    await page.goto(site.url);
    await page.locator("#find").focus();
    const detail = inline ? page.locator("oncewire-chat #detail") : inside(page).locator("#detail");
    await expect(detail).not.toBeEmpty();
    await page.keyboard.type("tea");
    await expect(page.locator("#find")).toHaveValue("tea");
    await expect(page.locator("#find")).toBeFocused();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    const { height } = await page.locator("oncewire-chat").boundingBox();
    const view = page.viewportSize().height;
    expect(height).toBeGreaterThanOrEqual(Math.min(640, 0.8 * view) - 1);
    expect(height).toBeLessThanOrEqual(view);
  });
}

test("a target of the site's own is filled, however high it is", async ({ site, chat, page }) => {
  site.page = `<!doctype html><title>Shop</title><div id="here" style="height: 333px"></div>
    <script type="module">import { createChat } from "${chat.url}/embed.js"; createChat({ target: document.getElementById("here") });</script>`;
  await page.goto(site.url);
  await expect(page.locator("iframe")).toBeVisible();
  expect(Math.round((await page.locator("iframe").boundingBox()).height)).toBe(333);
});

test("a script that opens the chat moves no focus; a visitor who opens it writes at once", async ({ site, chat, page }) => {
  // By the site's own script: what a test evaluates counts as a press of the visitor's.
  const open = "const wait = setInterval(() => globalThis.OncewireChat?.open && (clearInterval(wait), OncewireChat.open(), console.log('opened')))";
  site.page = `<!doctype html><title>Shop</title><input id="find" autofocus>${loader(chat)}<script>${open}</script>`;
  const opened = page.waitForEvent("console", (line) => line.text() === "opened");
  await page.goto(site.url);
  await opened;
  await expect(inside(page).locator("#detail")).not.toBeEmpty();
  await expect(page.locator("#find")).toBeFocused();
  await launcher(page).click();
  await launcher(page).click();
  await expect(inside(page).getByRole("textbox", { name: "Message" })).toBeFocused();
});

test.describe("on a phone", () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

  test("the panel fills the screen, with the text field in view and a button that closes it", async ({ site, chat, browser }) => {
    const context = await browser.newContext(phone);
    const page = await context.newPage();
    site.page = `<!doctype html><title>Shop</title><meta name="viewport" content="width=device-width">${long}${loader(chat)}`;
    await page.goto(site.url);
    await launcher(page).tap();
    await write(page, "phone-1");
    const panel = await page.locator("iframe").boundingBox();
    expect([panel.x, Math.round(panel.width)]).toEqual([0, 390]);
    expect(Math.abs(panel.height - 780)).toBeLessThanOrEqual(1);
    await expect(inside(page).getByRole("button", { name: "Send" })).toBeInViewport();
    await inside(page).locator("#chat-close").tap();
    await expect(page.locator("iframe")).toBeHidden();
    await expect(launcher(page)).toBeFocused();
    await context.close();
  });
});

test("a site that the server does not know is told so, the visitor in words and the owner in the console", async ({ site, page }) => {
  const stranger = await Server.start();
  try {
    const said = [];
    page.on("console", (line) => said.push(line.text()));
    site.page = `<!doctype html><title>Shop</title><oncewire-chat></oncewire-chat>${manual(stranger)}`;
    await page.goto(site.url);
    await expect(page.getByRole("status")).toContainText("not set up for this site");
    await expect.poll(() => said.filter((text) => text.includes(`origins = ["${site.url}"]`)).length).toBe(1);
  } finally {
    await stranger.remove();
  }
});

test("inline, too", async ({ site, page }) => {
  const stranger = await Server.start();
  try {
    site.page = `<!doctype html><title>Shop</title><oncewire-chat inline></oncewire-chat>${manual(stranger)}`;
    const said = page.waitForEvent("console", (line) => line.text().includes(`origins = ["${site.url}"]`));
    await page.goto(site.url);
    await expect(page.getByText("not set up for this site")).toBeVisible();
    await said;
  } finally {
    await stranger.remove();
  }
});

test("a widget that nobody has opened is nobody; who opens it comes in, and who closes it goes", async ({ site, chat, friend, page }) => {
  const people = () => new Promise((resolve) => friend.socket.emit("who", "room/support", (_, answer) => resolve(answer.count)));
  await page.addInitScript(() => document.addEventListener("oncewire-ready", () => (globalThis.isReady = true)));
  site.page = `<!doctype html><title>Shop</title><script async type="module" src="${chat.url}/embed.js" data-room="support"></script>`;
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.isReady);
  expect(await people()).toBe(0);
  await launcher(page).click();
  await expect(inside(page).getByText("1 person here")).toBeVisible();
  expect(await people()).toBe(1);
  await launcher(page).click();
  await expect.poll(people).toBe(0);
});

test("who opens the widget while it is connecting comes in", async ({ site, chat, friend, page }) => {
  const people = () => new Promise((resolve) => friend.socket.emit("who", "room/support", (_, answer) => resolve(answer.count)));
  let asked;
  const isAsked = new Promise((resolve) => (asked = resolve));
  let answer;
  await page.routeWebSocket(/socket\.io/, (link) => {
    const server = link.connectToServer();
    server.onMessage((message) => {
      if (!String(message).startsWith("40")) return link.send(message);
      answer = () => link.send(message);
      asked();
    });
  });
  site.page = `<!doctype html><title>Shop</title><script async type="module" src="${chat.url}/embed.js" data-room="support"></script>`;
  await page.goto(site.url);
  await isAsked;
  await launcher(page).click();
  await expect(page.locator("iframe")).toBeVisible();
  answer();
  await expect(inside(page).getByText("1 person here")).toBeVisible();
  expect(await people()).toBe(1);
});

test("what a site says of its own text does not reach the chat inside it", async ({ site, chat, page }) => {
  const style = "body { letter-spacing: 5px; word-spacing: 9px; text-transform: uppercase; line-height: 4; font: italic 40px serif; text-align: right }";
  site.page = `<!doctype html><title>Shop</title><style>${style}</style><oncewire-chat inline style="height: 400px"></oncewire-chat>${loader(chat)}`;
  await page.goto(site.url);
  const field = page.locator("oncewire-chat").getByRole("textbox", { name: "Message" });
  await expect(field).toBeVisible();
  const heading = page.locator("oncewire-chat").getByRole("heading", { level: 1 });
  for (const [what, node] of Object.entries({ field, heading })) {
    const seen = await node.evaluate((element) => {
      const { letterSpacing, wordSpacing, textTransform, fontStyle, fontFamily, fontSize, textAlign } = getComputedStyle(element);
      return { letterSpacing: parseFloat(letterSpacing) || 0, wordSpacing, textTransform, fontStyle, isSerif: /^serif/.test(fontFamily), fontSize: parseFloat(fontSize), textAlign };
    });
    expect(Math.abs(seen.letterSpacing), what).toBeLessThan(1);
    expect(seen, what).toMatchObject({ wordSpacing: "0px", textTransform: "none", fontStyle: "normal", isSerif: false, textAlign: "start" });
    expect(seen.fontSize, what).toBeLessThan(30);
  }
});

// The page for everybody: by keyboard, by screen reader, in light and dark, wide and narrow.
import { connected, say, stock } from "../support/stock.mjs";
import { accessibilityProblems } from "./axe.mjs";
import { expect, numbered, test } from "./chat_page.mjs";

// Each width and each colour once; together in the long form.
for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    const tag = (colorScheme === "dark") === (width === 390) ? "" : " @long";
    test(`nothing stands in anybody's way: ${colorScheme}, ${width} px${tag}`, async ({ visit, friend }) => {
      const ann = await visit({ browser: { colorScheme, viewport: { width, height: 800 } } });
      await ann.say("access-1");
      await friend.transcript.heard("access-1");
      await say(friend.socket, "access-2");
      await ann.showsExactly(numbered("access", 2));
      expect(await accessibilityProblems(ann.page)).toEqual([]);
      ann.proxy.takeDown();
      await ann.say("access-3");
      await expect(ann.message("access-3")).toHaveAttribute("data-state", "queued");
      await expect(ann.status).not.toBeEmpty();
      expect(await accessibilityProblems(ann.page)).toEqual([]);
    });
  }
}

test("everything is done by keyboard alone", async ({ visit }) => {
  const ann = await visit();
  const press = async (key, times = 1) => {
    for (let i = 0; i < times; i++) await ann.page.keyboard.press(key);
  };
  const reach = async (locator) => {
    for (let i = 0; i < 30; i++) {
      if (await locator.evaluate((node) => node === document.activeElement)) return;
      await press("Tab");
    }
    throw new Error("30 times Tab did not lead there");
  };
  await reach(ann.composer);
  await ann.page.keyboard.type("keys-1");
  await press("Enter");
  await ann.showsExactly(["keys-1"]);
  await reach(ann.toggle);
  await press("Space");
  await expect(ann.toggle).toHaveText("Connect");
  await press("Enter");
  await expect(ann.toggle).toHaveText("Disconnect");
});

test("the page says when it is offline, how many wait, and when it is back", async ({ visit }) => {
  const ann = await visit();
  await expect(ann.toggle).toHaveText("Disconnect");
  ann.proxy.takeDown();
  await ann.say(...numbered("wait", 3));
  await expect(ann.status).toContainText("3");
  ann.proxy.putUp();
  await ann.showsExactly(numbered("wait", 3));
  await expect(ann.status).not.toContainText("3");
});

test("no sideways scrolling on a phone, whatever somebody writes", async ({ visit }) => {
  const ann = await visit({ browser: { viewport: { width: 390, height: 800 } } });
  await ann.say(`${"long".repeat(400)} width-1`);
  await expect(ann.messages).toHaveCount(1);
  const overflow = await ann.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

test("the policy of the page allows neither inline script nor eval, and the page needs neither", async ({ visit }) => {
  const ann = await visit({ mayComplain: true });
  const answer = await ann.page.request.get(ann.proxy.url);
  const policy = answer.headers()["content-security-policy"];
  expect(policy).toContain("default-src");
  expect(policy).not.toMatch(/'unsafe-inline'|'unsafe-eval'/);
  const blocked = await ann.page.evaluate(
    () =>
      new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective), { once: true });
        const script = document.createElement("script");
        script.textContent = "globalThis.ran = true";
        document.body.append(script);
      }),
  ).catch((error) => error.message);
  expect(blocked).toMatch(/script-src/);
  expect(await ann.page.evaluate(() => globalThis.ran)).toBeUndefined();
});

test.describe("where little may be done at once", () => {
  test.use({ config: "[chat]\nsearch_burst = 1\nsearch_per_second = 1\nsignal_burst = 1\nsignal_per_second = 1\n" });

  test("who searches, renames or types too much at once is told so, and goes on", async ({ visit, server }) => {
    const ann = await visit();
    const visitor = await ann.page.evaluate(() => localStorage.getItem("oncewire-chat:visitor"));
    const other = stock(server.url, { auth: { visitor, live: true } });
    await connected(other);
    // The same person elsewhere, in a hurry, so that little is left for the page; what is left it may get.
    const rush = setInterval(() => {
      for (let i = 0; i < 5; ++i) other.emit("search", "chat", "x", null, () => {}).emit("typing", "room/none");
    }, 50);
    // The line says it for a moment only: all it ever said is kept.
    await ann.page.evaluate(() => {
      globalThis.said = [];
      const line = document.getElementById("line-text");
      new MutationObserver(() => globalThis.said.push(line.textContent)).observe(line, { childList: true });
    });
    const patience = "That was a lot at once. Wait a moment";
    const isTold = async (attempt) => {
      await ann.page.evaluate(() => globalThis.said.splice(0));
      await expect(async () => {
        await attempt();
        await expect.poll(() => ann.page.evaluate(() => globalThis.said), { timeout: 4000 }).toContain(patience);
      }).toPass({ timeout: 60_000 });
    };
    await ann.page.getByRole("button", { name: "Search" }).click();
    await ann.page.getByRole("searchbox").fill("something");
    await expect(async () => {
      await ann.page.getByRole("searchbox").press("Enter");
      await expect(ann.page.locator("#search-note")).toHaveText(patience, { timeout: 4000 });
    }).toPass({ timeout: 60_000 });
    await ann.page.keyboard.press("Escape");
    await isTold(() => ann.composer.pressSequentially("typed"));
    await isTold(() => ann.called("Ann"));
    clearInterval(rush);
    other.close();
    await ann.composer.fill("limits-1");
    await ann.composer.press("Enter");
    await ann.showsExactly(["limits-1"]);
  });
});

test.describe("where few may connect", () => {
  test.use({ config: "[server]\nconnections = 30\n" });

  test("who finds no room is told so, and comes in when there is some", async ({ visit, server }) => {
    const ann = await visit();
    await expect(ann.toggle).toHaveText("Disconnect");
    // While nobody comes through the proxy, the others take all the room there is.
    ann.proxy.takeDown();
    const others = Array.from({ length: 34 }, () => stock(server.url, { transports: ["websocket"] }));
    await expect.poll(() => others.filter((each) => each.connected).length).toBeGreaterThan(28); // the rest try again all the time
    ann.proxy.putUp();
    await ann.say("room-1");
    await expect(ann.status).toContainText("No room on the server", { timeout: 45_000 });
    await expect(ann.status).toContainText("1 message is waiting");
    for (const each of others) each.close();
    await ann.showsExactly(["room-1"]);
    await expect(ann.status).toBeEmpty();
  });
});

test("one to three emoji are shown large, and words are not", async ({ visit }) => {
  const ann = await visit();
  await ann.say("\u{1F44D}", "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u{1F1E9}\u{1F1EA}\u2764\uFE0F", "\u{1F44D} yes", "123", "\u{1F44D}\u{1F44D}\u{1F44D}\u{1F44D}");
  const sizes = () => ann.page.locator("[data-state] .text").evaluateAll((all) => all.map((each) => parseFloat(getComputedStyle(each).fontSize) > 30));
  await expect.poll(sizes).toEqual([true, true, false, false, false]);
});

test("the page brings the icons that a phone puts on its screen", async ({ visit }) => {
  const ann = await visit();
  const icons = await ann.page.evaluate(async () => {
    const manifest = document.querySelector("link[rel=manifest]").href;
    const { icons } = await fetch(manifest).then((answer) => answer.json());
    const apple = { src: document.querySelector("link[rel=apple-touch-icon]").href, sizes: "180x180", type: "image/png" };
    const drawn = [...icons, apple].filter(({ type }) => type === "image/png");
    return Promise.all(
      drawn.map(async ({ src, sizes }) => {
        const { width, height } = await createImageBitmap(await fetch(new URL(src, manifest)).then((answer) => answer.blob()));
        return { sizes, is: `${width}x${height}` };
      }),
    );
  });
  expect(icons.length).toBeGreaterThan(3);
  for (const { sizes, is } of icons) expect(is).toBe(sizes);
});

for (const [where, prepare] of [["a page with TLS", () => {}], ["a page without", () => Object.defineProperty(navigator, "clipboard", { value: undefined })]])
  test(`what a message says is copied on ${where}, and that is said`, async ({ visit }) => {
    const ann = await visit({ empty: true });
    await ann.page.addInitScript(prepare);
    await ann.open();
    await ann.say("copy-1");
    await ann.act("copy-1", "Copy text");
    await expect(ann.status).toHaveText("Copied");
    await ann.composer.focus();
    await ann.page.keyboard.press("Control+V");
    await expect(ann.composer).toHaveValue("copy-1");
  });

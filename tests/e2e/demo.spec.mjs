// The demo: real faults for both sides, ours counted to be 0 · 0 · 0. DEMO_SECONDS is how long the chaos lasts.
import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test as base } from "@playwright/test";
import { animate } from "../support/apng.mjs";
import { Demo } from "../support/demo.mjs";
import { root, Server } from "../support/server.mjs";
import { accessibilityProblems } from "./axe.mjs";

const seconds = Number(process.env.DEMO_SECONDS ?? 20);
const seed = Number(process.env.DEMO_SEED ?? 8);
// After the chaos a stock client may wait four times ten seconds for an answer, and then half a minute for its screen.
const untilCounted = 180_000;

const test = base.extend({
  demo: async ({}, use) => {
    const demo = await Demo.start();
    await use(demo);
    await demo.end();
  },
});

const numbers = (page, side) =>
  page.locator(`.${side} .counters dd`).allTextContents().then((texts) => texts.map(Number));

async function counted(page) {
  for (const side of ["oncewire", "stock"]) {
    await expect(page.locator(`.${side}`)).toHaveAttribute("data-counted", "true", { timeout: untilCounted });
  }
}

async function connected(page) {
  for (const side of ["oncewire", "stock"]) {
    await expect(page.locator(`.${side} .link-state`)).toHaveText("connected", { timeout: untilCounted });
  }
}

test("the demo at 60 % chaos: ours loses nothing, repeats nothing, and keeps the order", async ({ page, demo }) => {
  test.setTimeout(seconds * 1000 + untilCounted + 60_000);
  await page.goto(`${demo.url}?chaos=60&seed=${seed}&seconds=${seconds}`);
  await page.waitForFunction(() => document.getElementById("run").disabled, null, { timeout: seconds * 1000 + 60_000 });
  await counted(page);
  const [sent, ...ours] = await numbers(page, "oncewire");
  const [, lost, twice, disorder] = await numbers(page, "stock");
  console.log(`      stock, for ${sent} messages: ${lost} lost, ${twice} twice, ${disorder} out of order`);
  expect(sent).toBeGreaterThan(0);
  expect(ours).toEqual([0, 0, 0]);
});

test("the demo without faults in flight: the stock side is right, too", async ({ page, demo }) => {
  test.setTimeout(2 * untilCounted);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(`${demo.url}?seconds=3`);
  await counted(page);
  const [sent] = await numbers(page, "stock");
  expect(sent).toBeGreaterThan(0);

  const press = (name) => page.getByRole("button", { name }).click();
  await press("Pull the plug");
  for (const side of ["oncewire", "stock"]) await expect(page.locator(`.${side} .link-state`)).toHaveText("the plug is out");
  await press("Put it back");
  await connected(page);
  await press("Kill the server");
  for (const side of ["oncewire", "stock"]) await expect(page.locator(`.${side} .link-state`)).toHaveText("the server is dead");
  await connected(page);
  await press("Go on");
  await expect.poll(async () => (await numbers(page, "stock"))[0]).toBeGreaterThan(sent + 2);
  await press("Stop and count");
  await counted(page);
  expect((await numbers(page, "oncewire")).slice(1)).toEqual([0, 0, 0]);
  expect((await numbers(page, "stock")).slice(1)).toEqual([0, 0, 0]);
  expect(problems).toEqual([]);
});

test("a bead tells the story of its message, by keyboard, and what the server knows of it", async ({ page, demo }) => {
  await page.goto(demo.url);
  const bead = page.getByRole("button", { name: "Message 1: stored" }).first();
  await bead.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Message 1, Oncewire" });
  await expect(dialog.getByRole("img")).toHaveAccessibleName(/key press.*kept on the device.*offered.*COMMIT.*the check/);
  await expect(dialog.locator("pre")).toContainText("accepted; it published 1:");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(bead).toBeFocused();
});

for (const [colorScheme, width] of [["light", 1280], ["dark", 390]]) {
  test(`the demo for everybody: ${colorScheme}, ${width} wide`, async ({ browser, demo }) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
    await page.goto(demo.url);
    await connected(page);
    await page.getByRole("button", { name: "Pull the plug" }).click();
    await expect(page.getByRole("button", { name: "Put it back" })).toHaveAttribute("aria-pressed", "true");
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole("slider", { name: "Chaos" }).press("ArrowRight");
    await expect(page.locator("#chaos-value")).toHaveText("5 %");
    await page.close();
  });
}

test("only the demo's own page makes faults", async ({ demo }) => {
  const ask = (headers) => fetch(new URL("/control", demo.url), { method: "POST", headers, body: '{"do":"plug"}' }).then(({ status }) => status);
  const { origin } = new URL(demo.url);
  expect(await ask({ "content-type": "application/json", origin })).toBe(200);
  expect(await ask({ "content-type": "application/json", origin: "http://example.org" })).toBe(403);
  expect(await ask({ "content-type": "text/plain", origin })).toBe(403);
  expect(await ask({ "content-type": "application/json" })).toBe(403);
});

test("a server's own /demo plays a recorded run, and says so", async ({ page }) => {
  const server = await Server.start();
  try {
    await page.clock.install();
    const problems = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`${server.url}/demo`);
    await expect(page.getByText("This is a recording of a real run")).toBeVisible();
    await expect(page.getByRole("button", { name: "Kill the server" })).toBeDisabled();
    expect(await accessibilityProblems(page)).toEqual([]);
    await expect(async () => {
      await page.clock.runFor(20_000);
      await expect(page.getByRole("button", { name: "Play again" })).toBeVisible({ timeout: 100 });
    }).toPass();
    const [sent, ...ours] = await numbers(page, "oncewire");
    expect(sent).toBeGreaterThan(0);
    expect(ours).toEqual([0, 0, 0]);
    expect(problems).toEqual([]);
  } finally {
    await server.remove();
  }
});

// The README's picture, with a still in it for whatever does not play, and the run that a static page plays.
test("a recording of the demo @shots", async ({ browser, demo }) => {
  test.setTimeout(seconds * 1000 + untilCounted + 240_000);
  const page = await browser.newPage({ viewport: { width: 1080, height: 720 }, reducedMotion: "no-preference" });
  await page.goto(`${demo.url}?chaos=60&seed=${seed}&seconds=${seconds}`);
  const shots = [];
  const isOver = () => page.locator("[data-counted=true]").count().then((n) => n === 2);
  for (let last = Date.now(); !(await isOver()); ) {
    const isCounting = await page.locator("#run").isDisabled();
    shots.push({ png: await page.screenshot(), ms: 0, isCounting });
    await page.waitForTimeout(isCounting ? 1000 : 250);
    shots.at(-1).ms = isCounting ? 250 : Math.min(Date.now() - last, 400);
    last = Date.now();
  }
  await page.waitForTimeout(300);
  const end = await page.screenshot();
  // Of the waiting at the end a little is enough.
  const kept = shots.filter(({ isCounting }, i) => !isCounting || shots.slice(0, i).filter((each) => each.isCounting).length < 12);
  mkdirSync(join(root, "build/shots"), { recursive: true });
  writeFileSync(join(root, "build/shots/demo.png"), animate([...kept, { png: end, ms: 5000 }], end));
  writeFileSync(join(root, "build/shots/recorded.json"), `${JSON.stringify(await page.evaluate(() => recording()))}\n`);
  await page.close();
});

for (const [colorScheme, width] of [["light", 390], ["light", 1280], ["dark", 390], ["dark", 1280]]) {
  test(`the demo @shots ${colorScheme} ${width}`, async ({ browser, demo }) => {
    test.setTimeout(120_000);
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 } });
    const shoot = (state) => page.screenshot({ path: join(root, `build/shots/${colorScheme}-${width}-demo-${state}.png`), fullPage: width < 900 });
    await page.goto(demo.url);
    await expect(page.getByRole("button", { name: "Message 5: stored" })).toHaveCount(2);
    await shoot("calm");
    await page.getByRole("button", { name: "Pull the plug" }).click();
    await expect(page.getByRole("button", { name: /^Message 12:/ })).toHaveCount(2);
    await shoot("pulled");
    await page.getByRole("button", { name: "Put it back" }).click();
    await page.getByRole("button", { name: "Half-open" }).click();
    await page.getByRole("button", { name: "Kill the server" }).click();
    await expect(page.locator(".oncewire .link-state")).toHaveText("the server is dead");
    await shoot("killed");
    await page.getByRole("button", { name: /^Message 10:/ }).first().click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await shoot("story");
    await page.close();
  });
}

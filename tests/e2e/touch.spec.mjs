// A person with a phone: fingers instead of a pointer, and a keyboard that covers half of the screen.
import { expect, test } from "./chat_page.mjs";

const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

/** A finger on `locator` until `lift()`. */
async function press(page, locator) {
  const { x, y, width, height } = await locator.boundingBox();
  const client = await page.context().newCDPSession(page);
  const touchPoints = [{ x: x + width / 2, y: y + Math.min(height / 2, 12) }];
  await client.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
  return { lift: () => client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] }) };
}

test("a finger that stays on a message opens what can be done with it, and does it", async ({ visit }) => {
  const ann = await visit({ browser: phone });
  await ann.called("Ann");
  await ann.say("touch-1");
  await expect(ann.message("touch-1")).toHaveAttribute("data-id");
  const sheet = ann.page.getByRole("dialog", { name: "What to do with this message" });
  const finger = await press(ann.page, ann.message("touch-1").locator(".text"));
  await expect(sheet).toBeVisible();
  await finger.lift();
  await expect(sheet).toBeVisible();
  await sheet.getByRole("button", { name: "Edit" }).tap();
  await expect(sheet).toBeHidden();
  await expect(ann.composer).toHaveValue("touch-1");
  await ann.composer.fill("touch-2");
  await ann.send.tap();
  await expect(ann.message("touch-2")).toHaveAttribute("data-edited");
});

test("a tap beside the sheet or on Cancel closes it, and nothing was done", async ({ visit }) => {
  const ann = await visit({ browser: phone });
  await ann.say("still-1");
  await expect(ann.message("still-1")).toHaveAttribute("data-id");
  const sheet = ann.page.getByRole("dialog", { name: "What to do with this message" });
  for (const close of [() => sheet.getByRole("button", { name: "Cancel" }).tap(), () => ann.page.touchscreen.tap(195, 100)]) {
    const finger = await press(ann.page, ann.message("still-1").locator(".text"));
    await expect(sheet).toBeVisible();
    await finger.lift();
    await close();
    await expect(sheet).toBeHidden();
  }
  await expect(ann.message("still-1")).toHaveText("still-1");
});

test("a tap shows the small bar, and lifting the finger does not take it away", async ({ visit }) => {
  const ann = await visit({ browser: phone });
  await ann.say("tap-1");
  await expect(ann.message("tap-1")).toHaveAttribute("data-id");
  await ann.message("tap-1").locator(".text").tap();
  await expect(ann.page.getByRole("toolbar").getByRole("button", { name: "Edit" })).toBeVisible();
});

test("everything that is pressed is large enough for a finger", async ({ visit }) => {
  const ann = await visit({ browser: phone });
  await ann.say("large-1");
  const buttons = ann.page.locator(".bar button:visible, .composer button:visible");
  const sizes = await buttons.evaluateAll((all) => all.map((each) => [each.id || each.className, each.offsetWidth, each.offsetHeight]));
  for (const [name, width, height] of sizes) {
    expect(width, name).toBeGreaterThanOrEqual(44);
    expect(height, name).toBeGreaterThanOrEqual(44);
  }
});

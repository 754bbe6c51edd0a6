// Pictures of every state, to be looked at: `make shots`.
import { join } from "node:path";
import { root } from "../support/server.mjs";
import { expect, test } from "./chat_page.mjs";

test.describe("pictures @shots", () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1280]) {
      test(`${colorScheme} ${width}`, async ({ visit }) => {
        test.setTimeout(120_000);
        const ben = await visit();
        const ann = await visit({ browser: { colorScheme, viewport: { width, height: 800 } } });
        const shoot = (state) => ann.page.screenshot({ path: join(root, `build/shots/${colorScheme}-${width}-${state}.png`) });
        await shoot("empty");
        await ben.called("Ben");
        await ann.called("Ann");
        await ben.say("The train leaves at nine. Shall we meet at the station?");
        await ann.say("Yes. I will be there at a quarter to.");
        await ben.say("Good. I bring the tickets, and something to read for the way:", "https://example.org/timetable");
        await expect(ann.messages).toHaveCount(4);
        await ann.say("Thank you!");
        await expect(ann.message("Thank you")).toHaveAttribute("data-state", "delivered");
        await ann.act("Thank you", "Edit");
        await ann.composer.fill("Thank you, dear.");
        await ann.composer.press("Enter");
        await expect(ann.message("dear")).toHaveAttribute("data-edited", "");
        await ann.message("quarter").hover();
        await shoot("conversation");
        await ann.page.mouse.move(1, 1);
        await ann.page.getByRole("button", { name: "Search" }).click();
        await ann.page.getByRole("searchbox").fill("station");
        await ann.page.getByRole("searchbox").press("Enter");
        await expect(ann.page.getByText("1 message found")).toBeVisible();
        await shoot("search");
        await ann.page.keyboard.press("Escape");
        await ann.page.getByRole("button", { name: "Settings" }).click();
        await shoot("settings");
        await ann.page.keyboard.press("Escape");
        const places = ann.page.locator("#places-open");
        if (await places.isVisible()) await places.click();
        await ann.go("Ben");
        await ann.say("Between you and me: I am a little nervous.");
        await expect(ann.message("nervous")).toHaveAttribute("data-state", "delivered");
        await ben.go("Ann");
        await ben.say("So am I.");
        await expect(ann.message("So am I")).toBeVisible();
        await shoot("private");
        await ben.go("Everyone");
        await ben.say("Is everybody here?");
        if (await places.isVisible()) await places.click();
        await expect(ann.rooms.getByText("1", { exact: true })).toBeVisible();
        await shoot("places");
        await ann.go("Everyone");
        ann.proxy.takeDown();
        await ann.say("I am in the tunnel now; you will read this later.");
        await expect(ann.message("tunnel")).toHaveAttribute("data-state", "queued");
        await expect(ann.status).not.toBeEmpty();
        await ann.page.mouse.move(1, 1);
        await shoot("offline");
        ann.proxy.putUp();
        await expect(ann.message("tunnel")).toHaveAttribute("data-state", "delivered");
        await ann.composer.fill("long ".repeat(7000));
        await ann.composer.press("Enter");
        await expect(ann.messages.last()).toHaveAttribute("data-state", "rejected");
        await shoot("rejected");
        await ann.page.goto(`${ann.proxy.url}/?lang=en-XB`);
        await expect(ann.message("dear")).toBeVisible();
        await shoot("right-to-left");
        const other = await visit({ context: ann.page.context(), proxy: ann.proxy });
        await other.page.evaluate(() => localStorage.removeItem("oncewire-chat:visitor"));
        await expect(ann.page.locator("#retry")).toBeVisible();
        await shoot("signed-out-elsewhere");
        await ann.page.goto(`${ann.proxy.url}/?lang=ja&debug`);
        await expect(ann.page.locator(".debug pre")).toContainText("roundTrip");
        await shoot("japanese-debug");
      });
    }
  }
});

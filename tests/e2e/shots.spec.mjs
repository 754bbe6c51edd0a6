// Pictures of every state, to be looked at: `make shots`.
import { join } from "node:path";
import { endLease } from "../support/lease.mjs";
import { drawId, png } from "../support/pictures.mjs";
import { root } from "../support/server.mjs";
import { connected, say, stock } from "../support/stock.mjs";
import { expect, test } from "./chat_page.mjs";

/** A landscape, more or less, drawn in the page and pasted. */
const pasteView = (chat, [width, height]) =>
  chat.composer.evaluate(
    async (field, [width, height]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      const sky = context.createLinearGradient(0, 0, 0, height);
      for (const [at, colour] of [[0, "#33507a"], [0.55, "#e8b98a"], [0.56, "#3c5a4a"], [1, "#1c2c26"]]) sky.addColorStop(at, colour);
      context.fillStyle = sky;
      context.fillRect(0, 0, width, height);
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([await canvas.convertToBlob({ type: "image/png" })], "view.png", { type: "image/png" }));
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    },
    [width, height],
  );

test.describe("where little is kept and little is allowed @shots", () => {
  test.use({ config: "[server]\nkeep_messages = 3\nconnections = 30\n[chat]\nsearch_burst = 1\nsearch_per_second = 1\npictures_megabytes_each_day = 1\n" });
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1280]) {
      test(`${colorScheme} ${width}`, async ({ visit, server, friend }) => {
        test.setTimeout(180_000);
        const ann = await visit({ browser: { colorScheme, viewport: { width, height: 800 } } });
        const shoot = (state) => ann.page.screenshot({ path: join(root, `build/shots/${colorScheme}-${width}-${state}.png`) });
        const visitor = await ann.page.evaluate(() => localStorage.getItem("oncewire-chat:visitor"));

        await pasteView(ann, [1200, 800]);
        await expect(ann.page.locator("#note")).toContainText("kB");
        await ann.composer.fill("The view from the train.");
        await shoot("picture-preview");
        await ann.composer.press("Enter");
        await expect(ann.message("view")).toHaveAttribute("data-state", "delivered");
        await say(friend.socket, "Lovely. Where is that?");
        await expect(ann.message("Lovely")).toBeVisible();
        ann.proxy.refuseSockets();
        await pasteView(ann, [300, 700]);
        await expect(ann.page.locator("#note")).toContainText("kB");
        await ann.say("");
        await expect(ann.messages.last()).toHaveAttribute("data-state", "queued");
        await expect(ann.status).toContainText("waiting");
        await shoot("picture-waiting");
        ann.proxy.putUp();
        await expect(ann.messages.last()).toHaveAttribute("data-state", "delivered");
        await expect(ann.page.locator("img[data-loading]")).toHaveCount(0);
        await shoot("pictures");
        await ann.page.evaluate(() => {
          for (const image of document.querySelectorAll("#logs img")) {
            image.dataset.loading = "";
            image.removeAttribute("src");
          }
        });
        await shoot("pictures-loading");
        await ann.page.reload();
        await expect(ann.page.locator("img[data-loading]")).toHaveCount(0);
        await ann.isIn();

        const other = stock(server.url, { auth: { visitor, live: true } });
        await connected(other);
        for (let i = 0; i < 3; ++i) await new Promise((resolve) => other.emit("picture", drawId(), png(510, 510, { noise: true }), resolve));
        await ann.page.locator("#file").setInputFiles({ name: "a.png", mimeType: "image/png", buffer: png(500, 480, { noise: true }) });
        await expect(ann.page.locator("#note")).toContainText("kB");
        await ann.say("One more.");
        await expect(ann.message("One more")).toHaveAttribute("data-state", "rejected");
        await ann.message("One more").hover();
        await shoot("picture-refused");
        await ann.page.getByRole("button", { name: "Discard" }).click();

        const rush = setInterval(() => other.emit("search", "chat", "x", null), 200); // faster, and it is cut off
        await ann.page.getByRole("button", { name: "Search" }).click();
        await ann.page.getByRole("searchbox").fill("view");
        await expect(async () => {
          await ann.page.getByRole("searchbox").press("Enter");
          await expect(ann.page.locator("#search-note")).toContainText("a lot at once", { timeout: 300 });
        }).toPass({ timeout: 60_000 });
        await shoot("too-fast");
        clearInterval(rush);
        other.close();
        await ann.page.keyboard.press("Escape");

        ann.proxy.takeDown();
        const others = Array.from({ length: 34 }, () => stock(server.url));
        await expect.poll(() => others.filter((each) => each.connected).length).toBe(28);
        ann.proxy.putUp();
        await ann.say("Is anybody there?");
        await expect(ann.status).toContainText("No room on the server", { timeout: 60_000 });
        await shoot("full");
        for (const each of others) each.close();
        await expect(ann.message("anybody")).toHaveAttribute("data-state", "delivered");

        ann.proxy.takeDown();
        for (let i = 1; i <= 6; ++i) await say(friend.socket, `While you were away, ${i}`);
        await server.restart(); // history is removed when nobody is busy; at the latest now
        ann.proxy.putUp();
        await expect(ann.page.getByText("not kept that long").first()).toBeVisible({ timeout: 30_000 });
        await shoot("history-lost");

        ann.proxy.refuseSockets();
        await ann.say("This one will be gone.");
        await expect(ann.message("will be gone")).toHaveAttribute("data-state", "queued");
        await ann.page.goto(`${ann.proxy.url}/favicon.svg`);
        await ann.page.evaluate(() => new Promise((resolve) => (indexedDB.deleteDatabase("oncewire").onsuccess = resolve)));
        ann.proxy.putUp();
        await ann.page.goto(ann.proxy.url);
        await expect(ann.page.getByText("the browser removed them").first()).toBeVisible();
        await shoot("outbox-lost");
      });
    }
  }
});

test.describe("back after the lease @shots", () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1280]) {
      test(`${colorScheme} ${width}`, async ({ visit, server }) => {
        const ann = await visit({ browser: { colorScheme, viewport: { width, height: 800 } } });
        await ann.say("See you in spring.");
        await expect(ann.message("spring")).toHaveAttribute("data-state", "delivered");
        await server.end("SIGTERM");
        await ann.say("Have you kept my umbrella?", "It is the blue one.");
        await expect(ann.message("blue")).toHaveAttribute("data-state", "queued");
        endLease(server.database, 1);
        await server.start();
        await expect(ann.message("blue")).toHaveAttribute("data-state", "delivered");
        await expect(ann.message("umbrella")).toHaveAttribute("data-state", "unknown");
        await ann.message("umbrella").hover();
        await ann.page.screenshot({ path: join(root, `build/shots/${colorScheme}-${width}-outcome-unknown.png`) });
      });
    }
  }
});

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

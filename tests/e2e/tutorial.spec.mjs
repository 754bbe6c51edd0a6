// The tutorial's last page, unmodified, on our client and on the stock client, against our server.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { say } from "../support/stock.mjs";
import { expect, numbered, test } from "./chat_page.mjs";

const tutorial = readFileSync(new URL("tutorial.html", import.meta.url));
const stockBundle = readFileSync(createRequire(import.meta.url).resolve("socket.io-client/dist/socket.io.js"));

for (const client of ["our client", "the stock client"]) {
  test.describe(`on ${client}`, () => {
    /** The page comes from here, the client script from our server, or from npm's bundle in its place. */
    async function openTutorial(visit) {
      const { page, proxy } = await visit({ empty: true });
      proxy.pages.set("/tutorial.html", { type: "text/html", body: tutorial });
      if (client === "the stock client") proxy.pages.set("/socket.io/socket.io.js", { type: "text/javascript", body: stockBundle });
      await page.goto(`${proxy.url}/tutorial.html`);
      const items = page.locator("#messages li");
      const write = async (...texts) => {
        for (const text of texts) {
          await page.locator("#input").fill(text);
          await page.locator("#input").press("Enter");
        }
      };
      await expect.poll(() => page.evaluate("socket.connected")).toBe(true);
      return { page, proxy, items, write, toggle: page.locator("#toggle") };
    }

    test("two pages chat, and a third reads everything on opening", async ({ visit }) => {
      const ann = await openTutorial(visit);
      const ben = await openTutorial(visit);
      await ann.write("tutorial-1");
      await ben.write("tutorial-2");
      await expect(ann.items).toHaveCount(2);
      await ben.write("tutorial-3");
      for (const { items } of [ann, ben, await openTutorial(visit)]) {
        await expect(items).toHaveCount(3);
        expect((await items.allTextContents()).sort()).toEqual(numbered("tutorial", 3));
      }
    });

    test("Disconnect, miss something, Connect", async ({ visit, friend }) => {
      const ann = await openTutorial(visit);
      await ann.write("missed-1");
      await expect(ann.items).toHaveCount(1);
      await ann.toggle.click();
      await say(friend.socket, "missed-2");
      await say(friend.socket, "missed-3");
      await ann.toggle.click();
      await expect(ann.items).toHaveText(numbered("missed", 3));
    });

    test("kill -9 of the server with messages in flight", async ({ visit, server, friend }) => {
      const ann = await openTutorial(visit);
      const writing = ann.write(...numbered("killed", 30));
      await expect.poll(() => ann.items.count()).toBeGreaterThan(5);
      await server.restart();
      await writing;
      await expect(ann.items).toHaveText(numbered("killed", 30), { timeout: 30_000 });
      await friend.transcript.count(30);
      expect(friend.transcript.texts).toEqual(numbered("killed", 30));
    });

    test("two people who type while offline do not lose each other's message", async ({ visit, friend }) => {
      const ann = await openTutorial(visit);
      const ben = await openTutorial(visit);
      for (const { proxy, page } of [ann, ben]) {
        proxy.takeDown();
        await expect.poll(() => page.evaluate("socket.connected")).toBe(false);
      }
      await ann.write("offline-1"); // both make the id undefined-0
      await ben.write("offline-2");
      for (const { proxy } of [ann, ben]) proxy.putUp();
      await friend.transcript.count(2);
      expect([...friend.transcript.texts].sort()).toEqual(numbered("offline", 2));
    });
  });
}

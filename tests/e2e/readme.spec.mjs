// What the README shows, runs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/server.mjs";
import { expect, test } from "./chat_page.mjs";

test("the README's example sends and hears its message", async ({ visit, friend }) => {
  const [, example] = readFileSync(join(root, "README.md"), "utf8").match(/```js\n([\s\S]*?)```/);
  const heard = example.replace("socket.on(\"chat message\", (text, id) => {});", 'socket.on("chat message", (text) => (document.title = text));');
  expect(heard).not.toBe(example);
  const { page, proxy } = await visit({ empty: true });
  proxy.pages.set("/example.html", { type: "text/html", body: Buffer.from('<script type="module" src="/example.js"></script>') });
  proxy.pages.set("/example.js", { type: "text/javascript", body: Buffer.from(heard) });
  await page.goto(`${proxy.url}/example.html`);
  await friend.transcript.heard("hello");
  await expect(page).toHaveTitle("hello");
});

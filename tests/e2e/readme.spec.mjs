// What the README shows, runs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, root } from "../support/server.mjs";
import { expect, test } from "./chat_page.mjs";
import { inside, launcher, test as onSite, tokenFor, write } from "./embed_site.mjs";

const readme = readFileSync(join(root, "README.md"), "utf8");

test("the README's example sends and hears its message", async ({ visit, friend }) => {
  const [, example] = readme.match(/```js\n([\s\S]*?)```/);
  const heard = example.replace("socket.on(\"chat message\", (text, id) => {});", 'socket.on("chat message", (text) => (document.title = text));');
  expect(heard).not.toBe(example);
  const { page, proxy } = await visit({ empty: true });
  proxy.pages.set("/example.html", { type: "text/html", body: Buffer.from('<script type="module" src="/example.js"></script>') });
  proxy.pages.set("/example.js", { type: "text/javascript", body: Buffer.from(heard) });
  await page.goto(`${proxy.url}/example.html`);
  await friend.transcript.heard("hello");
  await expect(page).toHaveTitle("hello");
});

test("the README's configuration is what the server uses by itself", () => {
  const [, reference] = readme.match(/```toml\n([\s\S]*?)```/);
  const directory = mkdtempSync(join(tmpdir(), "oncewire-"));
  try {
    writeFileSync(join(directory, "reference.toml"), reference);
    const print = (...args) => execFileSync(binary, [...args, "--print-config"], { encoding: "utf8" });
    expect(print("--config", join(directory, "reference.toml"))).toBe(print());
    const bare = (text) => text.replace(/ +#.*/g, "").replace(/\n+/g, "\n").trim();
    expect(bare(print())).toBe(bare(reference));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

onSite.describe("the README's ways to embed the chat", () => {
  const snippets = [...readme.matchAll(/```html\n([\s\S]*?)```/g)].map(([, html]) => html);

  /** The site shows nothing but snippet `number`; what is said in its room is heard by the friend. */
  async function show(number, { site, chat, friend, page }) {
    const html = snippets[number].replaceAll("https://chat.example.org", chat.url);
    expect(html).not.toBe(snippets[number]);
    site.page = `<!doctype html><title>Shop</title><body>${html}`;
    site.answers["/chat-token"] = tokenFor({ sub: "17", name: "Ann" });
    const posts = [];
    friend.socket.on("post", (post) => posts.push([post.place, post.text, post.from]));
    await page.goto(site.url);
    return posts;
  }

  onSite("there are three", () => expect(snippets).toHaveLength(3));

  onSite("a launcher", async ({ site, chat, friend, page }) => {
    const posts = await show(0, { site, chat, friend, page });
    await launcher(page).click();
    await write(page, "launcher-1");
    await expect.poll(() => posts).toEqual([["room/support", "launcher-1", expect.stringMatching(/^v/)]]);
  });

  onSite("an element of the page", async ({ site, chat, friend, page }) => {
    const posts = await show(1, { site, chat, friend, page });
    await expect(launcher(page)).toHaveCount(0);
    await write(page, "element-1");
    await expect.poll(() => posts).toEqual([["room/support", "element-1", expect.stringMatching(/^v/)]]);
  });

  onSite("a module, with a token and a listener", async ({ site, chat, friend, page }) => {
    const ready = page.waitForEvent("console", (line) => line.text() === "ready");
    await page.addInitScript(() => document.addEventListener("oncewire-ready", () => console.log("ready")));
    const posts = await show(2, { site, chat, friend, page });
    await ready;
    friend.socket.emit("post", "room/support", { text: "module-1" });
    await expect(page).toHaveTitle("1 unread");
    await launcher(page).click();
    await write(page, "module-2");
    await expect.poll(() => posts.at(-1)).toEqual(["room/support", "module-2", "u:17"]);
  });
});

// The chat on other people's sites: another origin, its own rules.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { root } from "../support/server.mjs";
import { say, stock, Transcript } from "../support/stock.mjs";
import { expect, inside, launcher, loader, test, tokenFor, write } from "./embed_site.mjs";

const sites = {
  "a plain page": () => ({}),
  "a page with a strict policy": (chat) => ({ "content-security-policy": `default-src 'none'; script-src ${chat.url}; frame-src ${chat.url}` }),
  "an isolated page": () => ({ "cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin" }),
};
for (const [name, headersFor] of Object.entries(sites)) {
  test(`${name} embeds the chat with one line`, async ({ site, chat, friend, page }) => {
    site.page = `<!doctype html><title>Shop</title><h1>Shop</h1>${loader(chat)}`;
    site.headers = headersFor(chat);
    const complaints = [];
    page.on("console", (line) => /Content Security Policy|blocked/i.test(line.text()) && complaints.push(line.text()));
    await page.goto(site.url);
    await launcher(page).click();
    await write(page, "embed-1");
    await friend.transcript.heard("embed-1");
    await launcher(page).click();
    await expect(page.locator("iframe")).toBeHidden();
    await say(friend.socket, "embed-2");
    await expect(page.getByRole("button", { name: "Chat, 1 unread" })).toBeVisible();
    await launcher(page).click();
    await expect(inside(page).getByRole("log")).toContainText("embed-2");
    await expect(page.getByRole("button", { name: "Chat", exact: true })).toBeVisible();
    expect(complaints).toEqual([]);
  });
}

test("a message written while the server is down, the page then closed and opened again, arrives once", async ({ site, chat, page }) => {
  site.page = `<!doctype html><title>Shop</title>${loader(chat)}`;
  await page.goto(site.url);
  await launcher(page).click();
  await expect(inside(page).getByText("1 person here")).toBeVisible();
  await chat.end("SIGKILL");
  await write(page, "later-1");
  await expect(inside(page).getByRole("log").locator("[data-state=queued]")).toHaveCount(1);
  await page.goto("about:blank");
  await chat.start();
  const socket = stock(chat.url, { auth: { serverOffset: 0 } });
  const transcript = new Transcript(socket);
  await page.goto(site.url);
  await transcript.heard("later-1");
  await launcher(page).click();
  await write(page, "later-2");
  await transcript.heard("later-2");
  expect(transcript.texts).toEqual(["later-1", "later-2"]);
  socket.close();
});

test("a site that is not on the list cannot show the chat, nor talk to it", async ({ site, chat, page }) => {
  site.page = `<!doctype html><title>Stranger</title>${loader(chat)}`;
  await page.goto(site.url.replace("127.0.0.1", "localhost")).catch(() => {});
  const stranger = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(site.page)).listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const refused = page.waitForEvent("console", (line) => /frame-ancestors|refused to connect|Content Security Policy/i.test(line.text()));
  await page.goto(`http://127.0.0.1:${stranger.address().port}`);
  await launcher(page).click();
  await refused;
  await expect(inside(page).locator("form")).toHaveCount(0);
  const origin = `http://127.0.0.1:${stranger.address().port}`;
  const answer = await fetch(`${chat.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
  expect(answer.status).toBe(403);
  stranger.closeAllConnections();
  stranger.close();
});

test("calls made before the loader is there are made afterwards; destroy leaves nothing behind", async ({ site, chat, page }) => {
  site.page = `<!doctype html><title>Shop</title><script>OncewireChat = [["setTheme", "dark"], ["open"]];</script>${loader(chat)}
    <oncewire-chat server="${chat.url}" theme="light"></oncewire-chat>`;
  await page.goto(site.url);
  await expect(page.locator("iframe")).toHaveCount(2);
  await expect(page.getByRole("button", { name: /^Chat/ })).toHaveAttribute("aria-expanded", "true");
  await expect(page.frameLocator("[launcher] iframe").locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.frameLocator("oncewire-chat iframe").locator("html")).toHaveAttribute("data-theme", "light");
  await page.evaluate(() => {
    globalThis.OncewireChat.destroy();
    document.querySelector("oncewire-chat").remove();
  });
  await expect(page.locator("iframe")).toHaveCount(0);
  expect(await page.evaluate(() => [typeof globalThis.OncewireChat, document.querySelectorAll("[launcher]").length])).toEqual(["undefined", 0]);
});

test("a visitor is who the site's back end says, and nobody can take the name", async ({ site, chat, friend, page }) => {
  const make = (token) => `<!doctype html><title>Shop</title><script type="module">
    import { createChat } from "${chat.url}/embed.js";
    globalThis.chat = createChat({ getToken: async () => ${JSON.stringify(token)} });
    globalThis.chat.open();
  </script>`;
  site.page = make(tokenFor({ sub: "17", name: "Ann of the shop" }));
  const names = [];
  friend.socket.on("chat message", (text, id, meta) => names.push([text, meta.from, meta.name]));
  await page.goto(site.url);
  await write(page, "token-1");
  await friend.transcript.heard("token-1");
  expect(names).toEqual([["token-1", "u:17", "Ann of the shop"]]);
  site.page = make(tokenFor({ sub: "17", exp: 1000 }));
  await page.goto(site.url);
  await expect(inside(page).getByRole("status")).toContainText("expired");
});

/** `code` and what it imports from npm, as one file. */
async function bundled(code) {
  mkdirSync(join(root, "build/e2e-bundles"), { recursive: true });
  const directory = mkdtempSync(join(root, "build/e2e-bundles/embed-"));
  try {
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(join(root, "build/oncewire-client"), join(directory, "node_modules/oncewire-client"));
    const { build } = createRequire(join(root, "client-wasm/package.json"))("esbuild");
    const stdin = { contents: code, resolveDir: directory };
    const { outputFiles } = await build({ stdin, bundle: true, write: false, format: "esm", logLevel: "error" });
    return outputFiles[0].text;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("from npm, in a bundle; the room can be changed", async ({ site, chat, friend, page }) => {
  const posts = [];
  friend.socket.on("post", (post) => posts.push([post.place, post.text]));
  site.answers["/main.js"] = await bundled(`import { createChat } from "oncewire-client/embed";
    globalThis.chat = createChat({ server: ${JSON.stringify(chat.url)}, room: "sales", locale: "ja" }).open();`);
  site.page = '<!doctype html><title>Shop</title><script type="module" src="/main.js"></script>';
  await page.goto(site.url);
  await expect(page.getByRole("button", { name: "チャット", exact: true })).toBeVisible();
  await expect(inside(page).getByRole("heading", { level: 1 })).toHaveText("sales");
  await page.evaluate(() => globalThis.chat.setRoom("support"));
  await expect(inside(page).getByRole("heading", { level: 1 })).toHaveText("support");
  await write(page, "npm-1");
  await expect.poll(() => posts).toEqual([["room/support", "npm-1"]]);
});

test("an element takes its token and its room whenever they come", async ({ site, chat, friend, page }) => {
  const posts = [];
  friend.socket.on("post", (post) => posts.push([post.place, post.text, post.from]));
  site.page = `<!doctype html><title>Shop</title><oncewire-chat server="${chat.url}" room="sales"></oncewire-chat>
    <script>document.querySelector("oncewire-chat").getToken = () => ${JSON.stringify(tokenFor({ sub: "17" }))};</script>
    <script async type="module" src="${chat.url}/embed.js" data-manual></script>`;
  await page.goto(site.url);
  await expect(inside(page).getByRole("heading", { level: 1 })).toHaveText("sales");
  await page.evaluate(() => document.querySelector("oncewire-chat").setAttribute("room", "support"));
  await expect(inside(page).getByRole("heading", { level: 1 })).toHaveText("support");
  await write(page, "early-1");
  await expect.poll(() => posts).toEqual([["room/support", "early-1", "u:17"]]);
});

test("the site's accent reaches into the frame", async ({ site, chat, page }) => {
  site.page = `<!doctype html><title>Shop</title><style>oncewire-chat { --oncewire-accent: rgb(120, 40, 160); --oncewire-on-accent: white; }</style>
    <oncewire-chat></oncewire-chat><script async type="module" src="${chat.url}/embed.js" data-manual></script>`;
  await page.goto(site.url);
  await expect(inside(page).getByRole("button", { name: "Send" })).toHaveCSS("background-color", "rgb(120, 40, 160)");
});

test("the loader is at most 5 kB", async ({ chat }) => {
  const loader = await fetch(`${chat.url}/embed.js`).then((answer) => answer.text());
  expect(brotliCompressSync(loader).length).toBeLessThanOrEqual(5_000);
});

test.describe("inline, on a site that trusts the chat", () => {
  /** A site with styles that would spoil everything they reach. */
  const siteOf = (chat, more = "") => `<!doctype html><title>Shop</title><style>
      * { color: red !important; } div { display: none; } oncewire-chat { display: block; height: 500px; }
    </style><h1>Shop</h1><script async type="module" src="${chat.url}/embed.js" data-manual></script>
    <oncewire-chat inline room="support" theme="dark"></oncewire-chat>${more}`;
  const element = (page) => page.locator("oncewire-chat").first();
  const detail = (page) => element(page).locator("#detail");
  const composer = (page) => element(page).locator("form").getByRole("textbox");
  const say = async (page, text) => {
    await expect(detail(page)).not.toBeEmpty();
    await composer(page).fill(text);
    await composer(page).press("Enter");
  };

  test("there is no frame; the room, the theme and the events are those of the element", async ({ site, chat, friend, page }) => {
    const posts = [];
    friend.socket.on("post", (post) => posts.push(post.text));
    site.page = siteOf(chat);
    await page.goto(site.url);
    await expect(detail(page)).not.toBeEmpty();
    const focusAtFirst = await page.evaluate(() => document.activeElement === document.body);
    await say(page, "inline-1");
    await expect.poll(() => posts).toEqual(["inline-1"]);
    await expect(page.locator("iframe")).toHaveCount(0);
    await expect(page).toHaveTitle("Shop");
    expect(focusAtFirst).toBe(true);
    await expect(element(page).getByRole("heading", { level: 1 })).toHaveText("support");
    await page.evaluate(() => {
      globalThis.heard = [];
      document.addEventListener("oncewire-message", ({ detail }) => globalThis.heard.push(detail.place));
    });
    friend.socket.emit("post", "room/support", { text: "inline-2" });
    await expect.poll(() => page.evaluate(() => globalThis.heard)).toEqual(["room/support"]);
    await expect(element(page).getByRole("log")).toContainText("inline-2");
    const colours = () => element(page).locator(".app").evaluate((app) => [getComputedStyle(app).color, getComputedStyle(app).backgroundColor]);
    expect(await colours()).toEqual(["rgb(233, 230, 223)", "rgb(19, 21, 23)"]);
    await page.evaluate(() => document.querySelector("oncewire-chat").setTheme("light"));
    await expect.poll(colours).toEqual(["rgb(29, 30, 32)", "rgb(246, 244, 238)"]);
  });

  test("a message written while the server is down waits on the site, and arrives once", async ({ site, chat, page }) => {
    site.page = siteOf(chat);
    await page.goto(site.url);
    await expect(detail(page)).not.toBeEmpty();
    await chat.end("SIGKILL");
    await say(page, "later-1");
    await expect(element(page).locator("[data-state=queued]")).toHaveCount(1);
    await page.goto("about:blank");
    await chat.start();
    const posts = [];
    const socket = stock(chat.url, { auth: { serverOffset: 0, rooms: ["room/support"] } });
    socket.on("post", (post) => posts.push(post.text));
    await page.goto(site.url);
    await say(page, "later-2");
    await expect.poll(() => posts).toEqual(["later-1", "later-2"]);
    socket.close();
  });

  test("two beside each other are two people, in two languages and two colours", async ({ site, chat, friend, page }) => {
    const said = [];
    friend.socket.on("post", (post) => said.push([post.from, post.name, post.text]));
    site.page = `<!doctype html><title>Shop</title>
      <style>oncewire-chat { height: 400px; } #ann { --oncewire-accent: rgb(120, 40, 160); }</style>
      <oncewire-chat inline id="ann" room="support" locale="ja" theme="light"></oncewire-chat>
      <oncewire-chat inline id="ben" room="support" locale="zh" theme="light"></oncewire-chat>
      <script>
        document.getElementById("ann").getToken = () => ${JSON.stringify(tokenFor({ sub: "17", name: "Ann" }))};
        document.getElementById("ben").getToken = () => ${JSON.stringify(tokenFor({ sub: "18", name: "Ben" }))};
      </script>
      <script async type="module" src="${chat.url}/embed.js" data-manual></script>`;
    await page.goto(site.url);
    const [ann, ben] = [page.locator("#ann"), page.locator("#ben")];
    for (const each of [ann, ben]) await expect(each.locator("#detail")).not.toBeEmpty();
    for (const [each, text] of [[ann, "two-1"], [ben, "two-2"]]) {
      await each.locator("form").getByRole("textbox").fill(text);
      await each.locator("form").getByRole("textbox").press("Enter");
      await expect.poll(() => said.at(-1)?.[2]).toBe(text);
    }
    expect(said).toEqual([["u:17", "Ann", "two-1"], ["u:18", "Ben", "two-2"]]);
    for (const each of [ann, ben]) {
      await expect(each.locator("[data-state]")).toHaveCount(2);
      await expect(each.locator("[data-own]")).toHaveCount(1);
    }
    const send = (each) => each.locator("form button[type=submit]");
    await expect(send(ann)).toHaveText("送信");
    await expect(send(ben)).toHaveText("发送");
    await expect(send(ann)).toHaveCSS("background-color", "rgb(120, 40, 160)");
    await expect(send(ben)).toHaveCSS("background-color", "rgb(13, 107, 94)");
    // The one that is built anew leaves the other as it is.
    await page.evaluate(() => document.getElementById("ann").setLocale("en"));
    await expect(send(ann)).toHaveText("Send");
    await expect(ann.locator("[data-state]")).toHaveCount(2);
    await expect(send(ben)).toHaveText("发送");
  });

  test("two beside each other; destroy leaves nothing, and another visitor begins with nothing", async ({ site, chat, page }) => {
    site.page = siteOf(chat, "<oncewire-chat inline></oncewire-chat>");
    await page.goto(site.url);
    const other = page.locator("oncewire-chat").nth(1);
    await expect(other.locator("#detail")).not.toBeEmpty();
    await expect(other.getByRole("heading", { level: 1 })).toHaveText("Everyone");
    await say(page, "mine-1");
    await expect(element(page).locator("[data-state=delivered]")).toHaveCount(1);
    await expect(element(page).locator("[data-own]")).toHaveCount(1);
    await page.evaluate(() => document.querySelector("oncewire-chat").reset());
    await expect(element(page).locator("[data-state=received]")).toHaveCount(1);
    await expect(element(page).locator("[data-own]")).toHaveCount(0);
    const closed = page.evaluate(() => {
      const all = [...document.querySelectorAll("oncewire-chat")];
      for (const each of all) each.destroy();
      return all.map((each) => each.shadowRoot.childElementCount);
    });
    expect(await closed).toEqual([0, 0]);
  });
});

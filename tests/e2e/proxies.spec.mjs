// The page where it is not at the root of a site of its own, and where no WebSocket gets through.
import { Server } from "../support/server.mjs";
import { ReverseProxy, siteOf } from "../support/proxies.mjs";
import { connected, stock, Transcript } from "../support/stock.mjs";
import { Proxy } from "./proxy.mjs";
import { ChatPage, expect, test } from "./chat_page.mjs";

test("where WebSockets are refused the page polls, and nothing is lost when the link breaks", async ({ visit, server, friend }) => {
  const proxy = await Proxy.to(server.port);
  proxy.refuseUpgrades();
  const ann = await visit({ proxy });
  await ann.say("polled-1");
  await ann.showsExactly(["polled-1"]);
  proxy.cut();
  await ann.say("polled-2");
  await ann.showsExactly(["polled-1", "polled-2"]);
  await expect.poll(() => friend.transcript.texts).toEqual(["polled-1", "polled-2"]);
});

for (const [name, site] of [
  ["nginx", siteOf("nginx.conf").replace("location / {", "location /chat/ {")],
  ["caddy", "chat.example.org {\n    handle_path /chat/* {\n        reverse_proxy 127.0.0.1:3000\n    }\n}\n"],
]) {
  test(`below a path, behind ${name}: page, service worker and embedded chat`, async ({ browser }) => {
    const server = await Server.start({ config: '[server]\ntrusted_proxies = ["127.0.0.1"]\nprefix = "/chat/"\n' });
    const proxy = await ReverseProxy.start(name, server.port, site);
    const context = await browser.newContext();
    const strays = [];
    context.on("response", (answer) => {
      const { pathname } = new URL(answer.url());
      if (!pathname.startsWith("/chat/") && pathname !== "/shop" && pathname !== "/favicon.ico") strays.push(pathname);
    });
    try {
      const page = await context.newPage();
      const ann = new ChatPage(page, { url: `${proxy.url}/chat/` });
      await ann.open();
      await ann.say("below-1");
      await ann.showsExactly(["below-1"]);
      const scope = await page.evaluate(() => navigator.serviceWorker.ready.then((registration) => registration.scope));
      expect(scope).toBe(`${proxy.url}/chat/`);
      const reader = stock(server.url, { auth: { serverOffset: 0 } });
      const transcript = new Transcript(reader);
      await connected(reader);
      await expect.poll(() => transcript.texts).toEqual(["below-1"]);
      reader.close();

      // A page of the same site that embeds it, in a frame and without one.
      const shop = await context.newPage();
      await shop.route("**/shop", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><title>Shop</title><script type="module" src="${proxy.url}/chat/embed.js" data-manual></script>
            <oncewire-chat id="framed" style="height: 20rem"></oncewire-chat><oncewire-chat id="inline" inline style="height: 20rem"></oncewire-chat>
            <oncewire-chat id="second" inline style="height: 20rem"></oncewire-chat>`,
        }),
      );
      await shop.goto(`${proxy.url}/shop`);
      await expect(shop.frameLocator("#framed iframe").getByText("below-1")).toBeVisible();
      await expect(shop.locator("#inline").getByText("below-1")).toBeVisible();
      await expect(shop.locator("#second").getByText("below-1")).toBeVisible();
      expect(strays).toEqual([]);
    } finally {
      await context.close();
      await proxy.remove();
      await server.remove();
    }
  });
}

// Somebody else's site, on a port of its own, that shows the chat.
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { test as base, expect } from "@playwright/test";
import { Server } from "../support/server.mjs";
import { connected, stock, Transcript } from "../support/stock.mjs";

export { expect };

const secret = "a secret of the site's back end, long enough";

/** A token as the site's back end would sign it. */
export function tokenFor(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ aud: "chat", exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

export const test = base.extend({
  /** `site.page` is what it serves, with `site.headers`; `site.answers`: text by path. */
  site: async ({}, use) => {
    const site = { page: "", headers: {}, answers: {} };
    const listener = createServer((request, response) => {
      const answer = site.answers[request.url];
      const type = request.url.endsWith(".js") ? "text/javascript" : "text/plain";
      if (answer !== undefined) return response.writeHead(200, { "content-type": type }).end(answer);
      if (request.url !== "/") return response.writeHead(404).end();
      response.writeHead(200, { "content-type": "text/html", ...site.headers }).end(site.page);
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    site.url = `http://127.0.0.1:${listener.address().port}`;
    await use(site);
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  },

  chat: async ({ site }, use) => {
    const config = `[server]\norigins = ["${site.url}"]\n[[identity.keys]]\nalgorithm = "HS256"\nkey = "${secret}"\naudience = "chat"\n`;
    const server = await Server.start({ config });
    await use(server);
    await server.remove();
  },

  /** The unmodified client, in the main room and in "support". */
  friend: async ({ chat }, use) => {
    const socket = stock(chat.url, { auth: { serverOffset: 0, rooms: ["room/support"] } });
    await connected(socket);
    await use({ socket, transcript: new Transcript(socket) });
    socket.close();
  },

  page: async ({ browser }, use) => {
    const context = await browser.newContext();
    await use(await context.newPage());
    await context.close();
  },
});

export const loader = (chat) => `<script async type="module" src="${chat.url}/embed.js"></script>`;
export const launcher = (page) => page.getByRole("button", { name: /^Chat/ });
export const inside = (page) => page.frameLocator("iframe");
/** A frame that is being loaded shows its text field before anything listens to it. */
export async function write(page, text) {
  await expect(inside(page).locator("#detail")).not.toBeEmpty();
  const composer = inside(page).locator("form").getByRole("textbox");
  await composer.fill(text);
  await composer.press("Enter");
}

// The chat page as a person meets it: by role and name, never by how it is made.
import { expect, test as base } from "@playwright/test";
import { Server } from "../support/server.mjs";
import { connected, stock, Transcript } from "../support/stock.mjs";
import { Proxy } from "./proxy.mjs";

export { expect };

export class ChatPage {
  constructor(page, proxy) {
    this.page = page;
    this.proxy = proxy;
    this.log = page.getByRole("log");
    this.messages = this.log.locator("[data-state]");
    this.composer = page.locator("form").getByRole("textbox");
    this.status = page.getByRole("status");
    this.send = page.getByRole("button", { name: "Send" });
    this.place = page.getByRole("heading", { level: 1 });
    this.people = page.locator("#people");
    this.rooms = page.locator("#rooms");
    this.toggle = page.getByRole("button", { name: /^(Disconnect|Connect)$/ });
  }

  /** Opens the page and comes in: the others can see this person, and hear what they do from now on. */
  async open() {
    await this.page.goto(this.proxy.url);
    await this.isIn();
    return this;
  }

  async isIn() {
    await expect(this.page.locator("#detail")).not.toBeEmpty();
  }

  /** Waits until all there is to read was loaded: from now on what is seen counts as read. */
  async hasRead() {
    await expect(this.page.getByText("This is where it begins")).toBeAttached();
  }

  async say(...texts) {
    for (const text of texts) {
      await this.composer.fill(text);
      await this.composer.press("Enter");
    }
  }

  /** Says who one is, as the settings dialog offers it. */
  async called(name) {
    await this.page.getByRole("button", { name: "Settings" }).click();
    const dialog = this.page.getByRole("dialog");
    await dialog.getByRole("textbox").fill(name);
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toBeHidden();
    return this;
  }

  /** Opens a room, or the conversation with a person. */
  async go(name) {
    await this.page.locator(".place", { hasText: name }).click();
    await expect(this.place).toHaveText(name);
  }

  async openRoom(name) {
    const field = this.page.getByRole("textbox", { name: "Name of the room" });
    await field.fill(name);
    await field.press("Enter");
    await expect(this.place).toHaveText(name);
  }

  /** Does something with a message from its bar. */
  async act(text, action) {
    await expect(this.message(text)).toHaveAttribute("data-id");
    await this.message(text).hover();
    await this.page.getByRole("toolbar").getByRole("button", { name: action }).click();
  }

  /** Takes a message back, and says yes when asked; it can be undone for ten seconds. */
  async takeBack(text) {
    await this.act(text, "Delete");
    await this.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(this.message("You deleted this")).toHaveCount(1);
  }

  message(text) {
    return this.messages.filter({ hasText: text });
  }

  /** All messages as the page shows them: which of `texts` each holds, its state and id, top to bottom. */
  async shown() {
    return this.messages.evaluateAll((nodes) =>
      nodes.map((node) => ({
        text: node.textContent.match(/[a-z]+-\d+(?!\d)/)?.[0] ?? node.textContent,
        state: node.dataset.state,
        id: node.dataset.id === undefined ? null : Number(node.dataset.id),
      })),
    );
  }

  /** Waits until exactly `texts` are shown, each once, in this order, each stored; returns their ids. */
  async showsExactly(texts, timeout = 30_000) {
    await expect
      .poll(async () => (await this.shown()).filter((m) => m.id !== null).map((m) => m.text), { timeout })
      .toEqual(texts);
    const shown = await this.shown();
    expect(shown.map((message) => message.text)).toEqual(texts);
    for (const message of shown) expect(["delivered", "received"]).toContain(message.state);
    const ids = shown.map((message) => message.id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
    return ids;
  }
}

/** "word-1" … "word-n": what ChatPage.shown() reads back. */
export const numbered = (word, n, from = 1) => Array.from({ length: n }, (_, i) => `${word}-${from + i}`);

export const test = base.extend({
  /** The text of the server's configuration file. */
  config: [undefined, { option: true }],

  /** The real server with an empty database of its own. */
  server: async ({ config }, use) => {
    const server = await Server.start({ config });
    await use(server);
    await server.remove();
  },

  /** Opens the chat page as another person behind another wire, each with a browser profile of its own. */
  visit: async ({ browser, server }, use, testInfo) => {
    const opened = [];
    const complaints = [];
    await use(async (options = {}) => {
      const proxy = options.proxy ?? (await Proxy.to(server.port));
      const context = options.context ?? (await browser.newContext(options.browser));
      const page = await context.newPage();
      const complain = (text) => options.mayComplain || complaints.push(text);
      page.on("pageerror", (error) => complain(`page error: ${error.message}`));
      page.on("console", (line) => /Content Security Policy|violates/.test(line.text()) && complain(line.text()));
      opened.push({ proxy, context });
      const chat = new ChatPage(page, proxy);
      return options.empty ? chat : chat.open();
    });
    for (const { proxy, context } of opened) {
      await context.close();
      await proxy.close();
    }
    expect(complaints, `errors of the page in “${testInfo.title}”`).toEqual([]);
  },

  /** The unmodified socket.io-client, connected, with what it hears. */
  friend: async ({ server }, use) => {
    const socket = stock(server.url, { auth: { serverOffset: 0 } });
    socket.on("chat message", (_, id) => (socket.auth.serverOffset = id));
    const transcript = new Transcript(socket);
    await connected(socket);
    await use({ socket, transcript });
    socket.close();
  },
});

// Pages written for socket.io-client, with both clients, on both servers: between the runs of a story only
// the script (or the server) is another one.
import { expect, test as base } from "@playwright/test";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Server } from "socket.io";
import { Program } from "../support/program.mjs";
import { root } from "../support/server.mjs";
import { stock } from "../support/stock.mjs";
import { privateMessaging, whiteboard } from "./pages/servers.mjs";
import { Proxy } from "./proxy.mjs";

const built = join(root, "build/client");
const engine = readdirSync(built).find((name) => name.endsWith(".wasm"));
const script = (file) => ({ type: "text/javascript", body: readFileSync(file) });

/** What is served in the place of the client's script, and beside it. */
const clients = {
  "the stock client": { "socket.io.js": script(createRequire(import.meta.url).resolve("socket.io-client/dist/socket.io.js")) },
  "our client": {
    "socket.io.js": script(join(built, "socket.io.js")),
    [engine]: { type: "application/wasm", body: readFileSync(join(built, engine)) },
  },
};

const servers = {
  async "the stock server"(install) {
    const http = createServer();
    const io = new Server(http, { serveClient: false });
    install(io);
    await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
    return { port: http.address().port, stop: () => io.close() };
  },
  async "our server"(_, example) {
    const program = await Program.start(example);
    return { port: Number(new URL(program.url).port), stop: () => program.stop() };
  },
};

const test = base.extend({
  clientName: ["", { option: true }],
  serverName: ["", { option: true }],
  /** What the page is, what a stock server of it does, and which of our examples does the same. */
  story: [{}, { option: true }],

  server: async ({ serverName, story }, use) => {
    const server = await servers[serverName](story.install, story.example);
    await use(server);
    await server.stop();
  },

  /** Opens the page as another person, or in another tab of the same. */
  visit: async ({ browser, server, clientName, story }, use) => {
    const proxies = [];
    const contexts = new Set();
    const complaints = [];
    await use(async (options = {}) => {
      const proxy = options.proxy ?? (await Proxy.to(server.port));
      proxies.push(proxy);
      proxy.pages.set("/", { type: "text/html", body: story.page });
      for (const [name, file] of Object.entries(clients[clientName])) proxy.pages.set(`/socket.io/${name}`, file);
      const context = options.context ?? (await browser.newContext({ viewport: options.viewport }));
      contexts.add(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(proxy.url);
      return { page, proxy, context };
    });
    for (const context of contexts) await context.close();
    for (const proxy of proxies) await proxy.close();
    expect(complaints, "errors of the page").toEqual([]);
  },
});

function onBothWithBoth(name, { page, install, example }, tell) {
  for (const serverName of Object.keys(servers)) {
    for (const clientName of Object.keys(clients)) {
      // Both from npm: that the story itself is right.
      const tag = /stock/.test(clientName) && /stock/.test(serverName) ? " @long" : "";
      test.describe(`${name}, ${clientName} on ${serverName}${tag}`, () => {
        const body = readFileSync(new URL(`pages/${page}`, import.meta.url));
        test.use({ clientName, serverName, story: { page: body, install, example } });
        tell();
      });
    }
  }
}

onBothWithBoth(
  "private messages",
  { page: "private_messaging.html", install: privateMessaging, example: "example-private-messaging" },
  () => {
    async function enter(visit, name, options) {
      const opened = await visit(options);
      const { page } = opened;
      if (name) {
        await page.getByLabel("Your name").fill(name);
        await page.getByRole("button", { name: "Enter" }).click();
      }
      const person = (who) => page.getByRole("button", { name: who });
      await expect(person("(yourself)")).toBeVisible();
      const write = async (text) => {
        await page.getByLabel("Message", { exact: true }).fill(text);
        await page.getByRole("button", { name: "Send" }).click();
      };
      return { ...opened, person, write, lines: page.getByRole("list", { name: "Messages" }).getByRole("listitem") };
    }

    test("two people write to each other, in every tab of theirs, and nobody else reads it", async ({ visit, server }) => {
      const ann = await enter(visit, "ann");
      const ben = await enter(visit, "ben");
      const heard = [];
      const eve = stock(`http://127.0.0.1:${server.port}`, { auth: { username: "eve" } });
      eve.on("private message", (message) => heard.push(message));
      await expect(ann.person("eve")).toBeVisible();

      await ann.person("ben").click();
      await ann.write("hello ben");
      await expect(ben.person("ann")).toHaveClass("unread");
      await ben.person("ann").click();
      await expect(ben.lines).toHaveText(["them: hello ben"]);
      const again = await enter(visit, undefined, ann);
      await again.person("ben").click();
      await expect(again.lines).toHaveText(["me: hello ben"]);
      await ben.write("hello ann");
      for (const tab of [ann, again]) await expect(tab.lines).toHaveText(["me: hello ben", "them: hello ann"]);
      await again.write("from my other tab");
      await expect(ann.lines).toHaveText(["me: hello ben", "them: hello ann", "me: from my other tab"]);
      await expect(ben.lines).toHaveCount(3);
      expect(heard).toEqual([]);
      eve.close();
    });

    test("a name is asked for; a reload needs none; a lost link comes back as who it was", async ({ visit }) => {
      const ben = await enter(visit, "ben");
      const { page } = await visit();
      await page.getByRole("button", { name: "Enter" }).click();
      await expect(page.getByRole("alert")).toHaveText("invalid username");
      await page.getByLabel("Your name").fill("ann");
      await page.getByRole("button", { name: "Enter" }).click();
      await expect(ben.person("ann")).not.toHaveClass(/away/);
      await expect(page.getByRole("button", { name: "ann (yourself)" })).toBeVisible();
      const userID = await page.evaluate("socket.userID");

      // In the midst of an upgrade nobody tells the server, neither one, that the page has gone.
      await expect.poll(() => page.evaluate("socket.io.engine.transport.name")).toBe("websocket");
      await page.reload();
      await expect.poll(() => page.evaluate("socket.io.engine?.transport.name")).toBe("websocket");
      await expect(page.getByRole("button", { name: "ann (yourself)" })).toBeVisible();
      expect(await page.evaluate("socket.userID")).toBe(userID);
      await page.evaluate("socket.disconnect()");
      await expect(ben.person("ann")).toHaveClass("away");
      await page.evaluate("void socket.connect()");
      await expect(ben.person("ann")).not.toHaveClass(/away/);

      ben.proxy.takeDown();
      await expect(ben.person("yourself")).toHaveClass("away");
      ben.proxy.putUp();
      await expect(ben.person("yourself")).not.toHaveClass(/away/);
      await page.getByRole("button", { name: "ben" }).click();
      await page.getByLabel("Message", { exact: true }).fill("still there?");
      await page.getByRole("button", { name: "Send" }).click();
      await ben.person("ann").click();
      await expect(ben.lines).toHaveText(["them: still there?"]);
    });
  },
);

onBothWithBoth("a whiteboard", { page: "whiteboard.html", install: whiteboard, example: "example-whiteboard" }, () => {
  /** The colour at a point given from 0 to 1; none where nothing was drawn. */
  const colourAt = (page, x, y) =>
    page.evaluate(
      ([x, y]) => {
        const canvas = document.querySelector("canvas");
        const [r, g, b, a] = canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
        if (a === 0) return "none";
        return [["red", r], ["green", g], ["blue", b]].find(([, amount]) => amount > 100)?.[0] ?? "black";
      },
      [x, y],
    );

  async function stroke(page, colour, from, to) {
    await page.getByRole("button", { name: colour }).click();
    const { width, height } = page.viewportSize();
    await page.mouse.move(from[0] * width, from[1] * height);
    await page.mouse.down();
    await page.mouse.move(to[0] * width, to[1] * height, { steps: 5 });
    await page.mouse.up();
  }

  test("what one draws the other sees, in the size of their own window", async ({ visit }) => {
    const ann = await visit({ viewport: { width: 900, height: 600 } });
    const ben = await visit({ viewport: { width: 400, height: 700 } });
    for (const { page } of [ann, ben]) await expect.poll(() => page.evaluate("socket.connected")).toBe(true);

    await stroke(ann.page, "red", [0.2, 0.2], [0.6, 0.6]);
    for (const { page } of [ann, ben]) {
      await expect.poll(() => colourAt(page, 0.4, 0.4)).toBe("red");
      expect(await colourAt(page, 0.4, 0.2)).toBe("none");
    }
    ann.proxy.takeDown();
    await expect.poll(() => ann.page.evaluate("socket.connected")).toBe(false);
    await stroke(ann.page, "blue", [0.8, 0.1], [0.8, 0.7]); // waits for the link
    ann.proxy.putUp();
    await expect.poll(() => colourAt(ben.page, 0.8, 0.4)).toBe("blue");
    await stroke(ben.page, "green", [0.1, 0.8], [0.7, 0.8]);
    await expect.poll(() => colourAt(ann.page, 0.4, 0.8)).toBe("green");
  });
});

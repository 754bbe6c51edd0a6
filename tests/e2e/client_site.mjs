// A site that serves pages of a test's own and the package's scripts, with the stock server behind it.
import { expect, test as base } from "@playwright/test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { Server } from "socket.io";
import { root } from "../support/server.mjs";

export { expect };

export const folder = join(root, "build/oncewire-client");
export const dist = join(folder, "dist");
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves files from memory and a directory, with headers of the test's choice. */
class Site {
  pages = new Map();
  headers = {};

  static async open(directory) {
    const site = new Site();
    site.directory = directory;
    site.http = createServer((request, response) => site.#answer(request, response));
    await new Promise((resolve) => site.http.listen(0, "127.0.0.1", resolve));
    site.url = `http://127.0.0.1:${site.http.address().port}`;
    return site;
  }

  /** Pages go before whoever else listens: the stock server claims all of /socket.io/. */
  pagesFirst() {
    const others = this.http.listeners("request");
    this.http.removeAllListeners("request");
    this.http.on("request", (request, response) => {
      if (this.pages.has(request.url.split("?")[0])) return this.#answer(request, response);
      for (const listener of others) listener.call(this.http, request, response);
    });
  }

  #answer({ url }, response) {
    const path = url.split("?")[0];
    try {
      const body = this.pages.get(path) ?? readFileSync(join(this.directory, path));
      response.writeHead(200, { "content-type": types[extname(path)] ?? "text/html", ...this.headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  close() {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(resolve));
  }
}

export const test = base.extend({
  /** The stock server on a site that serves the package's scripts; open to other origins. */
  home: async ({}, use) => {
    const site = await Site.open(dist);
    const io = new Server(site.http, { cors: { origin: true }, serveClient: false });
    site.pagesFirst();
    io.on("connection", (socket) => {
      socket.on("echo", (...args) => args.pop()(...args));
      socket.on("chat message", (...args) => args.pop()?.());
    });
    await use(site);
    io.close();
    await site.close();
  },
  elsewhere: async ({}, use) => {
    const site = await Site.open(dist);
    await use(site);
    await site.close();
  },
  workshop: async ({}, use) => {
    mkdirSync(join(root, "build/e2e-bundles"), { recursive: true });
    const directory = mkdtempSync(join(root, "build/e2e-bundles/app-"));
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(folder, join(directory, "node_modules/oncewire-client"));
    await use(directory);
    rmSync(directory, { recursive: true, force: true });
  },
});

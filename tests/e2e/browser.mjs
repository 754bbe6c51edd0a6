// A browser of our own making: its profile outlives it, so it can be killed and started again, and it keeps
// pages in its back/forward cache, which Playwright's own browsers do not.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "@playwright/test";
import config from "./playwright.config.mjs";

const { executablePath, args } = config.use.launchOptions;

export class KeptBrowser {
  static async start() {
    const browser = new KeptBrowser();
    await browser.start();
    return browser;
  }

  constructor() {
    this.profile = mkdtempSync(join(tmpdir(), "oncewire-profile-"));
  }

  async start() {
    const flags = ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${this.profile}`];
    // A group of its own, so that all its processes can be ended at once.
    this.child = spawn(executablePath, [...args, ...flags, "about:blank"], { stdio: ["ignore", "ignore", "pipe"], detached: true });
    this.ended = once(this.child, "exit");
    const endpoint = await new Promise((resolve, reject) => {
      createInterface({ input: this.child.stderr }).on("line", (line) => {
        const match = line.match(/^DevTools listening on (ws:\S+)$/);
        if (match) resolve(match[1]);
      });
      this.child.once("error", reject);
      this.child.once("exit", (code) => reject(new Error(`the browser ended with ${code}`)));
    });
    this.connection = await chromium.connectOverCDP(endpoint);
    this.disconnected = once(this.connection, "disconnected");
    this.context = this.connection.contexts()[0];
  }

  /**
   * As the kernel does when memory is short: nobody is asked, nothing is written. Over when Playwright knows, too,
   * who would want to end its recordings in there.
   */
  async kill() {
    process.kill(-this.child.pid, "SIGKILL");
    await Promise.all([this.ended, this.disconnected]);
  }

  async remove() {
    await this.kill();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

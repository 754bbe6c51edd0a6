// The two servers as children that can be killed and started again, each with a database that outlives it.
import { execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { io } from "socket.io-client";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const binary = process.env.ONCEWIRE_SERVER ?? join(root, "build/bin/oncewire-server");
const patience = 30_000; // ms for the log

class Child {
  port = 0; // the kernel's choice, and kept
  directory = mkdtempSync(join(tmpdir(), "oncewire-demo-"));

  get database() {
    return join(this.directory, "demo.db");
  }
  async end() {
    if (this.child?.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
  /** Everything from the beginning. */
  async empty() {
    await this.end();
    this.forget();
    this.directory = mkdtempSync(join(tmpdir(), "oncewire-demo-"));
    await this.start();
  }
  forget() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class Oncewire extends Child {
  async start() {
    this.child = spawn(binary, ["--port", String(this.port), "--db", this.database, "--log-level", "off"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await started(this.child, once(createInterface({ input: this.child.stdout }), "line"));
    this.port = Number(line.match(/:(\d+)$/)[1]);
  }

  /** What a stock client is told that comes to the server itself: everything up to a last word of its own. */
  async log(run) {
    const last = `${run} the end ${Math.random()}`;
    const witness = io(`http://127.0.0.1:${this.port}`, { forceNew: true, transports: ["websocket"], auth: { serverOffset: 0 } });
    try {
      return await new Promise((resolve, reject) => {
        const texts = [];
        setTimeout(() => reject(new Error("the log did not come")), patience).unref();
        witness.on("chat message", (text) => (text === last ? resolve(texts) : texts.push(text)));
        witness.once("connect", () => witness.emit("chat message", last));
      });
    } finally {
      witness.close();
    }
  }

  /** The server's own answer about one message: `oncewire-server --where`. */
  where(key) {
    return new Promise((resolve) =>
      execFile(binary, ["--db", this.database, "--where", key], (error, out) => resolve(error ? "" : out.trim())),
    );
  }
}

export class Stock extends Child {
  async start() {
    const script = fileURLToPath(new URL("stock_server.mjs", import.meta.url));
    this.child = fork(script, [this.database, String(this.port)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const [{ port }] = await started(this.child, once(this.child, "message"));
    this.port = port;
  }

  async log() {
    const { child } = this;
    const answer = once(child, "message");
    child.send("log");
    const [{ log }] = await Promise.race([answer, once(child, "exit").then(() => Promise.reject(new Error("killed meanwhile")))]);
    return log;
  }
}

function started(child, sign) {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${child.spawnfile} ended with ${code} before it listened`);
  });
  ended.catch(() => {});
  return Promise.race([sign, ended]);
}

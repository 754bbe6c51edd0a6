// The real server as a child process: its own port, its own database in a temporary directory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const binary = process.env.ONCEWIRE_SERVER ?? join(root, "build", "bin", "oncewire-server");

/** Starts on a port of the kernel's choice; a restart keeps port and database, as an operator would. */
export class Server {
  static async start(options = {}) {
    const server = new Server(options);
    await server.start();
    return server;
  }

  /** `config`: the text of a configuration file. SERVER_CORES: how many cores serve, where a test does not say. */
  constructor({ args = process.env.SERVER_CORES ? ["--cores", process.env.SERVER_CORES] : [], port = 0, config, fileBlocks = 0 } = {}) {
    this.directory = mkdtempSync(join(tmpdir(), "oncewire-"));
    this.database = join(this.directory, "chat.db");
    this.args = args;
    this.fileBlocks = fileBlocks; // no file of its may become larger than so many KiB
    this.config = join(this.directory, "oncewire.toml");
    if (config !== undefined) {
      writeFileSync(this.config, config);
      this.args = [...args, "--config", this.config];
    }
    this.port = port;
    this.env = {}; // besides our own, from the next start on
    this.log = "";
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when the server said that it listens. */
  async start() {
    const limit = this.fileBlocks ? ["bash", "-c", `trap '' XFSZ; ulimit -f ${this.fileBlocks}; exec "$@"`, "bash"] : [];
    const [command, ...args] = [...limit, binary, "--port", String(this.port), "--db", this.database, ...this.args];
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.env },
    });
    this.child = child;
    this.exited = once(child, "exit");
    child.stderr.on("data", (chunk) => (this.log = (this.log + chunk).slice(-20_000)));
    this.port = await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const match = line.match(/^listening on http:\/\/[^:]+:(\d+)$/);
        if (match) resolve(Number(match[1]));
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`server ended (${code ?? signal}): ${this.log}`)));
    });
  }

  /** Sends `signal` and waits for the end; returns [code, signal]. */
  async end(signal = "SIGKILL") {
    this.child.kill(signal);
    return this.exited;
  }

  async restart() {
    await this.end("SIGKILL");
    await this.start();
  }

  /** For the end of a test: nothing of it stays. */
  async remove() {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

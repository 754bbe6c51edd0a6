// One of our small programs as a child process, on a port of the kernel's choice.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { binary } from "./server.mjs";
import { stock, within } from "./stock.mjs";

const run = promisify(execFile);
/** Next to the server's own binary. */
const directory = join(binary, "..");

export class Program {
  /** `program`: a name in build/bin, or a path. It runs in a directory of its own, or in `directory`. */
  static async start(program, ...args) {
    const started = new Program();
    started.name = program;
    const { directory: given } = typeof args.at(-1) === "object" ? args.pop() : {};
    started.directory = given ?? mkdtempSync(join(tmpdir(), "oncewire-"));
    mkdirSync(join(started.directory, "public"), { recursive: true }); // example-options serves it
    started.sockets = [];
    started.options = {}; // of every client
    return started.again(...args);
  }

  /** After it ended: the same program in the same directory, with these arguments. */
  async again(...args) {
    const started = this;
    const program = this.name;
    const path = program.includes("/") ? program : join(directory, program);
    const child = spawn(path, ["--port", "0", ...args], { stdio: ["ignore", "pipe", "pipe"], cwd: started.directory });
    started.log = "";
    child.stderr.on("data", (chunk) => (started.log = (started.log + chunk).slice(-20_000)));
    started.child = child;
    started.exited = once(child, "exit");
    started.url = await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => resolve(line.match(/http:\S+/)[0]));
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`${program} ended (${code ?? signal}): ${started.log}`)));
    });
    return started;
  }

  /** What the same program prints when it is asked about the database of the running one. */
  async ask(...flags) {
    const path = this.name.includes("/") ? this.name : join(directory, this.name);
    return (await run(path, flags, { cwd: this.directory })).stdout;
  }

  /** An unmodified client, gone when the program is. */
  client(namespace = "/", options = {}) {
    const socket = stock(this.url + namespace, { reconnection: false, ...this.options, ...options });
    this.sockets.push(socket);
    return socket;
  }

  async connected(namespace, options) {
    const socket = this.client(namespace, options);
    await heard(socket, "connect");
    return socket;
  }

  /** Orderly, as a service manager would; returns the exit code. */
  async stop() {
    for (const socket of this.sockets) socket.close();
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGTERM");
    const [code] = await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
    return code;
  }
}

/** The arguments of the next event of this name. */
export function heard(socket, event) {
  return within(new Promise((resolve) => socket.once(event, (...args) => resolve(args))), `“${event}”`);
}

/** The arguments of the answer to this event. */
export function answer(socket, event, ...args) {
  return within(new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer))), `answer to “${event}”`);
}

// `make demo` as a child process, on a port of the kernel's choice.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binary, root } from "./server.mjs";

export class Demo {
  static async start() {
    const demo = new Demo();
    demo.log = "";
    demo.child = spawn(process.execPath, [join(root, "web/demo/host/main.mjs")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ONCEWIRE_SERVER: binary },
    });
    demo.ended = once(demo.child, "exit");
    demo.child.stderr.on("data", (chunk) => (demo.log = (demo.log + chunk).slice(-20_000)));
    const ended = demo.ended.then(([code]) => Promise.reject(new Error(`the demo ended (${code}): ${demo.log}`)));
    const [line] = await Promise.race([once(createInterface({ input: demo.child.stdout }), "line"), ended]);
    ended.catch(() => {});
    demo.url = line.match(/http:\S+/)[0];
    return demo;
  }

  async end() {
    this.child.kill("SIGTERM");
    await this.ended;
  }
}

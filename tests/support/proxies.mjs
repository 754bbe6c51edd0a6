// nginx, HAProxy, Caddy and Apache as child processes, each with the site's configuration of server/proxies in
// a frame that makes it live in a directory of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./server.mjs";
import { until } from "./stock.mjs";

const isRoot = process.getuid() === 0;
/** What stands in server/proxies. */
export const siteOf = (file) => readFileSync(join(root, "server/proxies", file), "utf8");

/** A port that is free now; who comes first has it. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

const listens = (port) =>
  new Promise((resolve) => {
    const probe = connect(port, "127.0.0.1");
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });

/** `site`: its configuration, in which the server's and the proxy's own addresses are replaced. */
const kinds = {
  nginx: {
    file: "nginx.conf",
    here: (site, to, port) => site.replace(/listen 80;/, `listen 127.0.0.1:${port};`).replaceAll("127.0.0.1:3000", `127.0.0.1:${to}`),
    write(directory, site) {
      writeFileSync(
        join(directory, "nginx.conf"),
        `pid ${directory}/pid;
worker_processes 2;
error_log ${directory}/log;
worker_shutdown_timeout 2s;
events { worker_connections 512; }
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${directory}/${name};`).join("\n  ")}
${site}}
`,
      );
    },
    command: (directory) => ["/usr/sbin/nginx", "-p", directory, "-e", `${directory}/log`, "-c", `${directory}/nginx.conf`, "-g", `${isRoot ? "user root; " : ""}daemon off;`],
    reload: (child) => child.kill("SIGHUP"),
  },
  haproxy: {
    file: "haproxy.cfg",
    here: (site, to, port) => site.replace(/bind :80/, `bind 127.0.0.1:${port}`).replaceAll("127.0.0.1:3000", `127.0.0.1:${to}`),
    write: (directory, site) => writeFileSync(join(directory, "haproxy.cfg"), `global\n    maxconn 500\n    hard-stop-after 2s\n\n${site}`),
    command: (directory) => ["/usr/sbin/haproxy", "-W", "-f", `${directory}/haproxy.cfg`],
    reload: (child) => child.kill("SIGUSR2"),
  },
  caddy: {
    file: "Caddyfile",
    here: (site, to, port) => site.replace("chat.example.org", `http://:${port}`).replaceAll("127.0.0.1:3000", `127.0.0.1:${to}`),
    async write(directory, site, admin) {
      const bound = site.replace(/^(http:\S+ \{)$/m, "$1\n    bind 127.0.0.1");
      writeFileSync(join(directory, "Caddyfile"), `{\n    admin 127.0.0.1:${admin}\n}\n${bound}`);
    },
    command: (directory) => ["caddy", "run", "--config", `${directory}/Caddyfile`, "--adapter", "caddyfile"],
    async reload(_, directory) {
      const reload = spawn("caddy", ["reload", "--force", "--config", `${directory}/Caddyfile`, "--adapter", "caddyfile"], { stdio: "ignore", env: home(directory) });
      await once(reload, "exit");
    },
  },
  apache: {
    file: "apache.conf",
    here: (site, to, port) => site.replace("*:80", `127.0.0.1:${port}`).replaceAll("127.0.0.1:3000", `127.0.0.1:${to}`),
    write(directory, site) {
      const [, address] = site.match(/<VirtualHost (\S+)>/);
      const modules = ["mpm_event", "authz_core", "proxy", "proxy_http", "headers"];
      writeFileSync(
        join(directory, "apache.conf"),
        `ServerRoot ${directory}
PidFile ${directory}/pid
ErrorLog ${directory}/log
DefaultRuntimeDir ${directory}
ServerName localhost
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
Listen ${address}
ThreadsPerChild 64
MaxRequestWorkers 256
GracefulShutdownTimeout 2
${isRoot ? "User daemon\nGroup daemon\n" : ""}${site}`,
      );
    },
    command: (directory) => ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", `${directory}/apache.conf`],
    reload: (child) => child.kill("SIGUSR1"),
  },
};
export const names = Object.keys(kinds);

const home = (directory) => ({ ...process.env, HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory });

export class ReverseProxy {
  /**
   * In front of the server on port `to`. `site`: another configuration than that of server/proxies, with the same
   * addresses in it.
   */
  static async start(name, to, site = siteOf(kinds[name].file)) {
    const proxy = new ReverseProxy();
    proxy.kind = kinds[name];
    proxy.directory = mkdtempSync(join(tmpdir(), `oncewire-${name}-`));
    mkdirSync(join(proxy.directory, "logs"));
    proxy.log = "";
    // Somebody else may take the port before the proxy does.
    for (let tries = 1; !(await proxy.#begin(to, site)); ++tries) {
      if (tries === 5) throw new Error(`${name} does not start: ${proxy.log}${proxy.#file("log")}`);
    }
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async #begin(to, site) {
    this.port = await freePort();
    await this.kind.write(this.directory, this.kind.here(site, to, this.port), await freePort());
    const [command, ...args] = this.kind.command(this.directory);
    // A group of its own: workers end with it.
    this.child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: home(this.directory) });
    this.exited = once(this.child, "exit");
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on("data", (chunk) => (this.log = (this.log + chunk).slice(-20_000)));
    const isOver = () => this.child.exitCode !== null || this.child.signalCode !== null;
    await until(async () => isOver() || (await listens(this.port)), `${command} listening`);
    return !isOver();
  }

  #file(name) {
    try {
      return readFileSync(join(this.directory, name), "utf8");
    } catch {
      return "";
    }
  }

  /** As an operator does after changing the configuration. */
  async reload() {
    await this.kind.reload(this.child, this.directory);
  }

  async remove() {
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // it is gone already
    }
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

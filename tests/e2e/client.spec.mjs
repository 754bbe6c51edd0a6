// The package in a browser, as sites bring it in: bundled, from another origin, in a worker, under a
// strict policy, and where WebSockets do not work. The server is the stock one.
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build as buildByVite, createServer as createViteServer } from "vite";
import webpack from "webpack";
import { root } from "../support/server.mjs";
import { dist, expect, folder, test } from "./client_site.mjs";

/** What every page does: connect, ask, and tell the title what came of it. */
const program = (url) => `
  const socket = io(${JSON.stringify(url)});
  socket.on("connect", async () => {
    const [answer] = [await socket.emitWithAck("echo", { n: 1, bytes: new Uint8Array([7]) })];
    document.title = ["echoed", answer.n, new Uint8Array(answer.bytes)[0]].join(" ");
  });
  socket.on("connect_error", (error) => (document.title = error.message));`;
const works = (page) => expect(page).toHaveTitle("echoed 1 7");
const html = (script, attributes = 'type="module"') => `<!doctype html><body><script ${attributes}>${script}</script>`;

const bundlers = {
  async vite(directory) {
    writeFileSync(join(directory, "index.html"), '<!doctype html><body><script type="module" src="/main.js"></script>');
    await buildByVite({ root: directory, configFile: false, logLevel: "error", build: { outDir: "out" } });
  },
  async webpack(directory) {
    const compiler = webpack({
      mode: "production",
      context: directory,
      entry: "./main.js",
      output: { path: join(directory, "out"), filename: "main.js" },
    });
    const stats = await new Promise((resolve, reject) => compiler.run((error, made) => (error ? reject(error) : resolve(made))));
    expect(stats.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
    writeFileSync(join(directory, "out/index.html"), '<!doctype html><body><script src="main.js"></script>');
  },
  async esbuild(directory) {
    const { build } = createRequire(join(root, "client-wasm/package.json"))("esbuild");
    const options = { entryPoints: [join(directory, "main.js")], outdir: join(directory, "out"), bundle: true, format: "esm" };
    await build({ ...options, logLevel: "silent" });
    const wasm = readdirSync(dist).find((name) => name.endsWith(".wasm"));
    cpSync(join(dist, wasm), join(directory, "out", wasm)); // esbuild leaves new URL() alone
    writeFileSync(join(directory, "out/index.html"), '<!doctype html><body><script type="module" src="main.js"></script>');
  },
};
for (const [name, bundle] of Object.entries(bundlers)) {
  test(`bundled by ${name}`, async ({ page, home, elsewhere, workshop }) => {
    writeFileSync(join(workshop, "main.js"), `import { io } from "oncewire-client"; ${program(home.url)}`);
    await bundle(workshop);
    elsewhere.directory = join(workshop, "out");
    await page.goto(`${elsewhere.url}/index.html`);
    await works(page);
  });
}

for (const [name, plugin] of Object.entries({ "as it comes": false, "with the plugin": true })) {
  test(`in Vite's development server, ${name}`, async ({ page, home, workshop }) => {
    rmSync(join(workshop, "node_modules/oncewire-client")); // a link would not be treated as a package
    cpSync(folder, join(workshop, "node_modules/oncewire-client"), { recursive: true });
    writeFileSync(join(workshop, "main.js"), `import { io } from "oncewire-client"; ${program(home.url)}`);
    writeFileSync(join(workshop, "index.html"), '<!doctype html><body><script type="module" src="/main.js"></script>');
    const { default: oncewire } = await import(join(folder, "vite.mjs"));
    const plugins = plugin ? [oncewire()] : [];
    process.env.NODE_ENV = "development"; // a build in this process has left another
    // By itself Vite takes 0 for its usual port, 5173, or the next free one; and 24678 for its own WebSocket.
    const server = createServer();
    const vite = await createViteServer({ root: workshop, configFile: false, logLevel: "error", plugins, server: { middlewareMode: true, hmr: { server }, watch: null } });
    server.on("request", vite.middlewares).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      await works(page);
    } finally {
      await vite.close();
      server.closeAllConnections();
      server.close();
    }
  });
}

test("as a module from another origin, with its engine", async ({ page, home, elsewhere }) => {
  home.headers = { "access-control-allow-origin": "*" };
  elsewhere.pages.set("/", html(`import { io } from "${home.url}/socket.io.esm.min.js"; ${program(home.url)}`));
  await page.goto(elsewhere.url);
  await works(page);
});

for (const script of ["socket.io.js", "socket.io.min.js"]) {
  test(`as a classic script, ${script}`, async ({ page, home }) => {
    home.pages.set("/", `<!doctype html><body><script src="/${script}"></script>${html(program(""), "")}`.replace('io("")', "io()"));
    await page.goto(home.url);
    await works(page);
  });
}

test("in a module worker", async ({ page, home }) => {
  const worker = `import { io } from "/socket.io.esm.min.js"; const document = { set title(text) { postMessage(text); } }; ${program(home.url)}`;
  home.pages.set("/worker.mjs", worker);
  home.pages.set("/", html('new Worker("/worker.mjs", { type: "module" }).onmessage = ({ data }) => (document.title = data);'));
  await page.goto(home.url);
  await works(page);
});

test("in a classic worker, which lies elsewhere", async ({ page, home }) => {
  const worker = `importScripts("/socket.io.js"); const document = { set title(text) { postMessage(text); } }; ${program(home.url)}`;
  home.pages.set("/deep/er/worker.js", worker);
  home.pages.set("/", html('new Worker("/deep/er/worker.js").onmessage = ({ data }) => (document.title = data);'));
  await page.goto(home.url);
  await works(page);
});

for (const [mounts, mark] of [[60, ""], [600, " @long"]])
  test(`React in StrictMode mounts and leaves ${mounts} times, and nothing is left of it${mark}`, async ({ page, home, workshop }) => {
    const app = `
      import { createElement, StrictMode, useEffect } from "react";
      import { flushSync } from "react-dom";
      import { createRoot } from "react-dom/client";
      import { io } from "oncewire-client";
      globalThis.made = 0;
      function Chat({ onConnect }) {
        useEffect(() => {
          ++made;
          const socket = io();
          socket.on("connect", onConnect);
          return () => socket.disconnect();
        });
        return null;
      }
      const root = createRoot(document.body);
      const show = (what) => flushSync(() => root.render(createElement(StrictMode, null, what)));
      // Every tenth stays until it is connected; the others are gone before they are.
      globalThis.mount = async (times) => {
        for (let n = 0; n < times; ++n) {
          await new Promise((resolve) => {
            show(createElement(Chat, { onConnect: resolve }));
            if (n % 10 > 0) setTimeout(resolve);
          });
          show(null);
        }
      };`;
    const { build } = createRequire(join(root, "client-wasm/package.json"))("esbuild");
    writeFileSync(join(workshop, "main.js"), app);
    const nodePaths = [join(root, "tests/node_modules")];
    const define = { "process.env.NODE_ENV": '"development"' };
    const made = await build({ entryPoints: [join(workshop, "main.js")], bundle: true, format: "esm", write: false, nodePaths, define, logLevel: "silent" });
    home.pages.set("/main.js", made.outputFiles[0].contents);
    home.pages.set("/", '<!doctype html><body><script type="module" src="/main.js"></script>');
    await page.addInitScript(() => {
      globalThis.listeners = 0;
      const { addEventListener, removeEventListener } = EventTarget.prototype;
      const counts = (target) => (target === window || target === document ? 1 : 0);
      EventTarget.prototype.addEventListener = function (...args) {
        globalThis.listeners += counts(this ?? window);
        return addEventListener.apply(this ?? window, args);
      };
      EventTarget.prototype.removeEventListener = function (...args) {
        globalThis.listeners -= counts(this ?? window);
        return removeEventListener.apply(this ?? window, args);
      };
      const { instantiateStreaming } = WebAssembly;
      WebAssembly.instantiateStreaming = async (...args) => {
        const made = await instantiateStreaming(...args);
        globalThis.memory = Object.values(made.instance.exports).find((each) => each instanceof WebAssembly.Memory);
        return made;
      };
    });
    await page.goto(home.url);
    const session = await page.context().newCDPSession(page);
    const held = async () => {
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      return { usedSize, ...(await page.evaluate("({ listeners, engine: memory.buffer.byteLength })")) };
    };
    await page.evaluate("mount(20)");
    const before = await held();
    await page.evaluate(`mount(${mounts})`);
    expect(await page.evaluate("made")).toBe(2 * (20 + mounts));
    const after = await held();
    expect(after.listeners).toBe(before.listeners);
    expect(after.engine).toBe(before.engine);
    expect(after.usedSize - before.usedSize).toBeLessThan(10_000 * mounts);
  });

test("under a strict policy nothing is violated", async ({ page, home }) => {
  home.headers = { "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws:" };
  home.pages.set("/violations.js", 'globalThis.violations = []; addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));');
  home.pages.set("/main.mjs", `import { io } from "/socket.io.esm.min.js"; ${program(home.url)}`);
  home.pages.set("/", '<!doctype html><body><script src="/violations.js"></script><script type="module" src="/main.mjs"></script>');
  home.pages.set("/favicon.ico", "");
  await page.goto(home.url);
  await works(page);
  expect(await page.evaluate("violations")).toEqual([]);
});

test("under a policy without WebAssembly it says what is missing", async ({ page, home }) => {
  home.headers = { "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self' ws:" };
  home.pages.set("/main.mjs", `import { io } from "/socket.io.esm.min.js"; ${program(home.url)}`);
  home.pages.set("/", '<!doctype html><body><script type="module" src="/main.mjs"></script>');
  await page.goto(home.url);
  await expect(page).toHaveTitle(/'wasm-unsafe-eval'/);
});

test("by polling where there are no WebSockets, and by a WebSocket where there are", async ({ page, home }) => {
  home.pages.set("/", html(`import { io } from "/socket.io.esm.min.js"; ${program(home.url)} globalThis.socket = socket;`));
  await page.goto(home.url);
  await works(page);
  await expect.poll(() => page.evaluate("socket.io.engine.transport.name")).toBe("websocket");
  await page.addInitScript("globalThis.WebSocket = class { constructor() { throw new Error('blocked'); } };");
  await page.reload();
  await works(page);
  expect(await page.evaluate("socket.io.engine.transport.name")).toBe("polling");
});

test("an engine given as bytes, and one that is not there", async ({ page, home, elsewhere }) => {
  const wasm = readdirSync(dist).find((name) => name.endsWith(".wasm"));
  const script = readFileSync(join(dist, "socket.io.esm.min.js"));
  elsewhere.directory = "/nowhere";
  elsewhere.pages.set("/client.mjs", script);
  const useWasm = `import { io, useWasm } from "/client.mjs"; useWasm(await (await fetch("/engine.wasm")).arrayBuffer()); ${program(home.url)}`;
  elsewhere.pages.set("/engine.wasm", readFileSync(join(dist, wasm)));
  elsewhere.pages.set("/given", html(useWasm));
  elsewhere.pages.set("/missing", html(`import { io } from "/client.mjs"; ${program(home.url)}`));
  await page.goto(`${elsewhere.url}/given`);
  await works(page);
  await page.goto(`${elsewhere.url}/missing`);
  await expect(page).toHaveTitle(/HTTP status 404/);
});

test("messages that were removed with the database are told as lost, once; others are not", async ({ page, home }) => {
  home.pages.set("/empty", "<!doctype html>");
  home.pages.set(
    "/",
    html(`import { io } from "/socket.io.esm.min.js";
      globalThis.socket = io({ autoConnect: false, delivery: "exactly-once" });
      globalThis.lost = [];
      socket.outbox.on("lost", (lanes) => lost.push(lanes.length));
      socket.outbox.on("change", ({ state, saved }) => (document.title = saved ? "saved" : state));`),
  );
  const notes = () => page.evaluate('Object.keys(localStorage).filter((key) => key.startsWith("oncewire:waiting")).length');
  const leaveAndReturn = async (meanwhile) => {
    await page.goto(`${home.url}/empty`);
    if (meanwhile) await page.evaluate(meanwhile);
    await page.goto(home.url);
  };
  const write = () => page.evaluate('void socket.emit("echo", "x")');

  await page.goto(home.url);
  await write();
  await expect(page).toHaveTitle("saved");
  await leaveAndReturn();
  await expect.poll(() => page.evaluate("socket.outbox.size")).toBe(1);
  expect(await page.evaluate("lost")).toEqual([]);

  await leaveAndReturn('new Promise((done) => (indexedDB.deleteDatabase("oncewire").onsuccess = () => done()))');
  await expect.poll(() => page.evaluate("lost")).toEqual([1]);
  expect(await page.evaluate("socket.outbox.size")).toBe(0);
  await leaveAndReturn();
  await write();
  await expect(page).toHaveTitle("saved");
  expect(await page.evaluate("lost")).toEqual([]);

  await expect.poll(notes).toBe(1);
  await page.evaluate("void socket.connect()");
  await expect(page).toHaveTitle("saved");
  await expect.poll(() => page.evaluate("socket.outbox.size")).toBe(0);
  await expect.poll(notes).toBe(0);
});

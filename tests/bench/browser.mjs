// Our client beside the stock client in Chromium, with the same stock server, in turns: how long from the
// script's start to `connect`, and how much of the main thread 10,000 received events take. Prints medians
// and their ratio; below 1 ours is faster. `browser.mjs [rounds] [--profile]`
import { chromium } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "socket.io";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, "tests/package.json"));
const stockFolder = join(dirname(require.resolve("socket.io-client/package.json")), "dist");
const scripts = { stock: join(stockFolder, "socket.io.min.js"), ours: join(root, "build/client/socket.io.min.js") };
const events = 10_000;

const rounds = Number(process.argv[2] ?? 5);
const profiles = process.argv.includes("--profile");
const http = createServer((request, response) => {
  const [path, query] = request.url.split("?");
  const file = path.endsWith(".wasm") ? join(root, "build/client", path) : path === "/client.js" ? scripts[query] : undefined;
  if (file) {
    const type = extname(file) === ".wasm" ? "application/wasm" : "text/javascript";
    return response.writeHead(200, { "content-type": type }).end(readFileSync(file));
  }
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><body>");
});
const server = new Server(http, { serveClient: false });
server.on("connection", (socket) =>
  socket.on("flood", () => {
    for (let i = 0; i < events; ++i) socket.emit("chat message", `message ${i}, of a usual length for a chat`, i, { at: 1_700_000_000_000 + i, by: "ann" });
    socket.emit("done");
  }),
);
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${http.address().port}`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell", args: ["--no-sandbox", "--disable-gpu"] });

async function visit(client) {
  const page = await browser.newPage();
  await page.goto(url);
  const session = await page.context().newCDPSession(page);
  // The thread's own clock: what else the machine does is not counted.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const connect = await page.evaluate(
    (source) =>
      new Promise((resolve) => {
        const start = performance.now();
        const script = Object.assign(document.createElement("script"), { src: source });
        script.onload = () => {
          globalThis.socket = io({ transports: ["websocket"] });
          socket.on("connect", () => resolve(performance.now() - start));
        };
        document.body.append(script);
      }),
    `/client.js?${client}`,
  );
  const busy = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "ScriptDuration").value;
  };
  const flood = () =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          let heard = 0;
          socket.off("chat message");
          socket.on("chat message", (text, id, { at }) => (heard += at > id && text.length > 0 ? 1 : 0));
          socket.once("done", () => resolve(heard));
          socket.emit("flood");
        }),
    );
  const result = { connect };
  for (const which of ["first", "later"]) {
    if (profiles && which === "first") await session.send("Profiler.enable").then(() => session.send("Profiler.start"));
    const before = await busy();
    const heard = await flood();
    if (heard !== events) throw new Error(`${client} heard ${heard}`);
    result[which] = (await busy()) - before;
    if (profiles && which === "first") printProfile(client, (await session.send("Profiler.stop")).profile);
  }
  await page.close();
  return result;
}

/** Where the time went, by function. */
function printProfile(client, { nodes, samples, timeDeltas }) {
  const spent = new Map();
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  samples.forEach((id, i) => {
    const { functionName, url: file, lineNumber, columnNumber } = byId.get(id);
    const name = `${functionName || "(anonymous)"} ${file.split("/").at(-1)}:${lineNumber}:${columnNumber}`;
    spent.set(name, (spent.get(name) ?? 0) + timeDeltas[i] / 1000);
  });
  console.log(client);
  for (const [name, ms] of [...spent].sort((a, b) => b[1] - a[1]).slice(0, 22)) console.log(`${ms.toFixed(1).padStart(9)} ms  ${name}`);
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const seen = { stock: [], ours: [] };
for (let round = 0; round < rounds; ++round) for (const client of ["stock", "ours"]) seen[client].push(await visit(client));
await browser.close();
server.close();

const names = { connect: "script start to connect", first: `first ${events} events, script time`, later: `next ${events} events, script time` };
console.log(`${"in Chromium, ms".padEnd(36)}${"stock".padStart(9)}${"ours".padStart(9)}${"ratio".padStart(9)}`);
for (const [key, name] of Object.entries(names)) {
  const [stock, ours] = [seen.stock, seen.ours].map((list) => median(list.map((row) => row[key])));
  console.log(`${name.padEnd(36)}${stock.toFixed(1).padStart(9)}${ours.toFixed(1).padStart(9)}${(ours / stock).toFixed(2).padStart(9)}`);
}

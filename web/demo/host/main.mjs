// `make demo`: starts both servers, a proxy before each, and the page. Everything listens on 127.0.0.1 alone; only the page
// that this process serves may make faults.
//
//   node main.mjs [--port N]
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { Proxy } from "./proxy.mjs";
import { Oncewire, Stock } from "./servers.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const demo = join(root, "web/demo");
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
// Where files of a page lie.
const folders = {
  "/demo/": demo,
  "/client/": join(process.env.ONCEWIRE_CLIENT ?? join(root, "build/client")),
  "/stock/": join(demo, "host/node_modules/socket.io-client/dist"),
};

async function file(answer, path, change = (bytes) => bytes) {
  try {
    const bytes = change(await readFile(path));
    answer.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream", "cache-control": "no-store", "x-content-type-options": "nosniff" });
    answer.end(bytes);
  } catch {
    answer.writeHead(404).end("not here");
  }
}

function fileBelow(answer, path) {
  const folder = Object.keys(folders).find((each) => path.startsWith(each));
  const below = folder && normalize(path.slice(folder.length));
  if (!folder || below.startsWith("..")) return answer.writeHead(404).end("not here");
  return file(answer, join(folders[folder], below));
}

const sides = {
  oncewire: { server: new Oncewire(), isDown: false },
  stock: { server: new Stock(), isDown: false },
};
for (const [name, side] of Object.entries(sides)) {
  const own = { "/phone.html": "phone.html", "/phone.js": `phone_${name}.js`, "/phone_frame.js": "phone_frame.js" };
  const pages = createServer((request, answer) => {
    const { pathname } = new URL(request.url, "http://phone");
    answer.setHeader("connection", "close"); // so that no later request for the server comes by this connection
    if (pathname in own) return file(answer, join(demo, "host", own[pathname]));
    return fileBelow(answer, pathname);
  });
  side.proxy = new Proxy(pages, () => side.server.port);
}

const listeners = new Set(); // pages that hear what the servers do
const tell = (event) => listeners.forEach((answer) => answer.write(`data: ${JSON.stringify(event)}\n\n`));
const both = (action) => Promise.all(Object.entries(sides).map(([name, side]) => action(side, name)));

let run = "";
let life = 0; // a server that is started again after this has changed belongs to a run that is over

/** Both at once, and both up again after the same time. */
async function kill(ms) {
  const mine = life;
  await both(async (side, name) => {
    if (side.isDown) return;
    side.isDown = true;
    await side.server.end();
    tell({ side: name, kind: "server", up: false });
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (mine !== life) return;
    await side.server.start();
    side.isDown = false;
    tell({ side: name, kind: "server", up: true });
  });
}

let asked = Promise.resolve(); // one beginning after the other
function begin() {
  asked = asked.then(async () => {
    ++life;
    run = randomBytes(4).toString("hex");
    await both(async (side) => {
      side.proxy.heal();
      await side.server.empty();
      side.isDown = false;
    });
    return { run, phones: addresses };
  });
  return asked;
}

const actions = {
  begin,
  cut: () => both(({ proxy }) => proxy.cut()),
  unplug: () => both(({ proxy }) => proxy.unplug()),
  plug: () => both(({ proxy }) => proxy.plug()),
  halfOpen: () => both(({ proxy }) => proxy.halfOpen()),
  slow: () => both(({ proxy }) => (proxy.delay = 400)),
  heal: () => both(({ proxy }) => proxy.heal()),
  kill: ({ ms }) => void kill(Math.min(Number(ms) || 0, 10_000)),
  log: ({ side }) => sides[side].server.log(run),
  where: ({ key }) => (/^[0-9a-f]{32}:\d+$/.test(key) ? sides.oncewire.server.where(key) : ""),
};

async function control(request, answer) {
  // A page of another origin can neither send this type without being asked about, nor know our address as its origin.
  const isOurs = request.headers["content-type"] === "application/json" && request.headers.origin === `http://${request.headers.host}`;
  if (!isOurs || !/^(127\.0\.0\.1|localhost):\d+$/.test(request.headers.host)) return answer.writeHead(403).end();
  let text = "";
  for await (const chunk of request) if ((text += chunk).length > 1000) return answer.writeHead(413).end();
  try {
    const wanted = JSON.parse(text);
    if (!Object.hasOwn(actions, wanted.do)) return answer.writeHead(404).end();
    const result = await actions[wanted.do](wanted);
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result ?? null));
  } catch (error) {
    answer.writeHead(500).end(String(error));
  }
}

const page = createServer((request, answer) => {
  const { pathname } = new URL(request.url, "http://demo");
  if (request.method === "POST" && pathname === "/control") return control(request, answer);
  if (request.method !== "GET") return answer.writeHead(405).end();
  if (pathname === "/events") {
    answer.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    listeners.add(answer.on("close", () => listeners.delete(answer)));
    return answer.write(":\n\n");
  }
  if (pathname === "/") return answer.writeHead(302, { location: "/demo" }).end();
  if (pathname === "/demo") return file(answer, join(root, "web/demo.html"), (bytes) => bytes.toString().replace('content="recorded"', 'content="live"'));
  if (pathname === "/favicon.svg") return file(answer, join(root, "web/favicon.svg"));
  return fileBelow(answer, pathname);
});

let isEnding = false;
async function end() {
  if (isEnding) return;
  isEnding = true;
  ++life;
  await both(async ({ server, proxy }) => {
    proxy.close();
    await server.end();
    server.forget();
  });
  process.exit();
}
process.on("SIGINT", end);
process.on("SIGTERM", end);

const wanted = process.argv.indexOf("--port");
await both(({ server }) => server.start());
const addresses = Object.fromEntries(await both(async ({ proxy }, name) => [name, `${await proxy.listen()}/phone.html`]));
page.listen(wanted < 0 ? 0 : Number(process.argv[wanted + 1]), "127.0.0.1", () =>
  console.log(`The demo is at http://127.0.0.1:${page.address().port}/demo`),
);

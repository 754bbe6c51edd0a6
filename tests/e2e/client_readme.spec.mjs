// Every snippet of the client's README, run as it stands.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../support/server.mjs";
import { dist, expect, folder, test } from "./client_site.mjs";

const readme = readFileSync(join(root, "client-wasm/README.md"), "utf8");
const snippets = [...readme.matchAll(/^```(html|js|js worker|js node)\n(.*?)^```$/gms)].map(([, kind, code]) => ({ kind, code }));

const map = '<script type="importmap">{"imports":{"oncewire-client":"/socket.io/socket.io.esm.min.js","oncewire-client/inline":"/socket.io/inline.mjs"}}</script>';
/** The page of a snippet; the title says when its socket is connected. */
function pageOf({ kind, code }) {
  const tell = '\n;(socket.connected ? Promise.resolve() : new Promise((done) => socket.on("connect", done))).then(() => (document.title = "connected"));';
  if (kind === "html") return code.replace("</script>\n", `</script>\n`).replace(/<\/script>\s*$/, `${tell}</script>`);
  return `<!doctype html>${map}<body><script type="module">${code}${tell}</script>`;
}

test("there are snippets of every kind", () => {
  expect(new Set(snippets.map(({ kind }) => kind))).toEqual(new Set(["html", "js", "js worker", "js node"]));
});

for (const [number, snippet] of snippets.entries()) {
  test(`snippet ${number + 1}, ${snippet.kind}`, async ({ page, home }) => {
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    for (const name of readdirSync(dist)) home.pages.set(`/socket.io/${name}`, readFileSync(join(dist, name)));
    home.pages.set("/socket.io/engine.wasm", readFileSync(join(dist, readdirSync(dist).find((name) => name.endsWith(".wasm")))));
    if (snippet.kind === "js node") return runInNode(snippet.code, home.url);
    if (snippet.kind === "js worker") {
      // Import maps do not reach workers.
      home.pages.set("/worker.js", snippet.code.replace('"oncewire-client"', '"/socket.io/socket.io.esm.min.js"'));
      home.pages.set("/", '<!doctype html><body><script>new Worker("worker.js", { type: "module" }).onmessage = ({ data }) => (document.title = data);</script>');
    } else {
      home.pages.set("/", pageOf(snippet));
    }
    await page.goto(home.url);
    await expect(page).toHaveTitle("connected");
    expect(errors).toEqual([]);
  });
}

async function runInNode(code, url) {
  mkdirSync(join(root, "build/e2e-bundles"), { recursive: true });
  const directory = mkdtempSync(join(root, "build/e2e-bundles/node-"));
  try {
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(folder, join(directory, "node_modules/oncewire-client"));
    symlinkSync(join(root, "tests/node_modules/ws"), join(directory, "node_modules/ws"));
    writeFileSync(join(directory, "main.mjs"), code.replace("http://localhost:3000", url));
    await promisify(execFile)(process.execPath, ["main.mjs"], { cwd: directory, timeout: 60_000 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

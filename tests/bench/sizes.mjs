// Bytes a browser loads: the client as the server sends it, beside the stock client from npm.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../..", import.meta.url));

const measure = (name, bytes) => ({
  name,
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
});
const sum = (name, rows) => ({
  name,
  ...Object.fromEntries(["raw", "gzip", "brotli"].map((key) => [key, rows.reduce((total, row) => total + row[key], 0)])),
});

export function sizes() {
  const client = join(root, "build/client");
  const wasm = readdirSync(client).find((file) => file.endsWith(".wasm"));
  const ours = [measure("engine (WASM)", readFileSync(join(client, wasm))), measure("loader and facade", readFileSync(join(client, "socket.io.min.js")))];
  const pageFiles = readdirSync(join(root, "web")).filter((file) => /\.(html|js|css)$/.test(file));
  const page = sum("the page", pageFiles.map((file) => measure(file, readFileSync(join(root, "web", file)))));
  const stock = measure("socket.io-client", readFileSync(join(root, "tests/node_modules/socket.io-client/dist/socket.io.min.js")));
  return [...ours, sum("our client", ours), page, sum("page and client", [...ours, page]), stock];
}

// 48 kB, brotli: what a page may be charged for the client.
const budget = 48_000;

export function sizeTable() {
  const cell = (text) => String(text).padStart(9);
  const rows = sizes().map((row) => `${row.name.padEnd(20)}${cell(row.raw)}${cell(row.gzip)}${cell(row.brotli)}`);
  return [`${"bytes".padEnd(20)}${cell("raw")}${cell("gzip")}${cell("brotli")}`, ...rows].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(sizeTable());
  const { brotli } = sizes().find(({ name }) => name === "our client");
  if (brotli > budget) {
    console.error(`our client has ${brotli} bytes, ${brotli - budget} too many`);
    process.exitCode = 1;
  }
}

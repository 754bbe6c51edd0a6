// Writes the table that server/net/static_files.hpp declares.
//
//   node make_static_files.mjs OUTPUT.cpp URL_PREFIX=DIRECTORY…
//
// Every file below a directory whose type is known becomes URL_PREFIX + its path; index.html also
// stands for the prefix itself. A directory that does not exist has no files. Comments and white space of scripts
// and styles stay here; names go out as they were written, for whoever looks with a browser's tools. Each file is
// compressed once, as hard as possible; a variant that is not smaller is left out.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const contentTypes = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".woff2": "font/woff2",
};
const hashedName = /-[0-9a-f]{8,}\./;
const { transformSync } = createRequire(new URL("../../client-wasm/package.json", import.meta.url))("esbuild");
const loaders = { ".css": "css", ".js": "js" };

function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".")) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return extname(entry.name) in contentTypes ? [path] : [];
  });
}

function literal(bytes) {
  let text = "";
  let line = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    line += /[ !#->@-[\]-~]/.test(char) ? char : "\\" + byte.toString(8).padStart(3, "0");
    if (line.length > 4000) {
      text += `\n        "${line}"`;
      line = "";
    }
  }
  return text + `\n        "${line}"`;
}

function variant(bytes, etag) {
  return `{std::string_view(${literal(bytes)}, ${bytes.length}), ${JSON.stringify(etag)}}`;
}

/** What is sent of a file. What has a source map was made by a build, and belongs to it as it is. */
function contentOf(path) {
  const bytes = readFileSync(path);
  const loader = loaders[extname(path)];
  if (!loader || existsSync(`${path}.map`)) return bytes;
  return Buffer.from(transformSync(bytes.toString(), { loader, minifyWhitespace: true, legalComments: "none" }).code);
}

function entry(url, path) {
  const bytes = contentOf(path);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 20);
  const smaller = (packed, suffix) =>
    packed.length < bytes.length ? variant(packed, `"${hash}-${suffix}"`) : "{}";
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  return `    {${JSON.stringify(url)}, ${JSON.stringify(contentTypes[extname(path)])},
     ${hashedName.test(url)},
     ${variant(bytes, `"${hash}"`)},
     ${smaller(brotli, "br")},
     ${smaller(gzipSync(bytes, { level: 9 }), "gz")}},\n`;
}

const [output, ...roots] = process.argv.slice(2);
const found = new Map();
for (const root of roots) {
  const [prefix, directory] = [root.slice(0, root.indexOf("=")), root.slice(root.indexOf("=") + 1)];
  for (const path of filesBelow(directory)) {
    const url = prefix + relative(directory, path);
    found.set(url, path);
    if (url === prefix + "index.html") found.set(prefix, path);
  }
}
const entries = [...found.keys()].sort().map((url) => entry(url, found.get(url)));
const table =
  entries.length === 0
    ? "std::span<const StaticFile> static_files() { return {}; }"
    : `constexpr StaticFile table[] = {\n${entries.join("")}};

std::span<const StaticFile> static_files() { return table; }`;
writeFileSync(
  output,
  `// Made by make_static_files.mjs; do not edit.
#include "server/net/static_files.hpp"

namespace oncewire::net {

${table}

}  // namespace oncewire::net
`,
);

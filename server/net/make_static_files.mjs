// Writes the table that server/net/gate/static_files.hpp declares.
//
//   node make_static_files.mjs OUTPUT.cpp URL_PREFIX=DIRECTORY…
//
// Every file below a directory whose type is known becomes URL_PREFIX + its path; index.html also
// stands for the prefix itself, and any other page beside it for its name without ".html". What lies in a folder called
// `host` runs in Node and is not served. A directory that does not exist has no files. chat.js goes out with all that it
// imports, as one file: a browser asks once, not for forty files in three rounds. Comments and white space of scripts
// and styles stay here; names go out as they were written, for whoever looks with a browser's tools. Each file is
// compressed once, as hard as possible; a variant that is not smaller is left out.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative } from "node:path";
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
const { buildSync, transformSync } = createRequire(new URL("../../client-wasm/package.json", import.meta.url))("esbuild");
const loaders = { ".css": "css", ".js": "js" };
const smaller = { minifyWhitespace: true, legalComments: "none" };
const languages = ["ar", "de", "es", "fr", "ja", "ko", "pseudo", "pt", "zh"];
/** What chat.js loads later, if at all, or shares with whoever put it into a site (inline.js). */
const apart = ["./surface.js", "./debug.js", ...languages.map((each) => `./words/${each}.js`)];
/** In chat.js, and a file of its own for the languages that are loaded later. */
const shared = join("words", "plural.js");

function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "host") return [];
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

/** The page's program: the one file, and the paths of those that are in it. */
function bundle(path) {
  const made = buildSync({ entryPoints: [path], bundle: true, format: "esm", target: "es2022", external: apart, write: false, metafile: true, ...smaller });
  return { content: Buffer.from(made.outputFiles[0].contents), inside: Object.keys(made.metafile.inputs) };
}

/** What is sent of a file. What has a source map was made by a build, and belongs to it as it is. */
function contentOf(path) {
  if (bundles.has(path)) return bundles.get(path).content;
  const bytes = readFileSync(path);
  const loader = loaders[extname(path)];
  if (!loader || existsSync(`${path}.map`)) return bytes;
  return Buffer.from(transformSync(bytes.toString(), { loader, ...smaller }).code);
}

function entry(url, path) {
  const bytes = contentOf(path);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 20);
  const packedOr = (packed, suffix) =>
    packed.length < bytes.length ? variant(packed, `"${hash}-${suffix}"`) : "{}";
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  return `    {${JSON.stringify(url)}, ${JSON.stringify(contentTypes[extname(path)])},
     ${hashedName.test(url)},
     ${variant(bytes, `"${hash}"`)},
     ${packedOr(brotli, "br")},
     ${packedOr(gzipSync(bytes, { level: 9 }), "gz")}},\n`;
}

const [output, ...roots] = process.argv.slice(2);
const found = new Map();
const bundles = new Map();
for (const root of roots) {
  const [prefix, directory] = [root.slice(0, root.indexOf("=")), root.slice(root.indexOf("=") + 1)];
  const program = join(directory, "chat.js");
  if (existsSync(program)) bundles.set(program, bundle(program));
  const isInside = (path) => path !== program && !path.endsWith(shared) && bundles.get(program)?.inside.includes(path);
  for (const path of filesBelow(directory).filter((each) => !isInside(each))) {
    const url = prefix + relative(directory, path);
    found.set(url, path);
    if (url === prefix + "index.html") found.set(prefix, path);
    else if (dirname(path) === directory && extname(path) === ".html") found.set(url.slice(0, -".html".length), path);
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
#include "server/net/gate/static_files.hpp"

namespace oncewire::net {

${table}

}  // namespace oncewire::net
`,
);

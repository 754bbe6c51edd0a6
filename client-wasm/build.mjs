#!/usr/bin/env node
// Builds the browser client: `node client-wasm/build.mjs --out DIR [--package PACKAGE]`.
//
//   DIR/socket.io.js, socket.io.min.js   classic scripts with the global io
//   DIR/socket.io.esm.min.js             ES module
//   DIR/oncewire-<hash>.wasm             the engine they load; named after its content, so immutable
//
// and PACKAGE as the folder to publish from: the same in dist/, and
//
//   PACKAGE/dist/oncewire.mjs            ES module for bundlers, not minified
//   PACKAGE/dist/node.mjs, node.cjs      for Node, with the engine inside
//   PACKAGE/dist/inline.mjs, inline.cjs  for pages, with the engine inside
//   PACKAGE/vite.mjs                     a plugin
//   PACKAGE/dist/embed.mjs               the chat on other sites, from web/embed.js
//
// or only, with --symbols FILE.wasm, the engine with the names of its functions (tests/bench/symbols.mjs).
// Each with its source map. Rebuilds what changed only; DIR/.work holds the objects.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const run = promisify(execFile);

// Of WebAssembly, what every browser has that has the JavaScript of the facade (Safari 15.4).
const features = ["-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint"];
const featuresToOptimize = ["--enable-bulk-memory", "--enable-sign-ext", "--enable-nontrapping-float-to-int"];

const compileFlags = [
  ...features,
  "-std=c++20", "-Oz", "-flto", "-fno-exceptions", "-fno-rtti",
  "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wswitch-enum",
];
const linkFlags = [
  ...features,
  "-Oz", "-flto", "-fno-exceptions", "-fno-rtti", "--no-entry",
  "-sMODULARIZE", "-sEXPORT_ES6", "-sUSE_ES6_IMPORT_META=0", "-sENVIRONMENT=web",
  "-sSTRICT", "-sDYNAMIC_EXECUTION=0", "-sFILESYSTEM=0", "-sMALLOC=emmalloc", "-sTEXTDECODER=2",
  // Small at first: a page is not charged 16 MiB for an idle client. It grows as needed.
  "-sALLOW_MEMORY_GROWTH", "-sINITIAL_MEMORY=1MB", "-sTOTAL_STACK=128KB",
  "-sINCOMING_MODULE_JS_API=[instantiateWasm]", "-sSUPPORT_ERRNO=0",
];

// What our classes call each other, and nobody else: shortened in the minified builds, as private members are.
const internalNames = new RegExp(
  "^(announce|attach|calls|onEvents|onArrived|errorEvent|closeEvent|onBroken|withdraw|setDurable|emitDurable|savePause|" +
    "saveAgain|setWaiting|onEmpty|isShared|drain|createClient|openNamespace|takeEvents|networkLost|endBegun|" +
    "handleConnectError|isAtRest|letGo|websocketUrl|closeLink|isWritable|handleUpgrade|handlePing|handleOpen|handleClose|" +
    "handleBroken|tellLost|isAlive|provideAuth|errorFirst|isNowhere|released|verdict|notify|finish|tries|handle|" +
    "configure|network)$",
);

const bundles = [
  { file: "socket.io.js", entry: "entry_script.js", format: "iife", minify: false },
  { file: "socket.io.min.js", entry: "entry_script.js", format: "iife", minify: true },
  { file: "socket.io.esm.min.js", entry: "entry_module.js", format: "esm", minify: true },
];
const packaged = [
  ...bundles,
  { file: "oncewire.mjs", entry: "entry_module.js", format: "esm", minify: false },
  { file: "node.mjs", entry: "entry_node.js", format: "esm", minify: false, platform: "node", standIns: ["timers.js"] },
  { file: "node.cjs", entry: "entry_node.js", format: "cjs", minify: false, platform: "node", standIns: ["timers.js"] },
  { file: "inline.mjs", entry: "entry_inline.js", format: "esm", minify: false, standIns: ["missing.js"] },
  { file: "inline.cjs", entry: "entry_inline.js", format: "cjs", minify: false, standIns: ["missing.js"] },
];

// `const io = require(…)` is a function, as in the original.
const callable =
  'module.exports = Object.defineProperty(Object.assign(module.exports.io, module.exports), "__esModule", { value: true });';

async function main() {
  const { values } = parseArgs({
    options: { out: { type: "string" }, package: { type: "string" }, symbols: { type: "string" } },
  });
  if (!values.out) throw new Error("usage: node client-wasm/build.mjs --out DIR [--package PACKAGE]");
  const out = resolve(values.out);
  const work = join(out, ".work");
  await mkdir(work, { recursive: true });

  const objects = await compile(work);
  if (values.symbols) return linkInto(resolve(values.symbols), [...objects, "--profiling-funcs"]);
  const module = await link(objects, work);
  await bundle(module, out, bundles);
  if (values.package) await makePackage(module, resolve(values.package));
}

// ---- C++ ----------------------------------------------------------------------------------------

async function compile(work) {
  const sources = [...sourcesIn("shared", { deep: true }), ...sourcesIn("client-wasm")];
  const launcher = await findLauncher();
  const jobs = sources.map((source) => () => compileOne(source, work, launcher));
  return inParallel(jobs, availableParallelism());
}

async function compileOne(source, work, launcher) {
  const object = join(work, `${source.replaceAll("/", "_")}.o`);
  const dependencies = `${object}.d`;
  if (!isOlder(object, await dependenciesOf(dependencies))) return object;
  const [command, ...before] = [...launcher, "em++"];
  const flags = [...compileFlags, "-I", root, "-MMD", "-MF", dependencies];
  await execute(command, [...before, ...flags, "-c", join(root, source), "-o", object]);
  return object;
}

async function link(objects, work) {
  const module = join(work, "oncewire.mjs");
  if (isOlder(module, [...objects, fileURLToPath(import.meta.url)])) {
    await linkInto(module, objects);
  }
  return module;
}

/**
 * Elsewhere first: glue and engine only fit each other. By the glue it is known whether to link again, so it
 * comes last; whoever is interrupted between the two links once more.
 */
async function linkInto(file, objects) {
  const elsewhere = `${file}.linking`;
  await rm(elsewhere, { recursive: true, force: true });
  await mkdir(elsewhere);
  const linked = join(elsewhere, basename(file));
  await execute("em++", [...objects, ...linkFlags, "-o", linked], {
    // Where em++ finds its JavaScript tools if Node is not Debian's own.
    NODE_PATH: process.env.NODE_PATH ?? "/usr/share/nodejs",
  });
  // Once more, in the form that more of Binaryen's passes understand: 2 % fewer bytes.
  const wasm = linked.replace(/\.mjs$/, ".wasm");
  const names = wasm === linked ? ["-g"] : [];
  const passes = ["--flatten", "--rereloop", "-Oz", "--flatten", "--rereloop", "-Oz", "-Oz"];
  await execute("wasm-opt", [...names, ...featuresToOptimize, "--low-memory-unused", ...passes, wasm, "-o", wasm]);
  for (const made of new Set([wasm, linked])) await rename(made, join(dirname(file), basename(made)));
  await rm(elsewhere, { recursive: true });
}

function sourcesIn(directory, { deep = false } = {}) {
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: deep })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".cpp"))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** What a compilation read, as it wrote down itself; nothing known: itself missing, so out of date. */
async function dependenciesOf(file) {
  if (!existsSync(file)) return [file];
  const [, list] = (await readFile(file, "utf8")).replaceAll("\\\n", " ").split(/:\s/, 2);
  return [...list.trim().split(/\s+/), fileURLToPath(import.meta.url)];
}

async function findLauncher() {
  const found = await run("ccache", ["--version"]).catch(() => undefined);
  return found ? ["ccache"] : [];
}

// ---- JavaScript ---------------------------------------------------------------------------------

/** Writes the bundles and the engine into `out`; returns the engine's file name. */
async function bundle(module, out, wanted) {
  const wasm = module.replace(/\.mjs$/, ".wasm");
  const name = `oncewire-${await contentHash(wasm)}.wasm`;
  const scripts = readdirSync(join(here, "js")).map((file) => join(here, "js", file));
  const inputs = [...scripts, module, fileURLToPath(import.meta.url)];
  const outputs = [...wanted.map(({ file }) => join(out, file)), join(out, name)];
  if (!outputs.some((output) => isOlder(output, inputs))) return name;

  const { build } = await import("esbuild");
  const { glue, letters } = await withoutLoader(module);
  for (const { file, entry, format, minify, platform = "browser", standIns = [] } of wanted) {
    await build({
      entryPoints: [join(here, "js", entry)],
      outfile: join(out, file),
      bundle: true,
      format,
      platform,
      sourcemap: true,
      target: "es2022",
      legalComments: "none",
      alias: { "oncewire-module": glue, "oncewire-wasm": wasm },
      loader: { ".wasm": "binary" },
      inject: standIns.map((script) => join(here, "js", script)),
      define: { ONCEWIRE_WASM: JSON.stringify(`./${name}`) },
      plugins: [byLetters(letters)],
      footer: format === "cjs" ? { js: callable } : {},
      logLevel: "warning",
    });
    if (minify) await minifyFile(join(out, file), format);
    await refuseDynamicCode(join(out, file));
  }
  for (const old of readdirSync(out)) {
    if (/^oncewire-.*\.wasm$/.test(old) && old !== name) await rm(join(out, old));
  }
  await copyFile(wasm, join(out, name));
  const now = new Date();
  await Promise.all(outputs.map((output) => utimes(output, now, now)));
  console.log(`browser client in ${relative(process.cwd(), out) || "."}: ${name}`);
  return name;
}

/** The folder that `npm publish` takes. */
async function makePackage(module, folder) {
  await mkdir(join(folder, "dist"), { recursive: true });
  const wasm = await bundle(module, join(folder, "dist"), packaged);
  const source = join(here, "package");
  const description = await readFile(join(source, "package.json"), "utf8");
  await writeFile(join(folder, "package.json"), description.replace("dist/WASM", `dist/${wasm}`));
  await copyFile(join(source, "index.d.ts"), join(folder, "index.d.ts"));
  await copyFile(join(source, "index.d.ts"), join(folder, "index.d.cts"));
  for (const file of ["embed.d.ts", "vite.d.ts"]) await copyFile(join(source, file), join(folder, file));
  await copyFile(join(source, "vite.mjs"), join(folder, "vite.mjs"));
  const { build } = await import("esbuild");
  await build({ entryPoints: [join(root, "web/embed.js")], outfile: join(folder, "dist/embed.mjs"), sourcemap: true, logLevel: "warning" });
  await copyFile(join(here, "README.md"), join(folder, "README.md"));
  await copyFile(join(root, "LICENSE"), join(folder, "LICENSE"));
}

/**
 * Emscripten's functions for the engine, as `createModule(hooks)`, without its own ways to find and load a
 * module, which ours (engine.js) replaces. `hooks`: what the EM_JS functions call, and instantiate(imports).
 * Resolves with `calls`, what the engine exports, and `bytes()`, its memory. Returns the file, and under which
 * letter each function is exported, by its name without "client_".
 */
async function withoutLoader(module) {
  const code = await readFile(module, "utf8");
  const found = (pattern) => {
    const match = code.match(pattern);
    if (!match) throw new Error(`Emscripten's glue is not what it was: look for ${pattern}`);
    return match[1];
  };
  const functions = found(/instantiateAsync\(\)\.catch\(readyPromiseReject\);return\{\}\}(.*)var asm=createWasm\(\);/s);
  // Theirs are larger, for cases that are not ours.
  const shorter = [
    [/function _emscripten_set_timeout\(.*?\},msecs\)\}/s, "function _emscripten_set_timeout(call, after, host) { return setTimeout(() => ABORT || wasmTable.get(call)(host), after); }"],
    [/function _emscripten_resize_heap\(.*?\}\}return false\}/s, "function _emscripten_resize_heap(size) { return grow(size); }"],
  ].reduce((text, [pattern, ours]) => (found(new RegExp(`(${pattern.source})`, "s")), text.replace(pattern, ours)), functions);
  const calls = [...code.matchAll(/Module\["_client_(\w+)"\]=Module\["asm"\]\["(\w+)"\]/g)];
  const glue = module.replace(/\.mjs$/, ".glue.mjs");
  await writeFile(
    glue,
    `export default async function createModule(Module) {
  let wasmMemory, wasmTable, buffer, HEAPU8, ABORT = false;
  const UTF8Decoder = new TextDecoder();
  function abort() {
    ABORT = true;
    throw new WebAssembly.RuntimeError("aborted");
  }
  function UTF8ToString(at) {
    return UTF8Decoder.decode(HEAPU8.subarray(at, HEAPU8.indexOf(0, at)));
  }
  function updateGlobalBufferAndViews(memory) {
    buffer = memory;
    HEAPU8 = new Uint8Array(memory);
  }
  function grow(size) {
    try {
      const missing = Math.max(size >>> 0, buffer.byteLength * 1.2) - buffer.byteLength;
      wasmMemory.grow((missing + 65535) >>> 16);
      updateGlobalBufferAndViews(wasmMemory.buffer);
      return 1;
    } catch {
      return 0;
    }
  }
  ${shorter}
  const { exports } = await Module.instantiate({ a: asmLibraryArg });
  wasmMemory = exports.${found(/wasmMemory=Module\["asm"\]\["(\w+)"\]/)};
  wasmTable = exports.${found(/wasmTable=Module\["asm"\]\["(\w+)"\]/)};
  updateGlobalBufferAndViews(wasmMemory.buffer);
  exports.${found(/addOnInit\(Module\["asm"\]\["(\w+)"\]\)/)}();
  return { bytes: () => HEAPU8, calls: exports };
}
`,
  );
  return { glue, letters: new Map(calls.map(([, name, letter]) => [name, letter])) };
}

/** Has engine.js call the engine's functions by the letters they are exported under. */
function byLetters(letters) {
  const letter = (name) => letters.get(name) ?? assert.fail(`the engine has no function client_${name}`);
  const shorten = (code) =>
    code
      .replace(/(#(?:call|receive)\(|name !== )"(\w+)"/g, (_, before, name) => `${before}"${letter(name)}"`)
      .replace(/\bcalls\.(\w+)/g, (_, name) => `calls.${letter(name)}`);
  return {
    name: "by letters",
    setup: (build) =>
      build.onLoad({ filter: /\bengine\.js$/ }, async ({ path }) => ({ contents: shorten(await readFile(path, "utf8")), loader: "js" })),
  };
}

/** esbuild keeps unused functions inside others, of which the glue has many. */
async function minifyFile(file, format) {
  const { minify } = await import("terser");
  const [code, map] = await Promise.all([readFile(file, "utf8"), readFile(`${file}.map`, "utf8")]);
  const made = await minify(code, {
    ecma: 2022,
    module: format === "esm",
    toplevel: true,
    compress: { passes: 3, unsafe_arrows: true },
    mangle: { properties: { regex: internalNames } },
    sourceMap: { content: map, url: `${basename(file)}.map`, includeSources: true },
  });
  await Promise.all([writeFile(file, made.code), writeFile(`${file}.map`, made.map)]);
}

// A strict Content-Security-Policy would refuse it, and only in the browser.
async function refuseDynamicCode(file) {
  const code = await readFile(file, "utf8");
  const found = code.match(/\beval\(|\bnew Function\b/);
  if (found) throw new Error(`${basename(file)} contains ${found[0]}`);
}

async function contentHash(file) {
  return createHash("sha256").update(await readFile(file)).digest("hex").slice(0, 12);
}

// ---- both ---------------------------------------------------------------------------------------

/** True if `target` is missing or older than an input, or an input is missing. */
function isOlder(target, inputs) {
  const time = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  const made = time(target);
  return made === undefined || inputs.some((input) => !(time(input) <= made));
}

async function execute(command, args, environment = {}) {
  try {
    const { stderr } = await run(command, args, { env: { ...process.env, ...environment } });
    process.stderr.write(stderr);
  } catch (error) {
    process.stderr.write(error.stderr ?? "");
    throw new Error(`${command} ${args.at(-1)}: ${error.code === "ENOENT" ? "not found" : "failed"}`);
  }
}

async function inParallel(jobs, width) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

// Entry of the builds for Node. The engine lies beside this script and is read from the disk.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";

// The CommonJS build has no import.meta.url; the ES module may meet a __dirname of somebody else.
const here = import.meta.url ? dirname(fileURLToPath(import.meta.url)) : __dirname;

provideEngine(async (wasm) =>
  loadWasm(wasm ?? (await readFile(join(here, ONCEWIRE_WASM))), (bytes) => Buffer.from(bytes)),
);

export * from "./io.js";
export { default } from "./io.js";

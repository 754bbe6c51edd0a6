// Entry of the builds for Node. The engine lies beside this script and is read from the disk.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";

// The CommonJS build has no import.meta, the ES module no __dirname.
const here = typeof __dirname === "string" ? __dirname : dirname(fileURLToPath(import.meta.url));

provideEngine(async (wasm) =>
  loadWasm(wasm ?? (await readFile(join(here, ONCEWIRE_WASM))), (bytes) => Buffer.from(bytes)),
);

export * from "./io.js";
export { default } from "./io.js";

// Entry with the engine inside, for whatever knows nothing of files beside a script: development servers, test
// runners, one-file bundles.

import wasm from "oncewire-wasm";

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";

provideEngine((given) => loadWasm(given ?? wasm));

export * from "./io.js";
export { default } from "./io.js";

// Entry of the builds for Node: the engine is inside, so that whatever bundles them has nothing to lose.

import wasm from "oncewire-wasm";

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";

provideEngine((given) => loadWasm(given ?? wasm, (bytes) => Buffer.from(bytes)));

export * from "./io.js";
export { default } from "./io.js";

// Entry of the ES module builds. The engine lies beside this script, wherever that is.

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";

provideEngine((wasm) => loadWasm(wasm ?? new URL(ONCEWIRE_WASM, import.meta.url)), { byNetwork: true });

export * from "./io.js";
export { default } from "./io.js";

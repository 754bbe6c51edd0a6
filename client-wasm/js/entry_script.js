// Entry of the classic script build: the global `io`. The engine lies beside this script; which that
// is can be asked only while it runs for the first time. A worker that imports it is told by a stack trace only.

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";
import { io } from "./io.js";

const here = globalThis.document?.currentScript?.src || new Error().stack?.match(/\w+:\/\/[^\s)]+(?=:\d+:\d+)/)?.[0];

provideEngine(async (wasm) => loadWasm(wasm ?? new URL(ONCEWIRE_WASM, here)), { byNetwork: true });
globalThis.io = io;

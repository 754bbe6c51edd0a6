// Where the engine comes from: the entry files say (a WebAssembly file beside the script), an application
// may say otherwise, tests put another in its place. It is loaded once, at first need, and shared by
// every manager.

let source; // an entry file says, before anything is loaded
let comesByNetwork = false;
let isHere = false;
let wasm;
let loading;

/**
 * `load(wasm)` resolves with the engine; `wasm`: what the application gave, or undefined. `byNetwork`: so
 * that the first link is worth beginning meanwhile.
 */
export function provideEngine(load, { byNetwork = false } = {}) {
  source = load;
  comesByNetwork = byNetwork;
  isHere = false;
  loading = undefined;
}

export const isEngineAwaited = () => comesByNetwork && !isHere;

/**
 * Says where the WebAssembly is, before the first socket: for bundlers and servers that put it elsewhere.
 * @param {string|URL|BufferSource|WebAssembly.Module} from its URL, its bytes, or it compiled
 */
export function useWasm(from) {
  wasm = from;
  loading = undefined;
}

/** After a failure the next call tries again. */
export function loadEngine() {
  loading ??= source(wasm).then(
    (engine) => {
      isHere = true;
      return engine;
    },
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

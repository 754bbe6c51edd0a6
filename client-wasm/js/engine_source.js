// Where the engine comes from: the entry files say (a WebAssembly file beside the script), tests put
// another in its place. It is loaded once, at first need, and shared by every manager.

let source = () => Promise.reject(new Error("no engine was provided"));
let loading;

export function provideEngine(load) {
  source = load;
  loading = undefined;
}

/** After a failure the next call tries again. */
export function loadEngine() {
  loading ??= source().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

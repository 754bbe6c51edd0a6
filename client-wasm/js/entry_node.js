// Entry of the builds for Node: the engine is inside, so that whatever bundles them has nothing to lose.

import { channel } from "node:diagnostics_channel";

import wasm from "oncewire-wasm";

import { loadWasm } from "./engine.js";
import { provideEngine } from "./engine_source.js";
import { provideQuiet } from "./network.js";
import { setQuiet } from "./timers.js";

provideEngine((given) => loadWasm(given ?? wasm, (bytes) => Buffer.from(bytes)));

// autoUnref: neither a timer nor a connection of ours keeps the process. fetch and WebSocket are Node's own, which
// tells only here of the sockets it opens, and holds them again for every request.
const quietHosts = new Set();
let isAnyLoud = false;
provideQuiet((origin, options) => {
  if (options.autoUnref) quietHosts.add(new URL(origin).host);
  else isAnyLoud = true;
  setQuiet(!isAnyLoud);
  const { WebSocket = globalThis.WebSocket, autoUnref } = options;
  if (autoUnref && WebSocket) options.WebSocket = quietly(WebSocket);
});
channel("undici:client:connected").subscribe(({ connectParams, socket }) => {
  if (quietHosts.has(connectParams.host)) socket.unref().ref = () => socket;
});

/** The class of npm's `ws`, whose sockets do not hold the process. */
function quietly(WebSocket) {
  return class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.on?.("open", () => this._socket.unref());
    }
  };
}

export * from "./io.js";
export { default } from "./io.js";

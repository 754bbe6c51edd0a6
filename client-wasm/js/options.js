// The options there are, of managers and sockets, and what managers take for those that are not given.

import { warnOnce } from "./emitter.js";

export const defaults = {
  path: "/socket.io",
  autoConnect: true,
  reconnection: true,
  reconnectionAttempts: Infinity,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
  timeout: 20_000,
  transports: ["polling", "websocket"],
  upgrade: true,
  rememberUpgrade: false,
  tryAllTransports: false,
  withCredentials: false,
  addTrailingSlash: true,
  closeOnBeforeunload: false,
};

const others =
  "query forceNew multiplex extraHeaders transportOptions requestTimeout timestampRequests timestampParam protocols " +
  "WebSocket autoUnref auth retries ackTimeout delivery owner store";
const names = new Set([...Object.keys(defaults), ...others.split(" ")]);

/** Says which of `given` is no option: it would be taken silently, and do nothing. */
export function checkOptions(given) {
  for (const name of Object.keys(given)) {
    if (!names.has(name)) warnOnce(`there is no option "${name}"`);
  }
}

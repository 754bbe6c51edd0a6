// The front door: io(url, options), as in socket.io-client.

import { useWasm } from "./engine_source.js";
import { DeliveryError } from "./errors.js";
import { Manager } from "./manager.js";
import { Socket } from "./socket.js";
import { parseUrl } from "./url.js";

const managers = new Map(); // server and path → Manager

/**
 * A socket for the namespace that `url` names, at once; it connects by itself.
 * @param {string|Object} [url] nothing: the page's own server, main namespace
 * @param {Object} [options] of Manager and Socket together, and forceNew, multiplex
 */
export function io(url, options) {
  if (url && typeof url === "object") return io(undefined, url);
  const { key, namespace, isNowhere } = parseUrl(url);
  // A page that is being made on a server has nobody to talk to yet.
  const given = { ...options, ...(isNowhere && { autoConnect: false }) };
  return managerFor(key, namespace, url, given).socket(namespace, options);
}

function managerFor(key, namespace, url, options) {
  const id = key + (options.path || "/socket.io");
  const shared = managers.get(id);
  const isAlone = options.forceNew || options.multiplex === false;
  if (shared && !isAlone && !shared.nsps[namespace]) return shared;
  const manager = new Manager(url, options);
  if (!shared && !isAlone) managers.set(id, manager);
  return manager;
}

/** The protocol's revision. */
export const protocol = 5;

Object.assign(io, { io, connect: io, lookup: io, Manager, Socket, DeliveryError, protocol, useWasm });

export { DeliveryError, Manager, Socket, io as connect, io as lookup, useWasm };
export default io;

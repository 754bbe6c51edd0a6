// Our client where the suite asks for theirs. Node 20 has no WebSocket class, so it is given npm's.
const { WebSocket } = require("ws");
globalThis.WebSocket ??= WebSocket;
module.exports = require("../../build/oncewire-client/dist/node.cjs");

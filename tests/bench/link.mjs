// One sender that wants every message stored, over a link of some milliseconds each way: how many messages a second
// are known to be stored. The stock client's way is `retries`, which has one message in flight; ours is a window.
//
//   node tests/bench/link.mjs --client stock|ours --port P [--delay 50] [--seconds 3]
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import WebSocket from "ws";
import { Proxy } from "../e2e/proxy.mjs";

const { values } = parseArgs({
  options: {
    client: { type: "string" },
    port: { type: "string" },
    delay: { type: "string", default: "50" },
    seconds: { type: "string", default: "3" },
  },
});
const seconds = Number(values.seconds);
const waiting = 2048; // messages handed to the client and not known to be stored
const text = "x".repeat(64);

const clients = {
  stock: async (url) => {
    const { io } = await import("socket.io-client");
    const socket = io(url, { transports: ["websocket"], retries: 3, ackTimeout: 10_000 });
    return { socket, say: (stored) => socket.emit("chat message", text, randomUUID(), stored) };
  },
  ours: async (url) => {
    const { io } = await import("../../build/oncewire-client/dist/node.mjs");
    const socket = io(url, { transports: ["websocket"], delivery: "exactly-once", WebSocket });
    return { socket, say: (stored) => socket.emit("chat message", text, stored) };
  },
};

const proxy = await Proxy.to(Number(values.port));
proxy.delay = Number(values.delay);
const { socket, say } = await clients[values.client](proxy.url);
await new Promise((resolve) => socket.once("connect", resolve));

let stored = 0;
let failed = 0;
let counting = false;
const sayAgain = () =>
  say((error) => {
    if (error) failed += 1;
    else if (counting) stored += 1;
    sayAgain();
  });
for (let i = 0; i < waiting; i++) sayAgain();
await new Promise((resolve) => setTimeout(resolve, 1000)); // until both go at their speed
counting = true;
const begun = performance.now();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const rate = stored / ((performance.now() - begun) / 1000);
// Printed whole before the end, which asks nobody whether messages wait.
process.stdout.write(`${JSON.stringify({ messages_per_s: Math.round(rate), failed })}\n`, () => process.exit(failed ? 1 : 0));

// Compiled, never run: what a page may write, and (expect-error) what it may not.
import defaultIo, { connect, DeliveryError, io, Manager, type OutboxStore, protocol, Socket, useWasm } from "oncewire-client";

interface ServerToClient {
  noArg: () => void;
  message: (text: string, id: number) => void;
  ask: (question: string, answer: (yes: boolean) => void) => void;
}
interface ClientToServer {
  "chat message": (text: string) => void;
  count: (from: number, answer: (total: number) => void) => void;
}

const untyped: Socket = io();
untyped.on("anything", (first, second) => first + second);
untyped.emit("anything", 1, "two", () => {});
untyped.emitWithAck("anything", 1).then((value) => value);

const socket: Socket<ServerToClient, ClientToServer> = io("https://example.org/chat?room=1", {
  auth: (provide) => provide({ token: "t" }),
  transports: ["websocket", "polling"],
  query: { x: "1" },
  retries: 3,
  ackTimeout: 1000,
  delivery: "exactly-once",
});
socket.on("message", (text, id) => text.length + id);
socket.on("ask", (question, answer) => answer(question.length > 0));
socket.once("noArg", () => {});
socket.on("connect", () => {});
socket.on("connect_error", (error) => error.message + error.data);
socket.on("disconnect", (reason, details) => {
  if (reason === "io server disconnect") socket.connect();
  if (details && !(details instanceof Error)) details.description.length;
  // @ts-expect-error no such reason
  if (reason === "because") return;
});
// @ts-expect-error an event the server does not send
socket.on("unknown", () => {});
// @ts-expect-error another type of argument
socket.on("message", (text: number) => text);

socket.emit("chat message", "hello").volatile.compress(true).emit("count", 1, (total) => total.toFixed());
// @ts-expect-error the argument is missing
socket.emit("chat message");
// @ts-expect-error an event the server does not know
socket.emit("message", "x", 1);
socket.timeout(5).emit("count", 1, (error, total) => error.message + total.toFixed());
socket.emitWithAck("count", 1).then((total: number) => total);
socket.timeout(5).emitWithAck("count", 2).then((total) => total.toFixed());
// @ts-expect-error the acknowledgement is a number
socket.emitWithAck("count", 1).then((total: string) => total);

socket.onAny((event, ...args) => event + args.length).offAny();
socket.onAnyOutgoing(() => {}).offAnyOutgoing();
const store: OutboxStore = {
  laneNames: async (scope) => [scope],
  loadLane: async () => undefined,
  save: async ({ producer }, { next, put }) => void [producer.length, next.toFixed(), put.map(({ at }) => at)],
  removeLane: async () => {},
};
io({ delivery: "exactly-once", store }).outbox?.on("lost", (lanes) => lanes.length);
const id: string | undefined = socket.id;
if (socket.notRecovered === "expired") console.log("away for too long");
// @ts-expect-error it is a code, or nothing
const code: string = socket.notRecovered;
const [waiting, given] = [socket.sendBuffer.length, socket.receiveBuffer.length];
socket.sendBuffer = [];
const guarantee: "exactly-once" | "at-least-once" | "at-most-once" = socket.guarantee;
const entries = socket.outbox?.entries().map(({ key, state, saved }) => [key, state, saved]);
socket.outbox?.on("change", (entry) => socket.outbox?.cancel(entry.id));
const stop: (() => void) | undefined = socket.outbox?.guardClose();
const reason: Socket.DisconnectReason = "ping timeout";
// @ts-expect-error read only
socket.connected = true;

const manager = new Manager("https://example.org", { reconnectionDelay: 5, autoConnect: false });
manager.on("reconnect_attempt", (attempt) => attempt.toFixed());
manager.on("packet", ({ type, nsp }) => type + nsp);
manager.open((error) => error?.message).reconnection(false).timeout(5);
const delay: number = manager.reconnectionDelay();
manager.engine.on("upgrade", (transport) => transport.name);
const admin = manager.socket("/admin", { auth: { token: "t" } });
admin.io === manager;

useWasm(new URL("https://example.org/oncewire.wasm"));
useWasm(new Uint8Array());
const five: 5 = protocol;
connect().close();
defaultIo("/x").disconnect().open();
io.Manager === Manager;
const failure = (error: unknown) => error instanceof DeliveryError && error.code;
export { id, waiting, given, guarantee, entries, stop, reason, delay, five, failure };

// One TCP connection that says exactly the bytes it is given, and reads answers and WebSocket messages.
import { connect } from "node:net";
import { within } from "../support/stock.mjs";
import { frame } from "./wire.mjs";

const continuation = 0;
const text = 1;
const binary = 2;
const closing = 8;

export class Line {
  constructor({ port }) {
    this.received = Buffer.alloc(0);
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.wake?.();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
      this.wake?.();
    });
  }
  send(bytes) {
    this.socket.write(bytes);
  }
  reset() {
    this.socket.resetAndDestroy();
  }

  /** A WebSocket message, masked; in pieces of so many bytes, or whole. */
  sendMessage(bytes, { isText, pieces = bytes.length || 1 }) {
    for (let at = 0; at === 0 || at < bytes.length; at += pieces) {
      const isLast = at + pieces >= bytes.length;
      const opcode = at > 0 ? continuation : isText ? text : binary;
      const piece = bytes.subarray(at, at + pieces).toString("latin1");
      this.send(Buffer.from(frame((isLast ? 0x80 : 0) | opcode, piece), "latin1"));
    }
  }
  sendClose(code, reason = "") {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
    this.send(Buffer.from(frame(0x80 | closing, payload.toString("latin1")), "latin1"));
  }

  /** Resolves with what `take` finds in what was received, as soon as it is not undefined. */
  async #until(take, what) {
    for (;;) {
      const found = take();
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error(`closed before ${what}: ${this.received.toString("latin1").slice(0, 300)}`);
      await within(new Promise((resolve) => (this.wake = resolve)), what);
    }
  }
  #remove(count) {
    const removed = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return removed;
  }

  /** The next HTTP answer: status and body. */
  answer() {
    return this.#until(() => {
      const end = this.received.indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      const head = this.received.subarray(0, end).toString("latin1");
      const length = Number(head.match(/\r\nContent-Length: (\d+)/i)?.[1] ?? 0);
      if (this.received.length < end + 4 + length) return undefined;
      const bytes = this.#remove(end + 4 + length);
      return { status: Number(head.slice(9, 12)), head, body: bytes.subarray(end + 4).toString() };
    }, "an answer");
  }
  /** The next message; pings of Engine.IO are answered and left out. */
  async message() {
    for (;;) {
      const { opcode, payload } = await this.#frame("a message");
      if (opcode === text && payload.toString() === "2") this.sendMessage(Buffer.from("3"), { isText: true });
      else if (opcode === text || opcode === binary) return { isText: opcode === text, bytes: payload };
      else throw new Error(`frame ${opcode} instead of a message`);
    }
  }
  /** The code of the close frame; messages before it are left out. */
  async closeCode() {
    for (;;) {
      const { opcode, payload } = await this.#frame("a close frame");
      if (opcode === closing) return payload.length < 2 ? 1005 : payload.readUInt16BE();
    }
  }
  /** The server neither masks nor fragments. */
  #frame(what) {
    return this.#until(() => {
      if (this.received.length < 2) return undefined;
      const short = this.received[1] & 127;
      const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (this.received.length < 2 + extra) return undefined;
      const size = extra === 2 ? this.received.readUInt16BE(2) : extra === 8 ? Number(this.received.readBigUInt64BE(2)) : short;
      if (this.received.length < 2 + extra + size) return undefined;
      const bytes = this.#remove(2 + extra + size);
      return { opcode: bytes[0] & 15, payload: bytes.subarray(2 + extra) };
    }, what);
  }
}

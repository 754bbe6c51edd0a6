// Peers that may break every rule: HTTP requests, WebSockets and plain TCP connections, byte by byte.
import { connect } from "node:net";
import { WebSocket } from "ws";
import { until, within } from "../support/stock.mjs";

export const closed = Symbol("closed");

/** For the echo servers, which by themselves are as hasty as the official suites want: patience with a busy machine. */
export const patient = ["--ping-timeout", "60000", "--connect-timeout", "60000"];
/** And no pings in between. */
export const calm = ["--ping-interval", "60000", ...patient];

/** The URL of an Engine.IO request to `program` (or to anything else with a `url`). */
export function address(program, query, path = "/socket.io/") {
  return `${program.url}${path}?${typeof query === "string" ? query : new URLSearchParams(query)}`;
}

/** Status, headers and text of one request. */
export async function request(program, query, { path, ...options } = {}) {
  const response = await within(fetch(address(program, query, path), options), `answer to ${query}`);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** One session by long-polling. */
export class Polling {
  static async open(program, path) {
    const session = new Polling();
    Object.assign(session, { program, path });
    const { status, body } = await request(program, "EIO=4&transport=polling", { path });
    if (status !== 200 || body[0] !== "0") throw new Error(`no handshake: ${status} ${body}`);
    session.handshake = JSON.parse(body.slice(1));
    session.sid = session.handshake.sid;
    session.query = `EIO=4&transport=polling&sid=${session.sid}`;
    return session;
  }
  poll(options = {}) {
    return request(this.program, this.query, { path: this.path, ...options });
  }
  post(body, options = {}) {
    return this.poll({ method: "POST", body, ...options });
  }
  /** The packets of the next poll; pings are answered and left out. */
  async packets() {
    for (;;) {
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`poll was answered ${status}`);
      const packets = body.split("\x1e").filter((packet) => packet !== "2");
      if (packets.length < body.split("\x1e").length) await this.post("3");
      if (packets.length > 0) return packets;
    }
  }
  /** Waits for its end: a pong is taken at any time, and harms nothing. */
  ends() {
    return until(async () => (await this.post("3")).status === 400, "the end of the session");
  }
  async isOver() {
    const { status, body } = await this.poll();
    return status === 400 && JSON.parse(body || "{}").code === 1;
  }
}

/** A WebSocket and what it hears, in order. */
export class Channel {
  constructor(program, query = "EIO=4&transport=websocket", { path, ...options } = {}) {
    this.heard = [];
    this.waiting = [];
    this.socket = new WebSocket(address(program, query, path).replace("http", "ws"), { perMessageDeflate: false, ...options });
    this.socket.on("message", (data, isBinary) => this.#take(isBinary ? data : data.toString()));
    this.socket.on("unexpected-response", (_, response) => {
      this.status = response.statusCode;
      response.on("data", (chunk) => (this.body = (this.body ?? "") + chunk));
      response.on("end", () => this.#take(closed));
    });
    this.socket.on("error", () => {});
    this.socket.on("close", (code) => {
      this.code = code;
      this.#take(closed);
    });
  }
  /** From now on pings are answered as they come, whether somebody listens or not. */
  attend() {
    this.isAttending = true;
    return this;
  }
  #take(message) {
    if (this.isAttending && message === "2") return this.socket.send("3");
    const waiter = this.waiting.shift();
    if (waiter) waiter(message);
    else this.heard.push(message);
  }
  /** The next message, pings included; `closed` at the end. */
  next(what = "a message") {
    if (this.heard[0] === closed) return Promise.resolve(closed);
    if (this.heard.length > 0) return Promise.resolve(this.heard.shift());
    return within(new Promise((resolve) => this.waiting.push(resolve)), what);
  }
  /** The next message that is no ping; pings are answered. */
  async said() {
    for (;;) {
      const message = await this.next();
      if (message !== "2") return message;
      this.socket.send("3");
    }
  }
  /** Resolves when it was closed, with the code. Pings stay unanswered. */
  async ended() {
    while ((await this.next("the end")) !== closed);
    return this.code;
  }
  send(...messages) {
    for (const message of messages) this.socket.send(message);
  }
  /** Through the handshake, and into the main namespace. */
  static async open(program, options) {
    const channel = new Channel(program, undefined, options);
    channel.handshake = JSON.parse((await channel.said()).slice(1));
    return channel;
  }
  static async joined(program, connect = "40") {
    const channel = await Channel.open(program);
    channel.send(connect);
    channel.welcome = await channel.said();
    return channel;
  }
  close() {
    this.socket.terminate();
  }
}

/** A WebSocket beside a polling session, as far as the answer to its probe: “3probe”, or `closed`. */
export async function probe(session) {
  const channel = new Channel(session.program, `EIO=4&transport=websocket&sid=${session.sid}`, { path: session.path });
  channel.socket.once("open", () => channel.send("2probe"));
  channel.answer = await channel.next("the answer to a probe");
  return channel;
}

/** A plain TCP connection. */
export class Tcp {
  constructor(program) {
    const { hostname, port } = new URL(program.url);
    this.text = "";
    this.socket = connect(Number(port), hostname);
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk) => {
      this.text += chunk;
      this.wake?.();
    });
    this.socket.on("error", () => {});
    this.end = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.once("end", () => (this.isEnded = true));
  }
  send(bytes) {
    this.socket.write(bytes, "latin1");
    return this;
  }
  /** Resolves with all that came once it contains `part`. */
  async until(part) {
    while (!this.text.includes(part)) {
      await within(new Promise((resolve) => {
        this.wake = resolve;
        this.socket.once("close", resolve);
      }), `“${part}” after ${JSON.stringify(this.text.slice(0, 200))}`);
      if (this.socket.destroyed && !this.text.includes(part)) throw new Error(`closed without “${part}”: ${this.text}`);
    }
    return this.text;
  }
  /** Everything until the server closes. */
  async all() {
    await within(this.end, "the end of the connection");
    return this.text;
  }
  reset() {
    this.socket.resetAndDestroy();
  }
}

/** Status and text of an answer to raw bytes, and the end of the connection. */
export async function refused(program, bytes) {
  const text = await new Tcp(program).send(bytes).all();
  return { status: Number(text.slice(9, 12)), body: text.split("\r\n\r\n").slice(1).join("\r\n\r\n"), text };
}

export const get = (target, headers = "") => `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
export const upgradeHeaders =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** A client frame: masked unless `mask` is false; `length`: what it claims to be. */
export function frame(first, payload = "", { mask = true, length } = {}) {
  const bytes = Buffer.from(payload, "latin1");
  const size = length ?? bytes.length;
  const header = [first];
  if (size < 126) header.push((mask ? 0x80 : 0) | size);
  else if (size <= 0xffff) header.push((mask ? 0x80 : 0) | 126, size >> 8, size & 255);
  else {
    header.push((mask ? 0x80 : 0) | 127);
    for (let i = 7n; i >= 0n; i--) header.push(Number((BigInt(size) >> (8n * i)) & 255n));
  }
  return Buffer.concat([Buffer.from(header), mask ? Buffer.alloc(4) : Buffer.alloc(0), bytes]).toString("latin1");
}

/** A WebSocket made by hand, through its handshake. */
export async function rawWebSocket(program, glued = "") {
  const tcp = new Tcp(program).send(get("/socket.io/?EIO=4&transport=websocket", upgradeHeaders) + glued);
  await tcp.until('maxPayload":');
  return tcp;
}

/** The code of the close frame at the end of what a raw WebSocket heard; 1005: empty, 0: none. */
export async function closeCode(tcp) {
  const text = await tcp.all();
  const at = text.lastIndexOf("\x88");
  if (at < 0) return 0;
  return text.charCodeAt(at + 1) === 0 ? 1005 : text.charCodeAt(at + 2) * 256 + text.charCodeAt(at + 3);
}

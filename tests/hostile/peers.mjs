// The peers of a flood. Everything is made by hand, so that it may be wrong, and cheap, so that the server is what is
// measured: frames are masked with zeros, and answers are only looked at where a flood needs them.
import { connect } from "node:net";

const emptyMask = Buffer.alloc(4);

/** One frame of a client: its first byte, what it carries, and how long it claims to be. */
export function frame(first, payload, claimed) {
  const bytes = Buffer.from(payload);
  const size = claimed ?? bytes.length;
  const head = size < 126 ? Buffer.from([first, 0x80 | size]) : Buffer.alloc(size < 65_536 ? 4 : 10);
  if (size >= 126) {
    head[0] = first;
    head[1] = 0x80 | (size < 65_536 ? 126 : 127);
    if (size < 65_536) head.writeUInt16BE(size, 2);
    else head.writeBigUInt64BE(BigInt(size), 2);
  }
  return Buffer.concat([head, emptyMask, bytes]);
}
export const text = (packet) => frame(0x81, packet);
export const binary = (bytes) => frame(0x82, bytes);
/** Several packets as the bytes of one write. */
export const texts = (packets) => Buffer.concat(packets.map(text));

export const upgrade =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
export const head = (target, { method = "GET", headers = "" } = {}) =>
  `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`;
export const polling = "/socket.io/?EIO=4&transport=polling";
export const websocket = "/socket.io/?EIO=4&transport=websocket";

/** A TCP connection from an address of its own. */
export class Line {
  constructor(attack, from) {
    this.attack = attack;
    this.socket = connect({ port: attack.port, host: "127.0.0.1", localAddress: from });
    this.socket.setNoDelay(true);
    this.opened = new Promise((resolve) => {
      this.socket.once("connect", () => resolve(true));
      this.socket.once("close", () => resolve(false));
    });
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.on("error", () => {});
    this.socket.once("close", () => (this.isClosed = true));
    this.socket.on("data", (chunk) => this.hear(chunk));
    attack.keep(this);
  }
  hear(chunk) {
    this.attack.note("heard bytes", chunk.length);
    this.onData?.(chunk);
  }
  /** False: the flood is over its bounds, or the connection is gone. */
  write(bytes) {
    if (this.isClosed || !this.attack.spend(bytes.length)) return false;
    this.socket.write(bytes);
    return true;
  }
  /** Writes, and waits until the server has taken most of it. */
  async push(bytes) {
    if (!this.write(bytes)) return false;
    while (!this.isClosed && this.socket.writableLength > 262_144 && !this.attack.isOver) await this.attack.pause(2);
    if (this.socket.writableLength === 0) await this.attack.turn();
    return !this.isClosed;
  }
  /** Nothing is read any more. */
  deaf() {
    this.socket.pause();
    return this;
  }
  /** The whole answer, with a body that has a length. */
  async answer() {
    let all = Buffer.alloc(0);
    return new Promise((resolve) => {
      this.onData = (chunk) => {
        all = Buffer.concat([all, chunk]);
        const end = all.indexOf("\r\n\r\n");
        if (end < 0) return;
        const length = Number(all.subarray(0, end).toString("latin1").match(/content-length: (\d+)/i)?.[1] ?? 0);
        if (all.length < end + 4 + length) return;
        const status = Number(all.subarray(9, 12).toString());
        const body = all.subarray(end + 4, end + 4 + length).toString();
        all = all.subarray(end + 4 + length);
        resolve({ status, body });
      };
      this.closed.then(() => resolve({ status: 0, body: "" }));
    });
  }
  /** One request and its answer; `status` 0: the connection is gone. */
  ask(target, { body, ...options } = {}) {
    const extra = body === undefined ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\nContent-Type: text/plain;charset=UTF-8\r\n`;
    const answer = this.answer();
    this.write(Buffer.from(head(target, { ...options, headers: (options.headers ?? "") + extra }) + (body ?? "")));
    return answer;
  }
}

/** A WebSocket, through its handshakes; pings of Engine.IO are answered as long as it listens. */
export class Peer extends Line {
  constructor(attack, { from = attack.address(), auth = "", target = websocket, joins = true } = {}) {
    super(attack, from);
    this.bytes = Buffer.alloc(0);
    this.connect = joins ? `40${typeof auth === "string" ? auth : JSON.stringify(auth)}` : "";
    this.answers = 0;
    this.joined = new Promise((resolve) => {
      this.resolve = resolve;
      this.closed.then(() => resolve(false));
    });
    super.write(Buffer.from(head(target, { headers: upgrade })));
  }
  /** Resolves when CONNECT was answered; null: it was not. */
  static async join(attack, options) {
    const peer = new Peer(attack, options);
    const joined = await attack.orOver(peer.joined);
    attack.note(joined ? "joined" : "not let in");
    return joined ? peer : null;
  }
  /** Many at once, those that were let in. */
  static async crowd(attack, count, optionsOf) {
    const peers = await Promise.all(Array.from({ length: count }, (_, n) => Peer.join(attack, optionsOf(n))));
    return peers.filter((peer) => peer !== null);
  }
  send(...packets) {
    return this.push(texts(packets));
  }
  hear(chunk) {
    super.hear(chunk);
    if (this.ignores) return;
    this.bytes = this.bytes.length ? Buffer.concat([this.bytes, chunk]) : chunk;
    if (!this.isUpgraded && !this.#takeHead()) return;
    while (this.#takeFrame());
  }
  #takeHead() {
    const end = this.bytes.indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.status = Number(this.bytes.subarray(9, 12).toString());
    this.isUpgraded = this.status === 101;
    if (!this.isUpgraded) this.attack.note(`answered ${this.status}`);
    this.bytes = this.bytes.subarray(end + 4);
    return this.isUpgraded;
  }
  #takeFrame() {
    const { bytes } = this;
    if (bytes.length < 2) return false;
    let size = bytes[1] & 0x7f;
    let at = 2;
    if (size === 126) [size, at] = [bytes.length >= 4 ? bytes.readUInt16BE(2) : Infinity, 4];
    else if (size === 127) [size, at] = [bytes.length >= 10 ? Number(bytes.readBigUInt64BE(2)) : Infinity, 10];
    if (bytes.length < at + size) return false;
    this.bytes = bytes.subarray(at + size);
    if ((bytes[0] & 0x0f) === 1) this.#take(bytes.subarray(at, at + size).toString());
    return true;
  }
  #take(packet) {
    this.onPacket?.(packet);
    if (packet[0] === "0" && this.connect) this.write(text(this.connect));
    else if (packet[0] === "0") this.resolve(JSON.parse(packet.slice(1)));
    else if (packet === "2") this.socket.write(text("3"));
    else if (packet.startsWith("40")) this.resolve(JSON.parse(packet.slice(2)));
    else if (packet.startsWith("44")) this.resolve(false);
    else if (packet.startsWith("43")) {
      this.answers += 1;
      this.attack.note(/"error":"([a-z_]+)"/.exec(packet.slice(0, 200))?.[1] ?? "answered");
    }
  }
}

/** A session by long-polling, over a line of its own or somebody else's. */
export class PollingSession {
  static async open(line) {
    const { status, body } = await line.attack.orOver(line.ask(polling), { status: 0, body: "" });
    line.attack.note(status === 200 ? "sessions" : `answered ${status}`);
    if (status !== 200) return null;
    const session = new PollingSession();
    session.line = line;
    session.sid = JSON.parse(body.slice(body.indexOf("{"))).sid;
    session.target = `${polling}&sid=${session.sid}`;
    return session;
  }
  async post(body) {
    const { status } = await this.line.attack.orOver(this.line.ask(this.target, { method: "POST", body }), { status: 0 });
    this.line.attack.note(status === 200 ? "posts taken" : `answered ${status}`);
    return status === 200;
  }
  /** The head of a POST and as much of its body as is given. */
  post_head(length) {
    return head(this.target, { method: "POST", headers: `Content-Length: ${length}\r\nContent-Type: text/plain;charset=UTF-8\r\n` });
  }
}

// A TCP proxy that fails on demand, in the process of the test that demands it: browsers' own offline
// switches leave open WebSockets working, so the wire itself has to be cut.
import { connect, createServer } from "node:net";

const is_session = (bytes) => /^\w+ \S*[?&]EIO=4/.test(bytes.toString("latin1"));
const is_upgrade = (bytes) => /\r\nupgrade: *websocket/i.test(bytes.toString("latin1"));

/** One client's connection and its twin towards the server. */
class Link {
  constructor(proxy, client) {
    this.proxy = proxy;
    this.client = client;
    this.server = connect(proxy.target, "127.0.0.1");
    this.isSocket = false;
    for (const end of [client, this.server]) {
      end.setNoDelay(true);
      end.on("error", () => {});
    }
    client.on("data", (bytes) => this.#carry(bytes, this.server, "up"));
    this.server.on("data", (bytes) => this.#carry(bytes, client, "down"));
    client.on("close", () => !this.dead && (this.server.destroy(), proxy.links.delete(this)));
    this.server.on("close", () => !this.dead && (client.destroy(), proxy.links.delete(this)));
  }

  #carry(bytes, to, direction) {
    const { proxy } = this;
    if (this.dead) return; // half-open: swallowed, and both ends believe in the other
    if (direction === "up" && !this.isSocket && this.#answer(bytes)) return;
    if (direction === "up" && !this.isSocket) {
      if (proxy.sessionsRefused && is_session(bytes)) return this.cut();
      this.isSocket = is_upgrade(bytes);
      if (proxy.upgradesRefused && this.isSocket) return this.cut();
    }
    if (direction === "down" && this.#holds(bytes)) return;
    const fuse = this.isSocket && proxy.fuses[direction];
    if (fuse) {
      bytes = bytes.subarray(0, fuse.left);
      fuse.left -= bytes.length;
      if (fuse.left === 0) {
        proxy.fuses[direction] = null;
        to.write(bytes, () => this.cut());
        return fuse.blown();
      }
    }
    const deliver = () => this.#write(bytes, to);
    if (proxy.delay) setTimeout(deliver, proxy.delay);
    else deliver();
  }

  /** What stallAt() waits for, and everything behind it. */
  #holds(bytes) {
    const { stop } = this.proxy;
    if (!this.held && !(this.isSocket && stop && bytes.includes(stop.text))) return false;
    this.held = [...(this.held ?? []), bytes];
    stop?.reached();
    this.proxy.stop = null;
    return true;
  }

  /** A page of the test's own, at the origin of the server. */
  #answer(bytes) {
    const path = bytes.toString("latin1").match(/^GET (\S+) HTTP/)?.[1];
    const page = this.proxy.pages.get(path);
    if (!page) return false;
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${page.type}\r\ncontent-length: ${page.body.length}\r\n\r\n`;
    this.client.write(Buffer.concat([Buffer.from(head), page.body]));
    return true;
  }

  #write(bytes, to) {
    const size = this.proxy.sliceBytes || bytes.length;
    for (let at = 0; at < bytes.length; at += size) to.write(bytes.subarray(at, at + size));
  }

  cut() {
    this.client.destroy();
    this.server.destroy();
  }
  reset() {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }
  /** Nothing more arrives anywhere, nobody is told. */
  die() {
    this.dead = true;
  }
  pause() {
    this.client.pause();
    this.server.pause();
  }
  resume() {
    this.client.resume();
    this.server.resume();
    const held = this.held ?? [];
    this.held = null;
    for (const bytes of held) this.#carry(bytes, this.client, "down");
  }
}

export class Proxy {
  static async to(port) {
    const proxy = new Proxy(port);
    await new Promise((resolve) => proxy.listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  constructor(target) {
    this.target = target;
    this.links = new Set();
    this.fuses = { up: null, down: null };
    this.delay = 0; // milliseconds each way
    this.sliceBytes = 0; // write in pieces of this size
    this.refused = false; // every new connection
    this.sessionsRefused = false; // new WebSockets only: the page still loads
    this.pages = new Map(); // path → {type, body}: answered here instead of by the server
    this.listener = createServer((client) => {
      if (this.refused) return client.destroy();
      this.links.add(new Link(this, client));
    });
  }

  get url() {
    return `http://127.0.0.1:${this.listener.address().port}`;
  }
  #each(action) {
    for (const link of [...this.links]) action(link);
  }

  cut() {
    this.#each((link) => link.cut());
  }
  reset() {
    this.#each((link) => link.reset());
  }
  /** The WebSockets that are open now are dead without anybody noticing; new connections work. */
  halfOpen() {
    this.#each((link) => link.isSocket && link.die());
  }
  stall() {
    this.#each((link) => link.pause());
  }
  resume() {
    this.#each((link) => link.resume());
  }
  /** No way in, and what was open is cut. */
  takeDown() {
    this.refused = true;
    this.cut();
  }
  putUp() {
    this.refused = false;
    this.sessionsRefused = false;
    this.upgradesRefused = false;
  }
  /** The page loads, but has no way to talk to the server. */
  refuseSockets() {
    this.sessionsRefused = true;
    this.#each((link) => link.isSocket && link.cut());
  }
  /** WebSockets do not work here, as behind some old proxies. */
  refuseUpgrades() {
    this.upgradesRefused = true;
  }
  /** Cuts the WebSocket when `bytes` more have passed: "up" to the server, or "down". Resolves then. */
  cutAfter(bytes, direction) {
    return new Promise((blown) => (this.fuses[direction] = { left: bytes, blown }));
  }

  /** Stalls on the way to the page as soon as `text` is about to pass, until resume(). Resolves then. */
  stallAt(text) {
    return new Promise((reached) => (this.stop = { text, reached }));
  }

  async close() {
    this.#each((link) => link.cut());
    await new Promise((resolve) => this.listener.close(resolve));
  }
}

// Tier 2 spoken by hand over a raw WebSocket, after the text in shared/peer/capability.hpp: a second
// implementation, so that ours is not only ever tested against itself.
import { createHash, randomBytes } from "node:crypto";
import WebSocket from "ws";

export const token = () => randomBytes(16).toString("hex");

/** Any 64 bits that follow from the message do: the server only compares them. */
export const digestOf = (message) => createHash("sha256").update(JSON.stringify(message)).digest("hex").slice(0, 16);

/** One connection: handshake, CONNECT with the capability, then whatever is asked of it. */
export class DurableLink {
  constructor(url, { producer, secret, position, auth = {} }) {
    this.socket = new WebSocket(`${url.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
    this.capability = { version: 1, renumbered: true, producer, secret, ...(position && { position }) };
    this.auth = auth;
    this.onEvent = () => {}; // (name, ...args)
    this.questions = new Map(); // by number: who waits for the answer
    this.attached = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.closed = new Promise((done) => this.socket.on("close", done));
      this.socket.on("close", () => reject(new Error("closed before CONNECT was answered")));
      this.socket.on("error", reject);
    });
    this.attached.catch(() => {}); // who does not wait for it sees `closed`
    this.socket.on("message", (data) => this.#take(data.toString()));
  }

  #take(text) {
    if (text[0] === "0") this.socket.send(`40${JSON.stringify({ ...this.auth, oncewire: this.capability })}`);
    else if (text[0] === "2") this.socket.send("3");
    else if (text.startsWith("40")) this.resolve(JSON.parse(text.slice(2)));
    else if (text.startsWith("44")) this.socket.close();
    else if (text.startsWith("43")) this.questions.get(Number.parseInt(text.slice(2)))?.(JSON.parse(text.slice(text.indexOf("["))));
    else if (text.startsWith("42")) this.onEvent(...JSON.parse(text.slice(text.indexOf("["))));
  }

  submit(sequence, message, digest = digestOf(message)) {
    this.socket.send(`42${JSON.stringify(["oncewire:send", sequence, digest, message])}`);
  }

  /** An event without a promise; resolves with the arguments of its acknowledgement. */
  ask(...event) {
    const number = (this.asked = (this.asked ?? 0) + 1);
    this.socket.send(`42${number}${JSON.stringify(event)}`);
    return new Promise((resolve) => {
      this.questions.set(number, (answer) => (this.questions.delete(number), resolve(answer)));
    });
  }

  close() {
    this.socket.terminate();
  }
}

/** Keeps its messages until they have a verdict, over any number of connections; hears the log once and in order. */
export class DurableProducer {
  constructor(url, { auth = { serverOffset: 0 }, onVerdict = () => {}, onMessage = () => {} } = {}) {
    Object.assign(this, { url, auth, onVerdict, onMessage });
    this.identity = { producer: token(), secret: token() };
    this.gaps = []; // [from, to]: what is gone for good
    this.pending = []; // {sequence, message}, oldest first
    this.nextSequence = 1;
    this.nextToSend = 1;
    this.running = true;
    this.reconnects = 0;
    this.finished = this.#run();
  }

  push(message) {
    this.pending.push({ sequence: this.nextSequence, message });
    this.#pump();
    return this.nextSequence++;
  }

  /** When every message so far has its verdict. */
  settled() {
    if (this.pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => (this.onSettled = resolve));
  }

  async stop() {
    this.running = false;
    this.link?.close();
    await this.finished;
  }

  async #run() {
    while (this.running) {
      const link = new DurableLink(this.url, { ...this.identity, position: this.position, auth: this.auth });
      link.onEvent = (...event) => this.#hear(link, ...event);
      this.link = link;
      const answer = await link.attached.catch(() => null);
      if (answer?.oncewire) {
        this.reconnects++;
        this.position ??= answer.oncewire.position;
        this.window = answer.oncewire.window;
        this.nextToSend = this.pending[0]?.sequence ?? this.nextSequence; // all pending again, in order
        this.open = link;
        this.#pump();
        await link.closed;
        this.open = null;
      }
      link.close();
      if (this.running) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #pump() {
    if (!this.open || this.pending.length === 0) return;
    const end = Math.min(this.pending[0].sequence + this.window, this.nextSequence + 1);
    for (; this.nextToSend < end; this.nextToSend++) {
      const entry = this.pending[this.nextToSend - this.pending[0].sequence];
      if (!entry) break;
      this.open.submit(entry.sequence, entry.message);
    }
  }

  #hear(link, name, ...args) {
    if (link !== this.open && link !== this.link) return;
    if (name === "oncewire:verdicts") this.#settle(...args);
    else if (name === "oncewire:expect") this.#rewind(args[0]);
    else if (name === "oncewire:later") setTimeout(() => this.#rewind(this.pending[0]?.sequence), args[0]);
    else if (name === "oncewire:conflict") throw new Error(`conflict at ${args[0]}: this client never rolls back`);
    else if (name === "oncewire:gap") this.gaps.push(args);
    else {
      if (/^[\w-]+\.\d+$/.test(args.at(-1))) this.position = args.at(-1);
      this.onMessage(name, ...args);
    }
  }

  #settle(first, verdicts) {
    for (const [index, [kind, body]] of verdicts.entries()) {
      if (this.pending[0]?.sequence !== first + index) continue; // a repeat of what is settled already
      const { message } = this.pending.shift();
      this.onVerdict(message, kind === 0, body);
    }
    if (this.pending.length === 0) this.onSettled?.();
    this.#pump();
  }

  #rewind(sequence) {
    if (sequence === undefined) return;
    this.nextToSend = Math.max(sequence, this.pending[0]?.sequence ?? sequence);
    this.#pump();
  }
}

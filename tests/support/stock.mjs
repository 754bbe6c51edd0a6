// The unmodified socket.io-client of npm, and what tests want to know of it. STOCK_CLIENT chooses another
// version that package.json names.
const library = process.env.STOCK_CLIENT ?? "socket.io-client";
const { io } = await import(library);

/** The first of its kind, which knows neither retries nor timeouts. */
export const isOld = library !== "socket.io-client";

/** Connects over WebSocket, comes back quickly when the server does. */
export function stock(url, options = {}) {
  return io(url, {
    transports: ["websocket"],
    forceNew: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
    ...options,
  });
}

/** Rejects with `what` when `promise` takes longer than `ms`. */
export function within(promise, what, ms = 10_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function connected(socket) {
  if (socket.connected) return Promise.resolve();
  return within(new Promise((resolve) => socket.once("connect", resolve)), "connect");
}

/** Everything a socket hears as `chat message`, in order, and a way to wait for more of it. */
export class Transcript {
  constructor(socket) {
    this.messages = [];
    this.waiting = [];
    socket.on("chat message", (text, id) => {
      this.messages.push({ text, id });
      this.waiting = this.waiting.filter((waiter) => !waiter());
    });
  }

  get texts() {
    return this.messages.map((message) => message.text);
  }
  get ids() {
    return this.messages.map((message) => message.id);
  }

  /** Resolves as soon as `holds()` does; checked after each message. */
  until(holds, what = "expected messages") {
    if (holds()) return Promise.resolve();
    const waiter = (resolve) => () => holds() && (resolve(), true);
    const described = () => `${what} (heard ${this.messages.length}: ${this.texts.slice(-5).join(", ")})`;
    return within(new Promise((resolve) => this.waiting.push(waiter(resolve))), described(), 20_000);
  }
  heard(text) {
    return this.until(() => this.texts.includes(text), `“${text}”`);
  }
  count(n) {
    return this.until(() => this.messages.length >= n, `${n} messages`);
  }
}

/** Resolves with the first argument of the answer to this event. */
export function ask(socket, event, ...args) {
  return within(new Promise((resolve) => socket.emit(event, ...args, resolve)), `answer to “${event}”`);
}

/** Sends one message and resolves with what its acknowledgement carried; no argument means stored. */
export function say(socket, text, clientOffset) {
  const args = clientOffset === undefined ? [text] : [text, clientOffset];
  return within(
    new Promise((resolve) => socket.emit("chat message", ...args, (...answer) => resolve(answer))),
    `acknowledgement of “${text}”`,
  );
}

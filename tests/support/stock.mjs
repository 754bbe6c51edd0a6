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

/** For what must happen: longer than any machine stands still, so that only what never happens is late. */
const patience = 30_000;

/** Rejects with `what`, a text or a function that makes it, when `promise` takes longer than `ms`. */
export function within(promise, what, ms = patience) {
  let timer;
  const words = () => (typeof what === "function" ? what() : what);
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${words()}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks `holds` again and again until it does: for what tells nobody that it happened. */
export async function until(holds, what, ms = patience) {
  for (const deadline = Date.now() + ms; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
  }
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
    return within(new Promise((resolve) => this.waiting.push(waiter(resolve))), described);
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

// Whether the link still carries anything. A link that is dead on one side only says nothing for as long as the
// heartbeat takes; somebody who has just sent a message is told after a few seconds, and gets a new link.

import { ask } from "./session.js";

const slowAfter = 4000; // ms without an answer to a message that was sent
const deadAfter = 6000; // ms more without an answer to anything

export class Pulse {
  /** Slow, or not any more. */
  onChange = () => {};

  isSlow = false;
  #socket;
  #sent = new Map(); // id of an entry → timer

  constructor(socket) {
    this.#socket = socket;
    socket.outbox.on("change", ({ id, state }) => (state === "sent" ? this.#expect(id) : this.#answered(id)));
    socket.on("disconnect", () => this.#calm());
    socket.on("connect", () => this.#calm());
  }

  #expect(id) {
    if (!this.#sent.has(id)) this.#sent.set(id, setTimeout(() => this.#doubt(), slowAfter));
  }

  #answered(id) {
    clearTimeout(this.#sent.get(id));
    if (this.#sent.delete(id)) this.#say(false);
  }

  #calm() {
    for (const timer of this.#sent.values()) clearTimeout(timer);
    this.#sent.clear();
    this.#say(false);
  }

  #say(isSlow) {
    if (this.isSlow === isSlow) return;
    this.isSlow = isSlow;
    this.onChange();
  }

  /** Asks for a sign of life; without one the link is given up, and the client makes another. */
  async #doubt() {
    if (this.isSlow || !this.#socket.connected) return;
    this.#say(true);
    const { engine } = this.#socket.io;
    const isDead = await Promise.race([
      ask(this.#socket, "echo", 0).then(() => false, () => true),
      new Promise((resolve) => setTimeout(resolve, deadAfter, true)),
    ]);
    if (!isDead) this.#say(false);
    else if (this.isSlow && this.#socket.io.engine === engine) engine.close();
  }
}

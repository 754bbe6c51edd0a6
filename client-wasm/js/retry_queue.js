// The option `retries` of socket.io-client: one emit in flight, sent again until it is acknowledged or
// has been tried retries + 1 times. At least once: the server has to drop repeats.

import { DeliveryError } from "./errors.js";

export class RetryQueue {
  #retries;
  #isConnected;
  #send;
  /** Oldest first. */
  waiting = [];

  /** `send(args, flags)` emits once, with an error-first callback as last argument. */
  constructor({ retries, isConnected, send }) {
    this.#retries = retries;
    this.#isConnected = isConnected;
    this.#send = send;
  }

  add(args, flags, ack) {
    this.waiting.push({ args, flags, ack, tries: 0, pending: false });
  }

  /** Sends the head, unless it is on its way; `again`: even then, because the link is a new one. */
  drain({ again = false } = {}) {
    const head = this.waiting[0];
    if (!head || (head.pending && !again) || !this.#isConnected()) return;
    head.pending = true;
    const attempt = ++head.tries;
    const answer = (error, ...results) => {
      if (head !== this.waiting[0] || attempt !== head.tries) return; // of an earlier try
      head.pending = false;
      this.#answered(head, error, results);
    };
    this.#send([...head.args, answer], head.flags);
  }

  #answered(head, error, results) {
    if (!error) {
      this.waiting.shift();
      head.ack?.(null, ...results);
    } else if (head.tries > this.#retries || error instanceof DeliveryError) {
      this.waiting.shift();
      head.ack?.(error);
    }
    this.drain();
  }
}

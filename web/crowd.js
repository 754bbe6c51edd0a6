// How many people are in the room that is shown. The server is asked when it is shown, when people have come or
// gone, and every few seconds while somebody looks: not more often than a reader would notice.

import { isPrivate, mainPlace } from "./places.js";
import { ask } from "./session.js";

const pause = 3000; // ms between two questions
const often = 10_000; // ms until somebody may have gone to another room, which nobody tells

export class Crowd {
  /** The number for the room that is shown is another. */
  onChange = () => {};

  #socket;
  #place;
  #count;
  #askedAt = -Infinity;
  #timer;
  #again; // timer

  constructor(socket) {
    this.#socket = socket;
    socket.on("disconnect", () => (this.#count = undefined));
  }

  /** None while it is not known. */
  countIn(place) {
    return place === this.#place ? this.#count : undefined;
  }

  show(place) {
    this.#place = place;
    this.#count = undefined;
    this.#askedAt = -Infinity;
    this.look();
  }

  /** People have come or gone. */
  look() {
    if (this.#place === mainPlace || isPrivate(this.#place) || this.#timer || !this.#socket.connected) return;
    const wait = Math.max(this.#askedAt + pause - performance.now(), 0);
    this.#timer = setTimeout(() => this.#ask(this.#place), wait);
  }

  #lookAgain() {
    if (document.hidden) this.#again = setTimeout(() => this.#lookAgain(), often);
    else this.look();
  }

  async #ask(place) {
    this.#timer = undefined;
    this.#askedAt = performance.now();
    clearTimeout(this.#again);
    // A network has one allowance for all its people: the more there are, the less each of them asks.
    this.#again = setTimeout(() => this.#lookAgain(), often * Math.max((this.#count ?? 0) / 20, 1));
    const answer = await ask(this.#socket, "who", place).catch(() => undefined);
    if (place !== this.#place) return this.look();
    if (!answer || answer.count === this.#count) return;
    this.#count = answer.count;
    this.onChange();
  }
}

// Counts for one side what became of its messages, from what its page and its server say. It knows neither clients nor
// faults, so both sides are measured by the same rule:
//
//   sent          the page took the key press
//   waiting       sent, not on the screen yet, and nobody can say that it will never be
//   lost          sent, and no page holds it any more, and it is not on the screen of a page that had time to hear all;
//                 at the end: not in the server's log, or not on the screen
//   twice         shown twice by one page, or twice in the log
//   out of order  shown by one page after a later one
//
// A message that turns up after all is not lost any more.

/** A page that is connected for so long has heard what it missed. In milliseconds. */
const timeToHear = 4000;

export class Judge {
  #messages = new Map(); // number → {state, isHeld}
  #screen = new Set();
  #newest = 0; // on the screen
  #twice = new Set();
  #disorder = new Set();
  #linkedAt = null;
  #log = null;

  /** `event`: {kind, at} with what belongs to its kind; `at` in milliseconds, of any clock that only grows. */
  hear(event) {
    this[`on_${event.kind}`]?.(event);
  }

  on_press({ n }) {
    this.#messages.set(n, { state: "pressed", isHeld: true });
    this.#log = null;
  }

  /** A page began. What the one before it held, it holds only if it says so. */
  on_page() {
    this.#screen.clear();
    this.#newest = 0;
    this.#linkedAt = null;
    for (const message of this.#messages.values()) message.isHeld = false;
  }

  on_link({ up, at }) {
    this.#linkedAt = up ? at : null;
  }

  on_state({ n, state }) {
    const message = this.#messages.get(n);
    if (!message) return;
    message.state = state;
    message.isHeld = state !== "stored" && state !== "dropped";
  }

  on_shown({ n }) {
    if (this.#screen.has(n)) this.#twice.add(n);
    else if (n < this.#newest) this.#disorder.add(n);
    this.#screen.add(n);
    this.#newest = Math.max(this.#newest, n);
  }

  /** The end: everything has healed and settled, and this is what the server has, in its order. */
  on_log({ numbers }) {
    this.#log = new Set();
    for (const n of numbers) {
      if (this.#log.has(n)) this.#twice.add(n);
      this.#log.add(n);
    }
  }

  isShown(n) {
    return this.#screen.has(n);
  }
  /** Whether a page still tries to deliver something. */
  get isBusy() {
    return [...this.#messages.values()].some(({ isHeld }) => isHeld);
  }
  get isCounted() {
    return this.#log !== null;
  }

  isLost(n, now) {
    if (this.#log) return !this.#log.has(n) || !this.#screen.has(n);
    if (this.#screen.has(n) || this.#messages.get(n).isHeld) return false;
    return this.#linkedAt !== null && now - this.#linkedAt >= timeToHear && this.#messages.get(n).state !== "stored";
  }

  /** What the counters show at the time `now`. */
  count(now) {
    const all = [...this.#messages.keys()];
    const lost = all.filter((n) => this.isLost(n, now));
    const waiting = all.filter((n) => !this.#screen.has(n)).length - lost.filter((n) => !this.#screen.has(n)).length;
    return { sent: all.length, lost: lost.length, twice: this.#twice.size, disorder: this.#disorder.size, waiting };
  }

  wasTwice(n) {
    return this.#twice.has(n);
  }
}

// Keeps the newest message in view while the person is there, and leaves the view alone while they read.

import { words } from "./words.js";

const near = 80; // px from the end that still count as "there"

export class Scroll {
  #scroller;
  #jump;
  #isAtEnd = true;
  #unseen = 0;

  constructor({ scroller, log, jump }) {
    this.#scroller = scroller;
    this.#jump = jump;
    scroller.addEventListener("scroll", () => this.#moved(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    // Sizes change without scrolling, too: an opened keyboard, a taller composer, a line that wraps anew.
    const sizes = new ResizeObserver(() => this.#isAtEnd && this.toEnd());
    sizes.observe(scroller);
    sizes.observe(log);
  }

  /** Runs `change`, which returns how many messages are new; `always`: the person just wrote one. */
  follow(change, always = false) {
    this.#unseen += change();
    if (this.#isAtEnd || always) this.toEnd();
    else this.#label();
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#unseen = 0;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#label();
  }

  #moved() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < near;
    if (this.#isAtEnd) this.#unseen = 0;
    this.#label();
  }

  #label() {
    this.#jump.hidden = this.#isAtEnd;
    const text = words.jump(this.#unseen);
    if (this.#jump.textContent !== text) this.#jump.textContent = text;
  }
}

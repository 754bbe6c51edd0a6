// Keeps the newest in view while the person is there, and leaves the view alone while they read.

import { words } from "./words.js";

const near = 80; // px from the end that still count as "there"

export class Scroll {
  /** Called when the person has come near the beginning or is at the end. */
  onNearStart = () => {};
  onEnd = () => {};

  #scroller;
  #jump;
  #log;
  #isAtEnd = true;
  #unseen = 0;
  #places = new WeakMap(); // log → where it was left, and what had come since
  #sizes = new ResizeObserver(() => this.#isAtEnd && this.toEnd());

  constructor({ scroller, jump }) {
    this.#scroller = scroller;
    this.#jump = jump;
    scroller.addEventListener("scroll", () => this.#moved(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    // Sizes change without scrolling, too: an opened keyboard, a taller composer, a line that wraps anew.
    this.#sizes.observe(scroller);
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  /** Shows another log, where it was left. */
  show(log) {
    if (this.#log) {
      this.#places.set(this.#log, { top: this.#scroller.scrollTop, isAtEnd: this.#isAtEnd, unseen: this.#unseen });
      this.#sizes.unobserve(this.#log);
    }
    this.#log = log;
    const { top = 0, isAtEnd = true, unseen = 0 } = this.#places.get(log) ?? {};
    this.#isAtEnd = isAtEnd;
    this.#unseen = unseen;
    this.#sizes.observe(log);
    if (isAtEnd) this.toEnd();
    else this.#scroller.scrollTop = top;
    this.#label();
  }

  /** Runs `change` on `log`; it returns how many messages are new. `always`: the person just wrote one. */
  follow(log, change, always = false) {
    if (log !== this.#log) return void change();
    this.#unseen += change();
    if (this.#isAtEnd || always) this.toEnd();
    else this.#label();
  }

  /** Runs `change`, which adds something above, without moving what is being read. */
  keep(change) {
    // At the very top browsers do not anchor; and some never do.
    const anchor = this.#firstInView();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (this.#isAtEnd) return this.toEnd();
    const moved = anchor && anchor.getBoundingClientRect().top - before;
    if (moved) this.#scroller.scrollTop += moved;
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#unseen = 0;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#label();
    this.onEnd();
  }

  /** Brings `node` into view; the newest is no longer followed if that is elsewhere. */
  toNode(node, block = "center") {
    node.scrollIntoView({ block });
    this.#moved();
  }

  #firstInView() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const chunk of this.#log.children) {
      if (chunk.getBoundingClientRect().bottom <= top) continue;
      for (const node of chunk.children) {
        if (node.dataset.id && node.getBoundingClientRect().bottom > top) return node;
      }
    }
    return undefined;
  }

  #moved() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < near;
    if (this.#isAtEnd) {
      this.#unseen = 0;
      this.onEnd();
    }
    if (scrollTop < 2 * clientHeight) this.onNearStart();
    this.#label();
  }

  #label() {
    this.#jump.hidden = this.#isAtEnd;
    const text = words.jump(this.#unseen);
    if (this.#jump.textContent !== text) this.#jump.textContent = text;
  }
}

// What can be done with one message: a small bar beside the one that is pointed at or focused. One for
// all messages; the arrow keys go from message to message.

import { words } from "./words.js";

export class Actions {
  /** `list(view)`: what can be done, as [label, function] pairs. */
  #list;
  #bar;
  #scroller;
  #view;
  #timelineOf;
  // What can be done changes with the message: most of it when the server has it.
  #changes = new MutationObserver(() => this.#offer());

  constructor({ bar, scroller, timelineOf, list }) {
    Object.assign(bar, { hidden: true });
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", words.actions);
    this.#bar = bar;
    this.#scroller = scroller;
    this.#timelineOf = timelineOf;
    this.#list = list;
    scroller.addEventListener("pointerover", (event) => this.#point(event.target));
    scroller.addEventListener("focusin", (event) => this.#point(event.target));
    scroller.addEventListener("scroll", () => this.#follow(), { passive: true });
    scroller.parentElement.addEventListener("pointerleave", () => this.hide());
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    bar.addEventListener("keydown", (event) => this.#pressedInBar(event));
  }

  hide() {
    if (!this.#bar.contains(this.#bar.getRootNode().activeElement)) this.#drop();
  }

  #drop() {
    this.#changes.disconnect();
    this.#bar.hidden = true;
    this.#view = undefined;
  }

  #point(target) {
    const node = target.closest?.(".message");
    const view = node && this.#timelineOf().viewOf(node);
    if (!view || view === this.#view || this.#bar.contains(this.#bar.getRootNode().activeElement)) return;
    this.#view = view;
    this.#changes.disconnect();
    this.#changes.observe(node, { attributeFilter: ["data-state", "data-gone"] });
    this.#offer();
  }

  #offer() {
    const offers = this.#list(this.#view);
    const hadFocus = this.#bar.contains(this.#bar.getRootNode().activeElement);
    this.#bar.replaceChildren(...offers.map((offer) => this.#button(offer)));
    this.#bar.hidden = offers.length === 0;
    if (offers.length > 0) this.#put(this.#view.node);
    if (hadFocus) (this.#bar.querySelector("button") ?? this.#view.node).focus();
  }

  /** The bar stays with its message, for as long as that is in view. */
  #follow() {
    if (this.#bar.hidden) return;
    const edge = this.#scroller.getBoundingClientRect();
    const { top, bottom } = this.#view.node.getBoundingClientRect();
    if (bottom < edge.top || top > edge.bottom) this.hide();
    else this.#put(this.#view.node);
  }

  #put(node) {
    const body = node.querySelector(".text").getBoundingClientRect();
    const frame = this.#bar.parentElement.getBoundingClientRect();
    // Never over the head of the page, however far up its message has gone.
    const highest = this.#scroller.getBoundingClientRect().top + 4;
    const top = Math.max(body.top - this.#bar.offsetHeight + 6, highest) - frame.top;
    const isRight = body.left + body.width / 2 > frame.left + frame.width / 2;
    const left = isRight ? body.right - frame.left - this.#bar.offsetWidth : body.left - frame.left;
    this.#bar.style.top = `${top}px`;
    this.#bar.style.left = `${Math.max(left, 8)}px`;
  }

  #button([label, act]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      this.#drop();
      act();
    });
    return button;
  }

  #pressed(event) {
    const node = event.target.closest(".message");
    const nodes = () => [...this.#scroller.querySelectorAll(".message")];
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && (node || event.target === this.#scroller)) {
      event.preventDefault();
      const all = nodes();
      const next = node ? all[all.indexOf(node) + step] : all.at(-1);
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    } else if (node && event.key === "Enter" && !event.target.closest("a")) {
      event.preventDefault();
      this.#point(node);
      this.#bar.querySelector("button")?.focus();
    } else if (node && event.key === "Escape") {
      this.#scroller.focus();
    }
  }

  #pressedInBar(event) {
    const all = [...this.#bar.querySelectorAll("button")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) all[(all.indexOf(this.#bar.getRootNode().activeElement) + step + all.length) % all.length].focus();
    if (event.key !== "Escape") return;
    const node = this.#view?.node;
    this.#drop();
    node?.focus();
  }
}

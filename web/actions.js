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
    scroller.addEventListener("scroll", () => this.hide(), { passive: true });
    scroller.parentElement.addEventListener("pointerleave", () => this.hide());
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    bar.addEventListener("keydown", (event) => this.#pressedInBar(event));
  }

  hide() {
    if (this.#bar.contains(document.activeElement)) return;
    this.#bar.hidden = true;
    this.#view = undefined;
  }

  #point(target) {
    const node = target.closest?.(".message");
    const view = node && this.#timelineOf().viewOf(node);
    if (!view || view === this.#view || this.#bar.contains(document.activeElement)) return;
    const offers = this.#list(view);
    this.#bar.replaceChildren(...offers.map((offer) => this.#button(offer)));
    this.#bar.hidden = offers.length === 0;
    this.#view = view;
    if (offers.length > 0) this.#put(node);
  }

  #put(node) {
    const body = node.querySelector(".text").getBoundingClientRect();
    const frame = this.#bar.parentElement.getBoundingClientRect();
    const top = Math.max(body.top - frame.top - this.#bar.offsetHeight + 6, 4);
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
      this.#bar.hidden = true;
      this.#view = undefined;
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
      this.#bar.querySelector("button")?.focus();
    } else if (node && event.key === "Escape") {
      this.#scroller.focus();
    }
  }

  #pressedInBar(event) {
    const all = [...this.#bar.querySelectorAll("button")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
    if (event.key !== "Escape") return;
    const node = this.#view?.node;
    this.#bar.hidden = true;
    this.#view = undefined;
    node?.focus();
  }
}

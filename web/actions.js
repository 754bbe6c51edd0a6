// What can be done with one message: a small bar beside the one that is pointed at or focused; a sheet from
// below for a finger that stays on it. One for all messages; the arrow keys go from message to message.

import { words } from "./words.js";

const longPress = 500; // ms a finger stays before the sheet opens
const wandering = 10; // px it may move meanwhile: more is scrolling

export class Actions {
  /** `list(view)`: what can be done, as [label, function] pairs. */
  #list;
  #bar;
  #sheet;
  #scroller;
  #view;
  #timelineOf;
  #finger; // {x, y, timer} of the touch that may become a long press
  #isHeld = false; // by the finger that opened the sheet
  // What can be done changes with the message: most of it when the server has it.
  #changes = new MutationObserver(() => this.#offer());

  constructor({ bar, sheet, scroller, timelineOf, list }) {
    Object.assign(bar, { hidden: true });
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", words.actions);
    this.#bar = bar;
    this.#sheet = sheet;
    this.#scroller = scroller;
    this.#timelineOf = timelineOf;
    this.#list = list;
    scroller.addEventListener("pointerover", (event) => isTouch(event) || this.#point(event.target));
    scroller.addEventListener("focusin", (event) => this.#finger || this.#point(event.target));
    scroller.addEventListener("scroll", () => this.#follow(), { passive: true });
    // A finger that is lifted has left the page, too, and yet its owner is still there.
    scroller.parentElement.addEventListener("pointerleave", (event) => isTouch(event) || this.hide());
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    bar.addEventListener("keydown", (event) => this.#pressedInBar(event));
    this.#hearFingers();
  }

  hide() {
    if (!this.#bar.contains(this.#bar.getRootNode().activeElement)) this.#drop();
  }

  #drop() {
    this.#changes.disconnect();
    this.#bar.hidden = true;
    this.#view = undefined;
  }

  #viewAt(target) {
    const node = target.closest?.(".message");
    return node && this.#timelineOf().viewOf(node);
  }

  #point(target) {
    const view = this.#viewAt(target);
    if (!view || view === this.#view || this.#bar.contains(this.#bar.getRootNode().activeElement)) return;
    this.#view = view;
    this.#changes.disconnect();
    this.#changes.observe(view.node, { attributeFilter: ["data-state", "data-gone"] });
    this.#offer();
  }

  #offer() {
    const offers = this.#list(this.#view);
    const hadFocus = this.#bar.contains(this.#bar.getRootNode().activeElement);
    this.#bar.replaceChildren(...offers.map((offer) => this.#button(offer, this.#view)));
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

  #button([label, act], view) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      if (this.#isHeld) return;
      const next = nextOf(view.node);
      this.#sheet.close();
      this.#drop();
      act();
      this.#giveFocusBack(view.node, next);
    });
    return button;
  }

  /** To where the person was, unless what they did has put it elsewhere. */
  #giveFocusBack(node, next) {
    const root = this.#bar.getRootNode();
    const { activeElement } = root;
    const wasHere = this.#bar.contains(activeElement) || this.#sheet.contains(activeElement); // and is hidden by now
    if (activeElement && activeElement !== root.body && !wasHere) return;
    const target = [node, next].find((each) => each?.isConnected) ?? this.#scroller;
    target.focus({ preventScroll: true });
    this.#drop(); // the focus alone would offer the same again
  }

  // ---- fingers ------------------------------------------------------------------------------------

  #hearFingers() {
    const scroller = this.#scroller;
    scroller.addEventListener("pointerdown", (event) => isTouch(event) && event.isPrimary && this.#touched(event));
    scroller.addEventListener("pointermove", ({ clientX, clientY }) => {
      const { x, y } = this.#finger ?? {};
      if (Math.hypot(clientX - x, clientY - y) > wandering) this.#lifted();
    });
    for (const type of ["pointerup", "pointercancel"]) scroller.addEventListener(type, () => this.#lifted());
    // The system's own menu for a long press would cover the sheet.
    scroller.addEventListener("contextmenu", (event) => isTouch(event) && this.#viewAt(event.target) && event.preventDefault());
    this.#sheet.addEventListener("click", ({ target }) => target === this.#sheet && !this.#isHeld && this.#sheet.close());
  }

  #touched({ target, clientX: x, clientY: y }) {
    this.#lifted();
    const view = this.#viewAt(target);
    if (!view || target.closest("a")) return;
    this.#finger = { x, y, timer: setTimeout(() => this.#open(view), longPress) };
  }

  #lifted() {
    clearTimeout(this.#finger?.timer);
    this.#finger = undefined;
  }

  #open(view) {
    const offers = this.#list(view);
    if (offers.length === 0) return;
    this.#drop();
    const buttons = offers.map((offer) => this.#button(offer, view));
    const close = this.#button([words.cancel, () => {}], view);
    this.#sheet.replaceChildren(...buttons, close);
    // The finger is still down, and where it is lifted is no choice: the next touch or key is.
    this.#isHeld = true;
    const arm = () => (this.#isHeld = false);
    for (const type of ["pointerdown", "keydown"]) this.#sheet.addEventListener(type, arm, { once: true, capture: true });
    this.#sheet.showModal();
    navigator.vibrate?.(10);
  }

  // ---- keys ---------------------------------------------------------------------------------------

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
    } else if (node && event.key === "Enter" && !event.target.closest("a, button")) {
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

const isTouch = ({ pointerType }) => pointerType === "touch";

/** The message after this one, or before it if it is the last. */
function nextOf(node) {
  const all = [...(node.closest(".log")?.querySelectorAll(".message") ?? [])];
  const index = all.indexOf(node);
  return all[index + 1] ?? all[index - 1];
}

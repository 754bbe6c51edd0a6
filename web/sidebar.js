// The list of rooms and people: beside the conversation where there is room, over it on a phone.

import { isPrivate, mainPlace, personOf } from "./places.js";
import { hueOf } from "./names.js";
import { words } from "./words.js";

export class Sidebar {
  /** Somebody wants to see a place. */
  onChoose = () => {};
  /** Somebody wants a new room of this name. */
  onCreate = () => {};

  #parts;
  #places;
  #people;
  #known; // rooms that somebody opened
  #items = new Map(); // place → its line, which stays: whoever is pressing it presses nothing else
  #isScheduled = false;

  constructor(parts, places, people, known) {
    this.#parts = parts;
    this.#places = places;
    this.#people = people;
    this.#known = known;
    const { aside, open, create, name } = parts;
    aside.addEventListener("focusin", ({ target }) => target.dataset.place && this.#keepStop(target));
    open.addEventListener("click", () => this.toggle(true));
    parts.close.addEventListener("click", () => this.toggle(false));
    parts.veil.addEventListener("click", () => this.toggle(false));
    aside.addEventListener("keydown", (event) => this.#pressed(event));
    const make = () => {
      if (name.value.trim()) this.onCreate(name.value.trim());
      name.value = "";
    };
    create.addEventListener("click", make);
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // it would press the button that gets the focus
      make();
    });
  }

  /** On a narrow screen: over the conversation, or away. */
  toggle(isOpen) {
    const { app, aside, open, main } = this.#parts;
    const isOver = getComputedStyle(open).display !== "none";
    app.toggleAttribute("data-places", isOpen && isOver);
    main.inert = isOpen && isOver;
    open.setAttribute("aria-expanded", String(isOpen && isOver));
    if (!isOver) return;
    if (isOpen) (aside.querySelector("[aria-current]") ?? aside.querySelector("button")).focus();
    else open.focus();
  }

  /** Draws the list again with the next frame. */
  refresh() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => {
      this.#isScheduled = false;
      this.#draw();
    }, 50);
  }

  #draw() {
    const { rooms, people, nobody, badge } = this.#parts;
    const { activeElement } = this.#parts.aside.getRootNode();
    const inside = this.#parts.aside.contains(activeElement) && activeElement.dataset.place;
    const ids = this.#places.all.map(({ id }) => id);
    const roomIds = new Set([mainPlace, ...ids.filter((id) => !isPrivate(id)), ...this.#known]);
    const talks = ids.filter((id) => isPrivate(id) && this.#places.get(id).timeline.size > 0);
    const personIds = new Set([...talks, ...this.#people.others.map((id) => `user/${id}`)]);
    this.#arrange(rooms, [...roomIds].sort(byName));
    this.#arrange(people, [...personIds]);
    for (const [id, { item }] of this.#items) if (!item.isConnected) this.#items.delete(id);
    nobody.hidden = personIds.size > 0;
    nobody.textContent = this.#people.isKnown ? words.noOthers : words.othersUnknown;
    const { unread } = this.#places;
    badge.hidden = unread === 0;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    if (inside) this.#parts.aside.querySelector(`[data-place="${CSS.escape(inside)}"]`)?.focus();
  }

  #arrange(list, ids) {
    for (const [index, id] of ids.entries()) {
      const { item } = this.#shown(id);
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    }
    while (list.children.length > ids.length) list.lastElementChild.remove();
    if (!list.querySelector('[tabindex="0"]')) this.#keepStop(list.querySelector("[aria-current]") ?? list.querySelector("button"));
  }

  /** Of each list one line is reached by Tab: the last that had the focus, or the place that is shown. */
  #keepStop(button) {
    for (const each of button?.closest("ul").querySelectorAll("button") ?? []) each.tabIndex = each === button ? 0 : -1;
  }

  /** The line of a place, as it is now. */
  #shown(id) {
    if (!this.#items.has(id)) this.#items.set(id, this.#make(id));
    const line = this.#items.get(id);
    const { button, mark, name, count } = line;
    const unread = this.#places.find(id)?.unread ?? 0;
    if (isPrivate(id)) mark.toggleAttribute("data-here", this.#people.isHere(personOf(id)));
    name.textContent = this.#places.nameOf(id);
    count.textContent = String(unread);
    count.hidden = unread === 0;
    if (id === this.#places.current?.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    button.setAttribute("aria-label", words.unreadIn(name.textContent, unread));
    return line;
  }

  #make(id) {
    const [item, button, mark, name, count] = ["li", "button", "span", "bdi", "span"].map((tag) => document.createElement(tag));
    button.type = "button";
    button.className = "place";
    button.dataset.place = id;
    button.tabIndex = -1;
    button.addEventListener("click", () => {
      this.onChoose(id);
      this.toggle(false);
    });
    mark.setAttribute("aria-hidden", "true");
    mark.className = isPrivate(id) ? "dot" : "hash";
    if (isPrivate(id)) mark.dataset.hue = hueOf(personOf(id));
    else mark.textContent = id === mainPlace ? "∗" : "#";
    count.className = "count";
    button.append(mark, name, count);
    item.append(button);
    return { item, button, mark, name, count };
  }

  // The arrows go from place to place.
  #pressed(event) {
    if (event.key === "Escape") return this.toggle(false);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.classList?.contains("place")) return;
    event.preventDefault();
    const all = [...this.#parts.aside.querySelectorAll(".place")];
    all[(all.indexOf(event.target) + step + all.length) % all.length].focus();
  }
}

/** Everybody first, then by name: the same order for all. */
const collator = new Intl.Collator("en", { numeric: true });
const byName = (a, b) => (b === mainPlace) - (a === mainPlace) || collator.compare(a, b) || (a < b ? -1 : 1);

// Search in what was said in the place that is shown. The server looks; what was changed since is not
// shown as it was.

import { dayName, timeOf } from "./dates.js";
import { me } from "./me.js";
import { nameOf } from "./names.js";
import { isPrivate, mainPlace, personOf } from "./places.js";
import { ask } from "./session.js";
import { words } from "./words.js";

const eager = 5; // answers without a hit before somebody is asked whether to look further back

export class Search {
  /** Somebody wants to see the message with this id. */
  onChoose = () => {};

  #socket;
  #parts;
  #place;
  #before = null;
  #edited = new Set();
  #found = 0;
  #run = 0;

  constructor(socket, parts) {
    this.#socket = socket;
    this.#parts = parts;
    const { open, close, field, more, panel } = parts;
    open.addEventListener("click", () => this.toggle(panel.hidden));
    close.addEventListener("click", () => this.toggle(false));
    more.addEventListener("click", () => this.#look(++this.#run));
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.toggle(false));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) this.#begin();
    });
  }

  /** Another place is shown. */
  show(place) {
    this.#place = place;
    this.#clear();
  }

  /** Message `id` was changed or taken back: what was found of it is not what it says. */
  forget(id) {
    this.#edited.add(id);
    for (const item of this.#parts.results.querySelectorAll(`[data-id="${Number(id)}"]`)) item.remove();
  }

  toggle(isOpen) {
    const { panel, open, field } = this.#parts;
    panel.hidden = !isOpen;
    open.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) field.focus();
    else open.focus();
  }

  #clear() {
    const { results, note, more } = this.#parts;
    results.replaceChildren();
    note.textContent = "";
    more.hidden = true;
    this.#before = null;
    this.#edited.clear();
    this.#found = 0;
  }

  #begin() {
    this.#clear();
    if (this.#parts.field.value.trim()) this.#look(++this.#run);
  }

  async #look(run, answers = 1) {
    const { field, note, more } = this.#parts;
    const source = isPrivate(this.#place) ? "inbox" : this.#place;
    try {
      const { entries, edited, before } = await ask(this.#socket, "search", source, field.value.trim(), this.#before);
      if (run !== this.#run) return;
      this.#before = before;
      more.hidden = before === null;
      this.#show(entries, edited);
      if (this.#found === 0 && before !== null && answers < eager) return this.#look(run, answers + 1);
      note.textContent = this.#found ? words.searchFound(this.#found) : before === null ? words.searchNothing : "";
    } catch ({ code }) {
      if (run === this.#run) note.textContent = words.slow[code] ?? words.searchOffline;
    }
  }

  #show(entries, edited) {
    for (const [, [event, ...args]] of entries) {
      const post = event === "chat message" ? { text: args[0], id: args[1], ...args[2], place: mainPlace } : args[0];
      if (event !== "edit" && this.#edited.has(post.id)) continue;
      if (!this.#isHere(post)) continue;
      // A change that is found stands for its message, the newest for all.
      if (event === "edit" && this.#edited.has(post.id)) continue;
      if (event === "edit") this.#edited.add(post.id);
      this.#parts.results.append(this.#item(post));
      ++this.#found;
    }
    for (const id of edited) this.#edited.add(id);
  }

  #isHere({ place, from, to = place }) {
    if (!isPrivate(this.#place)) return true;
    const other = personOf(this.#place);
    return to === this.#place ? from === me.id || from === other : from === other;
  }

  #item({ text, id, from, name, key, at }) {
    const item = document.createElement("li");
    item.dataset.id = id;
    const button = document.createElement("button");
    button.type = "button";
    const who = document.createElement("b");
    who.textContent = from === me.id ? words.you : nameOf({ id: from, name, key });
    const when = document.createElement("time");
    when.textContent = `${dayName(at)}, ${timeOf(at)}`;
    const what = document.createElement("span");
    what.dir = "auto";
    markIn(what, text, this.#parts.field.value.trim());
    button.append(who, when, what);
    button.addEventListener("click", () => this.onChoose(id));
    item.append(button);
    return item;
  }
}

/** The text with what was searched for marked in it; letters of A to Z count alike, as on the server. */
function markIn(parent, text, needle) {
  const fold = (each) => each.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const [inside, wanted] = [fold(text), fold(needle)];
  let end = 0;
  for (let at = inside.indexOf(wanted); at >= 0 && wanted; at = inside.indexOf(wanted, end)) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + wanted.length);
    parent.append(text.slice(end, at), mark);
    end = at + wanted.length;
  }
  parent.append(text.slice(end));
}

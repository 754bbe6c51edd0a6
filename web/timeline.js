// The list of messages: confirmed ones in the order of their ids, then those still on their way. Every
// message is one element, from the key press on: confirmation changes it, and never adds another.

import { appendText } from "./links.js";
import { isOwn } from "./own.js";
import { words } from "./words.js";

const patience = 5000; // ms a message waits before its label says why
const chunkLength = 64; // messages that are laid out together; a new one disturbs only its own chunk

export class Timeline {
  #log;
  #follow; // keeps the newest in view if it was
  #inbox = []; // received, not yet shown: shown together, once a frame
  #isScheduled = false;
  #shown = []; // confirmed: { id, node }, ascending
  #byId = new Map(); // id → node
  #byKey = new Map(); // "producer:sequence" → node
  #byEntry = new Map(); // OutboxEntry.id → node
  #facts = new WeakMap(); // node → { author, at }
  #isOffline = false;

  /** Called with a rejected entry's text when the person wants to edit it. */
  onEdit = () => {};

  constructor(log, follow) {
    this.#log = log;
    this.#follow = follow;
  }

  /** A message from the server's log. `meta` is what the server adds: its key, when it was stored. */
  receive(text, id, meta) {
    this.#inbox.push({ text: String(text), id, key: meta?.key, at: meta?.at ?? Date.now() });
    this.#schedule();
  }

  /** A message of ours changed, or is new. Shown at once. */
  showEntry(entry) {
    if (entry.state === "cancelled") return this.#forget(entry);
    const node = this.#byEntry.get(entry.id) ?? this.#adopt(entry) ?? this.#addPending(entry);
    if (entry.key) this.#byKey.set(entry.key, node);
    if (node.dataset.id !== undefined) return; // the log has had the last word
    this.#showState(node, entry);
    if (entry.state === "accepted") this.#confirm(node, entry.results[0]?.id);
  }

  /** The server knows a message of ours under another key from now on. */
  renameEntry(entry, before) {
    this.#byKey.delete(before);
    this.showEntry(entry);
  }

  setOffline(isOffline) {
    if (this.#isOffline === isOffline) return;
    this.#isOffline = isOffline;
    for (const node of this.#pending()) this.#label(node);
  }

  /** The server has another history: what came from the old one goes. */
  clearConfirmed() {
    this.#flush();
    for (const { node } of this.#shown) remove(node);
    for (const [key, node] of this.#byKey) if (!node.isConnected) this.#byKey.delete(key);
    this.#shown = [];
    this.#byId.clear();
  }

  // ---- received -----------------------------------------------------------------------------------

  // A hidden page gets no frames; the timer is for it.
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const flush = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.#flush();
    };
    const frame = requestAnimationFrame(flush);
    const timer = setTimeout(flush, 200);
  }

  #flush() {
    this.#isScheduled = false;
    const arrived = this.#inbox.splice(0);
    if (arrived.length === 0) return;
    // A history is not read aloud, only what is new.
    this.#log.setAttribute("aria-live", arrived.length > 10 ? "off" : "polite");
    this.#follow(() => {
      const placed = arrived.map((message) => this.#place(message)).filter((node) => node);
      for (const node of new Set(placed.flatMap((node) => [node, after(node)]))) {
        if (node) this.#decorate(node);
      }
      return placed.filter((node) => node.dataset.state === "received").length;
    });
  }

  #place(message) {
    if (this.#byId.has(message.id)) return undefined;
    const ours = message.key && this.#byKey.get(message.key);
    if (ours) {
      this.#showState(ours, { state: "accepted" });
      this.#confirm(ours, message.id);
      return undefined;
    }
    const producer = message.key?.split(":")[0];
    const state = isOwn(producer) ? "delivered" : "received";
    const node = this.#make(message, { author: isOwn(producer) ? "me" : (producer ?? "") });
    node.dataset.state = state;
    if (state === "delivered") this.#label(node);
    if (message.key) this.#byKey.set(message.key, node);
    this.#insert(node, message.id);
    return node;
  }

  // ---- ours ---------------------------------------------------------------------------------------

  #addPending(entry) {
    const node = this.#make({ text: String(entry.args[0]), at: entry.at }, { author: "me" });
    this.#byEntry.set(entry.id, node);
    node.dataset.state = entry.state;
    this.#follow(() => {
      this.#append(node);
      this.#decorate(node);
      return 0;
    }, true);
    setTimeout(() => node.dataset.state === "queued" && this.#label(node), patience);
    return node;
  }

  // A message of another tab, which this page takes over, may be in the log and on the screen already.
  #adopt(entry) {
    const node = entry.key && this.#byKey.get(entry.key);
    if (node) this.#byEntry.set(entry.id, node);
    return node;
  }

  #showState(node, entry) {
    node.dataset.state = entry.state === "accepted" ? "delivered" : entry.state;
    node.toggleAttribute("data-unsaved", entry.state === "queued" && !entry.saved);
    if (entry.state === "rejected") this.#offerEdit(node, entry);
    this.#label(node, entry.error);
  }

  #confirm(node, id) {
    if (!Number.isInteger(id) || this.#byId.has(id)) return;
    const next = after(node);
    this.#insert(node, id);
    this.#decorate(node);
    if (next) this.#decorate(next);
  }

  #forget(entry) {
    const node = this.#byEntry.get(entry.id);
    if (node) remove(node);
    this.#byEntry.delete(entry.id);
    if (entry.key) this.#byKey.delete(entry.key);
  }

  #offerEdit(node, entry) {
    const offer = (name, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => {
        this.#forget(entry);
        act();
      });
      return button;
    };
    const actions = document.createElement("span");
    actions.className = "actions";
    actions.append(
      offer(words.edit, () => this.onEdit(String(entry.args[0]))),
      offer(words.discard, () => {}),
    );
    node.append(actions);
  }

  // ---- elements -----------------------------------------------------------------------------------

  #make({ text, at }, { author }) {
    const node = document.createElement("div");
    node.className = "message";
    const body = document.createElement("span");
    body.className = "text";
    body.dir = "auto";
    appendText(body, text);
    node.append(body);
    this.#facts.set(node, { author, at });
    if (author === "me") node.dataset.own = "";
    body.dataset.time = clock.format(at);
    return node;
  }

  /** Puts a confirmed message where its id belongs: nearly always after all others. */
  #insert(node, id) {
    node.dataset.id = id;
    let index = this.#shown.length;
    while (index > 0 && this.#shown[index - 1].id > id) --index;
    const following = this.#shown[index]?.node ?? this.#pending()[0];
    if (!following) this.#append(node);
    else if (following !== node) {
      if (node.isConnected) remove(node);
      following.before(node);
    }
    this.#shown.splice(index, 0, { id, node });
    this.#byId.set(id, node);
  }

  #append(node) {
    let chunk = this.#log.lastElementChild;
    if (!chunk || chunk.childElementCount >= chunkLength) {
      chunk = document.createElement("div");
      chunk.className = "chunk";
      this.#log.append(chunk);
    }
    chunk.append(node);
  }

  #pending() {
    const nodes = [];
    for (let node = this.#log.lastElementChild?.lastElementChild; node && !node.dataset.id; node = before(node)) {
      nodes.unshift(node);
    }
    return nodes;
  }

  /** Day and author are told where they change. */
  #decorate(node) {
    const { author, at } = this.#facts.get(node);
    const previous = this.#facts.get(before(node));
    const isNewDay = !previous || dayOf(previous.at) !== dayOf(at);
    setOrRemove(node, "data-day", isNewDay && dayName(at));
    const isFirst = isNewDay || previous.author !== author;
    node.toggleAttribute("data-first", isFirst);
    if (author === "me") return;
    node.dataset.hue = hueOf(author);
    setOrRemove(node.firstElementChild, "data-author", isFirst && words.guest(author.slice(0, 4)));
  }

  /** The words beside the time. */
  #label(node, error) {
    const { state } = node.dataset;
    const waits = Date.now() - this.#facts.get(node).at > patience;
    let label = words.state[state] ?? "";
    if (state === "queued" && (this.#isOffline || waits)) label = words.state.queuedOffline;
    if (node.hasAttribute("data-unsaved")) label = words.state.unsaved;
    if (state === "rejected" && error) label = words.rejected(error.message);
    if (state !== "rejected" || error) node.firstElementChild.dataset.label = label;
  }
}

// The neighbours of a message, in its chunk or the next one.
function before(node) {
  return node.previousElementSibling ?? node.parentElement.previousElementSibling?.lastElementChild;
}

function after(node) {
  return node.nextElementSibling ?? node.parentElement.nextElementSibling?.firstElementChild;
}

function remove(node) {
  const chunk = node.parentElement;
  node.remove();
  if (chunk?.childElementCount === 0) chunk.remove();
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

function dayOf(at) {
  return new Date(at).toDateString();
}

function dayName(at) {
  if (dayOf(at) === dayOf(Date.now())) return words.today;
  if (dayOf(at) === dayOf(Date.now() - 86_400_000)) return words.yesterday;
  return calendar.format(at);
}

// Eight calm colours, so that people who have no names can be told apart.
function hueOf(author) {
  return author ? parseInt(author.slice(0, 2), 16) % 8 : 0;
}

function setOrRemove(node, name, value) {
  if (value) node.setAttribute(name, value);
  else node.removeAttribute(name);
}

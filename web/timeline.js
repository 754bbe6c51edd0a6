// The messages of one place: confirmed ones in the order of their ids, then those still on their way.
// Every message is one element, from the key press on: confirmation changes it, and never adds another.

import { dayName, dayOf } from "./dates.js";
import { MessageView } from "./message_view.js";
import { shelf } from "./shelf.js";
import { words } from "./words.js";

const patience = 5000; // ms a message waits before its label says why
const pause = 300_000; // ms of silence after which an author is named again
const chunkLength = 64; // messages that are laid out together; a new one disturbs only its own chunk

export class Timeline {
  element = document.createElement("div");
  /** Called with a rejected entry when the person wants it back or no more. */
  onRejected = () => {};
  /** Called after messages of others were shown: how many, and whether they are news. */
  onArrival = () => {};
  /** Called when what the server has changed: messages came, were changed, or one of ours is stored. */
  onConfirmed = () => {};

  #follow; // keeps the newest in view if it was
  #inbox = []; // received, not yet shown: shown together, once a frame
  #isScheduled = false;
  #shown = []; // confirmed views, ascending by id
  #byId = new Map(); // id → view
  #byKey = new Map(); // "producer:sequence" → view
  #byEntry = new Map(); // what slotOf() says → view
  #byNode = new WeakMap(); // element → view
  #changes = new Map(); // id → text or null: of messages that are not here yet
  #withdrawn = new Map(); // id → function that undoes it, or nothing: taken back here, and not yet by the server
  #keptPictures = new Map(); // id → picture: of messages that this device kept
  #isOffline = false;
  #readUpTo = 0;
  #divider;
  #kept = new Set(); // views of messages that this device kept, until the server has said what is true

  constructor(follow) {
    this.#follow = follow;
    this.element.className = "log";
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-label", words.messages);
    this.element.setAttribute("aria-live", "off");
    this.element.dataset.empty = words.empty;
  }

  /** `isKnown`: the server has said what there is. */
  setKnown(isKnown) {
    this.element.dataset.empty = isKnown ? words.empty : words.emptyOffline;
  }

  get size() {
    return this.#shown.length;
  }
  get oldest() {
    return this.#shown[0]?.post.id;
  }
  get newest() {
    return this.#shown.at(-1)?.post.id ?? 0;
  }
  viewOf(node) {
    return this.#byNode.get(node);
  }
  find(id) {
    return this.#byId.get(id);
  }
  /** Messages of others beyond `id`. */
  countAfter(id) {
    let count = 0;
    for (let i = this.#shown.length - 1; i >= 0 && this.#shown[i].post.id > id; --i) {
      if (!this.#shown[i].isOwn) ++count;
    }
    return count;
  }

  /** The last `count` that the server has, oldest first. */
  newestPosts(count) {
    return this.#shown.slice(-count).map((view) => view.kept);
  }

  // ---- from this device ---------------------------------------------------------------------------

  /** Messages as this device kept them, oldest first. */
  showKept(posts) {
    if (this.#shown.length > 0) return;
    this.addOlder([...posts].reverse());
    this.#kept = new Set(this.#shown);
  }

  /** The server has said what there is. */
  dropKept() {
    for (const view of this.#kept) {
      remove(view.node);
      this.#byId.delete(view.post.id);
      if (view.post.picture) this.#keptPictures.set(view.post.id, view.post.picture);
      if (view.post.key) this.#byKey.delete(view.post.key);
      if (view.post.picture) this.#byEntry.delete(view.post.picture);
    }
    this.#shown = this.#shown.filter((view) => !this.#kept.has(view));
    this.#kept.clear();
  }

  // ---- from the log -------------------------------------------------------------------------------

  /** A message of the log: {id, text or picture, at, from?, name?, key?}. Shown with the next frame. */
  receive(post) {
    this.#inbox.push(post);
    this.#schedule();
  }

  /** Older messages, newest first, all before those that are shown; or a first page. At once. */
  addOlder(posts) {
    this.flush();
    const fresh = posts.filter((post) => !this.#byId.has(post.id) && !this.#claim(post));
    if (fresh.length === 0) return;
    const following = this.#shown[0];
    const isOlder = !following || fresh[0].id < following.post.id;
    if (!isOlder) {
      for (const post of fresh.reverse()) this.#place(post);
      return this.#decorateAll();
    }
    const views = fresh.reverse().map((post) => this.#make(post));
    this.#shown.unshift(...views);
    this.#prepend(views);
    for (const view of views) this.#decorate(view);
    if (following) this.#decorate(following);
  }

  /** The author changed message `id`; `text` null: took it back. `isOlder`: before what is known. */
  change(id, text, isOlder = false) {
    if (text === undefined) return; // a newer change says what it says now
    this.flush();
    const view = this.#byId.get(id);
    if (text === null) {
      this.#withdrawn.delete(id);
      if (view) letGoOf(view.post.picture);
    }
    if (this.#kept.has(view)) this.#changes.set(id, text); // for the one that takes its place
    if (view && !(isOlder && view.isChanged)) {
      view.change(text);
      this.onConfirmed();
    }
    else if (!view && !(isOlder && this.#changes.has(id))) this.#changes.set(id, text);
  }

  /** This person takes message `id` back. `undo`: what the button for it does; without one it is too late. */
  withdraw(id, undo) {
    const view = this.#byId.get(id);
    if (view?.post.isGone) return;
    this.#withdrawn.set(id, undo);
    view?.withdraw(undo);
    this.onConfirmed();
  }

  /** Not taken back after all. */
  restore(id) {
    if (!this.#withdrawn.delete(id)) return;
    this.#byId.get(id)?.restore();
    this.onConfirmed();
  }

  /** The other one of a private conversation has seen everything up to `id`. */
  setReadUpTo(id) {
    if (id <= this.#readUpTo) return;
    this.#readUpTo = id;
    for (let i = this.#shown.length - 1; i >= 0; --i) {
      const view = this.#shown[i];
      if (view.isOwn && view.post.id <= id && view.state === "delivered") view.setState("read");
    }
  }

  /** The server has another history: what came from the old one goes. */
  clearConfirmed() {
    this.flush();
    for (const view of this.#shown) remove(view.node);
    this.#kept.clear();
    for (const [key, view] of this.#byKey) if (!this.element.contains(view.node)) this.#byKey.delete(key);
    this.#shown = [];
    this.#byId.clear();
    this.#changes.clear();
  }

  /** A line between what was seen and what is new. Stays where it is. Its element, if there is news. */
  divideAfter(id) {
    this.flush();
    this.#divider?.remove();
    const first = this.#shown.find((view) => view.post.id > id && !view.isOwn);
    if (!first) return undefined;
    this.#divider = document.createElement("div");
    this.#divider.className = "divider";
    this.#divider.dataset.label = words.newDivider;
    this.#divider.setAttribute("role", "separator");
    this.#divider.setAttribute("aria-label", words.newDivider);
    first.node.before(this.#divider);
    return this.#divider;
  }

  /** Who came or went: a line of its own, after what is there. Replaces `before`, if it is the last. */
  notice(text, before) {
    const isLast = before && [...this.#last().parentElement.children].at(-1) === before;
    const line = isLast ? before : document.createElement("p");
    this.#follow(() => {
      line.className = "notice";
      line.textContent = text;
      if (!isLast) this.#append(line, this.#pending()[0]);
      return 0;
    });
    return line;
  }

  /** Names are shown anew. */
  rename() {
    for (const view of this.#views()) view.name();
  }

  // ---- ours ---------------------------------------------------------------------------------------

  /** A message of ours changed, or is new: `post` as for receive(), without id. Shown at once. */
  showEntry(entry, post) {
    if (entry.state === "cancelled") return this.forget(entry);
    const view = this.#byEntry.get(slotOf(entry)) ?? this.#adopt(entry) ?? this.#addPending(entry, post);
    if (entry.key) this.#byKey.set(entry.key, view);
    if (view.post.id !== undefined) return; // the log has had the last word
    this.#showState(view, entry);
    if (entry.state === "accepted") this.#confirm(view, entry.results[0]?.id);
  }

  /** The server knows a message of ours under another key from now on. */
  renameEntry(entry, before, post) {
    this.#byKey.delete(before);
    this.showEntry(entry, post);
  }

  forget(entry) {
    const view = this.#byEntry.get(slotOf(entry));
    if (view) remove(view.node);
    this.#byEntry.delete(slotOf(entry));
    if (entry.key) this.#byKey.delete(entry.key);
  }

  setOffline(isOffline) {
    if (this.#isOffline === isOffline) return;
    this.#isOffline = isOffline;
    for (const node of this.#pending()) this.#label(this.viewOf(node));
  }

  // ---- received -----------------------------------------------------------------------------------

  // A hidden page gets no frames; the timer is for it.
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const flush = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.flush();
    };
    const frame = requestAnimationFrame(flush);
    const timer = setTimeout(flush, 200);
  }

  /** Shows what was received. */
  flush() {
    this.#isScheduled = false;
    const arrived = this.#inbox.splice(0);
    if (arrived.length === 0) return;
    // A history is not read aloud, only what is new.
    this.element.setAttribute("aria-live", arrived.length > 10 ? "off" : "polite");
    let news = 0;
    this.#follow(() => {
      const placed = arrived.map((post) => this.#place(post)).filter((view) => view);
      for (const node of new Set(placed.flatMap((view) => [view.node, after(view.node)]))) {
        if (node) this.#decorate(this.viewOf(node));
      }
      news = placed.filter((view) => !view.isOwn).length;
      return news;
    });
    this.onConfirmed();
    if (news > 0) this.onArrival(news);
  }

  #place(post) {
    if (this.#byId.has(post.id) || this.#claim(post)) return undefined;
    const view = this.#make(post);
    this.#insert(view, post.id);
    return view;
  }

  // One of ours that is on the screen already.
  #claim(post) {
    const ours = (post.key && this.#byKey.get(post.key)) ?? (post.picture && this.#byEntry.get(post.picture));
    if (ours) ours.tellTime(post.at);
    if (!ours || ours.post.id !== undefined) return ours;
    this.#showState(ours, { state: "accepted" });
    this.#confirm(ours, post.id);
    return ours;
  }

  #make(post) {
    const view = new MessageView(post);
    this.#byNode.set(view.node, view);
    const isRead = view.isOwn && post.id <= this.#readUpTo;
    view.setState(view.isOwn ? (isRead ? "read" : "delivered") : "received");
    view.node.dataset.id = post.id;
    this.#byId.set(post.id, view);
    if (post.key) this.#byKey.set(post.key, view);
    if (post.picture) this.#byEntry.set(post.picture, view);
    this.#applyChange(view);
    if (view.post.isGone) letGoOf(this.#keptPictures.get(post.id));
    else if (this.#withdrawn.has(post.id)) view.withdraw(this.#withdrawn.get(post.id));
    return view;
  }

  #applyChange(view) {
    const { id } = view.post;
    if (this.#changes.get(id) === null) letGoOf(view.post.picture);
    if (!this.#changes.has(id)) return;
    view.change(this.#changes.get(id));
    this.#changes.delete(id);
  }

  // ---- pending ------------------------------------------------------------------------------------

  #addPending(entry, post) {
    const view = new MessageView(post);
    view.isOwn = true;
    view.node.toggleAttribute("data-own", true);
    this.#byNode.set(view.node, view);
    this.#byEntry.set(slotOf(entry), view);
    view.setState(entry.state);
    this.#follow(() => {
      this.#append(view.node, this.#pendingSince(post.at));
      this.#decorate(view);
      return 0;
    }, true);
    setTimeout(() => view.state === "queued" && this.#label(view), patience);
    return view;
  }

  // A message of another tab, which this page takes over, may be in the log and on the screen already.
  #adopt(entry) {
    const view = entry.key && this.#byKey.get(entry.key);
    if (view) this.#byEntry.set(slotOf(entry), view);
    return view;
  }

  #showState(view, entry) {
    const state = entry.state === "accepted" ? "delivered" : entry.state;
    view.isUnsaved = entry.state === "queued" && !entry.saved;
    view.entry = entry;
    view.setState(state, view.node.dataset.state === state ? undefined : "");
    this.#label(view);
  }

  /** The words beside the time. */
  #label(view) {
    const { state } = view.node.dataset;
    const { error } = view.entry ?? {};
    let label = words.state[state] ?? "";
    const waits = Date.now() - view.post.at > patience;
    if (state === "queued" && (this.#isOffline || waits)) label = words.state.queuedOffline;
    if (view.isUnsaved) label = words.state.unsaved;
    if (state === "rejected" && error) label = words.rejected(words.reasons[error.code] ?? error.message);
    view.setState(state, label);
  }

  #confirm(view, id) {
    if (!Number.isInteger(id) || this.#byId.has(id)) return;
    const next = after(view.node);
    view.post = { ...view.post, id };
    this.#byId.set(id, view);
    this.#insert(view, id); // among those without an id, so before it has one
    view.node.dataset.id = id;
    this.#applyChange(view);
    if (id <= this.#readUpTo) view.setState("read");
    this.#decorate(view);
    if (next) this.#decorate(this.viewOf(next));
    this.onConfirmed();
  }

  // ---- elements -----------------------------------------------------------------------------------

  /** Puts a confirmed message where its id belongs: nearly always after all others. */
  #insert(view, id) {
    let index = this.#shown.length;
    while (index > 0 && this.#shown[index - 1].post.id > id) --index;
    const { node } = view;
    const following = this.#shown[index]?.node ?? this.#pending().find((each) => each !== node);
    if (following) {
      if (!node.parentElement || following !== after(node)) {
        if (node.parentElement) remove(node);
        following.before(node);
      }
    } else if (!node.parentElement) {
      this.#append(node);
    }
    this.#shown.splice(index, 0, view);
  }

  #append(node, before) {
    if (before) return before.before(node);
    let chunk = this.element.lastElementChild;
    if (!chunk || chunk.childElementCount >= chunkLength) {
      chunk = newChunk();
      this.element.append(chunk);
    }
    chunk.append(node);
  }

  #prepend(views) {
    const first = this.element.firstElementChild;
    for (let i = 0; i < views.length; i += chunkLength) {
      const chunk = newChunk();
      chunk.append(...views.slice(i, i + chunkLength).map((view) => view.node));
      this.element.insertBefore(chunk, first);
    }
  }

  #last() {
    return this.element.lastElementChild?.lastElementChild ?? this.element;
  }

  #pending() {
    const nodes = [];
    for (let node = this.#lastMessage(); node && !node.dataset.id; node = before(node)) nodes.unshift(node);
    return nodes;
  }

  /** The first on its way that was said after `at`: what this device kept is read when others may be said already. */
  #pendingSince(at) {
    const isLater = (node) => this.viewOf(node)?.post.at > at;
    const last = this.#lastMessage();
    return last && !last.dataset.id && isLater(last) ? this.#pending().find(isLater) : undefined;
  }

  #lastMessage() {
    const node = this.element.lastElementChild?.lastElementChild;
    return !node || node.dataset.state ? node : before(node);
  }

  *#views() {
    yield* this.#shown;
    for (const node of this.#pending()) yield this.viewOf(node);
  }

  #decorateAll() {
    for (const view of this.#views()) this.#decorate(view);
  }

  /** Day and author are told where they change. */
  #decorate(view) {
    const { post } = view;
    const previous = this.viewOf(before(view.node));
    const isNewDay = !previous || dayOf(previous.post.at) !== dayOf(post.at);
    const isSame = previous?.author === view.author && post.at - previous.post.at < pause;
    view.decorate({ isFirst: isNewDay || !isSame, day: isNewDay && dayName(post.at) });
  }
}

/** One message of ours, also while its picture is still on the way and the outbox has no entry for it. */
const slotOf = ({ id, event, args }) => (event === "post" && args[1]?.picture) || id;

const letGoOf = (picture) => picture && shelf.current?.forget(picture);

function newChunk() {
  const chunk = document.createElement("div");
  chunk.className = "chunk";
  return chunk;
}

// The neighbouring messages, in the same chunk or the next one; other lines do not count.
function neighbour(node, sibling, edge) {
  do {
    node = node[sibling] ?? node.parentElement?.[sibling]?.[edge];
  } while (node && !node.dataset.state);
  return node;
}
const before = (node) => neighbour(node, "previousElementSibling", "lastElementChild");
const after = (node) => neighbour(node, "nextElementSibling", "firstElementChild");

function remove(node) {
  const chunk = node.parentElement;
  node.remove();
  if (chunk?.childElementCount === 0) chunk.remove();
}

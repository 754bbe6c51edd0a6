// The places of this page: everybody, rooms, private conversations. Each has its messages, its pages of
// history and what is unread; one of them is shown.

import { isLooking, onAttention } from "./attention.js";
import { Pages } from "./history.js";
import { keepPage } from "./kept_pages.js";
import { me } from "./me.js";
import { nameOf } from "./names.js";
import { Timeline } from "./timeline.js";
import { markRead, readUpTo } from "./unread.js";
import { words } from "./words.js";

export const mainPlace = "chat";
export const isPrivate = (place) => place.startsWith("user/");
export const personOf = (place) => place.slice("user/".length);
const roomName = (place) => place.slice("room/".length);

const eager = 2000; // messages that are loaded without anybody scrolling; a long look back costs a page each

export class Places {
  /** Something of the list changed: names, unread counts, what is shown. */
  onChange = () => {};
  /** Another place is shown. */
  onShow = () => {};
  /** Messages of others came in. */
  onNews = () => {};

  current;
  #places = new Map();
  #socket;
  #scroll;
  #parent;
  #top;
  #inbox;
  #found; // the element that somebody searched for or followed a link to

  constructor({ socket, scroll, parent, top, signal }) {
    this.#socket = socket;
    this.#scroll = scroll;
    this.#parent = parent;
    this.#top = top;
    this.#inbox = new Pages(socket, "inbox", (entries) => this.#take(entries));
    scroll.onNearStart = () => this.#loadOlder();
    scroll.onEnd = () => this.#see();
    onAttention(() => {
      if (isLooking()) this.#divide(this.current);
      this.#see();
    }, signal);
  }

  get all() {
    return [...this.#places.values()];
  }
  get unread() {
    return this.all.reduce((sum, place) => sum + place.unread, 0);
  }

  /** A place that is known already. */
  find(id) {
    return this.#places.get(id);
  }

  get(id) {
    const known = this.#places.get(id);
    if (known) return known;
    const timeline = new Timeline((change, always) => this.#scroll.follow(timeline.element, change, always));
    const pages = isPrivate(id) ? this.#inbox : new Pages(this.#socket, id, (entries) => this.#take(entries, id));
    const place = { id, timeline, pages, unread: 0, isOpened: false };
    timeline.onArrival = (count) => this.#arrived(place, count);
    timeline.onConfirmed = () => keepPage(place);
    timeline.setKnown(!pages.isEmpty);
    this.#places.set(id, place);
    return place;
  }

  nameOf(id) {
    if (id === mainPlace) return words.everyone;
    return isPrivate(id) ? nameOf({ id: personOf(id) }) : roomName(id);
  }

  show(id) {
    const place = this.get(id);
    if (this.current === place) return;
    this.current = place;
    this.#parent.replaceChildren(place.timeline.element);
    this.#divide(place); // before what is in view counts as read
    this.#scroll.show(place.timeline.element);
    this.#open(place);
    this.#see();
    this.onShow(place);
    this.onChange();
  }

  /** What this device kept of a place, until the server has said what is there. */
  showKept({ place: id, posts }) {
    const place = this.get(id);
    if (place.pages.isEmpty) place.timeline.showKept(posts);
    this.onChange();
  }

  /** Connected (again): what was not loaded yet can be. */
  async load() {
    this.#open(this.current);
    if (me.id) await this.#inbox.begin();
    for (const place of this.all) if (!isPrivate(place.id) && place.pages.isEmpty) await this.#open(place);
  }

  /** An event of the log. */
  receive(event, args) {
    if (event === "chat message") {
      const [text, id, meta] = args;
      this.get(mainPlace).timeline.receive({ text: String(text), id, ...meta, at: meta?.at ?? Date.now() });
    } else if (event === "post") {
      this.get(placeOf(args[0])).timeline.receive(args[0]);
    } else {
      this.#takeOther(event, args[0], false);
    }
  }

  /** A line in each of them. */
  tell(text) {
    for (const place of this.all) place.timeline.notice(text);
  }

  clear() {
    for (const place of this.all) {
      place.timeline.clearConfirmed();
      place.pages.restart();
    }
  }

  rename() {
    for (const place of this.all) place.timeline.rename();
    this.onChange();
  }

  /** Brings a message into view that may be far back. False: it is not there (any more). */
  async reveal(id) {
    const { timeline, pages } = this.current;
    while (!timeline.find(id) && pages.hasMore && !(timeline.oldest < id)) {
      if (!(await pages.more(200)) && !this.#socket.connected) return false;
    }
    const view = timeline.find(id);
    if (!view) return false;
    this.#scroll.toNode(view.node);
    view.node.focus({ preventScroll: true });
    this.#found?.removeAttribute("data-found");
    this.#found = view.node;
    this.#found.setAttribute("data-found", "");
    return true;
  }

  // ---- inside -------------------------------------------------------------------------------------

  /** The first page, and what else there is up to where this person was. */
  async #open(place) {
    const { timeline, pages } = place;
    const seen = readUpTo(place.id);
    if (!(await pages.begin())) return this.#showTop();
    timeline.setKnown(true);
    while (seen && timeline.oldest > seen + 1 && timeline.size < eager && (await pages.more(200)));
    if (!place.isOpened && this.current === place) this.#begin(place, seen);
    this.#showTop();
    this.#fill(place);
  }

  // Where reading goes on: at the first unread, which keeps its mark.
  #begin(place, seen) {
    place.isOpened = true;
    timelineSettled(place);
    const divider = seen && place.timeline.divideAfter(seen);
    if (divider && place.timeline.countAfter(seen) > 3) this.#scroll.toNode(divider, "start");
    else this.#scroll.toEnd();
  }

  async #fill(place) {
    while (place.timeline.size < eager && place.pages.hasMore && this.current === place) {
      await new Promise((resolve) => (globalThis.requestIdleCallback ?? setTimeout)(resolve));
      if (!(await place.pages.more(200))) break;
    }
    this.#showTop();
  }

  async #loadOlder() {
    const { pages, isOpened } = this.current;
    if (!isOpened || pages.isLoading) return;
    this.#showTop();
    await pages.more();
    this.#showTop();
  }

  #showTop() {
    const { timeline, pages } = this.current;
    const text = !pages.hasMore
      ? timeline.size > 0 && words.beginning
      : this.#socket.connected
        ? pages.isLoading && words.older
        : words.olderLater;
    this.#top.textContent = text || "";
  }

  // A page of history: newest first.
  #take(entries, source) {
    const isFromHere = ({ id }) => (source ? id === source : isPrivate(id));
    for (const place of this.all.filter(isFromHere)) place.timeline.dropKept();
    const posts = new Map();
    for (const [, [event, ...args]] of entries) {
      const post = event === "chat message" ? { text: String(args[0]), id: args[1], ...args[2] } : args[0];
      if (event !== "chat message" && event !== "post") {
        this.#takeOther(event, post, true);
        continue;
      }
      const id = event === "post" ? placeOf(post) : mainPlace;
      posts.set(id, [...(posts.get(id) ?? []), post]);
    }
    for (const [id, list] of posts) this.#addOlder(this.get(id), list);
    for (const id of posts.keys()) keepPage(this.get(id));
    this.onChange();
  }

  #addOlder(place, posts) {
    const { timeline } = place;
    if (place === this.current) this.#scroll.keep(() => timeline.addOlder(posts));
    else timeline.addOlder(posts);
    this.#count(place);
  }

  #takeOther(event, data, isOlder) {
    if (event === "edit") this.get(placeOf(data)).timeline.change(data.id, data.text, isOlder);
    else if (event === "read") this.get(`user/${data.from}`).timeline.setReadUpTo(data.id);
  }

  #arrived(place, count) {
    this.#see();
    this.#count(place);
    if (place === this.current) this.#showTop();
    this.onNews(place, count);
  }

  // What was never opened has nothing unread, except what somebody wrote to this person alone.
  #count(place) {
    const seen = readUpTo(place.id);
    place.unread = seen || isPrivate(place.id) ? place.timeline.countAfter(seen) : 0;
    this.onChange();
  }

  /** Whoever comes back sees where they were. */
  #divide(place) {
    if (!place?.isOpened) return;
    const seen = readUpTo(place.id);
    if (seen && place.timeline.countAfter(seen) > 0) place.timeline.divideAfter(seen);
  }

  /** The newest is in view, and somebody looks. */
  #see() {
    const place = this.current;
    if (!place || !isLooking() || !this.#scroll.isAtEnd || !place.isOpened) return;
    const { newest } = place.timeline;
    if (!markRead(place.id, newest)) return;
    this.#count(place);
    if (isPrivate(place.id) && place.timeline.countAfter(0) > 0) {
      this.#socket.emit("read", personOf(place.id), newest);
    }
  }
}

const timelineSettled = (place) => place.timeline.flush();

/** Where a post or edit belongs for this person. */
function placeOf({ place, from }) {
  return isPrivate(place) && from !== me.id ? `user/${from}` : place;
}

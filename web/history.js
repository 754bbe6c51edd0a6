// What was said before the page was opened: a first page of every place, older ones on demand.

import { ask } from "./session.js";

const pageLength = 100;
const pause = 2000; // ms before a page that did not come is asked for again

/** The pages of one log on the server: a room, or the inbox of all private messages. */
export class Pages {
  hasMore = true;

  #socket;
  #source;
  #take;
  #before = null;
  #loading;

  /** `take(entries, isFirst)`: [offset, event] pairs, newest first. */
  constructor(socket, source, take) {
    this.#socket = socket;
    this.#source = source;
    this.#take = take;
  }

  get isLoading() {
    return this.#loading !== undefined;
  }
  /** Nothing was asked for yet, or nothing came. */
  get isEmpty() {
    return this.#before === null && this.hasMore;
  }

  /** Loads one more page, or waits for the one that is on its way. False: not now, or there is none. */
  more(count = pageLength) {
    this.#loading ??= this.#load(count).finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  /** Loads the first page, again and again while there is a link. False: there is none. */
  async begin() {
    while (this.isEmpty && this.#socket.connected) await this.more();
    return !this.isEmpty;
  }

  async #load(count) {
    if (!this.hasMore || !this.#socket.connected) return false;
    try {
      const { entries, more } = await ask(this.#socket, "history", this.#source, this.#before, count);
      const isFirst = this.#before === null;
      this.hasMore = more;
      this.#before = entries.at(-1)?.[0] ?? this.#before;
      this.#take(entries, isFirst);
      return true;
    } catch {
      if (this.#socket.connected) await new Promise((resolve) => setTimeout(resolve, pause));
      return false;
    }
  }

  /** The server has another history: begin anew. What came live is all there is. */
  restart() {
    this.#before = null;
    this.hasMore = true;
  }
}

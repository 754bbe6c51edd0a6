// What was said before the page was opened: a first page of every place, older ones on demand.

import { ask } from "./session.js";

const pageLength = 100;
const pause = 2000; // ms before a page that did not come is asked for again

/** The pages of one log on the server: a room, or the inbox of all private messages. */
export class Pages {
  hasMore = true;
  isLoading = false;

  #socket;
  #source;
  #take;
  #before = null;

  /** `take(entries, isFirst)`: [offset, event] pairs, newest first. */
  constructor(socket, source, take) {
    this.#socket = socket;
    this.#source = source;
    this.#take = take;
  }

  get isEmpty() {
    return this.#before === null && this.hasMore;
  }

  /** Loads one more page. False: not now, or there is none. */
  async more(count = pageLength) {
    if (this.isLoading || !this.hasMore || !this.#socket.connected) return false;
    this.isLoading = true;
    try {
      const { entries, more } = await ask(this.#socket, "history", this.#source, this.#before, count);
      const isFirst = this.#before === null;
      this.hasMore = more;
      this.#before = entries.at(-1)?.[0] ?? this.#before;
      this.#take(entries, isFirst);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
      return false;
    } finally {
      this.isLoading = false;
    }
  }

  /** The server has another history: begin anew. What came live is all there is. */
  restart() {
    this.#before = null;
    this.hasMore = true;
  }
}

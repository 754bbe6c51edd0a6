// "Delete" can be undone for a while: until then nothing is sent, so whoever undoes it has done nothing. That
// it is wanted is kept on this device from the first moment on. A page that is left sends it then, and what a page
// that died still had to send is sent by the next one; the server takes the same back as often as it is told.

import { forgetDurably, recallAll, recallDurably, rememberDurably } from "./durable.js";
import { me } from "./me.js";

const patience = 10_000; // ms in which it can be undone
const grace = 2000; // ms more before another page takes care of it
const kind = "taking back";
const keyOf = (place, id) => `${kind}:${place}:${id}`;

export class TakingBack {
  /** It is on its way: it cannot be undone any more. */
  onSent = () => {};

  #socket;
  #waiting = new Map(); // key → {place, id, timer}

  /** `signal`: the chat's end. */
  constructor(socket, signal) {
    this.#socket = socket;
    addEventListener("pagehide", () => this.flush(), { signal });
    signal.addEventListener("abort", () => this.flush());
    socket.outbox.on("change", (entry) => this.#saved(entry));
  }

  /** Message `id` of `place` is taken back in a while, unless undo() is called before. */
  begin(place, id) {
    const key = keyOf(place, id);
    const timer = setTimeout(() => this.#send(key), patience);
    this.#waiting.set(key, { place, id, timer });
    rememberDurably(key, { kind, key, place, id, owner: me.owner, until: Date.now() + patience });
  }

  undo(place, id) {
    const key = keyOf(place, id);
    clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.delete(key);
    forgetDurably(key);
  }

  /** All that can still be undone is sent now. */
  flush() {
    for (const key of [...this.#waiting.keys()]) this.#send(key);
  }

  /** What an earlier page of this person's still had to send, once no other page can be about to. */
  async recover() {
    for (const row of await recallAll("kept")) {
      if (row?.kind !== kind || row.owner !== me.owner) continue;
      const wait = Math.min(Math.max(row.until - Date.now(), 0), patience) + grace;
      setTimeout(async () => {
        if (this.#waiting.has(row.key) || !(await recallDurably(row.key))) return;
        this.#socket.emit("edit", row.place, row.id, null);
      }, wait);
    }
  }

  #send(key) {
    const { place, id, timer } = this.#waiting.get(key);
    clearTimeout(timer);
    this.#waiting.delete(key);
    this.#socket.emit("edit", place, id, null);
    this.onSent(place, id);
  }

  /** From here on the outbox takes care of it. */
  #saved({ event, args, state, saved }) {
    if (event !== "edit" || args[2] !== null) return;
    if (saved || state === "accepted" || state === "rejected") forgetDurably(keyOf(args[0], args[1]));
  }
}

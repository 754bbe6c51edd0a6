// Pictures on their way. Their bytes go first, then a message that names them; until that has its verdict the
// bytes stay on this device, and whoever finds them there after a reload begins again. Nothing is there twice:
// the server knows a picture by the id it was given here, and posts it once.

import { forgetDurably, recallAll, recallDurably, rememberDurably } from "./durable.js";
import { me } from "./me.js";
import { askPatiently } from "./session.js";

const table = "pictures";
const patience = 60_000; // ms for the bytes to arrive
const pause = 3000; // ms before the server is asked again
const passing = new Set(["no_answer", "later", "too_fast", "too_fast_here"]);

export class Outgoing {
  /** A picture moved on: as an entry of the outbox, which it is not yet. */
  onChange = () => {};
  /** The server has it, and the message that names it. */
  onDone = () => {};

  #socket;
  #pictures = new Map(); // id → {id, owner, place, text, bytes, type, width, height, entry, release}
  #last = Promise.resolve(); // one after the other: a heartbeat waits behind the bytes

  constructor(socket) {
    this.#socket = socket;
    socket.outbox.on("change", (entry) => this.#judge(entry));
  }

  /** Pictures that are not in the outbox yet. */
  get size() {
    const waits = ({ isPosted, entry }) => !isPosted && entry.state !== "rejected";
    return [...this.#pictures.values()].filter(waits).length;
  }

  /** The bytes of a picture of ours: {bytes, type}; nothing if they are not needed any more. */
  async find(id) {
    return this.#pictures.get(id) ?? recallDurably(id, table);
  }

  /** `picture`: as shrink() gives it. */
  send(place, picture, text) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#begin({ ...picture, id, place, text, owner: me.owner, at: Date.now() });
  }

  /** What was not sent when another page ended; waits while that page is there. */
  async recover() {
    for (const { id, owner } of await recallAll(table)) {
      if (owner !== me.owner || this.#pictures.has(id)) continue;
      hold(id).then(async (release) => {
        const kept = await recallDurably(id, table);
        if (kept && !this.#pictures.has(id)) this.#begin(kept, release);
        else release();
      });
    }
  }

  /** One that was refused, once more. */
  again(id) {
    const picture = this.#pictures.get(id);
    if (picture) this.#begin(picture, picture.release);
  }

  discard(id) {
    this.#forget(id);
  }

  // ---- inside -------------------------------------------------------------------------------------

  async #begin(kept, release) {
    const { id, place, text, width, height, at } = kept;
    const body = { picture: id, ...(text && { text }), width, height };
    const entry = { id, key: null, event: "post", args: [place, body], at, state: "saving", saved: false };
    const picture = { ...kept, entry, release, isPosted: false };
    this.#pictures.set(id, picture);
    this.#tell(picture, { state: "saving" });
    const saved = (await rememberDurably(id, rowOf(picture), table)) === id;
    picture.release ??= await hold(id);
    this.#tell(picture, { state: "queued", saved });
    this.#last = this.#last.then(() => this.#deliver(picture));
  }

  async #deliver(picture) {
    const { id, bytes, entry } = picture;
    while (this.#pictures.get(id) === picture) {
      await this.#isConnected();
      this.#tell(picture, { state: "sent" });
      try {
        await askPatiently(patience, this.#socket, "picture", id, bytes);
      } catch (error) {
        if (!passing.has(error.code)) return this.#tell(picture, { state: "rejected", error });
        this.#tell(picture, { state: "queued" });
        await new Promise((resolve) => setTimeout(resolve, this.#socket.connected ? pause : 0));
        continue;
      }
      if (!picture.isPosted && !this.#isInOutbox(id)) this.#socket.emit("post", ...entry.args);
      picture.isPosted = true;
      return;
    }
  }

  async #isConnected() {
    while (!this.#socket.connected) await new Promise((resolve) => this.#socket.once("connect", resolve));
  }

  #isInOutbox(id) {
    return this.#socket.outbox.entries().some(({ event, args }) => event === "post" && args[1]?.picture === id);
  }

  /** The message that names it has its verdict. */
  async #judge({ event, args, state, error }) {
    const id = event === "post" ? args[1]?.picture : undefined;
    if (!id || !["accepted", "rejected", "unknown"].includes(state)) return;
    // Nobody but its author may send it once more.
    if (state === "unknown" && this.#pictures.has(id)) this.#pictures.get(id).isPosted = true;
    const picture = await this.find(id);
    if (state === "accepted") {
      if (picture) this.onDone(picture);
      this.#forget(id);
    } else if (picture && error?.code === "no_picture") {
      this.#begin(picture, picture.release); // the server has let go of it while the message waited
    } else {
      forgetDurably(id, table);
    }
  }

  #forget(id) {
    const release = this.#pictures.get(id)?.release;
    this.#pictures.delete(id);
    forgetDurably(id, table).then(release);
  }

  #tell({ entry }, change) {
    Object.assign(entry, change);
    this.onChange(entry);
  }
}

const rowOf = ({ id, owner, place, text, bytes, type, width, height, at }) => ({ id, owner, place, text, bytes, type, width, height, at });

/** Keeps other pages from sending it, too; resolves with the function that lets go, once nobody else has it. */
function hold(id) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks
      .request(`oncewire-picture:${id}`, () => new Promise((release) => resolve(release)))
      .catch(() => resolve(() => {}));
  });
}

// Pictures of the conversation: asked for when they come near, one after the other so that messages are not
// kept waiting, and kept in this browser. They come as bytes over the socket, by the right to read the message
// they stand in, and are never documents of this origin.

import { ask } from "./session.js";
import { words } from "./words.js";

const cacheName = "oncewire-pictures"; // sw.js and me.js know it, too
const keptMax = 200;
const pause = 2000; // ms before the server is asked again
const types = /^image\/(png|jpeg|webp|gif)$/;

export class Shelf {
  #socket;
  #outgoing;
  #wanted = []; // [image, id]: the last one is what somebody looks at now
  #isBusy = false;
  #ids = new WeakMap(); // image → id
  #near = new IntersectionObserver((entries) => entries.forEach((each) => each.isIntersecting && this.#want(each.target)), { rootMargin: "50%" });

  constructor(socket, outgoing) {
    this.#socket = socket;
    this.#outgoing = outgoing;
    socket.on("connect", () => this.#work());
  }

  /** Fills an image once it is near what somebody sees. */
  show(image, id) {
    this.#ids.set(image, id);
    image.dataset.loading = "";
    this.#near.observe(image);
  }

  /** {id, bytes, type}: shown from now on without being asked for. */
  async keep({ id, bytes, type }) {
    try {
      const cache = await caches.open(cacheName);
      await cache.put(`/picture/${id}`, new Response(bytes, { headers: { "Content-Type": type } }));
      const all = await cache.keys();
      for (const old of all.slice(0, Math.max(all.length - keptMax, 0))) await cache.delete(old);
    } catch {
      // then it is asked for again
    }
  }

  /** A picture that was taken back: this browser keeps it no more. */
  async forget(id) {
    try {
      await (await caches.open(cacheName)).delete(`/picture/${id}`);
    } catch {
      // then it was not kept
    }
  }

  #want(image) {
    this.#near.unobserve(image);
    this.#wanted.push([image, this.#ids.get(image)]);
    this.#work();
  }

  async #work() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#wanted.length > 0) {
      const [image, id] = this.#wanted.at(-1);
      const isHere = image.isConnected;
      if (!isHere) this.#near.observe(image); // of a place that is shown again later
      const isDone = !isHere || (await this.#load(image, id));
      if (!isDone && !this.#socket.connected) break; // until there is a link
      if (!isDone) await new Promise((resolve) => setTimeout(resolve, pause));
      else this.#wanted = this.#wanted.filter(([each]) => each !== image);
    }
    this.#isBusy = false;
  }

  /** False: not now. */
  async #load(image, id) {
    try {
      const picture = (await this.#outgoing.find(id)) ?? (await this.#recall(id)) ?? (await this.#fetch(id));
      if (types.test(picture.type)) fill(image, new Blob([picture.bytes], { type: picture.type }));
      return true;
    } catch (error) {
      if (error.code !== "no_picture") return false;
      image.replaceWith(words.pictureGone);
      return true;
    }
  }

  async #recall(id) {
    try {
      const kept = await (await caches.open(cacheName)).match(`/picture/${id}`);
      return kept && { bytes: await kept.arrayBuffer(), type: kept.headers.get("Content-Type") };
    } catch {
      return undefined;
    }
  }

  async #fetch(id) {
    const { type, bytes } = await ask(this.#socket, "see picture", id);
    this.keep({ id, bytes, type });
    return { type, bytes };
  }
}

function fill(image, blob) {
  const url = URL.createObjectURL(blob);
  const done = () => {
    URL.revokeObjectURL(url);
    delete image.dataset.loading;
  };
  image.addEventListener("load", done, { once: true });
  image.addEventListener("error", done, { once: true });
  image.src = url;
}

/** The shelf that messages use. */
export const shelf = { current: undefined };

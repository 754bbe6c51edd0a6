// Who is here and who is writing, as the server tells it.

import { me } from "./me.js";
import { learnName, nameOf } from "./names.js";

const typingLasts = 5000; // ms after the last hint
const shortBreak = 1500; // ms without a link that change nothing: who was here still is

export class People {
  /** The list, or a name, changed. `isName`: what is shown elsewhere, too. */
  onChange = () => {};
  /** Somebody else came or left: "joined" or "left", and their name. */
  onNotice = () => {};

  count = 0;
  #here = new Set();
  #typing = new Map(); // place → Map(id → timer)
  #goneAfter; // timer
  /** The server has told who is here, and there is a link. */
  isKnown = false;
  #isIn = false; // the server has said who we are: whoever comes now is somebody else

  constructor(socket) {
    socket.on("people", ({ people, count }) => {
      this.#here = new Set(people.map(({ id }) => id));
      this.count = count;
      this.isKnown = true;
      const news = people.map(({ id, name }) => learnName(id, name));
      this.onChange(news.includes(true));
    });
    socket.on("presence", (changes) => this.#take(changes));
    socket.on("typing", (place, { id, name }) => this.#note(place, id, name));
    socket.on("you", () => (this.#isIn = true));
    socket.on("disconnect", () => {
      this.#typing.clear();
      this.#isIn = false;
      clearTimeout(this.#goneAfter);
      this.#goneAfter = setTimeout(() => this.#forget(), shortBreak);
    });
    socket.on("connect", () => clearTimeout(this.#goneAfter));
  }

  /** Without a link nobody is known to be here. */
  #forget() {
    this.#here.clear();
    this.count = 0;
    this.isKnown = false;
    this.onChange(false);
  }

  isHere(id) {
    return this.#here.has(id);
  }

  /** Everybody else who is here, by name. */
  get others() {
    const others = [...this.#here].filter((id) => id !== me.id);
    return others.sort((a, b) => nameOf({ id: a }).localeCompare(nameOf({ id: b })));
  }

  /** Names of those who are writing in `place`. */
  typingIn(place) {
    return [...(this.#typing.get(place)?.keys() ?? [])].map((id) => nameOf({ id }));
  }

  /** Who has sent what they were writing writes no more. */
  stopTyping(place, id) {
    const typing = this.#typing.get(place);
    clearTimeout(typing?.get(id));
    if (typing?.delete(id)) this.onChange(false);
  }

  /** What became of people since the last time. Who came in the meantime is in the list already. */
  #take({ joined, left, renamed, count }) {
    const came = joined.filter(({ id }) => !this.#here.has(id));
    const went = left.filter(({ id }) => this.#here.has(id));
    for (const { id } of joined) this.#here.add(id);
    for (const { id } of left) this.#here.delete(id);
    this.count = count;
    const news = [...joined, ...left, ...renamed].map(({ id, name }) => learnName(id, name));
    this.onChange(news.includes(true));
    if (!this.#isIn) return;
    for (const { id } of came) if (id !== me.id) this.onNotice("joined", nameOf({ id }));
    for (const { id } of went) if (id !== me.id) this.onNotice("left", nameOf({ id }));
  }

  #note(place, id, name) {
    if (id === me.id) return;
    const isNews = learnName(id, name);
    const typing = this.#typing.get(place) ?? new Map();
    this.#typing.set(place, typing);
    clearTimeout(typing.get(id));
    typing.set(id, setTimeout(() => this.stopTyping(place, id), typingLasts));
    this.onChange(isNews);
  }
}

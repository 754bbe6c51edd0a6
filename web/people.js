// Who is here and who is writing, as the server tells it.

import { me } from "./me.js";
import { learnName, nameOf } from "./names.js";

const typingLasts = 5000; // ms after the last hint

export class People {
  /** The list, or a name, changed. `isName`: what is shown elsewhere, too. */
  onChange = () => {};
  /** Somebody else came or left: "joined" or "left", and their name. */
  onNotice = () => {};

  count = 0;
  #here = new Set();
  #typing = new Map(); // place → Map(id → timer)
  #isIn = false; // the server has said who we are: whoever comes now is somebody else

  constructor(socket) {
    socket.on("people", ({ people, count }) => {
      this.#here = new Set(people.map(({ id }) => id));
      this.count = count;
      const news = people.map(({ id, name }) => learnName(id, name));
      this.onChange(news.includes(true));
    });
    socket.on("joined", (person) => this.#move(person, "joined"));
    socket.on("left", (person) => this.#move(person, "left"));
    socket.on("renamed", ({ id, name }) => this.onChange(learnName(id, name)));
    socket.on("typing", (place, { id, name }) => this.#note(place, id, name));
    socket.on("you", () => (this.#isIn = true));
    socket.on("disconnect", () => {
      this.#typing.clear();
      this.#isIn = false;
    });
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

  #move({ id, name }, event) {
    const isNews = learnName(id, name);
    const was = this.#here.has(id);
    if (event === "joined") this.#here.add(id);
    else this.#here.delete(id);
    if (was !== this.#here.has(id)) this.count += event === "joined" ? 1 : -1;
    this.onChange(isNews);
    if (this.#isIn && id !== me.id) this.onNotice(event, nameOf({ id }));
  }

  #note(place, id, name) {
    if (id === me.id) return;
    learnName(id, name);
    const typing = this.#typing.get(place) ?? new Map();
    this.#typing.set(place, typing);
    clearTimeout(typing.get(id));
    typing.set(id, setTimeout(() => this.stopTyping(place, id), typingLasts));
    this.onChange(false);
  }
}

// Who came and who left, told in the conversation; several at once in one line.

import { words } from "./words.js";

const namesShown = 3;

export class Notices {
  #timeline;
  #kind;
  #names = [];
  #line;

  constructor(timeline) {
    this.#timeline = timeline;
  }

  /** `kind`: "joined" or "left". */
  tell(kind, name) {
    const goesOn = kind === this.#kind;
    this.#names = goesOn ? [...this.#names.filter((each) => each !== name), name] : [name];
    this.#kind = kind;
    const text = words[kind](this.#names.slice(-namesShown), Math.max(this.#names.length - namesShown, 0));
    const line = this.#timeline.notice(text, goesOn ? this.#line : undefined);
    if (line !== this.#line && goesOn) {
      this.#names = [name];
      line.textContent = words[kind]([name], 0);
    }
    this.#line = line;
  }
}

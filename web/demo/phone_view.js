// The list of messages on a phone's screen, for the two pages of a live run and for a recorded one.

const sentences = [
  "Are you there?", "The train is late.", "Nine minutes, they say.", "I have the tickets.", "It is raining.",
  "Shall I bring bread?", "Platform four.", "In the tunnel now.", "Can you hear me?", "Nearly there.",
];
const kept = 40; // on the screen at most

/** What the message of this number says. */
export const sentence = (n) => sentences[(n - 1) % sentences.length];

export class PhoneView {
  #list;
  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** From the key press on; `state` as the page knows it. */
  put(n, state) {
    const bubble = this.#pending(n) ?? this.#add(n);
    bubble.dataset.state = state;
  }

  /** The server has told it: that one's bubble dries; a repeated one is one more. */
  show(n) {
    const bubble = this.#pending(n) ?? this.#add(n);
    bubble.dataset.state = "shown";
  }

  #pending(n) {
    return [...this.#list.children].find((each) => each.dataset.n === String(n) && each.dataset.state !== "shown");
  }

  #add(n) {
    const bubble = document.createElement("li");
    bubble.dataset.n = n;
    const number = document.createElement("b");
    number.textContent = n;
    bubble.append(number, ` ${sentence(n)}`);
    this.#list.append(bubble);
    while (this.#list.children.length > kept) this.#list.firstChild.remove();
    this.#list.parentElement.scrollTop = this.#list.parentElement.scrollHeight;
    return bubble;
  }
}

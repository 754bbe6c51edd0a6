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

  /** From the key press on; `state` as the page knows it. What the server has told already says nothing more. */
  put(n, state) {
    const bubble = this.#bubbles(n)[0] ?? this.#add(n);
    if (bubble.dataset.state !== "shown") bubble.dataset.state = state;
  }

  /** The server has told it: that one's bubble dries; a repeated one is one more. */
  show(n) {
    const bubble = this.#bubbles(n).find((each) => each.dataset.state !== "shown") ?? this.#add(n);
    bubble.dataset.state = "shown";
  }

  #bubbles(n) {
    return [...this.#list.children].filter((each) => each.dataset.n === String(n));
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

// One message on the screen. Its text is all the text it contains: who wrote it, when, and how far it
// got are attributes, which the style sheet shows and the label reads out.

import { timeOf } from "./dates.js";
import { appendText } from "./links.js";
import { isOwn } from "./me.js";
import { hueOf, nameOf } from "./names.js";
import { reserve } from "./picture.js";
import { shelf } from "./shelf.js";
import { words } from "./words.js";

export class MessageView {
  node = document.createElement("div");
  post;
  #body = document.createElement("span");
  #label = "";
  #withdrawal; // {undo}: its author took it back, and the server has yet to say so

  /** `post`: {text, picture or both, at, from?, name?, key?}. */
  constructor(post) {
    // The log has what it says now, and that it was changed, or nothing but that it was taken back.
    this.post = post.gone === undefined ? post : { ...post, text: "", picture: undefined, isGone: true };
    this.isChanged = post.edited !== undefined || this.post.isGone === true;
    this.node.className = "message";
    this.node.toggleAttribute("data-edited", post.edited !== undefined);
    this.node.toggleAttribute("data-gone", this.post.isGone === true);
    this.node.tabIndex = -1;
    this.node.setAttribute("role", "article");
    this.#body.className = "text";
    this.node.append(this.#body);
    this.isOwn = isOwn(post);
    this.node.toggleAttribute("data-own", this.isOwn);
    this.node.dataset.hue = hueOf(post.from ?? post.key);
    this.#fill();
  }

  get state() {
    return this.node.dataset.state;
  }

  /** One word for who wrote it, to tell whether somebody goes on. */
  get author() {
    return this.isOwn ? "me" : (this.post.from ?? this.post.key?.split(":")[0] ?? "");
  }

  /** `label`: the words for it, shown beside the time. */
  setState(state, label = words.state[state] ?? "") {
    this.node.dataset.state = state;
    this.#label = label;
    this.#body.dataset.label = label;
    this.name();
  }

  /** The author changed it; `text` null: took it back. */
  change(text) {
    this.isChanged = true;
    if (text === null) this.#withdrawal = undefined;
    const picture = text === null ? undefined : this.post.picture;
    this.post = { ...this.post, text: text ?? "", picture, isGone: text === null };
    this.node.toggleAttribute("data-edited", text !== null);
    this.#refill();
  }

  /** Its author takes it back; `undo`: what the button for it does, none: it cannot be undone. */
  withdraw(undo) {
    this.#withdrawal = { undo };
    this.#refill();
  }

  /** It was not taken back after all. */
  restore() {
    this.#withdrawal = undefined;
    this.#refill();
  }

  /** Nothing can be done with it any more: it is gone, or will be. */
  get isGone() {
    return this.post.isGone === true || this.#withdrawal !== undefined;
  }

  /** As this device may keep it. */
  get kept() {
    return this.isGone ? { ...this.post, text: "", picture: undefined, isGone: true } : this.post;
  }

  #refill() {
    this.node.toggleAttribute("data-gone", this.isGone);
    this.#body.replaceChildren();
    this.#fill();
    this.name();
  }

  /** When the server stored it: what everybody sees, whatever this device's clock says. */
  tellTime(at) {
    if (!at || at === this.post.at) return;
    this.post = { ...this.post, at };
    this.#showTime();
    this.name();
  }

  /** What is told where it changes: the day, and who goes on speaking. */
  decorate({ isFirst, day }) {
    this.node.toggleAttribute("data-first", isFirst);
    if (day) this.node.dataset.day = day;
    else delete this.node.dataset.day;
    this.showsName = isFirst && !this.isOwn;
    this.name();
  }

  /** Shows the name again: somebody else may have it now, too. */
  name() {
    const { from: id, name, key, at } = this.post;
    const shown = this.isOwn ? words.you : nameOf({ id, name, key });
    if (this.showsName) this.#body.dataset.author = shown;
    else delete this.#body.dataset.author;
    this.node.setAttribute("aria-label", words.messageFrom(shown, timeOf(at), this.#label));
  }

  #showTime() {
    const time = timeOf(this.post.at);
    this.#body.dataset.time = this.node.hasAttribute("data-edited") ? `${words.edited} ${time}` : time;
  }

  #fill() {
    const { text = "", picture, isGone } = this.post;
    this.#showTime();
    for (const kind of ["data-folded", "data-emoji"]) this.node.removeAttribute(kind);
    if (this.#withdrawal?.undo) return this.#body.append(words.youTookBack, this.#undoButton());
    if (isGone || this.#withdrawal) return this.#body.append(words.gone);
    if (picture) this.#body.append(this.#pictureOf(picture));
    this.node.toggleAttribute("data-emoji", !picture && isEmoji(text));
    if (!isLong(text)) return appendText(this.#body, text);
    this.node.toggleAttribute("data-folded", true);
    const whole = document.createElement("span");
    whole.className = "whole";
    appendText(whole, text);
    this.#body.append(whole, this.#unfolder());
  }

  #undoButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "undo";
    button.textContent = words.undo;
    button.addEventListener("click", () => {
      this.#withdrawal?.undo();
      this.node.focus({ preventScroll: true });
    });
    return button;
  }

  // Its words are shown by the style sheet: all the text a message contains is what was said.
  #unfolder() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "unfold";
    const say = (isFolded) => {
      this.node.toggleAttribute("data-folded", isFolded);
      button.dataset.label = isFolded ? words.showAll : words.showLess;
      button.setAttribute("aria-label", button.dataset.label);
      button.setAttribute("aria-expanded", String(!isFolded));
    };
    button.addEventListener("click", () => say(!this.node.hasAttribute("data-folded")));
    say(true);
    return button;
  }

  #pictureOf(source) {
    const image = document.createElement("img");
    reserve(image, this.post);
    // Earlier versions kept small pictures inside their messages.
    if (/^data:image\/(png|jpeg|webp|gif);base64,/.test(source)) image.src = source;
    else shelf.current.show(image, source);
    image.alt = words.pictureFrom(this.isOwn ? words.you : nameOf({ ...this.post, id: this.post.from }));
    image.decoding = "async";
    return image;
  }
}

const longText = 2000; // characters, or so many lines: more is folded
const manyLines = 24;
/** One to three of them and nothing else; a browser that cannot tell shows them as it shows words. */
const isEmoji = (text) => text.length < 60 && (onlyEmoji?.test(text.trim()) ?? false);
const isLong = (text) => text.length > longText || text.split("\n", manyLines + 1).length > manyLines;

const onlyEmoji = (() => {
  try {
    return new RegExp("^\\p{RGI_Emoji}{1,3}$", "v");
  } catch {
    return undefined;
  }
})();

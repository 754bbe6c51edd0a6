// The text field and its form: Enter sends, Shift+Enter breaks the line, an input method's Enter chooses
// a word. Never disabled. What was typed in each place survives a refresh. Pictures by paste, drop or file.

import { pictureMegabytes, shrink } from "./picture.js";
import { recall, remember } from "./storage.js";
import { words } from "./words.js";

const typingEvery = 3000; // ms between two hints that somebody writes

export class Composer {
  /** What was written: {text, picture}, one or both; the picture as shrink() gives it. */
  onSend = () => {};
  /** The changed text of the message that edit() began with. */
  onEdited = () => {};
  /** The person writes; returns whether others could be told. */
  onTyping = () => false;
  /** Arrow up in an empty field. */
  onRecall = () => {};

  #form;
  #field;
  #note;
  #preview;
  #place = "";
  #picture;
  #edited;
  #toldTyping = -Infinity;

  constructor({ form, note, preview, file, attach, drop }) {
    this.#form = form;
    this.#field = form.elements.text;
    this.#note = note;
    this.#preview = preview;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("paste", (event) => this.#takeFile(event.clipboardData?.files[0], event));
    attach.addEventListener("click", () => file.click());
    file.addEventListener("change", () => this.#takeFile(file.files[0]).finally(() => (file.value = "")));
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => this.#takeFile(event.dataTransfer?.files[0], event));
    preview.querySelector("button").addEventListener("click", () => this.#setPicture(undefined));
    this.#field.value ||= recall(this.#draftKey, "sessionStorage") ?? "";
    this.#changed();
  }

  focus() {
    // On a phone the keyboard would cover what the person came to read.
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  /** Another place, with what was being written there. */
  show(place, placeholder) {
    if (this.#edited) this.#endEdit();
    this.#place = place;
    this.#field.placeholder = placeholder;
    this.#field.value = recall(this.#draftKey, "sessionStorage") ?? "";
    this.#setPicture(undefined);
    this.#changed();
  }

  /** Puts `text` back for editing, before what is being written. */
  restore(text) {
    this.#field.value = this.#field.value ? `${text}\n${this.#field.value}` : text;
    this.#changed();
    this.#field.focus();
  }

  /** The next Send changes a message instead. */
  edit(text) {
    this.#edited = { draft: this.#edited?.draft ?? this.#field.value };
    this.#field.value = text;
    this.#say(words.editing);
    this.#changed();
    this.#field.focus();
  }

  /** The message that was being changed is not there any more. */
  endEdit() {
    if (this.#edited) this.#endEdit();
  }

  get #draftKey() {
    return this.#place ? `draft:${this.#place}` : "draft";
  }

  #pressed(event) {
    if (isComposing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && this.#edited) {
      event.stopPropagation();
      this.#endEdit();
    } else if (event.key === "ArrowUp" && !this.#field.value) {
      event.preventDefault();
      this.onRecall();
    }
  }

  #typed() {
    this.#changed();
    if (!this.#field.value || performance.now() - this.#toldTyping < typingEvery) return;
    if (this.onTyping()) this.#toldTyping = performance.now();
  }

  #submit() {
    const text = this.#field.value.trim();
    const picture = this.#picture;
    if (!text && !picture) return;
    this.#toldTyping = -Infinity;
    if (this.#edited) {
      this.#endEdit();
      return this.onEdited(text);
    }
    this.#field.value = "";
    this.#setPicture(undefined);
    this.#changed();
    this.onSend({ text, picture });
  }

  #endEdit() {
    this.#field.value = this.#edited.draft;
    this.#edited = undefined;
    this.#say("");
    this.#changed();
  }

  async #takeFile(file, event) {
    if (!file) return;
    event?.preventDefault();
    try {
      this.#setPicture(await shrink(file));
    } catch (error) {
      this.#say(error.message === "too_large" ? words.pictureTooLarge(pictureMegabytes) : words.pictureUnreadable);
    }
  }

  #setPicture(picture) {
    const image = this.#preview.querySelector("img");
    URL.revokeObjectURL(image.src);
    this.#picture = picture;
    this.#preview.hidden = !picture;
    if (picture) image.src = URL.createObjectURL(new Blob([picture.bytes], { type: picture.type }));
    if (!this.#edited) this.#say(picture ? words.pictureReady(Math.ceil(picture.bytes.byteLength / 1000)) : "");
    this.#changed();
  }

  #say(text) {
    this.#note.textContent = text;
    this.#note.hidden = text === "";
  }

  #changed() {
    if (!this.#edited) remember(this.#draftKey, this.#field.value || null, "sessionStorage");
    const isEmpty = this.#field.value.trim() === "" && !this.#picture;
    this.#form.toggleAttribute("data-empty", isEmpty);
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}

// 229 is what older browsers report for a key the input method took.
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

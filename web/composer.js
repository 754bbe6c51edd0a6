// The text field and its form: Enter sends, Shift+Enter breaks the line, an input method's Enter chooses
// a word. Never disabled. What was typed survives a refresh.

const draftKey = "oncewire-chat:draft";

export class Composer {
  #form;
  #field;

  /** `send(text)` takes what was written. */
  constructor(form, send) {
    this.#form = form;
    this.#field = form.elements.text;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.value ||= draft.load();
    this.#changed();
    // On a phone the keyboard would cover what the person came to read.
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  /** Puts `text` back for editing, before what is being written. */
  restore(text) {
    this.#field.value = this.#field.value ? `${text}\n${this.#field.value}` : text;
    this.#changed();
    this.#field.focus();
  }

  #submit(send) {
    const text = this.#field.value.trim();
    if (!text) return;
    this.#field.value = "";
    this.#changed();
    send(text);
  }

  #changed() {
    draft.save(this.#field.value);
    this.#form.toggleAttribute("data-empty", this.#field.value.trim() === "");
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}

// 229 is what older browsers report for a key the input method took.
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

const draft = {
  load() {
    try {
      return sessionStorage.getItem(draftKey) ?? "";
    } catch {
      return "";
    }
  },
  save(text) {
    try {
      sessionStorage.setItem(draftKey, text);
    } catch {
      // then a refresh forgets it
    }
  },
};

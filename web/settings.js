// Name, language, colours, and how to be forgotten.

import { me } from "./me.js";
import { chooseLanguage, language, languages, testLanguage, words } from "./words.js";

export class Settings {
  /** The person wants to be called this. */
  onRename = () => {};

  #parts;

  /** `countWaiting()`: messages in the outbox. */
  constructor(parts, here, countWaiting) {
    this.#parts = parts;
    const { dialog, open, name, save, select, themes, signOut, hint, sure, yes, no } = parts;
    open.addEventListener("click", () => {
      name.value = me.name;
      name.disabled = save.disabled = me.token !== undefined;
      hint.textContent = words.signOutHint(countWaiting());
      askAgain(false);
      dialog.showModal();
    });
    parts.close.addEventListener("click", () => dialog.close());
    save.addEventListener("click", () => this.#rename());
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // it would press the button that gets the focus back
      this.#rename();
    });
    this.#offerLanguages(select);
    this.#offerThemes(themes, here.theme);
    // On a page of somebody else's they are the page's to choose.
    themes.hidden = parts.languages.hidden = !here.isPage;
    // Once asked for and once confirmed: there is no way back.
    const askAgain = (isAsking) => {
      sure.hidden = !isAsking;
      signOut.hidden = isAsking;
    };
    signOut.addEventListener("click", () => (askAgain(true), no.focus()));
    no.addEventListener("click", () => (askAgain(false), signOut.focus()));
    yes.addEventListener("click", () => me.forget().then(here.restart));
  }

  #rename() {
    this.onRename(this.#parts.name.value.trim());
    this.#parts.dialog.close();
  }

  #offerLanguages(select) {
    for (const [code, name] of Object.entries(languages)) {
      if (code !== testLanguage || language === testLanguage) select.add(new Option(name, code));
    }
    select.value = language;
    select.addEventListener("change", () => chooseLanguage(select.value));
  }

  #offerThemes(fieldset, colours) {
    for (const [theme, label] of Object.entries(words.themes)) {
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "theme", value: theme, checked: colours.chosen === theme });
      input.addEventListener("change", () => colours.choose(theme));
      const line = document.createElement("label");
      line.append(input, label);
      fieldset.append(line);
    }
  }
}

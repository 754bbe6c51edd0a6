// Everything the page says, in the language of whoever reads it.

import { surface } from "./surface.js";
import { en } from "./words/en.js";

const storageKey = "oncewire-chat:language";
const others = {
  zh: () => import("./words/zh.js").then((module) => module.zh),
  ja: () => import("./words/ja.js").then((module) => module.ja),
  de: () => import("./words/de.js").then((module) => module.de),
  es: () => import("./words/es.js").then((module) => module.es),
  ar: () => import("./words/ar.js").then((module) => module.ar),
  fr: () => import("./words/fr.js").then((module) => module.fr),
  pt: () => import("./words/pt.js").then((module) => module.pt),
  ko: () => import("./words/ko.js").then((module) => module.ko),
  // For us: every word is there, marked and read from right to left.
  "en-XB": () => import("./words/pseudo.js").then((module) => module.pseudo(en)),
};

/** Nobody's: for whoever looks whether a text was forgotten or does not fit. By ?lang alone. */
export const testLanguage = "en-XB";

/** Languages by their own names. */
export const languages = { en: "English", zh: "中文", ja: "日本語", de: "Deutsch", es: "Español", fr: "Français", pt: "Português", ko: "한국어", ar: "العربية", "en-XB": "English ⇄" };

export const language = chosen();
export const words = { ...en, ...(await others[language]?.().catch(() => undefined)) };

/** Says everything that a chat says from the beginning. */
export function speak({ root, app }) {
  app.lang = language;
  app.dir = words.direction ?? "ltr";
  for (const node of root.querySelectorAll("[data-words]")) fill(node);
}

/** Takes effect with the next page: drafts and outbox survive that. */
export function chooseLanguage(code) {
  try {
    localStorage.setItem(storageKey, code);
  } catch {
    // then the system's
  }
  location.reload();
}

function chosen() {
  const { isPage, locale } = surface.current;
  const asked = isPage ? new URLSearchParams(location.search).get("lang") : locale;
  const wanted = [asked, stored(), ...(navigator.languages ?? [])];
  for (const code of wanted) {
    const known = code && [code, code.split("-")[0]].find((each) => each in languages);
    if (known) return known;
  }
  return "en";
}

function stored() {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

// data-words="text key; attribute: key": what a node of the page says.
function fill(node) {
  for (const part of node.dataset.words.split(";")) {
    const [attribute, key] = part.includes(":") ? part.split(":") : [undefined, part];
    const text = words[key.trim()];
    if (attribute) node.setAttribute(attribute.trim(), text);
    else node.textContent = text;
  }
}

// What people are called: their name, with a tag where two share one or somebody has none.

import { tagOf } from "./me.js";
import { words } from "./words.js";

const names = new Map(); // id → name
const holders = new Map(); // folded name → ids

const fold = (name) => name.normalize("NFKC").toLocaleLowerCase();

/** True if it is news, so that what is shown should be shown anew. */
export function learnName(id, name) {
  if (!id || names.get(id) === name) return false;
  names.set(id, name);
  if (!name) return true;
  const known = holders.get(fold(name)) ?? new Set();
  holders.set(fold(name), known.add(id));
  return true;
}

/** As the others are shown. `name`: as it was when the message was written. */
export function nameOf({ id, name = names.get(id), key }) {
  if (!name) return words.guest(id ? tagOf(id) : (key?.slice(0, 4) ?? ""));
  const isShared = (holders.get(fold(name))?.size ?? 0) > 1;
  return isShared ? `${name} · ${tagOf(id)}` : name;
}

/** Eight calm colours, so that people can be told apart. */
export function hueOf(id) {
  let sum = 0;
  for (const char of id ?? "") sum = (sum * 31 + char.codePointAt(0)) % 8191;
  return sum % 8;
}

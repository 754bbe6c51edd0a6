// What people are called: their name, with a tag where two share one or somebody has none.

import { looksOf } from "./lookalike.js";
import { tagOf } from "./me.js";
import { words } from "./words.js";

const lookedAtMax = 5000; // looks of names that are kept

const names = new Map(); // id → name
const holders = new Map(); // look of a name → ids
const looks = new Map(); // name → its looks

/** True if it is news, so that what is shown should be shown anew. */
export function learnName(id, name) {
  if (!id || names.get(id) === name) return false;
  names.set(id, name);
  if (name) hold(id, name);
  return true;
}

function hold(id, name) {
  for (const look of looksAt(name)) holders.set(look, (holders.get(look) ?? new Set()).add(id));
}

function looksAt(name) {
  const known = looks.get(name);
  if (known) return known;
  if (looks.size >= lookedAtMax) looks.clear();
  const found = looksOf(name);
  looks.set(name, found);
  return found;
}

/**
 * As the others are shown: by the name they have now. `name`: as it was when the message was written, for those who
 * have not been here since.
 */
export function nameOf({ id, name: written, key }) {
  const name = names.get(id) ?? written;
  if (!name) return words.guest(id ? tagOf(id) : (key?.slice(0, 4) ?? ""));
  const others = (held) => (held?.size ?? 0) - (held?.has(id) ? 1 : 0);
  const isShared = [...looksAt(name)].some((look) => others(holders.get(look)) > 0);
  if (id) hold(id, name); // whoever wrote something is somebody, here or not
  return isShared ? `${name} · ${tagOf(id ?? key)}` : name;
}

/** Eight calm colours, so that people can be told apart. */
export function hueOf(id) {
  let sum = 0;
  for (const char of id ?? "") sum = (sum * 31 + char.codePointAt(0)) % 8191;
  return sum % 8;
}

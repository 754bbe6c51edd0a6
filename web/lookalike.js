// Which names people take for the same: what cannot be seen, blanks, capitals and characters that look like
// others tell nobody apart. Unicode's UTS 39.

import { confusables } from "./confusables.js";

const prototypes = new Map();
for (const line of confusables.split("\n")) {
  const end = line.lastIndexOf(" ");
  for (const char of line.slice(end + 1)) prototypes.set(char, line.slice(0, end));
}

const invisible = /\p{Default_Ignorable_Code_Point}/gu;
const blanks = /[\p{White_Space}\u2800]+/gu;

/** What is seen of a name. */
const seen = (name) => name.replace(invisible, "").replace(blanks, " ").trim();
const skeleton = (name) => Array.from(name.normalize("NFD"), (char) => prototypes.get(char) ?? char).join("").normalize("NFD");
const small = (name) => name.normalize("NFKC").toLowerCase();

/** Two names are taken for one another if they have one of these in common. A tag too many does no harm. */
export function looksOf(name) {
  const text = seen(name);
  // UTS 39 has 1, I and l alike, and i apart.
  return new Set([small(text), skeleton(small(skeleton(text))).replaceAll("l", "i")]);
}

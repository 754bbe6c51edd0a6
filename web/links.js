// Text as nodes: what looks like an address becomes a link, everything else stays text. Anybody may have written
// the text, so every character is looked at a bounded number of times, however it is made.

/** Characters of an address. What is longer is no address that anybody would follow. */
const longest = 2048;
const longestLocalPart = 64;
const longestDomain = 255;

// No repetition in it: each place is tried once.
const beginning = /\b(?:https?:\/\/|mailto:|www\.)|@/gi;
const allowed = new Set(["http:", "https:", "mailto:"]);

// Blanks, what HTML and quotations are made of, and the punctuation of Chinese and Japanese, which stands without blanks.
const isBreak = (c) => c === undefined || /[\s<>"'`\u3000-\u303f\uff01-\uff0f\uff1a-\uff1f]/.test(c);
const isPunctuation = (c) => ".,;:!?…".includes(c);
const isOfLocalPart = (c) => c !== undefined && /[\w.+%-]/.test(c);
const isOfDomain = (c) => c !== undefined && /[\p{L}\p{N}.-]/u.test(c);

/** Appends `text` to `parent`; nothing in it is ever read as markup. */
export function appendText(parent, text) {
  let end = 0;
  for (const { from, to, href } of findAddresses(text)) {
    parent.append(text.slice(end, from), link(text.slice(from, to), href));
    end = to;
  }
  parent.append(text.slice(end));
}

function link(text, href) {
  const link = document.createElement("a");
  link.href = href;
  link.rel = "noopener noreferrer nofollow ugc";
  link.target = "_blank";
  link.textContent = text;
  return link;
}

/** Where addresses stand in `text`, in order, and where each leads. `at`: a character of the text. */
export function* findAddresses(text, at = (i) => text[i]) {
  let seen = 0; // what is before was looked at
  for (const { 0: mark, index } of text.matchAll(beginning)) {
    if (index < seen) continue;
    const found = mark === "@" ? mailAround(index, seen, at) : addressFrom(index, text.length, at);
    seen = found.seen;
    const href = found.to > found.from && hrefOf(text.slice(found.from, found.to), mark);
    if (href) yield { from: found.from, to: found.to, href };
  }
}

function addressFrom(from, length, at) {
  let seen = from;
  while (seen < length && !isBreak(at(seen))) seen++;
  const to = seen - from > longest ? from : trimmedEnd(from, seen, at);
  return { from, to, seen };
}

// The full stop after an address belongs to the sentence, and so does a bracket nobody opened.
function trimmedEnd(from, to, at) {
  let unopened = 0;
  for (let i = from; i < to; i++) unopened += { "(": -1, ")": 1 }[at(i)] ?? 0;
  for (; to > from; to--) {
    if (isPunctuation(at(to - 1))) continue;
    if (at(to - 1) !== ")" || unopened-- <= 0) break;
  }
  return to;
}

function mailAround(sign, seen, at) {
  let from = sign;
  while (from > seen && sign - from <= longestLocalPart && isOfLocalPart(at(from - 1))) from--;
  let to = sign + 1;
  while (to - sign <= longestDomain && isOfDomain(at(to))) to++;
  const isTooLong = sign - from > longestLocalPart || to - sign > longestDomain;
  while (to > sign + 1 && ".-".includes(at(to - 1))) to--;
  return { from, to: isTooLong ? from : to, seen: to };
}

/** [RFC5321 4.1.2] as people write it: no quotes, and a domain of several names. */
function isMail(address) {
  const [local, domain] = address.split("@");
  const names = domain.split(".");
  const isName = (name) => name !== "" && !name.startsWith("-") && !name.endsWith("-");
  return local.split(".").every(Boolean) && names.length > 1 && names.every(isName) && /^\p{L}{2,}$/u.test(names.at(-1));
}

/** Undefined: it only looked like an address. */
function hrefOf(address, mark) {
  if (mark === "@") return isMail(address) ? `mailto:${address}` : undefined;
  const isHost = mark.toLowerCase() === "www.";
  if (isHost && !/^www\.[^/?#:.]+\.[^/?#:]/i.test(address)) return undefined;
  const url = parsed(isHost ? `https://${address}` : address);
  return url && allowed.has(url.protocol) ? url.href : undefined;
}

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

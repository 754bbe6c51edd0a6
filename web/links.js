// Text as nodes: what looks like an address becomes a link, everything else stays text.

const candidate = /\b(?:https?:\/\/|mailto:)[^\s<>"'`]+/gi;
const allowed = new Set(["http:", "https:", "mailto:"]);

/** Appends `text` to `parent`; nothing in it is ever read as markup. */
export function appendText(parent, text) {
  let end = 0;
  for (const match of text.matchAll(candidate)) {
    const address = trimmed(match[0]);
    const link = linkTo(address);
    if (!link) continue;
    parent.append(text.slice(end, match.index), link);
    end = match.index + address.length;
  }
  parent.append(text.slice(end));
}

function linkTo(address) {
  const url = URL.parse ? URL.parse(address) : parsed(address);
  if (!url || !allowed.has(url.protocol)) return undefined;
  const link = document.createElement("a");
  link.href = url.href;
  link.rel = "noopener noreferrer nofollow ugc";
  link.target = "_blank";
  link.textContent = address;
  return link;
}

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

// The full stop after an address belongs to the sentence, and so does a bracket nobody opened.
function trimmed(address) {
  let end = address.replace(/[.,;:!?…。、]+$/, "");
  while (end.endsWith(")") && !end.includes("(")) end = end.slice(0, -1);
  return end;
}

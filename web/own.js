// Which messages are mine, also those of earlier visits: the producers this browser has sent as.

const storageKey = "oncewire-chat:own";
const limit = 200; // a browser that opened more tabs than this sees its oldest messages as a guest's

const own = new Set(load());

export function isOwn(producer) {
  return own.has(producer);
}

export function rememberOwn(producer) {
  if (own.has(producer)) return;
  own.add(producer);
  try {
    localStorage.setItem(storageKey, JSON.stringify([...new Set([...load(), ...own])].slice(-limit)));
  } catch {
    // then until the page is left
  }
}

function load() {
  try {
    const list = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

// Small things this browser remembers. Where storage is refused they last until the page is left.

const prefix = "oncewire-chat:";
const kept = new Map();

export function recall(key, area = "localStorage") {
  try {
    return globalThis[area].getItem(prefix + key) ?? kept.get(key) ?? null;
  } catch {
    return kept.get(key) ?? null;
  }
}

/** `value` null: forget it. */
export function remember(key, value, area = "localStorage") {
  if (value === null) kept.delete(key);
  else kept.set(key, value);
  try {
    if (value === null) globalThis[area].removeItem(prefix + key);
    else globalThis[area].setItem(prefix + key, value);
  } catch {
    // then until the page is left
  }
}

export function recallJson(key, otherwise) {
  try {
    return JSON.parse(recall(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Calls `listener` when another tab, or another chat of this page, has forgotten this. */
export function onForgotten(key, signal, listener) {
  const isIt = (event) => event.key === null || (event.key === prefix + key && event.newValue === null);
  addEventListener("storage", (event) => isIt(event) && listener(), { signal });
}

/** Other tabs hear it by themselves; other chats of this page do not. */
export function tellForgotten(key) {
  dispatchEvent(new StorageEvent("storage", { key: prefix + key, newValue: null }));
}

export const rememberJson = (key, value) => remember(key, JSON.stringify(value));

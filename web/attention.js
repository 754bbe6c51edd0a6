// Whether somebody looks: the page is in front and, inside another site, its panel is open.

let isOpen = true;
const listeners = new Set();

export const isLooking = () => !document.hidden && isOpen;

export function setOpen(value) {
  if (isOpen === value) return;
  isOpen = value;
  for (const listener of listeners) listener();
}

/** Calls `listener` when it may have changed. */
export function onAttention(listener) {
  listeners.add(listener);
  document.addEventListener("visibilitychange", listener);
}

// Whether somebody looks: the page is in front and, inside another site, its panel is open.

let isOpen = true;
const listeners = new Set();

export const isLooking = () => !document.hidden && isOpen;

export function setOpen(value) {
  if (isOpen === value) return;
  isOpen = value;
  for (const listener of listeners) listener();
}

/** Calls `listener` when it may have changed, until `signal` is aborted. */
export function onAttention(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  document.addEventListener("visibilitychange", listener, { signal });
}

// Whether somebody looks: the page is in front and, inside another site, its panel is open.

let open = true;
const listeners = new Set();

export const isLooking = () => !document.hidden && open;
/** Whether its panel is open; a page of its own always is. */
export const isOpen = () => open;

export function setOpen(value) {
  if (open === value) return;
  open = value;
  for (const listener of listeners) listener();
}

/** Calls `listener` when it may have changed, until `signal` is aborted. */
export function onAttention(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  document.addEventListener("visibilitychange", listener, { signal });
}

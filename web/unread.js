// How far this person has read each place.

import { recallJson, rememberJson } from "./storage.js";

const seen = recallJson("read", {}); // place → id

/** 0 if the place was never opened. */
export const readUpTo = (place) => seen[place] ?? 0;

/** True if it is news. */
export function markRead(place, id) {
  if (id <= readUpTo(place)) return false;
  seen[place] = id;
  rememberJson("read", { ...recallJson("read", {}), ...seen });
  return true;
}

// Where in the chat somebody is, as an address: #room/design, #user/v-17, and one message of it by ?m=17. The
// place of everybody has none.

import { isPrivate, mainPlace } from "./places.js";

export function hashOf(place, message) {
  const path = place === mainPlace ? "" : place.split("/").map(encodeURIComponent).join("/");
  const rest = message === undefined ? "" : `?m=${message}`;
  return path || rest ? `#${path}${rest}` : "";
}

/** {place, message}; the place of everybody for what is no address of ours. */
export function whereIs(hash) {
  const [path, query] = hash.replace(/^#/, "").split("?");
  const message = Number(new URLSearchParams(query).get("m")) || undefined;
  return { place: placeOf(path), message };
}

function placeOf(path) {
  try {
    const place = decodeURIComponent(path);
    return (place.startsWith("room/") || isPrivate(place)) && place.length > 5 ? place : mainPlace;
  } catch {
    return mainPlace;
  }
}

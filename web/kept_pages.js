// The last page of each visited place, on this device: what is shown after a reload without a network, until the
// server has said what is true now.

import { forgetDurably, recallAll, rememberDurably } from "./durable.js";

const messagesKept = 50; // of each place
const placesKept = 30;
const pause = 1000; // ms: what changes often is written once

let timer;
const changed = new Set();

/** [{place, at, posts}], posts oldest first. */
export async function keptPages() {
  const pages = await recallAll("pages");
  return pages.filter(({ place, posts }) => typeof place === "string" && Array.isArray(posts));
}

/** `place`: one of Places, whose messages have changed. Written a moment later. */
export function keepPage(place) {
  changed.add(place);
  timer ??= setTimeout(write, pause);
}

export async function forgetPages() {
  clearTimeout(timer);
  changed.clear();
  for (const { place } of await keptPages()) await forgetDurably(place, "pages");
}

async function write() {
  timer = undefined;
  const places = [...changed];
  changed.clear();
  // All at once: a page that goes has no time for one after the other.
  const keep = ({ id, timeline }) => {
    const posts = timeline.newestPosts(messagesKept);
    return posts.length > 0 && rememberDurably(id, { place: id, at: Date.now(), posts }, "pages");
  };
  await Promise.all(places.map(keep));
  const pages = await keptPages();
  const old = pages.sort((a, b) => b.at - a.at).slice(placesKept);
  for (const { place } of old) await forgetDurably(place, "pages");
}

// What was about to be written when the page goes is written now, as far as the browser lets it.
globalThis.addEventListener?.("pagehide", () => changed.size > 0 && write());

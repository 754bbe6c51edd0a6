// A room with much in it, for floods that ask for what is there: written once, with the limits off.
import { DurableProducer, token } from "../support/durable.mjs";

export const LIBRARY = "room/library";

/** What is almost there everywhere: the longest that may be searched for, and the slowest to be found missing. */
export const NEEDLE = `${"a".repeat(98)}bc`;

/** So many messages of 30 kB. */
export async function fillLibrary(url, count) {
  const writer = new DurableProducer(url, { auth: { visitor: token(), name: "Librarian", live: true } });
  for (let n = 0; n < count; n++) writer.push(["post", LIBRARY, { text: `${n} ${"a".repeat(30_000)}` }]);
  await writer.settled();
  await writer.stop();
}

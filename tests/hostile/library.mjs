// A room with much in it, for floods that ask for what is there: written once, with the limits off.
import { DurableProducer, token } from "../support/durable.mjs";

export const LIBRARY = "room/library";

/** So many messages of 30 kB. */
export async function fillLibrary(url, count) {
  const writer = new DurableProducer(url, { auth: { visitor: token(), name: "Librarian", live: true } });
  for (let n = 0; n < count; n++) writer.push(["post", LIBRARY, { text: `${n} ${"lorem ipsum ".repeat(2500)}` }]);
  await writer.settled();
  await writer.stop();
}

// Every flood of the tier. Each is { name, door, run(attack) } and, where the usual bounds do not fit:
//   diskMegabytes  how much may be stored: what honest people behind one address may store in that time
//   megabytes      how much it sends at most
//   atMost         by what attack.note() counts: how far it may get, an allowance and some
//   library        it needs a room with much in it (LIBRARY of library.mjs)
//   short          it is in the short form, too
import { http } from "./floods/http.mjs";
import { sockets } from "./floods/sockets.mjs";
import { sessions } from "./floods/sessions.mjs";
import { questions } from "./floods/questions.mjs";
import { promises } from "./floods/promises.mjs";
import { people } from "./floods/people.mjs";

const of = (door, list) => list.map((flood) => ({ door, ...flood }));

export const floods = [
  ...of("HTTP", http),
  ...of("WebSocket", sockets),
  ...of("Socket.IO", sessions),
  ...of("questions", questions),
  ...of("delivery", promises),
  ...of("people", people),
];

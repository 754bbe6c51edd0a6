// The one socket, who it speaks for, and questions to the server. All the page knows of delivery is the
// public client.

import { isOpen } from "./attention.js";
import { home } from "./home.js";
import { me } from "./me.js";
import { recall, remember } from "./storage.js";

const { io } = await import(new URL("socket.io/socket.io.esm.min.js", home).href);

const patience = 15_000; // ms for an answer
const lookEvery = 4000; // ms between two looks at a server that cannot be reached
const refreshAhead = 60_000; // ms before a token ends

/** Rooms to hear, as they are when it connects. */
export const rooms = new Set();
/** What the embedding site asks for a token. */
let getToken;

/** `server`: where it is, if this page comes from elsewhere. */
export function open(tokens, server = location.origin) {
  getToken = tokens;
  if (me.token) remember("owner", me.owner);
  const socket = io(server, {
    path: `${home.pathname}socket.io`,
    forceNew: true,
    delivery: "exactly-once",
    // Without a network there is no token, and yet it is the same person's outbox.
    owner: (tokens && recall("owner")) || me.owner,
    // Some proxies let no WebSocket through.
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    auth: (give) => describe().then(give),
  });
  // Others swallow it without a word: then polling comes first, and what can be had after it.
  socket.on("connect_error", ({ message }) => {
    if (message === "timeout") socket.io.opts.transports = ["polling", "websocket"];
  });
  return socket;
}

/** What the server was told last; a name that was chosen since has yet to be. */
export let toldName;
let toldOpen; // likewise, whether the panel is open

async function describe() {
  if (getToken) me.token = await getToken().catch(() => undefined);
  toldName = me.name;
  const who = me.token ? { token: me.token } : { visitor: me.secret, name: me.name };
  // A closed widget hears everything, and is nobody who could answer.
  toldOpen = isOpen();
  return { ...who, live: true, rooms: [...rooms], ...(toldOpen ? {} : { away: true }) };
}

/** Tells the server that the panel was opened or closed, unless it knows. */
export function tellOpen(socket) {
  if (!socket.connected || toldOpen === isOpen()) return;
  toldOpen = isOpen();
  tell(socket, "here", toldOpen);
}

/** Asks for a fresh token before the one in use ends, until `signal` is aborted. */
export function keepSignedIn(socket, signal) {
  if (!getToken) return;
  const renew = async () => {
    if (signal.aborted) return;
    const token = await getToken().catch(() => undefined);
    if (token && socket.connected) await ask(socket, "token", token).catch(() => {});
    if (token) me.token = token;
    setTimeout(renew, pauseFor(me.token));
  };
  setTimeout(renew, pauseFor(me.token));
}

function pauseFor(token) {
  try {
    const { exp } = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return Math.min(Math.max(exp * 1000 - Date.now() - refreshAhead, 5_000), 2 ** 31 - 1);
  } catch {
    return refreshAhead;
  }
}

let looked; // when, and what was found

/**
 * What stands between this page and the server, because a WebSocket that fails does not say why: "full" (it takes no
 * more connections), "stranger" (it does not let this site connect), or "offline".
 */
export async function whatIsWrong(server = location.origin) {
  if (performance.now() - looked?.at < lookEvery) return looked.found;
  looked = { at: performance.now(), found: find(server) };
  return looked.found;
}

async function find(server) {
  const url = `${server}${home.pathname}socket.io/?EIO=4&transport=polling`;
  try {
    const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(patience) });
    const text = await answer.text();
    if (answer.status === 503) return /^too many/.test(text) ? "full" : "offline";
    if (answer.status === 403) return "stranger";
    // There is room by now: what was opened only to ask is closed again.
    const { sid } = JSON.parse(text.slice(1));
    await fetch(`${url}&sid=${encodeURIComponent(sid)}`, { method: "POST", body: "1" });
  } catch {
    // Nobody is there, or the answer is not for this site: it may be asked for, but not read.
    const isThere = await fetch(`${server}${home.pathname}favicon.svg`, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false);
    if (isThere && server !== location.origin) return "stranger";
  }
  return "offline";
}

/** Tells the server something that leaves no trace, as soon as the link takes it. */
export async function tell(socket, event, ...args) {
  await untilWritable(socket);
  socket.volatile.emit(event, ...args);
}

/** The server's answer to a question that leaves no trace; rejects with {code, message}. */
export const ask = (socket, event, ...args) => askPatiently(patience, socket, event, ...args);

/** The same, with so many milliseconds for the answer. */
export async function askPatiently(patience, socket, event, ...args) {
  await untilWritable(socket);
  return new Promise((resolve, reject) => {
    const lost = () => reject(Object.assign(new Error("the link is gone"), { code: "no_answer" }));
    if (!socket.connected) return lost();
    socket.once("disconnect", lost);
    socket.timeout(patience).volatile.emit(event, ...args, (late, refusal, answer) => {
      socket.off("disconnect", lost);
      if (late) reject(Object.assign(late, { code: "no_answer" }));
      else if (refusal) reject(Object.assign(new Error(refusal.message), { code: refusal.error }));
      else resolve(answer);
    });
  });
}

// What is volatile is dropped while the link is busy; this has time.
async function untilWritable(socket) {
  while (socket.connected && socket.io.engine?.writable === false) {
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

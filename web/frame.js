// The chat inside another site: what the site's loader says, and what it is told, over a channel that only
// the two of us hold.

import { setOpen } from "./attention.js";
import { me } from "./me.js";

const params = new URLSearchParams(location.search);

/** Nothing if this is a page of its own; else {room, getToken, tell}. */
export async function connectFrame(here) {
  if (here.isPage && (!params.has("frame") || globalThis.parent === globalThis)) return undefined;
  const { port, options } = here.isPage ? await hello() : here;
  setOpen(options.isOpen === true);
  if (here.isPage) paint(here.app, options);
  const answers = new Map();
  let asked = 0;
  const frame = {
    room: roomOf(options.room),
    /** The site has a button that opens and closes it. */
    canClose: options.canClose === true,
    getToken: options.hasToken ? () => request("token") : undefined,
    tell: (type, detail = {}) => port.postMessage({ type, ...detail }),
  };
  const request = (type) =>
    new Promise((resolve, reject) => {
      answers.set(++asked, { resolve, reject });
      port.postMessage({ type, number: asked });
    });
  port.onmessage = ({ data }) => {
    const waiting = answers.get(data.number);
    if (data.type === "answer" && waiting) {
      answers.delete(data.number);
      if (typeof data.value === "string") waiting.resolve(data.value);
      else waiting.reject(new Error("no token"));
    }
    if (data.type === "theme") here.theme.choose(data.theme, { keep: false });
    if (data.type === "visible") setOpen(data.isOpen);
    if (data.type === "forget") {
      me.forget().then(here.restart);
    }
    if (data.type === "focus") here.root.getElementById("text")?.focus({ preventScroll: true });
  };
  here.root.addEventListener("keydown", (event) => event.key === "Escape" && frame.tell("close"));
  return frame;
}

/** The site's accent, which its styles cannot bring into a frame. */
function paint({ style }, { accent, onAccent }) {
  for (const [name, colour] of [["--oncewire-accent", accent], ["--oncewire-on-accent", onAccent]]) {
    if (typeof colour === "string" && CSS.supports("color", colour)) style.setProperty(name, colour);
  }
}

// The server said which sites may frame us, so whoever does may talk to us.
function hello() {
  return new Promise((resolve) => {
    addEventListener("message", function listen({ data, source, ports }) {
      if (source !== parent || data?.oncewire !== "hello" || !ports[0]) return;
      removeEventListener("message", listen);
      resolve({ port: ports[0], options: data });
    });
    parent.postMessage({ oncewire: "frame" }, "*");
  });
}

const roomOf = (name) => (typeof name === "string" && name.trim() ? `room/${name.trim().slice(0, 40)}` : undefined);

// What both phones do the same way: they take key presses from the page around them, and tell it what happens.
import { PhoneView } from "/demo/phone_view.js";

const run = new URLSearchParams(location.search).get("run");
const view = new PhoneView(document.getElementById("bubbles"));

function tell(event) {
  parent.postMessage({ demo: run, ...event }, "*"); // numbers and states, no secrets
}

/** The text of a message, and back: who left messages of an earlier run behind is not heard. */
export const textOf = (n) => `${run} ${n}`;
export const numberIn = (text) => (String(text).startsWith(`${run} `) ? Number(text.slice(run.length + 1)) || null : null);

export function stateOf(n, state, key) {
  if (state !== "stored") view.put(n, state); // that one dries when it is heard
  tell({ kind: "state", n, state, key });
}
export function shown(text) {
  const n = numberIn(text);
  if (n === null) return;
  view.show(n);
  tell({ kind: "shown", n });
}
export const linked = (up) => tell({ kind: "link", up });

/** `press(n)`: sends. `mayReload()`: resolves when the page may go. */
export function begin({ press, mayReload = async () => {} }) {
  addEventListener("message", async ({ data, source }) => {
    if (source !== parent) return;
    if (data.press) {
      view.put(data.press, "pressed");
      tell({ kind: "press", n: data.press });
      press(data.press);
    } else if (data.reload) {
      await mayReload();
      location.reload();
    }
  });
  tell({ kind: "page" });
}

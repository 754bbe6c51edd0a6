// The left phone: our client, with the one option that a page needs.
import { io } from "/client/socket.io.esm.min.js";
import { begin, linked, numberIn, shown, stateOf, textOf } from "/phone_frame.js";

const names = { saving: "pressed", queued: "kept", sent: "sent", accepted: "stored", rejected: "dropped", unknown: "dropped" };

begin({
  press: (n) => socket.emit("chat message", textOf(n)),
  // As guardClose() of the outbox has a browser do: a page with something that is not on the device asks before it goes.
  async mayReload() {
    const isSafe = () => socket.outbox.entries().every((entry) => entry.saved);
    while (!isSafe()) await new Promise((resolve) => socket.outbox.once("change", resolve));
  },
});

const socket = io({ delivery: { events: ["chat message"] } });
socket.outbox.on("change", ({ args: [text], state, saved, key }) => {
  const n = numberIn(text);
  if (n !== null) stateOf(n, saved && state === "saving" ? "kept" : names[state], key);
});
socket.on("chat message", shown);
socket.on("connect", () => linked(true));
socket.on("disconnect", () => linked(false));

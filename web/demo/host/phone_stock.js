// The right phone: npm's socket.io-client as the tutorial has it after its last chapter on delivery. Each message has an
// id of its own, is offered again after ten seconds without an answer, three times, and the page tells the server the
// last message it has. The callback, and listening to what leaves, are for the diagram alone.
import { io } from "/stock/socket.io.esm.min.js";
import { begin, linked, numberIn, shown, stateOf, textOf } from "/phone_frame.js";

let counter = 0;

begin({
  press(n) {
    const clientOffset = `${socket.id}-${counter++}`;
    socket.emit("chat message", textOf(n), clientOffset, (error) => stateOf(n, error ? "dropped" : "stored"));
  },
});

const socket = io({ auth: { serverOffset: 0 }, ackTimeout: 10_000, retries: 3 });
socket.on("chat message", (text, serverOffset) => {
  shown(text);
  socket.auth.serverOffset = serverOffset;
});
socket.onAnyOutgoing((event, text) => event === "chat message" && stateOf(numberIn(text), "sent"));
socket.on("connect", () => linked(true));
socket.on("disconnect", () => linked(false));

// The chat page: ties the socket to what is seen. All it knows of delivery is the public client.

import { io } from "/socket.io/socket.io.esm.min.js";

import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection_line.js";
import { rememberOwn } from "./own.js";
import { Scroll } from "./scroll.js";
import { Timeline } from "./timeline.js";
import { words } from "./words.js";

const $ = (id) => document.getElementById(id);
const messageEvent = "chat message";

const socket = io({ delivery: "exactly-once" });

const scroll = new Scroll({ scroller: $("scroller"), log: $("log"), jump: $("jump") });
const timeline = new Timeline($("log"), (change, always) => scroll.follow(change, always));
const composer = new Composer($("composer"), (text) => socket.emit(messageEvent, text));
const line = new ConnectionLine({ line: $("line"), text: $("line-text"), retry: $("retry") }, () =>
  socket.io.retryNow(),
);

const situation = { link: "connecting", isBusy: false, isUnsaved: false, catchingUp: 0 };
line.onPatienceLost = show;
timeline.onEdit = (text) => composer.restore(text);

function show(change) {
  Object.assign(situation, change);
  line.show({ ...situation, waiting: socket.outbox.size });
  timeline.setOffline(situation.link !== "online" && situation.link !== "connecting");
  $("toggle").textContent = socket.active ? words.disconnect : words.connect;
}

// ---- the link -------------------------------------------------------------------------------------

socket.on("connect", () => show({ link: "online", isBusy: false }));
socket.on("disconnect", (reason) => {
  const links = { "io client disconnect": "disconnected", "io server disconnect": "kicked" };
  show({ link: links[reason] ?? "offline", isBusy: false });
});
socket.on("connect_error", (error) => {
  if (error.permanent) show({ link: "broken", reason: error.message });
  else if (!socket.active) show({ link: "refused", reason: error.message });
  else show({ link: "offline" });
});

$("toggle").addEventListener("click", () => {
  if (socket.active) {
    socket.disconnect();
    show({ link: "disconnected" });
  } else {
    socket.connect();
    show({ link: "connecting" });
  }
});

// ---- messages -------------------------------------------------------------------------------------

socket.on(messageEvent, (text, id, meta) => {
  timeline.receive(text, id, meta);
  noteArrival();
});
socket.on("history_replaced", () => timeline.clearConfirmed());

socket.outbox.on("change", (entry) => {
  if (entry.event !== messageEvent) return;
  if (entry.key) rememberOwn(entry.key.split(":")[0]);
  timeline.showEntry(entry);
  // The server stores again when a message got through.
  if (entry.state === "accepted") situation.isBusy = false;
  show();
});
socket.outbox.on("renumber", (entry, before) => timeline.renameEntry(entry, before));
socket.outbox.on("busy", () => show({ isBusy: true }));
socket.outbox.on("durable", (isDurable) => show({ isUnsaved: !isDurable }));

// Many at once are what was missed; a second without any, and the rest is conversation.
const manyArrivals = 100;
const tellEvery = 500; // ms: a number that races is read by nobody
let arrivals = 0;
let toldAt = 0;
let quiet;
function noteArrival() {
  arrivals += 1;
  if (arrivals >= manyArrivals && performance.now() - toldAt > tellEvery) {
    toldAt = performance.now();
    show({ catchingUp: arrivals });
  }
  clearTimeout(quiet);
  quiet = setTimeout(() => {
    arrivals = 0;
    if (situation.catchingUp) show({ catchingUp: 0 });
  }, 1000);
  if (document.hidden) countUnread();
}

let unread = 0;
function countUnread() {
  unread += 1;
  document.title = `(${unread}) ${words.title}`;
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = words.title;
});

show();

// The chat: ties the socket to what is seen.

import { Actions } from "./actions.js";
import { hashOf, whereIs } from "./address.js";
import { isLooking, onAttention } from "./attention.js";
import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection_line.js";
import { copy, share } from "./copying.js";
import { Crowd } from "./crowd.js";
import { connectFrame } from "./frame.js";
import { Pages } from "./history.js";
import { keptPages } from "./kept_pages.js";
import { me, rememberOwn } from "./me.js";
import { learnName } from "./names.js";
import { Notices } from "./notices.js";
import { Outgoing } from "./outgoing.js";
import { People } from "./people.js";
import { isPrivate, mainPlace, personOf, Places } from "./places.js";
import { Pulse } from "./pulse.js";
import { Scroll } from "./scroll.js";
import { Search } from "./search.js";
import { ask, keepSignedIn, open, rooms, tell, tellOpen, toldName, whatIsWrong } from "./session.js";
import { Settings } from "./settings.js";
import { Shelf, shelf } from "./shelf.js";
import { Sidebar } from "./sidebar.js";
import { onForgotten, recallJson, rememberJson } from "./storage.js";
import { surface } from "./surface.js";
import { TakingBack } from "./taking_back.js";
import { speak, words } from "./words.js";

const here = surface.current;
const $ = (id) => here.root.getElementById(id);

speak(here);
const frame = await connectFrame(here);
if (frame?.getToken) me.token = await frame.getToken().catch(() => undefined);
for (const room of recallJson("rooms", [])) rooms.add(room);
// Where this page was: its address says so.
const hasAddress = here.isPage && !frame;
const begin = hasAddress ? whereIs(location.hash) : { place: frame?.room ?? mainPlace };
for (const room of [frame?.room, begin.place]) if (room?.startsWith("room/")) rooms.add(room);

const socket = open(frame?.getToken, here.server);
keepSignedIn(socket, here.signal);
here.signal.addEventListener("abort", () => socket.disconnect());
const outgoing = new Outgoing(socket);
shelf.current = new Shelf(socket, outgoing);
outgoing.onDone = (picture) => shelf.current.keep(picture);
const takingBack = new TakingBack(socket, here.signal);
const countWaiting = () => socket.outbox.size + outgoing.size;
const scroll = new Scroll({ scroller: $("scroller"), jump: $("jump") });
const places = new Places({ socket, scroll, parent: $("logs"), top: $("top"), signal: here.signal });
const people = new People(socket);
const pulse = new Pulse(socket);
const crowd = new Crowd(socket);
crowd.onChange = describe;
const composer = new Composer({
  form: $("composer"),
  note: $("note"),
  preview: $("preview"),
  file: $("file"),
  attach: $("attach"),
  drop: $("chat"),
});
const line = new ConnectionLine({ line: $("line"), text: $("line-text"), retry: $("retry") }, () =>
  situation.link === "elsewhere" ? here.restart() : socket.io.retryNow(),
);
const search = new Search(socket, {
  panel: $("search"),
  open: $("search-open"),
  close: $("search-close"),
  field: $("search-field"),
  results: $("search-results"),
  note: $("search-note"),
  more: $("search-more"),
});
const knownRooms = new Set(); // that somebody opened
const sidebar = new Sidebar(
  {
    app: $("app"),
    aside: $("places"),
    open: $("places-open"),
    close: $("places-close"),
    veil: $("veil"),
    main: $("chat"),
    rooms: $("rooms"),
    people: $("people"),
    nobody: $("nobody"),
    badge: $("badge"),
    name: $("room-name"),
    create: $("room-create"),
  },
  places,
  people,
  knownRooms,
);
const settings = new Settings(
  {
    dialog: $("settings"),
    open: $("settings-open"),
    close: $("settings-close"),
    name: $("name"),
    save: $("name-save"),
    select: $("language"),
    languages: $("languages"),
    themes: $("themes"),
    signOut: $("sign-out"),
    hint: $("sign-out-hint"),
    sure: $("sign-out-sure"),
    yes: $("sign-out-yes"),
    no: $("sign-out-no"),
  },
  here,
  countWaiting,
);

// ---- the link -------------------------------------------------------------------------------------

const situation = { link: "connecting", isBusy: false, isUnsaved: false, catchingUp: 0 };
line.onPatienceLost = show;

function show(change) {
  Object.assign(situation, change);
  line.show({ ...situation, isSlow: pulse.isSlow, isCutOff: !navigator.onLine, waiting: countWaiting() });
  const isOffline = situation.link !== "online" && situation.link !== "connecting";
  for (const { timeline } of places.all) timeline.setOffline(isOffline);
  $("toggle").textContent = socket.active ? words.disconnect : words.connect;
}
pulse.onChange = show;
for (const change of ["online", "offline"]) addEventListener(change, () => show(), { signal: here.signal });

// What this browser keeps nowhere is lost with the page.
addEventListener("beforeunload", (event) => situation.isUnsaved && countWaiting() > 0 && event.preventDefault(), {
  signal: here.signal,
});

const lasting = new Set(["expired", "elsewhere"]);

socket.on("connect", () => {
  show({ link: "online", isBusy: false });
  places.load();
  lobby.begin();
});
socket.on("disconnect", (reason) => {
  const links = { "io client disconnect": "disconnected", "io server disconnect": "kicked" };
  show({ link: lasting.has(situation.link) ? situation.link : (links[reason] ?? "offline"), isBusy: false });
});
socket.on("connect_error", (error) => {
  if (error.permanent) show({ link: "broken", reason: error.message });
  else if (error.data?.code === "too_fast_here") comeBackLater();
  else if (!socket.active) show({ link: "refused", reason: error.message });
  else {
    show({ link: ["full", "stranger"].includes(situation.link) ? situation.link : "offline" });
    whatIsWrong(here.server).then((link) => {
      if (!socket.active || socket.connected) return;
      show({ link });
      if (link === "stranger") frame?.tell("refused");
    });
  }
});
// Too many of this network came at once; not all of them should come again at the same moment.
function comeBackLater() {
  show({ link: "full" });
  setTimeout(() => here.signal.aborted || socket.connected || socket.connect(), 4000 + 8000 * Math.random());
}
// What was to be told to others at once was too much.
socket.on("refused", ({ error, message }) => line.say(words.slow[error] ?? message));
socket.on("expired", () => show({ link: "expired" }));
// Another tab has become somebody else; what waits here stays with whom it belongs to.
onForgotten("visitor", here.signal, () => {
  if (me.token) return;
  socket.disconnect();
  show({ link: "elsewhere" });
});
socket.on("you", (user) => {
  me.known(user);
  learnName(user.id, user.name);
  // Chosen while the server was being told another one.
  if (!me.token && me.name !== toldName) settings.onRename(me.name);
  tellOpen(socket); // opened or closed meanwhile
  places.load();
  frame?.tell("ready", { id: user.id });
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

for (const event of ["chat message", "post", "edit", "read"]) {
  socket.on(event, (...args) => {
    places.receive(event, args);
    if (event === "post" && args[0].from) people.stopTyping(typingPlace(args[0]), args[0].from);
    if (event === "chat message" && args[2]?.from) people.stopTyping(mainPlace, args[2].from);
    if (event === "edit") search.forget(args[0].id);
    if (event !== "read") noteArrival();
  });
}
const typingPlace = ({ place, from }) => (isPrivate(place) ? `user/${from}` : place);
socket.on("history_replaced", () => {
  places.clear();
  places.tell(words.historyReplaced);
});
// Of which place is not said: the server has removed it.
socket.on("history_lost", () => places.tell(words.historyLost));
socket.outbox.on("lost", () => places.tell(words.outboxLost));

/** Where an entry of the outbox stands, and what it says; nothing for what is no message. */
function postOf({ event, args, at, key }) {
  if (event === "chat message") return { place: mainPlace, text: String(args[0]), at, key, from: me.id ?? undefined };
  if (event === "post") return { place: args[0], ...args[1], at, key, from: me.id ?? undefined };
  return undefined;
}

socket.outbox.on("change", moved);
outgoing.onChange = moved;

/** A message of ours came, or went on. */
function moved(entry) {
  if (entry.key) rememberOwn(entry.key.split(":")[0]);
  const post = postOf(entry);
  if (entry.event === "edit" && entry.args[2] === null) showTakenBack(entry);
  if (post) places.get(post.place).timeline.showEntry(entry, post);
  else if (entry.state === "rejected") line.say(words.rejected(words.reasons[entry.error?.code] ?? entry.error?.message));
  else if (entry.state === "unknown") line.say(words.state.unknown);
  // The server stores again when a message got through.
  if (entry.state === "accepted") situation.isBusy = false;
  show();
}
/** "Delete" went on: seen as done from the beginning, also by the page after this one, unless it is refused. */
function showTakenBack({ args: [place, id], state }) {
  const { timeline } = places.get(place);
  if (["rejected", "cancelled", "unknown"].includes(state)) timeline.restore(id);
  else timeline.withdraw(id);
}
socket.outbox.on("renumber", (entry, before) => {
  const post = postOf(entry);
  if (post) places.get(post.place).timeline.renameEntry(entry, before, post);
});
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
}

// ---- writing --------------------------------------------------------------------------------------

let edited; // the message that is being changed

composer.onSend = (body) => {
  const { id } = places.current;
  if (body.picture) outgoing.send(id, body.picture, body.text);
  // Text for everybody is what every Socket.IO client understands.
  else if (id === mainPlace) socket.emit("chat message", body.text);
  else socket.emit("post", id, { text: body.text });
};
composer.onTyping = () => {
  if (socket.connected) socket.volatile.emit("typing", places.current.id);
  return socket.connected;
};
composer.onEdited = (text) => {
  if (text && text !== edited.post.text) socket.emit("edit", places.current.id, edited.post.id, text);
  edited = undefined;
};
composer.onRecall = () => {
  const own = [...$("logs").querySelectorAll(".message[data-own]")].at(-1);
  const view = own && places.current.timeline.viewOf(own);
  if (view && canChange(view) && view.post.text) change(view);
};

const canChange = (view) => view.isOwn && view.post.id !== undefined && !view.isGone && view.post.from === me.id;

function change(view) {
  edited = view;
  composer.edit(view.post.text);
}

// ---- taking back ----------------------------------------------------------------------------------

const sure = $("take-back");
let asked; // whose message: what to do if the answer is yes
$("take-back-yes").addEventListener("click", () => (sure.close(), asked?.()));
$("take-back-no").addEventListener("click", () => sure.close());
sure.addEventListener("close", () => (asked = undefined));

function askToTakeBack(view) {
  const { id: place } = places.current;
  sure.showModal();
  asked = () => takeBack(place, view);
}

function takeBack(place, view) {
  if (!canChange(view)) return; // meanwhile it was, in another tab
  const { id } = view.post;
  const { timeline } = places.get(place);
  if (edited === view) {
    edited = undefined;
    composer.endEdit();
  }
  takingBack.begin(place, id);
  search.forget(id);
  timeline.withdraw(id, () => {
    takingBack.undo(place, id);
    timeline.restore(id);
  });
  view.node.querySelector("button")?.focus({ preventScroll: true });
}
takingBack.onSent = (place, id) => places.get(place).timeline.withdraw(id);

new Actions({
  bar: $("actions"),
  sheet: $("sheet"),
  scroller: $("scroller"),
  timelineOf: () => places.current.timeline,
  list(view) {
    const { post, entry } = view;
    if (view.state === "rejected" || view.state === "unknown") return unsentActions(view, entry);
    const offers = [];
    if (post.text && !view.isGone) offers.push([words.copy, () => tellCopied(copy(post.text))]);
    if (canChange(view) && post.text) offers.push([words.edit, () => change(view)]);
    if (canChange(view)) offers.push([words.remove, () => askToTakeBack(view)]);
    if (!view.isOwn && post.from && !isPrivate(places.current.id)) offers.push([words.write, () => showPlace(`user/${post.from}`)]);
    if (hasAddress && post.id !== undefined && !isPrivate(places.current.id)) offers.push([words.copyLink, () => copyLink(post.id)]);
    return offers;
  },
});

function copyLink(message) {
  const address = new URL(location.href);
  address.hash = hashOf(places.current.id, message);
  tellCopied(share(address.href));
}

async function tellCopied(copying) {
  const isDone = await copying;
  if (isDone !== undefined) line.say(isDone ? words.copied : words.notCopied, isDone);
}

function unsentActions(view, entry) {
  const { timeline } = places.current;
  const { text, picture } = view.post;
  if (picture) {
    return [
      [words.again, () => outgoing.again(picture)],
      [words.discard, () => (timeline.forget(entry), outgoing.discard(picture))],
    ];
  }
  if (view.state === "unknown") {
    return [
      [words.again, () => (timeline.forget(entry), socket.emit(entry.event, ...entry.args))],
      [words.discard, () => timeline.forget(entry)],
    ];
  }
  return [
    ...(text ? [[words.edit, () => (timeline.forget(entry), composer.restore(text))]] : []),
    ...(text ? [[words.copy, () => tellCopied(copy(text))]] : []),
    [words.discard, () => timeline.forget(entry)],
  ];
}

// ---- places and people ----------------------------------------------------------------------------

const notices = new Notices(places.get(mainPlace).timeline);

function showPlace(id) {
  if (id.startsWith("room/") && !rooms.has(id)) enterRoom(id);
  places.show(id);
}

function enterRoom(id) {
  rooms.add(id);
  rememberJson("rooms", [...rooms]);
  hear(id);
}

/** From now on, not only with the next link; again a while later if the server asks for patience. */
function hear(id) {
  if (!socket.connected || !rooms.has(id)) return;
  ask(socket, "enter", id).catch(({ code, message }) => {
    if (!(code in words.slow)) return;
    line.say(words.slow[code] ?? message);
    setTimeout(() => hear(id), 3000);
  });
}

const lobby = new Pages(socket, "lobby", (entries) => {
  for (const [, [event, room]] of entries) if (event === "room opened") knownRooms.add(`room/${room.name}`);
  sidebar.refresh();
});
socket.on("room opened", ({ name }) => {
  knownRooms.add(`room/${name}`);
  sidebar.refresh();
});

sidebar.onChoose = showPlace;
sidebar.onCreate = (name) => {
  socket.emit("open room", name);
  showPlace(`room/${name}`);
  sidebar.toggle(false);
};
search.onChoose = (id) => places.reveal(id);

settings.onRename = (name) => {
  me.rename(name);
  if (!socket.connected) return;
  if (name) ask(socket, "rename", name).catch(({ code, message }) => line.say(words.slow[code] ?? message));
  else socket.disconnect().connect();
};

people.onChange = (isName) => {
  if (isName) places.rename();
  crowd.look();
  sidebar.refresh();
  describe();
};
// Who opens the widget comes in, and who closes it goes.
onAttention(() => tellOpen(socket), here.signal);
people.onNotice = (kind, name) => notices.tell(kind, name);

let mayFocus = hasAddress; // a site's page keeps its focus until somebody chooses a place here
places.onShow = ({ id }) => {
  keepAddress(id);
  crowd.show(id);
  const name = places.nameOf(id);
  composer.show(id === mainPlace ? "" : id, isPrivate(id) ? words.privatePlaceholder(name) : words.placeholder);
  search.show(id);
  describe();
  if (mayFocus) composer.focus();
  mayFocus = true;
};
/** The place is in the address, so that reloading, Back and a copied address lead to it. */
function keepAddress(place) {
  if (!hasAddress || whereIs(location.hash).place === place) return;
  history.pushState(null, "", hashOf(place) || location.pathname + location.search);
}
if (hasAddress) {
  addEventListener("popstate", () => {
    const { place, message } = whereIs(location.hash);
    showPlace(place);
    if (message) places.reveal(message);
  });
}

let unseen = 0; // arrived while nobody looked, also where nothing was read before
places.onChange = () => {
  sidebar.refresh();
  const count = Math.max(places.unread, unseen);
  if (here.isPage) document.title = count ? `(${count}) ${words.title}` : words.title;
  frame?.tell("unread", { count });
};
places.onNews = (place, count) => {
  if (!isLooking()) unseen += count;
  places.onChange();
  frame?.tell("message", { place: place.id });
};
onAttention(() => {
  if (!isLooking()) return;
  unseen = 0;
  places.onChange();
}, here.signal);

/** The head of the conversation: where, and who is there or writing. */
function describe() {
  const { id } = places.current ?? { id: mainPlace };
  $("place").textContent = places.nameOf(id);
  const typing = people.typingIn(id);
  const detail = isPrivate(id) ? privateDetail(id) : countIn(id);
  $("detail").textContent = typing.length ? words.typing(typing.slice(0, 2), Math.max(typing.length - 2, 0)) : detail;
}
function countIn(id) {
  const count = id === mainPlace ? people.count : crowd.countIn(id);
  return count ? words.here(count) : "";
}
// Without a link nobody knows who is away.
const privateDetail = (id) => (people.isHere(personOf(id)) || !people.isKnown ? words.privateWith : `${words.away}. ${words.privateWith}`);

places.show(begin.place);
for (const page of await keptPages()) places.showKept(page);
if (begin.message) revealWhenLoaded(begin.place, begin.message);
if (frame?.canClose) {
  $("chat-close").hidden = false;
  $("chat-close").addEventListener("click", () => frame.tell("close"));
}
outgoing.recover();
takingBack.recover();
show();
if (here.isPage && new URLSearchParams(location.search).has("debug")) import("./debug.js").then(({ openDebug }) => openDebug(socket));
if ("serviceWorker" in navigator && here.isPage && !frame) socket.once("connect", () => keepShell().catch(() => {}));

async function revealWhenLoaded(place, message) {
  if (!socket.connected) await new Promise((resolve) => socket.once("connect", resolve));
  await places.load();
  if (places.current.id === place) places.reveal(message);
}

/** From now on the page opens without a network: whatever it was made of is kept. */
async function keepShell() {
  await navigator.serviceWorker.register("sw.js");
  const { active } = await navigator.serviceWorker.ready;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  active.postMessage({ keep: [location.href, ...loaded] });
}

// delivery: "exactly-once": what the outbox tells while the engine does its work. Node has neither
// IndexedDB nor Web Locks, so nothing outlives the "page" here, and the outbox must say so.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { HeldLane } from "../../../client-wasm/js/lanes.js";
import { LaneSender } from "../../../client-wasm/js/lane_sender.js";
import { Outbox } from "../../../client-wasm/js/outbox.js";
import { io } from "../../../client-wasm/js/io.js";
import { connected, FakeClient, lateEngine, settled } from "./fake_engine.mjs";

let engine;
beforeEach(() => {
  engine = lateEngine();
});

async function ready() {
  const socket = io("http://server.test", { forceNew: true, delivery: "exactly-once" });
  const client = await engine.load();
  await client.say(connected({ guarantee: "exactly-once" }));
  const told = [];
  socket.outbox.on("change", (entry) => told.push([entry.args[0], entry.state]));
  return { socket, client, told };
}
const moved = (sequence, state) => ({ type: "moved", sequence, state });
const accepted = (sequence, body = null) => ({ type: "settled", sequence, accepted: true, body });

describe("emit with delivery: exactly-once", () => {
  test("shows its entry at once, before the engine is there", async () => {
    const socket = io("http://server.test", { forceNew: true, delivery: "exactly-once" });
    const told = [];
    socket.outbox.on("change", (entry) => told.push([entry.state, entry.key]));
    socket.emit("chat message", "hi");
    assert.deepEqual(told, [["saving", null]]);
    assert.equal(socket.outbox.size, 1);
    assert.equal(socket.guarantee, "at-least-once");
    const client = await engine.load();
    assert.deepEqual(client.named("emitDurable"), [[["chat message", "hi"]]]);
    assert.match(socket.outbox.entries()[0].key, /^[0-9a-f]{32}:1$/);
  });

  test("tells every step, and the verdict to the callback", async () => {
    const { socket, client, told } = await ready();
    const answers = [];
    socket.emit("e", "x", (...answer) => answers.push(answer));
    await client.say(moved(1, "queued"), moved(1, "sent"), accepted(1, { id: 5 }));
    assert.deepEqual(told, [["x", "saving"], ["x", "saving"], ["x", "queued"], ["x", "sent"], ["x", "accepted"]]);
    assert.deepEqual(answers, [[null, { id: 5 }]]);
    assert.equal(socket.outbox.size, 0);
    assert.equal(socket.guarantee, "exactly-once");
  });

  test("a rejection has the server's code and words", async () => {
    const { socket, client } = await ready();
    const promised = socket.emitWithAck("e", "x").catch((error) => error);
    await client.say({ type: "settled", sequence: 1, accepted: false, body: { error: "forbidden", message: "not you" } });
    const error = await promised;
    assert.deepEqual([error.name, error.code, error.message], ["DeliveryError", "forbidden", "not you"]);
  });

  test("what nobody knows any more is no rejection, and its callback is told so", async () => {
    const { socket, client, told } = await ready();
    const promised = socket.emitWithAck("e", "x").catch((error) => error);
    const body = { error: "outcome_unknown", message: "so long ago" };
    await client.say({ type: "settled", sequence: 1, accepted: false, unknown: true, body });
    const error = await promised;
    assert.deepEqual([error.name, error.code], ["DeliveryError", "outcome_unknown"]);
    assert.deepEqual(told.at(-1), ["x", "unknown"]);
    assert.equal(socket.outbox.size, 0);
  });

  test("what the engine refuses is rejected with the reason", async () => {
    const { socket, client, told } = await ready();
    client.refuse = Object.assign(new Error("full"), { code: "outbox_full" });
    const error = await socket.emitWithAck("e", "x").catch((e) => e);
    assert.equal(error.code, "outbox_full");
    assert.deepEqual(told.at(-1), ["x", "rejected"]);
    assert.equal(socket.outbox.size, 0);
  });

  test("volatile stays ephemeral", async () => {
    const { socket, client } = await ready();
    socket.volatile.emit("typing");
    assert.equal(client.named("emit").length, 1);
    assert.equal(socket.outbox.size, 0);
  });

  test("only the events that are named enter the outbox, if some are", async () => {
    const socket = io("http://server.test", { forceNew: true, delivery: { events: ["chat message"] } });
    const client = await engine.load();
    await client.say(connected({ guarantee: "exactly-once" }));
    const asked = socket.emitWithAck("search", "word");
    socket.emit("chat message", "hi");
    socket.volatile.emit("chat message", "gone or not");
    await client.say({ type: "ack", id: 0, data: ["found"] });
    assert.equal(await asked, "found");
    assert.deepEqual(client.named("emitDurable"), [[["chat message", "hi"]]]);
    assert.deepEqual(client.named("emit").map(([args]) => args), [["search", "word"], ["chat message", "gone or not"]]);
    assert.deepEqual([socket.outbox.size, socket.guarantee], [1, "exactly-once"]);
  });

  test("binary is refused at the call", async () => {
    const { socket } = await ready();
    assert.throws(() => socket.emit("e", new Uint8Array(1)), TypeError);
    assert.equal(socket.outbox.size, 0);
  });

  test("a stock server's answer has any number of arguments", async () => {
    const socket = io("http://server.test", { forceNew: true, delivery: "exactly-once" });
    const client = await engine.load();
    await client.say(connected({ guarantee: "at-least-once" }));
    const answers = [];
    socket.emit("e", (...answer) => answers.push(answer));
    await client.say(accepted(1, ["a", "b"]));
    assert.deepEqual(answers, [[null, "a", "b"]]);
    assert.equal(socket.guarantee, "at-least-once");
  });
});

describe("a question of the server", () => {
  const question = (args, question = "e1.7") => ({ type: "event", data: args, question });

  test("is answered by a message of the outbox, once, and never shown there", async () => {
    const { socket, client, told } = await ready();
    socket.on("ready?", (who, ack) => {
      ack("yes", who);
      ack("no");
    });
    await client.say(question(["ready?", "ann"]));
    assert.deepEqual(client.named("answer"), [[0, "e1.7", '["yes","ann"]']]);
    await client.say({ type: "save", token: 1, next: 2, erase: [], put: [[1, "0", '["oncewire:answer","e1.7",["yes"]]']] });
    await client.say(moved(1, "queued"), accepted(1));
    assert.deepEqual([told, socket.outbox.size], [[], 0]);
    assert.equal(client.named("saved").length, 1);
  });

  test("reaches a page that has left, as what the log says does", async () => {
    const { socket, client } = await ready();
    socket.on("ready?", (ack) => ack());
    socket.disconnect();
    await client.say(question(["ready?"]));
    assert.equal(client.named("answer").length, 1);
  });

  test("can be answered otherwise if the first answer was refused", async () => {
    const { socket, client } = await ready();
    let answer;
    socket.on("ready?", (ack) => (answer = ack));
    await client.say(question(["ready?"]));
    assert.throws(() => answer(new Uint8Array(1)), TypeError);
    client.refuse = new Error("too large");
    assert.throws(() => answer("x"), /too large/);
    client.refuse = undefined;
    answer("y");
    assert.deepEqual(client.named("answer"), [[0, "e1.7", '["y"]']]);
  });

  test("whose answer waits in storage is not among the entries after a reload", () => {
    const message = '["oncewire:answer","e1.7",["yes"]]';
    const lane = new HeldLane({ lane: { producer: "p", secret: "s", next: 2, entries: [{ sequence: 1, digest: "0", message }] } });
    const outbox = new Outbox();
    const { entries } = new LaneSender(outbox, lane).options();
    assert.equal(outbox.size, 0);
    assert.equal(entries.length, 1);
  });
});

describe("the outbox", () => {
  test("takes back what has not left", async () => {
    const { socket, client, told } = await ready();
    let isAnswered = false;
    socket.emit("e", "x", () => (isAnswered = true));
    assert.equal(socket.outbox.cancel(socket.outbox.entries()[0].id), true);
    assert.deepEqual(client.named("cancel"), [[0, 1]]);
    assert.deepEqual([told.at(-1), socket.outbox.size, isAnswered], [["x", "cancelled"], 0, false]);
    socket.emit("e", "y");
    client.cancels = false;
    assert.equal(socket.outbox.cancel(socket.outbox.entries()[0].id), false);
    assert.equal(socket.outbox.cancel("unknown"), false);
    assert.equal(socket.outbox.size, 1);
  });

  test("takes back what the engine never got", async () => {
    const socket = io("http://server.test", { forceNew: true, delivery: "exactly-once" });
    socket.emit("e", "x");
    assert.equal(socket.outbox.cancel(socket.outbox.entries()[0].id), true);
    const client = await engine.load();
    assert.deepEqual(client.named("emitDurable"), []);
  });

  test("says when nothing is kept on this device, and goes on", async () => {
    const socket = io("http://server.test", { forceNew: true, delivery: "exactly-once" });
    let reason;
    socket.outbox.on("durable", (isDurable, error) => (reason = isDurable || error));
    const client = await engine.load();
    assert.match(reason.message, /no Web Locks|no IndexedDB/);
    socket.emit("e", "x");
    await client.say({ type: "save", token: 3, next: 2, erase: [], put: [[1, "00", '["e","x"]']] });
    assert.deepEqual(client.named("saved"), [[0, 3]]);
    assert.equal(socket.outbox.entries()[0].saved, false);
    assert.equal(socket.outbox.durable, false);
  });
});

// ---- storage --------------------------------------------------------------------------------------

class FakeStore {
  saves = [];
  fails = false;
  removed = [];
  async save(lane, change) {
    await settled();
    if (this.fails) throw new Error("quota exceeded");
    this.saves.push(change);
  }
  async removeLane(name) {
    this.removed.push(name);
  }
}

const storedLane = (store, entries = []) =>
  new HeldLane({ store, lane: { name: "L", scope: "s", producer: "p", secret: "q", next: entries.length + 1, entries } });
const entry = (sequence, text = '["e","x"]') => ({ sequence, digest: "00", message: text, at: 1 });

describe("a lane", () => {
  test("saves that come while one is on its way share the next transaction", async () => {
    const store = new FakeStore();
    const lane = storedLane(store);
    const results = await Promise.all(
      [1, 2, 3].map((n) => lane.save({ next: n + 1, erase: [], put: [entry(n)] })),
    );
    assert.deepEqual(results, [true, true, true]);
    assert.ok(store.saves.length <= 2);
    assert.deepEqual(store.saves.flatMap(({ put }) => put.map((row) => row.sequence)), [1, 2, 3]);
    assert.equal(store.saves.at(-1).next, 4);
  });

  test("what storage refused goes with the next save, so that a stored lane has no holes", async () => {
    const store = new FakeStore();
    const lane = storedLane(store);
    store.fails = true;
    assert.equal(await lane.save({ next: 2, erase: [], put: [entry(1)] }), false);
    store.fails = false;
    assert.equal(await lane.save({ next: 3, erase: [], put: [entry(2)] }), true);
    assert.deepEqual(store.saves[0].put.map((row) => row.sequence), [1, 2]);
  });

  test("what is erased before it was stored is not stored", async () => {
    const store = new FakeStore();
    const lane = storedLane(store);
    store.fails = true;
    await lane.save({ next: 2, erase: [], put: [entry(1)] });
    store.fails = false;
    await lane.save({ next: 2, erase: [1], put: [] });
    assert.deepEqual(store.saves[0], { next: 2, erase: [1], put: [] });
  });
});

describe("a lane found in storage", () => {
  const setUp = (entries) => {
    const outbox = new Outbox();
    const lane = storedLane(new FakeStore(), entries);
    const sender = new LaneSender(outbox, lane);
    const client = new FakeClient({});
    sender.attach(client, 0);
    return { outbox, lane, sender, client };
  };

  test("shows its messages as queued and saved, cancelled ones not at all", () => {
    const { outbox, sender } = setUp([entry(4), entry(5, '["oncewire:cancelled"]'), entry(6, '["e","z"]')]);
    assert.deepEqual(
      outbox.entries().map(({ key, args, state, saved, at }) => [key, args, state, saved, at]),
      [["p:4", ["x"], "queued", true, 1], ["p:6", ["z"], "queued", true, 1]],
    );
    assert.equal(sender.options().entries.length, 3);
  });

  test("settles them like those of this page", async () => {
    const { outbox, sender } = setUp([entry(1)]);
    const told = [];
    outbox.on("change", ({ state }) => told.push(state));
    sender.guarantee = "exactly-once";
    sender.handle(accepted(1, { id: 9 }));
    assert.deepEqual([told, outbox.size], [["accepted"], 0]);
  });

  test("is empty when storage knows that the last one is gone, and not before", async () => {
    const { sender, client } = setUp([entry(1), entry(2, '["oncewire:cancelled"]')]);
    let isEmpty = false;
    sender.onEmpty = () => (isEmpty = true);
    sender.handle(accepted(1));
    sender.handle({ type: "save", token: 1, next: 3, erase: [1], put: [] });
    await settled();
    await settled();
    assert.equal(isEmpty, false);
    sender.handle({ type: "save", token: 2, next: 3, erase: [2], put: [] });
    assert.equal(isEmpty, false);
    await settled();
    await settled();
    assert.equal(isEmpty, true);
    assert.deepEqual(client.named("saved"), [[0, 1], [0, 2]]);
  });

  test("tells when storage refuses and when it takes again, with what it refused before", async () => {
    const { outbox, lane, sender, client } = setUp([entry(1)]);
    const told = [];
    outbox.on("durable", (isDurable, error) => told.push([isDurable, error?.message]));
    const added = outbox.add(["e", "y"], {});
    client.emitDurable = () => 2;
    sender.send(added, "");
    const save = (token) => sender.handle({ type: "save", token, next: 3, erase: [], put: token === 1 ? [[2, "00", '["e","y"]']] : [] });
    lane.store.fails = true;
    save(1);
    await settled();
    await settled();
    assert.deepEqual([told, outbox.durable, added.saved], [[[false, "quota exceeded"]], false, false]);
    lane.store.fails = false;
    save(2);
    await settled();
    await settled();
    assert.deepEqual([told[1], outbox.durable, added.saved], [[true, undefined], true, true]);
  });

  test("is not renumbered behind the back of its storage, which would send it again after a reload", async () => {
    LaneSender.savePause = 1;
    const { lane, sender, client } = setUp([entry(5)]);
    lane.store.fails = true;
    sender.handle({ type: "renumbered", before: 5, after: 7 });
    sender.handle({ type: "save", token: 1, next: 8, erase: [5], put: [[7, "00", '["e","x"]']] });
    await settled();
    await settled();
    assert.deepEqual(client.named("saved"), []);
    lane.store.fails = false;
    while (client.named("saved").length === 0) await settled();
    assert.deepEqual(client.named("saved"), [[0, 1]]);
    assert.deepEqual(lane.store.saves.at(-1).erase, [5]);
  });

  test("renumbered messages keep their entries, even where new numbers were old numbers of others", () => {
    const { outbox, sender } = setUp([entry(5, '["e","a"]'), entry(6, '["e","b"]'), entry(7, '["e","c"]')]);
    const told = [];
    outbox.on("renumber", ({ key, args }, before) => told.push([args[0], before, key]));
    for (const before of [5, 6, 7]) sender.handle({ type: "renumbered", before, after: before + 2 });
    sender.handle(moved(9, "sent"));
    assert.deepEqual(told, [["a", "p:5", "p:7"], ["b", "p:6", "p:8"], ["c", "p:7", "p:9"]]);
    assert.deepEqual(outbox.entries().map(({ args, state }) => [args[0], state]), [["a", "queued"], ["b", "queued"], ["c", "sent"]]);
  });
});

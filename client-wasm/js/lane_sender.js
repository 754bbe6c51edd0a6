// Ties a lane (identity and storage) to a namespace of the engine: what the engine reports about
// sequences becomes what the outbox tells about entries.

import { rejection } from "./errors.js";
import { randomHex } from "./lanes.js";

// What the engine leaves in the place of a message that was taken back (delivery/outbox.hpp).
const cancelledMessage = '["oncewire:cancelled"]';
// And how an answer begins that it keeps there (delivery/answer.hpp).
const answerPrefix = '["oncewire:answer",';

export class LaneSender {
  /** How long a change that must reach the disk waits before it is tried again, in milliseconds. */
  static savePause = 1_000;

  /** Which promise the server keeps; results have another form without the highest. */
  guarantee = "at-least-once";
  /** Called whenever the last waiting message has its verdict, and storage knows. */
  onEmpty = () => {};

  #outbox;
  #lane;
  #client;
  #index;
  #entries = new Map(); // sequence → OutboxEntry
  #stored = new Set(); // sequences the lane still holds, cancelled ones included
  #onDisk = new Set(); // sequences that storage holds for certain
  #unsaved = new Set(); // sequences that storage refused
  #saving = 0; // saves on their way to the disk
  #renumbered = []; // changes told so far of a set that takes effect as a whole

  /** `lane`: a HeldLane; its waiting entries appear in `outbox` at once. */
  constructor(outbox, lane) {
    this.#outbox = outbox;
    this.#lane = lane;
    for (const { sequence, message, at } of lane.entries) {
      this.#stored.add(sequence);
      this.#onDisk.add(sequence);
      if (message === cancelledMessage || message.startsWith(answerPrefix)) continue;
      const withdraw = (withdrawn) => this.withdraw(withdrawn);
      const entry = outbox.add(JSON.parse(message), { at, withdraw });
      this.#entries.set(sequence, entry);
      outbox.changed(entry, { key: this.#key(sequence), state: "queued", saved: true });
    }
    if (lane.error) outbox.setDurable(false, lane.error);
  }

  /** What the engine needs to open the namespace with this lane. */
  options(position) {
    const { producer, secret, next, entries } = this.#lane;
    return { producer, secret, next, entries, salt: randomHex(8), position };
  }

  attach(client, index) {
    this.#client = client;
    this.#index = index;
  }

  /** Hands `text` (the arguments as JSON) to the engine under `entry`. */
  send(entry, text) {
    try {
      const sequence = this.#client.emitDurable(this.#index, text);
      this.#entries.set(sequence, entry);
      this.#stored.add(sequence);
      this.#outbox.changed(entry, { key: this.#key(sequence) });
    } catch (error) {
      this.#outbox.finish(entry, "rejected", { error });
    }
  }

  /** Gives the lane up for now: nothing waits in it, and who opens the scope again may find it. */
  release() {
    return this.#lane.release();
  }

  /** True if `entry` had not left and now never will. */
  withdraw(entry) {
    for (const [sequence, waiting] of this.#entries) {
      if (waiting !== entry) continue;
      if (!this.#client?.cancel(this.#index, sequence)) return false;
      this.#entries.delete(sequence);
      return true;
    }
    return false;
  }

  /** True if the event was about this lane's messages. */
  handle(event) {
    if (event.type === "renumbered") {
      this.#renumbered.push(event);
      return true;
    }
    this.#renumber();
    const entry = this.#entries.get(event.sequence);
    switch (event.type) {
      case "save":
        this.#save(event);
        return true;
      case "moved":
        if (entry) this.#outbox.changed(entry, { state: event.state });
        return true;
      case "settled":
        if (entry) this.#settle(event, entry);
        return true;
      case "busy":
        this.#outbox.notify("busy", event.after);
        return true;
      default:
        return false;
    }
  }

  async #save({ token, next, erase, put }) {
    const rows = put.map(([sequence, digest, message, renumbered]) => {
      const at = this.#entries.get(sequence)?.at ?? Date.now();
      return { sequence, digest, message, renumbered, at };
    });
    const touched = [...erase, ...rows.map((row) => row.sequence)];
    const replaces = () => rows.length > 0 && touched.some((sequence) => this.#onDisk.has(sequence));
    for (const sequence of erase) this.#stored.delete(sequence);
    for (const { sequence } of rows) this.#stored.add(sequence);
    ++this.#saving;
    let saved = await this.#lane.save({ next, erase, put: rows });
    // Renumbered or taken back: sent before the disk knows, they would be sent again as they were,
    // under numbers the server knows for others, after a reload.
    while (!saved && this.#lane.store && replaces()) {
      this.#outbox.setDurable(false, this.#lane.error);
      await new Promise((done) => setTimeout(done, LaneSender.savePause));
      saved = await this.#lane.saveAgain();
    }
    --this.#saving;
    if (saved) {
      for (const sequence of erase) this.#onDisk.delete(sequence);
      for (const { sequence } of rows) this.#onDisk.add(sequence);
      this.#lane.setWaiting(this.#onDisk.size > 0);
    }
    this.#tellSaved(rows, saved);
    this.#client.saved(this.#index, token);
    if (this.#stored.size === 0 && this.#saving === 0) this.onEmpty();
  }

  #tellSaved(rows, saved) {
    for (const { sequence } of rows) this.#unsaved.add(sequence);
    if (saved || rows.length > 0) this.#outbox.setDurable(saved, this.#lane.error);
    if (!saved) return;
    // What was refused before went along with this save.
    for (const sequence of this.#unsaved) {
      const entry = this.#entries.get(sequence);
      if (entry) this.#outbox.changed(entry, { saved: true });
    }
    this.#unsaved.clear();
  }

  #settle({ sequence, accepted, unknown, body }, entry) {
    this.#entries.delete(sequence);
    if (!accepted) return this.#outbox.finish(entry, unknown ? "unknown" : "rejected", { error: rejection(body) });
    // Our server answers with one value, a stock server with any number of arguments.
    const answer = body === null ? [] : [body];
    const results = this.guarantee === "exactly-once" ? answer : body;
    this.#outbox.finish(entry, "accepted", { results });
  }

  // New numbers may be old numbers of others, so all are taken out before any is put back.
  #renumber() {
    const moves = this.#renumbered.splice(0).map(({ before, after }) => {
      const entry = this.#entries.get(before);
      this.#entries.delete(before);
      return { entry, after };
    });
    for (const { entry, after } of moves) {
      if (!entry) continue;
      const before = entry.key;
      this.#entries.set(after, entry);
      entry.key = this.#key(after);
      this.#outbox.notify("renumber", entry, before);
    }
  }

  #key(sequence) {
    return `${this.#lane.producer}:${sequence}`;
  }
}

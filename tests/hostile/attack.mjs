// One flood in a process of its own, so that what it costs the attacker is not taken for what it costs the server.
//
//   node attack.mjs NAME PORT SECONDS MEGABYTES
//
// Says over IPC what it did as soon as it has done it, keeps its connections, and goes when it is told to.
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { setPriority } from "node:os";
import { floods } from "./floods.mjs";

/** What a flood may spend, and what it has done. */
class Attack {
  constructor(port, seconds, megabytes) {
    this.port = port;
    this.seconds = seconds;
    this.bytesLeft = megabytes * 1e6;
    this.ends = performance.now() + seconds * 1000;
    this.counts = {};
    this.lines = [];
    this.over = sleep(seconds * 1000);
  }
  get isOver() {
    return this.bytesLeft <= 0 || performance.now() >= this.ends;
  }
  /** So many in the long form, a part of them in the short one. */
  some(count) {
    return Math.ceil(count * Math.min(1, this.seconds / 3));
  }
  get spent() {
    return this.bytes ?? 0;
  }
  spend(bytes) {
    if (this.isOver) return false;
    this.bytesLeft -= bytes;
    this.bytes = this.spent + bytes;
    return true;
  }
  note(what, count = 1) {
    this.counts[what] = (this.counts[what] ?? 0) + count;
  }
  keep(line) {
    this.lines.push(line);
  }
  /** All of one flood come from here, unless it says otherwise. */
  address(n = 0) {
    return `127.0.0.${10 + (n % 200)}`;
  }
  pause(ms) {
    return sleep(ms);
  }
  turn() {
    return nextTurn();
  }
  /** What must not be waited for longer than the flood lasts. */
  orOver(promise, otherwise = null) {
    return Promise.race([promise, this.over.then(() => otherwise)]);
  }
  /** Again and again until the flood is over or `step` says false. */
  async repeat(step) {
    for (let n = 0; !this.isOver; n++) {
      if ((await step(n)) === false) return;
      if (n % 16 === 0) await nextTurn();
    }
  }
}

const [name, port, seconds, megabytes] = process.argv.slice(2);
setPriority(Number(process.env.FLOOD_PRIORITY ?? 5)); // an attacker would have a machine of their own
const attack = new Attack(Number(port), Number(seconds), Number(megabytes));
process.on("disconnect", () => process.exit(0));
const flood = floods.find((one) => one.name === name);
await Promise.race([flood.run(attack).catch((error) => attack.note(`broke: ${error.message}`)), attack.over]);
const open = attack.lines.filter((line) => !line.isClosed).length;
process.send({ counts: attack.counts, bytes: attack.spent, open, ofLines: attack.lines.length });

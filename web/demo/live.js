// A run that happens now: key presses for both phones, faults for both wires, and the count when all is quiet.
import { faultAt, stepLength } from "./schedule.js";

const pressEvery = 450; // ms
const quietFor = 30_000; // ms that a page may take to hear what its server has, once it is connected
const names = { cut: "The link is cut.", unplug: "The plug is out.", halfOpen: "Half-open.", slow: "The link is slow.", kill: "kill -9 of the server.", reload: "The page is reloaded." };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Live {
  /** 0 to 100; `?chaos=` begins with it. `?seed=` plays the same faults again, `?seconds=` ends by itself. */
  chaos = 0;
  #sides;
  #show;
  #events = []; // [{at, side, …}] of the whole run
  #waiting = { oncewire: [], stock: [] }; // key presses for a page that is being loaded
  #isReady = { oncewire: false, stock: false };
  #last = 0; // message
  #step = 0;
  #isRunning = false;
  #healing; // timer of the fault that lasts

  constructor(sides, show) {
    this.#sides = sides;
    this.#show = show;
    const wanted = new URLSearchParams(location.search);
    this.chaos = Math.min(100, Math.max(0, Number(wanted.get("chaos")) || 0));
    this.seed = Number(wanted.get("seed")) || 8;
    this.seconds = Number(wanted.get("seconds")) || Infinity;
    show.chaos(this.chaos);
  }

  now() {
    return Math.round(performance.now() - (this.begun ?? performance.now()));
  }

  async #ask(wanted) {
    const answer = await fetch("/control", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wanted) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  async begin() {
    const { run, phones } = await this.#ask({ do: "begin" });
    this.begun = performance.now();
    addEventListener("message", ({ data, source, origin }) => {
      const [name] = Object.entries(this.#sides).find(([, side]) => source === side.frame?.contentWindow) ?? [];
      if (!name || data.demo !== run || !phones[name].startsWith(origin)) return;
      const { demo, ...event } = data;
      if (event.kind === "page") this.#ready(name);
      this.#hear(name, event);
    });
    new EventSource("/events").addEventListener("message", ({ data }) => {
      const { side, ...event } = JSON.parse(data);
      this.#hear(side, event);
    });
    for (const [name, side] of Object.entries(this.#sides)) side.showFrame(`${phones[name]}?run=${run}`);
    this.#start();
  }

  #hear(name, event) {
    const heard = { at: this.now(), side: name, ...event };
    this.#events.push(heard);
    this.#sides[name].hear(heard);
  }
  #hearBoth(event) {
    for (const name of Object.keys(this.#sides)) this.#hear(name, event);
  }

  #ready(name) {
    this.#isReady[name] = true;
    for (const n of this.#waiting[name].splice(0)) this.#press(name, n);
  }
  #press(name, n) {
    if (this.#isReady[name]) this.#sides[name].frame.contentWindow.postMessage({ press: n }, "*");
    else this.#waiting[name].push(n);
  }

  #start() {
    this.#isRunning = true;
    this.#show.run("Stop and count");
    const until = this.now() + this.seconds * 1000;
    const press = setInterval(() => {
      if (!this.#isRunning) return clearInterval(press);
      ++this.#last;
      for (const name of Object.keys(this.#sides)) this.#press(name, this.#last);
    }, pressEvery);
    const step = setInterval(() => {
      if (!this.#isRunning) return clearInterval(step);
      if (this.now() >= until) return void this.toggle();
      const fault = faultAt(this.seed, this.#step++, this.chaos);
      if (fault && !this.#healing) this.#suffer(fault);
    }, stepLength);
  }

  /** A fault of the schedule, which ends by itself. */
  #suffer({ name, ms }) {
    this.fault(name, ms);
    if (!["unplug", "halfOpen", "slow"].includes(name)) return;
    this.#healing = setTimeout(() => this.fault("heal"), ms);
  }

  /** The same for both, at the same moment. */
  fault(name, ms = 1500) {
    clearTimeout(this.#healing);
    this.#healing = undefined;
    this.#show.now(names[name] ?? "The wire is whole.");
    if (name === "unplug") this.#show.plug(true);
    if (["plug", "heal"].includes(name)) this.#show.plug(false);
    this.#hearBoth({ kind: "fault", name });
    if (name !== "reload") return this.#ask({ do: name, ms });
    for (const [each, side] of Object.entries(this.#sides)) {
      if (!this.#isReady[each]) continue;
      this.#isReady[each] = false;
      side.frame.contentWindow.postMessage({ reload: true }, "*");
    }
  }

  async toggle() {
    if (!this.#isRunning) return this.#start();
    this.#isRunning = false;
    this.#show.run("Counting …", false);
    await this.fault("heal");
    this.#show.now("Everything is whole again. Waiting until nothing is on the way …");
    await Promise.all(Object.keys(this.#sides).map((name) => this.#settle(name)));
    this.#show.now("Counted. What each page took is compared with its server and its screen.");
    this.#show.run("Go on");
  }

  /** Waits until no page tries any more, and the screen has what the server has, or had the time. */
  async #settle(name) {
    const { judge } = this.#sides[name];
    for (let quietSince = null; ; await pause(250)) {
      const isQuiet = this.#isReady[name] && this.#waiting[name].length === 0 && !judge.isBusy;
      quietSince = isQuiet ? (quietSince ?? this.now()) : null;
      if (!isQuiet) continue;
      const numbers = await this.#log(name).catch(() => null);
      if (!numbers) continue;
      const isTold = numbers.every((n) => judge.isShown(n));
      if (isTold || this.now() - quietSince > quietFor) return this.#hear(name, { kind: "log", numbers });
    }
  }

  async #log(name) {
    const texts = await this.#ask({ do: "log", side: name });
    return texts.map((text) => Number(text.split(" ")[1])).filter((n) => n > 0);
  }

  where(key) {
    return this.#ask({ do: "where", key });
  }

  recording() {
    return { made: new Date().toISOString().slice(0, 10), chaos: this.chaos, seed: this.seed, events: this.#events.map(({ key, ...event }) => event) };
  }
}

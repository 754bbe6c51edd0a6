// A run that was: the same events, from recorded.json, at the same pace.

export class Recorded {
  #sides;
  #show;
  #events = [];
  #next = 0;
  #at = 0; // ms of the recording that were shown
  #isPlaying = false;

  constructor(sides, show) {
    this.#sides = sides;
    this.#show = show;
    for (const side of Object.values(sides)) side.showScreen();
  }

  now() {
    return this.#at;
  }

  async begin(note) {
    const { made, chaos, seed, events } = await (await fetch(new URL("recorded.json", import.meta.url))).json();
    this.#events = events;
    const length = Math.round(events.at(-1).at / 1000);
    note.textContent = `This is a recording of a real run of ${length} s at ${chaos} % chaos (seed ${seed}, ${made}). With the source code, “make demo” lets you pull the plug yourself.`;
    this.#show.chaos(chaos);
    this.#play();
  }

  #play() {
    this.#isPlaying = true;
    this.#show.run("Pause");
    const before = this.#at;
    const begun = performance.now();
    const timer = setInterval(() => {
      if (!this.#isPlaying) return clearInterval(timer);
      this.#at = before + performance.now() - begun;
      while (this.#events[this.#next]?.at <= this.#at) this.#hear(this.#events[this.#next++]);
      if (this.#next < this.#events.length) return;
      clearInterval(timer);
      this.#isPlaying = false;
      this.#show.now("This is where the recording ends.");
      this.#show.run("Play again");
    }, 50);
  }

  #hear(event) {
    this.#sides[event.side].hear(event);
    if (event.kind !== "fault") return;
    if (event.name === "unplug") this.#show.plug(true);
    if (["plug", "heal"].includes(event.name)) this.#show.plug(false);
  }

  toggle() {
    if (this.#next === this.#events.length) return location.reload();
    if (!this.#isPlaying) return this.#play();
    this.#isPlaying = false;
    this.#show.run("Go on");
  }

  async where() {
    return "";
  }
  recording() {
    return { events: this.#events };
  }
}

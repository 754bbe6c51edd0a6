// Somebody who was there first and does nothing wrong: stores one message after another, hears the log, asks for
// echoes. What happens to them is what a flood is judged by.
import { DurableProducer, token } from "../support/durable.mjs";
import { until } from "../support/stock.mjs";
import { percentile } from "./gauges.mjs";

/** Messages and echoes start at this pace whether the ones before were answered or not: a stall shows in all of them. */
const pace = 25;

export class Bystander {
  constructor(url) {
    this.texts = []; // in the order they were said
    this.heard = []; // those of ours in the log, as they came
    this.said = new Map(); // when, by text
    this.storeTimes = [];
    this.echoTimes = [];
    this.refused = [];
    this.echoes = 0;
    this.link = new DurableProducer(url, {
      auth: { visitor: token(), name: "Bystander", live: true },
      onVerdict: (message, accepted, body) => this.#settle(message[1], accepted, body),
      onMessage: (name, text) => name === "chat message" && this.said.has(text) && this.heard.push(text),
    });
  }

  /** Resolves once the first message is in the log. */
  async begin() {
    this.#say();
    await until(() => this.heard.length === 1, "the bystander's first message");
    this.#forgetTimes();
    this.timer = setInterval(() => this.#step(), pace);
  }

  /** Stops talking and waits for everything that was said; how long it took is counted, too. */
  async end() {
    clearInterval(this.timer);
    await until(() => this.link.pending.length === 0, "verdicts of the bystander's messages");
    await until(() => this.heard.length >= this.texts.length, "the bystander's messages in the log");
    await until(() => this.echoes === 0 || this.reconnects > 0, "the bystander's echoes");
  }
  stop() {
    clearInterval(this.timer);
    return this.link.stop();
  }

  get reconnects() {
    return Math.max(this.link.reconnects - 1, 0);
  }
  get storeP99() {
    return percentile(this.storeTimes, 0.99);
  }
  get echoP99() {
    return percentile(this.echoTimes, 0.99);
  }

  /** What must not be, as sentences. */
  complaints() {
    const found = this.refused.slice(0, 3).map((body) => `a message of the bystander was refused: ${body}`);
    const wrong = this.heard.findIndex((text, at) => text !== this.texts[at]);
    if (wrong >= 0) found.push(`the bystander heard “${this.heard[wrong]}” in the place of “${this.texts[wrong]}”`);
    if (this.heard.length !== this.texts.length) found.push(`the bystander said ${this.texts.length} and heard ${this.heard.length}`);
    if (this.link.gaps.length > 0) found.push("the bystander was told of a gap");
    if (this.reconnects > 0) found.push(`the bystander was cut off ${this.reconnects} times`);
    return found;
  }

  #step() {
    this.#say();
    const begun = performance.now();
    this.echoes += 1;
    this.link.open?.ask("echo", begun).then(() => {
      this.echoes -= 1;
      this.echoTimes.push(performance.now() - begun);
    });
  }
  #say() {
    const text = `bystander ${this.texts.length + 1}`;
    this.texts.push(text);
    this.said.set(text, performance.now());
    this.link.push(["chat message", text]);
  }
  #settle(text, accepted, body) {
    this.storeTimes.push(performance.now() - this.said.get(text));
    if (!accepted) this.refused.push(JSON.stringify(body));
  }
  #forgetTimes() {
    this.storeTimes = [];
  }
}

// One side as it is seen: phone, wire, server, counters, beads. It draws what it hears, and does not know whether that
// happens now or was recorded.
import { Judge } from "./judge.js";
import { PhoneView } from "./phone_view.js";

const fall = { duration: 620, easing: "cubic-bezier(.5,0,.8,.4)" };
const travel = { duration: 620, easing: "cubic-bezier(.4,.1,.4,1)" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const words = {
  pressed: "typed", kept: "kept on the device", waits: "waits in the page", sent: "on the wire", stored: "stored",
  dropped: "given up", lost: "lost", twice: "twice",
};

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const svg = (tag, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

/** Two halves of a wire with a plug between them. */
function drawWire() {
  return svg("svg", { class: "wire", viewBox: "0 0 60 120", "aria-hidden": "true" },
    svg("g", { class: "upper" },
      svg("path", { class: "cord", d: "M30 0v38" }),
      svg("path", { class: "body", d: "M21 36h18v12a6 6 0 0 1-6 6h-6a6 6 0 0 1-6-6z" }),
      svg("path", { class: "pins", d: "M26 54v8M34 54v8" })),
    svg("g", { class: "lower" },
      svg("path", { class: "body", d: "M19 58h22v8a9 9 0 0 1-9 9h-4a9 9 0 0 1-9-9z" }),
      svg("path", { class: "cord", d: "M30 75v45" })));
}

export class Side {
  judge = new Judge();
  keys = new Map(); // number → "producer:sequence"
  stories = new Map(); // number → [{at, what}]
  breaks = []; // [{at, what}] of the whole side
  #beads = new Map();
  #linked = false;
  #serverUp = true;
  #fault = "";
  #view;

  /** `onPick(n)`: somebody wants to know about one message. */
  constructor({ name, title, subtitle, onPick }) {
    this.name = name;
    this.title = title;
    this.onPick = onPick;
    this.phone = make("div", { class: "phone" });
    this.wireBox = make("div", { class: "wire-box" }, drawWire());
    this.state = make("p", { class: "link-state" });
    this.server = make("div", { class: "server" }, make("i"), make("span", {}, "server"));
    this.list = make("ol", { class: "beads", "aria-label": `Messages of ${title}` });
    this.numbers = Object.fromEntries(["sent", "lost", "twice", "disorder"].map((key) => [key, make("dd", {}, "0")]));
    const labels = { sent: "sent", lost: "lost", twice: "twice", disorder: "out of order" };
    const counters = make("dl", { class: "counters" },
      ...Object.entries(this.numbers).map(([key, number]) => make("div", { class: `counter ${key}` }, make("dt", {}, labels[key]), number)));
    this.verdict = make("p", { class: "verdict" });
    const heading = make("h2", { id: `title-${name}` }, title);
    this.element = make("section", { class: `side ${name}`, "aria-labelledby": `title-${name}` },
      make("header", {}, heading, make("p", {}, subtitle)),
      make("div", { class: "stage" }, this.phone, this.wireBox, this.server),
      make("div", { class: "account" }, counters, this.verdict, this.state, this.list));
  }

  /** The phone's own page, which lives at its proxy. */
  showFrame(url) {
    this.frame = make("iframe", { src: url, title: `Phone of ${this.title}` });
    this.phone.replaceChildren(this.frame);
  }

  /** A screen without a page behind it, for a recorded run. */
  showScreen() {
    const list = make("ol", { class: "bubbles" });
    this.phone.replaceChildren(make("div", { class: "screen", tabindex: "0", role: "group", "aria-label": `Phone of ${this.title}` }, list));
    this.#view = new PhoneView(list);
  }

  hear(event) {
    this.judge.hear(event);
    this[`on_${event.kind}`]?.(event);
  }

  on_press({ n, at }) {
    this.stories.set(n, [{ at, what: "press" }]);
    this.#view?.put(n, "pressed");
    const bead = make("button", { type: "button" }, String(n));
    bead.addEventListener("click", () => this.onPick(this, n));
    this.#beads.set(n, bead);
    this.list.append(make("li", {}, bead));
    this.list.scrollTop = this.list.scrollHeight;
    this.#paint(n, "pressed");
  }

  on_state({ n, state, key, at }) {
    const story = this.stories.get(n);
    if (!story) return;
    if (key) this.keys.set(n, key);
    if (story.at(-1).what !== state) story.push({ at, what: state });
    if (state !== "stored") this.#view?.put(n, state);
    this.#paint(n, state);
    if (state === "sent") this.#travel(n, true);
    if (state === "stored") this.#travel(n, false);
  }

  on_shown({ n, at }) {
    const again = this.stories.get(n)?.some(({ what }) => what === "shown");
    this.stories.get(n)?.push({ at, what: again ? "shown again" : "shown" });
    this.#view?.show(n);
  }

  on_page({ at }) {
    this.#break(at, "page reloaded");
    this.#view?.clear();
    this.on_link({ up: false, at });
  }

  on_link({ up, at }) {
    if (this.#linked && !up) this.#break(at, "link lost");
    this.#linked = up;
    if (up && this.#fault === "halfOpen") this.#fault = "";
    this.#tellLink();
  }

  on_server({ up, at }) {
    this.#break(at, up ? "server is back" : "server killed");
    this.#serverUp = up;
    this.server.classList.toggle("dead", !up);
    this.#tellLink();
  }

  on_fault({ name }) {
    if (name === "plug" || name === "heal") this.#fault = "";
    if (["unplug", "halfOpen", "slow"].includes(name)) this.#fault = name;
    const wire = this.wireBox;
    wire.classList.toggle("pulled", this.#fault === "unplug");
    wire.classList.toggle("half", this.#fault === "halfOpen");
    if (["cut", "unplug"].includes(name)) this.#jolt();
    this.#tellLink();
  }

  #break(at, what) {
    this.breaks.push({ at, what });
  }

  #tellLink() {
    this.wireBox.classList.toggle("live", this.#linked && this.#serverUp);
    this.state.textContent = !this.#serverUp ? "the server is dead"
      : this.#fault === "unplug" ? "the plug is out"
      : this.#fault === "halfOpen" ? "half-open: nothing arrives, nobody is told"
      : this.#linked ? (this.#fault === "slow" ? "connected, slowly" : "connected") : "no link; it tries again";
  }

  /** Counters and beads as they are at the time `now`. */
  draw(now) {
    const count = this.judge.count(now);
    for (const [key, number] of Object.entries(this.numbers)) {
      number.textContent = count[key];
      number.parentElement.classList.toggle("bad", key !== "sent" && count[key] > 0);
    }
    this.verdict.textContent = this.judge.isCounted
      ? count.lost + count.twice + count.disorder === 0 ? "Counted: every message, once, in order." : `Counted: ${count.lost} lost, ${count.twice} twice, ${count.disorder} out of order.`
      : count.waiting ? `${count.waiting} on the way` : "nothing on the way";
    this.element.dataset.counted = this.judge.isCounted;
    for (const n of this.#beads.keys()) {
      if (this.judge.isLost(n, now)) this.#paint(n, "lost");
      else if (this.judge.wasTwice(n)) this.#paint(n, "twice");
      else if (this.judge.isShown(n)) this.#paint(n, "stored");
    }
    return count;
  }

  #paint(n, state) {
    const bead = this.#beads.get(n);
    if (bead.dataset.state === state) return;
    bead.dataset.state = state;
    bead.setAttribute("aria-label", `Message ${n}: ${words[state]}`);
  }

  /** A bead goes down the wire hollow, and its check comes up filled; where there is no way, it falls. */
  #travel(n, down) {
    if (calm.matches || document.hidden) return;
    const flying = make("span", { class: `flying ${down ? "" : "filled"}`, "aria-hidden": "true" }, String(n));
    this.wireBox.append(flying);
    const height = this.wireBox.clientHeight;
    const blocked = down && (this.#fault === "unplug" || this.#fault === "halfOpen" || !this.#serverUp);
    const [from, to] = down ? [-12, height - 8] : [height - 8, -12];
    const way = blocked
      ? flying.animate([{ transform: `translate(-50%, ${from}px)` }, { transform: `translate(-50%, ${height * 0.4}px)`, offset: 0.5 }, { transform: `translate(40px, ${height}px) rotate(60deg)`, opacity: 0 }], fall)
      : flying.animate([{ transform: `translate(-50%, ${from}px)` }, { transform: `translate(-50%, ${to}px)` }], travel);
    way.onfinish = () => flying.remove();
  }

  #jolt() {
    if (calm.matches) return;
    this.wireBox.firstChild.animate([{ transform: "none" }, { transform: "translateX(-4px) rotate(-3deg)" }, { transform: "translateX(3px) rotate(2deg)" }, { transform: "none" }], 320);
  }
}

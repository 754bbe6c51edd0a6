// Ties the controls to what is seen: a live run (`make demo`) makes faults through host/main.mjs, a recorded one is heard
// from a file.
import { Live } from "./live.js";
import { Recorded } from "./recorded.js";
import { Side } from "./side.js";
import { drawStory, rowsOf } from "./story.js";

const element = (id) => document.getElementById(id);
const isLive = document.querySelector("meta[name=demo]").content === "live";

const sides = {
  oncewire: new Side({ name: "oncewire", title: "Oncewire", subtitle: "server and client", onPick: tellStory }),
  stock: new Side({ name: "stock", title: "Socket.IO tutorial", subtitle: "socket.io 4.8 on Node", onPick: tellStory }),
};
element("sides").append(sides.oncewire.element, sides.stock.element);

const show = {
  now: (text) => (element("now").textContent = text),
  chaos(value) {
    element("chaos").value = value;
    element("chaos-value").textContent = `${value} %`;
  },
  plug(isOut) {
    element("unplug").setAttribute("aria-pressed", isOut);
    element("unplug").querySelector("span").textContent = isOut ? "Put it back" : "Pull the plug";
  },
  run: (text, isEnabled = true) => {
    element("run").querySelector("span").textContent = text;
    element("run").disabled = !isEnabled;
  },
};
const run = isLive ? new Live(sides, show) : new Recorded(sides, show);

setInterval(() => {
  for (const side of Object.values(sides)) side.draw(run.now());
}, 100);

element("unplug").addEventListener("click", () => run.fault(element("unplug").ariaPressed === "true" ? "plug" : "unplug"));
for (const name of ["kill", "reload", "halfOpen"]) element(name).addEventListener("click", () => run.fault(name));
element("chaos").addEventListener("input", ({ target }) => {
  show.chaos(target.value);
  run.chaos = Number(target.value);
});
element("run").addEventListener("click", () => run.toggle());
if (!isLive) {
  for (const id of ["unplug", "kill", "reload", "halfOpen", "chaos"]) element(id).disabled = true;
  element("recorded").hidden = false;
}

async function tellStory(side, n) {
  const dialog = element("story");
  element("story-title").textContent = `Message ${n}, ${side.title}`;
  const rows = rowsOf(side.stories.get(n), side.breaks);
  const where = element("story-where");
  where.hidden = true;
  dialog.showModal();
  const diagram = element("story-diagram");
  diagram.replaceChildren(drawStory(rows, { device: side.name === "oncewire" ? "device" : "memory", room: diagram.clientWidth }));
  const key = side.keys.get(n);
  const answer = key && (await run.where(key));
  if (!answer) return;
  where.textContent = `$ oncewire-server --where ${key}\n${answer}`;
  where.hidden = false;
}
element("story-close").addEventListener("click", () => element("story").close());
element("story").addEventListener("click", ({ target, currentTarget }) => target === currentTarget && currentTarget.close());

await run.begin(element("recorded"));
/** For whoever wants to keep this run, as recorded.json is kept. */
globalThis.recording = () => run.recording();

// `?debug`: what the connection does, for operators. Counts what must never happen, and would tell.

const kept = 200; // frames that are remembered
const shown = 12;
const keysShown = 5; // of messages that wait, and of those that have their verdict: what `--where` asks for

export function openDebug(socket) {
  const counters = { events: 0, sent: 0, duplicates: 0, reorders: 0, connects: 0, drops: 0, busy: 0 };
  const frames = [];
  const settled = []; // {key, state}, the newest last
  let newest = 0;
  let roundTrip = 0;
  const seen = new Set();

  const note = (direction, args) => {
    frames.push(`${new Date().toISOString().slice(11, 23)} ${direction} ${JSON.stringify(args).slice(0, 160)}`);
    frames.splice(0, frames.length - kept);
  };
  socket.onAny((event, ...args) => {
    ++counters.events;
    note("←", [event, ...args]);
    const id = event === "chat message" ? args[1] : event === "post" ? args[0].id : undefined;
    if (id === undefined) return;
    if (seen.has(id)) ++counters.duplicates;
    else if (id < newest) ++counters.reorders;
    seen.add(id);
    newest = Math.max(newest, id);
  });
  socket.onAnyOutgoing((...args) => {
    ++counters.sent;
    note("→", args);
  });
  socket.on("connect", () => ++counters.connects);
  socket.on("disconnect", () => ++counters.drops);
  socket.on("history_replaced", () => seen.clear() || (newest = 0));
  socket.outbox.on("busy", () => ++counters.busy);
  socket.outbox.on("change", ({ key, state }) => {
    if (!["accepted", "rejected", "unknown"].includes(state)) return;
    settled.push({ key, state });
    settled.splice(0, settled.length - kept);
  });

  const report = () => ({
    at: new Date().toISOString(),
    connected: socket.connected,
    session: socket.id ?? null,
    guarantee: socket.guarantee,
    waiting: socket.outbox.entries().map(({ key, event, state, saved }) => ({ key, event, state, saved })),
    settled,
    isSaved: socket.outbox.durable,
    cursor: newest,
    roundTrip,
    counters: { ...counters, ...socket.anomalies },
  });

  const panel = document.createElement("section");
  panel.className = "debug";
  panel.setAttribute("aria-label", "Debug");
  const text = document.createElement("pre");
  text.tabIndex = 0;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Export report";
  button.addEventListener("click", () => save({ ...report(), frames }));
  panel.append(text, button);
  document.body.append(panel);

  setInterval(() => {
    const begun = performance.now();
    if (socket.connected) {
      socket.timeout(5000).volatile.emit("echo", 1, (error) => {
        if (!error) roundTrip = Math.round(performance.now() - begun);
      });
    }
    const { counters: counts, waiting, settled: told, ...rest } = report();
    const lines = Object.entries({ ...rest, ...counts, waiting: waiting.length });
    const keys = [...told.slice(-keysShown), ...waiting.slice(0, keysShown)].map(({ key, state }) => `${key} ${state}`);
    text.textContent = [...lines.map(([name, value]) => `${name}: ${value}`), "", ...keys, "", ...frames.slice(-shown)].join("\n");
  }, 1000);
}

function save(report) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: "application/json" }));
  link.download = "oncewire-report.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

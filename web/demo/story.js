// The sequence diagram of one message, from what its page told and what happened to its wire meanwhile.

const lanes = ["person", "device", "wire", "server"];
const left = 70; // for the times
const narrowest = 60; // a lane
const widest = 150;
const rowHeight = 38;
// what → [from lane, to lane, words]; the same lane twice is a mark, not a way.
const steps = {
  press: [0, 0, "key press"],
  pressed: [0, 0, "taken by the page"],
  kept: [0, 1, "kept on the device"],
  waits: [0, 0, "waits in the page"],
  sent: [1, 3, "offered"],
  commit: [3, 3, "COMMIT"],
  stored: [3, 0, "the check"],
  dropped: [1, 1, "given up"],
  shown: [3, 0, "shown"],
  "shown again": [3, 0, "shown again"],
  "link lost": [2, 2, "link lost"],
  "server killed": [3, 3, "kill -9"],
  "server is back": [3, 3, "server is back"],
  "page reloaded": [0, 0, "page reloaded"],
};
const breaks = new Set(["link lost", "server killed", "page reloaded", "dropped"]);
const most = 24; // rows

/** What happened to message `n` of this side: its own steps, and what broke between its key press and its check. */
export function rowsOf(story, troubles) {
  const begun = story[0].at;
  const settled = story.find(({ what }) => what === "shown")?.at ?? Infinity;
  const own = story.filter(({ what }) => what !== "pressed");
  const between = troubles.filter(({ at }) => at > begun && at < settled);
  const rows = [...own, ...between].sort((a, b) => a.at - b.at);
  // Both servers tell after they have stored: it was so by then.
  const firstTold = rows.findIndex(({ what }) => what === "stored" || what === "shown");
  if (firstTold >= 0) rows.splice(firstTold, 0, { at: rows[firstTold].at, what: "commit" });
  let offers = 0;
  const told = rows.map(({ at, what }, i) => {
    const isLost = what === "sent" && breaks.has(rows.slice(i + 1).find((row) => ["stored", "shown", "sent"].includes(row.what) || breaks.has(row.what))?.what);
    const text = what === "sent" && ++offers > 1 ? "offered again" : steps[what][2];
    return { after: at - begun, what, text: isLost ? `${text}, and lost` : text, isLost };
  });
  return told.length <= most ? told : [...told.slice(0, most - 6), { what: "more", text: `… ${told.length - most + 1} more steps …` }, ...told.slice(-5)];
}

const node = (tag, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** `room`: how wide it may become, in CSS pixels. `device`: what the second lane is called. */
export function drawStory(rows, { device, room }) {
  const laneWidth = Math.min(widest, Math.max(narrowest, (room - left) / lanes.length));
  const x = (lane) => left + laneWidth * (lane + 0.5);
  const height = 44 + rows.length * rowHeight + 8;
  const width = left + laneWidth * lanes.length;
  const said = rows.map(({ after, text }) => (after === undefined ? text : `${seconds(after)}: ${text}`)).join("; ");
  const picture = node("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": said });
  for (const [lane, name] of lanes.entries()) {
    picture.append(node("text", { class: "lane", x: x(lane), y: 18 }, lane === 1 ? device : name));
    picture.append(node("path", { class: "life", d: `M${x(lane)} 28V${height}` }));
  }
  rows.forEach((row, i) => picture.append(...drawRow(row, 58 + i * rowHeight, x)));
  return picture;
}

function drawRow({ after, what, text, isLost }, y, x) {
  if (what === "more") return [node("text", { class: "lane", x: x(1.5), y }, text)];
  const [from, to] = steps[what];
  const end = isLost ? 2 : to;
  const kind = isLost || breaks.has(what) ? "bad" : ["commit", "stored"].includes(what) ? "good" : "";
  const parts = [node("text", { class: "time", x: left - 14, y: y + 4 }, `${what === "commit" ? "≤" : "+"}${seconds(after)}`)];
  if (from === end) {
    parts.push(node("circle", { class: `dot ${kind}`, cx: x(from), cy: y, r: 5 }));
    const atEnd = from === lanes.length - 1;
    parts.push(node("text", { class: `${kind} ${atEnd ? "before" : "after"}`, x: x(from) + (atEnd ? -11 : 11), y: y + 4 }, text));
    return parts;
  }
  const tip = end > from ? -1 : 1;
  parts.push(node("path", { class: `way ${kind}`, d: `M${x(from)} ${y}H${x(end)}m${tip * 7} -4L${x(end)} ${y}l${tip * 7} 4` }));
  if (isLost) parts.push(node("path", { class: "way bad", d: `M${x(2) - 5} ${y - 5}l10 10m0 -10l-10 10` }));
  parts.push(node("text", { class: `${kind} over`, x: (x(from) + x(end)) / 2, y: y - 5 }, text));
  return parts;
}

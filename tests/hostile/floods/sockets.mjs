// What the WebSocket itself allows: frames, fragments, control frames, and packets that announce more than comes.
import { Peer, frame, text } from "../peers.mjs";

/** Joined peers that go on being heard. */
const guests = (attack, count, options = {}) => Peer.crowd(attack, attack.some(count), () => options);

/** Each of `peers` in turn, until the flood is over. */
async function inTurn(attack, peers, step) {
  if (peers.length === 0) return;
  await attack.repeat(async (n) => step(peers[n % peers.length], n));
}

export const sockets = [
  {
    name: "pings unread",
    about: "control frames by the thousand, whose answers nobody reads",
    async run(attack) {
      const pings = Buffer.concat(Array(500).fill(frame(0x89, "x".repeat(125))));
      const peers = await guests(attack, 20);
      for (const peer of peers) peer.deaf();
      await inTurn(attack, peers, (peer) => (peer.write(pings), attack.pause(1)));
    },
  },
  {
    name: "unfinished messages",
    short: true,
    about: "300 WebSockets, each with 900 kB of a message that never ends",
    async run(attack) {
      const peers = await guests(attack, 300);
      const piece = (n) => frame(n === 0 ? 0x01 : 0x00, "x".repeat(90_000));
      for (let round = 0; round < 10; round++) for (const peer of peers) await peer.push(piece(round));
    },
  },
  {
    name: "empty fragments",
    about: "messages of a thousand empty fragments",
    async run(attack) {
      const rest = Buffer.concat(Array(1000).fill(frame(0x00, "")));
      const whole = Buffer.concat([frame(0x01, "42"), rest, frame(0x80, '["echo"]')]);
      await inTurn(attack, await guests(attack, 10), (peer) => peer.push(whole));
    },
  },
  {
    name: "claimed lengths",
    about: "frames that announce a megabyte and bring little of it",
    async run(attack) {
      const peers = await guests(attack, 800);
      for (const peer of peers) await peer.push(frame(0x81, "42[", 999_000));
      await attack.over;
    },
  },
  {
    name: "compressed though nobody agreed",
    about: "frames that claim to be deflated, from connections that never end otherwise",
    async run(attack) {
      await attack.repeat(async () => {
        const peer = await Peer.join(attack);
        await peer?.push(frame(0xc1, "x".repeat(10_000)));
      });
    },
  },
  {
    name: "missing attachments",
    short: true,
    about: "300 packets that announce ten attachments and bring nine of 90 kB",
    async run(attack) {
      const peers = await guests(attack, 300);
      const placeholders = Array.from({ length: 10 }, (_, num) => `{"_placeholder":true,"num":${num}}`).join();
      for (const peer of peers) await peer.push(text(`4510-["echo",${placeholders}]`));
      const piece = frame(0x82, "x".repeat(90_000));
      for (let round = 0; round < 9; round++) for (const peer of peers) await peer.push(piece);
    },
  },
  {
    name: "echoes unread",
    short: true,
    about: "300 WebSockets ask for echoes of 100 kB and never read one",
    async run(attack) {
      const peers = await guests(attack, 300);
      for (const peer of peers) peer.deaf();
      const packet = text(`421["echo","${"x".repeat(100_000)}"]`);
      for (let round = 0; round < 8; round++) for (const peer of peers) await peer.push(packet);
    },
  },
  {
    name: "deep and wide JSON",
    short: true,
    about: "a megabyte of brackets, nested or side by side, in every place that takes JSON",
    async run(attack) {
      const wide = `[${"[],".repeat(300_000)}[]]`;
      const deep = "[".repeat(400_000) + "]".repeat(400_000);
      const packets = [wide, deep].flatMap((json) => [`421["echo",${json}]`, `422["rename",${json}]`, `42["chat message",${json}]`, `421["typing",{"a":${json}}]`]);
      await attack.repeat(async (n) => {
        const peer = await Peer.join(attack, n % 4 === 3 ? { auth: `{"live":${wide}}` } : {});
        await peer?.send(packets[n % packets.length]);
      });
    },
  },
  {
    name: "small packets of many",
    short: true,
    about: "400 WebSockets of one address send the smallest packets there are, 100 kB at a time, so that all have some to be read",
    async run(attack) {
      const peers = await guests(attack, 400);
      const ready = Buffer.concat(Array(10_000).fill(text("3")));
      await inTurn(attack, peers, (peer) => peer.push(ready));
    },
  },
  {
    name: "events of many",
    about: "the same with the smallest events that somebody handles",
    async run(attack) {
      const peers = await guests(attack, 400);
      const ready = Buffer.concat(Array(4000).fill(text('42["leave","room/a"]')));
      await inTurn(attack, peers, (peer) => peer.push(ready));
    },
  },
];

// What the server keeps: messages, verdicts, senders; and the protocol that speaks of them.
import { Peer, texts } from "../peers.mjs";
import { digestOf, token } from "../../support/durable.mjs";
import { secret, visitor } from "../tokens.mjs";

const sender = (more = {}) => visitor({ oncewire: { version: 1, answers: true, links: true, renumbered: true, producer: token(), secret: token() }, ...more });

/** Offers one message after another under rising numbers, a window at a time, as an honest outbox would. */
async function offer(attack, messageOf, { from } = {}) {
  const peer = await Peer.join(attack, { auth: sender(), from });
  if (!peer) return;
  let next = 1;
  let settled = 0;
  let last = "";
  peer.onPacket = (packet) => {
    if (packet.startsWith('42["oncewire:verdicts"')) {
      const [, first, verdicts] = JSON.parse(packet.slice(2));
      settled = Math.max(settled, first + verdicts.length - 1);
      attack.note("accepted", verdicts.filter(([kind]) => kind === 0).length);
      attack.note("rejected", verdicts.filter(([kind]) => kind === 1).length);
    } else if (packet.startsWith('42["oncewire:later"') && last !== packet) attack.note("later");
    if (packet.startsWith('42["oncewire:expect"') || packet.startsWith('42["oncewire:later"')) next = settled + 1;
  };
  while (!attack.isOver && !peer.isClosed) {
    const batch = [];
    for (; next <= settled + 900 && batch.length < 100; next++) {
      const message = messageOf(next);
      batch.push(`42["oncewire:send",${next},"${digestOf(message)}",${JSON.stringify(message)}]`);
    }
    if (batch.length > 0) await peer.push(texts(batch));
    else await attack.pause(2);
    await attack.turn();
  }
  if (peer.isClosed) attack.note("cut off");
}

/** Something joined, once and for all. */
async function hammer(attack, auth, bytesOf) {
  const peer = await Peer.join(attack, { auth });
  await attack.repeat((n) => peer?.push(bytesOf(n)) ?? false);
  if (peer?.isClosed) attack.note("cut off");
}

export const promises = [
  {
    name: "rejections",
    short: true,
    about: "one outbox offers what is rejected: each would be a row for 90 days",
    atMost: { rejected: 2500 },
    diskMegabytes: 20,
    run: (attack) => offer(attack, (n) => ["open room", `  ${" ".repeat(n % 3)}`]),
  },
  {
    name: "messages",
    short: true,
    about: "8 people of one address store messages of 30 kB as fast as it goes; each may store 100 MB a day",
    megabytes: 80,
    diskMegabytes: 120,
    run: (attack) => Promise.all(Array.from({ length: 8 }, () => offer(attack, (n) => ["chat message", `${n}${"x".repeat(30_000)}`]))),
  },
  {
    name: "events nobody stores",
    about: "one outbox offers events that have no handler",
    atMost: { rejected: 2500 },
    diskMegabytes: 20,
    run: (attack) => offer(attack, (n) => ["nobody stores this", n]),
  },
  {
    name: "senders",
    short: true,
    about: "a new outbox for every message",
    diskMegabytes: 20,
    async run(attack) {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          attack.repeat(async () => {
            const peer = await Peer.join(attack, { auth: sender() });
            await peer?.send(`42["oncewire:send",1,"${"0".repeat(16)}",["open room"," "]]`);
            await attack.pause(2);
            peer?.socket.destroy();
          }),
        ),
      );
    },
  },
  {
    name: "numbers",
    about: "an outbox that leaves out numbers, goes back, and names numbers without end",
    run(attack) {
      const numbers = [1, 2, 9007199254740991, 1, 3, "18446744073709551615", 0, 1, -1, 1];
      const packets = numbers.map((n) => `42["oncewire:send",${n},"${"0".repeat(16)}",["chat message","x"]]`);
      return hammer(attack, sender(), (n) => texts(Array(20).fill(packets[n % packets.length])));
    },
  },
  {
    name: "the same again",
    about: "one message offered again and again: its verdict is told each time",
    run(attack) {
      const packets = texts(Array(200).fill(`42["oncewire:send",1,"${"0".repeat(16)}",["chat message","x"]]`));
      return hammer(attack, sender(), () => packets);
    },
  },
  {
    name: "another under its number",
    about: "other messages under a number that was used",
    run: (attack) =>
      hammer(attack, sender(), (n) => texts(Array.from({ length: 200 }, (_, i) => `42["oncewire:send",1,"${(n * 200 + i).toString(16).padStart(16, "0")}",["chat message","${i}"]]`))),
  },
  {
    name: "notices",
    about: "clients that report holes in the log which are not there",
    run(attack) {
      const packets = texts(Array(200).fill('42["oncewire:noticed",4294967295,4294967295,4294967295]'));
      return hammer(attack, sender(), () => packets);
    },
  },
  {
    name: "ids of stock clients",
    short: true,
    about: "messages with an id each, as the tutorial's client sends them: each id is remembered",
    diskMegabytes: 40,
    run: (attack) => hammer(attack, visitor(), (n) => texts(Array.from({ length: 100 }, (_, i) => `42${i}["chat message","x","${n}-${i}-${"i".repeat(200)}"]`))),
  },
  {
    name: "positions",
    about: "readers who stand beyond the end of the log, or in another one",
    async run(attack) {
      const positions = ["x.9007199254740991", `${secret()}.1`, "....", "x.-1", "x.1e9"];
      await Promise.all(
        Array.from({ length: 20 }, () =>
          attack.repeat(async (n) => {
            const auth = sender();
            auth.oncewire.position = positions[n % positions.length];
            const peer = await Peer.join(attack, { auth });
            await attack.pause(5);
            peer?.socket.destroy();
          }),
        ),
      );
    },
  },
];

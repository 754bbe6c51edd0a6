// Coming and going: CONNECT, what it carries, who leaves and when.
import { Line, Peer, PollingSession, text, texts } from "../peers.mjs";
import { secret, tokenOf, visitor } from "../tokens.mjs";

/** Draws packets; the same ones in every run. */
class Chance {
  constructor(seed) {
    this.state = seed;
  }
  below(count) {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0; // Numerical Recipes
    return Math.floor((this.state / 2 ** 32) * count);
  }
  words() {
    const sender = { oncewire: { version: 1, answers: true, links: true, producer: secret(), secret: secret() } };
    const vocabulary = [
      "40", `40${JSON.stringify(visitor())}`, `40${JSON.stringify(visitor(sender))}`, `40{"token":"${tokenOf("u", 0)}"}`, "40/a,", "40/b,", "41", "41/a,", "44", "1", "3", "5", "2probe",
      '42["chat message","x"]', '421["chat message","x","id-1"]', '421["history","chat",null,9]', '422["search","chat","x",null]', '42["typing","chat"]', '421["enter","room/a"]', '42["leave","room/a"]',
      '421["rename","M"]', `421["token","${tokenOf("u", 0)}"]`, `421["echo","${"x".repeat(40_000)}"]`, '42/a,["x"]', "431[]", '430["x"]', '42["oncewire:send",1,"0000000000000000",["chat message","y"]]',
      '42["oncewire:noticed",1,1,1]', '42["oncewire:verdicts",1,[]]', '42["nobody"]', '451-["echo",{"_placeholder":true,"num":0}]', '42["post","user/v-1",{"text":"x"}]',
    ];
    // Who has not joined can say little, so most begin with that.
    const first = this.below(4) > 0 ? [vocabulary[this.below(4)]] : [];
    return [...first, ...Array.from({ length: 1 + this.below(12) }, () => vocabulary[this.below(vocabulary.length)])];
  }
}

export const sessions = [
  {
    name: "expires while unread",
    short: true,
    about: "signed-in users leave their queues full to the last byte; then their tokens end, and the chat speaks and disconnects them",
    async run(attack) {
      // 41 answers of this size leave 4 bytes of 4 MiB: what comes next is one too many. How many more the kernel takes
      // off the queue nobody knows, so each tries another number.
      const answer = 102_300;
      const packet = text(`421["echo","${"x".repeat(answer - '431[""]'.length)}"]`);
      const peers = await Peer.crowd(attack, 16, (n) => ({ auth: { token: tokenOf(`u${n}`, 3600) } }));
      for (const peer of peers) peer.deaf();
      for (const [n, peer] of peers.entries()) await peer.push(Buffer.concat(Array(78 + n).fill(packet)));
      for (const [n, peer] of peers.entries()) await peer.send(`42["token","${tokenOf(`u${n}`, 0)}"]`);
      await attack.over;
    },
  },
  {
    name: "two packets in one",
    short: true,
    about: "a message that is stored and the end of its session in one segment, in every order",
    async run(attack) {
      const message = '42["chat message","x"]';
      const asked = '421["history","chat",null,5]';
      const ends = [["40"], ["41"], ["41", "40"], ["40/other,"], ["41", "41"], ["44"], ["1"], ["4["], ["2probe"], ["5"], ["0"], ["40", "40"]];
      const connect = `40${JSON.stringify(visitor())}`;
      await attack.repeat(async (n) => {
        const end = ends[n % ends.length];
        const orders = [[message, ...end], [asked, ...end], [...end, message], [asked, ...end, asked, message]];
        const order = orders[Math.floor(n / ends.length) % orders.length];
        if (n % 3) return (await Peer.join(attack))?.push(texts(order));
        const peer = new Peer(attack, { joins: false });
        if (await attack.orOver(peer.joined)) await peer.push(texts([connect, ...order]));
      });
    },
  },
  {
    name: "any packets in one",
    short: true,
    about: "what a client may say, in any order and number, in one segment; the next one comes before anything is answered",
    async run(attack) {
      const chance = new Chance(7);
      await attack.repeat(async (n) => {
        const peer = new Peer(attack, { joins: false });
        if (!(await attack.orOver(peer.joined))) return attack.pause(5);
        if (n % 4 === 0) peer.deaf();
        for (let segment = chance.below(3); segment >= 0; segment--) await peer.push(texts(chance.words()));
      });
    },
  },
  {
    name: "large auth",
    short: true,
    about: "400 sessions, each with 900 kB of auth",
    async run(attack) {
      const auth = JSON.stringify({ ...visitor(), more: "x".repeat(900_000) });
      await Promise.all(Array.from({ length: attack.some(400) }, () => Peer.join(attack, { auth })));
    },
  },
  {
    name: "namespaces",
    about: "CONNECT to thousands of namespaces that do not exist, answers unread",
    async run(attack) {
      const peer = await Peer.join(attack);
      peer?.deaf();
      await attack.repeat((n) => peer?.send(...Array.from({ length: 200 }, (_, i) => `40/none-${n * 200 + i},`)) ?? false);
    },
  },
  {
    name: "joins",
    short: true,
    about: "20 sockets come and go as new people, while 100 listen",
    atMost: { "kB to each listener": 300 },
    async run(attack) {
      const listeners = await Peer.crowd(attack, attack.some(100), () => ({ from: attack.address(1), auth: visitor() }));
      let heard = 0;
      for (const peer of listeners) {
        peer.ignores = true;
        peer.onData = (chunk) => (heard += chunk.length);
      }
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const peer = await Peer.join(attack, { auth: visitor() });
          while (!attack.isOver && (await peer?.send("41", `40${JSON.stringify(visitor())}`))) attack.note("joins");
        }),
      );
      await attack.over;
      attack.note("kB to each listener", Math.round(heard / 1000 / listeners.length));
    },
  },
  {
    name: "crowd",
    short: true,
    about: "a new person for each connection, as fast as they come",
    async run(attack) {
      await Promise.all(
        Array.from({ length: 30 }, () =>
          attack.repeat(async () => {
            const peer = await Peer.join(attack, { auth: visitor() });
            await peer?.send('42["typing","chat"]', '42["chat message","me, too"]');
            peer?.socket.destroy();
            if (!peer) await attack.pause(20);
          }),
        ),
      );
    },
  },
  {
    name: "tokens",
    short: true,
    about: "one session renews its token without end",
    async run(attack) {
      const peer = await Peer.join(attack, { auth: { token: tokenOf("u", 3600), live: true } });
      const renewals = (n) => Array.from({ length: 100 }, (_, i) => `421["token","${tokenOf("u", 3600 + n * 100 + i)}"]`);
      const ready = Array.from({ length: 20 }, (_, n) => texts(renewals(n)));
      await attack.repeat((n) => peer?.push(ready[n % ready.length]) ?? false);
    },
  },
  {
    name: "farewells",
    short: true,
    about: "polling sessions with 800 kB to fetch each, whose tokens end",
    async run(attack) {
      const body = `421["echo","${"x".repeat(800_000)}"]`;
      const seconds = Math.max(attack.seconds * 0.6, 1);
      await Promise.all(
        Array.from({ length: attack.some(300) }, async (_, n) => {
          const session = await PollingSession.open(new Line(attack, attack.address()));
          if (!session || !(await session.post(`40${JSON.stringify({ token: tokenOf(`u${n}`, seconds) })}`))) return;
          await session.post(body);
        }),
      );
      await attack.over;
    },
  },
  {
    name: "answers nobody asked for",
    about: "acknowledgements of events that never were",
    async run(attack) {
      const peer = await Peer.join(attack);
      await attack.repeat((n) => peer?.send(...Array.from({ length: 300 }, (_, i) => `43${n * 300 + i}["x"]`)) ?? false);
    },
  },
  {
    name: "recoveries",
    about: "CONNECT as somebody who was there before, with sessions that never were",
    async run(attack) {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          attack.repeat(async () => {
            const peer = await Peer.join(attack, { auth: { ...visitor(), pid: visitor().visitor, offset: "9007199254740991" } });
            peer?.socket.destroy();
            if (!peer) await attack.pause(20);
          }),
        ),
      );
    },
  },
];

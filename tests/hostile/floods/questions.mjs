// What costs little to ask and much to answer.
import { Peer, binary, texts } from "../peers.mjs";
import { LIBRARY, NEEDLE } from "../library.mjs";
import { png } from "../../support/pictures.mjs";
import { secret, visitor } from "../tokens.mjs";

const many = (count, packet) => texts(Array.from({ length: count }, (_, n) => packet(n)));

export const questions = [
  {
    name: "searches",
    short: true,
    library: true,
    about: "10 searches a second through a large room, for what is almost there everywhere; each leaves before it is answered",
    async run(attack) {
      const search = (n) => `42${n}["search","${LIBRARY}","${NEEDLE}",null]`;
      await attack.repeat(async (n) => {
        const peer = await Peer.join(attack, { auth: visitor() });
        await peer?.send(search(n));
        await attack.pause(100);
        if (n % 2) peer?.socket.destroy();
      });
    },
  },
  {
    name: "searches of guests",
    library: true,
    about: "200 searches of one guest at once",
    async run(attack) {
      const peer = await Peer.join(attack, { auth: { live: true } });
      await peer?.push(many(200, (n) => `42${n}["search","${LIBRARY}","${NEEDLE}",null]`));
      await attack.over;
    },
  },
  {
    name: "history pipelined",
    short: true,
    library: true,
    about: "600 pages of a large room asked for at once, answers unread",
    async run(attack) {
      const peers = await Peer.crowd(attack, 4, () => ({ auth: visitor() }));
      for (const peer of peers) peer.deaf();
      for (const peer of peers) await peer.push(many(150, (n) => `42${n}["history","${LIBRARY}",null,200]`));
      await attack.over;
    },
  },
  {
    name: "history read",
    library: true,
    about: "the same, and the answers are read",
    async run(attack) {
      const peers = await Peer.crowd(attack, 4, () => ({ auth: visitor() }));
      for (const peer of peers) peer.ignores = true;
      for (const peer of peers) await peer.push(many(150, (n) => `42${n}["history","${LIBRARY}",null,200]`));
      await attack.over;
    },
  },
  {
    name: "replays",
    library: true,
    about: "stock clients connect to have everything replayed, and go, again and again",
    async run(attack) {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          attack.repeat(async () => {
            const peer = await Peer.join(attack, { auth: { serverOffset: 0, rooms: [LIBRARY] } });
            await attack.pause(20);
            peer?.socket.destroy();
          }),
        ),
      );
    },
  },
  {
    name: "pictures seen",
    about: "one picture of 200 kB asked for a thousand times, answers unread",
    async run(attack) {
      const id = secret();
      const [owner, ...viewers] = await Peer.crowd(attack, 5, () => ({ auth: visitor() }));
      const bytes = png(450, 450, { noise: true });
      await owner.push(Buffer.concat([texts([`451-1["picture","${id}",{"_placeholder":true,"num":0}]`]), binary(bytes)]));
      await owner.send(`42["post","chat",{"picture":"${id}"}]`);
      for (const peer of viewers) peer.deaf();
      for (const peer of viewers) await peer.push(many(250, (n) => `42${n}["see picture","${id}"]`));
      await attack.over;
    },
  },
  {
    name: "unknown events",
    about: "events that nobody handles, with and without an answer wanted",
    async run(attack) {
      const peer = await Peer.join(attack, { auth: visitor() });
      const ready = many(500, (n) => (n % 2 ? `42${n}["no such event",1]` : '42["no such event"]'));
      await attack.repeat(() => peer?.push(ready) ?? false);
    },
  },
];

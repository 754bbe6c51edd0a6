// What one person can make all others hear or keep.
import { Peer, binary, texts } from "../peers.mjs";
import { png } from "../../support/pictures.mjs";
import { secret, visitor } from "../tokens.mjs";

/** The same packets again and again, from so many people of one address. */
async function chorus(attack, count, packetOf) {
  const peers = await Peer.crowd(attack, count, () => ({ auth: visitor() }));
  await Promise.all(peers.map((peer) => attack.repeat((n) => peer.push(texts(Array.from({ length: 50 }, (_, i) => packetOf(n * 50 + i)))))));
}

export const people = [
  { name: "names", about: "20 people take another name all the time", run: (attack) => chorus(attack, 20, (n) => `421["rename","Mallory ${n}"]`) },
  { name: "rooms entered and left", about: "20 people enter and leave rooms", run: (attack) => chorus(attack, 20, (n) => (n % 2 ? `42["leave","room/${n % 40}"]` : `421["enter","room/${n % 40}"]`)) },
  { name: "typing", about: "20 people type all the time", run: (attack) => chorus(attack, 20, () => '42["typing","chat"]') },
  {
    name: "rooms opened",
    short: true,
    about: "20 people open rooms, which everybody's list would show",
    diskMegabytes: 20,
    run: (attack) => chorus(attack, 20, (n) => `42${n}["open room","room ${n} ${secret()}"]`),
  },
  {
    name: "inboxes",
    about: "20 people write to strangers, and say that they have read what was never written",
    diskMegabytes: 40,
    run: (attack) => chorus(attack, 20, (n) => (n % 2 ? `42${n}["post","user/v-${"0".repeat(24)}",{"text":"junk"}]` : `42${n}["read","v-${"0".repeat(24)}",${n}]`)),
  },
  {
    name: "edits",
    about: "one person changes one message all the time",
    diskMegabytes: 40,
    async run(attack) {
      const peer = await Peer.join(attack, { auth: visitor() });
      const id = new Promise((resolve) => (peer.onPacket = (packet) => /"id":(\d+)/.exec(packet) && packet.startsWith("431") && resolve(/"id":(\d+)/.exec(packet)[1])));
      await peer.send('421["post","chat",{"text":"first"}]');
      const number = await attack.orOver(id);
      await attack.repeat((n) => peer.send(...Array.from({ length: 50 }, (_, i) => `42["edit","chat",${number},"${n} ${i}"]`)));
    },
  },
  {
    name: "pictures",
    short: true,
    about: "pictures of 200 kB from one new person after another",
    diskMegabytes: 120,
    async run(attack) {
      const bytes = binary(png(450, 450, { noise: true }));
      await Promise.all(
        Array.from({ length: 8 }, () =>
          attack.repeat(async () => {
            const peer = await Peer.join(attack, { auth: visitor() });
            if (!peer) return attack.pause(20);
            const answered = new Promise((resolve) => (peer.onPacket = (packet) => packet.startsWith("431") && resolve()));
            await peer.push(Buffer.concat([texts([`451-1["picture","${secret()}",{"_placeholder":true,"num":0}]`]), bytes]));
            await attack.orOver(answered);
            peer.socket.destroy();
          }),
        ),
      );
    },
  },
];

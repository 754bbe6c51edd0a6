// What can be sent before anybody is anybody.
import { Line, PollingSession, head, polling, upgrade, websocket } from "../peers.mjs";

/** Lines of one address, as many as it gets. */
const lines = (attack, count, from) => Array.from({ length: count }, (_, n) => new Line(attack, from?.(n) ?? attack.address()));

export const http = [
  {
    name: "half heads",
    about: "2,000 connections of 4 addresses dribble a request's head and never end it",
    async run(attack) {
      const all = lines(attack, attack.some(2000), (n) => attack.address(n % 4));
      for (const line of all) line.write(Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "));
      await attack.repeat(async () => {
        for (const line of all) line.write(Buffer.from("x"));
        await attack.pause(50);
      });
    },
  },
  {
    name: "long heads",
    about: "requests with cookies up to the limit and beyond it",
    async run(attack) {
      const cookies = (size) => Buffer.from(head("/", { headers: `Cookie: a=${"x".repeat(size)}\r\n` }));
      const [fine, long] = [cookies(7000), cookies(200_000)];
      await attack.repeat(async (n) => {
        await new Line(attack, attack.address()).push(n % 2 ? fine : long);
      });
    },
  },
  {
    name: "page without reading",
    short: true,
    about: "200 connections ask for the page again and again and never read an answer",
    async run(attack) {
      const requests = Buffer.from(head("/").repeat(200));
      const all = lines(attack, 200).map((line) => line.deaf());
      await attack.repeat(async (n) => {
        all[n % all.length].write(requests);
        await attack.pause(1);
      });
    },
  },
  {
    name: "polling sessions",
    short: true,
    about: "one TCP connection opens one polling session after another",
    atMost: { sessions: 1100 },
    async run(attack) {
      const line = new Line(attack, attack.address());
      line.onData = (chunk) => attack.note("sessions", chunk.toString("latin1").split("HTTP/1.1 200").length - 1);
      const requests = Buffer.from(head(polling).repeat(100));
      await attack.repeat(() => line.push(requests));
    },
  },
  {
    name: "forged addresses",
    short: true,
    about: "polling sessions whose requests claim to come from anywhere; nobody has said that this sender may be believed",
    atMost: { sessions: 1100 },
    async run(attack) {
      const claim = (n) => `X-Forwarded-For: 10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}\r\nForwarded: for="[2001:db8::${n.toString(16)}]";proto=https\r\n`;
      await attack.repeat(async (n) => {
        const line = new Line(attack, attack.address());
        line.onData = (chunk) => attack.note("sessions", chunk.toString("latin1").split("HTTP/1.1 200").length - 1);
        await line.push(Buffer.from(Array.from({ length: 20 }, (_, i) => head(polling, { headers: claim(n * 20 + i) })).join("")));
      });
    },
  },
  {
    name: "sessions of strangers",
    about: "the same, as any page can do with an <img>: no Origin, one connection each, from 8 addresses",
    async run(attack) {
      const request = Buffer.from(head(polling, { headers: "Connection: close\r\n" }));
      await attack.repeat(async (n) => {
        const line = new Line(attack, attack.address(n % 8));
        await line.push(request);
        if (n % 50 === 49) await attack.orOver(line.closed);
      });
    },
  },
  {
    name: "upgrades cut short",
    about: "polling sessions, each with a WebSocket that never probes",
    async run(attack) {
      await attack.repeat(async () => {
        const session = await PollingSession.open(new Line(attack, attack.address()));
        if (!session) return attack.pause(5);
        new Line(attack, attack.address()).write(Buffer.from(head(`${websocket}&sid=${session.sid}`, { headers: upgrade })));
      });
    },
  },
  {
    name: "refused bodies",
    short: true,
    about: "300 POSTs of almost 1 MB each to paths that nobody serves; none is ever whole",
    async run(attack) {
      const request = Buffer.from(head("/nothing/here", { method: "POST", headers: "Content-Length: 999999\r\n" }));
      await fill(attack, lines(attack, 300), request);
    },
  },
  {
    name: "unfinished posts",
    short: true,
    about: "300 polling sessions, each with a POST of almost 1 MB that is never whole",
    async run(attack) {
      const all = lines(attack, attack.some(300));
      const sessions = (await Promise.all(all.map((line) => PollingSession.open(line)))).filter((session) => session);
      await fill(attack, sessions.map(({ line }) => line), (n) => Buffer.from(sessions[n].post_head(999_999)));
    },
  },
  {
    name: "posts",
    short: true,
    about: "60 sessions POST 1 MB of messages at a time, again and again",
    async run(attack) {
      const all = await Promise.all(lines(attack, 60).map((line) => PollingSession.open(line)));
      const message = `42["chat message","${"x".repeat(2000)}"]`;
      const body = Array(400).fill(message).join("\x1e");
      await Promise.all(
        all.map(async (session) => {
          if (!session || !(await session.post("40"))) return;
          while (!attack.isOver && (await session.post(body)));
        }),
      );
    },
    diskMegabytes: 60,
  },
  {
    name: "smallest packets by POST",
    short: true,
    about: "60 sessions POST as many packets at a time as one POST may carry",
    async run(attack) {
      const all = await Promise.all(lines(attack, attack.some(60)).map((line) => PollingSession.open(line)));
      const body = Array(65_536).fill("3").join("\x1e");
      await Promise.all(all.map(async (session) => {
        if (!session || !(await session.post("40"))) return;
        while (!attack.isOver && (await session.post(body)));
      }));
    },
  },
  {
    name: "compressed polls",
    about: "40 sessions have echoes of 900 kB compressed for them",
    async run(attack) {
      const all = await Promise.all(lines(attack, 40).map((line) => PollingSession.open(line)));
      const body = `421["echo","${Array.from({ length: 90_000 }, (_, n) => (n * 7919).toString(36).padStart(10, "0")).join("")}"]`;
      await Promise.all(all.map(async (session) => {
        if (!session || !(await session.post("40"))) return;
        while (!attack.isOver && (await session.post(body))) await attack.orOver(session.line.ask(session.target, { headers: "Accept-Encoding: gzip, br, deflate\r\n" }));
      }));
    },
  },
  {
    name: "polls",
    about: "two GETs at a time of one session, which is then over, and so on",
    async run(attack) {
      await attack.repeat(async () => {
        const session = await PollingSession.open(new Line(attack, attack.address()));
        if (!session) return attack.pause(5);
        await session.line.push(Buffer.from(head(session.target).repeat(20)));
      });
    },
  },
  {
    name: "strangers",
    short: true,
    about: "handshakes from pages of other sites and for other hosts: each is refused, and told to the operator",
    async run(attack) {
      const line = new Line(attack, attack.address());
      await attack.repeat(async (n) => {
        const one = (i) => head(polling, { headers: `Origin: http://evil${n * 50 + i}.example\r\n` });
        await line.push(Buffer.from(Array.from({ length: 50 }, (_, i) => one(i)).join("")));
        attack.note("requests", 50);
      });
    },
  },
  {
    name: "connects and goes",
    about: "connections that end at once, with and without a request",
    async run(attack) {
      await attack.repeat(async (n) => {
        const line = new Line(attack, attack.address(n % 8));
        await attack.orOver(line.opened);
        if (n % 2) line.write(Buffer.from(head(polling)));
        line.socket.resetAndDestroy();
        attack.note("connections");
      });
    },
  },
];

/** A head on every line, then all but the end of what it promises, a piece for each in turn. */
async function fill(attack, all, request) {
  const piece = Buffer.alloc(100_000, "x");
  all.forEach((line, n) => line.write(typeof request === "function" ? request(n) : request));
  for (let round = 0; round < 9 && !attack.isOver; round++) {
    for (const line of all) await line.push(piece);
  }
}

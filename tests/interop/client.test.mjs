// Our client beside the stock client: the same scenario with the stock Node server, and what each of them
// saw must be the same to the word.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { Server } from "socket.io";
import * as stock from "socket.io-client";
import WebSocket from "ws";
import { within } from "../support/stock.mjs";

const ours = await import("../../build/oncewire-client/dist/node.mjs");

/** A stock server and one client of it; what happens is logged in words that do not differ by chance. */
class Stage {
  log = [];
  sockets = [];

  static async open(client, options = {}, port = 0) {
    const stage = new Stage();
    stage.client = client;
    stage.http = createServer();
    stage.server = new Server(stage.http, options);
    await new Promise((resolve) => stage.http.listen(port, "127.0.0.1", resolve));
    stage.port = stage.http.address().port;
    return stage;
  }

  /** A socket whose events, and those of its manager, are noted. */
  connect(path = "/", options = {}) {
    const socket = this.client.io(`http://127.0.0.1:${this.port}${path}`, {
      transports: this.transports,
      forceNew: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 20,
      WebSocket,
      ...options,
    });
    this.sockets.push(socket);
    this.note(socket, "connect", () => [typeof socket.id, Boolean(socket.recovered), socket.active]);
    this.note(socket, "connect_error", (error) => [...errorWords(error), socket.active, error.data]);
    this.note(socket, "disconnect", (reason, details) => [reason, ...detailWords(details), socket.id, socket.connected, socket.active]);
    return socket;
  }

  noteManager({ io: manager }) {
    for (const event of ["open", "reconnect_attempt", "reconnect", "reconnect_failed"]) this.note(manager, event, (...args) => args);
    for (const event of ["error", "reconnect_error"]) this.note(manager, event, errorWords);
    this.note(manager, "close", (reason, details) => [reason, ...detailWords(details)]);
  }

  note(emitter, event, words) {
    emitter.on(event, (...args) => this.log.push([event, ...words(...args)]));
  }

  add(...words) {
    this.log.push(words);
  }

  heard(emitter, event) {
    return within(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), `“${event}”`);
  }

  async close() {
    for (const socket of this.sockets) socket.disconnect();
    await this.server.close();
  }
}

const errorWords = (error) => [error instanceof Error, error.message, error.type, typeof error.description];
function detailWords(details) {
  if (details === undefined) return [undefined];
  return details instanceof Error ? [details.type ?? "Error"] : [details.description];
}

/** Runs `play(stage)` with both clients over each transport; the logs must be equal. */
function alike(name, options, play, { over = ["polling", "websocket", "both"] } = {}) {
  describe(name, () => {
    for (const transport of over) {
      test(`over ${transport === "both" ? "polling, upgraded" : transport}`, async () => {
        const logs = [];
        for (const client of [stock, ours]) {
          const stage = await Stage.open(client, options);
          stage.transports = transport === "both" ? ["polling", "websocket"] : [transport];
          try {
            await within(play(stage), name, 60_000);
          } finally {
            await stage.close();
          }
          logs.push(stage.log);
        }
        assert.ok(logs[0].length > 0, "nothing was seen");
        assert.deepEqual(logs[1], logs[0]);
      });
    }
  });
}

alike("events and acknowledgements go both ways", {}, async (stage) => {
  stage.server.on("connection", (socket) => {
    socket.on("add", (a, b, answer) => answer(a + b, "and more"));
    socket.on("never", () => {});
    socket.on("turn round", () =>
      socket.timeout(60_000).emit("question", { deep: [1, null, "é😀"] }, (error, ...answers) => socket.emit("got", error, ...answers)),
    );
  });
  const socket = stage.connect();
  stage.noteManager(socket);
  socket.onAny((...args) => stage.add("any", ...args.map((each) => (typeof each === "function" ? "fn" : each))));
  socket.prependAny((event) => stage.add("first any", event));
  socket.onAnyOutgoing((...args) => stage.add("out", ...args));
  socket.once("question", (value, answer) => answer("yes", value, undefined));
  socket.emit("add", 1, 2, (...answers) => stage.add("answer", ...answers));
  await stage.heard(socket, "connect");
  stage.add("with ack", await socket.emitWithAck("add", 3, 4));
  const answered = new Promise((resolve) => socket.timeout(60_000).emit("add", 5, 6, (...answers) => resolve(answers)));
  stage.add("with timeout", ...(await answered));
  stage.add("late", await socket.timeout(20).emitWithAck("never").catch(errorWords));
  socket.send("unheard").emit("turn round");
  await stage.heard(socket, "got");
  stage.add("listeners", socket.listeners("question").length, socket.hasListeners("got"), socket.listenersAny().length);
  const twice = () => {};
  socket.onAny(twice).prependAny(twice).offAny(twice).onAnyOutgoing(twice).onAnyOutgoing(twice).offAnyOutgoing(twice);
  stage.add("once off", socket.listenersAny().length, socket.listenersAnyOutgoing().length);
  socket.offAny().offAnyOutgoing();
  for (const name of ["connect", "disconnect", "newListener"]) {
    try {
      socket.emit(name);
    } catch (error) {
      stage.add("thrown", error.message);
    }
  }
  socket.disconnect();
});

alike("binary goes both ways, in events and in acknowledgements", {}, async (stage) => {
  stage.server.on("connection", (socket) => socket.on("echo", (...args) => args.pop()(...args)));
  const socket = stage.connect();
  const words = (value) => (Buffer.isBuffer(value) ? ["buffer", ...value] : value);
  const values = [Buffer.from([1, 2, 3]), new Uint8Array([4, 5]).buffer, new Float32Array([1]), new Uint8Array([7, 8, 9]).subarray(1)];
  for (const value of values) stage.add(words(await socket.emitWithAck("echo", value)));
  const nested = await socket.emitWithAck("echo", { a: [Buffer.from("x"), { b: Buffer.alloc(0) }], n: 1 });
  stage.add(words(nested.a[0]), words(nested.a[1].b), nested.n);
  const large = await socket.emitWithAck("echo", Buffer.alloc(300_000, 7));
  stage.add(large.length, large.every((byte) => byte === 7));
});

alike("namespaces share a link; a refused one ends, and tells why", {}, async (stage) => {
  stage.server.of("/guarded").use((socket, next) => {
    if (socket.handshake.auth.token === "let me in") return next();
    next(Object.assign(new Error("not allowed"), { data: { code: 42 } }));
  });
  stage.server.of("/guarded").on("connection", (socket) => socket.emit("welcome"));
  stage.server.of("/open").on("connection", (socket) => socket.emit("welcome"));
  const open = stage.connect("/open");
  const { io: manager } = open;
  const guarded = manager.socket("/guarded", { auth: (provide) => provide({ token: "guess" }) });
  stage.note(guarded, "connect_error", (error) => [error.message, error.data, guarded.active]);
  await Promise.all([stage.heard(open, "welcome"), stage.heard(guarded, "connect_error")]);
  guarded.auth = { token: "let me in" };
  guarded.connect();
  await stage.heard(guarded, "welcome");
  const nowhere = manager.socket("/nowhere");
  stage.note(nowhere, "connect_error", (error) => [error.message, nowhere.active]);
  await stage.heard(nowhere, "connect_error");
  stage.add(manager.socket("/open") === open, open.connected, guarded.connected);
  guarded.disconnect();
  stage.add(open.connected, guarded.connected, guarded.active);
});

alike("the server learns auth, query, headers and path", { path: "/elsewhere" }, async (stage) => {
  stage.server.on("connection", (socket) => {
    const { auth, query } = socket.handshake;
    socket.emit("seen", auth, query.room, query.EIO, socket.handshake.headers["x-extra"]);
  });
  const socket = stage.connect("/?room=7", { path: "/elsewhere/", auth: { token: "t" }, extraHeaders: { "X-Extra": "e" } });
  stage.add(...(await stage.heard(socket, "seen")));
});

alike("a query is taken from the URL or the option, whatever it is", {}, async (stage) => {
  stage.server.on("connection", (socket) => {
    const { EIO, transport, t, sid, ...query } = socket.handshake.query;
    socket.emit("seen", query);
  });
  const cases = [
    ["/?a=1&b=x%20y", { query: { a: "2", c: "3" } }],
    ["/?token=ab+cd==&e=", {}],
    ["/", { query: "k=v&l=1+2" }],
    ["/", { query: { n: 5, none: undefined, list: [1, 2], text: "a b+c&d=é" } }],
  ];
  for (const [path, options] of cases) {
    const socket = stage.connect(path, options);
    stage.add(...(await stage.heard(socket, "seen")));
    socket.disconnect();
  }
});

alike("what an attempt's listeners change in the options counts for it", {}, async (stage) => {
  stage.server.on("connection", ({ conn, handshake: { query, headers } }) => {
    stage.add("server", conn.transport.name, query.x, query.y, headers["x-n"]);
    if (query.x !== undefined) conn.close();
  });
  const socket = stage.connect("/", { query: { x: 1 }, extraHeaders: { "x-n": "1" }, upgrade: false });
  socket.io.on("reconnect_attempt", () => {
    const { opts } = socket.io;
    opts.extraHeaders["x-n"]++;
    if (++opts.query.x < 3) return;
    opts.query = { y: "z" };
    opts.transports = [stage.transports[0] === "websocket" ? "polling" : "websocket"];
  });
  for (let times = 0; times < 3; ++times) await stage.heard(socket, "connect");
  stage.add(socket.io.engine.transport.name);
});

alike("a transport that is refused may be replaced by another", {}, async (stage) => {
  stage.server.engine.opts.allowRequest = (request, decide) => decide(null, !/websocket/.test(request.url));
  const socket = stage.connect();
  socket.on("connect_error", () => (socket.io.opts.transports = ["polling"]));
  await stage.heard(socket, "connect");
  stage.add(socket.io.engine.transport.name);
}, { over: ["websocket"] });

alike("a session that was cut is recovered, with what was missed", { connectionStateRecovery: {} }, async (stage) => {
  let peer;
  stage.server.on("connection", (socket) => {
    peer = socket;
    socket.join("room");
    socket.emit("hello");
  });
  const socket = stage.connect();
  socket.on("news", (n) => stage.add("news", n, socket.connected, socket.recovered));
  await stage.heard(socket, "hello");
  const lost = stage.heard(peer, "disconnect");
  socket.io.engine.close();
  await lost;
  stage.server.to("room").emit("news", 1);
  stage.server.to("room").emit("news", 2);
  await stage.heard(socket, "connect");
});

alike("what is emitted without a link waits; volatile is lost; acks given up tell so", {}, async (stage) => {
  stage.server.on("connection", (socket) => socket.on("kept", (n, answer) => answer?.(n)));
  const socket = stage.connect("/", { autoConnect: false });
  socket.emit("kept", 1, (n) => stage.add("answer", n));
  socket.volatile.emit("kept", 2, () => stage.add("never"));
  const gaveUp = new Promise((resolve) => socket.timeout(5).emit("kept", 3, resolve)).then((error) => stage.add("gave up", error.message));
  stage.add(socket.active, socket.sendBuffer.map(({ type, data, id }) => [type, data, id]));
  await gaveUp;
  stage.add(socket.sendBuffer.length);
  socket.connect();
  await stage.heard(socket, "connect");
  await socket.emitWithAck("kept", 4);
  stage.add("unanswered", await ask(socket).catch((error) => error.message));
});
function ask(socket) {
  const answer = socket.emitWithAck("nobody answers");
  socket.disconnect();
  return answer;
}

alike("retries repeat one after another until there is an answer, or enough", {}, async (stage) => {
  const seen = new Map();
  stage.server.on("connection", (socket) => {
    socket.on("stubborn", (name, answer) => {
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      if (times > 1 && name !== "deaf") answer("heard");
    });
  });
  // On a machine that stands still an answer may come too late; the next one will not.
  const retries = 4;
  const socket = stage.connect("/", { retries, ackTimeout: 150 });
  const answers = ["a", "deaf", "b"].map((name) => new Promise((resolve) => socket.emit("stubborn", name, (...args) => resolve(args))));
  for (const [error, ...rest] of await Promise.all(answers)) stage.add(error?.message ?? error, ...rest);
  stage.add([...seen.keys()], seen.get("deaf") === retries + 1);
});

alike("the server's word ends a namespace, and nobody comes back by itself", {}, async (stage) => {
  stage.server.on("connection", (socket) => socket.on("go", (all) => socket.disconnect(all)));
  const socket = stage.connect();
  stage.noteManager(socket);
  await stage.heard(socket, "connect");
  socket.emit("go", false);
  await stage.heard(socket, "disconnect");
  socket.connect();
  await stage.heard(socket, "connect");
});

alike("a client that closes comes back when it is told to", {}, async (stage) => {
  const socket = stage.connect();
  stage.noteManager(socket);
  await stage.heard(socket, "connect");
  socket.disconnect();
  stage.add(socket.connected, socket.active);
  socket.connect();
  await stage.heard(socket, "connect");
});

alike("the server hears a goodbye as what it is", {}, async (stage) => {
  for (let i = 0; i < 5; ++i) {
    const connection = stage.heard(stage.server, "connection");
    const socket = stage.connect();
    const connected = stage.heard(socket, "connect");
    const [peer] = await connection;
    const gone = stage.heard(peer, "disconnect");
    await connected;
    socket.disconnect();
    const [reason] = await gone;
    stage.add(reason);
  }
}, { over: ["polling", "websocket"] });

alike("an engine that is closed is followed by another", {}, async (stage) => {
  const socket = stage.connect();
  stage.noteManager(socket);
  await stage.heard(socket, "connect");
  socket.io.engine.close();
  stage.add("closed", socket.connected);
  await stage.heard(socket, "connect");
});

alike("nonsense from the server is a parse error, and a new session follows", {}, async (stage) => {
  stage.server.on("connection", (socket) => socket.on("go", () => socket.client.conn.write('2["unfinished')));
  const socket = stage.connect();
  await stage.heard(socket, "connect");
  socket.emit("go");
  await stage.heard(socket, "disconnect");
  await stage.heard(socket, "connect");
});

alike("a burst keeps its order, of whatever kinds it is", {}, async (stage) => {
  stage.server.of("/other");
  stage.server.on("connection", (socket) =>
    socket.on("go", () => {
      for (let n = 1; n <= 3; ++n) {
        socket.emit("tick", n, "a text at the end");
        socket.emit("tick", "é", n);
        socket.emit("bytes", Buffer.from([n]));
        socket.emit("lone");
        socket.emit("question", n, (answer) => answer === 6 && socket.emit("end"));
        socket.emit("7", [], { deep: [n] });
      }
      stage.server.of("/other").emit("tick", "over there");
    }),
  );
  const socket = stage.connect();
  const other = socket.io.socket("/other");
  stage.sockets.push(other);
  for (const each of [socket, other]) each.onAny((name, ...args) => stage.add(each.nsp, name, ...args.filter((arg) => typeof arg !== "function").map(String)));
  socket.on("question", (n, answer) => answer(n * 2));
  await Promise.all([stage.heard(socket, "connect"), stage.heard(other, "connect")]);
  socket.emit("go");
  await stage.heard(socket, "end");
});

alike("who leaves in the midst of a burst hears no more of it, then or later", {}, async (stage) => {
  stage.server.on("connection", (socket) =>
    socket.on("go", () => {
      for (let n = 1; n <= 5; ++n) socket.emit("tick", n);
    }),
  );
  const socket = stage.connect();
  socket.on("tick", (n) => {
    stage.add("tick", n);
    if (n === 3) socket.disconnect();
  });
  await stage.heard(socket, "connect");
  socket.emit("go");
  await stage.heard(socket, "disconnect");
  socket.connect();
  await stage.heard(socket, "connect");
});

alike("nonsense after sense of the same name is a parse error, too", {}, async (stage) => {
  stage.server.once("connection", (socket) => socket.on("more", (text) => socket.client.conn.write(text)));
  const socket = stage.connect();
  socket.on("tick", (n) => {
    stage.add("tick", n);
    socket.emit("more", n === 1 ? '2["tick",2]' : '2["tick",3');
  });
  socket.emit("more", '2["tick",1]');
  await stage.heard(socket, "disconnect");
  await stage.heard(socket, "connect");
});

alike("a server that no longer pings is given up", { pingInterval: 100, pingTimeout: 50 }, async (stage) => {
  // From the very first: who was pinged once answers, which would start it again.
  stage.server.engine.on("connection", (link) => {
    clearTimeout(link.pingIntervalTimer);
    clearTimeout(link.pingTimeoutTimer);
  });
  const socket = stage.connect();
  await stage.heard(socket, "connect");
  await stage.heard(socket, "disconnect");
}, { over: ["polling", "websocket"] });

alike("a server that is gone is tried again as often as was said", {}, async (stage) => {
  const socket = stage.connect("/", { reconnectionAttempts: 2 });
  stage.noteManager(socket);
  await stage.heard(socket, "connect");
  const failed = stage.heard(socket.io, "reconnect_failed");
  await stage.server.close();
  await failed;
  await new Promise((resolve) => setImmediate(resolve));
}, { over: ["polling", "websocket"] });

alike("where nothing listens there is an error each time", {}, async (stage) => {
  await stage.server.close();
  const socket = stage.connect("/", { reconnectionAttempts: 1 });
  stage.noteManager(socket);
  await stage.heard(socket.io, "reconnect_failed");
  await new Promise((resolve) => setImmediate(resolve));
});

alike("a server that comes back is found", {}, async (stage) => {
  const socket = stage.connect();
  await stage.heard(socket, "connect");
  for (const link of Object.values(stage.server.engine.clients)) link.close();
  await stage.heard(socket, "connect");
}, { over: ["polling", "websocket"] });

alike("a manager opens by itself, and its settings can be read and set", {}, async (stage) => {
  const manager = new stage.client.Manager(`http://127.0.0.1:${stage.port}`, { transports: stage.transports, autoConnect: false, WebSocket });
  stage.add(manager.reconnection(), manager.reconnectionAttempts(), manager.reconnectionDelay(), manager.reconnectionDelayMax());
  stage.add(manager.randomizationFactor(), manager.timeout(), manager.reconnectionDelay(5).reconnectionDelay());
  stage.note(manager, "open", () => []);
  stage.note(manager, "close", (reason) => [reason]);
  stage.add("opened", await new Promise((resolve) => manager.open(resolve)));
  const socket = manager.socket("/");
  stage.sockets.push(socket);
  stage.add(socket.active);
  socket.connect();
  await stage.heard(socket, "connect");
  stage.add(manager.engine.transport.name.length > 0, manager.engine.readyState);
  const packets = [];
  manager.on("packet", ({ type, nsp, data }) => packets.push([type, nsp, data]));
  stage.server.emit("a", 1);
  stage.server.emit("b", Buffer.from("x"));
  await stage.heard(socket, "b");
  stage.add(packets);
}, { over: ["polling", "websocket"] });

test("over polling first, the stock server sees an upgrade", async () => {
  const stage = await Stage.open(ours);
  const socket = stage.connect();
  assert.equal(socket.io.engine.transport.name, "polling");
  const [[peer], [transport]] = await Promise.all([
    stage.heard(stage.server, "connection"),
    stage.heard(socket.io.engine, "upgrade"),
  ]);
  assert.equal(transport.name, "websocket");
  if (!peer.conn.upgraded) await stage.heard(peer.conn, "upgrade");
  await stage.close();
});

test("where no transport is left there is an error", async () => {
  const stage = await Stage.open(ours);
  for (const transports of [[], ["webtransport"]]) {
    const socket = stage.connect("/", { transports, reconnectionAttempts: 1 });
    const failed = stage.heard(socket.io, "reconnect_failed");
    assert.equal((await stage.heard(socket, "connect_error"))[0].message, "No transports available");
    await failed;
  }
  await stage.close();
});

test("transports that do not open are passed over with tryAllTransports", async () => {
  const stage = await Stage.open(ours, { transports: ["websocket"] });
  const socket = stage.connect("/", { transports: ["polling", "websocket"], tryAllTransports: true });
  await stage.heard(socket, "connect");
  assert.equal(socket.io.engine.transport.name, "websocket");
  await stage.close();
});

/** As for a page that slept: the clocks have moved on, and no timer has run yet. Returns how to wake up from that. */
function sleepFor(milliseconds) {
  const clocks = [[Date, Date.now], [performance, performance.now]];
  for (const [clock, now] of clocks) clock.now = () => now.call(clock) + milliseconds;
  return () => {
    for (const [clock, now] of clocks) clock.now = now;
  };
}

alike("what is emitted after a sleep, before a timer could tell of it, arrives by the next connection", {}, async (stage) => {
  stage.server.on("connection", (socket) => socket.on("echo", (text, answer) => answer(text)));
  const socket = stage.connect();
  await stage.heard(socket, "connect");
  // Nobody hears any more what comes by this one.
  for (const session of Object.values(stage.server.engine.clients)) session.transport.removeAllListeners("packet");
  const wake = sleepFor(60_000);
  try {
    stage.add("answer", await within(socket.emitWithAck("echo", "awake"), "the answer"));
  } finally {
    wake();
  }
});

describe("an emit larger than the server takes", () => {
  for (const transport of ["polling", "websocket"]) {
    test(`is refused, and the connection goes on, over ${transport}`, async () => {
      const stage = await Stage.open(ours, { maxHttpBufferSize: 2_000 });
      stage.transports = [transport];
      try {
        stage.server.on("connection", (socket) => socket.on("echo", (...args) => args.pop()(args[0]?.length)));
        const socket = stage.connect();
        await stage.heard(socket, "connect");
        const large = "x".repeat(2_000);
        for (const value of [large, Buffer.from(large + large), { deep: [large] }]) {
          await assert.rejects(socket.emitWithAck("echo", value), { name: "DeliveryError", code: "too_large" });
          assert.throws(() => socket.emit("echo", value), { code: "too_large" });
        }
        assert.equal(await within(socket.emitWithAck("echo", "x".repeat(1_900)), "the answer"), 1_900);
        assert.deepEqual(stage.log.map(([event]) => event), ["connect"]);
      } finally {
        await stage.close();
      }
    });
  }
});

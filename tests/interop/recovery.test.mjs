// Connection state recovery for the unmodified client: the seven probes of the original's recovery, each
// with the outcome it should have had, and what a killed server, a half-open link or a thief make of it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Proxy } from "../e2e/proxy.mjs";
import { answer, heard, Program } from "../support/program.mjs";
import { until, within } from "../support/stock.mjs";
import WebSocket from "ws";

const ours = await import("../../build/oncewire-client/dist/node.mjs");

const ways = [["websocket"], ["polling"], ["polling", "websocket"]];

/** A client that keeps what it is told in `said`, and knows how to go and come back. */
class Guest {
  static async enter(program, options = {}) {
    const guest = new Guest(program.client("/", options));
    await heard(guest.socket, "connect");
    return guest;
  }
  constructor(socket) {
    this.socket = socket;
    this.said = [];
    this.waiting = [];
    socket.on("said", (...args) => {
      this.offset = args.pop();
      this.said.push(args[0]);
      this.waiting = this.waiting.filter((waiter) => !waiter());
    });
  }
  /** Everything said so far, as soon as it is `texts`; fails at once if it is anything else. */
  hears(...texts) {
    const holds = () => {
      assert.deepEqual(this.said.map(String), texts.slice(0, this.said.length));
      return this.said.length === texts.length;
    };
    if (holds()) return Promise.resolve();
    return within(
      new Promise((resolve, reject) =>
        this.waiting.push(() => {
          try {
            return holds() && (resolve(), true);
          } catch (error) {
            return reject(error), true;
          }
        }),
      ),
      `“${texts.at(-1)}”`,
    );
  }
  say(text, room = "lobby") {
    return answer(this.socket, "say", room, text);
  }
  async goes() {
    const gone = heard(this.socket, "disconnect");
    this.socket.io.engine.close();
    await gone;
  }
  /** Says goodbye; by polling whoever comes back at once would overtake it. */
  async leaves(witness) {
    const { id } = this.socket;
    this.socket.disconnect();
    await until(async () => !(await answer(witness.socket, "who is here"))[0].includes(id), "the goodbye");
  }
  async returns() {
    this.socket.connect();
    await heard(this.socket, "connect");
  }
  /** Whatever was under way to it has arrived: a question goes the same way. */
  async settles() {
    await answer(this.socket, "rooms");
  }
}

for (const cores of [1, 2]) for (const transports of ways) describe(`recovery over ${transports}, ${cores} cores`, () => {
  let program;
  let ann; // who stays
  before(async () => {
    program = await Program.start("example-recovery", "--cores", String(cores));
    program.options = { transports };
    ann = await Guest.enter(program, { auth: { name: "ann" } });
  });
  after(async () => assert.equal(await program.stop(), 0));

  test("A: who comes back is who they were, and is told what was missed after `connect`", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    await answer(ben.socket, "join", "attic");
    const { id } = ben.socket;
    assert.equal(ben.socket.recovered, false);
    await ann.say("one");
    await ben.hears("one");
    await ben.goes();
    await ann.say("two", "attic");
    await ann.say(Buffer.from("three"));
    await ann.say("not for him", "cellar");
    let beforeConnect;
    ben.socket.once("connect", () => (beforeConnect = ben.said.length));
    await ben.returns();
    assert.equal(beforeConnect, 1); // the client would show twice what came before, if its link ended there
    assert.equal(ben.socket.recovered, true);
    assert.equal(ben.socket.id, id);
    await ann.say("four", "attic");
    await ben.hears("one", "two", "three", "four");
    assert.ok(Buffer.isBuffer(ben.said[2]));
    assert.deepEqual((await answer(ben.socket, "rooms"))[0].sort(), ["attic", "lobby", id].sort());
  });

  test("B: a volatile event that ends in a string does not harm it", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    await ann.say("one");
    await ben.hears("one");
    let hint;
    ben.socket.on("hint", (text) => (hint = text));
    for (let i = 0; !hint && i < 100; i++) {
      ben.socket.emit("hint", "a string");
      await ben.settles();
    }
    assert.equal(hint, "a string");
    await ben.goes();
    await ann.say("two");
    await ben.returns();
    assert.equal(ben.socket.recovered, true);
    await ben.hears("one", "two");
  });

  test("C: who was banned while away gets nothing", async () => {
    const cid = await Guest.enter(program, { auth: { name: "cid" } });
    await ann.say("one");
    await cid.hears("one");
    await cid.goes();
    ann.socket.emit("ban", "cid");
    await ann.say("secret");
    await ann.say("another secret");
    cid.socket.connect();
    const [error] = await heard(cid.socket, "connect_error");
    assert.equal(error.message, "banned");
    await cid.hears("one");
  });

  test("D: who has somebody's pid and offset gets nothing of theirs", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    await ann.say("one");
    await ben.hears("one");
    const stolen = { pid: ben.socket._pid, offset: ben.offset };
    const { id } = ben.socket;
    await ben.goes();
    await ann.say("two");
    const eve = await Guest.enter(program, { auth: { name: "eve", ...stolen } });
    assert.notEqual(eve.socket.id, id);
    assert.notEqual(eve.socket._pid, stolen.pid);
    await eve.settles();
    assert.deepEqual(eve.said, []);
    await ben.returns();
    assert.equal(ben.socket.recovered, true);
    await ben.hears("one", "two");
  });

  test("D: the same session twice is the newest, and the other is closed", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    await ann.say("one");
    await ben.hears("one");
    const { id } = ben.socket;
    const gone = heard(ben.socket, "disconnect");
    const again = await Guest.enter(program, { auth: { name: "ben", pid: ben.socket._pid, offset: ben.offset } });
    assert.equal(again.socket.id, id);
    await gone;
    await ann.say("two");
    await again.hears("two");
    await ben.hears("one");
  });

  test("E: who received nothing yet can come back, too", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    const { id } = ben.socket;
    await ben.goes();
    await ann.say("one");
    await ben.returns();
    assert.equal(ben.socket.recovered, true);
    assert.equal(ben.socket.id, id);
    await ben.hears("one");
  });

  test("F and G: retries of the client do not disturb it", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" }, retries: 3, ackTimeout: 60_000 });
    await ben.goes();
    ben.socket.emit("say", "lobby", "said while away");
    await ann.say("one");
    await ben.returns();
    assert.equal(ben.socket.recovered, true);
    await ben.hears("one", "said while away");
  });

  test("ten times in a row", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    const { id } = ben.socket;
    const texts = [];
    for (let i = 0; i < 10; i++) {
      await ben.goes();
      texts.push(`${i}a`, `${i}b`);
      await ann.say(`${i}a`);
      await ann.say(`${i}b`);
      await ben.returns();
      assert.equal(ben.socket.recovered, true);
      assert.equal(ben.socket.id, id);
      await ben.hears(...texts);
    }
    await ben.settles();
    await ben.hears(...texts);
  });

  test("rooms that were lost while away replay nothing", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    await answer(ben.socket, "join", "attic");
    await ann.say("one", "attic");
    await ben.hears("one");
    const { id } = ben.socket;
    await ben.goes();
    await ann.say("two", "attic");
    ann.socket.emit("kick", id, "attic");
    await ann.say("three");
    await ann.say("four", "attic");
    await ben.returns();
    assert.equal(ben.socket.recovered, true);
    await ann.say("five", "attic");
    await ann.say("six");
    await ben.hears("one", "three", "six");
    assert.deepEqual((await answer(ben.socket, "rooms"))[0].sort(), ["lobby", id].sort());
  });

  test("who was disconnected while away comes back as somebody new", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    const { id } = ben.socket;
    await ben.goes();
    ann.socket.emit("eject", id);
    await ann.say("one");
    await ben.returns();
    assert.equal(ben.socket.recovered, false);
    assert.notEqual(ben.socket.id, id);
    await ann.say("two");
    await ben.hears("two");
  });

  test("who said goodbye comes back as somebody new", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    await ben.leaves(ann);
    await ann.say("one");
    await ben.returns();
    assert.equal(ben.socket.recovered, false);
    await ann.say("two");
    await ben.hears("two");
  });

  test("our client tells whether somebody is who they were", async () => {
    const ben = new Guest(ours.io(program.url, { transports, forceNew: true, WebSocket, auth: { name: "ben" }, reconnection: false }));
    program.sockets.push(ben.socket);
    await heard(ben.socket, "connect");
    const outcome = () => [ben.socket.recovered, ben.socket.notRecovered];
    assert.deepEqual(outcome(), [false, undefined]);
    await ben.goes();
    await ben.returns();
    assert.deepEqual(outcome(), [true, undefined]);
    // Whoever leaves on purpose has no session to come back to, and asks for none.
    await ben.leaves(ann);
    await ben.returns();
    assert.deepEqual(outcome(), [false, undefined]);
    await ben.goes();
    await ben.returns();
    assert.deepEqual(outcome(), [true, undefined]);
  });

  test("what is recorded is not overtaken by what is not", async () => {
    const ben = await Guest.enter(program, { auth: { name: "ben" } });
    for (let i = 0; i < 5; i++) {
      const order = [];
      ben.socket.once("first", () => order.push("first"));
      ben.socket.once("second", (...args) => (order.push("second"), args.at(-1)()));
      order.push(...(await answer(ben.socket, "ask me")));
      assert.deepEqual(order, ["first", "second", "third"]);
    }
  });

  test("no pid and no offset of a stranger's making does harm", async () => {
    for (const auth of [
      { pid: "nobody's", offset: "e.1" },
      { pid: 7, offset: {} },
      { pid: "", offset: "" },
      { pid: "*", offset: "' OR 1=1 --" },
      { pid: ann.socket._pid, offset: "no offset" },
    ]) {
      const guest = await Guest.enter(program, { auth: { name: "guest", ...auth } });
      assert.notEqual(guest.socket.id, ann.socket.id);
      await guest.settles();
      assert.deepEqual(guest.said, []);
    }
  });
});

describe("recovery", () => {
  test("survives kill -9, for who received nothing, too", async () => {
    let program = await Program.start("example-recovery", "--cores", "2");
    const port = new URL(program.url).port;
    try {
      const options = { auth: { name: "ann" }, reconnection: true };
      const ann = await Guest.enter(program, options);
      const ben = await Guest.enter(program, options);
      await ann.say("one");
      await ben.hears("one");
      const cid = await Guest.enter(program, options);
      const guests = [ann, ben, cid];
      const ids = guests.map((guest) => guest.socket.id);
      for (let i = 0; i < 3; i++) {
        const back = guests.map((guest) => heard(guest.socket, "connect"));
        program.child.kill("SIGKILL");
        await program.exited;
        program = await program.again("--port", port, "--cores", "2");
        await Promise.all(back);
        assert.deepEqual(guests.map((guest) => guest.socket.recovered), [true, true, true]);
        assert.deepEqual(guests.map((guest) => guest.socket.id), ids);
        await ann.say(`after ${i}`);
      }
      await ben.hears("one", "after 0", "after 1", "after 2");
      await cid.hears("after 0", "after 1", "after 2");
      const [, recovered] = (await program.ask("--status")).match(/^oncewire_sessions_recovered_total (\d+)$/m);
      assert.ok(recovered >= 3, recovered); // of this process, not of those that were killed
    } finally {
      await program.stop();
    }
  });

  test("what was emitted before kill -9 is there after it", async () => {
    let program = await Program.start("example-recovery");
    const port = new URL(program.url).port;
    try {
      const ann = await Guest.enter(program);
      const ben = await Guest.enter(program);
      await ben.goes();
      await ann.say("one");
      program.child.kill("SIGKILL");
      await program.exited;
      program = await program.again("--port", port);
      await ben.returns();
      assert.equal(ben.socket.recovered, true);
      await ben.hears("one");
    } finally {
      await program.stop();
    }
  });

  test("takes over from a half-open link at once", async () => {
    const program = await Program.start("example-recovery", "--cores", "2");
    const proxy = await Proxy.to(Number(new URL(program.url).port));
    try {
      const ann = await Guest.enter(program);
      const ben = await Guest.enter({ client: (name, options) => {
        const socket = program.client.call({ url: proxy.url, options: {}, sockets: program.sockets }, name, options);
        return socket;
      } });
      const { id } = ben.socket;
      await ann.say("one");
      await ben.hears("one");
      proxy.halfOpen();
      await ann.say("two"); // the server believes that ben has it
      await ben.goes();
      await ben.returns();
      assert.equal(ben.socket.recovered, true);
      assert.equal(ben.socket.id, id);
      await ann.say("three");
      await ben.hears("one", "two", "three");
    } finally {
      await program.stop();
      await proxy.close();
    }
  });
});

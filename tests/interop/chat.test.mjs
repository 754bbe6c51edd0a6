// What the server promises to any Socket.IO client on the main namespace, asked by the unmodified client.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Server } from "../support/server.mjs";
import { ask, connected, isOld, say, stock as stockOver, Transcript, within } from "../support/stock.mjs";

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  describe(`over ${transports.join(", then ")}`, () => {
    const stock = (url, options) => stockOver(url, { transports, ...options });
    let server;
    let sockets;

    /** A connected client of this test, gone after it. */
    async function join(options) {
      const socket = stock(server.url, options);
      const transcript = new Transcript(socket);
      sockets.push(socket);
      await connected(socket);
      return { socket, transcript };
    }

    const isIncreasing = (numbers) => numbers.every((n, i) => Number.isInteger(n) && (i === 0 || n > numbers[i - 1]));

    beforeEach(async () => {
      sockets = [];
      server = await Server.start();
    });
    afterEach(async () => {
      for (const socket of sockets) socket.close();
      await server.remove();
    });

    describe("a message", () => {
      test("reaches everybody, its author included, with an integer id", async () => {
        const ann = await join();
        const ben = await join();
        assert.ok(!(await say(ann.socket, "hello", "a-0"))[0]);
        await Promise.all([ann.transcript.heard("hello"), ben.transcript.heard("hello")]);
        assert.ok(Number.isInteger(ben.transcript.messages[0].id));
        assert.deepEqual(ann.transcript.messages, ben.transcript.messages);
      });

      test("is answered as callbacks expect, and as emitWithAck does for who says so", { skip: isOld }, async () => {
        const ann = await join();
        const ben = await join({ auth: { "oncewire:acks": "value" } });
        const [error, { id }] = await say(ann.socket, "one", "a-0");
        assert.equal(error, null);
        assert.equal(await ann.socket.timeout(30_000).emitWithAck("chat message", "one", "a-0"), null); // stored
        const second = await ben.socket.timeout(30_000).emitWithAck("chat message", "two", "b-0");
        assert.ok(second.id > id);
        assert.deepEqual(await ben.socket.timeout(30_000).emitWithAck("chat message", "two", "b-0"), second);
        assert.equal((await ben.socket.timeout(30_000).emitWithAck("chat message", "other", "b-0")).error, "conflict");
      });

      test("needs no client offset and no acknowledgement", async () => {
        const ann = await join();
        ann.socket.emit("chat message", "bare");
        await ann.transcript.heard("bare");
        assert.ok(!(await say(ann.socket, "with ack only"))[0]);
        await ann.transcript.heard("with ack only");
      });

      test("sent twice without a client offset is two messages", async () => {
        const ann = await join();
        await say(ann.socket, "again");
        await say(ann.socket, "again");
        await ann.transcript.count(2);
        assert.deepEqual(ann.transcript.texts, ["again", "again"]);
      });

      test("arrives as it was written: any text", async () => {
        const ann = await join();
        const texts = ["", " ", "てすと", "\u0000\u0001\"\\/\n", "👩‍👩‍👧", "[\"chat message\"]", "a".repeat(20_000), "<b>x</b>"];
        for (const text of texts) await say(ann.socket, text);
        await ann.transcript.count(texts.length);
        assert.deepEqual(ann.transcript.texts, texts);
      });
    });

    test("all clients see one order, and each author's own order in it", async () => {
      const people = await Promise.all([join(), join(), join()]);
      const each = 40;
      await Promise.all(
        people.flatMap(({ socket }, who) => Array.from({ length: each }, (_, i) => say(socket, `${who}:${i}`, `${who}-${i}`))),
      );
      await Promise.all(people.map(({ transcript }) => transcript.count(people.length * each)));
      const [first, ...others] = people.map(({ transcript }) => transcript.messages);
      for (const other of others) assert.deepEqual(other, first);
      assert.ok(isIncreasing(first.map((message) => message.id)));
      people.forEach((_, who) => {
        const own = first.map((message) => message.text).filter((text) => text.startsWith(`${who}:`));
        assert.deepEqual(own, Array.from({ length: each }, (_, i) => `${who}:${i}`));
      });
    });

    describe("a client offset", () => {
      test("stores once: the repeat is acknowledged again and not broadcast", async () => {
        const ann = await join();
        const ben = await join();
        assert.ok(!(await say(ann.socket, "once", "id-1"))[0]);
        assert.ok(!(await say(ann.socket, "once", "id-1"))[0]);
        assert.ok(!(await say(ann.socket, "after", "id-2"))[0]);
        await ben.transcript.heard("after");
        assert.deepEqual(ben.transcript.texts, ["once", "after"]);
      });

      test("is remembered across kill -9", async () => {
        const ann = await join();
        await say(ann.socket, "once", "id-1");
        await server.restart();
        const again = await join();
        assert.ok(!(await say(again.socket, "once", "id-1"))[0]);
        assert.ok(!(await say(again.socket, "after", "id-2"))[0]);
        await again.transcript.heard("after");
        assert.deepEqual(again.transcript.texts, ["once", "after"]);
      });

      test("with another text in the same session is refused aloud and not stored", async () => {
        const ann = await join();
        const ben = await join();
        await say(ann.socket, "first", "id-1");
        const [error] = await say(ann.socket, "other", "id-1");
        assert.ok(error, "the acknowledgement carries an error");
        await say(ann.socket, "after", "id-2");
        await ben.transcript.heard("after");
        assert.deepEqual(ben.transcript.texts, ["first", "after"]);
      });

      test("with another text from another session is another person's message", async () => {
        const ann = await join();
        const ben = await join();
        assert.ok(!(await say(ann.socket, "Ann's", "id-1"))[0]);
        assert.ok(!(await say(ben.socket, "Ben's", "id-1"))[0]);
        await ben.transcript.heard("Ben's");
        assert.deepEqual(ben.transcript.texts, ["Ann's", "Ben's"]);
      });

      test("that begins with undefined- belongs to its session alone", async () => {
        const ann = await join();
        const ben = await join();
        assert.ok(!(await say(ann.socket, "typed offline", "undefined-0"))[0]);
        assert.ok(!(await say(ben.socket, "typed offline", "undefined-0"))[0]);
        assert.ok(!(await say(ben.socket, "typed offline", "undefined-0"))[0]);
        assert.ok(!(await say(ben.socket, "after", "b-1"))[0]);
        await ann.transcript.heard("after");
        assert.deepEqual(ann.transcript.texts, ["typed offline", "typed offline", "after"]);
      });
    });

    describe("serverOffset", () => {
      async function history(n) {
        const author = await join();
        for (let i = 0; i < n; i++) await say(author.socket, `m${i}`, `h-${i}`);
        await author.transcript.count(n);
        return [...author.transcript.messages];
      }

      test("absent or 0 replays everything in order", async () => {
        const messages = await history(30);
        for (const auth of [undefined, {}, { serverOffset: 0 }]) {
          const reader = await join({ auth });
          await reader.transcript.count(30);
          assert.deepEqual(reader.transcript.messages, messages);
        }
      });

      test("N replays every message with a greater id, and then the live ones", async () => {
        const messages = await history(30);
        const reader = await join({ auth: { serverOffset: messages[19].id } });
        await reader.transcript.count(10);
        const author = await join({ auth: { serverOffset: messages.at(-1).id } });
        await say(author.socket, "live");
        await reader.transcript.heard("live");
        await author.transcript.heard("live");
        assert.deepEqual(reader.transcript.messages.slice(0, 10), messages.slice(20));
        assert.equal(reader.transcript.messages.length, 11);
        assert.deepEqual(author.transcript.texts, ["live"]);
      });

      test("beyond the end replays nothing and hears what comes", async () => {
        const messages = await history(3);
        const reader = await join({ auth: { serverOffset: messages.at(-1).id } });
        await say(reader.socket, "live");
        await reader.transcript.heard("live");
        assert.deepEqual(reader.transcript.texts, ["live"]);
      });

      test("joins history and live feed without hole, repeat or swap while others write", async () => {
        const authors = await Promise.all([join(), join()]);
        const total = 600;
        let serverOffset = 0;
        const heard = [];
        const writing = authors.map(async ({ socket }, who) => {
          for (let i = 0; i < total / 2; i++) await say(socket, `${who}:${i}`, `w${who}-${i}`);
        });
        const reader = stock(server.url, { auth: (give) => give({ serverOffset }) });
        sockets.push(reader);
        // It comes back by itself, with its offset. Not from inside a handler, and not in the middle of an upgrade: the
        // stock client hands on what it has decoded but not told yet, and asks for it again all the same.
        const cut = () => {
          const { engine } = reader.io;
          if (!engine.upgrading) return engine.close();
          engine.once("upgrade", () => setImmediate(() => engine.close()));
        };
        const complete = new Promise((resolve) => {
          reader.on("chat message", (text, id) => {
            serverOffset = id;
            heard.push({ text, id });
            if (heard.length % 50 === 0) setImmediate(cut);
            if (heard.length === total) resolve();
          });
        });
        await Promise.all(writing);
        await within(complete, "all messages", 60_000);
        await authors[0].transcript.count(total);
        assert.deepEqual(heard, authors[0].transcript.messages);
        assert.ok(isIncreasing(heard.map((message) => message.id)));
      });
    });

    test("ids go on growing after kill -9", async () => {
      const ann = await join();
      await say(ann.socket, "before");
      await ann.transcript.heard("before");
      const { id } = ann.transcript.messages[0];
      await server.restart();
      const ben = await join({ auth: { serverOffset: id } });
      await say(ben.socket, "after");
      await ben.transcript.heard("after");
      assert.deepEqual(ben.transcript.texts, ["after"]);
      assert.ok(ben.transcript.messages[0].id > id);
    });

    describe("kill -9", () => {
      test("with messages in flight: the stock client's retries end in the log once and in order", { skip: isOld }, async () => {
        const ann = stock(server.url, { retries: 100, ackTimeout: 500, auth: { serverOffset: 0 } });
        const reader = stock(server.url, { auth: { serverOffset: 0 } });
        sockets.push(ann, reader);
        const transcript = new Transcript(reader);
        reader.on("chat message", (_, id) => (reader.auth.serverOffset = id));
        const texts = Array.from({ length: 200 }, (_, i) => `m${i}`);
        const stored = texts.map(
          (text, i) =>
            new Promise((resolve, reject) =>
              ann.emit("chat message", text, `ann-${i}`, (error) => (error ? reject(error) : resolve())),
            ),
        );
        for (const after of [20, 70, 130]) {
          await transcript.count(after);
          await server.restart();
        }
        await within(Promise.all(stored), "every acknowledgement", 60_000);
        await transcript.count(texts.length);
        assert.deepEqual(transcript.texts, texts);
        assert.ok(isIncreasing(transcript.ids));
      });
    });

    describe("echo", () => {
      test("acknowledges the value, whatever it is", async () => {
        const { socket } = await join();
        const values = [null, true, 0, -1.5, 1e300, "", "x", [], [1, [2]], {}, { a: { b: null } }, "\u2028", "__proto__"];
        for (const value of values) assert.deepEqual(await ask(socket, "echo", value), value);
      });

      test("acknowledges in the order of asking", async () => {
        const { socket } = await join();
        const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(socket, "echo", i)));
        assert.deepEqual(answers, Array.from({ length: 500 }, (_, i) => i));
      });

      test("acknowledges bytes as bytes", async () => {
        const { socket } = await join();
        const bytes = Buffer.from([0, 1, 254, 255]);
        const answer = await ask(socket, "echo", { deep: [bytes] });
        assert.deepEqual(Buffer.from(answer.deep[0]), bytes);
      });
    });

    test("an unknown namespace is refused with the words of the original", async () => {
      const socket = stock(`${server.url}/nowhere`, { reconnection: false });
      sockets.push(socket);
      const error = await within(new Promise((resolve) => socket.once("connect_error", resolve)), "connect_error");
      assert.equal(error.message, "Invalid namespace");
    });

    test("an unknown event harms nobody", async () => {
      const { socket } = await join();
      socket.emit("no such event", 1, 2, 3);
      assert.equal(await ask(socket, "echo", "still here"), "still here");
    });

    test("SIGTERM says goodbye to the clients and exits with 0", async () => {
      const { socket } = await join({ reconnection: false });
      const gone = new Promise((resolve) => socket.once("disconnect", resolve));
      const [code] = await within(server.end("SIGTERM"), "exit");
      assert.equal(code, 0);
      await within(gone, "disconnect");
    });
  });
}

// What Engine.IO demands of any server, in two parts: what holds with Socket.IO on top, too, and what is
// left to Engine.IO alone. The official suites ask the same; the words and the code are ours.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { until } from "../support/stock.mjs";
import { Channel, closed, Polling, probe, request } from "./wire.mjs";

const isHandshake = (handshake, upgrades) =>
  assert.deepEqual(handshake, { sid: handshake.sid, upgrades, pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });

/** `program`: a function, since the program starts later; one with the timings that the official suites want. */
export function handshakes(program, path) {
  describe("handshake", () => {
    test("by polling: five keys, and a WebSocket to move to", async () => {
      const session = await Polling.open(program(), path);
      assert.match(session.sid, /^.{16,}$/);
      isHandshake(session.handshake, ["websocket"]);
    });
    test("on a WebSocket: the same, with nothing to move to", async () => {
      const channel = await Channel.open(program(), { path });
      isHandshake(channel.handshake, []);
      channel.close();
    });
    for (const query of ["transport=polling", "transport=polling&EIO=abc", "EIO=4", "EIO=4&transport=abc"]) {
      test(`by polling with ${query}: refused`, async () => {
        assert.equal((await request(program(), query, { path })).status, 400);
      });
    }
    for (const method of ["POST", "PUT"]) {
      test(`by ${method}: refused`, async () => {
        assert.equal((await request(program(), "EIO=4&transport=polling", { path, method })).status, 400);
      });
    }
    for (const query of ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"]) {
      test(`on a WebSocket with ${query}: closed`, async () => {
        await new Channel(program(), query, { path }).ended();
      });
    }
  });
}

/** `hasty` ends who does not answer in 200 ms, `patient` only pings as often. */
export function heartbeats(hasty, patient, path) {
  describe("heartbeat", () => {
    test("by polling: pings come one after another as long as they are answered", async () => {
      const session = await Polling.open(patient(), path);
      for (let round = 0; round < 3; round++) {
        assert.equal((await session.poll()).body, "2");
        assert.deepEqual((({ status, body }) => [status, body])(await session.post("3")), [200, "ok"]);
      }
    });
    test("by polling: silence ends the session", async () => {
      const session = await Polling.open(hasty(), path);
      await until(async () => (await session.poll()).status === 400, "the end");
    });
    test("on a WebSocket: pings come one after another as long as they are answered", async () => {
      const channel = await Channel.open(patient(), { path });
      for (let round = 0; round < 3; round++) {
        assert.equal(await channel.next(), "2");
        channel.send("3");
      }
      channel.close();
    });
    test("on a WebSocket: silence ends it", async () => {
      await (await Channel.open(hasty(), { path })).ended();
    });
  });
}

/** From here on time is no subject: the program has the patience of a busy machine. */
export function closes(program, path) {
  describe("close", () => {
    test("by polling: a parked GET is released with a noop, and the session is over", async () => {
      const session = await Polling.open(program(), path);
      const parked = session.poll();
      assert.equal((await session.post("1")).status, 200);
      assert.deepEqual((({ status, body }) => [status, body])(await parked), [200, "6"]);
      assert.equal((await session.poll()).status, 400);
    });
    test("on a WebSocket: it is closed", async () => {
      const channel = await Channel.open(program(), { path });
      channel.send("1");
      assert.equal(await channel.next(), closed);
    });
  });
}

async function upgraded(session) {
  const released = session.packets();
  const channel = await probe(session);
  assert.equal(channel.answer, "3probe");
  assert.deepEqual(await released, ["6"]);
  channel.send("5");
  return channel;
}

/** `proof`: shows that a WebSocket that took over works. */
export function upgrades(program, path, proof) {
  describe("upgrade", () => {
    test("a probe, its answer, a noop for the parked GET, and the WebSocket takes over", async () => {
      const channel = await upgraded(await Polling.open(program(), path));
      await proof(channel);
    });
    test("afterwards HTTP requests are refused, and the session lives", async () => {
      const session = await Polling.open(program(), path);
      const channel = await upgraded(session);
      await proof(channel);
      assert.equal((await session.poll()).status, 400);
      assert.equal((await session.post("4x")).status, 400);
      await proof(channel);
    });
    test("afterwards a second WebSocket is closed, and the session lives", async () => {
      const session = await Polling.open(program(), path);
      const channel = await upgraded(session);
      await proof(channel);
      await new Channel(program(), `EIO=4&transport=websocket&sid=${session.sid}`, { path }).ended();
      await proof(channel);
      channel.close();
    });
  });
}

export function messages(program, path) {
  describe("messages by polling", () => {
    const echoed = async (payload) => {
      const session = await Polling.open(program(), path);
      assert.equal((await session.post(payload)).body, "ok");
      assert.equal((await session.packets()).join("\x1e"), payload);
    };
    test("one text comes back", () => echoed("4hello"));
    test("several texts of one payload come back in one payload", () => echoed("4test1\x1e4test2\x1e4test3"));
    test("text and bytes come back as they were", () => echoed("4hello\x1ebAQIDBA=="));
    test("what is no packet ends the session", async () => {
      const session = await Polling.open(program(), path);
      assert.equal((await session.post("abc")).status, 400);
      assert.equal((await session.poll()).status, 400);
    });
    test("a second GET ends the session: the first hears it, the second is refused", async () => {
      const session = await Polling.open(program(), path);
      const answers = await Promise.all([session.poll(), session.poll()]);
      answers.sort((a, b) => a.status - b.status);
      assert.deepEqual(answers.map(({ status }) => status), [200, 400]);
      assert.equal(answers[0].body, "1");
      assert.equal((await session.poll()).status, 400);
    });
    test("a GET that is given up ends the session", async () => {
      const session = await Polling.open(program(), path);
      const control = new AbortController();
      const parked = session.poll({ signal: control.signal });
      await session.post("3");
      control.abort();
      await assert.rejects(parked);
      await session.ends();
    });
  });

  describe("messages on a WebSocket", () => {
    test("text comes back as text", async () => {
      const channel = await Channel.open(program(), { path });
      channel.send("4hello");
      assert.equal(await channel.said(), "4hello");
      channel.close();
    });
    test("bytes come back as bytes", async () => {
      const channel = await Channel.open(program(), { path });
      channel.send(Buffer.from([1, 2, 3, 4]));
      assert.deepEqual(await channel.said(), Buffer.from([1, 2, 3, 4]));
      channel.close();
    });
    test("what is no packet closes it", async () => {
      const channel = await Channel.open(program(), { path });
      channel.send("abc");
      assert.equal(await channel.next(), closed);
    });
  });
}

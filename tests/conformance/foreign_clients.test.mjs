// What clients in other languages put on the wire, byte by byte (tests/vectors/clients), against the real
// server: it goes on as they expect.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { root, Server } from "../support/server.mjs";
import { Line } from "./line.mjs";

const directory = join(root, "tests/vectors/clients");
const clients = readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")));

/** The bytes a value of a vector file stands for (tests/vectors/README.md). */
function bytesOf(value) {
  if (typeof value === "string") return Buffer.from(value);
  if (Array.isArray(value)) return Buffer.concat(value.map(bytesOf));
  if ("hex" in value) return Buffer.from(value.hex, "hex");
  return Buffer.from(value.repeat.repeat(value.times));
}

/** One conversation: its lines by name, and what was learned on the way. */
class Conversation {
  constructor(server) {
    this.server = server;
    this.lines = new Map();
    this.known = { host: `127.0.0.1:${server.port}`, key: "dGhlIHNhbXBsZSBub25jZQ==" };
  }
  line(name) {
    if (!this.lines.has(name)) this.lines.set(name, new Line(this.server));
    return this.lines.get(name);
  }
  fill(text, length) {
    return text.replace(/\{(host|key|sid|length)\}/g, (_, name) => (name === "length" ? length : this.known[name]));
  }
  match(text, pattern, what) {
    const found = text.match(new RegExp(pattern, "u"));
    assert.ok(found, `${what}: ${JSON.stringify(text.slice(0, 300))} is not ${pattern}`);
    Object.assign(this.known, found.groups);
  }

  async take(step) {
    const line = this.line(step.on);
    if (step.say) return this.say(line, step);
    if ("send" in step) return line.sendMessage(bytesOf(step.send), { isText: !step.send.hex, pieces: step.pieces });
    if (step.close) return line.sendClose(step.close, step.reason);
    return this.hear(line, step.hear);
  }
  say(line, { say, body = "" }) {
    const bytes = bytesOf(body);
    const head = say.length > 0 ? `${say.join("\r\n")}\r\n\r\n` : "";
    line.said = Buffer.concat([Buffer.from(this.fill(head, bytes.length)), bytes]);
    line.send(line.said);
  }
  /** A poll may come back with nothing while a WebSocket is tried; every client then polls again. */
  async answer(line, expected) {
    for (;;) {
      const answer = await line.answer();
      if (answer.body !== "6" || expected.body === "^6$") return answer;
      line.send(line.said);
    }
  }
  async hear(line, expected) {
    if (expected.status) {
      const answer = await this.answer(line, expected);
      assert.equal(answer.status, expected.status, answer.body);
      if (expected.body) this.match(answer.body, expected.body, "an answer");
      return;
    }
    const message = await line.message();
    if (expected.hex) return assert.equal(message.bytes.toString("hex"), expected.hex);
    assert.ok(message.isText);
    this.match(message.bytes.toString(), expected, "a message");
  }
  end() {
    for (const line of this.lines.values()) line.reset();
  }
}

// Each conversation has a server without a history.
let server;
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.remove());

for (const { client, conversations } of clients) {
  describe(client, () => {
    for (const { name, steps } of conversations) {
      test(name, async () => {
        const conversation = new Conversation(server);
        try {
          for (const step of steps) await conversation.take(step);
          // Who closes its WebSocket is answered in kind.
          if (steps.at(-1).close) assert.equal(await conversation.line(steps.at(-1).on).closeCode(), steps.at(-1).close);
        } finally {
          conversation.end();
        }
      });
    }
  });
}

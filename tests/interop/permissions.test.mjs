// Permission that is taken away: from who is there, and from who is away with a message waiting. What was said
// since is for the others, and what they still had to say is rejected, once and for all.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { DurableLink, token } from "../support/durable.mjs";
import { answer, Program } from "../support/program.mjs";
import { until, within } from "../support/stock.mjs";

let program;
let ann;
beforeEach(async () => {
  program = await Program.start("example-members", "--db", "members.db");
  ann = await program.connected("/", { auth: { name: "ann" } });
});
afterEach(async () => assert.equal(await program.stop(), 0));

/** Somebody with an outbox, over several connections: what they were told, and how their messages ended. */
class Member {
  identity = { producer: token(), secret: token() };
  said = [];
  verdicts = [];

  async comes() {
    const { identity, position } = this;
    this.link = new DurableLink(program.url, { ...identity, position, auth: { name: "eve" } });
    this.link.onEvent = (name, ...args) => {
      if (name === "oncewire:verdicts") args[1].forEach(([kind, body], i) => this.verdicts.push([args[0] + i, kind === 0 ? "accepted" : body.error]));
      if (name !== "said") return;
      this.said.push(args[1]);
      this.position = args.at(-1);
    };
    const { oncewire } = await within(this.link.attached, "the answer to CONNECT");
    this.position ??= oncewire.position;
  }

  async goes() {
    this.link.close();
    await this.link.closed;
  }

  async has(count) {
    await until(() => this.verdicts.length >= count, `${count} verdicts`);
    return this.verdicts.slice(-1)[0];
  }
}

const say = async (text) => assert.equal((await answer(ann, "say", text))[0], null);
const putOut = async () => assert.equal((await answer(ann, "put out", "eve"))[0], null);

test("while a message waits: it is rejected for good, the next one goes on, and nothing said meanwhile is told", async () => {
  const eve = new Member();
  await eve.comes();
  eve.link.submit(1, ["say", "one"]);
  assert.deepEqual(await eve.has(1), [1, "accepted"]);
  await until(() => eve.said.length === 1, "her own message");
  await eve.goes();
  await say("secret before");
  await putOut();
  await say("secret after");
  program.child.kill("SIGKILL");
  await program.exited;
  await program.again("--db", "members.db");
  ann = await program.connected("/", { auth: { name: "ann" } });

  await eve.comes();
  eve.link.submit(2, ["say", "two"]);
  assert.deepEqual(await eve.has(2), [2, "forbidden"]);
  eve.link.submit(3, ["put out", "nobody"]);
  assert.deepEqual(await eve.has(3), [3, "accepted"]);
  await eve.goes();
  await eve.comes();
  eve.link.submit(2, ["say", "two"]);
  assert.deepEqual(await eve.has(4), [2, "forbidden"]);
  await say("secret again");
  eve.link.submit(4, ["put out", "nobody"]);
  await eve.has(5);
  assert.deepEqual(eve.said, ["one"]);
  await eve.goes();
});

test("from who is there: nothing more is told, and what they say is rejected", async () => {
  const eve = new Member();
  await eve.comes();
  await say("one");
  await until(() => eve.said.length === 1, "the message of the room");
  await putOut();
  eve.link.submit(1, ["say", "me, too"]);
  assert.deepEqual(await eve.has(1), [1, "forbidden"]);
  await until(async () => {
    const before = eve.said.length;
    await say("secret"); // a few may be told until the core has heard of it
    eve.link.submit(eve.verdicts.length + 1, ["put out", "nobody"]);
    await eve.has(eve.verdicts.length + 1);
    return eve.said.length === before;
  }, "a message that is not told");
  await eve.goes();
});

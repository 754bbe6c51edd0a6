// What becomes of a sender who was away for longer than the server remembers what it was told. 91 days pass by
// setting back, while the server is down, when the sender was last seen.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { DurableLink, token } from "../support/durable.mjs";
import { binary, Server } from "../support/server.mjs";
import { until, within } from "../support/stock.mjs";

const put91DaysBack = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('UPDATE producers SET last_contact = last_contact - 91 * 86400000'); d.commit()";

describe("after the lease", () => {
  const identity = { producer: token(), secret: token() };
  const links = [];
  let server;

  before(async () => (server = await Server.start()));
  after(async () => {
    for (const link of links) link.close();
    await server.remove();
  });

  /** The sender comes, and hears the log from its beginning. */
  async function enter() {
    const link = new DurableLink(server.url, { ...identity, auth: { serverOffset: 0 } });
    links.push(link);
    const verdicts = [];
    const texts = [];
    link.onEvent = (name, ...args) => {
      if (name === "chat message") texts.push(args[0]);
      if (name === "oncewire:verdicts") args[1].forEach(([kind, body], i) => verdicts.push([args[0] + i, kind, body]));
    };
    await within(link.attached, "the answer to CONNECT");
    /** Offers a message and resolves with its verdict: [kind, body]. */
    const offer = async (sequence, text) => {
      const known = verdicts.length;
      link.submit(sequence, ["chat message", text]);
      await until(() => verdicts.length > known, `a verdict on ${sequence}`);
      assert.equal(verdicts[known][0], sequence);
      return verdicts[known].slice(1);
    };
    return { link, texts, offer };
  }

  const status = () => spawnSync(binary, ["--db", server.database, "--status"]).stdout.toString();

  test("what was told 90 days ago is forgotten, and nothing is stored twice", async () => {
    const ann = await enter();
    const [kind] = await ann.offer(1, "one");
    assert.equal(kind, 0);
    assert.equal((await ann.offer(1, "one"))[0], 0);
    ann.link.close();
    await server.end("SIGTERM");
    assert.equal(spawnSync("python3", ["-c", put91DaysBack, server.database]).status, 0);
    await server.start();
    await until(() => status().includes("\noncewire_leases_ended_total 1\n"), "the end of the lease");

    const again = await enter();
    const [no, body] = await again.offer(1, "one");
    assert.equal(no, 1);
    assert.equal(body.error, "outcome_unknown");
    assert.equal((await again.offer(1, "one"))[1].error, "outcome_unknown");
    assert.equal((await again.offer(2, "two"))[0], 0);
    await until(() => again.texts.includes("two"), "the new message");
    assert.deepEqual(again.texts, ["one", "two"]);
    assert.match(status(), /\noncewire_outcomes_unknown_total 2\n/);
    const checked = await server.end("SIGTERM").then(() => spawnSync(binary, ["--check", server.database]));
    assert.equal(checked.status, 0, checked.stderr.toString());
  });
});

// The server is a newer one than wrote the database: who sent before goes on where they stood, and what is sent
// again gets the verdict that the older server gave.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DurableLink, token } from "../support/durable.mjs";
import { root, Server } from "../support/server.mjs";
import { connected, stock, Transcript, within } from "../support/stock.mjs";

const dumps = join(root, "tests/unit/store/sqlite/schema");
const digest = (n) => n.toString(16).padStart(16, "0");

/**
 * A database as the dump says, but its producer has a name and a secret such as clients draw, and, where the dump
 * knows users, none yet.
 */
function restore(dump, database, { producer, secret }) {
  const sql = readFileSync(join(dumps, dump), "utf8").replace(/^INSERT INTO producers .*$/m, (row) =>
    row.replace("'p'", `'${producer}'`).replace("'secret'", `'${secret}'`).replace("'ann'", "''"),
  );
  assert.ok(sql.includes(producer) && sql.includes(secret));
  const program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())";
  const made = spawnSync("python3", ["-c", program, database], { input: sql, encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
}

describe("a database of an older version, with an outbox that was in the midst of sending", () => {
  for (const dump of readdirSync(dumps)) {
    test(dump, async () => {
      const server = new Server();
      try {
        const identity = { producer: token(), secret: token() };
        restore(dump, server.database, identity);
        await server.start();
        const link = new DurableLink(server.url, { ...identity, position: "old.1", auth: { serverOffset: 0 } });
        const verdicts = new Map();
        const texts = [];
        const settled = new Promise((resolve) => {
          link.onEvent = (name, ...args) => {
            if (name === "chat message") texts.push(args[0]);
            if (name !== "oncewire:verdicts") return;
            const [first, given] = args;
            given.forEach((verdict, i) => verdicts.set(first + i, verdict));
            if (verdicts.has(3)) resolve();
          };
        });
        const { oncewire } = await within(link.attached, "the answer to CONNECT");
        assert.deepEqual([oncewire.last, oncewire.position], [2, "old.1"]);
        link.submit(2, ["chat message", "refused before"], digest(22));
        link.submit(3, ["chat message", "three"]);
        await within(settled, "the verdicts");
        assert.deepEqual(verdicts.get(2), [1, { error: "no" }]);
        assert.equal(verdicts.get(3)[0], 0);
        link.close();

        const friend = stock(server.url, { auth: { serverOffset: 0 } });
        const transcript = new Transcript(friend);
        await connected(friend);
        await transcript.count(3);
        friend.close();
        assert.deepEqual(transcript.texts, ["one", "two", "three"]);
        assert.deepEqual(texts, ["two", "three"]);
      } finally {
        await server.remove();
      }
    });
  }
});

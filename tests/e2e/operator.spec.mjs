// What an operator has under open pages: a disk without room, a database put back from a backup, visitors who may
// not come in any more.
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, root } from "../support/server.mjs";
import { connected, stock, Transcript } from "../support/stock.mjs";
import { expect, numbered, test } from "./chat_page.mjs";

test("the disk has no room for a while: the page says so, what is there can be read, and what waits is stored by itself", async ({ visit, server }) => {
  const mark = join(server.directory, "no-room");
  const library = join(server.directory, "no_room.so");
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, join(root, "tests/support/no_room.c"), "-ldl"]);
  server.env = { LD_PRELOAD: library, ONCEWIRE_NO_ROOM: mark };
  await server.restart();
  const ann = await visit();
  const ben = await visit();
  await ann.say("disk-1");
  await ben.showsExactly(["disk-1"]);
  writeFileSync(mark, "");
  await ann.say(...numbered("disk", 2, 2));
  await expect(ann.status).toContainText("cannot store messages right now");
  const friend = stock(server.url, { auth: { serverOffset: 0 } });
  const transcript = new Transcript(friend);
  await connected(friend);
  await transcript.heard("disk-1");
  await expect(ben.messages).toHaveCount(1);
  rmSync(mark);
  await ann.showsExactly(numbered("disk", 3));
  await ben.showsExactly(numbered("disk", 3));
  await transcript.count(3);
  friend.close();
  expect(transcript.texts).toEqual(numbered("disk", 3));
  await expect(ann.status).toBeEmpty();
});

test("the database is put back from a backup: the page says so, and sends once what it still holds", async ({ visit, server }) => {
  const ann = await visit();
  await ann.say("backup-1");
  await ann.showsExactly(["backup-1"]);
  const copy = `${server.database}-copy`;
  expect(spawnSync(binary, ["--db", server.database, "--backup", copy]).status).toBe(0);
  await ann.say("backup-2");
  await ann.showsExactly(numbered("backup", 2));
  ann.proxy.refuseSockets();
  await ann.say(...numbered("backup", 2, 3));
  await expect(ann.message("backup-4")).toHaveAttribute("data-state", "queued");
  await server.end();
  server.database = copy;
  await server.start();
  ann.proxy.putUp();
  // What came after the backup had its verdict, and is gone with that history.
  await ann.showsExactly(["backup-1", "backup-3", "backup-4"]);
  await expect(ann.log).toContainText("put back to an earlier state");
  await ann.page.reload();
  await ann.showsExactly(["backup-1", "backup-3", "backup-4"]);
  const friend = stock(server.url, { auth: { serverOffset: 0 } });
  const transcript = new Transcript(friend);
  await connected(friend);
  await ann.say("backup-5");
  await transcript.heard("backup-5");
  friend.close();
  expect(transcript.texts).toEqual(["backup-1", "backup-3", "backup-4", "backup-5"]);
});

test.describe("where visitors are let in for now", () => {
  test.use({ config: "[identity]\nanonymous = true\n" });

  test("who may not come in any more is told so, is heard by nobody, and keeps what waits", async ({ visit, server, friend }) => {
    const letIn = (anonymous) => {
      writeFileSync(server.config, `[identity]\nanonymous = ${anonymous}\n`);
      server.child.kill("SIGHUP");
    };
    const ann = await visit();
    await ann.say("door-1");
    await ann.showsExactly(["door-1"]);
    ann.proxy.refuseSockets();
    await ann.say(...numbered("door", 2, 2));
    await expect(ann.message("door-3")).toHaveAttribute("data-state", "queued");
    const before = server.log.length;
    letIn(false);
    await expect.poll(() => server.log.slice(before)).toContain("reloaded");
    ann.proxy.putUp();
    await expect(ann.status).toContainText("refused");
    await ann.page.reload();
    await expect(ann.status).toContainText("refused");
    await expect(ann.message("door-3")).toHaveAttribute("data-state", "queued");
    expect(friend.transcript.texts).toEqual(["door-1"]);
    const closed = server.log.length;
    letIn(true);
    await expect.poll(() => server.log.slice(closed)).toContain("reloaded");
    friend.socket.connect(); // a visitor, too: whoever is in is sent out soon, and a stock client does not come back
    await expect(async () => {
      await ann.page.reload();
      await expect(ann.message("door-3")).toHaveAttribute("data-state", "delivered", { timeout: 5000 });
    }).toPass({ timeout: 60_000 });
    await friend.transcript.count(3);
    expect(friend.transcript.texts).toEqual(numbered("door", 3));
  });
});

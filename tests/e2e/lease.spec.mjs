// A person who was away for longer than the server remembers what it told them. That a message was offered
// before and its verdict is forgotten is written into the database while the server is down.
import { spawnSync } from "node:child_process";
import { expect, test } from "./chat_page.mjs";

const sql = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('DELETE FROM verdicts'); d.execute(sys.argv[2]); d.commit()";
const change = (server, statement) => expect(spawnSync("python3", ["-c", sql, server.database, statement]).status).toBe(0);

test("nobody knows any more whether it was sent: the person decides", async ({ visit, server }) => {
  const ann = await visit();
  await ann.say("first-1");
  await ann.showsExactly(["first-1"]);
  await server.end("SIGTERM");
  await ann.say("may-1", "may-2", "new-1");
  await expect(ann.message("new-1")).toHaveAttribute("data-state", "queued");
  change(server, "UPDATE producers SET last = last + 2, forgotten = last + 2");
  await server.start();

  for (const text of ["may-1", "may-2"]) await expect(ann.message(text)).toHaveAttribute("data-state", "unknown");
  await expect(ann.message("new-1")).toHaveAttribute("data-state", "delivered");
  await expect(ann.log.getByRole("article", { name: /may have been sent: send it again\?/ })).toHaveCount(2);
  const choose = async (text, action) => {
    await ann.message(text).hover();
    await ann.page.getByRole("toolbar").getByRole("button", { name: action }).click();
  };
  await choose("may-1", "Send again");
  await choose("may-2", "Discard");
  await ann.showsExactly(["first-1", "new-1", "may-1"]);
  await ann.page.reload();
  await ann.showsExactly(["first-1", "new-1", "may-1"]);
});

// A person who was away for longer than the server remembers what it told them.
import { endLease } from "../support/lease.mjs";
import { expect, test } from "./chat_page.mjs";

test("nobody knows any more whether it was sent: the person decides", async ({ visit, server }) => {
  const ann = await visit();
  await ann.say("first-1");
  await ann.showsExactly(["first-1"]);
  await server.end("SIGTERM");
  await ann.say("may-1", "may-2", "new-1");
  await expect(ann.message("new-1")).toHaveAttribute("data-state", "queued");
  endLease(server.database, 2);
  await server.start();

  for (const text of ["may-1", "may-2"]) await expect(ann.message(text)).toHaveAttribute("data-state", "unknown");
  await expect(ann.message("new-1")).toHaveAttribute("data-state", "delivered");
  await expect(ann.log.getByRole("article", { name: /may have been sent: send it again\?/ })).toHaveCount(2);
  // What is stored meanwhile moves the messages: then the mouse is over none, and has to be moved once more.
  const choose = (text, action) =>
    expect(async () => {
      await ann.message(text).hover();
      await ann.page.getByRole("toolbar").getByRole("button", { name: action }).click({ timeout: 2_000 });
    }).toPass();
  await choose("may-1", "Send again");
  await expect(ann.message("may-1")).toHaveAttribute("data-state", "delivered");
  await choose("may-2", "Discard");
  await ann.showsExactly(["first-1", "new-1", "may-1"]);
  await ann.page.reload();
  await ann.showsExactly(["first-1", "new-1", "may-1"]);
});

// Somebody says that nobody saw their message: ?debug tells its key, and an operator asks the server for it.
import { spawnSync } from "node:child_process";
import { binary } from "../support/server.mjs";
import { expect, test } from "./chat_page.mjs";

test("the key of a message that ?debug shows is what an operator asks for", async ({ visit, server }) => {
  const ann = await visit();
  await ann.page.goto(new URL("/?debug", ann.page.url()).href);
  await ann.say("lost-1");
  await ann.showsExactly(["lost-1"]);
  const panel = ann.page.locator(".debug pre");
  await expect(panel).toContainText(/[0-9a-f]{32}:\d+ accepted/);
  const fontOf = (node) => node.evaluate((element) => getComputedStyle(element).fontFamily);
  expect(await fontOf(ann.page.locator(".debug button"))).toBe(await fontOf(ann.send));
  const [key] = (await panel.textContent()).match(/[0-9a-f]{32}:\d+(?= accepted)/);
  const [, session] = (await panel.textContent()).match(/session: (\S+)/);
  const said = spawnSync(binary, ["--db", server.database, "--where", key]).stdout.toString();
  expect(said).toContain("accepted; it published 1:");
  expect(said).toMatch(new RegExp(`handed to:.* ${session}`));
  expect(said).toContain("still behind: nobody");

  await server.end("SIGTERM");
  await ann.say("later-1");
  await expect(panel).toContainText(/[0-9a-f]{32}:\d+ queued/);
  const [waiting] = (await panel.textContent()).match(/[0-9a-f]{32}:\d+(?= queued)/);
  expect(spawnSync(binary, ["--db", server.database, "--where", waiting]).stdout.toString()).toContain("not here: still in its sender's outbox");
});

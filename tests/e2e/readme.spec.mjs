// What the README shows, runs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, root } from "../support/server.mjs";
import { expect, test } from "./chat_page.mjs";

test("the README's example sends and hears its message", async ({ visit, friend }) => {
  const [, example] = readFileSync(join(root, "README.md"), "utf8").match(/```js\n([\s\S]*?)```/);
  const heard = example.replace("socket.on(\"chat message\", (text, id) => {});", 'socket.on("chat message", (text) => (document.title = text));');
  expect(heard).not.toBe(example);
  const { page, proxy } = await visit({ empty: true });
  proxy.pages.set("/example.html", { type: "text/html", body: Buffer.from('<script type="module" src="/example.js"></script>') });
  proxy.pages.set("/example.js", { type: "text/javascript", body: Buffer.from(heard) });
  await page.goto(`${proxy.url}/example.html`);
  await friend.transcript.heard("hello");
  await expect(page).toHaveTitle("hello");
});

test("the README's configuration is what the server uses by itself", () => {
  const [, reference] = readFileSync(join(root, "README.md"), "utf8").match(/```toml\n([\s\S]*?)```/);
  const directory = mkdtempSync(join(tmpdir(), "oncewire-"));
  try {
    writeFileSync(join(directory, "reference.toml"), reference);
    const print = (...args) => execFileSync(binary, [...args, "--print-config"], { encoding: "utf8" });
    expect(print("--config", join(directory, "reference.toml"))).toBe(print());
    const bare = (text) => text.replace(/ +#.*/g, "").replace(/\n+/g, "\n").trim();
    expect(bare(print())).toBe(bare(reference));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

// What was changed or taken back: what unmodified clients get who come later, and what the files hold.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join as path } from "node:path";
import { afterEach, test } from "node:test";
import { drawId, png } from "../support/pictures.mjs";
import { Server } from "../support/server.mjs";
import { connected, stock, until, within } from "../support/stock.mjs";

let server;
let people = [];

/** Somebody by their secret; `heard`: all that came, as [event, …args]. */
async function join(who, auth = { live: true }) {
  const socket = stock(server.url, { auth: { visitor: who.repeat(32).slice(0, 32), name: who, ...auth } });
  people.push(socket);
  const heard = [];
  for (const event of ["chat message", "post", "edit"]) socket.on(event, (...args) => heard.push([event, ...args]));
  const id = within(new Promise((resolve) => socket.once("you", (user) => resolve(user.id))), "you");
  await connected(socket);
  const ask = (...event) => within(new Promise((resolve) => socket.emit(...event, (...answer) => resolve(answer))), event[0]);
  return { id: await id, socket, heard, ask };
}
afterEach(async () => {
  for (const socket of people) socket.close();
  people = [];
  await server.remove();
});

/** The files of the database in which these bytes stand. */
const filesWith = (text) =>
  readdirSync(server.directory, { withFileTypes: true })
    .filter((each) => each.isFile() && !each.name.endsWith("-ballast"))
    .map(({ name }) => name)
    .filter((name) => readFileSync(path(server.directory, name)).includes(text));

test("who comes later gets what a message says now, at the place it had, and no file holds what it said", async () => {
  server = await Server.start();
  const [ann, ben] = [await join("a"), await join("b")];
  const [, first] = await ann.ask("chat message", "SECRET-one of the town", "id-1");
  const [, second] = await ann.ask("post", "chat", { text: "SECRET-two of the town" });
  const [, third] = await ann.ask("post", `user/${ben.id}`, { text: "SECRET-three of the town" });
  const [, last] = await ann.ask("chat message", "harmless");
  assert.notEqual(filesWith("SECRET-").length, 0);

  const [, change] = await ann.ask("edit", "chat", first.id, "better words");
  await ann.ask("edit", "chat", second.id, "SECRET-four");
  const [, removal] = await ann.ask("edit", "chat", second.id, null);
  await ann.ask("edit", `user/${ben.id}`, third.id, null);
  await until(() => filesWith("SECRET-").length === 0, "the files are rid of it");
  assert.notEqual(filesWith("better words").length, 0);
  // Who was there heard of each.
  await until(() => ben.heard.filter(([event]) => event === "edit").length === 4, "four changes");

  const late = await join("c", { serverOffset: 0 });
  await until(() => late.heard.some(([, edit]) => edit.id === second.id && edit.text === null), "all of it");
  assert.equal(JSON.stringify(late.heard).includes("SECRET-"), false);
  const [message, post] = late.heard;
  assert.deepEqual(message.slice(0, 3), ["chat message", "better words", first.id]);
  assert.equal(message[3].edited, change.id);
  assert.deepEqual([post[0], post[1].id, post[1].text, post[1].gone], ["post", second.id, undefined, removal.id]);
  assert.deepEqual(late.heard[2].slice(0, 3), ["chat message", "harmless", last.id]);
  const emptied = late.heard.filter(([event, edit]) => event === "edit" && edit.text === undefined);
  assert.equal(emptied.length, 1);

  for (const place of ["chat", "inbox"]) {
    const [, history] = await ben.ask("history", place, null, 100);
    assert.equal(JSON.stringify(history).includes("SECRET-"), false);
    assert.deepEqual((await ben.ask("search", place, "SECRET-", null))[1].entries, []);
  }
  // Sent once more by a client that did not hear the answer it is known, and does not come back.
  await ann.ask("chat message", "SECRET-one of the town", "id-1");
  await until(() => filesWith("SECRET-").length === 0, "nothing of it was stored");

  await server.end("SIGTERM");
  assert.deepEqual(filesWith("SECRET-"), []);
  await server.start();
  const again = await join("d", { serverOffset: 0 });
  await until(() => again.heard.length >= late.heard.length, "the same after a restart");
  assert.deepEqual(again.heard, late.heard);
});

test("what was taken back by a process that is killed at once is gone after the next start", async () => {
  server = await Server.start();
  const ann = await join("a");
  const id = drawId();
  const picture = png(200, 200, { noise: true });
  await ann.ask("picture", id, picture);
  const base64 = picture.toString("base64").slice(3_000, 3_060);
  const [, post] = await ann.ask("post", "chat", { picture: id, text: "SECRET-under it" });
  assert.notEqual(filesWith(base64).length, 0);
  await ann.ask("edit", "chat", post.id, null);
  await server.restart();
  await until(() => filesWith("SECRET-").length + filesWith(base64).length === 0, "the files are rid of it");
  const late = await join("c", { serverOffset: 0 });
  await until(() => late.heard.length === 2, "both entries");
  assert.deepEqual(Object.keys(late.heard[0][1]).sort(), ["at", "from", "gone", "id", "name", "place"]);
});

test("who comes back to their session gets what was taken back meanwhile without its text", async () => {
  server = await Server.start();
  const [ann, ben] = [await join("a"), await join("b")];
  const [, before] = await ann.ask("chat message", "before");
  await until(() => ben.heard.length === 1, "the first one");
  ben.socket.io.engine.close();
  const [, post] = await ann.ask("chat message", "SECRET-while away");
  await ann.ask("edit", "chat", post.id, null);
  await until(() => ben.heard.length === 3, "what was missed");
  assert.equal(ben.socket.recovered, true);
  assert.deepEqual(ben.heard.map(([event, first, id]) => [event, event === "edit" ? first.text : first, id]).slice(0, 2), [
    ["chat message", "before", before.id],
    ["chat message", "", post.id],
  ]);
  assert.equal(JSON.stringify(ben.heard).includes("SECRET-"), false);
});

// Pictures, asked for by the unmodified client: what is kept, who may see it, and when it goes.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { drawId, png } from "../support/pictures.mjs";
import { Server } from "../support/server.mjs";
import { connected, stock, within } from "../support/stock.mjs";

let server;
let people = [];

async function open(config = "") {
  server = await Server.start({ config: `[chat]\n${config}` });
}
/** Somebody by their secret, and all they hear of posts. */
async function join(who) {
  const socket = stock(server.url, { auth: { visitor: who.repeat(32).slice(0, 32), name: who, live: true } });
  people.push(socket);
  const posts = [];
  socket.on("post", (post) => posts.push(post));
  const id = within(new Promise((resolve) => socket.once("you", (user) => resolve(user.id))), "you");
  await connected(socket);
  /** Resolves with [refusal, …answer]. */
  const ask = (...event) => within(new Promise((resolve) => socket.emit(...event, (...answer) => resolve(answer))), event[0]);
  return { id: await id, posts, ask, code: async (...event) => (await ask(...event))[0]?.error };
}
afterEach(async () => {
  for (const socket of people) socket.close();
  people = [];
  await server.remove();
});

test("a picture is kept, posted once however often it is sent, and shown as it was", async () => {
  await open();
  const [ann, ben] = [await join("a"), await join("b")];
  const [id, bytes] = [drawId(), png(40, 30)];
  for (let i = 0; i < 2; ++i) assert.deepEqual(await ann.ask("picture", id, bytes), [null]);
  const [, first] = await ann.ask("post", "chat", { picture: id, text: "look" });
  const [, again] = await ann.ask("post", "chat", { picture: id, text: "look" });
  assert.equal(again.id, first.id);
  assert.deepEqual(await ben.ask("see picture", id), [null, { type: "image/png", bytes }]);
  const { picture, text, width, height } = ben.posts[0];
  assert.deepEqual({ picture, text, width, height }, { picture: id, text: "look", width: 40, height: 30 });
  assert.equal(ben.posts.length, 1);
  await server.restart();
  const late = await join("c");
  assert.equal((await late.ask("see picture", id))[1].type, "image/png");
  assert.equal((await (await join("a")).ask("post", "chat", { picture: id }))[1].id, first.id);
});

test("a private picture is seen by its two readers alone", async () => {
  await open();
  const [ann, ben, eve] = [await join("a"), await join("b"), await join("e")];
  const id = drawId();
  await ann.ask("picture", id, png(9, 9));
  assert.equal(await ben.code("see picture", id), "no_picture", "nobody sees what was not posted");
  await ann.ask("post", `user/${ben.id}`, { picture: id });
  for (const reader of [ann, ben]) assert.equal((await reader.ask("see picture", id))[1].type, "image/png");
  assert.equal(await eve.code("see picture", id), "no_picture");
  assert.equal(await eve.code("show picture", id), "no_picture");
  assert.equal(await eve.code("post", "chat", { picture: id }), "not_yours");
  assert.equal(await eve.code("picture", id, png(9, 9)), "not_yours");
  const guest = stock(server.url);
  people.push(guest);
  await connected(guest);
  const refusal = await new Promise((resolve) => guest.emit("see picture", id, resolve));
  assert.equal(refusal.error, "no_picture");
});

test("what is no picture, too large, or somebody's trick is refused, and the session goes on", async () => {
  await open();
  const ann = await join("a");
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const wide = png(5000, 1);
  for (const bytes of [svg, Buffer.from("<html>"), Buffer.alloc(0), Buffer.from("GIF89a"), wide, png(20, 20).subarray(0, 20)]) {
    assert.equal(await ann.code("picture", drawId(), bytes), "invalid_picture");
  }
  assert.equal(await ann.code("picture", drawId(), Buffer.alloc(262_145, 1)), "picture_too_large");
  for (const id of ["", "../../x", "a".repeat(31), "A".repeat(32), "' OR 1=1 --"]) {
    assert.equal(await ann.code("picture", id, png(5, 5)), "invalid_picture");
    assert.equal(await ann.code("see picture", id), "no_picture");
    assert.equal(await ann.code("post", "chat", { picture: id, text: "x" }), "invalid_picture");
  }
  assert.equal(await ann.code("post", "chat", { picture: drawId() }), "no_picture");
  assert.equal(await ann.code("keep picture", drawId(), "no base64!"), "picture_too_large");
  assert.equal(await ann.code("post", "chat", { picture: `data:image/png;base64,${png(5, 5).toString("base64")}` }), "invalid_picture");
  assert.deepEqual(ann.posts, []);
});

test("what is taken back is gone", async () => {
  await open();
  const [ann, ben] = [await join("a"), await join("b")];
  const id = drawId();
  await ann.ask("picture", id, png(9, 9));
  const [, post] = await ann.ask("post", "chat", { picture: id });
  assert.equal((await ben.ask("see picture", id))[1].type, "image/png");
  await ann.ask("edit", "chat", post.id, null);
  for (const reader of [ann, ben]) assert.equal(await reader.code("see picture", id), "no_picture");
  // Whoever does not know how far it got sends it again; it stays taken back.
  assert.deepEqual(await ann.ask("picture", id, png(9, 9)), [null]);
  assert.equal((await ann.ask("post", "chat", { picture: id }))[1].id, post.id);
  assert.equal(await ben.code("see picture", id), "no_picture");
});

test("a day's pictures are bounded, and so are all of them: the oldest go", async () => {
  await open("pictures_megabytes = 1\npictures_megabytes_each_day = 1\n");
  const send = async (who) => {
    const id = drawId();
    const code = await who.code("picture", id, png(500, 500, { noise: true })); // some 250 kB
    if (!code) await who.ask("post", "chat", { picture: id });
    return code ?? id;
  };
  const [ann, ben] = [await join("a"), await join("b")];
  const sent = [await send(ann), await send(ann), await send(ann)];
  assert.equal(await send(ann), "too_many_pictures");
  for (const id of sent) assert.equal((await ben.ask("see picture", id))[1].type, "image/png");
  const newest = await send(ben);
  assert.equal(await ben.code("see picture", sent[0]), "no_picture");
  for (const id of [sent[1], sent[2], newest]) assert.equal((await ben.ask("see picture", id))[1].type, "image/png");
});

test("where no pictures are wanted none are kept", async () => {
  await open("pictures_megabytes = 0\n");
  const ann = await join("a");
  assert.equal(await ann.code("picture", drawId(), png(5, 5)), "no_pictures");
  assert.equal(await ann.code("see picture", drawId()), "no_picture");
  assert.equal(await ann.code("post", "chat", { picture: drawId() }), "no_picture");
});

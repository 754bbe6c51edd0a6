// Who a token lets in. The server knows one key; everything that is not signed with it, by its algorithm,
// for us, at this time, stays outside and is told why.
import assert from "node:assert/strict";
import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Server } from "../support/server.mjs";
import { stock, until, within } from "../support/stock.mjs";

const secret = "thirty-two bytes of a secret, or more";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = publicKey.export({ type: "spki", format: "pem" });
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);
const good = () => ({ iss: "shop", aud: ["other", "chat"], sub: "17", name: "Ann", exp: now() + 600 });

const hmac = (header, claims, key = secret) => {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
};
const rsa = (claims, header = { alg: "RS256", kid: "rsa" }, key = privateKey) => {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createSign("sha256").update(signed).sign(key).toString("base64url")}`;
};
const hs = { alg: "HS256", kid: "hmac" };
const without = (name) => Object.fromEntries(Object.entries(good()).filter(([key]) => key !== name));

let server;
before(async () => {
  server = new Server({ config: "" });
  const keyFile = join(server.directory, "public.pem");
  writeFileSync(keyFile, pem);
  const key = (lines) => `[[identity.keys]]\nissuer = "shop"\naudience = "chat"\n${lines}\n`;
  writeFileSync(
    server.config,
    key(`id = "hmac"\nalgorithm = "HS256"\nkey = "${secret}"`) + key(`id = "rsa"\nalgorithm = "RS256"\nkey_file = "${keyFile}"`),
  );
  await server.start();
});
after(() => server.remove());

/** "in", or the code of the refusal. */
async function outcome(auth) {
  const socket = stock(server.url, { auth, reconnection: false });
  try {
    return await within(
      new Promise((resolve) => {
        socket.on("connect", () => resolve("in"));
        socket.on("connect_error", (error) => resolve(error.data?.code ?? error.message));
      }),
      "an answer",
    );
  } finally {
    socket.close();
  }
}

describe("a token lets in", () => {
  for (const [name, token] of Object.entries({
    "signed with the shared secret": () => hmac(hs, good()),
    "signed with the private key": () => rsa(good()),
    "meant for us alone": () => hmac(hs, { ...good(), aud: "chat" }),
    "expired, but within the skew of clocks": () => hmac(hs, { ...good(), exp: now() - 5 }),
    "valid in a moment, within the skew of clocks": () => hmac(hs, { ...good(), nbf: now() + 5 }),
  })) {
    test(name, async () => assert.equal(await outcome({ token: token() }), "in"));
  }
});

describe("a token stays outside", () => {
  for (const [name, token, code = "invalid_token"] of [
    ["expired", () => hmac(hs, { ...good(), exp: now() - 60 }), "expired_token"],
    ["not valid yet", () => hmac(hs, { ...good(), nbf: now() + 600 })],
    ["without an end", () => hmac(hs, without("exp"))],
    ["with an end that is no number", () => hmac(hs, { ...good(), exp: "never" })],
    ["for somebody else", () => hmac(hs, { ...good(), aud: "bank" })],
    ["for nobody", () => hmac(hs, without("aud"))],
    ["from somebody else", () => hmac(hs, { ...good(), iss: "bank" })],
    ["about nobody", () => hmac(hs, without("sub"))],
    ["about a name that means more than itself", () => hmac(hs, { ...good(), sub: "17\n/../x" })],
    ["signed with another secret", () => hmac(hs, good(), "another secret of more than 32 bytes")],
    ["not signed", () => `${part({ alg: "none", kid: "hmac" })}.${part(good())}.`],
    ["not signed, in other letters", () => `${part({ alg: "nOnE", kid: "hmac" })}.${part(good())}.`],
    ["signed with the public key as if it were a secret", () => hmac({ alg: "HS256", kid: "rsa" }, good(), pem)],
    ["signed by the wrong key's algorithm", () => rsa(good(), { alg: "RS256", kid: "hmac" })],
    ["with another algorithm in its head", () => hmac({ alg: "HS512", kid: "hmac" }, good())],
    ["with a key we do not know", () => hmac({ alg: "HS256", kid: "mine" }, good())],
    ["with no key named, when there are two", () => hmac({ alg: "HS256" }, good())],
    ["with a demand we do not know", () => hmac({ ...hs, crit: ["b64"] }, good())],
    ["changed after it was signed", () => hmac(hs, good()).replace(/\.[^.]+\./, `.${part({ ...good(), sub: "1" })}.`)],
    ["without its signature", () => hmac(hs, good()).replace(/[^.]+$/, "")],
    ["too large", () => hmac(hs, { ...good(), more: "x".repeat(9000) })],
    ["nothing", () => ""],
    ["no token", () => "Bearer"],
    ["a list where an object belongs", () => hmac(hs, [1])],
  ]) {
    test(name, async () => assert.equal(await outcome({ token: token() }), code));
  }
});

test("a token's session ends with it unless it is renewed, by the same person only", async () => {
  const soon = () => now() - 22; // which with the skew of clocks is good for eight seconds
  const enter = async (exp) => {
    const socket = stock(server.url, { auth: { token: hmac(hs, { ...good(), exp }) }, reconnection: false });
    const ended = new Promise((resolve) => socket.on("disconnect", resolve));
    await within(new Promise((resolve) => socket.on("connect", resolve)), "connect");
    const renew = (claims) => within(new Promise((resolve) => socket.emit("token", hmac(hs, claims), (refusal) => resolve(refusal?.error ?? "renewed"))), "renewal");
    return { socket, ended, renew };
  };
  const left = await enter(soon());
  const shortened = await enter(now() + 600);
  const prolonged = await enter(soon());
  assert.equal(await prolonged.renew({ ...good(), sub: "18" }), "invalid_token");
  assert.equal(await prolonged.renew({ ...good(), exp: now() + 600 }), "renewed");
  assert.equal(await shortened.renew({ ...good(), exp: soon() }), "renewed");
  for (const { ended } of [left, shortened]) assert.equal(await within(ended, "the end"), "io server disconnect");
  assert.ok(prolonged.socket.connected);
  prolonged.socket.close();
});

test("keys are read again without a restart", async () => {
  // Whom a key let in that is there no more, and a visitor where none are wanted any more, are shown out.
  const inside = [{ token: hmac(hs, good()) }, {}].map((auth) => stock(server.url, { auth, reconnection: false }));
  const ended = inside.map((socket) => new Promise((resolve) => socket.on("disconnect", resolve)));
  const expired = inside.map((socket) => new Promise((resolve) => socket.on("expired", resolve)));
  await within(Promise.all(inside.map((socket) => new Promise((resolve) => socket.on("connect", resolve)))), "both");
  const config = `[identity]\nanonymous = false\n`;
  writeFileSync(server.config, config);
  server.child.kill("SIGHUP");
  await until(async () => (await outcome({})) === "token_required", "the new rule");
  assert.equal(await outcome({ token: hmac(hs, good()) }), "invalid_token");
  await within(Promise.all(expired), "the word to both");
  assert.deepEqual(await within(Promise.all(ended), "the end of both"), ["io server disconnect", "io server disconnect"]);
  rmSync(server.config);
  server.child.kill("SIGHUP");
  await until(() => server.log.includes("not reloaded"), "the complaint");
  assert.equal(await outcome({}), "token_required"); // a file that cannot be read changes nothing
});

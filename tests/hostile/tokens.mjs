// Who the server under flood believes: tokens of this key, and visitors without one.
import { createHmac, randomBytes } from "node:crypto";

const key = "a secret of the hostile tier, 32 bytes or more";
export const config = `[[identity.keys]]\nalgorithm = "HS256"\nkey = "${key}"\naudience = "chat"\n`;

const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");

/** A token of `user` that ends, with the server's tolerance for clocks, in so many seconds. */
export function tokenOf(user, seconds) {
  const tolerance = 30;
  const claims = { sub: user, aud: "chat", exp: Date.now() / 1000 + seconds - tolerance };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

export const secret = () => randomBytes(16).toString("hex");
/** What a visitor says in CONNECT; a new one each time. */
export const visitor = (more = {}) => ({ visitor: secret(), name: "Mallory", live: true, ...more });

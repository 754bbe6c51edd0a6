// Who I am here: a visitor by a secret that only this browser knows, or whoever the embedding site's
// token names. Which messages are mine, also those of earlier visits.

import { recallDurably, rememberDurably } from "./durable.js";
import { forgetPages } from "./kept_pages.js";
import { recall, recallJson, remember, rememberJson, tellForgotten } from "./storage.js";

const producersKept = 200; // a browser that opened more tabs than this sees its oldest messages as a guest's

const producers = new Set(recallJson("own", []));

export const me = {
  /** The public id; known once the server said so, and remembered. */
  id: recall("id"),
  name: recall("name") ?? "",
  secret: recall("visitor") ?? (await keep((await recallDurably("visitor")) ?? newSecret())),
  /** From the embedding site; then the secret counts for nothing. */
  token: undefined,

  /** Whose outbox it is: another person's is left alone. */
  get owner() {
    return this.token ? `user ${subjectOf(this.token)}` : `visitor ${this.secret.slice(0, 8)}`;
  },
  known({ id, name }) {
    this.id = id;
    if (this.token) this.name = name;
    else remember("id", id);
  },
  rename(name) {
    this.name = name;
    remember("name", name || null);
  },
  /** A new visitor from the next page on. What waits stays with the old one. */
  async forget() {
    for (const key of ["owner", "id", "name", "visitor", "own", "rooms", "read"]) remember(key, null);
    tellForgotten("visitor");
    producers.clear();
    await forgetPages();
    await globalThis.caches?.delete("oncewire-pictures").catch(() => {});
    Object.assign(this, { id: null, name: "", token: undefined, secret: await keep(newSecret()) });
  },
};

export function isOwn({ from, key }) {
  return (from !== undefined && from === me.id) || producers.has(key?.split(":")[0]);
}

export function rememberOwn(producer) {
  if (producers.has(producer)) return;
  producers.add(producer);
  rememberJson("own", [...new Set([...recallJson("own", []), ...producers])].slice(-producersKept));
}

/** Tells apart those who share a name or have none. */
export const tagOf = (id) => (id ?? "").replace(/^[a-z]+[-:|]/i, "").slice(0, 4);

function newSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function keep(secret) {
  remember("visitor", secret);
  await rememberDurably("visitor", secret);
  return secret;
}

// Only to name the outbox; the server is the one who checks.
function subjectOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(payload)).sub);
  } catch {
    return "unknown";
  }
}

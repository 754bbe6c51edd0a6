// Which sites' pages may talk to the server and show the chat: those on the list, letter by letter. The list
// is read again without a restart.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { Server } from "../support/server.mjs";
import { until, within } from "../support/stock.mjs";

const shop = "https://shop.example";
const local = "http://localhost:8080";
const listOf = (origins) => `[server]\norigins = ${JSON.stringify(origins)}\n`;

let server;
before(async () => (server = await Server.start({ config: listOf([shop, local]) })));
after(() => server.remove());

const request = (path, origin, { headers = {}, agent = false } = {}) =>
  within(
    new Promise((resolve, reject) => {
      get(server.url + path, { headers: origin === undefined ? headers : { ...headers, origin }, agent }, async (answer) => {
        let body = "";
        for await (const chunk of answer) body += chunk;
        resolve({ status: answer.statusCode, headers: answer.headers, body });
      }).on("error", reject);
    }),
    "an answer",
  );
const poll = (origin, options) => request("/socket.io/?EIO=4&transport=polling", origin, options);

/** "open", or what the refusal says. */
const upgrade = (origin) =>
  within(
    new Promise((resolve) => {
      const wire = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { headers: { origin } });
      wire.on("open", () => wire.close());
      wire.on("close", () => resolve("open"));
      wire.on("error", () => {});
      wire.on("unexpected-response", async (_, answer) => {
        let body = "";
        for await (const chunk of answer) body += chunk;
        resolve(`${answer.statusCode} ${body}`);
      });
    }),
    "an answer to the upgrade",
  );

const ancestors = async () => (await request("/")).headers["content-security-policy"].match(/frame-ancestors ([^;]*)/)[1];

const forged = (port) => [
  ...["null", "*", "", "undefined", "about:blank", "shop.example", "//shop.example", "https:shop.example", "https:/shop.example"],
  ...["https:\\\\shop.example", "https://", "https://*", "https://*.example", "javascript:alert(1)", "data:text/html,x"],
  ...["blob:https://shop.example/1", "file://", "chrome-extension://shop.example", "ftp://shop.example", "wss://shop.example:8443"],
  ...["http://shop.example", "https://SHOP.example", "HTTPS://shop.example", "https://shop.example/", "https://shop.example/path"],
  ...["https://shop.example?x", "https://shop.example#x", "https://shop.example:443", "https://shop.example:8443"],
  ...["https://shop.example.", "https://shop.example.evil.example", "https://evilshop.example", "https://www.shop.example"],
  ...["https://shop.exampl", "https://evil.example/shop.example", "https://shop.example@evil.example", "https://evil@shop.example"],
  ...["https://shop.example%00.evil.example", "https://shop%2eexample", "https://xn--shp-tna.example", "https://sh\u00f6p.example"],
  ...["https://shop.example, https://evil.example", "https://shop.example https://evil.example", "https://evil.example https://shop.example"],
  ...["http://localhost", "http://localhost:80800", "http://localhost:8081", "https://localhost:8080", "http://localhost.:8080"],
  ...["http://127.0.0.1", `http://127.0.0.1:${port}0`, `http://localhost:${port}`, `http://[::1]:${port}`, `http://127.1:${port}`],
  ...[`http://2130706433:${port}`, `http://127.0.0.1:${port}/`, `http://evil.example@127.0.0.1:${port}`, `wsx://127.0.0.1:${port}`],
];

test("forged origins, more than 40, are refused by polling and by WebSocket, in words", async () => {
  const all = forged(server.port);
  assert.ok(new Set(all).size === all.length && all.length >= 40);
  for (const origin of all) {
    const { status, headers, body } = await poll(origin);
    assert.equal(status, 403, origin);
    assert.match(JSON.parse(body).message, /this site is not on the server's list of origins/, origin);
    assert.equal(headers["access-control-allow-origin"], undefined, origin);
    assert.match(await upgrade(origin), /^400 .*not on the server's list of origins/, origin);
  }
});

describe("who may", () => {
  test("the listed sites, and the server's own page", async () => {
    for (const origin of [shop, local, server.url]) {
      const { status, headers } = await poll(origin);
      assert.equal(status, 200, origin);
      assert.equal(headers["access-control-allow-origin"], origin);
      assert.equal(await upgrade(origin), "open");
    }
    assert.equal(await ancestors(), `'self' ${shop} ${local}`);
  });

  test("everybody, as far as the client's files go, which are the same for all", async () => {
    for (const origin of [shop, "https://evil.example", undefined]) {
      const { status, headers } = await request("/socket.io/socket.io.esm.min.js", origin);
      assert.deepEqual([status, headers["access-control-allow-origin"]], [200, "*"], origin);
    }
  });

  test("whoever is no browser and names no site", async () => assert.equal((await poll()).status, 200));
});

const reloaded = async (config, isDone) => {
  writeFileSync(server.config, config);
  server.child.kill("SIGHUP");
  await until(isDone, "the new configuration");
};

test("the list is read again without a restart; one that cannot be used changes nothing", async () => {
  await reloaded(listOf(["https://other.example"]), async () => (await poll("https://other.example")).status === 200);
  assert.equal((await poll(shop)).status, 403);
  assert.equal(await upgrade("https://other.example"), "open");
  assert.equal(await ancestors(), "'self' https://other.example");
  await reloaded(listOf(["https://other.example/path"]), () => server.log.includes("must be like https://example.org"));
  assert.equal(await ancestors(), "'self' https://other.example");
});

test("so are names and proxies; what else has changed is named", async () => {
  const origin = "http://chat.example";
  const byName = { headers: { host: "chat.example" } };
  const byProxy = { headers: { host: "chat.example", "x-forwarded-proto": "https" } }; // whose pages are not http
  const named = '[server]\nnames = ["chat.example"]\n';
  const trusting = `${named}trusted_proxies = ["127.0.0.1"]\n`;
  assert.equal((await poll(origin, byName)).status, 403);
  await reloaded(named, async () => (await poll(origin, byName)).status === 200);
  assert.equal((await poll(origin, byProxy)).status, 200);
  await reloaded(trusting, async () => (await poll(origin, byProxy)).status === 403);
  // A connection that a proxy keeps.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  assert.equal((await request("/health", undefined, { agent })).status, 200);
  await reloaded(`${named}keep_days = 7\n[log]\nlevel = "debug"\n[chat]\nburst = 9\n`, async () => (await poll(origin, byProxy)).status === 200);
  assert.deepEqual([(await request("/health", undefined, { agent })).status, (await request("/health", undefined, { agent })).status], [503, 200]);
  agent.destroy();
  await until(() => server.log.includes("only after a restart: server.keep_days, chat.burst\n"), "the keys that wait");
});

// The server behind nginx, HAProxy, Caddy and Apache, each with the configuration of server/proxies, which is what
// the README shows: everything works through them, the server knows who its clients are, and a proxy that reads its
// configuration again in the midst of it costs nothing.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { drawId, png } from "../support/pictures.mjs";
import { ReverseProxy, names, siteOf } from "../support/proxies.mjs";
import { root, Server } from "../support/server.mjs";
import { connected, stock, Transcript, until, within } from "../support/stock.mjs";

const readme = readFileSync(join(root, "README.md"), "utf8");
/** What stands in the README between ```KIND and ```, if `mark` is in it. */
const snippet = (kind, mark) => [...readme.matchAll(new RegExp("```" + kind + "\\n(.*?)```", "gs"))].map(([, text]) => text).find((text) => text.includes(mark));
const settings = snippet("toml", "trusted_proxies = [\"127.0.0.1\"]");
const places = 12; // of one address

/** What a site sets, and a limit that a test can reach. */
const startServer = () => Server.start({ config: `${settings}connections_per_address = ${places}\n` });

/** {status, headers, body}; `from`: the address that asks. */
const fetchFrom = (url, { from = "127.0.0.1", headers = {} } = {}) =>
  within(
    new Promise((resolve, reject) => {
      get(url, { headers, localAddress: from, agent: false }, async (answer) => {
        let body = "";
        for await (const chunk of answer) body += chunk;
        resolve({ status: answer.statusCode, headers: answer.headers, body });
      }).on("error", reject);
    }),
    url,
  );

/** The status of the handshake, and the WebSocket if it is 101. */
const dial = (url, options) =>
  within(
    new Promise((resolve, reject) => {
      const wire = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, options);
      wire.once("open", () => resolve({ status: 101, wire }));
      wire.once("unexpected-response", (_, answer) => (answer.resume(), resolve({ status: answer.statusCode })));
      wire.once("error", reject);
    }),
    "an answer to the upgrade",
  );

const echo = async (socket, ...event) => within(socket.timeout(30_000).emitWithAck(...event), event[0]);

test("the README shows the configurations that run here", () => {
  for (const [kind, file] of [["nginx", "nginx.conf"], ["haproxy", "haproxy.cfg"], ["caddy", "Caddyfile"], ["apache", "apache.conf"]]) {
    assert.equal(snippet(kind, "127.0.0.1:3000"), siteOf(file), file);
  }
});

for (const name of names) {
  describe(name, () => {
    let server;
    let proxy;
    const sockets = [];
    const client = (options) => {
      const socket = stock(proxy.url, options);
      sockets.push(socket);
      return socket;
    };
    before(async () => {
      server = await startServer();
      proxy = await ReverseProxy.start(name, server.port);
    });
    after(async () => {
      for (const socket of sockets) socket.close();
      await proxy?.remove();
      await server?.remove();
    });

    test("page, embedded chat and client are served", async () => {
      const { body, headers } = await fetchFrom(`${proxy.url}/`);
      assert.match(body, /<title>/);
      assert.match(headers["content-security-policy"], /script-src 'self'/);
      for (const path of ["/embed.js", "/sw.js", "/socket.io/socket.io.esm.min.js", "/health"]) {
        assert.equal((await fetchFrom(proxy.url + path)).status, 200, path);
      }
    });

    test("polling, WebSocket, and the one after the other", async () => {
      for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
        const socket = client({ transports });
        const upgraded = transports.length === 1 || within(new Promise((resolve) => socket.io.once("open", () => socket.io.engine.once("upgrade", resolve))), "the upgrade");
        await connected(socket);
        await upgraded;
        assert.equal(socket.io.engine.transport.name, transports.at(-1));
        const text = `by ${transports}`;
        const heard = new Transcript(socket);
        await echo(socket, "chat message", text, `${name}-${text}`);
        await until(() => heard.texts.includes(text), text);
        socket.close();
      }
    });

    test("a picture goes and comes back as it was, on both transports", async () => {
      for (const transport of ["polling", "websocket"]) {
        const socket = client({ transports: [transport], auth: { visitor: randomBytes(16).toString("hex"), name, live: true } });
        await connected(socket);
        const [id, bytes] = [drawId(), png(200, 150, { noise: true })];
        assert.equal(await new Promise((resolve) => socket.emit("picture", id, bytes, resolve)), null);
        await new Promise((resolve) => socket.emit("post", "chat", { picture: id, text: "look" }, resolve));
        const [refusal, shown] = await within(new Promise((resolve) => socket.emit("see picture", id, (...answer) => resolve(answer))), "the picture");
        assert.equal(refusal, null);
        assert.deepEqual(Buffer.from(shown.bytes), bytes);
        socket.close();
      }
    });

    test("the server counts its clients, not the proxy, whatever they claim", async () => {
      const wires = [];
      const headers = { "X-Forwarded-For": "192.0.2.77", Forwarded: "for=192.0.2.77" };
      const come = async (from, claims = {}) => {
        const { status, wire } = await dial(proxy.url, { localAddress: from, headers: claims });
        if (wire) wires.push(wire);
        return status;
      };
      for (const from of ["127.0.0.2", "127.0.0.3"]) for (let i = 0; i < places; ++i) assert.equal(await come(from), 101, from);
      for (const from of ["127.0.0.2", "127.0.0.3"]) {
        assert.equal(await come(from), 503, from);
        assert.equal(await come(from, headers), 503, `${from} with claims`);
        assert.equal((await fetchFrom(`${proxy.url}/socket.io/?EIO=4&transport=polling`, { from, headers })).status, 503);
        assert.equal((await fetchFrom(proxy.url, { from })).status, 200, "the page is served all the same");
      }
      assert.equal(await come("127.0.0.4"), 101);
      for (const wire of wires) wire.close();
    });

    test("pages of the site's own name may connect, others may not", async () => {
      const status = async (origin, host) => (await fetchFrom(`${proxy.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin, host } })).status;
      // Caddy and the others serve whatever name they are asked for here; the server does not.
      assert.equal(await status("http://chat.example.org", "chat.example.org"), 200);
      assert.equal(await status("http://evil.example", "chat.example.org"), 403);
      assert.equal(await status("http://evil.example", "evil.example"), 403);
      assert.equal(await status("https://chat.example.org", "chat.example.org"), 403, "the page is http here");
      assert.match(server.log, /refused the Host "evil\.example".*names in \[server\]/);
    });

    test("a proxy that reads its configuration again loses no message and repeats none", async () => {
      const count = 200;
      const reader = client();
      const heard = new Transcript(reader);
      const writers = [client({ transports: ["polling"], ackTimeout: 5_000, retries: 1_000 }), client({ ackTimeout: 5_000, retries: 1_000 })];
      await Promise.all([reader, ...writers].map(connected));
      const sent = writers.map(async (writer, who) => {
        for (let i = 0; i < count; ++i) {
          const text = `${name} ${who} ${i}`;
          await within(new Promise((resolve) => writer.emit("chat message", text, text, resolve)), text, 120_000);
          if (who === 0 && i % 50 === 25) await proxy.reload();
        }
      });
      await Promise.all(sent);
      const late = stock(server.url, { auth: { serverOffset: 0 } });
      sockets.push(late);
      const all = new Transcript(late);
      await connected(late);
      const mine = (texts) => texts.filter((text) => new RegExp(`^${name} [01] \\d+$`).test(text));
      await until(() => mine(all.texts).length >= 2 * count, "everything from the log");
      for (const who of [0, 1]) {
        const own = mine(all.texts).filter((text) => text.startsWith(`${name} ${who} `));
        assert.deepEqual(own, Array.from({ length: count }, (_, i) => `${name} ${who} ${i}`));
      }
      assert.ok(heard.texts.length > 0);
    });
  });
}

describe("nginx as it is without a word about HTTP/1.1", () => {
  let server;
  let proxy;
  before(async () => {
    server = await startServer();
    proxy = await ReverseProxy.start("nginx", server.port, "server { listen 80; location / { proxy_pass http://127.0.0.1:3000; } }\n");
  });
  after(async () => {
    await proxy?.remove();
    await server?.remove();
  });

  test("serves the page, and polling", async () => {
    assert.match((await fetchFrom(`${proxy.url}/`)).body, /<title>/);
    const socket = stock(proxy.url, { transports: ["websocket", "polling"], tryAllTransports: true });
    await connected(socket);
    assert.equal(socket.io.engine.transport.name, "polling");
    await echo(socket, "chat message", "by HTTP/1.0", "http-1.0");
    socket.close();
  });
});

describe("below a path", () => {
  const sites = {
    nginx: [siteOf("nginx.conf").replace("location / {", "location /chat/ {"), siteOf("nginx.conf").replace("location / {", "location /chat/ {").replace("http://127.0.0.1:3000;", "http://127.0.0.1:3000/;\n        proxy_set_header X-Forwarded-Prefix /chat;")],
    caddy: [
      "chat.example.org {\n    reverse_proxy /chat/* 127.0.0.1:3000\n}\n",
      "chat.example.org {\n    handle_path /chat/* {\n        reverse_proxy 127.0.0.1:3000 {\n            header_up X-Forwarded-Prefix /chat\n        }\n    }\n}\n",
    ],
  };
  for (const [name, [kept, taken]] of Object.entries(sites)) {
    for (const [how, site, config] of [["leaves the path as it is", kept, `${settings}prefix = "/chat/"\n`], ["takes it off", taken, settings]]) {
      test(`${name} ${how}: page, embedded chat and unmodified clients`, async () => {
        const server = await Server.start({ config });
        const proxy = await ReverseProxy.start(name, server.port, site);
        try {
          assert.match((await fetchFrom(`${proxy.url}/chat/`)).body, /<title>/);
          for (const path of ["embed.js", "sw.js", "chat.js", "socket.io/socket.io.esm.min.js"]) {
            assert.equal((await fetchFrom(`${proxy.url}/chat/${path}`)).status, 200, path);
          }
          for (const transports of [["polling"], ["websocket"]]) {
            const socket = stock(proxy.url, { path: "/chat/socket.io/", transports });
            await connected(socket);
            await echo(socket, "chat message", `below by ${transports}`, `${transports}`);
            socket.close();
          }
        } finally {
          await proxy.remove();
          await server.remove();
        }
      });
    }
  }
});

describe("HAProxy that only passes bytes on, with the PROXY protocol", () => {
  for (const version of ["send-proxy", "send-proxy-v2"]) {
    test(version, async () => {
      const server = await startServer();
      const site = `listen chat\n    bind :80\n    mode tcp\n    timeout client 60s\n    timeout connect 5s\n    timeout server 60s\n    server oncewire 127.0.0.1:3000 ${version}\n`;
      const proxy = await ReverseProxy.start("haproxy", server.port, site);
      const wires = [];
      try {
        for (const from of ["127.0.0.2", "127.0.0.3"]) {
          for (let i = 0; i < places; ++i) {
            const { status, wire } = await dial(proxy.url, { localAddress: from });
            assert.equal(status, 101);
            wires.push(wire);
          }
          assert.equal((await fetchFrom(proxy.url, { from, headers: { "X-Forwarded-For": "192.0.2.77" } })).status, 503);
        }
        assert.equal((await fetchFrom(proxy.url, { from: "127.0.0.4" })).status, 200);
      } finally {
        for (const wire of wires) wire.close();
        await proxy.remove();
        await server.remove();
      }
    });
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseUrl, socketUrl } from "../../../client-wasm/js/url.js";

const page = new URL("https://chat.example.org:8443/rooms/index.html");

describe("a URL means a server and a namespace", () => {
  const cases = [
    [undefined, "wss://chat.example.org:8443", "/"],
    ["/admin", "wss://chat.example.org:8443", "/admin"],
    ["//other.org", "wss://other.org", "/"],
    ["other.org", "wss://other.org", "/"],
    ["other.org:81/x", "wss://other.org:81", "/x"],
    ["http://other.org", "ws://other.org", "/"],
    ["ws://other.org/a/b", "ws://other.org", "/a/b"],
    ["https://[::1]:3000/", "wss://[::1]:3000", "/"],
  ];
  for (const [text, origin, namespace] of cases) {
    test(String(text), () => {
      const parsed = parseUrl(text, page);
      assert.equal(parsed.origin, origin);
      assert.equal(parsed.namespace, namespace);
    });
  }

  test("the key of the manager cache names default ports", () => {
    assert.equal(parseUrl("http://a.org", page).key, "http://a.org:80");
    assert.equal(parseUrl("wss://a.org/x", page).key, "https://a.org:443");
  });

  test("the query of the URL is kept apart from the namespace", () => {
    const { query, namespace } = parseUrl("https://a.org/n?x=1&y=2", page);
    assert.deepEqual(query, { x: "1", y: "2" });
    assert.equal(namespace, "/n");
  });
});

test("the address of the WebSocket ends the path with a slash and names protocol and transport", () => {
  const address = socketUrl("ws://a.org", { path: "/socket.io", query: { x: "1" } });
  assert.equal(address, "ws://a.org/socket.io/?x=1&EIO=4&transport=websocket");
  assert.equal(socketUrl("ws://a.org", { path: "/p/" }).split("?")[0], "ws://a.org/p/");
});

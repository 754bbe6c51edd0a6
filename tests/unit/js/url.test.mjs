import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseUrl, pollingUrl, socketUrl } from "../../../client-wasm/js/url.js";

const page = new URL("https://chat.example.org:8443/rooms/index.html");

describe("a URL means a server and a namespace", () => {
  const cases = [
    [undefined, "https://chat.example.org:8443", "/"],
    ["/admin", "https://chat.example.org:8443", "/admin"],
    ["//other.org", "https://other.org", "/"],
    ["other.org", "https://other.org", "/"],
    ["other.org:81/x", "https://other.org:81", "/x"],
    ["http://other.org", "http://other.org", "/"],
    ["ws://other.org/a/b", "http://other.org", "/a/b"],
    ["https://[::1]:3000/", "https://[::1]:3000", "/"],
    ["/é and %C3%A9/../x#y", "https://chat.example.org:8443", "/é and %C3%A9/../x"],
    ["http://other.org?/x", "http://other.org", "/"],
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
    assert.deepEqual(parseUrl("/?token=a+b%20c==&e=", page).query, { token: "a+b c==", e: "" });
  });
});

describe("the address", () => {
  test("of the WebSocket ends the path with a slash and names protocol and transport", () => {
    const address = socketUrl("http://a.org", { path: "/socket.io", query: { x: "1" } });
    assert.equal(address, "ws://a.org/socket.io/?x=1&EIO=4&transport=websocket");
    assert.match(socketUrl("http://a.org", { path: "/", query: "x=1+2&y" }), /\?x=1%2B2&y=&EIO=4&/);
    assert.equal(socketUrl("https://a.org", { path: "/p/" }).split("?")[0], "wss://a.org/p/");
    assert.equal(socketUrl("https://a.org", { path: "/p", addTrailingSlash: false }).split("?")[0], "wss://a.org/p");
  });

  test("of a polling request differs each time, unless that is not wanted, and names the session", () => {
    const options = { path: "/socket.io", sid: "S" };
    const [, stamp] = pollingUrl("http://a.org", options).match(
      /^http:\/\/a\.org\/socket\.io\/\?EIO=4&transport=polling&t=(\*\w+)&sid=S$/,
    );
    assert.notEqual(pollingUrl("http://a.org", options).match(/t=(\*\w+)/)[1], stamp);
    const plain = pollingUrl("http://a.org", { path: "/s", timestampRequests: false });
    assert.equal(plain, "http://a.org/s/?EIO=4&transport=polling");
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Emitter } from "../../../client-wasm/js/emitter.js";

describe("listeners", () => {
  test("are called in order, once() ones once", () => {
    const emitter = new Emitter();
    const heard = [];
    emitter.on("e", (x) => heard.push(["on", x])).once("e", (x) => heard.push(["once", x]));
    emitter.notify("e", 1).notify("e", 2);
    assert.deepEqual(heard, [["on", 1], ["once", 1], ["on", 2]]);
  });

  test("are removed one by one, by event, or all", () => {
    const emitter = new Emitter();
    const a = () => {};
    const b = () => {};
    emitter.on("e", a).on("e", b).once("f", a);
    emitter.off("e", a);
    assert.deepEqual(emitter.listeners("e"), [b]);
    emitter.off("f", a);
    assert.equal(emitter.hasListeners("f"), false);
    emitter.removeAllListeners("e");
    assert.equal(emitter.hasListeners("e"), false);
    emitter.addEventListener("e", a).on("f", b).removeAllListeners();
    assert.equal(emitter.hasListeners("e") || emitter.hasListeners("f"), false);
  });

  test("that throw do not keep the event from the others, and their error is reported", (context) => {
    const reports = [];
    context.mock.method(globalThis, "queueMicrotask", (report) => reports.push(report));
    const emitter = new Emitter();
    let isHeard = false;
    emitter.on("e", () => {
      throw new Error("planned");
    });
    emitter.on("e", () => (isHeard = true));
    emitter.notify("e");
    assert.equal(isHeard, true);
    assert.throws(reports[0], { message: "planned" });
  });

  test("added while an event is told hear the next one", () => {
    const emitter = new Emitter();
    let count = 0;
    emitter.once("e", () => emitter.on("e", () => count++));
    emitter.notify("e");
    assert.equal(count, 0);
    emitter.notify("e");
    assert.equal(count, 1);
  });
});

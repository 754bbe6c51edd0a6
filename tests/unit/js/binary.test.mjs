import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeArguments, hasBinary, restoreBinary } from "../../../client-wasm/js/binary.js";

describe("binary arguments", () => {
  test("leave placeholders in order, depth first", () => {
    const args = ["f", new Uint8Array([1]), { a: [new ArrayBuffer(2)], b: new Uint8Array([3]) }];
    const { text, attachments } = encodeArguments(args);
    assert.deepEqual(JSON.parse(text), [
      "f",
      { _placeholder: true, num: 0 },
      { a: [{ _placeholder: true, num: 1 }], b: { _placeholder: true, num: 2 } },
    ]);
    assert.deepEqual(attachments.map((bytes) => bytes.byteLength), [1, 2, 1]);
  });

  test("of a view only the bytes it shows travel", () => {
    const bytes = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 3);
    assert.deepEqual([...encodeArguments([bytes]).attachments[0]], [1, 2]);
  });

  test("are those of the call, whatever the caller writes into the buffer afterwards", () => {
    const bytes = new Uint8Array([7]);
    const { attachments } = encodeArguments([bytes]);
    bytes[0] = 8;
    assert.deepEqual([...attachments[0]], [7]);
  });

  test("come back where their placeholders stand", () => {
    const value = ["f", { a: [{ _placeholder: true, num: 1 }], b: { _placeholder: true, num: 0 } }];
    const [first, second] = [new ArrayBuffer(1), new ArrayBuffer(2)];
    assert.deepEqual(restoreBinary(value, [first, second]), ["f", { a: [second], b: first }]);
  });
});

describe("arguments without binary", () => {
  test("are JSON as JSON.stringify writes it", () => {
    const args = ["f", undefined, NaN, new Date(0), { a: undefined, b: null }];
    assert.deepEqual(encodeArguments(args), { text: JSON.stringify(args), attachments: [] });
  });

  test("may look like placeholders", () => {
    assert.equal(hasBinary([{ _placeholder: true, num: 0 }]), false);
  });

  test("are asked for their own JSON form", () => {
    assert.equal(hasBinary({ toJSON: () => new Uint8Array(1) }), true);
    assert.equal(hasBinary({ toJSON: () => 1, hidden: new Uint8Array(1) }), false);
  });
});

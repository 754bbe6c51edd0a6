// Screenshots as one animated PNG. Each frame holds only what has changed; the rest is transparent, and so costs nothing.
import zlib, { deflateSync, inflateSync } from "node:zlib";

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const bytesPerPixel = 4;

function* chunksOf(png) {
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    yield [png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length)];
    at += length + 12;
  }
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length);
  body.copy(made, 4);
  made.writeUInt32BE(crc(body), made.length - 4);
  return made;
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; ++k) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
// Node 20 has crc32 since 20.15.
const crc = zlib.crc32 ?? ((bytes) => ~bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), -1) >>> 0);

/** [PNG 9] Undoes one row's filter, given the row above. */
function unfilter(kind, row, above, size) {
  for (let i = 0; i < row.length; ++i) {
    const left = i >= size ? row[i - size] : 0;
    const up = above ? above[i] : 0;
    const corner = above && i >= size ? above[i - size] : 0;
    const guess = left + up - corner;
    const [toLeft, toUp, toCorner] = [left, up, corner].map((each) => Math.abs(guess - each));
    const paeth = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    row[i] += [0, left, up, (left + up) >> 1, paeth][kind];
  }
}

/** {width, height, pixels}: RGBA. Takes what browsers make: eight bits, no interlace, with alpha or without. */
function decode(png) {
  const chunks = [...chunksOf(png)];
  const head = chunks[0][1];
  const [width, height, size] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9] === 6 ? 4 : 3];
  const data = inflateSync(Buffer.concat(chunks.filter(([type]) => type === "IDAT").map(([, bytes]) => bytes)));
  const pixels = Buffer.alloc(width * height * bytesPerPixel, 255);
  let above = null;
  for (let y = 0; y < height; ++y) {
    const at = y * (width * size + 1);
    const row = data.subarray(at + 1, at + 1 + width * size);
    unfilter(data[at], row, above, size);
    for (let x = 0; x < width; ++x) row.copy(pixels, (y * width + x) * bytesPerPixel, x * size, x * size + size);
    above = row;
  }
  return { width, height, pixels };
}

/** The rows, each under the filter "none": drawn surfaces repeat themselves, and that packs better than differences. */
function packed({ width, height, pixels }) {
  const rows = Buffer.alloc(height * (width * bytesPerPixel + 1));
  for (let y = 0; y < height; ++y) pixels.copy(rows, y * (width * bytesPerPixel + 1) + 1, y * width * bytesPerPixel, (y + 1) * width * bytesPerPixel);
  return deflateSync(rows, { level: 9, memLevel: 9 });
}

/** What is new in `after`: the smallest rectangle, with the rest of it transparent; null if nothing is. */
function difference(before, after) {
  const { width, height } = after;
  const [was, is] = [before, after].map(({ pixels }) => new Uint32Array(pixels.buffer, pixels.byteOffset, width * height));
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let i = 0; i < is.length; ++i) {
    if (was[i] === is[i]) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  if (right < 0) return null;
  const part = { left, top, width: right - left + 1, height: bottom - top + 1 };
  const pixels = new Uint32Array(part.width * part.height);
  for (let y = 0; y < part.height; ++y) {
    for (let x = 0; x < part.width; ++x) {
      const i = (y + top) * width + x + left;
      if (was[i] !== is[i]) pixels[y * part.width + x] = is[i];
    }
  }
  return { ...part, pixels: Buffer.from(pixels.buffer) };
}

function control(order, { left = 0, top = 0, width, height }, ms, isFirst) {
  const data = Buffer.alloc(26);
  [order, width, height, left, top].forEach((number, i) => data.writeUInt32BE(number, i * 4));
  data.writeUInt16BE(ms, 20);
  data.writeUInt16BE(1000, 22);
  data[25] = isFirst ? 0 : 1; // lies over what was there
  return chunk("fcTL", data);
}

/**
 * @param {{png: Buffer, ms: number}[]} shots of one size; `ms`: how long each is seen. Played for ever.
 * @param {Buffer} still of the same size, for whatever does not play
 */
export function animate(shots, still) {
  let before = decode(shots[0].png);
  const frames = [{ ...before, ms: shots[0].ms }];
  for (const { png, ms } of shots.slice(1)) {
    const after = decode(png);
    const part = difference(before, after);
    if (part) frames.push({ ...part, ms });
    else frames.at(-1).ms += ms;
    before = after;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(frames[0].width);
  head.writeUInt32BE(frames[0].height, 4);
  head.set([8, 6], 8);
  const count = Buffer.alloc(8);
  count.writeUInt32BE(frames.length);
  let order = 0;
  const parts = frames.flatMap((frame, i) => {
    const rule = control(order++, frame, frame.ms, i === 0);
    const number = Buffer.alloc(4);
    number.writeUInt32BE(order++);
    return [rule, chunk("fdAT", Buffer.concat([number, packed(frame)]))];
  });
  return Buffer.concat([signature, chunk("IHDR", head), chunk("acTL", count), chunk("IDAT", packed(decode(still))), ...parts, chunk("IEND", Buffer.alloc(0))]);
}

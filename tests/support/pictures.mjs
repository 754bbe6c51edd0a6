// Pictures made by hand: whole enough to be looked at, and to be shown.
import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";

/** A PNG of this size, of noise or of one grey. */
export function png(width, height, { noise = false } = {}) {
  const row = () => Buffer.concat([Buffer.alloc(1), noise ? randomBytes(width) : Buffer.alloc(width, 0x80)]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits, one grey channel
  const rows = deflateSync(Buffer.concat(Array.from({ length: height }, row)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name, body) {
  const whole = Buffer.concat([Buffer.from(name), body]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt32BE(crc(whole), 4);
  return Buffer.concat([frame.subarray(0, 4), whole, frame.subarray(4)]);
}

function crc(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; ++bit) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

export const drawId = () => randomBytes(16).toString("hex");

// Writes a seed corpus out of tests/vectors: `node tests/fuzz/seeds.mjs DIR` makes DIR/<fuzzer>/….
// Only what is small: the long texts among the vectors would slow the fuzzers down.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const target = process.argv[2];
const bytesMax = 4096;
const frameEnd = Buffer.from([0xff]);

const load = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));

/** The bytes a value of a vector file stands for (tests/vectors/README.md). */
function bytesOf(value) {
  if (typeof value === "string") return Buffer.from(value);
  if (Array.isArray(value)) return Buffer.concat(value.map(bytesOf));
  if ("hex" in value) return Buffer.from(value.hex, "hex");
  const unit = bytesOf(value.repeat);
  return Buffer.alloc(unit.length * value.times, unit);
}

const isBinary = (frame) => typeof frame === "object" && "binary" in frame;
const bytesOfFrame = (frame) => bytesOf(frame.text ?? frame.binary ?? frame);

function write(fuzzer, bytes) {
  if (bytes.length > bytesMax) return;
  mkdirSync(`${target}/${fuzzer}`, { recursive: true });
  writeFileSync(`${target}/${fuzzer}/${createHash("sha1").update(bytes).digest("hex")}`, bytes);
}

/** Frames one after another, each led by what tells the fuzzer of its kind, 0xFF between. */
function join(frames, lead) {
  const parts = frames.map((frame) => Buffer.concat([Buffer.from(lead(frame)), bytesOfFrame(frame), frameEnd]));
  return Buffer.concat(parts).subarray(0, -1);
}

const texts = load("json_texts");
for (const text of [...texts.valid, ...texts.invalid]) write("json_fuzz", bytesOf(text));
for (const { json } of [...texts.strings, ...texts.quoted, ...texts.integers]) write("json_fuzz", bytesOf(json));

const payloads = load("engineio_payloads");
for (const { body } of [...payloads.bodies, ...payloads.invalid]) write("engineio_payload_fuzz", bytesOf(body));

const control = (probe) => (frame) => [(isBinary(frame) ? 2 : 0) | probe];
for (const { frame } of load("engineio_packets").packets) write("engineio_packet_fuzz", join([frame], control(0)));
for (const { json } of load("engineio_handshakes").handshakes) {
  const open = `0${json}`;
  write("engineio_packet_fuzz", join([open, "2", "4hello", "3probe", "5", "1"], control(0)));
  write("engineio_packet_fuzz", Buffer.concat([join([open], control(0)), frameEnd, join(["2probe", "3probe", "5"], control(5))]));
}

const lead = (frame) => (isBinary(frame) ? "b" : "");
for (const { frames } of [...load("socketio_packets").packets, ...load("socketio_rejections")])
  write("socketio_decoder_fuzz", join(frames, lead));

// Any client: the same frames behind an accepted CONNECT.
const open = [Buffer.from("\0" + '40{"a":1}'), frameEnd, Buffer.from([6])];
for (const { frames } of load("socketio_packets").packets)
  write("server_connection_fuzz", Buffer.concat([...open, frameEnd, join(frames, (frame) => (isBinary(frame) ? [1] : Buffer.from("\x004")))]));

// Any server: the same frames behind an answered CONNECT, on a WebSocket and by polling.
const greeting = '0{"sid":"S","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":100}';
const attached = '40{"sid":"x","oncewire":{"version":1,"epoch":"E","last":0,"digest":"0000000000000000","position":"E.0","window":4,"messageBytes":65536,"durability":"disk"}}';
const steps = (...parts) => Buffer.concat(parts.flatMap(([kind, bytes]) => [Buffer.from([kind]), Buffer.from(bytes), frameEnd]));
for (const { frames } of load("socketio_packets").packets) {
  const heard = frames.map((frame) => (isBinary(frame) ? [1, bytesOfFrame(frame)] : [0, Buffer.concat([Buffer.from("4"), bytesOfFrame(frame)])]));
  write("client_fuzz", Buffer.concat([Buffer.from([0]), steps([6, ""], [0, greeting], [8, ""], [0, attached], [10, ""], [11, ""], ...heard, [9, ""])]));
}
for (const { body } of load("engineio_payloads").bodies) {
  const upgraded = steps([3, greeting], [8, ""], [3, attached], [6, ""], [0, "3probe"], [4, ""], [3, bytesOf(body)], [4, ""]);
  write("client_fuzz", Buffer.concat([Buffer.from([1]), upgraded]));
}

// Any application on any peers: chance, the same each time, mostly of what peers and applications do most.
const likely = [0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 4, 4, 4, 5, 5, 5, 6, 7, 8, 9, 10, 10, 10, 11, 12, 13, 14, ...Array(10).fill(16)];
let chance = 1;
const below = (bound) => (chance = (chance * 48271) % 0x7fffffff) % bound;
for (let input = 0; input < 300; ++input) {
  const bytes = [input % 4];
  for (let left = 20 + below(200); left > 0; --left) {
    bytes.push(likely[below(likely.length)] | (below(3) === 0 ? 0 : 32), ...Array.from({ length: below(8) }, () => below(255)), 0xff);
  }
  write("hub_fuzz", Buffer.from(bytes));
}

const head = "Host: localhost\r\nUser-Agent: x\r\n";
["to_sequencer", "from_sequencer", "between_cores"].forEach((list, kind) => {
  for (const hex of Object.values(load("letters")[list])) write("mail_fuzz", Buffer.concat([Buffer.from([kind]), Buffer.from(hex, "hex")]));
});

write("http_gate_fuzz", Buffer.from(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${head}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`));
write("http_gate_fuzz", Buffer.from(`POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\n${head}Content-Length: 4\r\n\r\n4abc`));
write("http_gate_fuzz", Buffer.from(`POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n`));
write("http_gate_fuzz", Buffer.from("GET / HTTP/1.0\r\nConnection: close\r\n\r\n"));

const chunks = load("http_chunks");
for (const { wire } of [...chunks.bodies, ...chunks.invalid]) write("http_body_fuzz", bytesOf(wire));

const proxies = load("proxy_headers");
for (const bytes of [...proxies.headers.map(({ bytes }) => bytes), ...proxies.malformed]) write("proxy_fuzz", bytesOf(bytes));
// What the first byte of a line names is the header (tests/fuzz/proxy_fuzz.cpp).
write("proxy_fuzz", Buffer.from("A192.0.2.1, [2001:db8::1]:80, 10.0.0.1\nCproto\nDchat.example\nE/chat"));
write("proxy_fuzz", Buffer.from('Bfor=192.0.2.1;proto=https, for="[2001:db8::1]:80";host="a\\"b", for=_x'));
for (const text of ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0"]) write("proxy_fuzz", Buffer.from(text));

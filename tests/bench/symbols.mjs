// Which functions the engine's bytes are: `symbols.mjs FILE.wasm [count]`, largest first. The file must
// have a name section (client-wasm/build.mjs --symbols FILE.wasm links one).
import { readFileSync } from "node:fs";

const customSection = 0;
const importSection = 2;
const codeSection = 10;
const functionNames = 1;

class Reader {
  at = 0;
  constructor(bytes) {
    this.bytes = bytes;
  }
  get more() {
    return this.at < this.bytes.length;
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }
  take(size) {
    this.at += size;
    return new Reader(this.bytes.subarray(this.at - size, this.at));
  }
  block() {
    return this.take(this.number());
  }
  text() {
    return Buffer.from(this.block().bytes).toString();
  }
}

function importedFunctions(section) {
  let functions = 0;
  for (let left = section.number(); left > 0; --left) {
    section.text();
    section.text();
    const kind = section.take(1).bytes[0];
    if (kind === 0) {
      section.number();
      ++functions;
    } else if (kind === 3) {
      section.take(2);
    } else {
      if (kind === 1) section.take(1);
      const hasMaximum = section.take(1).bytes[0] & 1;
      section.number();
      if (hasMaximum) section.number();
    }
  }
  return functions;
}

/** `[{ name, bytes }]`, largest first, and the bytes of each section. */
export function symbols(file) {
  const wasm = new Reader(readFileSync(file));
  wasm.take(8); // magic and version
  let imported = 0;
  const sizes = [];
  const names = new Map();
  const sections = [];
  while (wasm.more) {
    const kind = wasm.take(1).bytes[0];
    const section = wasm.block();
    sections.push({ kind, bytes: section.bytes.length });
    if (kind === importSection) imported = importedFunctions(section);
    if (kind === codeSection) for (let left = section.number(); left > 0; --left) sizes.push(section.block().bytes.length);
    if (kind === customSection && section.text() === "name") {
      while (section.more) {
        const part = section.take(1).bytes[0];
        const body = section.block();
        if (part !== functionNames) continue;
        for (let left = body.number(); left > 0; --left) names.set(body.number(), body.text());
      }
    }
  }
  const functions = sizes.map((bytes, i) => ({ name: names.get(i + imported) ?? `#${i + imported}`, bytes }));
  return { functions: functions.sort((a, b) => b.bytes - a.bytes), sections };
}

if (process.argv[1].endsWith("symbols.mjs")) {
  const [file, count = 40] = process.argv.slice(2);
  const { functions, sections } = symbols(file);
  const data = sections.find(({ kind }) => kind === 11)?.bytes ?? 0;
  const code = functions.reduce((total, { bytes }) => total + bytes, 0);
  console.log(`${functions.length} functions, ${code} bytes of code, ${data} bytes of data`);
  for (const { name, bytes } of functions.slice(0, Number(count))) console.log(`${String(bytes).padStart(7)}  ${name}`);
}

// A language nobody speaks, read from right to left: what shows up unmarked was forgotten.

const marked = { a: "á", e: "é", i: "í", o: "ó", u: "ú", n: "ñ", c: "ç", y: "ý", A: "Á", E: "É", I: "Í", O: "Ó", U: "Ú" };
const mark = (text) => text.replace(/[aeioucnyAEIOU]/g, (letter) => marked[letter]);

function markAll(value) {
  if (typeof value === "string") return mark(value);
  if (typeof value === "function") return (...args) => mark(String(value(...args)));
  if (Array.isArray(value)) return value.map(markAll);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, markAll(each)]));
}

export const pseudo = (en) => ({ ...markAll(en), direction: "rtl" });

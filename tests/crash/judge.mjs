// What a sequence of messages "producer:n" says about loss, repetition and order.

/** `texts`: as they stand in the log or were shown; `acknowledged`: what must be among them. */
export function judge(texts, acknowledged) {
  const seen = new Set();
  const latest = new Map();
  let duplicated = 0;
  let reordered = 0;
  for (const text of texts) {
    if (seen.has(text)) duplicated++;
    seen.add(text);
    const colon = text.lastIndexOf(":");
    const [producer, n] = [text.slice(0, colon), Number(text.slice(colon + 1))];
    if (n < (latest.get(producer) ?? -1)) reordered++;
    latest.set(producer, n);
  }
  return { lost: acknowledged.filter((text) => !seen.has(text)).length, duplicated, reordered };
}

// The comparisons as bars on a logarithmic scale: how many times better than Node, with the target as a mark.

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

/** `comparisons`: as bench.mjs makes them. A figure where less is better is turned over. */
export function picture(comparisons) {
  const rowHeight = 34;
  const [left, right, width] = [330, 90, 900];
  const height = comparisons.length * rowHeight + 70;
  const gain = ({ direction }, ratio) => (direction === ">=" ? ratio : 1 / ratio);
  const most = Math.max(10, ...comparisons.map((row) => Math.max(gain(row, row.ratio), gain(row, row.goal))));
  const scale = (value) => left + (Math.log10(Math.max(value, 0.5) / 0.5) / Math.log10(most / 0.5)) * (width - left - right);
  const ticks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000].filter((tick) => tick <= most);
  const bars = comparisons.map((row, i) => {
    const y = 50 + i * rowHeight;
    const value = gain(row, row.ratio);
    return `<text x="${left - 10}" y="${y + 9}" class="name">${escape(row.cell)}</text>
<text x="${left - 10}" y="${y + 22}" class="figure">${escape(row.figure)}, ${escape(row.ours)} ÷ ${escape(row.theirs)}</text>
<rect x="${scale(0.5)}" y="${y}" width="${scale(value) - scale(0.5)}" height="20" class="${row.verdict}"/>
<path d="M${scale(gain(row, row.must))} ${y - 3}v26" class="mark"/>
<text x="${scale(value) + 6}" y="${y + 14}">${value.toLocaleString("en", { maximumSignificantDigits: 3 })}×</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<style>
svg { background: #fff } text { paint-order: stroke; stroke: #fff; stroke-width: 3px } .name { text-anchor: end } .figure { text-anchor: end; fill: #666; font-size: 10px }
.goal { fill: #2b8a5f } .must { fill: #5b9bd5 } .below { fill: #d08770 } .mark { stroke: #222; stroke-width: 2 }
.axis { stroke: #ddd } .tick { text-anchor: middle; fill: #666 }
</style>
<text x="${left}" y="16" font-weight="600">How many times better than Node (the mark is what must be reached)</text>
${ticks.map((tick) => `<path d="M${scale(tick)} 36V${height - 14}" class="axis"/><text x="${scale(tick)}" y="32" class="tick">${tick}</text>`).join("\n")}
${bars.join("\n")}
</svg>
`;
}

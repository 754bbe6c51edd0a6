// Which fault comes when. The same seed, second and amount of chaos give the same fault, so a run can be played again,
// and both sides meet the same.

/** Milliseconds from one chance of a fault to the next. */
export const stepLength = 1000;

// [share, name, shortest, longest in ms]
const faults = [
  [32, "cut", 0, 0],
  [22, "unplug", 700, 3500],
  [14, "halfOpen", 1500, 5000],
  [10, "slow", 1000, 4000],
  [10, "kill", 400, 1800],
  [12, "reload", 0, 0],
];
const shares = faults.reduce((sum, [share]) => sum + share, 0);

/** Numbers from 0 to 1, the same for the same key: a mixing function, so that no step has to be computed before it. */
function* drawn(key) {
  for (let state = key >>> 0; ; ) {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    yield ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }
}

/**
 * @param {number} seed
 * @param {number} step counted from the start of the run
 * @param {number} chaos 0 to 100: how likely a fault is in this step, in per cent
 * @returns {{name: string, ms: number}|null} `ms`: how long it lasts
 */
export function faultAt(seed, step, chaos) {
  const draw = drawn(Math.imul(seed, 2654435761) ^ Math.imul(step + 1, 40503));
  const next = () => draw.next().value;
  if (next() * 100 >= chaos) return null;
  let left = next() * shares;
  const [, name, least, most] = faults.find(([share]) => (left -= share) < 0);
  return { name, ms: Math.round(least + next() * (most - least)) };
}

// Which tiers run side by side.

const atOnce = 2; // on two processors; a tier waits for a disk, a clock or a browser half of its time

/** Nothing runs beside a tier that is `alone`, and none before the one that it is `after` has ended. */
function mayBegin(tier, running, waiting) {
  if ([...running, ...waiting].some((other) => other.name === tier.after)) return false;
  if (running.length === 0) return true;
  return running.length < atOnce && !tier.alone && !running.some((other) => other.alone);
}

/** The tier to begin now, if there is one: the first that may; but none overtakes one that wants to be alone. */
export function next(waiting, running) {
  const end = waiting.findIndex((tier) => tier.alone) + 1 || waiting.length;
  return waiting.slice(0, end).find((tier, at) => mayBegin(tier, running, waiting.slice(0, at)));
}

// Which tiers run side by side.

const atOnce = 2; // on two processors; a tier waits for a disk, a clock or a browser half of its time

/** Nothing runs beside a tier that is `alone`, and none beside the one that it is `after`. */
export function mayBegin(tier, running) {
  if (running.length === 0) return true;
  if (tier.alone || running.some((other) => other.alone)) return false;
  return running.length < atOnce && running.every((other) => other.name !== tier.after);
}

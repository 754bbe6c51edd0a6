// What a flood costs, read from outside: memory of the process, bytes on disk, how long answers took.
import { closeSync, openSync, readFileSync, readdirSync, statSync, writeSync } from "node:fs";

/** Bytes the process has in memory now, and the most it ever had since resetPeak(). */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m"))[1]) * 1024;
  return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
}

/** [proc(5)] 5 written to clear_refs sets VmHWM to what is there now. */
export function resetPeak(pid) {
  const file = openSync(`/proc/${pid}/clear_refs`, "w");
  writeSync(file, "5");
  closeSync(file);
}

/** Bytes of a database: the file and its write-ahead log. */
export function diskOf(database) {
  const size = (path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size(database) + size(`${database}-wal`);
}

/** How many files and sockets it has open. */
export const descriptorsOf = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** The value below which `share` of them lie; 0 of none. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

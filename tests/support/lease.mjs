// The end of a lease, written into the database while no server has it.
import { spawnSync } from "node:child_process";

const script = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("DELETE FROM verdicts")
database.execute("UPDATE producers SET last = last + ?1, forgotten = last + ?1", [int(sys.argv[2])])
database.commit()`;

/** Every sender had `offered` messages more under way when it went, and what they were told is forgotten. */
export function endLease(database, offered) {
  const { status, stderr } = spawnSync("python3", ["-c", script, database, String(offered)]);
  if (status !== 0) throw new Error(String(stderr));
}

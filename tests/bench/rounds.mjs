// Every measurement in every round, whatever becomes of one: what fails is told, and the rest goes on.

const firstLine = (error) => String(error?.message ?? error).split("\n", 1)[0];

/**
 * `jobs`: [{ cell, who, measure }], each measure an async function that resolves with its figures.
 * Resolves with { results: cell → who → figure → values, one for each round; failures: [{ cell, who, round, why }] }.
 */
export async function measureRounds(jobs, rounds, tell = () => {}) {
  const results = {};
  const failures = [];
  for (let round = 1; round <= rounds; round++) {
    for (const { cell, who, measure } of jobs) {
      try {
        const figures = await measure();
        tell(round, cell, who, JSON.stringify(figures));
        for (const [figure, value] of Object.entries(figures)) (((results[cell] ??= {})[who] ??= {})[figure] ??= []).push(value);
      } catch (error) {
        failures.push({ cell, who, round, why: firstLine(error) });
        tell(round, cell, who, `FAILED: ${firstLine(error)}`);
      }
    }
  }
  return { results, failures };
}

/** What could not be measured, as rows of a table; nothing if there is nothing to say. */
export function failureRows(failures, nameOf = (cell) => cell) {
  if (failures.length === 0) return [];
  const rows = failures.map(({ cell, who, round, why }) => `| ${nameOf(cell)} | ${who} | ${round} | ${why.replaceAll("|", "\\|")} |`);
  return ["", "| could not be measured | whose | round | why |", "|---|---|---|---|", ...rows];
}

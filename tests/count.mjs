// Reads how many tests a tier ran from what its own runner printed.

const number = (match) => (match ? Number(match[1]) : 0);
const last = (output, pattern) => [...output.matchAll(pattern)].at(-1);

const readers = {
  // Catch2: "All tests passed (900 assertions in 120 test cases)" or "test cases: 120 | 118 passed | 2 failed"
  catch2(output) {
    const all = last(output, /^All tests passed \(\d+ assertions? in (\d+) test cases?\)/gm);
    if (all) return { passed: number(all), failed: 0 };
    const line = last(output, /^test cases:.*$/gm)?.[0] ?? "";
    return { passed: number(line.match(/(\d+) passed/)), failed: number(line.match(/(\d+) failed/)) };
  },
  // node --test: "# pass 12" (TAP) or "ℹ pass 12" (spec); cancelled tests did not pass either
  node(output) {
    const line = (word) => number(last(output, new RegExp(`^(?:#|ℹ) ${word} (\\d+)`, "gm")));
    return { passed: line("pass"), failed: line("fail") + line("cancelled") };
  },
  // Playwright: "  12 passed (1.2m)"; a flaky test is a failed one here
  playwright(output) {
    const line = (words) => number(last(output, new RegExp(`^\\s+(\\d+) (?:${words})(?: \\(|$)`, "gm")));
    return { passed: line("passed"), failed: line("failed") + line("flaky") + line("did not run") + line("interrupted") };
  },
  // Our own tools end with one line "N passed, N failed".
  plain(output) {
    const line = last(output, /^(\d+) passed, (\d+) failed$/gm);
    return { passed: number(line), failed: line ? Number(line[2]) : 0 };
  },
  // One program, one proof: its exit code is the answer.
  exit: () => ({ passed: 1, failed: 0 }),
};

/** `how`: a name above. A non-zero exit without a counted failure, and a run without any test, fail. */
export function count(how, code, output) {
  const { passed, failed } = readers[how](output.replace(/\x1b\[[0-9;]*m/g, "")); // some colour whatever they are told
  if (how === "exit") return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  if (code !== 0 && failed === 0) return { passed, failed: 1 };
  if (passed + failed === 0) return { passed: 0, failed: 1 };
  return { passed, failed };
}

const done = {
  catch2: /^$(?!)/gm, // says nothing until its end
  node: /^ *(?:not )?ok \d+ - /gm,
  playwright: /^ +[✓✘x] +\d+ /gm,
  plain: /^(?:ok|FAILED) /gm,
  exit: /^$(?!)/gm,
};

/** How many tests have ended in an output that goes on; 0 where nobody can know. */
export function soFar(how, output) {
  return [...output.replace(/\x1b\[[0-9;]*m/g, "").matchAll(done[how])].length;
}

/** What failed, each with the runner's own explanation, or the end of the output where a runner has no such form. */
export function failures(how, output) {
  const lines = output.trimEnd().split("\n");
  if (how !== "node") return lines.slice(-80).join("\n");
  const told = lines.flatMap((line, at) => {
    const indent = line.match(/^( *)not ok /)?.[1];
    if (indent === undefined) return [];
    const end = lines.indexOf(`${indent}  ...`, at);
    return lines.slice(at, Math.min(end < 0 ? at + 1 : end, at + 40));
  });
  return (told.length ? told.slice(0, 400) : lines.slice(-80)).join("\n");
}

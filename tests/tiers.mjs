// What `make test` and `make prove` run, two at a time, in order. `counted`: how the tier's own count is read
// (count.mjs). `alone`: it uses all of the machine, and what it plays has deadlines. `after`: not before that one has
// ended, whose tree it uses. Without the build nothing else means anything, so it stops the rest.

const build = { name: "build", command: "make --no-print-directory programs", counted: "exit", minutes: 25, alone: true, stopsAll: true };
const old = "tests/interop/chat.test.mjs tests/interop/api_lab.test.mjs";
const playwright = "cd tests && npx playwright test --config e2e/playwright.config.mjs";

export const tiers = {
  test: [
    build,
    // The longest first, beside those that wait for nothing.
    { name: "hostile", command: "node tests/hostile/run.mjs --short", counted: "plain", minutes: 12 },
    { name: "runner", command: "node --test tests/*.test.mjs tests/crash/*.test.mjs", counted: "node", minutes: 3 },
    { name: "lint", command: "tests/lint/run quick", counted: "plain", minutes: 6 },
    { name: "unit", command: "build/bin/oncewire-unit", counted: "catch2", minutes: 5 },
    { name: "size", command: "tests/bench/size", counted: "exit", minutes: 3 },
    { name: "js", command: "node --test tests/unit/js/*.test.mjs", counted: "node", minutes: 5 },
    { name: "sim", command: "build/bin/oncewire-sim --seeds 1..300 --threads 2", counted: "exit", minutes: 5 },
    { name: "canary", command: "build/bin/oncewire-sim --canary", counted: "exit", minutes: 4 },
    { name: "integration", command: "build/bin/oncewire-integration", counted: "catch2", minutes: 8 },
    { name: "conformance", command: "node --test --test-concurrency=2 tests/conformance/*.test.mjs", counted: "node", minutes: 8 },
    { name: "interop", command: "node --test --test-concurrency=2 tests/interop/*.test.mjs", counted: "node", minutes: 15 },
    // The first client of its kind, against two cores.
    { name: "interop-4.0", command: `node --test ${old}`, counted: "node", minutes: 6, env: { STOCK_CLIENT: "socket.io-client-4.0", SERVER_CORES: "2" } },
    { name: "crash", command: "tests/crash/run --cycles 10 --seed 1", counted: "exit", minutes: 6 },
    { name: "e2e", command: playwright, counted: "playwright", minutes: 35, alone: true },
  ],
  prove: [
    build,
    { name: "sanitize", command: "make --no-print-directory sanitize", counted: "exit", minutes: 30 },
    { name: "sim-5000", command: "build/bin/oncewire-sim --seeds 1001..6000 --threads 2", counted: "exit", minutes: 15 },
    { name: "mutants", command: "build/bin/oncewire-sim --mutants", counted: "exit", minutes: 20 },
    { name: "exhaustive", command: "build/bin/oncewire-sim --exhaustive", counted: "exit", minutes: 15 },
    { name: "race", command: "make --no-print-directory race", counted: "node", minutes: 30 },
    { name: "crash-200", command: "tests/crash/run --cycles 200 --seed 2", counted: "exit", minutes: 20 },
    { name: "wasm", command: "make --no-print-directory wasm", counted: "exit", minutes: 20 },
    { name: "unit-wasm", command: "node --no-experimental-fetch build/wasm/bin/oncewire-unit.js", counted: "catch2", minutes: 8, after: "wasm" },
    { name: "sim-wasm-500", command: "tests/sim/compare_wasm 1001..1500", counted: "exit", minutes: 10, after: "wasm" },
    { name: "fuzz", command: "tests/fuzz/run 15", counted: "plain", minutes: 20, after: "sanitize" },
    { name: "planted", command: "python3 -B tests/fuzz/planted.py", counted: "plain", minutes: 20 },
    { name: "compile", command: "node --test --test-concurrency=2 tests/compile/*.test.mjs", counted: "node", minutes: 15 },
    { name: "headers", command: "python3 -B tests/lint/headers.py include server/api shared", counted: "exit", minutes: 8 },
    { name: "e2e-long", command: `export LONG=1; ${playwright} --grep @long`, counted: "playwright", minutes: 20, alone: true },
  ],
};

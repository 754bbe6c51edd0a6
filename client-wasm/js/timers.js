// Stands for setTimeout in the builds for Node (build.mjs puts it there): where every manager was made with
// autoUnref, no timer of ours keeps the process.

let isQuiet = false;

export function setQuiet(quiet) {
  isQuiet = quiet;
}

function setTimer(...args) {
  const timer = globalThis.setTimeout(...args);
  return isQuiet ? timer.unref() : timer;
}

export { setTimer as setTimeout };

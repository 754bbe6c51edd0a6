// A test of the suite that fails with a clock of its own running must not stop everybody's.
exports.mochaHooks = {
  afterEach() {
    setTimeout.clock?.uninstall();
  },
};

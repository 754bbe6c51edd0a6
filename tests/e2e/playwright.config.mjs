import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "../../build/e2e",
  timeout: 90_000,
  expect: { timeout: 30_000 },
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  reporter: "list",
  // Pictures are asked for (make shots), what takes long is for `make prove`.
  grepInvert: process.env.SHOTS ? undefined : process.env.LONG ? /@shots/ : /@shots|@long/,
  use: {
    // What moves for the sake of moving would be looked at, pressed and measured halfway.
    contextOptions: { reducedMotion: "reduce" },
    screenshot: "only-on-failure",
    // A trace of every test costs a quarter of the whole: it is asked for (TRACE=1).
    trace: process.env.TRACE ? "retain-on-failure" : "off",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell",
      // The second line keeps Chromium from looking up its maker's hosts.
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"],
    },
  },
});

// An example, copied out of the tree and built against what `cmake --install` left.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { heard, Program } from "../support/program.mjs";
import { binary, root } from "../support/server.mjs";

const project = `cmake_minimum_required(VERSION 3.23)
project(mine CXX)
find_package(oncewire REQUIRED)
add_executable(mine emit.cpp)
target_link_libraries(mine PRIVATE oncewire::server)
`;

test("find_package(oncewire) builds an example outside the tree", { timeout: 300_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-install-"));
  try {
    const prefix = join(directory, "prefix");
    const source = join(directory, "mine");
    mkdirSync(source);
    const cmake = (...args) => execFileSync("cmake", args, { stdio: ["ignore", "ignore", "pipe"] });
    cmake("--install", join(binary, "..", ".."), "--prefix", prefix);
    copyFileSync(join(root, "server", "examples", "emit.cpp"), join(source, "emit.cpp"));
    writeFileSync(join(source, "CMakeLists.txt"), project);
    cmake("-S", source, "-B", join(source, "build"), "-G", "Ninja", `-DCMAKE_PREFIX_PATH=${prefix}`);
    cmake("--build", join(source, "build"));
    const program = await Program.start(join(source, "build", "mine"));
    assert.equal((await heard(program.client(), "hello"))[0], "world");
    assert.equal(await program.stop(), 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

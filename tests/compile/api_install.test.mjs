// An example and what the READMEs show, copied out of the tree and built against what `cmake --install` left.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { heard, Program } from "../support/program.mjs";
import { ask } from "../support/stock.mjs";
import { binary, root } from "../support/server.mjs";

const project = `cmake_minimum_required(VERSION 3.23)
project(mine CXX)
find_package(oncewire REQUIRED)
foreach(name example readme api)
    add_executable(\${name} \${name}.cpp)
    target_link_libraries(\${name} PRIVATE oncewire::server)
endforeach()
add_library(plugin SHARED example.cpp)
target_link_libraries(plugin PRIVATE oncewire::server)
`;

const cmake = (...args) => execFileSync("cmake", args, { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });

/** What `use` does in a directory that is gone afterwards. */
async function inDirectory(use) {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-install-"));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The first program that a page shows. */
const shownIn = (page) => readFileSync(join(root, page), "utf8").match(/```cpp\n(#include.*?)```/s)[1];
const programs = {
  example: readFileSync(join(root, "server", "examples", "emit.cpp")),
  readme: shownIn("README.md"),
  api: shownIn("server/api/README.md"),
};

test("find_package(oncewire) and pkg-config build programs outside the tree", { timeout: 600_000 }, () =>
  inDirectory(async (directory) => {
    const prefix = join(directory, "prefix");
    const source = join(directory, "mine");
    mkdirSync(source);
    cmake("--install", join(binary, "..", ".."), "--prefix", prefix);
    for (const [name, code] of Object.entries(programs)) writeFileSync(join(source, `${name}.cpp`), code);
    writeFileSync(join(source, "CMakeLists.txt"), project);
    cmake("-S", source, "-B", join(source, "build"), "-G", "Ninja", `-DCMAKE_PREFIX_PATH=${prefix}`);
    cmake("--build", join(source, "build"));

    const start = (name) => Program.start(join(source, "build", name));
    const example = await start("example");
    assert.equal((await heard(example.client(), "hello"))[0], "world");
    assert.equal(await example.stop(), 0);

    const readme = await start("readme");
    const client = readme.client();
    assert.equal(await ask(client, "hello", "Ann"), "hello, Ann");
    const said = heard(client, "chat message");
    assert.equal(await ask(client, "chat message", "tea?"), null);
    assert.equal((await said)[0], "tea?");
    assert.equal(await readme.stop(), 0);

    const api = await start("api");
    assert.equal(await ask(api.client(), "hello", 1, "b", Buffer.from("c")), 1);
    assert.equal(await api.stop(), 0);

    // By hand, as a Makefile would.
    const env = { ...process.env, PKG_CONFIG_PATH: join(prefix, "lib", "pkgconfig") };
    const flags = execFileSync("pkg-config", ["--cflags", "--libs", "oncewire"], { env, encoding: "utf8" }).trim().split(/\s+/);
    writeFileSync(join(source, "by_hand.cpp"), String(programs.example).replace('"server/api/server.hpp"', "<oncewire/server.hpp>"));
    execFileSync("c++", ["-std=c++20", join(source, "by_hand.cpp"), "-o", join(source, "by_hand"), ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    const byHand = await Program.start(join(source, "by_hand"));
    assert.equal((await heard(byHand.client(), "hello"))[0], "world");
    assert.equal(await byHand.stop(), 0);

    assert.match(execFileSync(join(prefix, "bin", "oncewire-server"), ["--version"], { encoding: "utf8" }), /^oncewire-server \d/);
    assert.match(readFileSync(join(prefix, "share", "doc", "oncewire", "LICENSE"), "utf8"), /\w/);
  }));

test("add_subdirectory gives oncewire::server, and asks for neither Node nor Emscripten", { timeout: 300_000 }, () =>
  inDirectory((directory) => {
    const build = join(directory, "build");
    writeFileSync(join(directory, "mine.cpp"), "#include <oncewire/server.hpp>\nint main() { oncewire::api::Server({}, [](oncewire::api::Application&) {}); }\n");
    writeFileSync(
      join(directory, "CMakeLists.txt"),
      `cmake_minimum_required(VERSION 3.25)
project(mine CXX C)
add_subdirectory(${root} oncewire)
add_executable(mine mine.cpp)
target_link_libraries(mine PRIVATE oncewire::server)
`,
    );
    cmake("-S", directory, "-B", build, "-G", "Ninja");
    const cache = readFileSync(join(build, "CMakeCache.txt"), "utf8");
    assert.doesNotMatch(cache, /^(NODE|LIBJWT|CMAKE_UNITY_BUILD)\b/m);
    cmake("--build", build, "--target", "CMakeFiles/mine.dir/mine.cpp.o");
  }));

test("without a new enough Boost it is refused with a sentence that says what to install", () =>
  inDirectory((directory) => {
    const configure = () => cmake("-S", root, "-B", directory, "-DONCEWIRE_BUILD_SERVER=OFF", "-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON");
    assert.throws(configure, (error) => /needs Boost 1\.81 or newer.* libboost1\.81-dev/.test(error.stderr.replace(/\s+/g, " ")));
  }));

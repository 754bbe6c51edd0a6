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
`;

/** The first program that a page shows. */
const shownIn = (page) => readFileSync(join(root, page), "utf8").match(/```cpp\n(#include.*?)```/s)[1];
const programs = {
  example: readFileSync(join(root, "server", "examples", "emit.cpp")),
  readme: shownIn("README.md"),
  api: shownIn("server/api/README.md"),
};

test("find_package(oncewire) builds programs outside the tree", { timeout: 300_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "oncewire-install-"));
  try {
    const prefix = join(directory, "prefix");
    const source = join(directory, "mine");
    mkdirSync(source);
    const cmake = (...args) => execFileSync("cmake", args, { stdio: ["ignore", "ignore", "pipe"] });
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
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

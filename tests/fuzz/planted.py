#!/usr/bin/env python3
"""Planted bugs of the hub: each is a change of its source, and the hub's fuzzer must notice it within a minute.

`planted.py [name…]` compiles the hub once as it is, which must stay quiet, then once for each bug, into build/planted.
`planted.py --list` names them, and fails if what one changes is not in the source, or there twice.
Ends with "N passed, N failed".
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/planted"
SECONDS = 60

CONNECTIONS, LIFECYCLE, ACKS, PLACES = (f"server/hub/{name}.cpp" for name in ("connections", "socket_lifecycle", "awaited_acks", "places"))
CONNECTION = "shared/peer/server_connection.cpp"

FOLDERS = ["shared/*", "server/hub", "server/sequencer", "server/mail", "server/store", "server/store/memory", "server/store/overlay"]

FINDABLE = (CONNECTIONS, "return connection && !connection->peer->is_closed() ? connection : nullptr;", "return connection;")
# Each change: the file, what stands there once, what stands there instead.
PLANTED = {
    # A connection that is over is found until poll_output().
    "overflow_leaves_findable": [FINDABLE],
    # The same, and a late answer ends the process, as it once did.
    "late_answer_aborts": [
        FINDABLE,
        (CONNECTION, "if (slot.state != NamespaceState::connected) return;", "if (slot.state != NamespaceState::connected) __builtin_trap();"),
    ],
    # Whoever overflows, the first connection is closed.
    "somebody_else_is_closed": [
        (CONNECTIONS, "    ++turn_.counts.slow_readers_closed;\n    connection.peer->close(socketio::DisconnectReason::transport_error);\n}",
         "    connections_.front().peer->close(socketio::DisconnectReason::transport_error);\n    overflowed_.push_back(0);\n}"),
    ],
    # A number means another connection, or socket, as soon as its own is gone.
    "number_given_again": [(PLACES, "    ++place.generation;\n", "")],
    # A second Write goes out while the first is under way.
    "writes_overtake": [
        (CONNECTIONS, "if (connection.dirty || connection.writing) return;", "if (connection.dirty) return;"),
        (CONNECTIONS, "if (connection->writing || connection->queue.empty()) return std::nullopt;", "if (connection->queue.empty()) return std::nullopt;"),
    ],
    # Whoever is refused is told gone, and told gone again when the connection ends.
    "refused_stays": [
        (LIFECYCLE, "uses_.connections.find(connection)->peer->reject(socket->index, error_json);\n    end(id, socketio::DisconnectReason::server_namespace_disconnect);",
         "uses_.turn.outputs.push_back(SocketGone{id, socketio::DisconnectReason::server_namespace_disconnect, {}, false});"),
    ],
    # Questions to many are forgotten when one of those asked goes.
    "acks_not_abandoned": [(ACKS, "        if (end_if_complete(id)) over.push_back(id);\n", "")],
}

MAIN = """
#include <cstdio>
#include <cstdlib>
#include "tests/fuzz/hub_world.hpp"

int main(int, char** limit) {
    const std::uint64_t last = std::strtoull(limit[1], nullptr, 10);
    for (std::uint64_t seed = 1; seed <= last; ++seed) {
        std::fprintf(stderr, "%llu\\n", static_cast<unsigned long long>(seed));
        oncewire::Prng prng(seed);
        oncewire::fuzz::play_hub(oncewire::fuzz::any_hub_input(prng));
    }
}
"""


def compile_one(source: Path, to: Path) -> Path:
    compiler = os.environ.get("CXX", "c++")
    flags = ["-std=c++20", "-O1", "-g1", "-fno-exceptions", "-fsanitize=address", f"-I{ROOT}"]
    subprocess.run([compiler, *flags, "-c", source, "-o", to], check=True, cwd=ROOT)
    return to


def compile_changed(sources: list[Path], to: Path) -> Path:
    """Again only if one of them, or any header, is newer. Several compile as one: what they include is read once."""
    headers = [path for folder in ("shared", "server") for path in (ROOT / folder).glob("*/*.hpp")]
    if to.exists() and to.stat().st_mtime > max(path.stat().st_mtime for path in headers + sources):
        return to
    if len(sources) == 1:
        return compile_one(sources[0], to)
    whole = to.with_suffix(".cpp")
    whole.write_text("".join(f'#include "{path}"\n' for path in sources), encoding="utf-8")
    return compile_one(whole, to)


def units() -> dict[str, list[Path]]:
    """What is compiled: each file where a bug is planted beside it, else all of a folder as one."""
    planted = {str(Path(path).parent) for changes in PLANTED.values() for path, _, _ in changes}
    together: dict[str, list[Path]] = {}
    for folder in FOLDERS:
        for path in sorted(ROOT.glob(f"{folder}/*.cpp")):
            parent = str(path.parent.relative_to(ROOT))
            together.setdefault(str(path.relative_to(ROOT)) if parent in planted else parent, []).append(path)
    return together


def link(objects: list[Path], to: Path) -> Path:
    subprocess.run([os.environ.get("CXX", "c++"), "-fsanitize=address", *objects, "-o", to], check=True)
    return to


def object_of(name: str, folder: Path) -> Path:
    return folder / (name.replace("/", "_") + ".o")


def changed(name: str) -> dict[str, str]:
    """Text of each file that this bug changes."""
    texts: dict[str, str] = {}
    for path, old, new in PLANTED[name]:
        text = texts.get(path) or (ROOT / path).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise SystemExit(f"{name}: what it changes in {path} is there {text.count(old)} times:\n{old}")
        texts[path] = text.replace(old, new)
    return texts


def run(program: Path, seeds: int) -> tuple[bool, int, float]:
    """Whether it ended well, how many seeds it lived with, and how long that took."""
    started = time.monotonic()
    child = subprocess.Popen([program, str(seeds)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    try:
        _, said = child.communicate(timeout=SECONDS)
        is_well = child.returncode == 0
    except subprocess.TimeoutExpired:
        child.kill()
        _, said = child.communicate()
        is_well = True
    return is_well, sum(line.isdigit() for line in said.splitlines()), time.monotonic() - started


def main() -> int:
    only_list = sys.argv[1:] == ["--list"]
    names = list(PLANTED) if only_list else sys.argv[1:] or list(PLANTED)
    texts = {name: changed(name) for name in names}
    if only_list:
        print("\n".join(names))
        return 0
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "main.cpp").write_text(MAIN, encoding="utf-8")
    wanted = units()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        compiled = dict(zip(wanted, pool.map(lambda one: compile_changed(one[1], object_of(one[0], BUILD)), wanted.items())))
    entry = compile_one(BUILD / "main.cpp", BUILD / "main.o")

    passed = failed = 0

    def judge(name: str, is_right: bool, text: str) -> None:
        nonlocal passed, failed
        passed, failed = passed + is_right, failed + (not is_right)
        print(f"{'ok     ' if is_right else 'FAILED '} {name}: {text}", flush=True)

    is_well, seeds, seconds = run(link([*compiled.values(), entry], BUILD / "as_it_is"), 2000)
    judge("as it is", is_well, f"{seeds} worlds in {seconds:.1f} s")
    for name in names:
        objects = dict(compiled)
        for path, text in texts[name].items():
            source = BUILD / f"{name}_{Path(path).name}"
            source.write_text(text, encoding="utf-8")
            objects[path] = compile_one(source, object_of(f"{name}_{path}", BUILD))
        is_well, seeds, seconds = run(link([*objects.values(), entry], BUILD / name), 1_000_000)
        judge(name, not is_well, f"lived with for {seeds} worlds" if is_well else f"noticed in world {seeds}, after {seconds:.1f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

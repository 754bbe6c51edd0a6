#!/usr/bin/env python3
"""Who may include whom: the table of the architecture, held over every #include line.

A rule belongs to the longest path prefix that matches a file. `ours` lists the prefixes of this tree
it may include; `theirs` the other headers, by name or by prefix when it ends in a slash; `std` which
part of the standard library. Whatever no rule covers is a violation, so new directories take a stand.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# shared/ and whatever else also compiles to WebAssembly: values and algorithms, nothing that reads a
# clock, draws entropy, starts a thread, does I/O or differs between standard libraries.
PURE = set(
    "algorithm array charconv compare concepts cstddef cstdint cstring deque functional initializer_list"
    " iterator limits list map memory new numeric optional queue set span string string_view system_error tuple"
    " type_traits unordered_map unordered_set utility variant vector".split()
)
THREADS = set("atomic barrier condition_variable future latch mutex semaphore shared_mutex stop_token thread".split())
CHANCE = {"random"}
CLOCKS = {"chrono", "ctime", "time.h", "sys/time.h"}
NOWHERE = {"regex", "format", "expected", "coroutine.h", "bits/stdc++.h"}


@dataclass(frozen=True)
class Rule:
    ours: tuple[str, ...]
    theirs: tuple[str, ...] = ()
    std: str = "pure"  # pure | no_threads | any
    plus: tuple[str, ...] = ()  # headers of the standard library beyond `std`


# What a server can be told; goes down to whoever obeys.
OPTIONS = ("server/options/",)
STORE = ("shared/", "server/store/")
MAIL = (*STORE, "server/mail/")
DECIDERS = (*MAIL, *OPTIONS, "server/sequencer/", "server/hub/")
# What of the transport only looks at bytes; CMake builds it without Boost.
GATE = ("server/net/gate/", *OPTIONS)
ZLIB = ("server/net/zip/",)
RULES = {
    "shared/base/": Rule(("shared/base/",)),
    "shared/base/time.hpp": Rule(("shared/base/",), plus=("chrono",)),
    "shared/base/json.cpp": Rule(("shared/base/",), theirs=("nlohmann/json.hpp",)),
    "shared/base/verify.cpp": Rule(("shared/base/",), plus=("cstdio", "cstdlib")),
    "shared/engineio/": Rule(("shared/base/", "shared/engineio/")),
    "shared/socketio/": Rule(("shared/base/", "shared/socketio/")),
    "shared/delivery/": Rule(("shared/base/", "shared/delivery/")),
    "shared/peer/": Rule(("shared/",)),
    "server/store/": Rule(STORE),
    "server/store/sqlite/database.cpp": Rule(STORE, theirs=("sqlite3.h",), std="any"),
    "server/store/sqlite/reading.hpp": Rule(STORE, plus=("mutex",)),
    "server/store/sqlite/files.cpp": Rule(STORE, std="any"),
    "server/options/": Rule(("shared/base/", "server/store/retention.hpp", *OPTIONS)),
    "server/mail/": Rule(MAIL),
    "server/sequencer/": Rule((*MAIL, "server/sequencer/")),
    "server/hub/": Rule((*MAIL, *OPTIONS, "server/hub/")),
    "server/api/": Rule((*DECIDERS, "server/api/"), theirs=("nlohmann/json.hpp",)),
    "server/api/awaitable.hpp": Rule((*DECIDERS, "server/api/"), plus=("coroutine",)),
    "server/chat/": Rule((*STORE, "server/sequencer/", "server/api/", "server/chat/"), theirs=("nlohmann/json.hpp",)),
    # The transport knows bytes and HTTP, not namespaces, rooms or the database.
    "server/net/": Rule(
        ("shared/base/", "shared/engineio/", *OPTIONS, "server/net/"),
        theirs=("boost/", "sys/", "netinet/", "arpa/", "unistd.h", "fcntl.h"),
        std="no_threads",
    ),
    "server/net/zip/": Rule(("shared/base/", *GATE, *ZLIB), theirs=("zlib.h",)),
    "server/net/gate/": Rule(("shared/base/", "shared/engineio/", *GATE)),
    # Decides, too: what threads do with their mail.
    "server/turn/": Rule((*DECIDERS, "server/turn/")),
    # What operators ask, of whatever runs and of whatever database it has.
    "server/operator/": Rule((*DECIDERS, *GATE, "server/operator/"), theirs=("CLI/", "boost/"), std="any"),
    "server/core/": Rule(
        (*DECIDERS, "server/api/", "server/net/", "server/routes/", "server/turn/", "server/operator/", "server/core/"),
        theirs=("boost/",),
        std="any",
    ),
    # The public Server, above all of it.
    "server/api_server/": Rule(
        (*DECIDERS, "server/api/", "server/net/", "server/operator/", "server/core/", "server/api_server/"),
        theirs=("CLI/",),
        std="any",
    ),
    # Decides, too: the simulator runs it.
    "server/routes/": Rule((*DECIDERS, *GATE, "server/routes/")),
    # What programs outside include.
    "include/": Rule(("server/api/",)),
    "server/examples/": Rule(("server/api/", "server/examples/"), std="any"),
    # Speaks below the public API, which is Socket.IO's.
    "server/examples/engineio_echo.cpp": Rule(
        ("server/core/", "server/store/"), theirs=("CLI/",), std="any"
    ),
    "server/product/": Rule(
        ("shared/base/", "server/api/", "server/chat/", "server/net/gate/", "server/product/"),
        theirs=("toml.hpp", "jwt.h", "openssl/sha.h"),
        std="any",
    ),
    "server/main.cpp": Rule(("shared/base/", "server/"), theirs=("CLI/", "spdlog/", "malloc.h"), std="any"),
    "client-wasm/": Rule(("shared/", "client-wasm/"), theirs=("emscripten.h", "emscripten/"), plus=("chrono", "random")),
    "tests/unit/": Rule(
        (*DECIDERS, *GATE, *ZLIB, "server/turn/", "server/api/", "server/chat/", "tests/unit/", "tests/sim/", "tests/fuzz/", "tests/support/"),
        theirs=("catch2/catch.hpp", "nlohmann/json.hpp", "sqlite3.h"),
        std="no_threads",
    ),
    "tests/sim/": Rule(
        (*DECIDERS, *GATE, "server/routes/", "server/turn/", "server/api/", "server/chat/", "tests/sim/"),
        theirs=("catch2/catch.hpp", "nlohmann/json.hpp"),
        std="any",  # seeds run on several threads, each with its own world
    ),
    "tests/support/": Rule(()),
    "tests/integration/": Rule(
        ("shared/", "server/", "tests/integration/", "tests/support/"),
        theirs=("catch2/catch.hpp", "nlohmann/json.hpp", "boost/", "sqlite3.h"),
        std="any",
    ),
    "tests/fuzz/": Rule(
        (*DECIDERS, "server/api/", *GATE, "tests/fuzz/"),
        theirs=("nlohmann/json.hpp",),  # a second opinion
    ),
    "tests/lint/": Rule((), theirs=("unicode/",), std="any"),
    "tests/bench/load.": Rule((), theirs=("sys/", "netinet/", "arpa/"), std="any"),  # shares nothing with what it measures
    "tests/bench/": Rule(("shared/", "server/", "tests/bench/"), theirs=("boost/", "sys/", "netinet/", "arpa/"), std="any"),
}

POSIX = re.compile(r"^(sys|netinet|arpa|net|linux)/|^(unistd|fcntl|signal|poll|pthread|dlfcn|errno|termios)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def rule_for(path: str) -> Rule | None:
    prefixes = [prefix for prefix in RULES if path.startswith(prefix)]
    return RULES[max(prefixes, key=len)] if prefixes else None


def third_party_allowed(rule: Rule, header: str) -> bool:
    return any(header == name or (name.endswith("/") and header.startswith(name)) for name in rule.theirs)


def std_allowed(rule: Rule, header: str) -> bool:
    if header in NOWHERE:
        return False
    if rule.std == "any" or header in rule.plus:
        return True
    if rule.std == "no_threads":
        return header not in THREADS | CHANCE
    return header in PURE


def why_not(path: str, rule: Rule, quoted: bool, header: str) -> str | None:
    """The sentence to print, or None if this include is fine."""
    if quoted:
        if not (ROOT / header).exists() and not header.startswith(("tests/", "build/")):
            return f'"{header}" is no path from the root of the tree'
        if any(header.startswith(prefix) for prefix in rule.ours):
            return None
        return f'"{header}" is outside its layer ({", ".join(rule.ours)})'
    if third_party_allowed(rule, header):
        return None
    if POSIX.match(header):
        return None if rule.std == "any" else f"<{header}> touches the world"
    if "/" in header or header.endswith((".h", ".hpp")):
        return f"<{header}> is not for this directory"
    return None if std_allowed(rule, header) else f"<{header}> is not for this directory"


def violations_in(path: str) -> list[str]:
    rule = rule_for(path)
    if rule is None:
        return [f"{path}: no rule covers this directory; add one to tests/lint/layers.py"]
    found = []
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match and (reason := why_not(path, rule, match[1] == '"', match[2])):
            found.append(f"{path}:{number}: {reason}")
    return found


def sources() -> list[str]:
    """Everything in the tree that git would take, committed or not yet."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.cpp", "*.hpp", "*.h"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout
    return sorted({path for path in listing.splitlines() if (ROOT / path).exists()})


def main() -> int:
    files = sources()
    found = [violation for path in files for violation in violations_in(path)]
    print("\n".join([*found, f"layers: {len(files)} files, {len(found)} violations"]))
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Strings that must not stand in the tree, each with what to write instead."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = re.compile(r"package-lock\.json$|\.(png|ico|wasm|br|gz)$|^tests/lint/")
CODE = r"\.(cpp|hpp|h)$"
SCRIPT = r"\.(js|mjs|ts)$"
DECIDERS = r"^(shared|server/(hub|mail|sequencer|store|api|chat))/.*" + CODE


@dataclass(frozen=True)
class Ban:
    text: str  # regular expression
    where: str  # regular expression over the path
    instead: str
    but_not: str = r"^$"


# Hosts of threads, and where one file is open twice: by who stores, and by who reads beside it.
THREADED = r"^server/(core/|store/sqlite/(database\.cpp|reading\.))"

BANS = [
    Ban(r"\b(FIXME|XXX|HACK)\b", r".", "an issue, or a comment that says what is so and why"),
    Ban(r"\bTODO\b", r".", "an issue, or the code"),
    Ban(r"\bprotocol notes\b", r".", "words that stand alone: no such notes are in the tree"),
    Ban(r"::now\(\)", r"^(shared|server/(hub|mail|sequencer|store))/.*" + CODE, "take `Instant now` as an argument"),
    Ban(r"std::function\b", r"^(shared|server/hub)/.*" + CODE, "return an output; the host performs it"),
    Ban(r"\bthrow\b(?!\()", r"^(shared|client-wasm)/.*" + CODE, "Result, or VERIFY for our own bugs"),
    Ban(r"\b(dynamic_cast|typeid)\b", r"^(shared|client-wasm)/.*" + CODE, "std::variant; there is no RTTI"),
    Ban(r"\b(mutex|lock_guard|condition_variable)\b", r"^(shared|server|client-wasm)/.*" + CODE, "a mailbox", THREADED),
    Ban(r"std::\w+_distribution\b", r"^(shared|server|tests/sim)/.*" + CODE, "Prng; std distributions differ between libraries"),
    Ban(r"\bstd::rand\b|\bsrand\(", CODE, "Prng, or the entropy of the host"),
    Ban(r"\bassert\(", r"^(shared|server|client-wasm)/.*" + CODE, "VERIFY, which release builds keep"),
    Ban(r"\bstd::(cout|cerr|clog)\b|\bprintf\(", DECIDERS, "an output or a counter; deciders do not log", r"^shared/base/verify\.cpp$"),
    Ban(r"^using namespace", r"\.hpp$", "the full name"),
    Ban(r"#ifndef \w+_(H|HPP)_?$", r"\.hpp$", "#pragma once"),
    Ban(r"\b(sleep_for|sleep_until|usleep)\b", r"^(server|tests)/.*" + CODE, "wait for what you wait for"),
    Ban(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write\b", r"^(web|client-wasm)/", "textContent and nodes"),
    Ban(r"\beval\(|new Function\(", r"^(web|client-wasm)/.*" + SCRIPT, "code"),
    Ban(r"\bstyle=\"|\son(click|load|submit|input)=", r"^web/.*\.html$", "a class, a listener: the CSP forbids inline"),
    Ban(r"https?://(registry\.|deb\.|security\.debian|ftp\.)", r".", "no registry hosts in the tree"),
    Ban(r"(^|[\s\"'=(:])/(work|root|farm|home/\w+)/", r".", "a path relative to the tree"),
    Ban(r"\t", r"\.(cpp|hpp|h|py|js|mjs|css|html|md)$|CMakeLists", "spaces"),
    Ban(r"[ ]+$", r"\.(cpp|hpp|h|py|js|mjs|css|html)$|CMakeLists|Makefile", "nothing: trailing space"),
]


def unexplained_verifies(path: str, text: str) -> list[str]:
    """A VERIFY says on its line, directly above, or for all of its file ("// VERIFY here: …"), why no peer reaches it."""
    if not re.search(r"^(shared|server|client-wasm)/.*" + CODE, path) or path.startswith("shared/base/verify."):
        return []
    if re.search(r"^// VERIFY here: \S", text, re.MULTILINE):
        return []
    found, explained = [], False
    for number, line in enumerate(text.splitlines(), 1):
        code, _, comment = line.partition("//")
        is_verify = re.search(r"\bVERIFY\(", code) is not None
        if is_verify and not explained and not comment:
            found.append(f"{path}:{number}: `VERIFY` → a Result; or say directly above why no peer can reach it")
        explained = bool(comment) and not code.strip() or is_verify and explained
    return found


def problems_in(path: str, text: str) -> list[str]:
    bans = [ban for ban in BANS if re.search(ban.where, path) and not re.search(ban.but_not, path)]
    return unexplained_verifies(path, text) + [
        f"{path}:{number}: `{match[0].strip() or 'space'}` → {ban.instead}"
        for number, line in enumerate(text.splitlines(), 1)
        for ban in bans
        if (match := re.search(ban.text, line)) and "lint: allow" not in line
    ]


def texts() -> dict[str, str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout
    paths = {path for path in listing.splitlines() if (ROOT / path).is_file() and not SKIPPED.search(path)}
    return {path: (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in sorted(paths)}


def main() -> int:
    files = texts()
    found = [problem for path, text in files.items() for problem in problems_in(path, text)]
    print("\n".join([*found, f"tidy: {len(files)} files, {len(found)} problems"]))
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())

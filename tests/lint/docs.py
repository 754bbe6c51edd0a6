#!/usr/bin/env python3
"""Makes the reference of the C++ API with Doxygen, into build/docs/html, and counts what it does not explain.

A public member without a comment is allowed as long as there are no more of them than there were: the number
below only gets smaller. Every other warning of Doxygen (a parameter that is none, a link to nowhere) is a failure.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Places in the headers. Most say what the function of the same name says in Socket.IO.
UNDOCUMENTED_MAX = 204

UNDOCUMENTED = re.compile(r"^(.*?:\d+): .* is not documented\.$")


def sort_warnings(output: str) -> tuple[set[str], list[str]]:
    """Places without a comment, each once however many classes inherit it; and all other lines."""
    places, others = set(), []
    for line in output.splitlines():
        match = UNDOCUMENTED.match(line)
        if match:
            places.add(match[1])
        elif line.strip():
            others.append(line)
    return places, others


def problems_in(places: set[str], others: list[str], most: int = UNDOCUMENTED_MAX) -> list[str]:
    if len(places) > most:
        return [*others, *sorted(places), f"{len(places)} public members have no comment, and there were {most}"]
    if len(places) < most:
        return [*others, f"only {len(places)} public members have no comment: say so in tests/lint/docs.py"]
    return others


def main() -> int:
    (ROOT / "build/docs").mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["doxygen", "server/api/Doxyfile"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    places, others = sort_warnings(made.stderr.replace(f"{ROOT}/", ""))
    found = problems_in(places, others)
    print("\n".join([*found, f"docs: build/docs/html/index.html, {len(places)} members without a comment, {len(found)} problems"]))
    return 1 if found or made.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())

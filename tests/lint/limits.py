#!/usr/bin/env python3
"""The table of limits in SECURITY.md against the sources: every limit is in it, and its default is the one in force."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Where every constant is a limit that somebody can meet; elsewhere only what the table names is looked up.
LIMITS = "shared/base/limits.hpp"
# Where settings and further constants stand.
SOURCES = ("shared", "server")
SETTINGS = "server/product/config.hpp"
# Settings that bound what somebody may do, by their names; the others choose what the server is.
SETTING = re.compile(r"burst|per_second|connections|megabytes|bytes|sessions|_per_")

CONSTANT = re.compile(r"constexpr\s+[\w:]+\s+(\w+)\s*(?:=\s*([^;{}]+)|\{([^;{}]+)\});")
MEMBER = re.compile(r"^\s+(?:Millis|std::uint\w+)\s+(\w+)\s*(?:=\s*([^;{}]+)|\{([^;{}]+)\});", re.M)
ROW = re.compile(r"^\| `(\w+)` \|(?:[^|]*\|){2} ([^|]*) \|", re.M)


def constants_in(text: str, *patterns: re.Pattern) -> dict[str, set[str]]:
    """Name → how its value may be written; one name may stand for several. What is no plain number is left out."""
    found = {}
    for pattern in patterns:
        for name, value, braced in pattern.findall(text):
            number = value_of(value or braced)
            if number is not None:
                found.setdefault(name, set()).update(as_written(number, is_time=bool(braced)))
    return found


def value_of(expression: str) -> int | None:
    plain = re.sub(r"(?<=\d)(?:u?ll|u|l)\b", "", expression.replace("'", "").strip(), flags=re.I)
    if not re.fullmatch(r"[\d\s*+<()-]+", plain):
        return None
    return eval(plain)  # digits and operators alone


def as_written(value: int, is_time: bool) -> set[str]:
    """How the table may say it."""
    if is_time:
        return {f"{value / 1000:g} s", f"{value} ms"}
    said = {f"{value:,}"}
    for unit, size in (("KiB", 1 << 10), ("MiB", 1 << 20)):
        if value % size == 0:
            said.add(f"{value // size:,} {unit}")
    return said


def problems_in(table: str, limits: str, settings: str, others: str) -> list[str]:
    rows = dict(ROW.findall(table))
    wanted = constants_in(limits, CONSTANT)
    wanted |= {name: values for name, values in constants_in(settings, MEMBER).items() if SETTING.search(name)}
    known = constants_in(others, CONSTANT, MEMBER) | wanted
    found = [f"SECURITY.md does not name {name}" for name in wanted if name not in rows]
    for name, default in rows.items():
        if name not in known:
            found.append(f"SECURITY.md names {name}, which is nowhere")
        elif default.strip() not in known[name]:
            found.append(f"SECURITY.md says {name} is {default.strip()}, and it is {' or '.join(sorted(known[name]))}")
    return found


def main() -> int:
    text = lambda path: (ROOT / path).read_text(encoding="utf-8")
    files = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.[ch]pp"))]
    others = "\n".join(path.read_text(encoding="utf-8") for path in files)
    found = problems_in(text("SECURITY.md"), text(LIMITS), text(SETTINGS), others)
    print("\n".join([*found, f"limits: {len(ROW.findall(text('SECURITY.md')))} rows, {len(found)} problems"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

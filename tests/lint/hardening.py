#!/usr/bin/env python3
"""What the released server was built with, read from the program itself: an overrun ends it rather than runs.

hardening.py BUILD: looks at BUILD/bin/oncewire-server, and at BUILD/liboncewire_shared.a for what linkers drop.
"""

import platform
import re
import subprocess
import sys

MARKS = {
    "loads at a random address (PIE)": ("-hW", r"Type:\s+DYN"),
    "binds everything before it runs (-z now)": ("-dW", r"FLAGS_1.*\bNOW\b"),
    "writes no tables of addresses (-z relro)": ("-lW", r"GNU_RELRO"),
    "runs nothing on its stack": ("-lW", r"GNU_STACK\s+(?:0x\w+\s+)*RW\s"),
    "looks after its stack (-fstack-protector-strong)": ("--dyn-syms", r"__stack_chk_fail"),
    "measures before it copies (_FORTIFY_SOURCE)": ("--dyn-syms", r"__(?:mem|str|v?sn?printf|v?fprintf|read|recv)\w*_chk"),
}
CONTROL_FLOW = r"x86 feature: IBT, SHSTK"


def missing_in(tables: dict[str, str]) -> list[str]:
    """`tables`: what readelf prints, by its option."""
    return [mark for mark, (option, pattern) in MARKS.items() if not re.search(pattern, tables[option])]


def readelf(option: str, path: str) -> str:
    return subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True).stdout


def main(build: str) -> int:
    server = f"{build}/bin/oncewire-server"
    missing = missing_in({option: readelf(option, server) for option, _ in MARKS.values()})
    is_x86 = platform.machine() in ("x86_64", "i686")
    if is_x86 and not re.search(CONTROL_FLOW, readelf("-nW", f"{build}/liboncewire_shared.a")):
        missing.append("jumps to where it may (-fcf-protection)")
    for mark in missing:
        print(f"{server}: not one that {mark}")
    print(f"hardening: {len(MARKS) + is_x86} marks, {len(missing)} missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

#!/usr/bin/env python3
"""Every header compiles alone: whoever includes it need not know what must come before it.

headers.py [FOLDER…]: those below these folders; without one, all.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

COMPILER = [os.environ.get("CXX", "c++"), "-std=c++20", "-fsyntax-only", "-w", "-I.", "-Iinclude", "-x", "c++-header"]
FOLDERS = ["shared", "server", "include", "tests/sim"]


def headers(folders: list[str]) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                             *(f"{folder}/*.hpp" for folder in folders)], capture_output=True, text=True, check=True).stdout.split()
    return [path for path in listed if os.path.exists(path)]


def complaint_about(path: str) -> str:
    run = subprocess.run([*COMPILER, path], capture_output=True, text=True, check=False)
    return f"{path} does not compile alone:\n{run.stderr}" if run.returncode != 0 else ""


def main() -> int:
    paths = headers(sys.argv[1:] or FOLDERS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(complaint_about, paths) if text]
    print("".join(complaints), end="")
    print(f"headers: {len(paths)}, {len(complaints)} do not compile alone")
    return 1 if complaints or not paths else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Reads a dead server's database with nothing of ours but the table names, and says what is in it.

Each line on standard input is a path; each answer is one line of JSON. The file is copied first with its
write-ahead log, so that the server's own recovery, not SQLite's here, is what the next start exercises.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path


def read(database: Path) -> dict:
    problems = []
    (integrity,) = database.execute("PRAGMA quick_check").fetchone()
    if integrity != "ok":
        problems.append(f"quick_check: {integrity}")

    entries = database.execute("SELECT offset, room, room_seq, data FROM log ORDER BY offset").fetchall()
    for expected, (offset, *_) in enumerate(entries, 1):
        if offset != expected:
            problems.append(f"log: offset {offset} where {expected} belongs")
            break
    last_seq = {}
    for offset, room, room_seq, _ in entries:
        if room_seq != last_seq.get(room, 0) + 1:
            problems.append(f"log: room_seq {room_seq} after {last_seq.get(room, 0)} at offset {offset}")
            break
        last_seq[room] = room_seq
    if last_seq != dict(database.execute("SELECT id, last_seq FROM rooms WHERE last_seq > 0")):
        problems.append("rooms: last_seq is not what the log holds")

    # Every sequence up to a producer's high-water mark has its verdict, unless its lease has ended, and
    # none beyond it.
    for producer, forgotten, last, lowest, highest, count in database.execute(
        "SELECT p.id, p.forgotten, p.last, min(v.sequence), max(v.sequence), count(v.sequence)"
        " FROM producers p LEFT JOIN verdicts v ON v.producer = p.id GROUP BY p.id"
    ):
        if (count, lowest or forgotten + 1, highest or forgotten) != (last - forgotten, forgotten + 1, last):
            problems.append(f"producer {producer}: {forgotten + 1}..{last}, but {count} verdicts {lowest}..{highest}")

    messages = [(offset, json.loads(data)[1]) for offset, _, _, data in entries]
    return {"messages": messages, "problems": problems}


def examine(path: str) -> dict:
    with tempfile.TemporaryDirectory() as directory:
        for suffix in ("", "-wal"):
            if Path(path + suffix).exists():
                shutil.copy(path + suffix, Path(directory) / f"copy.db{suffix}")
        copy = Path(directory) / "copy.db"
        if not copy.exists():
            return {"messages": [], "problems": []}  # killed before it made the file
        database = sqlite3.connect(copy)
        try:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'log'").fetchone():
                return {"messages": [], "problems": []}  # killed before it made the tables
            return read(database)
        finally:
            database.close()


for line in sys.stdin:
    print(json.dumps(examine(line.strip())), flush=True)

#!/usr/bin/env python3
"""The guards must bark: each rule is shown something it has to refuse, and something it has to let pass."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import docs
import hardening
import layers
import limits
import symbols
import tidy


def refuses(path: str, include: str) -> bool:
    match = layers.INCLUDE.match(include)
    return layers.why_not(path, layers.rule_for(path), match[1] == '"', match[2]) is not None


class Docs(unittest.TestCase):
    OUTPUT = """server/api/a.hpp:7: Member f() (function) of class A is not documented.
server/api/a.hpp:7: Member f() (function) of class B< A > is not documented.
server/api/a.hpp:9: Compound C is not documented.
"""

    def test_what_is_inherited_counts_once(self):
        self.assertEqual(docs.sort_warnings(self.OUTPUT), ({"server/api/a.hpp:7", "server/api/a.hpp:9"}, []))

    def test_more_without_a_comment_and_any_other_warning_are_told(self):
        places, others = docs.sort_warnings(self.OUTPUT + "server/api/a.hpp:9: unable to resolve reference to 'x'\n")
        self.assertEqual(len(others), 1)
        self.assertEqual(docs.problems_in(places, [], most=2), [])
        for found in (docs.problems_in(places, others, most=2), docs.problems_in(places, [], most=1), docs.problems_in(places, [], most=3)):
            self.assertTrue(found)


class Hardening(unittest.TestCase):
    GOOD = {
        "-hW": "  Type:                              DYN (Position-Independent Executable file)",
        "-dW": " 0x000000006ffffffb (FLAGS_1)            Flags: NOW PIE",
        "-lW": "  GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW  0x10\n  GNU_RELRO      0x1",
        "--dyn-syms": "FUNC GLOBAL DEFAULT UND __stack_chk_fail@GLIBC_2.4\nFUNC GLOBAL DEFAULT UND __memcpy_chk@GLIBC_2.3.4",
    }

    def test_a_hardened_program_misses_nothing(self):
        self.assertEqual(hardening.missing_in(self.GOOD), [])

    def test_each_mark_is_missed(self):
        for option, had, has in (
            ("-hW", "DYN", "EXEC"),
            ("-dW", "NOW ", ""),
            ("-lW", "GNU_RELRO", "NOTE"),
            ("-lW", "RW ", "RWE"),
            ("--dyn-syms", "__stack_chk_fail", "abort"),
            ("--dyn-syms", "__memcpy_chk", "memcpy"),
        ):
            worse = {**self.GOOD, option: self.GOOD[option].replace(had, has)}
            self.assertEqual(len(hardening.missing_in(worse)), 1, (option, had))


class Layers(unittest.TestCase):
    def test_siblings_in_shared_do_not_include_each_other(self):
        self.assertTrue(refuses("shared/socketio/x.cpp", '#include "shared/engineio/packet.hpp"'))
        self.assertFalse(refuses("shared/peer/x.cpp", '#include "shared/engineio/packet.hpp"'))

    def test_shared_reads_no_clock_draws_no_chance_starts_no_thread(self):
        for header in ("<chrono>", "<random>", "<thread>", "<atomic>", "<iostream>", "<unistd.h>", "<sys/socket.h>"):
            self.assertTrue(refuses("shared/peer/client.cpp", f"#include {header}"), header)
        self.assertFalse(refuses("shared/base/time.hpp", "#include <chrono>"))

    def test_boost_stays_in_net_and_core(self):
        for path in ("server/hub/hub.cpp", "server/sequencer/sequencer.cpp", "server/net/gate/http_gate.cpp", "server/chat/chat.cpp"):
            self.assertTrue(refuses(path, "#include <boost/asio/io_context.hpp>"), path)
        for path in ("server/net/listener.cpp", "server/core/core.cpp"):
            self.assertFalse(refuses(path, "#include <boost/asio/io_context.hpp>"), path)

    def test_sqlite_and_nlohmann_have_one_door_each(self):
        self.assertTrue(refuses("server/sequencer/sequencer.cpp", "#include <sqlite3.h>"))
        self.assertFalse(refuses("server/store/sqlite/database.cpp", "#include <sqlite3.h>"))
        self.assertTrue(refuses("shared/socketio/decoder.cpp", "#include <nlohmann/json.hpp>"))
        self.assertFalse(refuses("shared/base/json.cpp", "#include <nlohmann/json.hpp>"))

    def test_the_simulator_never_sees_the_network(self):
        self.assertTrue(refuses("tests/sim/world.cpp", '#include "server/net/listener.hpp"'))
        self.assertTrue(refuses("tests/sim/world.cpp", '#include "server/core/core.hpp"'))
        self.assertTrue(refuses("tests/sim/world.cpp", '#include "client-wasm/host.hpp"'))

    def test_a_new_directory_takes_a_stand(self):
        self.assertIsNone(layers.rule_for("server/new/x.cpp"))


class Symbols(unittest.TestCase):
    def test_the_world_is_refused_by_name(self):
        for symbol in ("clock_gettime", "std::chrono::_V2::steady_clock::now()", "rand", "socket", "pthread_create",
                       "fopen", "std::random_device::_M_getval()", "__cxa_throw", "getentropy"):
            self.assertFalse(symbols.is_allowed("client.cpp", symbol), symbol)

    def test_memory_and_strings_are_fine(self):
        for symbol in ("memcpy", "operator new(unsigned long)", "std::__throw_length_error(char const*)"):
            self.assertTrue(symbols.is_allowed("client.cpp", symbol), symbol)

    def test_only_verify_may_speak(self):
        self.assertTrue(symbols.is_allowed("verify.cpp", "fprintf"))
        self.assertFalse(symbols.is_allowed("client.cpp", "fprintf"))


class Tidy(unittest.TestCase):
    def test_banned_strings_are_found_where_they_are_banned(self):
        for path, line in (
            ("shared/peer/client.cpp", "auto t = Clock::now();"),
            ("shared/peer/client.hpp", "std::function<void()> f;"),
            ("server/hub/hub.cpp", "std::mutex m;"),
            ("web/app.js", "node.innerHTML = text"),
            ("README.md", "see /" + "work/main"),
            ("server/main.cpp", "// TO" + "DO"),
            ("tests/README.md", "item 7 of the protocol notes"),
        ):
            self.assertTrue(tidy.problems_in(path, line), line)

    def test_and_nowhere_else(self):
        for path, line in (
            ("server/core/mailbox.hpp", "std::mutex m;"),
            ("server/sequencer/transaction.hpp", "std::function<void()> f;"),
            ("server/core/core.cpp", "auto t = Clock::now();"),
        ):
            self.assertFalse(tidy.problems_in(path, line), line)

    def test_a_verify_says_why_no_peer_reaches_it(self):
        path = "shared/peer/x.cpp"
        for text in ("    VERIFY(a);", "// What a is.\n\n    VERIFY(a);", "    // Why.\n    f();\n    VERIFY(a);"):
            self.assertTrue(tidy.problems_in(path, text), text)
        for text in (
            "    VERIFY(a);  // why",
            "    // Why.\n    VERIFY(a);\n    VERIFY(b);",
            "// VERIFY here: why.\nvoid f() {\n    VERIFY(a);\n}",
            "// A VERIFY(a) that is not there.",
        ):
            self.assertFalse(tidy.problems_in(path, text), text)
        self.assertFalse(tidy.problems_in("tests/unit/x.cpp", "    VERIFY(a);"))


class Limits(unittest.TestCase):
    TABLE = "| limit | counts | per | default |\n|---|---|---|---|\n| `small` | bytes | packet | 2 KiB | closed | a test |\n| `pause` | time | link | 5 s | closed | a test |\n"
    SOURCE = "inline constexpr std::uint32_t small = 2u << 10;\ninline constexpr Millis pause{5'000};\n"

    def test_a_table_that_says_what_is_so_passes(self):
        self.assertEqual(limits.problems_in(self.TABLE, self.SOURCE, "", ""), [])

    def test_a_new_limit_must_be_in_the_table(self):
        added = self.SOURCE + "inline constexpr std::int64_t large = 1'000;\n"
        self.assertEqual(limits.problems_in(self.TABLE, added, "", ""), ["SECURITY.md does not name large"])
        self.assertEqual(limits.problems_in(self.TABLE, self.SOURCE, "    std::uint32_t bytes_each_day = 7;\n", ""), ["SECURITY.md does not name bytes_each_day"])

    def test_another_default_is_noticed(self):
        self.assertEqual(len(limits.problems_in(self.TABLE, self.SOURCE.replace("5'000", "6'000"), "", "")), 1)
        self.assertEqual(len(limits.problems_in(self.TABLE, self.SOURCE.replace("2u", "3u"), "", "")), 1)

    def test_what_is_gone_must_go(self):
        self.assertEqual(limits.problems_in(self.TABLE, self.SOURCE.splitlines()[0], "", ""), ["SECURITY.md names pause, which is nowhere"])


class Planted(unittest.TestCase):
    def test_what_each_planted_bug_of_the_hub_changes_is_there_once(self):
        planted = Path(__file__).parents[1] / "fuzz" / "planted.py"
        ended = subprocess.run(["python3", "-B", planted, "--list"], capture_output=True, text=True, check=False)
        self.assertEqual(ended.stderr, "")
        self.assertGreater(len(ended.stdout.splitlines()), 5)


class Run(unittest.TestCase):
    """`run` itself, in a tree where every program it calls is a stand-in."""

    def last_line(self, failing: str) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as place:
            tree = Path(place)
            (tree / "tests/lint").mkdir(parents=True)
            shutil.copy(Path(__file__).parent / "run", tree / "tests/lint/run")
            programs = tree / "programs"
            programs.mkdir()
            for name in ("cmake", "python3", "git", "clang-format"):
                (programs / name).write_text(f"#!/bin/sh\nexit {int(name == failing)}\n")
                (programs / name).chmod(0o755)
            path = f"{programs}:{os.environ['PATH']}"
            ended = subprocess.run([tree / "tests/lint/run", "quick"], capture_output=True, text=True, env={**os.environ, "PATH": path})
            return ended.returncode, ended.stdout.splitlines()[-1]

    def test_a_build_that_fails_is_a_check_that_failed(self):
        self.assertEqual(self.last_line(failing=""), (0, "7 passed, 0 failed"))
        self.assertEqual(self.last_line(failing="cmake"), (1, "6 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()

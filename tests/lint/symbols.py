#!/usr/bin/env python3
"""What the shared library asks of the outside, against an allow-list: `symbols.py liboncewire_shared.a`.

A clock, a random number, a socket, a thread or a file shows here as an undefined symbol, however it
came in; the include table alone would miss one that hides behind an innocent header.
"""

import re
import subprocess
import sys
from pathlib import Path

# Compared with demangled names. First match wins, and what matches nothing is refused.
FORBIDDEN = re.compile(
    r"chrono|clock|\btime\b|gettimeofday|random|\brand\b|\bs?rand48\b|getentropy|thread|mutex|condition_variable"
    r"|\bsocket\b|\bconnect\b|\bsend\b|\brecv\b|\bfopen\b|\bopen\b|\bread\b|\bwrite\b|basic_.?stream|ios_base"
    r"|__cxa_(throw|allocate_exception|begin_catch|rethrow)|_Unwind"
)
ALLOWED = re.compile(
    r"^(operator (new|delete)(\[\])?\(|mem(cpy|move|set|cmp|chr)$|strlen$|strcmp$|abort$"
    r"|__stack_chk_fail$|__(memcpy|memmove|memset)_chk$|_GLOBAL_OFFSET_TABLE_$|__dso_handle$"
    r"|__cxa_(guard_(acquire|release)|atexit|pure_virtual)$|__cxa_finalize$|__gxx_personality_v0$"
    r"|std::__throw_\w+\(|std::__detail::|std::_(Rb_tree|Hash)|std::_Hash_bytes|std::terminate\(\)"
    r"|std::__glibcxx_assert_fail|std::__cxx11::basic_string<|std::__cxx11::to_string|vtable for __cxxabiv1"
    r"|std::(exception|logic_error|runtime_error|bad_alloc|length_error|out_of_range)::"
    r"|vtable for std::(exception|bad_\w+)|typeinfo for std::|std::from_chars|std::to_chars)"
)
# A file that needs something more says so here, with the reason.
ALLOWED_IN = {
    "verify.cpp": re.compile(r"^(fprintf|__fprintf_chk|stderr|abort)$"),  # the last words of a process
}


def undefined(library: str) -> dict[str, set[str]]:
    """Undefined symbols of each object in the archive that no other object in it defines."""
    listing = subprocess.run(["nm", "-C", "-A", library], capture_output=True, text=True, check=True).stdout
    defined, wanted = set(), {}
    for line in listing.splitlines():
        match = re.match(r"^[^:]*:([^:]+):\s*[0-9a-f]*\s+(\w) (.*)$", line)
        if not match:
            continue
        object_name, kind, symbol = match.groups()
        if kind in "Uw":
            wanted.setdefault(object_name.removesuffix(".o"), set()).add(symbol)
        else:
            defined.add(symbol)
    return {name: symbols - defined for name, symbols in wanted.items()}


def is_allowed(object_name: str, symbol: str) -> bool:
    local = ALLOWED_IN.get(object_name)
    if local and local.match(symbol):
        return True
    return not FORBIDDEN.search(symbol) and bool(ALLOWED.match(symbol))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).exists():
        print("usage: symbols.py build/liboncewire_shared.a (after a build)")
        return 2
    objects = undefined(arguments[0])
    found = [
        f"{name}: `{symbol}` is not on the allow-list"
        for name, symbols in sorted(objects.items())
        for symbol in sorted(symbols)
        if not is_allowed(name, symbol)
    ]
    count = sum(len(symbols) for symbols in objects.values())
    print("\n".join([*found, f"symbols: {count} in {len(objects)} objects, {len(found)} refused"]))
    return 1 if found or not objects else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

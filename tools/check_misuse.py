#!/usr/bin/env python3
"""Every function of the public headers has a row in tests/misuse: NULL, {0} and numbers out of range must not crash it.
One that takes a tide_failure has a row that hands it a failure of an earlier call, of which nothing may be left."""
import re
import subprocess
import sys

from sources import ROOT, without_comments


def declarations():
    for path in sorted((ROOT / "include").glob("*/*.h")):
        text = without_comments(path.read_text())
        yield from re.findall(r"TIDE_API\b([^;{}]*\([^;{}]*);", re.sub(r"^\s*#.*(\\\n.*)*$", "", text, flags=re.M))


def names(found):
    matches = (re.search(r"(\w+)\s*$", declaration.split("(")[0]) for declaration in found)
    return {match.group(1) for match in matches if match}


def rows(option):
    return set(subprocess.run([sys.argv[1], option], capture_output=True, text=True, check=True).stdout.split())


def main():
    listed, public = rows("--list"), names(declarations())
    failing = names(d for d in declarations() if re.search(r"(?<!const )\btide_failure \*\w+\)", d))
    stale = failing - rows("--old")
    for name in sorted(stale):
        print(f"{name}: no row in tests/misuse hands it a failure of an earlier call")
    for name in sorted(public - listed):
        print(f"{name}: no row in tests/misuse")
    for name in sorted(listed - public):
        print(f"{name}: tests/misuse has a row for what no public header declares")
    if len(public) < 200:
        print(f"only {len(public)} public functions were found: the headers are read wrongly")
        return 1
    if len(failing) < 30:
        print(f"only {len(failing)} functions that take a tide_failure were found: the headers are read wrongly")
        return 1
    return 1 if public != listed or stale else 0


if __name__ == "__main__":
    sys.exit(main())

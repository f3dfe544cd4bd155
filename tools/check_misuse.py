#!/usr/bin/env python3
"""Every function of the public headers has a row in tests/misuse: NULL, {0} and numbers out of range must not crash it."""
import re
import subprocess
import sys

from sources import ROOT, without_comments


def public_functions():
    for path in sorted((ROOT / "include").glob("*/*.h")):
        text = without_comments(path.read_text())
        for declaration in re.findall(r"TIDE_API\b([^;{}]*)\(", re.sub(r"^\s*#.*(\\\n.*)*$", "", text, flags=re.M)):
            name = re.search(r"(\w+)\s*$", declaration.split("(")[0])
            if name:
                yield name.group(1)


def main():
    listed = set(subprocess.run([sys.argv[1], "--list"], capture_output=True, text=True, check=True).stdout.split())
    public = set(public_functions())
    for name in sorted(public - listed):
        print(f"{name}: no row in tests/misuse")
    for name in sorted(listed - public):
        print(f"{name}: tests/misuse has a row for what no public header declares")
    if len(public) < 200:
        print(f"only {len(public)} public functions were found: the headers are read wrongly")
        return 1
    return 1 if public != listed else 0


if __name__ == "__main__":
    sys.exit(main())

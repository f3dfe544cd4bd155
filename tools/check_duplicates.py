#!/usr/bin/env python3
"""Duplicated lines: those in a run of at least 6 lines of code that stands elsewhere too. Less than 1 % of all."""
import collections
import re
import sys

from sources import ROOT, c_files, without_comments

RUN, MOST_SHARE = 6, 0.01


def code_lines(path):
    """(number, line without blanks) of the lines that say something."""
    text = without_comments((ROOT / path).read_text())
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"\s+", "", line)
        if len(line) > 2 and not line.startswith("#include"):
            yield number, line


def main():
    seen, total = collections.defaultdict(list), 0
    files = {}
    for path in c_files("include", "src", "apps", "cli", "python"):
        files[path] = lines = list(code_lines(path))
        total += len(lines)
        for i in range(len(lines) - RUN + 1):
            seen[tuple(line for _, line in lines[i:i + RUN])].append((path, i))
    repeated = {(path, i + k) for places in seen.values() if len(places) > 1 for path, i in places for k in range(RUN)}
    share = len(repeated) / max(total, 1)
    if "--verbose" in sys.argv or share >= MOST_SHARE:
        print(f"{len(repeated)} of {total} lines of code are repeated: {100 * share:.2f} %, less than {100 * MOST_SHARE:g} % are wanted")
        for places in seen.values():
            if len(places) > 1:
                print("  " + "  ".join(f"{path}:{files[path][i][0]}" for path, i in places))
    return 1 if share >= MOST_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Function lengths: nine in ten have at most 40 lines outside the kernels (src/backends); files at most 600."""
import re
import sys

from sources import ROOT, c_files, without_comments

LONGEST_P90, LONGEST_FILE = 40, 600


def functions(path):
    """(name, line, lines) of each: from the line that opens it at the margin to its closing brace at the margin."""
    lines = without_comments((ROOT / path).read_text()).splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"[A-Za-z_].*\)\s*\{\s*$", line) or (start is None and line == "{"):
            start = number
        elif start is not None and line.startswith("}"):
            head = " ".join(lines[max(0, start - 3):start])
            name = re.findall(r"([A-Za-z_]\w*)\s*\(", head)
            yield (name[0] if name else "?", start, number - start + 1)
            start = None


def main():
    found, faults = [], []
    for path in c_files("src", "apps", "cli", "python", "examples"):
        count = len((ROOT / path).read_text().splitlines())
        if count > LONGEST_FILE:
            faults.append(f"{path}: {count} lines; {LONGEST_FILE} are the most")
        if not path.as_posix().startswith("src/backends"):
            found += [(lines, str(path), start, name) for name, start, lines in functions(path)]
    found.sort()
    p90 = found[int(0.9 * (len(found) - 1))][0] if found else 0
    if p90 > LONGEST_P90:
        faults.append(f"nine in ten functions have at most {p90} lines; {LONGEST_P90} are wanted. The longest:")
        faults += [f"  {path}:{start}: {name}: {lines}" for lines, path, start, name in found[-20:]]
    if "--verbose" in sys.argv:
        print(f"{len(found)} functions, p50 {found[len(found) // 2][0]}, p90 {p90}, longest {found[-1]}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

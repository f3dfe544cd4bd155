#!/usr/bin/env python3
"""Lines: at most 120 columns, no tabs, no blanks at the end. A .c file of more than 100 lines opens with a comment that says
what it is. In src/compile and src/train at least 13 % of the lines that say something are comments."""
import re
import sys

from sources import ROOT, c_files, without_comments

COLUMNS, LONG_FILE, COMMENT_SHARE = 120, 100, 0.13


def line_faults(path, lines):
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield f"{path}:{number}: {len(line)} columns; {COLUMNS} are the most"
        if "\t" in line or line != line.rstrip():
            yield f"{path}:{number}: a tab, or blanks at the end"


def comment_share(folder):
    """Of the lines that are not empty, those that hold nothing but a comment, or end in one."""
    comments = total = 0
    for path in c_files(folder):
        text = (ROOT / path).read_text()
        for whole, code in zip(text.splitlines(), without_comments(text).splitlines()):
            total += bool(whole.strip())
            comments += bool(whole.strip()) and len(code.rstrip()) < len(whole.rstrip())
    return comments / max(total, 1)


def main():
    faults = []
    for path in c_files("include", "src", "apps", "cli", "python", "examples", "tests", "bench"):
        lines = (ROOT / path).read_text().splitlines()
        faults += line_faults(path, lines)
        if path.suffix == ".c" and len(lines) > LONG_FILE and not re.match(r"\s*/[*/]", lines[0]):
            faults.append(f"{path}: {len(lines)} lines, and no comment at its head")
    for folder in ("src/compile", "src/train"):
        share = comment_share(folder)
        if "--verbose" in sys.argv:
            print(f"{folder}: {100 * share:.1f} % comments")
        if share < COMMENT_SHARE:
            faults.append(f"{folder}: {100 * share:.1f} % of the lines are comments; {100 * COMMENT_SHARE:g} % are wanted")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

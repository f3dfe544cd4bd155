#!/usr/bin/env python3
"""Only the command line writes --name: a string of the library names an option in backticks (include/tidemill/options.h)."""
import re
import sys

from sources import ROOT, c_files

TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', re.S)
# Words that are handed to other programs.
OTHERS = {"src/backends/cuda/program.c": {"--fmad=false", "--gpu-architecture=sm_%d"}, "apps/draw/gnuplot.c": {"--default-settings"},
          "apps/serve/jobs/commands.c": {"--%s=%s", "--json", "--progress=json"},
          "apps/bench/peer.c": {"--threads", "--cases", "--modes", "--seconds", "--device"}}


def main():
    faults = []
    for path in c_files("src", "apps", "python"):
        text = (ROOT / path).read_text()
        for token in TOKENS.finditer(text):
            word = token.group(0)
            flag = re.search(r"--(%s|[a-z][a-z-]*)", word) if word.startswith('"') else None
            if flag and word[1:-1] not in OTHERS.get(path.as_posix(), ()):
                faults.append(f"{path}:{text.count(chr(10), 0, token.start()) + 1}: {flag.group(0)}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A text file as a C string: embed_text.py INPUT OUTPUT NAME."""
import pathlib
import sys

source, target, name = sys.argv[1:]
# One string a line: compilers accept any number of them side by side, but not one of any length.
lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in pathlib.Path(source).read_text().splitlines()]
pathlib.Path(target).write_text(f"static const char {name}[] =\n" + "".join(f'    "{line}\\n"\n' for line in lines) + "    ;\n")

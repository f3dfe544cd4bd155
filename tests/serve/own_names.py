#!/usr/bin/env python3
"""The archives of the engine and of the service define no name twice: the linker would take one of them without a word. usage: own_names.py NM ARCHIVE ARCHIVE"""
import subprocess
import sys


def names(archive):
    lines = subprocess.run([sys.argv[1], "-g", "--defined-only", archive], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[2] for line in lines if len(line.split()) == 3}


engine, service = map(names, sys.argv[2:])
assert len(engine) > 100 and "serve_open" in service, "nothing was read"
sys.exit(f"defined by both: {', '.join(sorted(engine & service))}" if engine & service else 0)

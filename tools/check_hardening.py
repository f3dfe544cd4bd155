#!/usr/bin/env python3
"""check_hardening.py FILE...: do ELF programs and libraries carry what meson.build asks for? A line a fault; exit code 1 if there is any, 77 without readelf.

Looked at by readelf: position independent, no executable stack, symbols bound and made read-only before main, no text that the loader must change, no
folder of libraries written in, stack protector and fortified calls in use."""
import pathlib
import re
import shutil
import subprocess
import sys


def readelf(path, *options):
    return subprocess.run(["readelf", "--wide", *options, path], capture_output=True, text=True, check=True).stdout


def faults(path, fortified=True):
    """What an ELF file lacks, a clause each."""
    header, segments, dynamic = readelf(path, "-h"), readelf(path, "-l"), readelf(path, "-d")
    names = set(re.findall(r" UND (\w+)", readelf(path, "--dyn-syms")))
    stack = re.search(r"GNU_STACK .* ([RWE ]{3}) ", segments)
    checks = {
        "not position independent": re.search(r"Type: +DYN", header),
        "its stack can be executed": stack and "E" not in stack.group(1),
        "no read-only relocations": "GNU_RELRO" in segments,
        "symbols are not bound at the start": re.search(r"\bBIND_NOW\b|FLAGS_1\).*\bNOW\b", dynamic),
        "the loader must change its text": "TEXTREL" not in dynamic,
        "a folder of libraries is written in": not re.search(r"\(R(UN)?PATH\)", dynamic),
        "no stack protector": "__stack_chk_fail" in names,
    }
    if fortified:
        checks["no fortified calls"] = any(name.endswith("_chk") for name in names)
    return [fault for fault, good in checks.items() if not good]


def main():
    if not shutil.which("readelf"):
        print("skipped: readelf is not installed (apt-get install binutils)")
        return 77
    found = [f"{pathlib.Path(path).name}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

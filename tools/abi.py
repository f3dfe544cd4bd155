#!/usr/bin/env python3
"""abi.py check|renew [LIBRARY...]: what programs that were built with an earlier build of this version count on: functions, structs and numbers
of the public headers, as libabigail sees them, against what tests/abi holds. Additions are told and are no fault.

check: exit code 1 where a program could break, and how; LIBRARY: its exported names must be those that the headers declare.
renew: writes tests/abi anew. While a version is not yet released that is the answer to a change; afterwards it needs the next version.

Functions are defined here with empty bodies, so that nothing of the library is built with debug information. 77: no abidw, or another processor
than the one whose layouts are held."""
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HELD = ROOT / "tests/abi"
# What each library's functions begin with.
LIBRARIES = {"libtidemill": r"(tide|forecast|eis)_", "libtidemill-serve": r"serve_"}
MARK = '__attribute__((visibility("default")))'
CHANGED, BREAKS, FAILED = 4, 8, 3


def output(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **more).stdout


def declarations():
    """name: definition, with nothing in it, of every public function and table."""
    text = output(*compiler(), "-E", "-P", "-x", "c", "-", input=includes())
    found = {}
    for part in text.split(MARK)[1:]:
        said = re.sub(r" ?__attribute__ ?\(\(.*\)\)$", "", " ".join(part[:part.index(";")].split()))
        table = re.match(r"extern (.*?(\w+)\[.*\])$", said)
        if table: found[table.group(2)] = f"{table.group(1)} = {{ 0 }};"
        else: found[re.match(r"[^(]*?(\w+) ?\(", said).group(1)] = f"{said} {{ __builtin_trap(); }}"
    return found


def compiler():
    return [*shlex.split(os.environ.get("CC", "cc")), "-std=gnu11", f"-I{ROOT / 'include'}"]


def includes():
    return "".join(f"#include <tidemill/{path.name}>\n" for path in sorted((ROOT / "include/tidemill").glob("*.h")))


def dump(functions, folder):
    """libabigail's description of a library that has them."""
    source, library = folder / "functions.c", folder / "functions.so"
    source.write_text(includes() + "".join(f"{MARK} {text}\n" for text in functions))
    output(*compiler(), "-w", "-g", "-O0", "-shared", "-fPIC", f"-ffile-prefix-map={folder}=.", f"-ffile-prefix-map={ROOT}=.", source, "-o", library)
    return output("abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--type-id-style", "hash", library)


def dumps(folder):
    found = declarations()
    of = {library: [text for name, text in sorted(found.items()) if re.match(begin, name)] for library, begin in LIBRARIES.items()}
    return {library: dump(functions, folder) for library, functions in of.items() if functions}


def compare(library, now, folder):
    """Tells what changed; True: a program could break."""
    held, new = HELD / f"{library}.abi", folder / f"{library}.abi"
    new.write_text(now)
    added = subprocess.run(["abidiff", held, new], capture_output=True, text=True)
    if added.returncode & FAILED: raise SystemExit(f"abidiff: {added.stderr or added.stdout}")
    broken = subprocess.run(["abidiff", "--no-added-syms", held, new], capture_output=True, text=True)
    if broken.returncode & (CHANGED | BREAKS):
        print(f"{library}: programs built with what tests/abi holds could break:\n{broken.stdout}"
              "Keep what they count on. Where this version is not yet released: tools/abi.py renew, and say it in CHANGELOG.md; otherwise it is for\n"
              "the next minor version, whose shared libraries have another number.")
        return True
    if added.returncode & CHANGED:
        print(f"{library}: additions, which break nothing (tools/abi.py renew takes them into tests/abi):\n{added.stdout}")
    return False


def strange_names(path):
    """Names that a built library exports and no header declares, or the other way round."""
    begin = LIBRARIES[re.match(r"[\w-]+", path.name).group(0)]
    declared = {name for name in declarations() if re.match(begin, name)}
    there = {line.split()[-1] for line in output("nm", "-D", "--defined-only", path).splitlines()}
    return sorted(declared ^ there)


def lacks():
    if not (shutil.which("abidw") and shutil.which("abidiff")): return "libabigail is not installed (apt-get install abigail-tools)"
    if platform.system() != "Linux" or platform.machine() != "x86_64": return "what is held are the layouts of Linux on x86-64"
    return None


def main():
    what, libraries = (sys.argv + [""])[1], sys.argv[2:]
    if what not in ("check", "renew"): raise SystemExit(__doc__)
    if lacks():
        print("skipped:", lacks())
        return 77
    wrong = False
    for path in map(pathlib.Path, libraries):
        names = strange_names(path)
        wrong |= bool(names)
        if names: print(f"{path.name}: declared and exported names differ: {', '.join(names)}")
    with tempfile.TemporaryDirectory() as name:
        for library, now in dumps(pathlib.Path(name)).items():
            if what == "renew": HELD.mkdir(exist_ok=True), (HELD / f"{library}.abi").write_text(now)
            else: wrong |= compare(library, now, pathlib.Path(name))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

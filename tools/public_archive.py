#!/usr/bin/env python3
"""public_archive.py NM OBJCOPY IN.a OUT.a: a copy of the archive in which every global name has a prefix of the library.

What the objects of the library share among themselves are globals to a linker: without this a program with a function
`fail` of its own would not link with them. Names that are public already keep theirs."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PUBLIC, PREFIX = re.compile(r"(tide|forecast|eis)_"), "tide__"


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def defined(nm, archive):
    """Global names that the archive defines."""
    return {words[2] for words in map(str.split, said(nm, "-g", "--defined-only", archive).splitlines()) if len(words) == 3}


def members(archive, folder):
    """Its objects as files. Meson's own archives are thin: lists of paths from the folder that they are in."""
    if archive.read_bytes()[:7] == b"!<thin>":
        return [archive.parent / name for name in said("ar", "t", archive).splitlines()]
    subprocess.run(["ar", "x", archive.resolve()], cwd=folder, check=True)
    return sorted(folder.iterdir())


def main():
    nm, objcopy, source, target = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    bare = sorted(name for name in defined(nm, source) if not PUBLIC.match(name))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "in").mkdir()
        (folder / "names").write_text("".join(f"{name} {PREFIX}{name}\n" for name in bare))
        objects = []
        for number, member in enumerate(members(source, folder / "in")):
            objects.append(folder / f"{number:04}-{member.name}")
            subprocess.run([objcopy, f"--redefine-syms={folder / 'names'}", member, objects[-1]], check=True)
        new = target.with_suffix(".new")
        new.unlink(missing_ok=True)
        subprocess.run(["ar", "rcsD", new, *objects], check=True)
        os.replace(new, target)


if __name__ == "__main__":
    main()

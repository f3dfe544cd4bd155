#!/usr/bin/env python3
"""Looks at a wheel for Apple silicon as a Mac and pip would, on any machine: tag and hashes, what its extension loads, shows and
lacks, its signature.

    check_macos_wheel.py FILE.whl [WORDS...]     WORDS: none of them may stand in the extension (folders that it was built in)

Each fault is a line; exit code 1 if there is one. What Python's stable ABI has is known from the package abi3info of PyPI."""
import base64
import csv
import hashlib
import io
import pathlib
import re
import sys
import zipfile

import macho
import wheel_libraries

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAG, OLDEST, PYTHON = "cp311-abi3-macosx_11_0_arm64", (11, 0), (3, 11)
EXTENSION = "tidemill/_tidemill.abi3.so"
# What every Mac has. Of the second and third we link against names of our own listing (tools/wheel.py), which is checked by the loader alone.
LIBRARIES = {"/usr/lib/libSystem.B.dylib", "/usr/lib/libz.1.dylib",
             "/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate"}


def stable_names():
    """Of the stable ABI as of the oldest Python, as a Mac spells them."""
    import abi3info
    of = {**abi3info.FUNCTIONS, **abi3info.DATAS}
    return {symbol.macos for symbol, what in of.items() if (what.added.major, what.added.minor) <= PYTHON}


def extension_faults(data, stable, words):
    file = macho.read(data)
    yield from ([] if file.cpu == macho.ARM64 and file.kind == macho.BUNDLE else [f"cpu {file.cpu:#x}, kind {file.kind}: a bundle for arm64 is wanted"])
    if file.oldest != OLDEST:
        yield f"it says that it runs on macOS {file.oldest} and later; {OLDEST} is wanted"
    yield from (f"it loads {name}, which not every Mac has" for name in file.libraries if name not in LIBRARIES)
    if file.rpaths or file.install_name:
        yield f"it has rpaths {file.rpaths} or a name {file.install_name}"
    if file.exports != ["_PyInit__tidemill"]:
        yield f"it shows {file.exports[:5]}; its module's own name alone is wanted"
    yield from (f"it lacks {name}, which the stable ABI does not have" for name, library in file.lacks if library is None and name not in stable)
    if file.signature:
        yield file.signature
    yield from (f"'{word}' stands in it" for word in words if word.encode() in data)


def record_faults(wheel, record):
    listed = {name: digest for name, digest, _ in csv.reader(io.StringIO(wheel.read(record).decode()))}
    if set(listed) != set(wheel.namelist()):
        yield f"RECORD and archive differ: {sorted(set(listed) ^ set(wheel.namelist()))}"
    for name, digest in listed.items():
        found = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(name)).digest()).rstrip(b"=").decode()
        if name != record and digest != f"sha256={found}":
            yield f"{name} has not the hash that RECORD says"


def package_faults(names):
    wanted = {f"tidemill/{path.name}" for path in (ROOT / "python/tidemill").glob("*.py")} | {EXTENSION, "tidemill/_tidemill.pyi", "tidemill/py.typed"}
    found = {name for name in names if name.startswith("tidemill/")}
    return [f"its package differs from the tree's: {sorted(found ^ wanted)}"] if found != wanted else []


def faults(path, words=()):
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        info = next((name[:-len("WHEEL")] for name in names if re.fullmatch(r"tidemill-[^/]+\.dist-info/WHEEL", name)), None)
        if info is None:
            return ["it has no WHEEL"]
        found = list(package_faults(names)) + list(record_faults(wheel, info + "RECORD"))
        tags = re.findall(r"^Tag: (.*)$", wheel.read(info + "WHEEL").decode().replace("\r", ""), re.M)
        if tags != [TAG] or not path.name.endswith(f"-{TAG}.whl"):
            found.append(f"its tags are {tags}; {TAG} is wanted, in its name too")
        if "Requires-Python: >=3.11" not in wheel.read(info + "METADATA").decode():
            found.append("METADATA does not say Requires-Python: >=3.11")
        found += [f"it lacks the licence of {name}" for name in wheel_libraries.LIBRARIES if f"{info}licenses/{name}.txt" not in names]
        return found + list(extension_faults(wheel.read(EXTENSION), stable_names(), words)) if EXTENSION in names else found


def told(path):
    """What the extension is like, for people."""
    with zipfile.ZipFile(path) as wheel:
        data = wheel.read(EXTENSION)
    file = macho.read(data)
    by = {library or "Python": sum(of == library for _, of in file.lacks) for library in [*file.libraries, None]}
    return (f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, extension {len(data) / 1e6:.2f} MB, macOS {'.'.join(map(str, file.oldest))} and later; "
            f"names of {', '.join(f'{name} {count}' for name, count in by.items())}; shows {', '.join(file.exports)}; signed, every page has its hash")


def main():
    path = pathlib.Path(sys.argv[1])
    found = faults(path, sys.argv[2:])
    print("\n".join(f"{path.name}: {fault}" for fault in found) if found else told(path))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

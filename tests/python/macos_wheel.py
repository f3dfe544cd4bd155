#!/usr/bin/env python3
"""The wheel for Apple silicon is built, and looked at; what looks at it finds each fault that is put into one.

    macos_wheel.py SOURCE_TREE FOLDER [WHEEL]     the folder is made, and removed; WHEEL: one that was built already

Skipped (77) without a package index, sources, or a linker for macOS."""
import base64
import hashlib
import importlib
import pathlib
import shutil
import subprocess
import sys
import zipfile


def edited(wheel, folder, name, change, seal=True):
    """A copy in which a file is another, with the hash that RECORD then says, unless `seal` is false."""
    made = folder / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(made, "w") as new:
        for item in old.namelist():
            data = old.read(item)
            if item == name:
                before, data = data, change(data)
                assert data != before, name
            if item.endswith("RECORD") and seal:
                digest = base64.urlsafe_b64encode(hashlib.sha256(change(old.read(name))).digest()).rstrip(b"=")
                lines = [line for line in data.splitlines() if not line.startswith(name.encode() + b",")]
                data = b"\n".join([*lines, b"%s,sha256=%s,1" % (name.encode(), digest)]) + b"\n"
            new.writestr(item, data)
    return made


def flipped(data):
    return data[:0x9000] + bytes([data[0x9000] ^ 1]) + data[0x9001:]


def main():
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    sys.path.insert(0, str(source / "tools"))
    if len(sys.argv) > 3:
        wheel = pathlib.Path(sys.argv[3])
    else:
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run([sys.executable, source / "tools/wheel.py", "macos", folder], capture_output=True, text=True)
        print(done.stdout + done.stderr)
        if done.returncode:
            return done.returncode
        wheel = next(folder.glob("*.whl"))
        sys.path += map(str, (folder / "made/tools/lib").glob("python3*/site-packages"))
    check = importlib.import_module("check_macos_wheel")
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    assert check.faults(wheel) == []
    cases = [
        (check.EXTENSION, flipped, True, "not the one that was signed"),
        (check.EXTENSION, flipped, False, "not the hash that RECORD says"),
        (check.EXTENSION, lambda data: data.replace(b"/usr/lib/libz.1.dylib", b"/opt/lib/libz.1.dylib"), True, "not every Mac has"),
        (check.EXTENSION, lambda data: data.replace(b"_PyObject_GetBuffer\0", b"_PyObject_GotBuffer\0"), True, "the stable ABI does not have"),
        (f"{info}/WHEEL", lambda data: data.replace(b"macosx_11_0", b"macosx_12_0"), True, "its tags are"),
        (f"{info}/METADATA", lambda data: data.replace(b">=3.11", b">=3.10"), True, "Requires-Python"),
    ]
    try:
        changed = folder / "changed"
        changed.mkdir(parents=True)
        for name, change, seal, fault in cases:
            found = check.faults(edited(wheel, changed, name, change, seal))
            assert any(fault in one for one in found), (fault, found)
        assert any("stands in it" in one for one in check.faults(wheel, ["tidemill"]))
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

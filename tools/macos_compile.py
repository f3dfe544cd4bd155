#!/usr/bin/env python3
"""Compiles the library, the command and Python's extension for aarch64-macos with `zig cc` (the ziglang package of PyPI, in a
virtual environment of its own).

Compiles only: nothing is run, and but for the extension, which may leave to its loader what it lacks, nothing is linked. The few headers of libraries that Homebrew would bring come from this machine:
they say the same on both. Fails when zig cannot be had: what was not compiled was not checked."""
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import venv

import macho

ZIG = "ziglang==0.17.1"
ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ("jansson.h", "jansson_config.h", "zip.h", "zipconf.h", "zlib.h", "zconf.h", "csv.h", "Random123", "sleef.h")
CROSS = """[binaries]
c = '{folder}/cc'
ar = ['{zig}', 'ar']
strip = 'true'
pkgconfig = 'pkg-config'
pkg-config = 'pkg-config'
[built-in options]
c_args = ['-idirafter', '{headers}']
c_link_args = ['-L{folder}']
[properties]
pkg_config_libdir = ['{folder}']
[host_machine]
system = 'darwin'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


# Meson before 1.6 asks an unknown linker for its version and gives up; to it this one answers as Apple's does.
COMPILER = """#!/bin/sh
for word; do
    case "$word" in
        -Wl,--version) echo 'ld: unknown option: --version' >&2; exit 1 ;;
        -Wl,-v) echo '@(#)PROGRAM:ld  PROJECT:ld64-609' >&2; exit 1 ;;
    esac
done
exec '{zig}' cc -target aarch64-macos "$@"
"""


def zig_program(home):
    """zig of an environment that has ziglang; None if it cannot be installed."""
    python = home / "bin/python3"
    try:
        if not python.exists():
            venv.create(home, with_pip=True)
        if subprocess.run([python, "-m", "ziglang", "version"], capture_output=True).returncode != 0:
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ZIG], check=True,
                           capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{ZIG} cannot be installed, so nothing was compiled for macOS: {error}")
        return None
    where = subprocess.run([python, "-c", "import ziglang; print(ziglang.__path__[0])"], capture_output=True, text=True, check=True)
    return pathlib.Path(where.stdout.strip()) / "zig"


def gather_headers(folder):
    places = [pathlib.Path("/usr/include"), *pathlib.Path("/usr/include").glob("*-linux-gnu")]
    for name in HEADERS:
        for place in places:
            if (place / name).exists():
                (folder / name).symlink_to(place / name)
                break


def write_packages(folder, headers):
    """pkg-config files that only name the headers: nothing is linked."""
    for name, version in (("jansson", "2.14"), ("libzip", "1.9"), ("zlib", "1.2.13")):
        (folder / f"{name}.pc").write_text(f"Name: {name}\nDescription: headers\nVersion: {version}\nCflags: -idirafter{headers}\n")


def write_empty_library(folder, name):
    """For a library that has no pkg-config file: Meson only asks whether it is there."""
    (folder / "empty.c").write_text("extern int nothing;\nint nothing;\n")
    subprocess.run([folder / "cc", "-c", folder / "empty.c", "-o", folder / "empty.o"], check=True)
    subprocess.run([folder / "cc", "-shared", folder / "empty.o", "-o", folder / f"lib{name}.dylib"], check=True)


def objects_of_command(folder):
    said = subprocess.run(["ninja", "-C", folder, "-t", "targets", "rule", "c_COMPILER"], capture_output=True, text=True, check=True)
    objects = [line for line in said.stdout.splitlines() if line.startswith("cli/")]
    if not objects:
        raise SystemExit("the command's objects are not among the targets")
    return objects


def python_headers(folder):
    """This machine's, but for the one that says what the machine is like."""
    folder.mkdir()
    for path in pathlib.Path(sysconfig.get_path("include")).iterdir():
        (folder / path.name).symlink_to(path)
    sizes = {"SHORT": 2, "INT": 4, "LONG": 8, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8, "VOID_P": 8, "SIZE_T": 8, "WCHAR_T": 4,
             "TIME_T": 8, "PID_T": 4, "UINTPTR_T": 8, "OFF_T": 8}
    (folder / "pyconfig.h").unlink()
    (folder / "pyconfig.h").write_text("".join(f"#define SIZEOF_{name} {size}\n" for name, size in sizes.items()))
    return folder


def python_extension(folder):
    """Commands that compile the extension and link it, with what Python and Homebrew would bring left undefined."""
    made, target = folder / "python", ["-target", "aarch64-macos.11.0"]
    made.mkdir()
    sources = [*sorted((ROOT / "python/src").glob("*.c")), made / "generated.c"]
    includes = [f"-I{place}" for place in (made, ROOT / "python/src", ROOT / "include", python_headers(made / "headers"))]
    flags = ["-std=gnu11", "-O0", "-fvisibility=hidden", "-Werror", "-Wno-unknown-warning-option", "-DPy_LIMITED_API=0x030B0000", "-D_GNU_SOURCE"]
    yield [sys.executable, ROOT / "tools/python_binding.py", made / "generated.c", made / "docs.h", made / "stubs.pyi",
           ROOT / "python/tidemill/_tidemill.pyi.in"]
    for source in sources:
        yield [folder / "cc", *target, *flags, *includes, "-c", source, "-o", made / f"{source.stem}.o"]
    yield [folder / "cc", *target, "-shared", "-undefined", "dynamic_lookup", *(made / f"{source.stem}.o" for source in sources),
           folder / "out/libtidemill_objects.a", "-o", made / "_tidemill.abi3.so"]


def build_python(folder):
    """The text of what failed; None. An extension that names other libraries would not load on another Mac."""
    for command in python_extension(folder):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return done.stdout[-2000:] + done.stderr[-6000:]
    file = macho.read((folder / "python/_tidemill.abi3.so").read_bytes())
    found = file.libraries, file.oldest, file.signature
    return None if found == (["/usr/lib/libSystem.B.dylib"], (11, 0), "") else f"the extension's libraries, oldest macOS, signature's fault: {found}"


def build_for_macos(folder, setup):
    """The text of what failed; None."""
    for command in (lambda: setup, lambda: ["ninja", "-C", folder / "out", "libtidemill_objects.a"],
                    lambda: ["ninja", "-C", folder / "out", *objects_of_command(folder / "out")]):
        done = subprocess.run(command(), capture_output=True, text=True)
        if done.returncode != 0:
            return done.stdout[-6000:] + done.stderr[-2000:]
    return None


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build")
    zig = zig_program(build / "zig-venv")
    if zig is None:
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        headers = folder / "headers"
        headers.mkdir()
        gather_headers(headers)
        write_packages(folder, headers)
        cross = folder / "macos.txt"
        cross.write_text(CROSS.format(zig=zig, headers=headers, folder=folder))
        (folder / "cc").write_text(COMPILER.format(zig=zig))
        (folder / "cc").chmod(0o755)
        write_empty_library(folder, "csv")
        setup = ["meson", "setup", folder / "out", ROOT, "--cross-file", cross, "-Dtests=false", "-Dcurl=disabled",
                 "-Donednn=enabled", "-Dsleef=disabled", "-Doptimization=0", "-Ddebug=false"]
        failed = build_for_macos(folder, setup) or build_python(folder)
        if failed:
            print(failed)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

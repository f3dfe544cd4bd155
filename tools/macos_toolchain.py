"""What builds for Apple silicon on Linux, with nothing of Apple's: zig compiles, with the system's headers that it brings; ld64.lld of
LLVM links, which knows bundles and lists of exported names as zig's own linker does not, and signs; llvm-strip takes local names out."""
import pathlib
import re
import shutil

from macos_compile import python_headers
from wheel_libraries import lacking

OLDEST = "11.0"
# What is called of libraries that every Mac has: a linker wants their names alone. Nobody needs an SDK for as much.
CALLED = {
    "libz.tbd": ("/usr/lib/libz.1.dylib",
                 "adler32 crc32 crc32_z deflate deflateEnd deflateInit2_ deflateInit_ deflateReset gzbuffer gzclose_r gzdopen gzerror gzopen gzread "
                 "inflate inflateEnd inflateInit2_ inflateInit_ inflateReset zError zlibVersion"),
    "Accelerate.framework/Accelerate.tbd": ("/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate", "cblas_dgemm cblas_sgemm"),
}
COMPILER = """#!/bin/bash
# Meson before 1.6 asks an unknown linker for its version and gives up; to it this one answers as Apple's does.
for word; do
    case "$word" in
        -Wl,--version) echo 'ld: unknown option: --version' >&2; exit 1 ;;
        -Wl,-v) echo '@(#)PROGRAM:ld  PROJECT:ld64-609' >&2; exit 1 ;;
        -bundle) bundle=1 ;;
    esac
done
target='-target aarch64-macos.{oldest} -fno-sanitize=all -Werror=unguarded-availability-new'
[ "$bundle" ] || exec '{zig}' cc $target -I'{folder}/python' -L'{folder}' -F'{folder}' "$@"
words=()
while [ $# -gt 0 ]; do
    case "$1" in
        -Wl,*) IFS=, read -ra parts <<<"${{1#-Wl,}}"; words+=("${{parts[@]}}") ;;
        -lm | -ldl | -lpthread | -O*) ;;
        -o) made=$2; words+=(-o "$2"); shift ;;
        *) words+=("$1") ;;
    esac
    shift
done
'{linker}' -arch arm64 -platform_version macos {oldest} {oldest} -dead_strip -exported_symbol '_PyInit_*' "${{words[@]}}" -L'{folder}' -F'{folder}' -lSystem &&
    exec '{strip}' -x "$made"
"""
CROSS = """[binaries]
c = '{folder}/cc'
ar = ['{zig}', 'ar']
strip = 'true'
pkg-config = 'pkg-config'
python = '{python}'
[built-in options]
c_args = ['-I{prefix}/include', '-idirafter', '{folder}/headers']
c_link_args = ['-L{prefix}/lib', '-L{folder}', '-F{folder}']
[properties]
pkg_config_libdir = ['{prefix}/pkgconfig']
[host_machine]
system = 'darwin'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


def llvm_program(name):
    """Of the newest LLVM that is installed; None."""
    found = sorted(pathlib.Path("/usr/lib").glob(f"llvm-*/bin/{name}"), key=lambda path: int(re.search(r"llvm-(\d+)", str(path)).group(1)))
    return str(found[-1]) if found else shutil.which(name)


def write_stub(path, library, names):
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    path.write_text(f"--- !tapi-tbd\ntbd-version: 4\ntargets: [ arm64-macos ]\ninstall-name: '{library}'\n"
                    f"exports:\n  - targets: [ arm64-macos ]\n    symbols: [ {listed} ]\n...\n")


def system_names(zig):
    """What libSystem and the libraries that it passes on have, by zig's list, which older linkers cannot read."""
    text = (zig.parent / "lib/libc/darwin/libSystem.tbd").read_text()
    lists = re.findall(r"(?:weak-|thread-local-)?symbols:\s*\[(.*?)\]", text, re.S)
    return {name.strip().strip("'\"") for one in lists for name in one.split(",") if name.strip()}


def make(folder, zig):
    """The compiler and its stubs in a folder. Returns the compiler."""
    linker, strip = llvm_program("ld64.lld"), llvm_program("llvm-strip")
    if not linker or not strip:
        lacking("ld64.lld and llvm-strip are needed: apt-get install lld llvm")
    folder.mkdir(parents=True)
    write_stub(folder / "libSystem.tbd", "/usr/lib/libSystem.B.dylib", system_names(zig))
    for name, (library, called) in CALLED.items():
        write_stub(folder / name, library, [f"_{one}" for one in called.split()])
    python_headers(folder / "python")
    headers = folder / "headers"
    headers.mkdir()
    for name in ("zlib.h", "zconf.h", "Random123"):  # the same on both
        includes = pathlib.Path("/usr/include")
        place = next((place / name for place in (includes, *includes.glob("*-linux-gnu")) if (place / name).exists()), None)
        if not place:
            lacking(f"{name} is not in /usr/include: apt-get install zlib1g-dev librandom123-dev")
        (headers / name).symlink_to(place)
    compiler = folder / "cc"
    compiler.write_text(COMPILER.format(zig=zig, folder=folder, linker=linker, strip=strip, oldest=OLDEST))
    compiler.chmod(0o755)
    return compiler


def cross_file(folder, zig, prefix, python):
    path = folder / "cross.txt"
    path.write_text(CROSS.format(folder=folder, zig=zig, prefix=prefix, python=python))
    return path

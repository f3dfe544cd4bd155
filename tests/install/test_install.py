#!/usr/bin/env python3
"""Installs the build into an empty folder and builds examples/embed there, outside the tree, as a user would."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD, CC = pathlib.Path(sys.argv[1]), sys.argv[2], shlex.split(sys.argv[3])


def output(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        output(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root / "installed"])
        found = list(cls.root.rglob("tidemill.pc"))
        assert len(found) == 1, f"expected one tidemill.pc, got {found}"
        cls.env = {**os.environ, "PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(cls.root / "installed")}
        cls.libraries = found[0].parent.parent
        shutil.copy(SOURCE / "examples/embed/embed.c", cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def flags(self, *options):
        return shlex.split(output(["pkg-config", *options, "tidemill"], env=self.env))

    def test_shared(self):
        output([*CC, "embed.c", *self.flags("--cflags", "--libs"), "-lm", "-o", "shared"], cwd=self.root)
        said = output(["./shared"], cwd=self.root, env={**self.env, "LD_LIBRARY_PATH": str(self.libraries)})
        self.assertIn("loss", said)

    def test_static(self):
        """Our archive, the libraries below it shared: what a distribution's packages have."""
        text = next(self.root.rglob("tidemill.pc")).read_text()
        private = shlex.split(re.search(r"^Libs.private: (.*)$", text, re.MULTILINE).group(1))
        below = re.findall(r"[\w.-]+", re.sub(r"[<>=]+ *\S+", "", re.search(r"^Requires.private: (.*)$", text, re.MULTILINE).group(1)))
        libraries = [str(self.libraries / "libtidemill.a"), *private, *shlex.split(output(["pkg-config", "--libs", *below]))]
        output([*CC, "embed.c", *self.flags("--cflags"), *libraries, "-lm", "-o", "static"], cwd=self.root)
        self.assertIn("loss", output(["./static"], cwd=self.root))

    def test_headers_stand_alone(self):
        headers = sorted((self.root / "installed").rglob("include/tidemill/*.h"))
        self.assertTrue(headers)
        for header in headers:
            (self.root / "one.c").write_text(f"#include <tidemill/{header.name}>\nint main(void) {{ return 0; }}\n")
            output([*CC, "-std=c11", "-Wall", "-Wextra", "-Werror", *self.flags("--cflags"), "one.c", "-fsyntax-only"], cwd=self.root)

    def test_version(self):
        header = (SOURCE / "include/tidemill/core.h").read_text()
        said = output(["pkg-config", "--modversion", "tidemill"], env=self.env).strip()
        self.assertIn(f'#define TIDE_VERSION "{said}"', header)

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("nm"), "ELF only")
    def test_only_public_names(self):
        library = self.libraries / "libtidemill.so"
        names = [line.split()[-1] for line in output(["nm", "-D", "--defined-only", library]).splitlines()]
        self.assertTrue(names)
        self.assertEqual([n for n in names if not re.match(r"(\.gomp_critical_user_)?(tide|forecast|eis)_", n)], [], "names that are not the library's")
        self.assertTrue((self.libraries / "libtidemill.so.0").exists(), "no soname link libtidemill.so.0")

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("nm"), "ELF only")
    def test_every_public_name(self):
        """What a header marks TIDE_API is in the library: a declaration without a definition would fail only for its first user."""
        headers = (self.root / "installed").rglob("include/tidemill/*.h")
        text = "\n".join(re.sub(r"(?s:/\*.*?\*/)|^#.*$", " ", h.read_text(), flags=re.MULTILINE) for h in headers)
        declared = set(re.findall(r"TIDE_API\b[^;{(]*?(\w+)\s*\(", text))
        there = {line.split()[-1] for line in output(["nm", "-D", "--defined-only", self.libraries / "libtidemill.so"]).splitlines()}
        self.assertGreater(len(declared), 100)
        self.assertEqual(sorted(declared - there), [], "declared but not in the library")

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("readelf"), "ELF only")
    def test_soname(self):
        self.assertIn("[libtidemill.so.0]", output(["readelf", "-d", self.libraries / "libtidemill.so"]))

    def test_command(self):
        command = next((self.root / "installed").rglob("bin/tidemill"))
        self.assertRegex(output([command, "--version"]), r"^tidemill \d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main(argv=["test_install", "-q"], verbosity=0)

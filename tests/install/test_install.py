#!/usr/bin/env python3
"""Installs the build into an empty folder and builds examples/embed there, outside the tree, as a user would."""
import json
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


def so_version():
    """Before 1.0 a minor version may change the interface, so that the loader compares it too."""
    major, minor = re.findall(r"#define TIDE_VERSION_M[A-Z]+ (\d+)", (SOURCE / "include/tidemill/core.h").read_text())
    return f"0.{minor}" if major == "0" else major


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

    def flags(self, *options, package="tidemill"):
        return shlex.split(output(["pkg-config", *options, package], env=self.env))

    def test_shared(self):
        output([*CC, "embed.c", *self.flags("--cflags", "--libs"), "-o", "shared"], cwd=self.root)
        said = output(["./shared"], cwd=self.root, env={**self.env, "LD_LIBRARY_PATH": str(self.libraries)})
        self.assertIn("loss", said)

    def test_serve(self):
        """Programs that train from arrays, save to memory, load, and answer from eight threads, in C and in C++."""
        env = {**self.env, "LD_LIBRARY_PATH": str(self.libraries)}
        for compiler, source in ([*CC, "-std=c11"], "serve.c"), (["c++", "-std=c++17"], "serve.cpp"):
            output([*compiler, "-Wall", "-Wextra", "-Werror", SOURCE / "tests/install" / source, *self.flags("--cflags", "--libs"), "-lm", "-pthread",
                    "-o", "serve"], cwd=self.root)
            self.assertEqual(output(["./serve"], cwd=self.root, env=env), "served\n")

    def test_serve_eis(self):
        """An impedance predictor trained, saved, loaded and asked by eight threads, all in memory."""
        output([*CC, "-std=c11", "-Wall", "-Wextra", "-Werror", SOURCE / "tests/install/serve_eis.c", *self.flags("--cflags", "--libs"), "-lm", "-pthread",
                "-o", "serve_eis"], cwd=self.root)
        empty = self.root / "empty"
        empty.mkdir()
        self.assertEqual(output(["../serve_eis"], cwd=empty, env={**self.env, "LD_LIBRARY_PATH": str(self.libraries)}), "served\n")
        self.assertEqual(list(empty.iterdir()), [], "files of a training in memory")

    def private_libraries(self):
        """What libtidemill.a needs: the libraries below it, shared, as a distribution's packages have them."""
        text = next(self.root.rglob("tidemill.pc")).read_text()
        return ["-lm", *shlex.split(re.search(r"^Libs.private: (.*)$", text, re.MULTILINE).group(1))]

    def static(self, *sources, compiler=CC):
        archive = self.libraries / "libtidemill.a"
        if not archive.exists():
            self.skipTest("no archive: this system's objects have no objcopy")
        output([*compiler, *sources, *self.flags("--cflags"), archive, *self.private_libraries(), "-o", "static"], cwd=self.root)
        return output(["./static"], cwd=self.root)

    def test_static(self):
        self.assertIn("loss", self.static("embed.c"))

    def test_own_names(self):
        self.static(SOURCE / "tests/install/own_names.c")

    @unittest.skipUnless(shutil.which("nm"), "no nm")
    def test_archive_names(self):
        names = [line.split()[-1] for line in output(["nm", "-g", "--defined-only", self.libraries / "libtidemill.a"]).splitlines()
                 if len(line.split()) == 3]
        self.assertGreater(len(names), 100)
        self.assertEqual([n for n in names if not re.match(r"(tide|forecast|eis)_", n)], [])

    def test_cpp(self):
        cxx = ["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror"]
        program = SOURCE / "tests/install/embed.cpp"
        output([*cxx, program, *self.flags("--cflags", "--libs"), "-o", "cpp"], cwd=self.root)
        output(["./cpp"], cwd=self.root, env={**self.env, "LD_LIBRARY_PATH": str(self.libraries)})
        self.static(program, compiler=cxx)

    def test_pkg_config_is_ours_alone(self):
        """Include folders of what the library is built with are no concern of a program that uses it."""
        for word in self.flags("--cflags"):
            self.assertTrue(word.startswith("-I") and str(self.root) in word, word)

    def test_what_else(self):
        installed = self.root / "installed"
        names = ["doc/tidemill/LICENSE", "doc/tidemill/README.md", "doc/tidemill/examples/embed/embed.c"]
        for name in names + (["doc/tidemill/tidemill.cdx.json"] if sys.platform == "linux" else []):
            self.assertTrue(list(installed.rglob(name)), name)

    def test_manual_and_completion(self):
        """A page for each command, in the folder of pages; a script for each shell, where that shell looks."""
        command = next(self.root.rglob("bin/tidemill"))
        listed = re.findall(r"(?m)^  tidemill ([a-z]+(?: [a-z]+)?)  +", output([command, "help"]))
        pages = {page.name: page for page in self.root.rglob("man/man1/*.1")}
        self.assertEqual(set(pages), {"tidemill.1"} | {f"tidemill-{name.replace(' ', '-')}.1" for name in listed})
        for name in listed:
            self.assertEqual(pages[f"tidemill-{name.replace(' ', '-')}.1"].read_text(), output([command, "--man", *name.split()]))
        for shell, place in ("bash", "bash-completion/completions/tidemill"), ("zsh", "zsh/site-functions/_tidemill"), ("fish", "fish/vendor_completions.d/tidemill.fish"):
            self.assertEqual(next(self.root.rglob(place)).read_text(), output([command, "--completion", shell]))

    def test_headers_stand_alone(self):
        headers = sorted((self.root / "installed").rglob("include/tidemill/*.h"))
        self.assertTrue(headers)
        for header in headers:
            (self.root / "one.c").write_text(f"#include <tidemill/{header.name}>\nint main(void) {{ return 0; }}\n")
            output([*CC, "-std=c11", "-Wall", "-Wextra", "-Werror", *self.flags("--cflags"), "one.c", "-fsyntax-only"], cwd=self.root)
            output(["c++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *self.flags("--cflags"), "-x", "c++", "one.c", "-fsyntax-only"],
                   cwd=self.root)

    def test_version(self):
        header = (SOURCE / "include/tidemill/core.h").read_text()
        said = output(["pkg-config", "--modversion", "tidemill"], env=self.env).strip()
        self.assertIn(f'#define TIDE_VERSION "{said}"', header)

    def names_of(self, library):
        return [line.split()[-1] for line in output(["nm", "-D", "--defined-only", self.libraries / f"{library}.so"]).splitlines()]

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("nm"), "ELF only")
    def test_only_public_names(self):
        for name, own in ("libtidemill", r"(tide|forecast|eis)_"), ("libtidemill-serve", "serve_"):
            names = self.names_of(name)
            self.assertTrue(names)
            self.assertEqual([n for n in names if not re.match(own, n)], [], "names that are not the library's")
            self.assertTrue((self.libraries / f"{name}.so.{so_version()}").exists(), f"no soname link {name}.so.{so_version()}")

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("nm"), "ELF only")
    def test_every_public_name(self):
        """What a header marks TIDE_API is in the library: a declaration without a definition would fail only for its first user."""
        headers = (self.root / "installed").rglob("include/tidemill/*.h")
        text = "\n".join(re.sub(r"(?s:/\*.*?\*/)|^#.*$", " ", h.read_text(), flags=re.MULTILINE) for h in headers)
        declared = set(re.findall(r"TIDE_API\b[^;{(]*?(\w+)\s*\(", text))
        there = {*self.names_of("libtidemill"), *self.names_of("libtidemill-serve")}
        self.assertGreater(len(declared), 100)
        self.assertEqual(sorted(declared - there), [], "declared but not in the library")

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("readelf"), "ELF only")
    def test_soname(self):
        self.assertIn(f"[libtidemill.so.{so_version()}]", output(["readelf", "-d", self.libraries / "libtidemill.so"]))

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("readelf"), "ELF only")
    def test_service_is_apart(self):
        """A server's libraries are needed by the service's library and the command alone; a program may link both."""
        served = ("microhttpd", "sodium", "sqlite3")
        said = output(["readelf", "-d", self.libraries / "libtidemill.so"]) + " ".join(self.private_libraries())
        self.assertEqual([name for name in served if name in said], [])
        program = ('#include <tidemill/options.h>\n#include <tidemill/serve.h>\n'
                   'int main(void) {\n    serve_options o;\n    serve_options_default(&o);\n'
                   '    return tide_option_find(serve_table(), "port") && o.port == 8321 ? serve_port(0) : 1;\n}\n')
        (self.root / "apart.c").write_text(program)
        output([*CC, "apart.c", *self.flags("--cflags", "--libs", package="tidemill-serve"), *self.flags("--libs"), "-o", "apart"], cwd=self.root)
        output(["./apart"], cwd=self.root, env={**self.env, "LD_LIBRARY_PATH": str(self.libraries)})

    @unittest.skipUnless(sys.platform == "linux" and shutil.which("readelf"), "ELF only")
    def test_starts_without_onednn(self):
        """It is looked for at run time: neither the library nor the command names it, nor does a static program's list."""
        for program in self.libraries / "libtidemill.so", next((self.root / "installed").rglob("bin/tidemill")):
            self.assertNotIn("dnnl", output(["readelf", "-d", program]))
        self.assertNotIn("-ldnnl", self.private_libraries())

    def test_command(self):
        command = next((self.root / "installed").rglob("bin/tidemill"))
        self.assertRegex(output([command, "--version"]), r"^tidemill \d+\.\d+\.\d+$")

    def test_golden_files(self):
        """The installed command reads the files installed with it: a damaged one is refused by its name."""
        command = next((self.root / "installed").rglob("bin/tidemill"))
        self.assertEqual(json.loads(output([command, "selftest", "--json"]))["golden_files"], 5)
        golden = next((self.root / "installed").rglob("share/tidemill/golden/itransformer_adam60.npz"))
        whole = golden.read_bytes()
        golden.write_bytes(whole[:1000])
        done = subprocess.run([command, "selftest", "--json"], capture_output=True, text=True)
        golden.write_bytes(whole)
        self.assertEqual(done.returncode, 3)
        self.assertIn("/share/tidemill/golden/itransformer_adam60.npz", json.loads(done.stdout)["error"]["file"])


if __name__ == "__main__":
    unittest.main(argv=["test_install", "-q"], verbosity=0)

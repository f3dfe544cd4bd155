#!/usr/bin/env python3
"""What was linked is hardened as meson.build says, and the tool that says so finds each fault that is put into a program.

    test_hardening.py SOURCE 'COMPILER' FILE..."""
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, CC, FILES = pathlib.Path(sys.argv[1]), shlex.split(sys.argv[2]), sys.argv[3:]
sys.path.insert(0, str(SOURCE / "tools"))
import check_hardening

PROGRAM = """#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
    char text[64];
    snprintf(text, sizeof text, argv[0], argc);
    strcpy(text + argc, argv[0]);
    return puts(text) < 0;
}
"""
GOOD = "-O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -pie -Wl,-z,relro,-z,now,-z,noexecstack".split()
BAD = {
    "not position independent": "-fno-pie -no-pie",
    "its stack can be executed": "-Wl,-z,execstack",
    "no read-only relocations": "-Wl,-z,norelro",
    "symbols are not bound at the start": "-Wl,-z,lazy",
    "a folder of libraries is written in": "-Wl,-rpath,/nowhere",
    "no stack protector": "-fno-stack-protector",
    "no fortified calls": "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0",
}


class Hardening(unittest.TestCase):
    def test_what_was_linked(self):
        self.assertTrue(FILES)
        self.assertEqual([(file, check_hardening.faults(file)) for file in FILES if check_hardening.faults(file)], [])

    def test_faults_are_found(self):
        with tempfile.TemporaryDirectory() as name:
            program, source = pathlib.Path(name) / "program", pathlib.Path(name) / "program.c"
            source.write_text(PROGRAM)
            for fault, options in {"": "", **BAD}.items():
                subprocess.run([*CC, "-w", source, *GOOD, *options.split(), "-o", program], check=True, capture_output=True)
                self.assertIn(fault, [*check_hardening.faults(program), ""])
                if not fault: self.assertEqual(check_hardening.faults(program), [])


if __name__ == "__main__":
    if not shutil.which("readelf"):
        print("skipped: readelf is not installed (apt-get install binutils)")
        sys.exit(77)
    unittest.main(argv=["test_hardening", "-q"], verbosity=0)

#!/usr/bin/env python3
"""The list of what is in a build: made twice it is the same bytes, it has what the linked files need, and no part is without a licence. With
`schema`, in an environment with the packages of PyPI that hold it, it is a CycloneDX document (skipped without a package index).

    test_sbom.py SOURCE BUILD FOLDER FILE...     FOLDER "": without the schema"""
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import venv

SOURCE, BUILD, FOLDER, FILES = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
sys.path.insert(0, str(SOURCE / "tools"))
import sbom

VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(str(fault) if fault else 0)
"""


class Sbom(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def written(self, name):
        path = self.folder / name
        subprocess.run([sys.executable, SOURCE / "tools/sbom.py", BUILD, path, *FILES], check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        return path

    def test_same_bytes(self):
        self.assertEqual(self.written("one").read_bytes(), self.written("two").read_bytes())

    def test_parts(self):
        made = json.loads(self.written("bill").read_text())
        parts = {part["name"]: part for part in made["components"]}
        self.assertEqual(made["metadata"]["timestamp"], "1970-01-01T00:00:01Z")
        self.assertLessEqual({"glibc", "jansson", "libzip", "libcsv", "random123"}, set(parts))
        self.assertEqual(parts["onednn"]["scope"], "optional")
        self.assertRegex(parts["jansson"]["version"], r"^\d+\.\d+")
        self.assertEqual([name for name, part in parts.items() if "licenses" not in part], [], "rows of tools/sbom.py are missing")

    def test_unknown_is_told(self):
        """test_parts is what fails then."""
        for table, name, part in (sbom.LINKED, "libjansson.", "libjansson"), (sbom.OPENED, "libdnnl", "libdnnl"):
            row = table.pop(name)
            self.addCleanup(table.update, {name: row})
            told = io.StringIO()
            with contextlib.redirect_stderr(told):
                made = sbom.bom(BUILD, FILES)
            self.assertIn(f"{part}", told.getvalue())
            self.assertEqual(["licenses" in found for found in made["components"] if found["name"] == part], [False])

    @unittest.skipUnless(FOLDER, "slow")
    def test_schema(self):
        environment = pathlib.Path(FOLDER)
        python = environment / "bin/python"
        if not (environment / "ready").exists():
            venv.create(environment, with_pip=True, clear=True)
            got = subprocess.run([python, "-m", "pip", "install", "-q", "cyclonedx-python-lib[json-validation]>=8,<12"], capture_output=True, text=True)
            if got.returncode: self.skipTest("no package index")
            (environment / "ready").touch()
        done = subprocess.run([python, "-c", VALIDATE, self.written("bill")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        broken = self.folder / "broken"
        broken.write_text(self.written("bill").read_text().replace('"type": "library"', '"type": "thing"'))
        self.assertNotEqual(subprocess.run([python, "-c", VALIDATE, broken], capture_output=True).returncode, 0, "the schema refuses nothing")


if __name__ == "__main__":
    unittest.main(argv=["test_sbom", "-q"], verbosity=0)

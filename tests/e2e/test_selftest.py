#!/usr/bin/env python3
"""tidemill selftest: the golden files that come along, altered ones, damaged ones, none."""
import json
import pathlib
import shutil
import subprocess
import zipfile

import program
from program import Case, PROGRAM

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
STEPS = "itransformer_adam60.npz"


class Selftest(Case):
    def setUp(self):
        super().setUp()
        self.golden = self.folder / "golden"
        self.golden.mkdir()
        for path in GOLDEN.glob("*.npz"):
            shutil.copy(path, self.golden)

    def change(self, file, member, how):
        """Puts how(bytes) in place of an array; None leaves it out."""
        with zipfile.ZipFile(GOLDEN / file) as old, zipfile.ZipFile(self.golden / file, "w") as new:
            for name in old.namelist():
                data = how(old.read(name)) if name == member + ".npy" else old.read(name)
                if data is not None:
                    new.writestr(name, data)

    def selftest(self, code, *words):
        return json.loads(self.code(code, "selftest", "--json", *words).stdout)

    def test_files_that_come_along(self):
        told = self.selftest(0)
        self.assertEqual((told["failed"], told["golden_files"]), (0, 5))

    def test_precision(self):
        """ref multiplies both types, cpu what its processor does: then it says why not."""
        told = self.selftest(0, "--precision", "f16", "--only", "matmul", "--device", "ref")
        self.assertEqual((told["failed"], told["precision"], told["golden_files"]), (0, "f16", 0))
        self.assertGreater(told["worst_rel_error"], 1e-4, "nothing was rounded")
        done = self.code(0, "selftest", "--precision", "f16", "--only", "large", "--json")
        self.assertEqual((json.loads(done.stdout)["precision"], "in f32: f16" in done.stderr), ("f32", True))
        told = self.selftest(0, "--precision", "bf16", "--only", ".npz", "--device", "ref")
        self.assertEqual((told["failed"], told["passed"], told["golden_files"]), (0, 5, 5))

    def test_only(self):
        self.assertEqual(self.selftest(0, "--only", "d cumsum")["passed"], 2)
        error = self.error(2, "selftest", "--only", "nonsense")
        self.assertEqual((error["column"], "nonsense" in error["message"]), ("only", True))

    def test_without_steps(self):
        """As in a folder that the published program filled."""
        (self.golden / STEPS).unlink()
        self.assertEqual(self.selftest(0, "--golden", self.golden)["golden_files"], 4)

    def test_another_answer_is_seen(self):
        """The last element of an array in another binade."""
        self.change("itransformer_many.npz", "out", lambda data: data[:-1] + bytes([data[-1] ^ 1]))
        done = self.code(1, "selftest", "--golden", self.golden)
        self.assertIn("failed: itransformer_many.npz: out", done.stderr)
        self.assertIn("1 failed", done.stdout)

    def test_damaged(self):
        self.change(STEPS, "losses", lambda data: None)
        self.assertIn(STEPS, self.error(3, "selftest", "--golden", self.golden)["file"])

    def test_program_alone(self):
        """A copy of the program, away from its files, says what it did not check. It does not know where its sources were."""
        (self.folder / "alone").mkdir()
        copy = shutil.copy(PROGRAM, self.folder / "alone/tidemill")
        self.assertNotIn(str(GOLDEN.parents[1]).encode(), copy.read_bytes())
        done = subprocess.run([copy, "selftest", "--json"], capture_output=True, text=True, env=program.environment())
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout)["golden_files"], 0)
        self.assertIn("--golden DIR", done.stderr)


if __name__ == "__main__":
    program.main("test_selftest")

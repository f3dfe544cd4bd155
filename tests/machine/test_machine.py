#!/usr/bin/env python3
"""tidemill machine: what it says, and the measurement it keeps."""
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program  # noqa: E402
from program import Case  # noqa: E402

# What a measurement kept, for tests that only start from one.
MEASURED = tempfile.TemporaryDirectory()


def take_measured(cache):
    kept = pathlib.Path(MEASURED.name) / "cache"
    if not kept.exists():
        assert program.run("machine", "--measure", env={"XDG_CACHE_HOME": kept}).returncode == 0
    shutil.copytree(kept, cache)


CHOICES = {"batch-size", "eis-batch-size", "d-model", "d-ff", "seq-len", "threads", "memory", "precision", "compile-mode"}


class Machine(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.env = {"XDG_CACHE_HOME": self.cache}

    def answer(self, *words):
        return json.loads(self.code(0, "machine", "--json", *words, env=self.env).stdout)

    def kept(self):
        files = [p for p in self.cache.rglob("*") if p.is_file()]
        self.assertEqual(len(files), 1, files)
        return files[0]

    def test_without_measuring(self):
        found = self.answer()
        self.assertEqual(set(found["advice"]), CHOICES)
        self.assertFalse(found["rates"]["measured"])
        self.assertFalse(self.cache.exists(), "nothing is kept unless asked for")
        self.assertEqual(found["machine"]["allowed_processors"], len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else
                         found["machine"]["processors"])
        self.assertTrue(all(choice["why"] for choice in found["advice"].values()))
        text = self.code(0, "machine", env=self.env).stdout
        for choice, said in found["advice"].items():
            self.assertIn(choice, text)
            self.assertIn(re.sub("`([a-z-]+)`", r"--\1", said["why"]), text)

    def test_measured_once(self):
        first = self.answer("--measure")
        self.assertTrue(first["rates"]["measured"])
        written = self.kept().stat().st_mtime_ns
        for words in [], ["--measure"], ["--measure=once"]:
            self.assertEqual(self.answer(*words)["rates"], first["rates"], f"machine {words} takes what is kept")
        self.assertEqual(self.kept().stat().st_mtime_ns, written)
        again = self.code(0, "machine", "--json", "--measure", "again", env=self.env)
        # What other work made look slower is not taken over, and that is said.
        unchanged = self.kept().stat().st_mtime_ns == written
        self.assertEqual(unchanged, "which is kept" in again.stderr, again.stderr)

    def test_device(self):
        """Nothing is guessed of another device: it is measured, and kept beside the processor's."""
        first = self.answer("--device", "ref")
        self.assertEqual((first["device"], first["rates"]["measured"]), ("ref", True))
        self.kept()
        self.assertEqual(self.answer("--device", "ref")["rates"], first["rates"])
        self.assertEqual((self.answer()["device"], self.answer()["rates"]["measured"]), ("cpu", False))
        self.assertEqual(self.answer("--measure")["device"], "cpu")
        self.assertEqual(len([p for p in self.cache.rglob("*") if p.is_file()]), 2)
        self.assertEqual(self.error(4, "machine", "--device", "opncl", env=self.env)["column"], "device")

    def test_damaged(self):
        take_measured(self.cache)
        self.assertTrue(self.answer()["rates"]["measured"])
        file = self.kept()
        file.write_bytes(file.read_bytes()[:100])
        estimate = self.code(0, "machine", "--json", env=self.env)
        self.assertFalse(json.loads(estimate.stdout)["rates"]["measured"])
        self.assertIn("damaged", estimate.stderr)
        self.assertTrue(self.answer("--measure")["rates"]["measured"])
        self.assertTrue(self.answer()["rates"]["measured"], "the damaged file was replaced")

    def test_nothing_to_keep_it_in(self):
        self.cache.write_text("a file, not a folder")
        done = self.code(0, "machine", "--measure", "--json", env=self.env)
        self.assertTrue(json.loads(done.stdout)["rates"]["measured"])
        self.assertIn("not kept", done.stderr)

    def test_usage(self):
        self.assertEqual(self.error(2, "machine", "--measure=never", env=self.env)["column"], "measure")
        self.error(2, "machine", "word", env=self.env)


class AutoSize(Case):
    def setUp(self):
        super().setUp()
        self.env = {"XDG_CACHE_HOME": self.folder / "cache"}
        self.series = program.write_series(self.folder / "series.csv")

    def train(self, *words):
        """The options of the run, and what was said."""
        out = self.folder / f"run{len(list(self.folder.glob('run*')))}"
        done = self.code(0, "forecast", "train", "--data", self.series, "--out", out, "--pred-len", "4", "--e-layers", "1", "--epochs", "1",
                         "--no-plots", *words, env=self.env)
        return json.loads((out / "run.json").read_text()), done.stderr

    def advised(self, *words):
        advice = json.loads(self.code(0, "machine", "--json", *words, env=self.env).stdout)["advice"]
        return {name: choice["value"] for name, choice in advice.items()}

    def value(self, run, name):
        """run.json may keep options in an object of their own, and write - as _."""
        for place in run, run.get("options", {}):
            for key in name, name.replace("-", "_"):
                if key in place:
                    return place[key]
        self.fail(f"run.json has no {name}: {sorted(run)}")

    def test_advice_is_taken(self):
        run, said = self.train("--auto-size")
        for name, value in self.advised().items():
            if name in ("batch-size", "d-model", "d-ff", "threads"):
                self.assertEqual(self.value(run, name), value, name)
        self.assertEqual(self.value(run, "seq-len"), 96)
        self.assertIn("sized for", said)

    def test_given_sizes_stay(self):
        run, _ = self.train("--auto-size", "--d-model", "32", "--batch-size", "8", "--seq-len", "24")
        self.assertEqual([self.value(run, name) for name in ("d-model", "batch-size", "seq-len")], [32, 8, 24])
        self.assertEqual(self.value(run, "d-ff"), self.advised()["d-ff"])

    def test_sizes_stay_without_it(self):
        small = ["--seq-len", "16", "--d-model", "16", "--d-ff", "16", "--batch-size", "5000"]
        _, said = self.train(*small)
        self.assertNotIn("--auto-size", said if sys.platform != "darwin" else "", "an estimate is no ground for a warning")
        take_measured(self.folder / "cache")
        run, said = self.train(*small)
        self.assertEqual(self.value(run, "batch-size"), 5000)
        self.assertIn("--batch-size 5000 is more than twice", said)
        self.assertNotIn("--d-model", said)


if __name__ == "__main__":
    program.main("test_machine")

#!/usr/bin/env python3
"""Several processes answer one batch, many questions or evaluate one predictor on storage that all see: the bytes of one, whoever is killed."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import program
import test_eis_batch as made
from program import Case


class Joined(Case):
    """A process that is stopped has pieces in hand, for which the others wait until it is killed."""

    def start(self, *words):
        child = subprocess.Popen([program.PROGRAM, *map(str, words), "--join"], env=program.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True, cwd=self.folder)
        self.children.append(child)
        return child

    def setUp(self):
        super().setUp()
        self.children = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for child in self.children:
            self.end(child)

    def end(self, child):
        if child.poll() is None:
            child.kill()
        child.communicate()

    def wait_for(self, true, child):
        until = time.monotonic() + 60
        while not true():
            self.assertIsNone(child.poll(), "it ended before it was to be stopped")
            self.assertLess(time.monotonic(), until)
            time.sleep(0.002)

    def pieces(self, out, name=""):
        folder = self.folder / out / ".tidemill/pieces"
        return [path.name for path in folder.glob(name + "-*")] if name else [folder] * folder.exists()

    def held(self, out, name, *words):
        """A process that stands still in the middle of its work."""
        child = self.start(*words, "--out", out)
        self.wait_for(lambda: self.pieces(out, name), child)
        os.kill(child.pid, signal.SIGSTOP)
        return child

    def killed(self, out, name, *words, code=0):
        """By three, one of which is killed: what the others say."""
        first = self.held(out, name, *words)
        before, others = len(self.pieces(out, name)), [self.start(*words, "--out", out) for _ in range(2)]
        self.wait_for(lambda: len(self.pieces(out, name)) > before, others[0])
        first.kill()
        said = [child.communicate(timeout=120) for child in others]
        self.assertEqual([child.returncode for child in others], [code, code], said)
        self.assertFalse((self.folder / out / ".tidemill/pieces").exists())
        return said

    def write(self, name, i):
        rows, _ = made.epithelium(400.0 + 60 * i, 3000.0, 900.0, 3e-6, 1.2e-6, 40.0, i)
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{f!r},{re!r},{im!r}\n" for f, re, im in rows))
        return name

    def bytes_of(self, out):
        return {path.name: path.read_bytes() for path in (self.folder / out).iterdir() if path.is_file()}


class Batch(Joined):
    def setUp(self):
        super().setUp()
        for i in range(32):
            self.write(f"plate/s{i:02}.csv", i)

    words = ["eis", "batch", "plate", "--threads", 1]

    def test_killed(self):
        """The others take over what it had in hand; each has the rows of one process."""
        one = self.code(0, *self.words, "--out", "one", cwd=self.folder)
        self.assertEqual(self.killed("shared", "answers", *self.words), [(one.stdout, one.stderr)] * 2)
        self.assertEqual(self.bytes_of("shared"), self.bytes_of("one"))

    def test_goes_on(self):
        """All are killed; fewer go on, with another spectrum, and then one without `join`."""
        for child in [self.held("shared", "answers", *self.words)] + [self.start(*self.words, "--out", "shared") for _ in range(2)]:
            self.end(child)
        self.write("plate/s32.csv", 32)
        done = self.code(0, *self.words, "--out", "shared", "--join", cwd=self.folder)
        self.assertRegex(done.stderr, r"[1-9]\d* of 33 spectra were answered by an earlier run")
        self.code(0, *self.words, "--out", "one", cwd=self.folder)
        shared, one = self.bytes_of("shared"), self.bytes_of("one")
        self.assertEqual(sorted(shared.pop("batch.jsonl").splitlines()), sorted(one.pop("batch.jsonl").splitlines()))
        self.assertEqual(shared, one)
        self.end(self.held("again", "answers", *self.words))
        done = self.code(0, *self.words, "--out", "again", cwd=self.folder)
        self.assertRegex(done.stderr, r"[1-9]\d* of 33 spectra were answered by an earlier run")
        self.assertFalse(self.pieces("again"))
        self.assertEqual({name: text for name, text in self.bytes_of("again").items() if name != "batch.jsonl"}, one)

    def test_refused(self):
        """Other options, other spectra, another plate, one that does not join; a folder that nobody named."""
        self.held("shared", "answers", *self.words)
        (self.folder / "plate.csv").write_text("file,condition\ns01.csv,a\n")
        self.assertEqual(self.error(2, *self.words, "--out", "shared", "--join", "--circuit", "auto", cwd=self.folder)["option"], "circuit")
        self.assertEqual(self.error(2, *self.words, "--out", "shared", "--join", "--samples", "plate.csv", cwd=self.folder)["option"], "samples")
        self.assertIn("another process is writing", self.error(2, *self.words, "--out", "shared", cwd=self.folder)["message"])
        self.write("plate/s32.csv", 32)
        self.assertEqual(self.error(2, *self.words, "--out", "shared", "--join", cwd=self.folder)["option"], "spectrum")
        self.assertEqual(self.error(2, *self.words, "--join", cwd=self.folder)["option"], "join")


class Complete(Joined):
    def setUp(self):
        super().setUp()
        self.files = [self.write(f"s{i}.csv", i) for i in range(8)]
        (self.folder / "notes.txt").write_text("notes of the day\n")
        self.files.insert(3, "notes.txt")
        self.words = ["eis", "complete", "--no-plots", "--spectrum", *self.files]

    def test_killed(self):
        """Answers, reasons and what is said of them are those of one process."""
        one = self.code(3, *self.words, "--out", "one", cwd=self.folder)
        self.assertEqual(self.killed("shared", "answer", *self.words, code=3), [(one.stdout, one.stderr)] * 2)
        self.assertEqual(self.bytes_of("shared"), self.bytes_of("one"))

    def test_goes_on(self):
        """All are killed; one goes on, or begins anew without `join`."""
        for out, more in (("shared", ["--join"]), ("alone", [])):
            self.end(self.held(out, "answer", *self.words))
            self.assertTrue(self.pieces(out))
            self.code(3, *self.words, "--out", out, *more, cwd=self.folder)
            self.assertFalse(self.pieces(out))
        self.assertEqual(self.bytes_of("shared"), self.bytes_of("alone"))

    def test_refused(self):
        self.held("shared", "answer", *self.words)
        for more in (["--noise", "2%"], ["--top-k", 3]):
            self.assertEqual(self.error(2, *self.words, "--out", "shared", "--join", *more, cwd=self.folder)["option"], more[0][2:])
        self.assertEqual(self.error(2, *self.words[:-1], "--out", "shared", "--join", cwd=self.folder)["option"], "spectrum")
        self.assertEqual(self.error(2, *self.words, "--join", cwd=self.folder)["option"], "join")
        self.assertEqual(self.error(2, "eis", "complete", "--known", "Rsh=460", "--out", "other", "--join", cwd=self.folder)["option"], "join")

    def test_plots(self):
        """Each process draws what it answers."""
        if "slow" not in sys.argv:
            self.skipTest("takes half a minute")
        words = ["eis", "complete", "--spectrum", *self.files[:3]]
        self.code(0, *words, "--out", "one", cwd=self.folder)
        self.killed("shared", "answer", *words)
        self.assertEqual(self.bytes_of("shared"), self.bytes_of("one"))


class Evaluate(Joined):
    SMALL = ("--pool-spectra", 1024, "--batch-size", 128, "--hidden-dim", 16, "--epochs", 1, "--max-minutes", 0.02, "--keep-out", 0, "--no-plots", "--seed", 7)

    def train(self, recipe):
        self.code(0, "eis", "train", "--recipe", recipe, *self.SMALL, "--out", "run", cwd=self.folder)

    def report(self, text):
        """But for what a clock says."""
        report = json.loads(text)
        report.pop("seconds")
        for level in report["levels"]:
            level.pop("spectra_per_s", None)
        return report

    def divides(self, recipe, name, *words):
        self.train(recipe)
        words = ["eis", "evaluate", "run", "--no-plots", "--threads", 1, *words]
        one = self.report(self.code(0, *words, "--json", cwd=self.folder).stdout)
        for stdout, _ in self.killed("shared", name, *words, "--json"):
            self.assertEqual(self.report(stdout), one)
        self.assertEqual(self.report(self.bytes_of("shared")["evaluation.json"]), one)
        return words, one

    def test_grid(self):
        """The others take over what it had in hand; each has the sums of one process, to the bit. All killed, one goes on."""
        words, one = self.divides("grid", "grid0", "--noise", "1%", "--test-spectra", 65)
        self.held("again", "grid0", *words)
        self.assertEqual(self.error(2, *words, "--out", "again", "--join", "--seed", 5, cwd=self.folder)["option"], "seed")
        self.assertIn("another process is writing", self.error(2, "eis", "train", "--recipe", "grid", "--out", "again", cwd=self.folder)["message"])
        self.assertEqual(self.error(2, *words, "--join", cwd=self.folder)["option"], "join")
        self.end_all()
        self.assertEqual(self.report(self.code(0, *words, "--out", "again", "--join", "--json", cwd=self.folder).stdout), one)
        self.assertFalse(self.pieces("again"))

    def test_slow(self):
        """Continuous posteriors and fits, which are most of the time, in pieces of their own; known values are not divided."""
        if "slow" not in sys.argv:
            self.skipTest("takes minutes")
        self.divides("lab", "refined0", "--test-spectra", 64)
        shutil.rmtree(self.folder / "shared"), shutil.rmtree(self.folder / "run")
        self.divides("cell", "fits0", "--test-spectra", 40)
        self.code(0, "eis", "generate", "--n-ground-truths", 2, "--points", 3, "--data-dir", "data", cwd=self.folder)
        self.code(0, "eis", "train", "--inputs", "known", "--samples-per-pattern", 50, "--epochs", 1, "--data-dir", "data", "--out", "known", "--no-plots", cwd=self.folder)
        self.assertEqual(self.error(2, "eis", "evaluate", "known", "--join", "--out", "other", cwd=self.folder)["option"], "join")


if __name__ == "__main__":
    program.main("test_joined_eis")

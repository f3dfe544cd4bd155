#!/usr/bin/env python3
"""Several processes share a search, or a backtest: what one would have found and left, whoever is killed."""
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import program
from program import Case

# Keys of figures that are measured, in whatever file.
CLOCK = {"seconds", "elapsed", "wall_s", "train_s", "compile_ms", "first_step_ms", "step_ms_median", "step_ms_min", "peak_rss_mib"}


def without_clock(value):
    if isinstance(value, dict):
        return {key: without_clock(one) for key, one in value.items() if key not in CLOCK}
    return [without_clock(one) for one in value] if isinstance(value, list) else value


class Joined(Case):
    """Commands run in a folder of their own, so that all names that are written down are the same."""

    def setUp(self):
        super().setUp()
        for name in ("one", "several"):
            (self.folder / name).mkdir()

    def alone(self, *words, **more):
        return self.code(0, *words, cwd=self.folder / "one", **more)

    def start(self, *words, **more):
        return subprocess.Popen([program.PROGRAM, *map(str, words), "--join"], cwd=self.folder / "several", stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=program.environment(**more))

    def wait_for(self, pattern, child):
        """Until there are files of that name."""
        while not list((self.folder / "several").glob(pattern)):
            self.assertIsNone(child.poll(), "it ended before")
            time.sleep(0.002)

    def end(self, children, killed=()):
        """What they say that were not killed."""
        said = [child.communicate(timeout=100) for child in children]
        for i, child in enumerate(children):
            self.assertIn(child.returncode, {-signal.SIGKILL, 0} if i in killed else {0}, said[i])  # a busy machine may kill late
        return [out for i, (out, _) in enumerate(said) if i not in killed]

    def kill(self, *children):
        for child in children:
            os.kill(child.pid, signal.SIGKILL)


    def mpirun(self, expected, *words):
        if not shutil.which("mpirun"):
            self.skipTest("mpirun is not there")
        done = subprocess.run(["mpirun", "-n", "3", "--oversubscribe", "--allow-run-as-root", program.PROGRAM, *map(str, words)], cwd=self.folder / "several",
                              capture_output=True, text=True, env=program.environment(), timeout=100)
        self.assertEqual(done.returncode, expected, done.stderr)
        return done


class Tune(Joined):
    def setUp(self):
        super().setUp()
        self.data = program.write_series(self.folder / "series.csv", rows=160)

    def words(self, *more, trials=9, epochs=18):
        return ("forecast", "tune", "--data", self.data, "--out", "out", "--space", "arch=itransformer,dlinear;d-model=8,16;learning-rate=1e-4..1e-2 log",
                "--trials", trials, "--seeds", 3, "--seq-len", 16, "--pred-len", 4, "--n-heads", 2, "--d-model", 8, "--d-ff", 16, "--e-layers", 1, "--epochs", epochs, "--patience", 0, "--no-plots",
                "--threads", 1, *more)

    def left(self, place):
        """All files by name, without times."""
        files = {}
        for path in sorted((self.folder / place / "out").rglob("*")):
            name = str(path.relative_to(self.folder / place))
            if path.is_dir() or ".tidemill" in path.parts or path.name == "state.safetensors":
                files[name] = ""
            elif path.suffix == ".json":
                files[name] = without_clock(json.loads(path.read_text()))
            elif path.suffix == ".jsonl":
                files[name] = [without_clock(json.loads(line)) for line in path.read_text().splitlines() if '"clock"' not in line]
            elif path.name == "metrics.csv":
                files[name] = [row[:6] for row in csv.reader(path.read_text().splitlines())]
            else:
                files[name] = path.read_bytes()
        return files

    def same(self):
        one, several = self.left("one"), self.left("several")
        self.assertEqual(list(one), list(several))
        for name in one:
            self.assertEqual(one[name], several[name], name)

    def test_killed(self):
        """The others take over what it had in hand; each has the whole result."""
        one = json.loads(self.alone(*self.words("--json")).stdout)
        children = [self.start(*self.words("--json")) for _ in range(3)]
        self.wait_for("out/.tidemill/pieces/rung1-*", children[0])
        self.kill(children[1])
        for out in self.end(children, killed={1}):
            self.assertEqual(without_clock(json.loads(out)), without_clock(one))
        self.same()

    def test_goes_on(self):
        """All are killed, in the second rung, then among the seeds; another number goes on, one without `join` too."""
        self.alone(*self.words())
        children = [self.start(*self.words()) for _ in range(3)]
        self.wait_for("out/.tidemill/pieces/rung2-*", children[0])
        self.kill(*children)
        self.end(children, killed={0, 1, 2})
        before = set((self.folder / "several/out/.tidemill/pieces").glob("rung1-*"))
        self.assertEqual(len(before), 9)
        stamps = {path: path.stat().st_mtime_ns for path in before}
        error = self.error(2, *self.words("--join", trials=8), cwd=self.folder / "several")
        self.assertEqual(error["option"], "trials")
        children = [self.start(*self.words()) for _ in range(2)]
        self.wait_for("out/seeds/*/run.json", children[0])
        self.assertEqual({path: path.stat().st_mtime_ns for path in before}, stamps, "what was finished was made again")
        self.kill(*children)
        self.end(children, killed={0, 1})
        shutil.copytree(self.folder / "several", self.folder / "copy")
        self.end([self.start(*self.words())])
        self.same()
        shutil.rmtree(self.folder / "several")
        (self.folder / "copy").rename(self.folder / "several")
        self.code(0, *self.words("--resume", "auto"), cwd=self.folder / "several")
        self.same()
        self.end([self.start(*self.words()) for _ in range(2)])
        self.same()

    def test_refused(self):
        """What would make processes decide differently, other options, and one that wants the folder for itself."""
        for words, option in ((("--budget", "1h"), "budget"), (("--overwrite",), "overwrite")):
            self.assertEqual(self.error(2, *self.words("--join", *words), cwd=self.folder / "several")["option"], option)
        self.assertEqual(self.error(2, "forecast", "tune", "--data", self.data, "--join")["option"], "out")
        self.assertFalse((self.folder / "several/out").exists())
        child = self.start(*self.words())
        self.wait_for("out/trials/*/run.json", child)
        for words, said in ((("--join", "--learning-rate", 0.5), "learning-rate"), (("--resume", "auto"), "another process is writing")):
            error = self.error(2, *self.words(*words), cwd=self.folder / "several")
            self.assertIn(said, error["message"])
        self.end([child])
        self.assertEqual(self.error(2, *self.words("--join", trials=8), cwd=self.folder / "several")["option"], "trials")
        self.assertFalse((self.folder / "several/out/.tidemill/pieces").exists())
        journal = self.folder / "several/out/tune.jsonl"
        journal.write_text(journal.read_text().replace('"complete":true', '"complete":false'))  # as a budget leaves it
        self.assertIn("ended by its `budget`", self.error(2, *self.words("--join"), cwd=self.folder / "several")["message"])
        (self.folder / "one/out/best").mkdir(parents=True)
        self.assertIn("not made by this search", self.error(2, *self.words("--join"), cwd=self.folder / "one")["message"])
        self.assertFalse((self.folder / "one/out/.tidemill/pieces").exists())

    def test_mpirun(self):
        """Nobody needs to say `join`; each trial is trained by its process alone, and number 0 has the word."""
        self.alone(*self.words(epochs=9))
        json.loads(self.mpirun(0, *self.words("--json", epochs=9)).stdout)
        self.same()
        self.assertIn("--budget ends a search by the clock of one process", self.mpirun(2, *self.words("--budget", "1h", epochs=9)).stderr)


class Backtest(Joined):
    REFITS = ("--step", 4, "--refit-every", 2, "--warm-start", "--epochs", 1, "--level", 80)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.run_folder = pathlib.Path(folder.name) / "run"
        cls.data = program.write_series(pathlib.Path(folder.name) / "series.csv", rows=400)
        done = program.run("forecast", "train", "--data", cls.data, "--out", cls.run_folder, *program.SMALL, "--epochs", 3, "--no-plots")
        assert done.returncode == 0, done.stderr

    def words(self, *more):
        return ("forecast", "backtest", self.run_folder, "--data", self.data, "--output", "out.csv", "--threads", 1, *more)

    def same(self):
        self.assertEqual((self.folder / "one/out.csv").read_bytes(), (self.folder / "several/out.csv").read_bytes())
        self.assertEqual([path.name for path in (self.folder / "several").iterdir()], ["out.csv"])

    def shared(self, count, *more):
        """By so many at once; each has all figures."""
        one = without_clock(json.loads(self.alone(*self.words("--json", *more)).stdout))
        for out in self.end([self.start(*self.words("--json", *more)) for _ in range(count)]):
            self.assertEqual(without_clock(json.loads(out)), one)
        self.same()

    def test_by_the_run(self):
        """Batches of its program, with intervals, and those of sums."""
        self.shared(3, "--step", 1, "--level", "50,90", "--sum", "all=load+wind+OT")

    def test_killed(self):
        """By models that are trained for it: the others take over what a process had in hand."""
        one = without_clock(json.loads(self.alone(*self.words("--json", *self.REFITS)).stdout))
        children = [self.start(*self.words("--json", *self.REFITS)) for _ in range(3)]
        self.wait_for("out.csv.pieces/.tidemill/pieces/origins-*", children[0])
        self.kill(children[1])
        for out in self.end(children, killed={1}):
            self.assertEqual(without_clock(json.loads(out)), one)
        self.same()

    def pieces(self):
        return {path: path.stat().st_mtime_ns for path in (self.folder / "several").glob("out.csv.pieces/.tidemill/pieces/origins-*")}

    def test_goes_on(self):
        """All are killed, twice; another number goes on from what is there, and one without `join` takes the rest away."""
        self.alone(*self.words(*self.REFITS))
        before = {}
        for count in (3, 2):
            children = [self.start(*self.words(*self.REFITS)) for _ in range(count)]
            while len(self.pieces()) < len(before) + 2:
                self.assertIsNone(children[0].poll(), "it ended before")
                time.sleep(0.002)
            self.kill(*children)
            self.end(children, killed=set(range(count)))
            self.assertEqual({path: self.pieces()[path] for path in before}, before, "what was finished was made again")
            before = self.pieces()
        self.assertFalse((self.folder / "several/out.csv").exists())
        self.assertEqual(self.error(2, *self.words("--join", *self.REFITS, "--horizon", 2), cwd=self.folder / "several")["option"], "horizon")
        shutil.copytree(self.folder / "several", self.folder / "copy")
        self.end([self.start(*self.words(*self.REFITS))])
        self.same()
        shutil.rmtree(self.folder / "several")
        (self.folder / "copy").rename(self.folder / "several")
        self.code(0, *self.words(*self.REFITS), cwd=self.folder / "several")
        self.same()

    def test_refused(self):
        base = ("forecast", "backtest", self.run_folder, "--join", "--data")
        for words, option in (((self.data,), "output"), ((self.data, "--output", "-"), "output"), ((self.data, "--output", "/dev/null"), "output"),
                              ((self.data, "--output", "out.csv", "--compile-mode", "max-autotune"), "compile-mode")):
            self.assertEqual(self.error(2, *base, *words, cwd=self.folder / "several")["option"], option)
        self.assertEqual(self.error(2, *base, "-", "--output", "out.csv", cwd=self.folder / "several", stdin=self.data.read_text())["option"], "data")
        self.assertEqual(list((self.folder / "several").iterdir()), [])

    def test_strangers(self):
        """What somebody else has put where pieces are kept stays."""
        notes, theirs = (self.folder / place / "out.csv.pieces" for place in ("several", "one"))
        notes.mkdir(), (theirs / ".tidemill").mkdir(parents=True)
        (notes / "notes.txt").write_text("mine")
        (theirs / ".tidemill/notes.txt").write_text("mine")
        self.code(0, *self.words("--join"), cwd=self.folder / "several")
        self.assertEqual([path.name for path in notes.iterdir()], ["notes.txt"])
        self.assertIn("not made by this program", self.error(2, *self.words("--join"), cwd=self.folder / "one")["message"])
        self.code(0, *self.words(), cwd=self.folder / "one")
        self.assertEqual([path.name for path in (theirs / ".tidemill").iterdir()], ["notes.txt"])

    def test_mpirun(self):
        self.alone(*self.words(*self.REFITS))
        json.loads(self.mpirun(0, *self.words("--json", *self.REFITS)).stdout)
        self.same()
        self.assertIn("give it the name of a file", self.mpirun(2, "forecast", "backtest", self.run_folder, "--data", self.data).stderr)


if __name__ == "__main__":
    program.main("test_joined_forecast")

#!/usr/bin/env python3
"""Trainings that begin with the parameters of a run: on more rows, on another level, on other columns."""
import csv
import io
import json
import math
import random
import shutil
import signal
import subprocess
import time

import program
from program import Case

LOOK_BACK, AHEAD, ROWS = 24, 6, 420
SHAPE = ["--seq-len", LOOK_BACK, "--pred-len", AHEAD, "--d-model", 16, "--d-ff", 16, "--e-layers", 1, "--n-heads", 2]
QUIET = ["--no-plots", "--quiet", "--threads", 1]
NO_STEP = ["--epochs", 1, "--learning-rate", 1e-30]  # moves no parameter by a digit


def series(path, names=("load", "wind", "flow"), rows=ROWS, seed=1, level=10.0, ahead=None):
    """Two seasons a column with phases of its own, and noise: what one column teaches holds for the others."""
    draw = random.Random(seed)
    phase = [draw.uniform(0, 6.28) for _ in names]
    with open(path, "w") as out:
        out.write("date," + ",".join((*names, *([ahead] if ahead else []))) + "\n")
        for i in range(rows):
            cells = [level + 3 * math.sin(math.tau * i / 12 + p) + math.sin(math.tau * i / 5 + 2 * p) + draw.gauss(0, 0.2) for p in phase]
            cells += [float(i % 7 == 0)] if ahead else []
            out.write(f"2024-{1 + i // 24 // 28:02d}-{1 + i // 24 % 28:02d} {i % 24:02d}:00," + ",".join(f"{v:.4f}" for v in cells) + "\n")
    return path


def parameters(run):
    """The tensors of a model file by name, as bytes, and its metadata."""
    raw = (run / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8:8 + size])
    meta = json.loads(head.pop("__metadata__")["tidemill.forecast"])
    return {name: raw[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]] for name, t in head.items()
            if "weight" in name and name != "linear.weights"}, meta


class FineTune(Case):
    def setUp(self):
        super().setUp()
        self.data = series(self.folder / "series.csv")
        self.parent = self.train("parent", *SHAPE, "--epochs", 8)

    def train(self, out, *options, data=None):
        self.told = self.code(0, "forecast", "train", "--data", data or self.data, "--out", self.folder / out, *QUIET, *options)
        return self.folder / out

    def tune(self, out, *options, data=None, parent=None):
        return self.train(out, "--from", parent or self.parent, *options, data=data)

    def predict(self, run, *options):
        return self.code(0, "forecast", "predict", run, "--no-plots", "--threads", 1, *options).stdout

    def refused(self, code, option, *options, data=None, **more):
        error = self.error(code, "forecast", "train", "--data", data or self.data, "--out", self.folder / "refused", *QUIET, *options, **more)
        self.assertEqual(error["option"] or error["column"], option, error["message"])
        self.assertFalse((self.folder / "refused/run.json").exists(), error["message"])
        return error["message"]

    def near(self, a, b):
        """Where gaps are counted means are of other sums: equal but for their rounding."""
        rows = [list(csv.reader(io.StringIO(text))) for text in (a, b)]
        self.assertEqual(rows[0][0], rows[1][0])
        for one, other in zip(*rows):
            for x, y in zip(one[1:], other[1:]):
                self.assertTrue(x == y or abs(float(x) - float(y)) < 1e-5 * abs(float(y)), (x, y))

    # ---- what it begins with ----

    def test_no_step(self):
        """Before anything is learned it is the parent: same parameters, and with the same scaler the same forecasts."""
        for arch in ("itransformer", "dlinear", "patchtst"):
            parent = self.train(arch, *SHAPE, "--arch", arch, "--epochs", 2)
            child = self.tune("child-" + arch, *NO_STEP, parent=parent)
            self.assertEqual(self.predict(child), self.predict(parent), arch)
            own, theirs = parameters(child)[1], parameters(parent)[1]
            self.assertEqual(own["model"], theirs["model"], arch)
        told = json.loads((child / "run.json").read_text())
        self.assertEqual(told["options"]["from"], str(parent))
        self.assertEqual(len(told["from_sha256"]), 64)
        self.assertEqual((told["options"]["seq-len"], told["options"]["arch"]), (LOOK_BACK, "patchtst"))

    def test_scaler(self):
        """By default that of the new training rows; kept, the forecasts are the parent's to the bit on any data."""
        other = series(self.folder / "other.csv", seed=2, level=30.0)
        new, kept = self.tune("new", *NO_STEP, data=other), self.tune("kept", *NO_STEP, "--keep-scaler", data=other)
        means = {run: parameters(run)[1]["mean"] for run in (self.parent, new, kept)}
        self.assertEqual(means[kept], means[self.parent])
        self.assertTrue(all(abs(mean - 30) < 1 for mean in means[new]), means[new])
        self.assertEqual(self.predict(kept, "--data", other), self.predict(self.parent, "--data", other))
        self.assertNotEqual(self.predict(new, "--data", other), self.predict(self.parent, "--data", other))

    def test_gaps(self):
        """Gaps that the parent has never seen: its embedding of them says nothing at first."""
        rows = self.data.read_text().splitlines()
        rows[40] = rows[40].rsplit(",", 1)[0] + ","
        gapped = self.folder / "gapped.csv"
        gapped.write_text("\n".join(rows) + "\n")
        child = self.tune("child", *NO_STEP, "--keep-scaler", data=gapped)
        self.near(self.predict(child), self.predict(self.parent))
        again = self.tune("again", *NO_STEP, "--keep-scaler", parent=child)
        self.near(self.predict(again), self.predict(self.parent))

    def test_known(self):
        data = series(self.folder / "known.csv", ahead="plan")
        parent = self.train("parent-known", *SHAPE, "--epochs", 1, "--known", "plan", data=data)
        self.assertIn("`known`", self.refused(2, "from", "--from", parent, data=data))
        self.assertIn("plan", self.refused(2, "from", "--from", parent, data=data))
        self.assertIn("`known`", self.refused(2, "from", "--from", self.parent, "--known", "plan", data=data))
        child = self.tune("child", *NO_STEP, "--known", "plan", "--keep-scaler", data=data, parent=parent)
        self.assertEqual(parameters(child)[0], parameters(parent)[0])

    def test_other_columns(self):
        """No parameter belongs to a column: trained on three, it goes on with five others, and says so."""
        names = ("a", "b", "c", "d", "e")
        other = series(self.folder / "other.csv", names, seed=5)
        self.code(0, "forecast", "train", "--data", other, "--from", self.parent, "--out", self.folder / "child", "--epochs", 1, "--no-plots", "--threads", 1)
        self.assertEqual(parameters(self.folder / "child")[1]["columns"], list(names))
        self.assertIn("columns, 'a' the first, are none of the 3 of", self.code(0, "forecast", "train", "--data", other, "--from", self.parent, "--out",
                                                                           self.folder / "told", *NO_STEP, "--no-plots", "--threads", 1).stderr)
        self.assertEqual(parameters(self.tune("same", *NO_STEP, data=other))[0], parameters(self.parent)[0])
        self.assertIn("'a' is no column", self.refused(2, "keep-scaler", "--from", self.parent, "--keep-scaler", data=other))

    # ---- what it learns ----

    def mse(self, run, data):
        return json.loads(self.code(0, "forecast", "evaluate", "--model", run, "--data", data, "--threads", 1, "--json").stdout)["test"]["mse"]

    def test_helps(self):
        """A few steps on another level and other phases: from the run they give what from nothing they cannot."""
        shifted = series(self.folder / "shifted.csv", rows=200, seed=9, level=40.0)
        few = ("--epochs", 2, "--batch-size", 16)
        nothing = self.train("nothing", *SHAPE, *few, data=shifted)
        tuned = self.tune("tuned", *few, data=shifted)
        self.assertLess(self.mse(tuned, shifted), 0.6 * self.mse(nothing, shifted))

    def test_learns(self):
        """What the new rows are like and the old were not is learned: an other period."""
        with open(self.folder / "slow.csv", "w") as out:
            out.write("date,load,wind,flow\n")
            for i in range(ROWS):
                out.write(f"2025-{1 + i // 24 // 28:02d}-{1 + i // 24 % 28:02d} {i % 24:02d}:00," + ",".join(f"{math.sin(math.tau * i / 17 + k):.4f}" for k in range(3)) + "\n")
        slow = self.folder / "slow.csv"
        tuned = self.tune("tuned", "--epochs", 10, "--learning-rate", 0.002, "--keep-scaler", data=slow)
        self.assertLess(self.mse(tuned, slow), 0.5 * self.mse(self.parent, slow))

    def test_rate(self):
        """A tenth of the usual rate, unless one is given."""
        rate = lambda run: json.loads((run / "run.json").read_text())["options"]["learning-rate"]
        self.assertAlmostEqual(rate(self.tune("a", "--epochs", 1)), 0.1 * rate(self.parent))
        self.assertEqual(rate(self.tune("b", "--epochs", 1, "--learning-rate", 0.002)), 0.002)

    def test_worse_is_told(self):
        done = self.code(0, "forecast", "train", "--data", self.data, "--from", self.parent, "--out", self.folder / "worse", "--epochs", 1,
                         "--learning-rate", 1, "--no-plots", "--threads", 1)
        self.assertIn("no epoch came below the validation loss that training began with", done.stderr)

    # ---- the same bits ----

    def test_threads(self):
        one, two = self.tune("one", "--epochs", 2), self.tune("two", "--epochs", 2, "--threads", 2)
        self.assertEqual(parameters(one), parameters(two))

    def kill(self, *words, after):
        """Kills the training when `after` (a path) is there; True if it was still going on."""
        process = subprocess.Popen([program.PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=program.environment())
        end = time.monotonic() + 60
        while process.poll() is None and not after.exists() and time.monotonic() < end:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def test_kill_and_resume(self):
        """A killed fine-tuning goes on to the same bits, without the parent, whatever was given at first."""
        options = ("--epochs", 40, "--patience", 0, "--keep-scaler")
        whole = self.tune("whole", *options)
        for repeat, after in ((False, "state.safetensors"), (True, "metrics.csv")):
            out = self.folder / f"killed-{after}"
            words = ["forecast", "train", "--data", self.data, "--out", out, *QUIET, *options, "--resume", "auto"]
            gone = self.folder / "gone"
            shutil.copytree(self.parent, gone)
            self.assertTrue(self.kill(*words, "--from", gone, after=out / after))
            shutil.rmtree(gone)
            self.code(0, *words, *(("--from", gone) if repeat else ()))
            self.assertEqual(parameters(out), parameters(whole), after)
            error = self.error(2, *words, "--from", self.parent)
            self.assertEqual(error["option"], "from", error["message"])

    def test_before_the_first_checkpoint(self):
        """Then the parent is needed once more, and must be what it was."""
        out = self.tune("child", "--epochs", 1)
        (out / "state.safetensors").unlink()
        (out / "metrics.csv").unlink()
        whole = parameters(self.tune("whole", "--epochs", 1))
        words = ("forecast", "train", "--data", self.data, "--out", out, *QUIET, "--epochs", 1, "--resume", "auto")
        self.code(0, *words)
        self.assertEqual(parameters(out), whole)
        (out / "state.safetensors").unlink()
        (out / "metrics.csv").unlink()
        shutil.copy(out / "model.safetensors", self.parent / "model.safetensors")
        error = self.error(3, *words)
        self.assertEqual(error["column"], "from")
        self.assertIn("another model", error["message"])

    # ---- what is refused ----

    def test_refusals(self):
        self.assertIn("folder that train made", self.refused(3, "from", "--from", self.folder / "absent"))
        damaged = self.folder / "damaged"
        shutil.copytree(self.parent, damaged)
        raw = bytearray((damaged / "model.safetensors").read_bytes())
        (damaged / "model.safetensors").write_bytes(raw[:len(raw) // 2])
        self.error(3, "forecast", "train", "--data", self.data, "--from", damaged, "--out", self.folder / "refused", *QUIET)
        for option, value, own in (("seq-len", 12, 24), ("pred-len", 3, 6), ("d-model", 32, 16), ("n-heads", 4, 2), ("e-layers", 2, 1), ("d-ff", 8, 16),
                                   ("arch", "dlinear", "itransformer"), ("activation", "relu", "gelu"), ("use-norm", "no", "true")):
            message = self.refused(2, option, "--from", self.parent, f"--{option}", value)
            self.assertIn(str(own), message)
        self.code(0, "forecast", "train", "--data", self.data, "--from", self.parent, "--out", self.folder / "same", *QUIET, *SHAPE, "--epochs", 1)
        self.refused(2, "refit", "--from", self.parent, "--refit")
        self.refused(2, "keep-scaler", "--keep-scaler")
        self.code(2, "forecast", "predict", self.parent, "--from", self.parent)

    def test_solved(self):
        for arch in ("linear", "seasonal-naive", "last-value"):
            run = self.train(arch, "--arch", arch, "--seq-len", LOOK_BACK, "--pred-len", AHEAD)
            self.assertIn("not trained by steps", self.refused(2, "from", "--from", run), arch)
        run = self.train("auto", *SHAPE, "--arch", "auto", "--members", "linear,dlinear", "--epochs", 1)
        self.assertIn("members", self.refused(2, "from", "--from", run))
        self.tune("member", "--epochs", 1, parent=run / "members/dlinear")

    def test_nothing_is_overwritten(self):
        before = {path.name: path.read_bytes() for path in self.parent.iterdir() if path.is_file()}
        self.code(2, "forecast", "train", "--data", self.data, "--from", self.parent, "--out", self.parent, *QUIET)
        self.code(2, "forecast", "train", "--data", self.data, "--from", self.parent, "--out", self.parent, *QUIET, "--overwrite")
        self.assertEqual({path.name: path.read_bytes() for path in self.parent.iterdir() if path.is_file()}, before)

    def test_backtest(self):
        """A run that was fine-tuned is trained anew from its own parameters alone."""
        child = self.tune("child", "--epochs", 1)
        words = ("forecast", "backtest", child, "--data", self.data, "--refit-every", 20, "--windows", 20, "--step", 1, "--threads", 1)
        self.assertEqual(self.error(2, *words)["option"], "warm-start")
        self.code(0, *words, "--warm-start", "--epochs", 1)


if __name__ == "__main__":
    program.main("finetune")

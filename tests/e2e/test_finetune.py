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


class Update(Case):
    """A few steps on the newest rows."""
    FIRST = 380

    def setUp(self):
        super().setUp()
        self.all = series(self.folder / "all.csv")
        self.data = self.cut(self.FIRST)
        self.run_folder = self.folder / "run"
        self.code(0, "forecast", "train", "--data", self.data, "--out", self.run_folder, *QUIET, *SHAPE, "--epochs", 4, "--season", 48)

    def cut(self, rows, name=None):
        path = self.folder / (name or f"{rows}.csv")
        path.write_text("".join(self.all.read_text().splitlines(True)[:rows + 1]))
        return path

    def update(self, out, *options, data=None, code=0, run=None):
        done = self.code(code, "forecast", "update", run or self.run_folder, "--data", data or self.all, "--out", self.folder / out, "--quiet",
                         *options, "--json")
        return json.loads(done.stdout)

    def predict(self, run, *options):
        return self.code(0, "forecast", "predict", run, "--no-plots", "--threads", 1, *options).stdout

    def test_what_it_keeps(self):
        """The scaler, the scores, the intervals' tables, the baselines are the run's; the last rows are the file's."""
        told = self.update("new")
        self.assertEqual((told["steps"], told["windows"]), (20, 200))
        self.assertLess(told["loss_after"], told["loss_before"])
        (old, was), (new, now) = parameters(self.run_folder), parameters(self.folder / "new")
        for name in was:
            if name != "training":
                self.assertEqual(was[name], now[name], name)
        self.assertEqual({**was["training"], "refit": True}, now["training"])
        raw = {name: self.tensor(self.folder / name, "bands.") for name in ("run", "new")}
        self.assertTrue(raw["run"])
        self.assertEqual(raw["run"], raw["new"])
        self.assertEqual(self.tensor(self.run_folder, "linear."), self.tensor(self.folder / "new", "linear."))
        self.assertNotEqual(old, new)
        self.assertEqual(self.predict(self.folder / "new"), self.predict(self.folder / "new", "--data", self.all))
        seasonal = ("--use", "seasonal-naive")
        self.assertEqual(self.predict(self.folder / "new", *seasonal), self.predict(self.run_folder, *seasonal, "--data", self.all))
        self.assertIn("load-lo-80", self.predict(self.folder / "new", "--level", 80))
        self.assertIn("its errors are no test", self.code(0, "forecast", "evaluate", "--model", self.folder / "new", "--data", self.all, "--threads", 1).stderr)

    def tensor(self, run, prefix):
        raw = (run / "model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        head = json.loads(raw[8:8 + size])
        return {n: raw[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]] for n, t in head.items() if n.startswith(prefix)}

    def test_same_bits(self):
        for out, *options in (("one", "--threads", 1), ("two", "--threads", 2)):
            self.update(out, *options)
        self.assertEqual(parameters(self.folder / "one"), parameters(self.folder / "two"))

    def test_rows(self):
        """The newest rows by their stamps, older ones beside few of them, or as many as are asked for: the rest of the file does not count."""
        self.assertEqual(self.update("ten", "--rows", 10, "--steps", 3)["windows"], 10)
        lines = self.all.read_text().splitlines(True)
        tail = self.folder / "tail.csv"
        tail.write_text("".join([lines[0], *lines[-(LOOK_BACK + AHEAD + 9):]]))
        self.update("tail", "--rows", 10, "--steps", 3, data=tail)
        self.assertEqual(parameters(self.folder / "ten")[0], parameters(self.folder / "tail")[0])
        self.assertEqual(self.update("short", data=tail)["windows"], 10)
        more = series(self.folder / "more.csv", rows=ROWS + 250)
        self.assertEqual(self.update("again", run=self.folder / "ten", data=more)["windows"], 250)

    def test_tracks_a_change(self):
        """The seasons' phases have moved: update after update the forecasts follow, and without they do not."""
        moved = self.folder / "moved.csv"
        old = self.all.read_text().splitlines()
        names, cells = old[0], [line.split(",") for line in old[1:self.FIRST + 1]]
        last, run = len(cells), self.run_folder
        for i in range(120):
            day = last + i
            level = [f"{10 + 3 * math.sin(math.tau * i / 9 + k):.4f}" for k in range(3)]
            cells.append([f"2024-{1 + day // 24 // 28:02d}-{1 + day // 24 % 28:02d} {day % 24:02d}:00", *level])
        def write(rows):
            moved.write_text(names + "\n" + "\n".join(",".join(row) for row in cells[:rows]) + "\n")
        def error(run, rows):
            write(rows)
            got = [list(map(float, row[1:])) for row in csv.reader(self.predict(run, "--data", moved).splitlines()[1:])]
            want = [list(map(float, row[1:])) for row in cells[rows:rows + AHEAD]]
            return sum((a - b) ** 2 for x, y in zip(got, want) for a, b in zip(x, y))
        for k in range(1, 5):
            write(last + 24 * k)
            self.update(f"step{k}", "--steps", 60, "--learning-rate", 0.003, data=moved, run=run)
            run = self.folder / f"step{k}"
        self.assertLess(error(run, last + 96), 0.5 * error(self.run_folder, last + 96))

    def test_known_and_gaps(self):
        data = series(self.folder / "known.csv", ahead="plan")
        rows = data.read_text().splitlines()
        rows[70] = rows[70].split(",")[0] + ",,1,2,1.0"
        data.write_text("\n".join(rows) + "\n")
        cut = self.folder / "known-cut.csv"
        cut.write_text("\n".join(rows[:self.FIRST + 1]) + "\n")
        self.code(0, "forecast", "train", "--data", cut, "--out", self.folder / "with", *QUIET, *SHAPE, "--epochs", 1, "--known", "plan")
        self.assertEqual(self.update("new", run=self.folder / "with", data=data)["windows"], 200)
        future = self.folder / "future.csv"
        future.write_text("date,plan\n" + "".join(f"2024-{1 + i // 24 // 28:02d}-{1 + i // 24 % 28:02d} {i % 24:02d}:00,0\n" for i in range(ROWS, ROWS + AHEAD)))
        self.predict(self.folder / "new", "--future", future)

    def refused(self, code, option, *words):
        error = self.error(code, "forecast", "update", *words, "--quiet")
        self.assertEqual(error["option"] or error["column"], option, error["message"])
        return error["message"]

    def test_refusals(self):
        out = ("--out", self.folder / "refused")
        self.assertIn("`rows` N", self.refused(3, "rows", self.run_folder, "--data", self.data, *out))
        bare = self.folder / "bare.csv"
        bare.write_text("\n".join(line.split(",", 1)[1] for line in self.all.read_text().splitlines()) + "\n")
        self.code(0, "forecast", "train", "--data", bare, "--out", self.folder / "bare", *QUIET, *SHAPE, "--epochs", 1)
        self.assertIn("`rows` N", self.refused(2, "rows", self.folder / "bare", "--data", bare, *out))
        self.update("bare-new", "--rows", 5, run=self.folder / "bare", data=bare)
        short = self.folder / "short.csv"
        lines = self.all.read_text().splitlines(True)
        short.write_text("".join([lines[0], *lines[-20:]]))
        self.error(3, "forecast", "update", self.run_folder, "--data", short, *out)
        self.refused(3, "model", self.folder, "--data", self.all, *out)
        self.refused(2, "data", self.run_folder, *out)
        self.refused(2, "steps", self.run_folder, "--data", self.all, *out, "--steps", 0)
        for words in (("--epochs", 3), ("--d-model", 8), ("--level", 80)):
            self.code(2, "forecast", "update", self.run_folder, "--data", self.all, *out, *words)
        self.code(0, "forecast", "train", "--data", self.data, "--arch", "linear", "--out", self.folder / "linear", *QUIET, *SHAPE[:4])
        self.assertIn("not trained by steps", self.refused(2, "model", self.folder / "linear", "--data", self.all, *out))
        self.assertFalse((self.folder / "refused").exists())

    def test_nothing_is_overwritten(self):
        before = (self.run_folder / "model.safetensors").read_bytes()
        for more in ((), ("--overwrite",)):
            self.refused(2, "out", self.run_folder, "--data", self.all, "--out", self.run_folder, *more)
        self.assertEqual((self.run_folder / "model.safetensors").read_bytes(), before)
        self.update("new")
        self.refused(2, "out", self.run_folder, "--data", self.all, "--out", self.folder / "new")
        self.update("new", "--overwrite")

    def test_stopped(self):
        """An update that was interrupted has written nothing."""
        out = self.folder / "stopped"
        words = ["forecast", "update", self.run_folder, "--data", self.all, "--out", out, "--steps", 100000000, "--threads", 1]
        process = subprocess.Popen([program.PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=program.environment())
        self.addCleanup(process.kill)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(60), (130, -signal.SIGINT))
        self.assertFalse(out.exists())

    def test_and_then(self):
        """What comes of it is a run: it goes on, is fine-tuned, tested, and trained anew by its options."""
        self.update("new")
        self.code(0, "forecast", "train", "--from", self.folder / "new", "--data", self.all, "--out", self.folder / "tuned", *QUIET, "--epochs", 1)
        self.code(0, "forecast", "backtest", self.folder / "new", "--data", self.all, "--windows", 4, "--threads", 1)
        self.code(0, "forecast", "backtest", self.folder / "new", "--data", self.all, "--windows", 4, "--refit-every", 4, "--threads", 1)


class OtherColumns(Case):
    """A run asked about columns that it has not learned."""

    def setUp(self):
        super().setUp()
        self.data = series(self.folder / "series.csv")
        self.run_folder = self.train("run", *SHAPE, "--epochs", 12)

    def train(self, out, *options, data=None):
        self.code(0, "forecast", "train", "--data", data or self.data, "--out", self.folder / out, *QUIET, *options)
        return self.folder / out

    def predict(self, run, *options):
        return list(csv.reader(io.StringIO(self.code(0, "forecast", "predict", run, "--no-plots", "--threads", 1, *options).stdout)))

    def evaluate(self, data, *options, run=None):
        return json.loads(self.code(0, "forecast", "evaluate", "--model", run or self.run_folder, "--data", data, "--threads", 1, "--json", *options).stdout)

    def renamed(self, names="abc", keep=3, name="renamed.csv"):
        path = self.folder / name
        rows = [line.split(",") for line in self.data.read_text().splitlines()]
        path.write_text("\n".join([",".join(["date", *names[:keep]]), *(",".join(row[:keep + 1]) for row in rows[1:])]) + "\n")
        return path

    def test_names(self):
        """The run's own columns under other names have its own forecasts and errors, to the bit."""
        renamed = self.renamed()
        for arch in ("itransformer", "dlinear", "patchtst", "linear", "last-value", "seasonal-naive"):
            run = self.train(arch, *SHAPE, "--arch", arch, "--epochs", 2)
            own, other = self.predict(run), self.predict(run, "--data", renamed, "--other-columns")
            self.assertEqual(other[0], ["date", "a", "b", "c"], arch)
            self.assertEqual(own[1:], other[1:], arch)
            own, other = self.evaluate(self.data, run=run), self.evaluate(renamed, "--other-columns", run=run)
            self.assertEqual(own["test"], other["test"], arch)
            self.assertEqual(own["baselines"], other["baselines"], arch)

    def test_number(self):
        """Where each column is forecast by itself, fewer of them are forecast alike; where they see each other, not."""
        two = self.renamed("ab", 2)
        for arch, alone in (("dlinear", True), ("patchtst", True), ("itransformer", False)):
            run = self.train(arch, *SHAPE, "--arch", arch, "--epochs", 1)
            own, other = self.predict(run), self.predict(run, "--data", two, "--other-columns")
            self.assertEqual(other[0], ["date", "a", "b"])
            near = all(abs(float(x) - float(y)) < 1e-4 for a, b in zip(own[1:], other[1:]) for x, y in zip(a[1:3], b[1:3]))
            self.assertEqual(near, alone, arch)

    def test_unseen(self):
        """Ten columns of other phases and another level: what three have taught forecasts them."""
        other = series(self.folder / "other.csv", [f"x{k}" for k in range(10)], seed=77, level=500)
        answer = self.evaluate(other, "--other-columns")
        self.assertEqual(answer["columns"], 10)
        self.assertLess(answer["test"]["mse"], 0.3 * answer["baselines"]["last_value"]["mse"])
        short = self.folder / "short.csv"
        lines = other.read_text().splitlines(True)
        short.write_text("".join([lines[0], *lines[-LOOK_BACK:]]))
        table = self.predict(self.run_folder, "--data", short, "--other-columns")
        self.assertEqual((len(table), len(table[0])), (1 + AHEAD, 11))
        self.assertTrue(all(480 < float(cell) < 520 for row in table[1:] for cell in row[1:]))
        self.assertEqual(len(self.predict(self.run_folder, "--data", other, "--other-columns", "--ignore", "x1,x2")[0]), 9)

    def test_long_form(self):
        rows = [line.split(",") for line in self.data.read_text().splitlines()]
        def write(name, ids):
            path = self.folder / name
            path.write_text("id,date,y\n" + "".join(f"{series},{row[0]},{row[k + 1]}\n" for k, series in enumerate(ids) for row in rows[1:]))
            return path
        run = self.train("long", *SHAPE, "--epochs", 1, data=write("long.csv", ("u", "v", "w")))
        own, other = self.predict(run), self.predict(run, "--data", write("others.csv", ("p", "q", "r")), "--other-columns")
        self.assertEqual([row[0] for row in other[1:]], [{"u": "p", "v": "q", "w": "r"}[row[0]] for row in own[1:]])
        self.assertEqual([row[1:] for row in own[1:]], [row[1:] for row in other[1:]])

    def test_refusals(self):
        renamed = self.renamed()
        for command in (("predict", self.run_folder, "--no-plots"), ("evaluate", "--model", self.run_folder)):
            error = self.error(3, "forecast", *command, "--data", renamed)
            self.assertIn("`other-columns`", error["message"].replace("--other-columns", "`other-columns`"))
            self.assertIn("not learned", self.code(0, "forecast", *command, "--data", renamed, "--other-columns").stderr)
            self.assertEqual(self.error(2, "forecast", *command, "--data", renamed, "--other-columns", "--level", 80)["option"], "level")
            self.assertEqual(self.error(2, "forecast", *command, "--data", "-", "--other-columns", stdin=renamed.read_text())["option"], "data")
        self.assertEqual(self.error(2, "forecast", "predict", self.run_folder, "--other-columns")["option"], "data")
        for use in ("best", "linear"):
            self.assertEqual(self.error(2, "forecast", "predict", self.run_folder, "--data", renamed, "--other-columns", "--use", use)["option"], "use")
        self.predict(self.run_folder, "--data", renamed, "--other-columns", "--use", "last-value")
        self.assertEqual(self.error(2, "forecast", "evaluate", "--data", renamed, "--other-columns")["option"], "other-columns")
        self.code(2, "forecast", "backtest", self.run_folder, "--data", renamed, "--other-columns")
        for out, options in (("ms", ("--features", "MS")), ("targets", ("--targets", "load")), ("known", ("--known", "load")),
                             ("auto", ("--arch", "auto", "--members", "linear,last-value"))):
            run = self.train(out, *SHAPE, "--epochs", 1, *options)
            error = self.error(2, "forecast", "predict", run, "--data", renamed, "--other-columns", "--no-plots")
            self.assertEqual(error["option"], "other-columns", error["message"])
        days = series(self.folder / "days.csv", ("a", "b"))
        days.write_text("date,a\n" + "".join(f"2024-{1 + i // 28:02d}-{1 + i % 28:02d},{i % 7}\n" for i in range(200)))
        self.assertIn("step of its rows", self.error(3, "forecast", "predict", self.run_folder, "--data", days, "--other-columns", "--no-plots")["message"])


class SampledColumns(Case):
    """Steps on some of the columns, drawn anew for each."""

    def setUp(self):
        super().setUp()
        self.data = series(self.folder / "series.csv", [f"v{k}" for k in range(12)])

    def train(self, out, *options, data=None):
        return json.loads(self.code(0, "forecast", "train", "--data", data or self.data, "--out", self.folder / out, *SHAPE, *QUIET, "--json", *options).stdout)

    def test_learns(self):
        """Three columns a step teach about what twelve do, and what is validated, scored and forecast are all."""
        for arch in ("itransformer", "dlinear", "patchtst"):
            some = self.train(arch, "--arch", arch, "--epochs", 12, "--sample-columns", 3)
            every = self.train(arch + "-all", "--arch", arch, "--epochs", 12)
            self.assertEqual(some["columns"], 12)
            self.assertEqual(some["parameters"], every["parameters"])
            self.assertLess(some["test"]["mse"], 0.3 * some["baselines"]["last_value"]["mse"], arch)
            self.assertNotEqual(parameters(self.folder / arch)[0], parameters(self.folder / (arch + "-all"))[0])
        head = self.code(0, "forecast", "predict", self.folder / "itransformer", "--no-plots").stdout.splitlines()[0]
        self.assertEqual(head.count(","), 12)

    def test_same_bits(self):
        """For any number of threads, and for a training that was killed and goes on."""
        options = ("--epochs", 40, "--patience", 0, "--sample-columns", 4)
        self.train("one", *options), self.train("two", *options, "--threads", 2)
        whole = parameters(self.folder / "one")
        self.assertEqual(whole, parameters(self.folder / "two"))
        out = self.folder / "killed"
        words = ["forecast", "train", "--data", self.data, "--out", out, *SHAPE, *QUIET, *options, "--resume", "auto"]
        self.assertTrue(FineTune.kill(self, *words, after=out / "metrics.csv"))
        self.code(0, *words)
        self.assertEqual(parameters(out), whole)
        self.assertEqual(self.error(2, *words, "--sample-columns", 5)["option"], "sample-columns")

    def test_gaps(self):
        rows = self.data.read_text().splitlines()
        for at in (30, 31, 90):
            cells = rows[at].split(",")
            rows[at] = ",".join([cells[0], "", *cells[2:]])
        gapped = self.folder / "gapped.csv"
        gapped.write_text("\n".join(rows) + "\n")
        answer = self.train("gapped", "--epochs", 12, "--sample-columns", 3, data=gapped)
        self.assertLess(answer["test"]["mse"], 0.3 * answer["baselines"]["last_value"]["mse"])

    def test_memory(self):
        """Attention over 4 of 60 columns takes a fraction of the memory of attention over all."""
        wide = series(self.folder / "wide.csv", [f"v{k}" for k in range(60)])
        def mib(*options):
            told = self.code(0, "forecast", "train", "--data", wide, "--out", self.folder / "wide", "--overwrite", *SHAPE, "--epochs", 1, "--threads", 1, "--no-plots",
                             "--verbose", *options).stderr
            step = [line for line in told.splitlines() if line.startswith("step: ")][0]
            return float(step.split("arena ")[1].split()[0])
        self.assertLess(mib("--sample-columns", 4), 0.25 * mib())
        self.assertIn("kernel", self.code(0, "explain", self.folder / "wide").stdout)

    def test_refusals(self):
        for option, *options in (("sample-columns", "--sample-columns", 12), ("sample-columns", "--sample-columns", 3, "--targets", "v1"),
                                 ("sample-columns", "--sample-columns", 3, "--features", "MS"), ("sample-columns", "--sample-columns", 3, "--known", "v2"),
                                 ("sample-columns", "--sample-columns", 3, "--arch", "linear"), ("sample-columns", "--sample-columns", -1)):
            error = self.error(2, "forecast", "train", "--data", self.data, "--out", self.folder / "refused", *SHAPE, *QUIET, *options)
            self.assertEqual(error["option"], option, error["message"])
        self.assertFalse((self.folder / "refused/run.json").exists())


if __name__ == "__main__":
    program.main("finetune")

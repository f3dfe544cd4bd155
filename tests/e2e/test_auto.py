#!/usr/bin/env python3
"""The baselines as models, and an ensemble of all: who is trained within a budget, who carries what, and what a run of it is good for afterwards."""
import csv
import io
import json
import math
import random
import shutil
import signal
import subprocess
import time
import unittest

import program
from program import Case

SMALL = ["--seq-len", 24, "--pred-len", 6, "--d-model", 8, "--d-ff", 8, "--n-heads", 2, "--e-layers", 1, "--batch-size", 16, "--epochs", 2,
         "--threads", 1, "--no-plots", "--quiet"]
CHEAP = "linear,seasonal-naive,last-value"


def noisy(path, rows=400, gap=0):
    """Two hourly columns with a day's period: one of trend and noise, one of noise alone; every `gap`-th cell is empty."""
    draw = random.Random(7)
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["date", "load", "wind"])
        for i in range(rows):
            cells = [f"{20 + 0.01 * i + 3 * math.sin(i * math.pi / 12) + draw.gauss(0, 1):.4f}", f"{5 + draw.gauss(0, 1):.4f}"]
            if gap and i % gap == 5:
                cells[0] = ""
            table.writerow([f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00" if i < 744 else "", *cells])
    return path


class Auto(Case):
    def train(self, *options, out="run", data=None, code=0):
        self.data = data or getattr(self, "data", None) or noisy(self.folder / "series.csv")
        return self.code(code, "forecast", "train", "--data", self.data, "--out", self.folder / out, *SMALL, *options)

    def result(self, *options, **more):
        return json.loads(self.train("--json", *options, **more).stdout)

    def members(self, r):
        return {m["name"]: m for m in r["members"]}

    def model(self, out="run"):
        return (self.folder / out / "model.safetensors").read_bytes()

    def test_all_members(self):
        """Every network, weighed; weights sum to one for each column, and the sum is better in validation than any of them."""
        r = self.result("--arch", "auto", "--budget", "5m")
        members = self.members(r)
        self.assertEqual(list(members), ["last-value", "seasonal-naive", "linear", "dlinear", "itransformer", "patchtst"])
        self.assertTrue(all(m["trained"] and "note" not in m for m in members.values()), members)
        self.assertAlmostEqual(sum(m["weight"] for m in members.values()), 1, places=6)
        self.assertTrue(all(0 <= m["weight_low"] <= m["weight"] <= m["weight_high"] <= 1 for m in members.values()))
        self.assertLess(r["best_val_loss"], min(m["validation_mse"] for m in members.values()))
        self.assertLess(r["test"]["mse"], 1.02 * min(b["mse"] for b in r["baselines"].values()))
        kept = json.loads((self.folder / "run/run.json").read_text())["members"]
        self.assertEqual([(m["name"], round(m["weight"], 6)) for m in kept], [(m["name"], round(m["weight"], 6)) for m in r["members"]])
        for name in ("linear", "seasonal_naive", "last_value"):  # the same forecasts as the baselines beside it
            self.assertAlmostEqual(members[name.replace("_", "-")]["test_mse"], r["baselines"][name]["mse"], places=5)

    def test_answers(self):
        """evaluate, predict with intervals, backtest with and without training anew, and each member alone."""
        r = self.result("--arch", "auto", "--members", CHEAP + ",dlinear")
        e = json.loads(self.code(0, "forecast", "evaluate", "--model", self.folder / "run", "--data", self.data, "--json", "--quiet").stdout)
        self.assertAlmostEqual(e["test"]["mse"], r["test"]["mse"], places=6)
        rows = list(csv.reader(io.StringIO(self.code(0, "forecast", "predict", self.folder / "run", "--level", 80, "--no-plots", "--quiet").stdout)))
        self.assertEqual((len(rows), len(rows[0])), (7, 7))
        for row in rows[1:]:
            low, middle, high = map(float, row[1:4])
            self.assertTrue(low < middle < high, row)
        for more in ([], ["--refit-every", 2]):
            b = self.code(0, "forecast", "backtest", self.folder / "run", "--data", self.data, "--windows", 3, "--quiet", "--json", *more)
            self.assertTrue(json.loads(b.stdout))
        alone = self.code(0, "forecast", "evaluate", "--model", self.folder / "run/members/linear", "--data", self.data, "--json", "--quiet").stdout
        self.assertAlmostEqual(json.loads(alone)["test"]["mse"], self.members(r)["linear"]["test_mse"], places=6)

    def test_budget(self):
        """What the budget does not reach is named, and a larger one goes on with the members that are there."""
        r = self.members(self.result("--arch", "auto", "--budget", "1s"))
        self.assertEqual([n for n, m in r.items() if not m["trained"]], ["dlinear", "itransformer", "patchtst"])
        self.assertEqual(r["dlinear"]["note"], "not reached: the budget was used up")
        before = (self.folder / "run/members/linear/model.safetensors").read_bytes()
        r = self.members(self.result("--arch", "auto", "--budget", "1h", "--resume", "auto"))
        self.assertTrue(all(m["trained"] and not m["shortened"] for m in r.values()), r)
        self.assertEqual(before, (self.folder / "run/members/linear/model.safetensors").read_bytes())

    def test_same_bits(self):
        """The same members give the same bits: again, resumed, and after a kill in the middle of a member."""
        words = ["--arch", "auto", "--members", CHEAP + ",itransformer"]
        self.train(*words)
        whole = self.model()
        self.train(*words, "--resume", "auto")
        self.assertEqual(whole, self.model())
        self.train(*words, "--overwrite")
        self.assertEqual(whole, self.model())
        self.train(*words, out="other")
        self.assertEqual(whole, self.model("other"))
        shutil.rmtree(self.folder / "other")
        self.killed([*words, "--epochs", 100000, "--patience", 0], "other", 0.3)
        self.assertFalse((self.folder / "other/model.safetensors").exists())
        self.assertRegex(self.error(2, "forecast", "train", "--data", self.data, "--out", self.folder / "other", *SMALL, *words,
                                    "--resume", "auto")["message"], "epochs|patience")  # begun with others
        shutil.rmtree(self.folder / "other")
        self.killed(words, "other", 0.1)
        self.train(*words, "--resume", "auto", out="other")
        self.assertEqual(whole, self.model("other"))

    def killed(self, words, out, seconds):
        self.ended(words, out, seconds, signal.SIGKILL)

    def ended(self, words, out, seconds, how):
        run = subprocess.Popen([program.PROGRAM, "forecast", "train", "--data", str(self.data), "--out", str(self.folder / out), *map(str, [*SMALL, *words])],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=program.environment())
        until = time.monotonic() + 30
        while not (self.folder / out / "members/linear/model.safetensors").exists() and run.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(seconds)
        run.send_signal(how)
        error = run.communicate()[1]
        return run.returncode, error

    def test_device(self):
        """Of --device auto each member chooses its own; the sum is computed on the processor, and the run goes on."""
        words = ["--arch", "auto", "--members", "linear,dlinear", "--device", "auto"]
        self.assertEqual(self.result(*words)["device"], "cpu")
        self.assertEqual(json.loads((self.folder / "run/run.json").read_text())["options"]["device"], "auto")
        self.train(*words, "--resume", "must")

    def test_interrupted(self):
        """Ctrl-C in a member: the words name the whole's folder, which goes on; another run over it leaves no member behind."""
        words = ["--arch", "auto", "--members", "linear,dlinear", "--epochs", 100000, "--patience", 0]
        self.data = noisy(self.folder / "series.csv")
        code, error = self.ended(words, "run", 0.3, signal.SIGINT)
        self.assertEqual(code, 130)
        self.assertIn(f"--resume auto --out {self.folder / 'run'} goes on with it", error)
        self.train("--arch", "linear", "--overwrite")
        self.assertEqual(list(self.folder.glob("run/members/*/[a-z]*")), [])

    def test_gaps_and_known(self):
        """Series with gaps and columns known ahead: every member is there, those that forecast a series from itself too."""
        r = self.result("--arch", "auto", "--budget", "5m", "--known", "wind", data=noisy(self.folder / "gaps.csv", gap=9))
        self.assertTrue(all(m["trained"] for m in r["members"]), r["members"])
        self.assertTrue(math.isfinite(r["test"]["mse"]))
        future = self.folder / "future.csv"
        future.write_text("date,wind\n" + "".join(f"2024-01-17 {16 + i}:00,5\n" for i in range(6)))
        self.code(0, "forecast", "predict", self.folder / "run", "--future", future, "--no-plots", "--quiet")

    def test_no_season(self):
        """A member that cannot be is left out with its reason, unless it was asked for by name."""
        data = self.folder / "plain.csv"
        data.write_text("a\n" + "".join(f"{math.sin(i) + i % 7:.3f}\n" for i in range(300)))
        r = self.members(self.result("--arch", "auto", "--budget", "1s", data=data))
        self.assertEqual((r["seasonal-naive"]["trained"], r["seasonal-naive"]["note"]), (False, "no season follows from the frequency"))
        words = ["forecast", "train", "--data", data, "--out", self.folder / "no", *SMALL]
        self.assertIn("no season follows", self.error(2, *words, "--arch", "auto", "--members", CHEAP)["message"])
        self.assertIn("no season follows", self.error(2, *words, "--arch", "seasonal-naive")["message"])
        self.assertEqual(self.error(2, *words, "--arch", "auto", "--members", CHEAP, "--season", 25)["option"], "members")
        self.assertFalse((self.folder / "no").exists())
        self.result("--arch", "auto", "--members", CHEAP, "--season", 7, data=data, out="seven")

    def test_refused(self):
        self.data = noisy(self.folder / "series.csv")
        words = ["forecast", "train", "--data", self.data, "--out", self.folder / "no", *SMALL]
        for option, more in [("budget", ["--arch", "auto", "--budget", "5"]), ("budget", ["--arch", "auto", "--budget", "-5m"]),
                             ("budget", ["--arch", "auto", "--budget", "inf h"]), ("budget", ["--arch", "linear", "--budget", "5m"]),
                             ("members", ["--members", "linear"]), ("members", ["--arch", "auto", "--members", "linear,auto"]),
                             ("members", ["--arch", "auto", "--members", "prophet"]), ("max-minutes", ["--arch", "auto", "--max-minutes", 1]),
                             ("refit", ["--arch", "auto", "--refit"]), ("explain", ["--arch", "auto", "--explain"]),
                             ("known", ["--arch", "auto", "--members", "linear", "--known", "wind"])]:
            with self.subTest(more):
                self.assertEqual(self.error(2, *words, *more)["option"], option)
                self.assertFalse((self.folder / "no").exists())
        stdin = ["forecast", "train", "--data", "-", "--out", self.folder / "no", "--arch", "auto"]
        self.assertEqual(self.error(2, *stdin, stdin="a\n1\n")["option"], "data")
        self.train("--arch", "auto", "--members", CHEAP)
        run = self.folder / "run"
        self.assertIn("`arch` auto, which exports do not know", self.error(2, "forecast", "export", run, "--output", self.folder / "m.onnx")["message"])
        self.assertIn("no training step", self.error(2, "explain", run)["message"])
        self.assertEqual(self.error(2, "forecast", "backtest", run, "--data", self.data, "--refit-every", 5, "--warm-start")["option"], "warm-start")

    def test_damaged(self):
        """A model file whose members are not what it holds."""
        self.train("--arch", "auto", "--members", CHEAP + ",dlinear")
        raw = self.model()
        for old, new in [('\\"linear\\"', '\\"lineal\\"'), ('\\"arch\\":\\"auto\\"', '\\"arch\\":\\"auti\\"'),
                         ('\\"season\\":24,\\"seq', '\\"season\\":99,\\"seq'), ('\\"last-value\\"', '\\"dlinear___\\"')]:
            with self.subTest(old):
                self.assertIn(old.encode(), raw)
                (self.folder / "run/model.safetensors").write_bytes(raw.replace(old.encode(), new.encode()))
                self.assertIn("damaged", self.error(3, "forecast", "predict", self.folder / "run", "--no-plots")["message"])


if __name__ == "__main__":
    program.main("auto")

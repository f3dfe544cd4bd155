#!/usr/bin/env python3
"""`--origins` in training and after it: losses, scores and intervals are those of the windows whose last row stands at such an origin, which are
picked here by their stamps from what a backtest of all rows writes."""
import csv
import datetime
import json
import math
import pathlib
import shutil
import sys
import tempfile
import unittest

import program
from program import Case, SMALL
from test_backtest import START, mean, numbers, read, stamp, write

SEQ, PRED, ROWS = 16, 4, 600
TRAIN, VAL = int(0.7 * ROWS), ROWS - int(0.7 * ROWS) - int(0.2 * ROWS)
NAMES = ("a", "b")
FAST = [*SMALL, "--no-plots", "--threads", 1]


def hour(i):
    return (START + datetime.timedelta(hours=i)).hour


def windows(first, rows):
    """Those of a block of rows, by their last input row, that end at ten."""
    return [i for i in range(first + SEQ - 1, first + rows - PRED) if hour(i) == 10]


class Origins(Case):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(kept.cleanup)
        folder = pathlib.Path(kept.name)
        cls.rows = numbers(9, len(NAMES), ROWS)
        cls.data, cls.run_folder = write(folder / "series.csv", NAMES, cls.rows), folder / "run"
        done = program.run("forecast", "train", "--data", cls.data, "--out", cls.run_folder, *FAST, "--origins", "10:00", "--json")
        assert done.returncode == 0, done.stderr
        cls.result, cls.told = json.loads(done.stdout), done.stderr

    def train(self, *words, data=None, name="other", code=0):
        return self.code(code, "forecast", "train", "--data", data or self.data, "--out", self.folder / name, *FAST, *words)

    def all_forecasts(self, run, data):
        """(origin row, column, forecast, truth) in deviations of the training rows, of every test row of the file, by a backtest of all rows."""
        out = self.folder / "all.csv"
        self.code(0, "forecast", "backtest", run, "--data", data, "--origins", "all", "--output", out, "--overwrite")
        std = {}
        for k, name in enumerate(NAMES):
            known = [row[k] for row in self.rows[:TRAIN]]
            std[name] = math.sqrt(mean((v - mean(known)) ** 2 for v in known))
        place = {stamp(i): i for i in range(ROWS)}
        return [(place[row["origin"]], row["series"], float(row["forecast"]) / std[row["series"]], float(row["truth"]) / std[row["series"]],
                 float(row["linear"]) / std[row["series"]]) for row in read(out)]

    # ---- figures ----

    def test_windows(self):
        counts = [len(windows(0, TRAIN)), len(windows(TRAIN - SEQ, VAL + SEQ)), len(windows(TRAIN + VAL - SEQ, ROWS - TRAIN - VAL + SEQ))]
        self.assertIn(f"{counts[0]} windows to learn from, {counts[1]} of validation, {counts[2]} of test", self.told)
        self.assertEqual(self.result["windows"], counts[2])

    def test_scores_are_of_these_windows(self):
        table = [row for row in self.all_forecasts(self.run_folder, self.data) if hour(row[0]) == 10]
        for at, score in ((2, self.result["test"]), (4, self.result["baselines"]["linear"])):
            squared, absolute = mean((row[at] - row[3]) ** 2 for row in table), mean(abs(row[at] - row[3]) for row in table)
            self.assertLessEqual(abs(score["mse"] / squared - 1), 1e-4, f"{score}, counted here {squared}")
            self.assertLessEqual(abs(score["mae"] / absolute - 1), 1e-4, score)

    def test_validation_is_of_these_windows(self):
        """The file cut where the test begins, with the validation rows for its test."""
        cut = write(self.folder / "cut.csv", NAMES, self.rows[:TRAIN + VAL])
        out = self.folder / "val.csv"
        self.code(0, "forecast", "backtest", self.run_folder, "--data", cut, "--origins", "all", "--val", VAL, "--test", VAL, "--output", out)
        std = [math.sqrt(mean((row[k] - mean(r[k] for r in self.rows[:TRAIN])) ** 2 for row in self.rows[:TRAIN])) for k in range(2)]
        squared = mean(((float(row["forecast"]) - float(row["truth"])) / std[NAMES.index(row["series"])]) ** 2 for row in read(out)
                       if row["origin"][11:16] == "10:00")
        with open(self.run_folder / "metrics.csv", newline="") as file:
            best = min(float(row["val_loss"]) for row in csv.DictReader(file))
        self.assertLessEqual(abs(best / squared - 1), 1e-4, f"{best}, counted here {squared}")

    def test_the_run_keeps_them(self):
        def scored(*words):
            return json.loads(self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", self.data, "--json", *words).stdout)
        own, every = scored(), scored("--origins", "all")
        for key in ("test", "baselines", "intervals", "horizon"):
            self.assertEqual(own[key], self.result[key], key)
        self.assertEqual(every["windows"], ROWS - TRAIN - VAL - PRED + 1)
        out = self.folder / "own.csv"
        self.code(0, "forecast", "backtest", self.run_folder, "--data", self.data, "--output", out)
        self.assertEqual({row["origin"][11:16] for row in read(out)}, {"10:00"})

    def test_all_is_none(self):
        for name, words in (("none", ()), ("all", ("--origins", "all"))):
            self.train(*words, name=name)
        self.assertEqual((self.folder / "none/model.safetensors").read_bytes(), (self.folder / "all/model.safetensors").read_bytes())

    # ---- predict ----

    def predict(self, *words, code=0):
        return self.code(code, "forecast", "predict", self.run_folder, *words)

    def test_predict(self):
        self.assertIn("the last row is " + stamp(ROWS - 1), self.predict().stderr)
        self.assertIn("at 10:00 alone", self.predict("--data", self.data).stderr)
        self.assertNotIn("warning", self.predict("--origins", "all").stderr)
        self.assertIn("`--data FILE`".strip("`"), self.predict("--origins", "10:00", code=2).stderr)
        last  = max(i for i in range(ROWS) if hour(i) == 10)
        cut   = write(self.folder / "cut.csv", NAMES, self.rows[:last + 1])
        whole = self.predict("--data", cut)
        back  = self.predict("--data", self.data, "--origins", "10:00")
        self.assertNotIn("warning", whole.stderr)
        self.assertEqual(whole.stdout, back.stdout)
        self.assertIn(f"starts from {stamp(last)}", back.stderr)

    def test_predict_knows_what_comes(self):
        """What the file says of the rows after the origin is known ahead, the rest of them is not looked at."""
        names = ("y", "price")
        rows  = [[row[0], 3 + math.sin(i)] for i, row in enumerate(self.rows)]
        data  = write(self.folder / "known.csv", names, rows)
        self.train("--known", "price", "--origins", "10:00", data=data, name="known")
        last  = max(i for i in range(ROWS) if hour(i) == 10)
        with_future = [[math.nan if i > last else y, price] for i, (y, price) in enumerate(rows[:last + 1 + PRED])]
        expected = self.code(0, "forecast", "predict", self.folder / "known", "--data", write(self.folder / "future.csv", names, with_future))
        got      = self.code(0, "forecast", "predict", self.folder / "known", "--data", data, "--origins", "10:00")
        self.assertEqual(got.stdout, expected.stdout)

    # ---- together with others ----

    @unittest.skipUnless("slow" in sys.argv, "slow")
    def test_with_others(self):
        short = ["--epochs", 1]
        gaps  = write(self.folder / "gaps.csv", NAMES, [None if i in (50, 51, 300) else [math.nan, b] if i % 40 == 7 else [a, b]
                                                        for i, (a, b) in enumerate(self.rows)])
        cases = {
            "gaps": (gaps, []), "refit": (self.data, ["--refit"]), "sampled": (self.data, ["--sample-columns", 1]),
            "solved": (self.data, ["--arch", "linear"]), "split": (self.data, ["--val", 60, "--test", 90]),
            "weekdays": (self.data, ["--origins", "Mon-Fri 10:00"]),
            "auto": (self.data, ["--arch", "auto", "--members", "linear,last-value"]),
        }
        for name, (data, words) in cases.items():
            with self.subTest(name):
                done = self.train("--origins", "10:00", *short, *words, data=data, name=name)
                self.assertIn("windows to learn from", done.stderr)

    def test_local_clock(self):
        """Stamps in UTC over a change of the clock: ten in Berlin is nine, then eight."""
        path = self.folder / "utc.csv"
        with open(path, "w", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow(["date", *NAMES])
            for i, row in enumerate(self.rows):
                moment = datetime.datetime(2024, 3, 10) + datetime.timedelta(hours=i)
                table.writerow([moment.strftime("%Y-%m-%dT%H:%M:%SZ"), *row])
        self.train("--tz", "Europe/Berlin", "--origins", "10:00", data=path, name="zone")
        out = self.folder / "zone.csv"
        self.code(0, "forecast", "backtest", self.folder / "zone", "--data", path, "--test", 400, "--val", 60, "--output", out)
        self.assertEqual({row["origin"][11:16] for row in read(out)}, {"10:00"})
        self.assertEqual({row["origin"][-6:] for row in read(out)}, {"+01:00", "+02:00"})

    @unittest.skipUnless("slow" in sys.argv, "slow")
    def test_resume_and_tune(self):
        self.train("--origins", "10:00", name="again")
        self.assertIn("--origins", self.train("--origins", "9:00", "--resume", "auto", name="again", code=2).stderr)
        self.code(0, "forecast", "tune", "--data", self.data, "--out", self.folder / "tune", *FAST, "--origins", "10:00", "--trials", 1, "--space", "none",
                  "--seeds", 1, "--budget", "1m")

    def test_update(self):
        shutil.copytree(self.run_folder, self.folder / "run")
        done = self.code(0, "forecast", "update", self.folder / "run", "--data", self.data, "--rows", 120, "--steps", 2, "--out", self.folder / "new")
        self.assertIn("newest 5 windows", done.stdout + done.stderr)
        self.assertIn("at the run's --origins, 10:00",
                      self.code(3, "forecast", "update", self.folder / "run", "--data", self.data, "--rows", 5, "--steps", 2, "--out", self.folder / "n").stderr)

    def test_refused(self):
        def refused(*words, code=2, data=None):
            return self.train(*words, code=code, data=data).stderr
        self.assertIn("such as 10:00", refused("--origins", "ten"))
        self.assertIn("they are", refused("--origins", "10:30"))
        self.assertIn("of the validation part", refused("--origins", "10:00", "--val", 6, "--test", 60, code=3))
        self.assertIn("of the test part", refused("--origins", "Mon 10:00", "--val", 180, "--test", 20, code=3))
        bare = self.folder / "bare.csv"
        with open(bare, "w", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows([NAMES, *self.rows])
        self.assertIn("time stamps", refused("--origins", "10:00", code=3, data=bare))


if __name__ == "__main__":
    program.main("origins")

#!/usr/bin/env python3
"""tidemill forecast backtest: every figure is worked out again here from the CSV and the file, forecasts are those of predict on a file that ends
at the origin, and what is trained for an origin sees nothing that comes after it."""
import csv
import datetime
import json
import math
import random
import shutil
import tempfile
import pathlib
import unittest
import zoneinfo

import program
from program import Case, SMALL

SEQ, PRED, ROWS = 16, 4, 400
START = datetime.datetime(2024, 1, 1)
NAMES = ("forecast", "last_value", "seasonal_naive", "linear")
KEYS = ("model", "last_value", "seasonal_naive", "linear")


def stamp(i):
    return (START + datetime.timedelta(hours=i)).strftime("%Y-%m-%d %H:%M:%S")


def numbers(seed, columns, rows=ROWS):
    """Days with noise, one phase a column."""
    draw = random.Random(seed)
    return [[round(20 * (k + 1) + 5 * math.sin(2 * math.pi * i / 24 + k) + draw.gauss(0, 1), 3) for k in range(columns)] for i in range(rows)]


def write(path, names, rows, first=0):
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["date", *names])
        for i, row in enumerate(rows):
            if row is not None:
                table.writerow([stamp(first + i), *("" if v is None or math.isnan(v) else f"{v:.3f}" for v in row)])
    return path


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def number(cell):
    return float(cell) if cell else math.nan


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def drawn(i, count):
    """splitmix64, as its authors publish it."""
    mask = (1 << 64) - 1
    z = (2023 + (i + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) % count


def resampled(origins, block, samples=1000):
    """The origins of each sample of the moving-block bootstrap."""
    i = 0
    for _ in range(samples):
        chosen = []
        for at in range(0, origins, block):
            start = drawn(i, origins - block + 1)
            chosen += range(start, start + min(block, origins - at))
            i += 1
        yield chosen


class Backtest(Case):
    names = ("a", "b", "c")
    trained_with = ()

    @classmethod
    def make(cls):
        return numbers(5, len(cls.names))

    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.kept.cleanup)
        folder = pathlib.Path(cls.kept.name)
        cls.rows = cls.make()
        cls.data, cls.run_folder = write(folder / "series.csv", cls.names, cls.rows), folder / "run"
        done = program.run("forecast", "train", "--data", cls.data, "--out", cls.run_folder, *SMALL, "--no-plots", "--threads", 1, *cls.trained_with)
        assert done.returncode == 0, done.stderr

    def backtest(self, *words, expected=0, data=None):
        """The result and the rows of the CSV."""
        out = self.folder / "out.csv"
        done = self.code(expected, "forecast", "backtest", self.run_folder, "--data", data or self.data, "--threads", 1, "--output", out, "--overwrite",
                         "--json", *words)
        return json.loads(done.stdout), read(out)

    def refused(self, *words, code=2, data=None):
        return self.error(code, "forecast", "backtest", self.run_folder, "--data", data or self.data, *words)["message"]

    def near(self, got, expected, what, digits=2e-6):
        if got is None:
            return self.assertTrue(math.isnan(expected), what)
        self.assertLessEqual(abs(got - expected), digits * max(1, abs(expected)), f"{what}: expected {expected}, got {got}")

    # ---- the figures, from the CSV alone ----

    def check_figures(self, result, table, values, train, season=24):
        """`values`: of each target by row; `train`: the rows that training has."""
        names = list(values)
        std = {}
        for name in names:
            known = [v for v in values[name][:train] if not math.isnan(v)]
            std[name] = math.sqrt(mean((v - mean(known)) ** 2 for v in known))
        present = [k for k in range(4) if KEYS[k] in result["scores"]]
        errors = [[(row, number(row[NAMES[k]]) - number(row["truth"])) for row in table if row["truth"]] for k in range(4)]
        steps = result["horizon"]
        stops = [-(-steps // 3), -(-2 * steps // 3), steps]
        for k in present:
            scaled = [(int(row["step"]) - result["lead"] - 1, e / std[row["series"]]) for row, e in errors[k]]
            score = result["scores"][KEYS[k]]
            self.near(score["mse"], mean(e * e for _, e in scaled), f"mse of {KEYS[k]}", 1e-5)
            self.near(score["mae"], mean(abs(e) for _, e in scaled), f"mae of {KEYS[k]}", 1e-5)
            for third, one in enumerate(result["thirds"]):
                first = stops[third - 1] if third else 0
                part = [e for step, e in scaled if first <= step < stops[third]]
                self.assertEqual((one["first_step"], one["last_step"]), (result["lead"] + first + 1, result["lead"] + stops[third]))
                self.near(one[KEYS[k]]["mse"], mean(e * e for e in part), "mse of a third", 1e-5)
                self.near(one[KEYS[k]]["mae"], mean(abs(e) for e in part), "mae of a third", 1e-5)
            mases = []
            for name in names:
                own = [e for row, e in errors[k] if row["series"] == name]
                truths = [number(row["truth"]) for row, _ in errors[k] if row["series"] == name]
                steps_back = [values[name][i] - values[name][i - season] for i in range(season, train)]
                steps_back = [s for s in steps_back if not math.isnan(s)]
                got = result["by_column"][name][KEYS[k]]
                mae, mse = mean(map(abs, own)), mean(e * e for e in own)
                expected = {"mae": mae, "rmse": math.sqrt(mse), "mase": mae / mean(map(abs, steps_back)),
                            "rmsse": math.sqrt(mse / mean(s * s for s in steps_back)), "wape": 100 * sum(map(abs, own)) / sum(map(abs, truths))}
                mases.append(expected["mase"])
                self.assertEqual(result["by_column"][name]["truths"], len(own))
                for key, value in expected.items():
                    self.near(got[key], value, f"{key} of {name} by {KEYS[k]}", 1e-5)
            self.near(score["mase"], mean(mases), "mase", 1e-5)

    def check_intervals(self, result, table, name):
        """mae of a column, and the ratio of the two mean errors, over blocks of origins."""
        origins = sorted({row["origin"] for row in table})
        block = result["bootstrap"]["block"]
        self.assertEqual(result["bootstrap"]["samples"], 1000)
        reach = result["lead"] + result["horizon"]
        place = [(datetime.datetime.fromisoformat(o) - START) // datetime.timedelta(hours=1) for o in origins]
        self.assertGreaterEqual(block, max(sum(p <= q < p + reach for q in place) for p in place))
        sums = {o: [0, 0] for o in origins}
        for row in table:
            if row["series"] == name and row["truth"]:
                sums[row["origin"]][0] += abs(number(row["forecast"]) - number(row["truth"]))
                sums[row["origin"]][1] += 1
        samples = sorted(sum(sums[origins[i]][0] for i in chosen) / sum(sums[origins[i]][1] for i in chosen)
                         for chosen in resampled(len(origins), block))
        low, high = result["by_column"][name]["model"]["mae_interval"]
        self.near(low, samples[24], "the lower end", 1e-5)
        self.near(high, samples[975], "the upper end", 1e-5)
        self.assertTrue(low <= result["by_column"][name]["model"]["mae"] <= high)

    def check_coverage(self, result, table, values, train, levels=("80", "95")):
        """Truths within the bounds that are written, and how wide these are."""
        for name in values:
            own = [row for row in table if row["series"] == name and row["truth"]]
            told = result["by_column"][name]["intervals"]["levels"]
            self.assertEqual([one["level"] for one in told], [float(level) for level in levels])
            for level, one in zip(levels, told):
                low, high = f"lo-{level}", f"hi-{level}"
                self.near(one["coverage"], 100 * mean(number(row[low]) <= number(row["truth"]) <= number(row[high]) for row in own), "coverage")
                self.near(one["width"], mean(number(row[high]) - number(row[low]) for row in own), "width", 1e-4)
        every = [row for row in table if row["truth"]]
        for level, one in zip(levels, result["intervals"]["levels"]):
            self.near(one["coverage"], 100 * mean(number(row[f"lo-{level}"]) <= number(row["truth"]) <= number(row[f"hi-{level}"]) for row in every),
                      "coverage of all")

    def check_predict(self, table, origins, values=None, future=(), levels=()):
        """predict on the file cut at each of these origins."""
        for origin in origins:
            at = [stamp(i) for i in range(ROWS)].index(origin)
            cut = write(self.folder / "cut.csv", self.names, (values or self.rows)[:at + 1])
            with open(cut, "a") as file:
                for i, row in enumerate(future[at + 1:at + 1 + PRED] if future else ()):
                    file.write(",".join([stamp(at + 1 + i), *("" if v is None else f"{v:.3f}" for v in row)]) + "\n")
            answer = json.loads(self.code(0, "forecast", "predict", self.run_folder, "--data", cut, "--no-plots", "--threads", 1, "--json",
                                          *(("--level", ",".join(levels)) if levels else ())).stdout)
            for row in table:
                if row["origin"] == origin:
                    step = int(row["step"]) - 1
                    self.assertEqual(row["time"], answer["time"][step])
                    for level in levels:
                        for side in ("lo", "hi"):
                            self.near(number(row[f"{side}-{level}"]), answer["intervals"][row["series"]][f"{side}-{level}"][step], "bound", 1e-4)
                    self.near(number(row["forecast"]), answer["forecast"][row["series"]][step], f"{origin}, step {step + 1}", 1e-5)


class Plain(Backtest):
    def values(self):
        return {name: [row[c] for row in self.rows] for c, name in enumerate(self.names)}

    def test_figures(self):
        """80 test rows: forecasts that tile them, from the first origin on."""
        result, table = self.backtest()
        self.assertEqual(list(table[0]), ["origin", "time", "step", "series", *NAMES[:1], "truth", *NAMES[1:]])
        self.assertEqual([result[k] for k in ("origins", "step", "lead", "horizon", "season", "refits")], [20, PRED, 0, PRED, 24, 0])
        self.assertEqual((result["first_origin"], result["last_origin"]), (stamp(319), stamp(395)))
        self.assertEqual([row["origin"] for row in table[::PRED * 3]], [stamp(i) for i in range(319, 396, PRED)])
        values = self.values()
        for i, row in enumerate(table):
            at = 319 + i // 3 + 1
            self.assertEqual((row["time"], row["series"], int(row["step"])), (stamp(at), self.names[i % 3], i // 3 % PRED + 1))
            own = values[row["series"]]
            origin = at - int(row["step"])
            self.assertEqual((number(row["truth"]), number(row["last_value"]), number(row["seasonal_naive"])), (own[at], own[origin], own[at - 24]))
        self.check_figures(result, table, values, 280)
        self.check_intervals(result, table, "b")
        self.check_predict(table, [stamp(319), stamp(351), stamp(395)])

    def test_all_origins_are_what_evaluate_scores(self):
        result, table = self.backtest("--step", 1)
        scored = json.loads(self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", self.data, "--threads", 1, "--json").stdout)
        self.assertEqual(result["origins"], scored["windows"])
        for key in KEYS:
            other = scored["test"] if key == "model" else scored["baselines"][key]
            for measure in ("mse", "mae"):
                self.near(result["scores"][key][measure], other[measure], f"{measure} of {key}", 1e-5)
        self.check_intervals(result, table, "a")

    def test_intervals(self):
        """The bounds are those of predict; what they hold is counted here, and over all origins by evaluate."""
        result, table = self.backtest("--level", "80,95", "--step", 1)
        self.assertEqual(list(table[0])[-4:], ["lo-95", "lo-80", "hi-80", "hi-95"])
        self.check_coverage(result, table, self.values(), 280)
        self.check_predict(table, [stamp(319), stamp(395)], levels=("80", "95"))
        told = json.loads(self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", self.data, "--threads", 1, "--json").stdout)
        other = told["intervals"]["model"]
        for one, two in zip(result["intervals"]["levels"], other["levels"]):
            self.near(one["coverage"], two["coverage"], "coverage", 1e-3)
        self.near(result["intervals"]["crps"], other["crps"], "crps", 1e-4)
        usual, table = self.backtest("--step", 1)
        self.assertEqual(usual["intervals"], result["intervals"])
        self.assertNotIn("lo-80", table[0])

    def test_lead(self):
        """Forecasts of 10:00 for the rows from 13:00 on; made at other hours they do not count."""
        result, table = self.backtest("--origins", "10:00", "--lead", 2, "--horizon", 2)
        self.assertEqual({row["origin"][11:16] for row in table}, {"10:00"})
        self.assertEqual(sorted({(row["step"], row["time"][11:16]) for row in table}), [("3", "13:00"), ("4", "14:00")])
        self.assertEqual((result["origins"], result["step"], len(table)), (4, 1, 4 * 2 * 3))
        self.check_figures(result, table, self.values(), 280)
        self.check_predict(table, {row["origin"] for row in table})
        self.assertIsNone(result["scores"]["model"]["mae_interval"])
        for words, says in ((("--lead", 2, "--horizon", 3), "`pred-len` 5"), (("--lead", 4), "`pred-len` 5"), (("--horizon", 5), "`pred-len` 5")):
            message = self.refused(*words)
            self.assertIn(says, message)
            self.assertIn("forecasts 4", message)

    def test_origins(self):
        """1 January 2024 is a Monday; the test rows begin on Sunday the 14th."""
        def origins(*words):
            return sorted({row["origin"] for row in self.backtest(*words)[1]})
        all_of_them = [stamp(i) for i in range(319, 396)]
        day = lambda o: datetime.datetime.fromisoformat(o).weekday()
        clock = lambda o: o[11:16]
        self.assertEqual(origins("--origins", "06:00, 18:00"), [o for o in all_of_them if clock(o) in ("06:00", "18:00")])
        self.assertEqual(origins("--origins", "Mon"), [o for o in all_of_them if day(o) == 0])
        self.assertEqual(origins("--origins", "tuesday 6:00,Sun-Mon 12:00"),
                         [o for o in all_of_them if (day(o), clock(o)) == (1, "06:00") or (day(o) in (6, 0) and clock(o) == "12:00")])
        self.assertEqual(origins("--origins", "06:00,12:00", "--step", 2),
                         [o for o in all_of_them if clock(o) in ("06:00", "12:00")][::2])
        self.assertEqual(origins("--windows", 3), all_of_them[::PRED][-3:])
        self.assertEqual(origins("--step", 7, "--windows", 2), all_of_them[::7][-2:])
        for text in ("25:00", "10", "Moon", "Mon-", "10:00 Mon", "Mon 10:00x", "10:60", "-", "Mo"):
            self.assertIn("such as 10:00, Mon, Mon-Fri 10:00", self.refused("--origins", text), text)
        self.assertIn("number 2 of the list", self.refused("--origins", "10:00,10:30"))
        self.assertIn("Sun 07:00", self.refused("--origins", "Fri"))
        self.assertIn("there are 20 rows to forecast from", self.refused("--windows", 21))

    def test_page(self):
        page = self.code(0, "forecast", "backtest", "--model", self.run_folder, "--data", self.data, "--threads", 1).stdout
        for word in ("20 forecasts", stamp(319), "this model", "last value", "seasonal naive", "linear", "mase", "rmsse", "steps", "  b\n"):
            self.assertIn(word, page)
        text = self.code(0, "forecast", "backtest", self.run_folder, "--data", self.data, "--threads", 1, "--output", "-").stdout
        self.backtest()
        self.assertEqual(text, (self.folder / "out.csv").read_text())

    def test_refusals(self):
        out = write(self.folder / "mine.csv", ("x",), [[1]])
        self.assertIn("`overwrite`", self.refused("--output", out))
        self.refused("--output", self.data, "--overwrite")
        self.assertIn("`refit-every`", self.refused("--warm-start"))
        self.assertIn("`refit-every`", self.refused("--epochs", 2))
        for words in (("--horizon", -1), ("--step", -1), ("--lead", "x"), ("--refit-every", -1), ("--columns", "a"), ("--seq-len", 4)):
            self.code(2, "forecast", "backtest", self.run_folder, "--data", self.data, *words)
        self.code(2, "forecast", "backtest", "--data", self.data)
        self.code(3, "forecast", "backtest", self.folder, "--data", self.data)

    def test_learned_from(self):
        """Origins in rows that the run was trained on are told."""
        done = self.code(0, "forecast", "backtest", self.run_folder, "--data", self.data, "--test", 0.4, "--threads", 1)
        self.assertIn("has learned from rows that are forecast", done.stderr)
        self.assertNotIn("has learned", self.code(0, "forecast", "backtest", self.run_folder, "--data", self.data, "--threads", 1).stderr)

    # ---- models trained for it ----

    def test_refit(self):
        """Nothing after its first origin changes what a model says; the same every time; nothing is left behind."""
        before = sorted(path.name for path in self.run_folder.rglob("*"))
        words = ("--step", 3, "--windows", 20, "--level", "80,95", "--refit-every", 10)
        result, table = self.backtest(*words)
        self.assertEqual((result["refits"], result["origins"]), (2, 20))
        self.assertEqual(table, self.backtest(*words)[1])
        self.check_coverage(result, table, self.values(), 280)
        self.assertEqual(sorted(path.name for path in self.run_folder.rglob("*")), before)
        self.check_figures(result, table, self.values(), 280)
        self.assertNotEqual([row["forecast"] for row in table], [row["forecast"] for row in self.backtest(*words[:-2])[1]])
        origins = sorted({row["origin"] for row in table})
        cut = [stamp(i) for i in range(ROWS)].index(origins[0])
        other = self.rows[:cut + 1] + [[1000 - v for v in row] for row in self.rows[cut + 1:]]
        changed = self.backtest(*words, data=write(self.folder / "changed.csv", self.names, other))[1]
        for a, b in zip(table, changed):
            self.assertNotEqual(a["truth"], b["truth"])
            if a["origin"] == origins[0]:
                self.assertEqual([a[n] for n in a if n != "truth"], [b[n] for n in a if n != "truth"])
            elif a["origin"] == origins[5]:
                self.assertNotEqual(a["forecast"], b["forecast"])

    def test_refit_of_changed_options(self):
        """run.json and the model's file must be of one run."""
        shutil.copytree(self.run_folder, self.folder / "other")
        told = json.loads((self.folder / "other/run.json").read_text())
        for name, value in (("pred-len", 2), ("seq-len", 8), ("features", "S"), ("known", "a")):
            changed = {**told, "options": {**told["options"], name: value}}
            (self.folder / "other/run.json").write_text(json.dumps(changed))
            error = self.error(3, "forecast", "backtest", self.folder / "other", "--data", self.data, "--refit-every", 10, "--threads", 1)
            self.assertIn("make another model", error["message"], name)
        (self.folder / "other/run.json").unlink()
        self.error(3, "forecast", "backtest", self.folder / "other", "--data", self.data, "--refit-every", 10)
        self.code(0, "forecast", "backtest", self.folder / "other", "--data", self.data, "--threads", 1)

    def test_refit_is_a_training(self):
        """What train and predict give of a file that ends at the origin."""
        result, table = self.backtest("--refit-every", 1, "--windows", 1)
        at = 395
        rows = self.rows[:at + 1] + [self.rows[at]] * PRED
        options = (*SMALL, "--no-plots", "--threads", 1, "--test", PRED, "--val", 0.1)
        run = self.folder / "by-hand"
        self.code(0, "forecast", "train", "--data", write(self.folder / "hand.csv", self.names, rows), "--out", run, *options)
        cut = write(self.folder / "cut.csv", self.names, self.rows[:at + 1])
        answer = json.loads(self.code(0, "forecast", "predict", run, "--data", cut, "--no-plots", "--threads", 1, "--json").stdout)
        self.assertEqual(len(table), 3 * PRED)
        for row in table:
            self.assertEqual(row["origin"], stamp(at))
            self.near(number(row["forecast"]), answer["forecast"][row["series"]][int(row["step"]) - 1], row["series"], 1e-5)

    def test_warm_start(self):
        """What goes on from the run's parameters is ahead of what begins anew, epoch for epoch."""
        anew, warm = (self.backtest("--refit-every", 10, "--epochs", 1, *more)[0] for more in ((), ("--warm-start",)))
        self.assertLess(warm["scores"]["model"]["mse"], anew["scores"]["model"]["mse"])
        usual = self.backtest("--refit-every", 10, "--warm-start")
        self.assertEqual(usual[0]["refits"], 2)
        self.assertEqual(usual[1], self.backtest("--refit-every", 10, "--warm-start", "--epochs", 3)[1])
        self.assertLess(usual[0]["scores"]["model"]["mse"], warm["scores"]["model"]["mse"])


class Gapped(Backtest):
    """Empty cells and rows left out, a column known ahead, two targets of four columns."""
    names = ("t1", "x", "plan", "t2")
    trained_with = ("--targets", "t1,t2", "--known", "plan")

    @classmethod
    def make(cls):
        rows, draw = numbers(11, 4), random.Random(3)
        for i in range(ROWS):
            rows[i][2] = float(draw.random() < 0.5)
            rows[i][0] = round(rows[i][0] + 8 * rows[i][2], 3)
            for c in (0, 1, 3):
                if draw.random() < 0.05:
                    rows[i][c] = math.nan
        for i in (77, 333, 350):
            rows[i] = [math.nan] * 4
        return rows

    def test_gaps(self):
        written = [None if i in (77, 333, 350) else row for i, row in enumerate(self.rows)]
        data = write(self.folder / "left-out.csv", self.names, written)
        result, table = self.backtest("--step", 2, data=data)
        values = {name: [row[c] for row in self.rows] for c, name in ((0, "t1"), (3, "t2"))}
        place = {stamp(i): i for i in range(ROWS)}
        self.assertEqual({row["series"] for row in table}, set(values))
        missing = [row for row in table if not row["truth"]]
        self.assertTrue(missing)
        for row in table:
            own, at, origin = values[row["series"]], place[row["time"]], place[row["origin"]]
            truth = own[at]
            self.assertTrue(number(row["truth"]) == truth or (math.isnan(truth) and not row["truth"]))
            last = next(own[i] for i in range(origin, -1, -1) if not math.isnan(own[i]))
            self.assertEqual(number(row["last_value"]), last)
        self.check_figures(result, table, values, 280)
        self.check_intervals(result, table, "t2")

    def test_predict(self):
        """What is known ahead stands in the last rows of the file that predict reads."""
        _, table = self.backtest("--step", 7)
        future = [[None, None, row[2], None] for row in self.rows]
        origins = sorted({row["origin"] for row in table})
        place = {stamp(i): i for i in range(ROWS)}
        whole = [o for o in origins if not math.isnan(self.rows[place[o]][1])
                 and not any(math.isnan(self.rows[i][2]) for i in range(place[o] + 1, place[o] + 1 + PRED))]
        self.assertGreater(len(whole), 3)
        self.check_predict(table, whole[:4], future=future)

    def test_refit(self):
        result, table = self.backtest("--refit-every", 4, "--windows", 8)
        self.assertEqual(result["refits"], 2)
        values = {name: [row[c] for row in self.rows] for c, name in ((0, "t1"), (3, "t2"))}
        self.check_figures(result, table, values, 280)
        origins = sorted({row["origin"] for row in table})
        cut = [stamp(i) for i in range(ROWS)].index(origins[0])
        other = self.rows[:cut + 1] + [[500.0, -3.0, row[2], 0.5] for row in self.rows[cut + 1:]]
        changed = self.backtest("--refit-every", 4, "--windows", 8, data=write(self.folder / "changed.csv", self.names, other))[1]
        for a, b in zip(table, changed):
            if a["origin"] == origins[0]:
                self.assertEqual([a[n] for n in NAMES], [b[n] for n in NAMES])


class Undated(Backtest):
    """Without stamps rows go by their numbers, and there are no clocks."""
    names = ("v", "w")

    @classmethod
    def make(cls):
        return numbers(8, 2)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.kept.name)
        cls.data, cls.run_folder = folder / "plain.csv", folder / "undated"
        cls.data.write_text("\n".join(["v,w", *(f"{a:.3f},{b:.3f}" for a, b in cls.rows)]) + "\n")
        done = program.run("forecast", "train", "--data", cls.data, "--out", cls.run_folder, *SMALL, "--no-plots", "--threads", 1)
        assert done.returncode == 0, done.stderr

    def test_rows(self):
        result, table = self.backtest("--windows", 5)
        self.assertEqual([row["origin"] for row in table[::2 * PRED]], [str(i) for i in range(380, 397, PRED)])
        self.assertEqual([row["time"] for row in table[:2 * PRED:2]], ["381", "382", "383", "384"])
        self.assertNotIn("seasonal_naive", result["scores"])
        self.assertEqual({row["seasonal_naive"] for row in table}, {""})
        self.assertIn("`season` N", result["season_note"])
        self.check_figures(result, table, {name: [row[c] for row in self.rows] for c, name in enumerate(self.names)}, 280, season=1)
        self.assertIn("`step` N", self.refused("--origins", "10:00", code=3))
        seasoned, _ = self.backtest("--windows", 5, "--season", 24)
        self.assertIn("seasonal_naive", seasoned["scores"])
        again, table = self.backtest("--windows", 4, "--refit-every", 2)
        self.assertEqual(again["refits"], 2)


@unittest.skipUnless(any(pathlib.Path(path, "Europe/Berlin").exists() for path in zoneinfo.TZPATH), "needs tzdata")
class Zoned(Backtest):
    """Instants of UTC shown in Berlin, whose clocks change on 31 March, in long format."""
    names = ("v", "w")

    @classmethod
    def make(cls):
        return numbers(9, 2)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder, start = pathlib.Path(cls.kept.name), datetime.datetime(2024, 3, 16)
        cls.stamps = [start + datetime.timedelta(hours=i) for i in range(ROWS)]
        cls.data, cls.run_folder = folder / "long.csv", folder / "zoned"
        lines = [f"{name},{t:%Y-%m-%dT%H:%M:%SZ},{row[c]:.3f}" for c, name in enumerate(cls.names) for t, row in zip(cls.stamps, cls.rows)]
        cls.data.write_text("\n".join(["unique_id,ds,y", *lines]) + "\n")
        done = program.run("forecast", "train", "--data", cls.data, "--out", cls.run_folder, *SMALL, "--no-plots", "--threads", 1, "--tz", "Europe/Berlin")
        assert done.returncode == 0, done.stderr

    def test_local_clock(self):
        """9:00 in Berlin is 8:00 UTC before the change of clocks and 7:00 after it."""
        result, table = self.backtest("--origins", "09:00", "--horizon", 2)
        self.assertEqual({row["series"] for row in table}, set(self.names))
        seen = [datetime.datetime.fromisoformat(row["origin"]) for row in table]
        self.assertEqual({when.hour for when in seen}, {9})
        self.assertEqual({when.utcoffset() for when in seen}, {datetime.timedelta(hours=1), datetime.timedelta(hours=2)})
        for row in table:
            when = datetime.datetime.fromisoformat(row["time"]).astimezone(datetime.timezone.utc).replace(tzinfo=None)
            self.assertEqual(number(row["truth"]), self.rows[self.stamps.index(when)][self.names.index(row["series"])])
        again, other = self.backtest("--origins", "09:00", "--horizon", 2, "--refit-every", 2)
        self.assertEqual([row["origin"] for row in other], [row["origin"] for row in table])
        self.assertEqual(again["refits"], 2)


if __name__ == "__main__":
    program.main("test_backtest")

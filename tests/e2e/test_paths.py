#!/usr/bin/env python3
"""tidemill forecast predict --paths, --sum and --sum-horizon: parts add up, sums are as uncertain as their parts together are, bounds hold, and what
cannot be is refused by name."""
import csv
import datetime
import io
import json
import math
import random
import unittest

import program
from program import Case

SEQ, PRED, ROWS = 12, 8, 900
LINEAR = ["--arch", "linear", "--seq-len", SEQ, "--pred-len", PRED, "--no-plots"]
SUMS = "all=ab+c;ab=a+b"


def correlated(rows, seed=7, phi=0.9):
    """Two AR(1) columns with shocks in common, and one of noise."""
    draw, x, y, out = random.Random(seed), 0.0, 0.0, []
    for _ in range(rows):
        common = draw.gauss(0, 1)
        x, y = phi * x + common, phi * y + 0.8 * common + 0.6 * draw.gauss(0, 1)
        out.append((20 + x, 40 + y, 5 + draw.gauss(0, 1)))
    return out


def stamp(i):
    return (datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i)).strftime("%Y-%m-%d %H:%M:%S")


def wide(path, rows):
    path.write_text("date,a,b,c\n" + "".join(f"{stamp(i)},{','.join(f'{v:.4f}' for v in row)}\n" for i, row in enumerate(rows)))
    return path


def table(text):
    return [{k: v if k in ("date", "ds", "id", "path", "kind") else float(v) if v else math.nan for k, v in row.items()}
            for row in csv.DictReader(io.StringIO(text))]


class Paths(Case):
    def setUp(self):
        super().setUp()
        self.rows = correlated(ROWS)
        self.data = wide(self.folder / "s.csv", self.rows)
        self.run = self.folder / "run"
        self.code(0, "forecast", "train", "--data", self.data, "--out", self.run, *LINEAR)

    def predict(self, *words, run=None, **more):
        return self.code(0, "forecast", "predict", run or self.run, "--no-plots", *words, **more).stdout

    def paths(self, *words, name="next", run=None, **more):
        """The forecast, and the paths beside it."""
        out = self.folder / f"{name}.csv"
        self.predict("--output", out, "--overwrite", *words, run=run, **more)
        return table(out.read_text()), table((self.folder / f"{name}-paths.csv").read_text())

    def expect_added(self, row, places=9):
        self.assertAlmostEqual(row["ab"], row["a"] + row["b"], places)
        self.assertAlmostEqual(row["all"], row["ab"] + row["c"], places)

    def test_parts_add_up(self):
        """As written, points and paths: to 1e-9, rows and sums over the horizon; the forecast of the parts is what it is without sums."""
        plain = table(self.predict())
        rows, paths = self.paths("--sum", SUMS, "--paths", 20, "--level", "80")
        for row in rows + paths:
            self.expect_added(row)
        self.assertEqual([{k: row[k] for k in plain[0]} for row in rows], plain)
        total, whole = self.paths("--sum", SUMS, "--paths", 20, "--sum-horizon", name="horizon")
        self.assertEqual((len(total), len(whole), len(paths)), (1, 20, 20 * PRED))
        self.expect_added(total[0])
        for name in ("a", "ab", "all"):
            self.assertAlmostEqual(total[0][name], sum(row[name] for row in rows), 9)
            for i, one in enumerate(whole):
                self.assertAlmostEqual(one[name], sum(row[name] for row in paths[i * PRED:(i + 1) * PRED]), 9)
        answer = json.loads(self.predict("--sum", SUMS, "--sum-horizon", "--paths", 2, "--json"))
        self.assertTrue(answer["sum_horizon"])
        self.assertAlmostEqual(answer["forecast"]["all"][0], sum(answer["forecast"][k][0] for k in "abc"), 9)
        for k in ("a", "all"):
            for i in range(2):
                self.assertAlmostEqual(answer["paths"][k][i][0], whole[i][k], 9)

    def test_same_bits(self):
        """Of a seed, for any number of threads; the first of many are those of few; another seed has others."""
        kept = {}
        for name, words in {"one": ["--threads", 1], "two": ["--threads", 2], "seed": ["--seed", 5]}.items():
            self.paths("--sum", SUMS, "--paths", 30, "--level", "80,95", *words, name=name)
            kept[name] = [(self.folder / f"{name}{end}.csv").read_text() for end in ("", "-paths")]
        self.assertEqual(kept["one"], kept["two"])
        self.assertEqual(kept["one"][0], kept["seed"][0])  # no chance is in bounds
        self.assertNotEqual(kept["one"][1], kept["seed"][1])
        self.paths("--sum", SUMS, "--paths", 10, name="few")
        self.assertTrue(kept["one"][1].startswith((self.folder / "few-paths.csv").read_text()))

    def test_coverage_of_sums(self):
        """The sum of two columns that go together, over a horizon whose steps go together: 80 % intervals hold 80 % of new truths, to 9 (three standard
        errors of 180 origins, of which neighbours share nothing). Bounds added up as if all were large at once, or as if none had to do with another,
        are more than that off."""
        later, within, added, alone = correlated(180 * (SEQ + PRED), seed=8), 0, 0, 0
        for k in range(180):
            block = later[k * (SEQ + PRED):(k + 1) * (SEQ + PRED)]
            data = wide(self.folder / "new.csv", block[:SEQ])
            truth = sum(a + b for a, b, _ in block[SEQ:])
            one = table(self.predict("--data", data, "--sum", "ab=a+b", "--sum-horizon", "--level", "80"))[0]
            cells = table(self.predict("--data", data, "--level", "80"))
            within += one["ab-lo-80"] <= truth <= one["ab-hi-80"]
            added += sum(row[f"{c}-lo-80"] for row in cells for c in "ab") <= truth <= sum(row[f"{c}-hi-80"] for row in cells for c in "ab")
            half = math.sqrt(sum((row[f"{c}-hi-80"] - row[f"{c}-lo-80"]) ** 2 for row in cells for c in "ab")) / 2
            alone += abs(one["ab"] - truth) <= half
        within, added, alone = (100 * x / 180 for x in (within, added, alone))
        self.assertTrue(71 <= within <= 89, (within, added, alone))
        self.assertGreater(added, within + 5, (within, added, alone))
        self.assertLess(alone, 60, (within, added, alone))

    def test_quantiles_do_not_cross(self):
        levels = [1, 20, 50, 80, 95, 99]
        for words in (["--sum", SUMS], ["--sum", SUMS, "--sum-horizon"], ["--sum", SUMS, "--lower", "c=5", "--upper", "6,a=22,b=41"]):
            rows = table(self.predict("--level", ",".join(map(str, levels)), *words))
            for row in rows:
                for name in ("a", "c", "ab", "all"):
                    bounds = [row[f"{name}-lo-{n}"] for n in reversed(levels)] + [row[f"{name}-hi-{n}"] for n in levels]
                    self.assertEqual(bounds, sorted(bounds), (words, name))

    def test_paths_tell_what_levels_tell(self):
        """Of 2,000 paths the share between a column's own bounds is the level, to 4 standard errors; and that between a sum's."""
        rows, paths = self.paths("--level", "80", "--sum", SUMS, "--paths", 2000)
        for step in (0, PRED - 1):
            for name in ("a", "c", "all"):
                low, high = rows[step][f"{name}-lo-80"], rows[step][f"{name}-hi-80"]
                share = sum(low <= row[name] <= high for row in paths[step::PRED]) / 2000
                self.assertAlmostEqual(share, 0.8, delta=0.036, msg=(step, name))

    def test_bounds_hold(self):
        free, _ = self.paths("--paths", 50, "--level", "95", "--sum", SUMS)
        rows, paths = self.paths("--paths", 50, "--level", "95", "--sum", SUMS, "--lower", "c=4.5", "--upper", "c=5.5,a=20")
        self.assertTrue(any(row["c-lo-95"] < 4.5 for row in free))
        for row in rows + paths:
            self.assertTrue(4.5 <= row["c"] <= 5.5 and row["a"] <= 20)
            self.expect_added(row)
        for row in rows:
            self.assertGreaterEqual(row["c-lo-95"], 4.5)
            self.assertLessEqual(row["all-hi-95"], row["ab-hi-95"] + 5.5 + 1e-5)  # forecasts are of single precision
        self.assertIn("'ab', which is not forecast", self.code(2, "forecast", "predict", self.run, "--no-plots", "--sum", SUMS, "--upper", "ab=3").stderr)

    def test_where_paths_go(self):
        """Into the run without --output; over nothing that is not ours."""
        self.predict("--paths", 2)
        self.assertEqual(len(table((self.run / "forecast_paths.csv").read_text())), 2 * PRED)
        self.predict("--paths", 3)
        self.assertEqual(len(table((self.run / "forecast_paths.csv").read_text())), 3 * PRED)
        mine, out = self.folder / "mine-paths.csv", self.folder / "mine.csv"
        mine.write_text("mine\n")
        self.assertIn("mine-paths.csv", self.code(2, "forecast", "predict", self.run, "--no-plots", "--paths", 2, "--output", out).stderr)
        self.assertEqual((mine.read_text(), out.exists()), ("mine\n", False))
        sums = self.folder / "sums.csv"
        sums.write_text("# parts\nab = a + b\nall = ab + c\n")
        self.assertIn("is read by this command", self.code(2, "forecast", "predict", self.run, "--no-plots", "--sum", f"@{sums}", "--output", sums,
                                                           "--overwrite").stderr)
        self.assertEqual(self.predict("--sum", f"@{sums}"), self.predict("--sum", "ab=a+b;all=ab+c"))

    def test_refused(self):
        for code, says, words in ((2, "did you mean 'a2'", ["--sum", "t=a+aa2;a2=b"]), (2, "go round", ["--sum", "t=s;s=t"]),
                                  (2, "would count 'a' twice", ["--sum", "s=a+b;t=s+a"]), (2, "which is a series", ["--sum", "a=b"]),
                                  (3, "nowhere.txt", ["--sum", "@nowhere.txt"]), (2, "trained with --arch seasonal-naive", ["--use", "seasonal-naive", "--paths", 2]),
                                  (2, "baseline last-value", ["--use", "last-value", "--sum", SUMS, "--level", "80"]),
                                  (2, "as the time stamps are", ["--sum", "date=a"]), (2, "called so, too", ["--sum", "path=a", "--paths", 1]),
                                  (2, "paths", ["--paths", -1])):
            with self.subTest(words=words):
                self.assertRegex(self.code(code, "forecast", "predict", self.run, "--no-plots", *words).stderr, says)
        self.assertEqual(table(self.predict("--use", "last-value", "--sum", SUMS))[0]["c"], round(self.rows[-1][2], 4))
        self.predict("--use", "linear", "--paths", 2)  # which the run's own model is

    def test_long_format_and_gaps(self):
        """A sum is a series more, called so in the first column of ids; truths that are missing are nobody's errors."""
        lines = [f"{name},x,{stamp(i)},{row[c]:.4f}\n" for c, name in enumerate("abc") for i, row in enumerate(self.rows) if (i * 7 + c) % 11]
        data, run = self.folder / "long.csv", self.folder / "long"
        data.write_text("id,kind,ds,y\n" + "".join(lines))
        self.code(0, "forecast", "train", "--data", data, "--out", run, "--id", "id,kind", "--value", "y", *LINEAR)
        rows, paths = self.paths("--paths", 3, "--level", "80", "--sum", "ab=a/x+b/x;all=ab+c/x", run=run)
        self.assertEqual([(row["id"], row["kind"]) for row in rows[::PRED]], [("a", "x"), ("b", "x"), ("c", "x"), ("ab", ""), ("all", "")])
        self.assertEqual(list(paths[0]), ["path", "id", "kind", "ds", "y"])
        for part in (rows, *(paths[i * 5 * PRED:(i + 1) * 5 * PRED] for i in range(3))):
            for i in range(PRED):
                y = {row["id"]: row["y"] for row in part[i::PRED]}
                self.expect_added(y)
        self.assertTrue(all(row["y-lo-80"] < row["y-hi-80"] for row in rows))

    def test_few_windows(self):
        """Of wide windows 4 MB are few: training says how many are kept, and predict what they can vouch for."""
        names, draw = [f"s{i}" for i in range(700)], random.Random(1)
        data, run = self.folder / "wide.csv", self.folder / "wide"
        data.write_text("date," + ",".join(names) + "\n" + "".join(f"{stamp(i)},{','.join(str(draw.randrange(90)) for _ in names)}\n" for i in range(620)))
        said = self.code(0, "forecast", "train", "--data", data, "--arch", "last-value", "--seq-len", 8, "--pred-len", 96, "--val", 305, "--test", 110, "--no-plots",
                         "--out", run).stderr
        self.assertRegex(said, "of the 210 validation windows 14 are kept for sample paths.* over 4 MB")
        self.assertLess((run / "model.safetensors").stat().st_size, 9e6)
        short = self.folder / "short"  # as many windows, of a short validation
        self.code(0, "forecast", "train", "--data", self.data, "--out", short, "--val", PRED + 13, *LINEAR)
        done = self.code(0, "forecast", "predict", short, "--no-plots", "--sum", "t=a+b", "--level", "95")
        self.assertRegex(done.stderr, "known from 14 windows of validation, which vouch for no level of a sum above 86 %")
        self.assertNotIn("validation windows", self.code(0, "forecast", "train", "--data", self.data, "--out", self.run, "--overwrite", *LINEAR).stderr)

    def test_every_network(self):
        for arch in ("itransformer", "dlinear", "patchtst", "seasonal-naive", "auto"):
            with self.subTest(arch=arch):
                run = self.folder / arch
                more = ["--members", "linear,seasonal-naive"] if arch == "auto" else []
                self.code(0, "forecast", "train", "--data", self.data, "--out", run, "--arch", arch, *more, "--seq-len", 24, "--pred-len", PRED, "--d-model", 16,
                          "--d-ff", 16, "--n-heads", 2, "--e-layers", 1, "--epochs", 1, "--no-plots")
                rows, paths = self.paths("--paths", 4, "--sum", SUMS, "--level", "80", run=run, name=arch)
                for row in rows + paths:
                    self.expect_added(row)
                self.assertTrue(all(row["all-lo-80"] < row["all-hi-80"] for row in rows))


if __name__ == "__main__":
    program.main("paths")

#!/usr/bin/env python3
"""Long format, rows of several series below each other: a run is the one that the table with a column for each series makes, and
its forecast comes back in the form of the file."""
import csv
import datetime
import io
import json
import math
import os
import pathlib
import random
import struct
import sys
import unittest

import program
from program import Case

TINY = ["--seq-len", "24", "--pred-len", "6", "--d-model", "8", "--d-ff", "8", "--e-layers", "1", "--n-heads", "1", "--epochs", "2",
        "--threads", "1", "--no-plots", "--quiet"]
DAYS = 150


def day(i):
    return (datetime.date(2023, 1, 1) + datetime.timedelta(days=i)).isoformat()


def value(series, i):
    return f"{100 * (series + 1) + 10 * math.sin(2 * math.pi * i / 7 + series):.2f}"


def written(rows, **form):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **form).writerows(rows)
    return text.getvalue()


def single(x):
    """The float32 that a number means, however many digits it was printed with."""
    return struct.unpack("f", struct.pack("f", x))[0]


def read(text):
    return list(csv.reader(io.StringIO(text)))


def by_id(ids):
    return [[*name, day(i), value(s, i)] for s, name in enumerate(ids) for i in range(DAYS)]


def by_time(ids):
    return [[*name, day(i), value(s, i)] for i in range(DAYS) for s, name in enumerate(ids)]


def shuffled(ids):
    """Within each series, and the series among each other after their first rows, which tell their order."""
    rows = by_time(ids)
    first, rest = rows[:len(ids)], rows[len(ids):]
    random.shuffle(rest)
    return first + rest


def wide(ids, step="ds"):
    return written([[step, *("/".join(name) for name in ids)], *([day(i), *(value(s, i) for s in range(len(ids)))] for i in range(DAYS))])


ONE = [["s0"], ["s1"], ["s2"], ["s3"]]
# name: header, ids, order of the rows, options, form of the text.
FILES = {
    "by id": (["unique_id", "ds", "y"], ONE, by_id, [], {}),
    "by time": (["unique_id", "ds", "y"], ONE, by_time, [], {}),
    "shuffled": (["unique_id", "ds", "y"], ONE, shuffled, [], {}),
    "numbers": (["location", "ds", "amount"], [["7"], ["07"], ["12.0"]], by_id, [], {}),
    "numbers, shuffled": (["location", "ds", "amount"], [["7"], ["07"], ["12.0"]], shuffled, ["--id", "location"], {}),
    "two columns": (["store", "item, kind", "ds", "sales"], [["north", "1"], ["north", "2"], ["so/uth", "1"]], by_time, [], {}),
    "quotes": (["what", "ds", "y"], [["a,b"], ['say "no"'], ["Zürich"], ["y"], ["=1+1"], ["x" * 3000]], by_id, [], {}),
    "one series": (["unique_id", "ds", "y"], [["only"]], by_id, [], {}),
    "one series, asked for": (["what", "ds", "y"], [["only"]], by_id, ["--id", "what"], {}),
    "semicolons": (["what", "ds", "y"], ONE, by_id, [], {"delimiter": ";"}),
}


def model(run):
    """What the model file says, and its tensors' bytes."""
    raw = (run / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(json.loads(raw[8:8 + size])["__metadata__"]["tidemill.forecast"]), raw[8 + size:]


class Long(Case):
    def write(self, text, name="series.csv"):
        path = self.folder / name
        path.write_text(text)
        return path

    def train(self, data, options=(), run="run"):
        return program.run("forecast", "train", "--data", data, "--out", self.folder / run, "--overwrite", *TINY, *options)

    def trained(self, data, options=(), run="run"):
        done = self.train(data, options, run)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def predict(self, run="run", *options):
        return self.code(0, "forecast", "predict", self.folder / run, "--no-plots", *options).stdout

    def expect_same_run(self, one, other):
        """The same bits: parameters, kept rows, scaler, names; only the form of the file differs."""
        (a, bytes_a), (b, bytes_b) = model(self.folder / one), model(self.folder / other)
        self.assertEqual(a["columns"], b["columns"])
        self.assertEqual(bytes_a, bytes_b)
        for member in ("mean", "std", "target", "training"):
            self.assertEqual(a[member], b[member], member)

    def test_as_from_a_wide_file(self):
        seed = int.from_bytes(os.urandom(4), "little")
        random.seed(seed)
        for name, (head, ids, order, options, form) in FILES.items():
            with self.subTest(name, seed=seed):
                data = self.write(written([head, *order(ids)], **form))
                self.trained(data, options)
                self.trained(self.write(wide(ids), "wide.csv"), run="wide")
                self.expect_same_run("run", "wide")
                shown = self.predict()
                self.assertEqual(self.predict("run", "--data", data), shown)
                self.code(0, "forecast", "evaluate", "--model", self.folder / "run", "--data", data)
                rows, expected = read(shown), read(self.predict("wide"))
                self.assertEqual(rows[0], head)
                truth = [[*name, expected[k][0], expected[k][1 + s]] for s, name in enumerate(ids) for k in range(1, 7)]
                self.assertEqual(rows[1:], truth)
                # and from either form to the other
                self.assertEqual(self.predict("wide", "--data", data, *options), shown)
                self.assertEqual(read(self.predict("run", "--data", self.folder / "wide.csv")), expected)

    def test_reported(self):
        """The shape of the report: unique_id, ds, y, four series of 200 days; if the file itself is there, that one."""
        shared = pathlib.Path(os.environ.get("TIDEMILL_SHARED", "../shared")) / "data/forecast/reported/long_text_id.csv"
        if not shared.exists():
            self.skipTest(f"needs {shared}")
        self.trained(shared)
        rows = read(self.predict())
        self.assertEqual(rows[0], ["unique_id", "ds", "y"])
        self.assertEqual([row[0] for row in rows[1:]], [f"s{s}" for s in range(4) for _ in range(6)])
        self.assertEqual([row[1] for row in rows[1:7]], [f"2023-07-{20 + i}" for i in range(6)])
        for name, _, y in rows[1:]:
            self.assertLess(abs(float(y) - 100 * (1 + int(name[1]))), 30)

    def test_other_ids_and_orders(self):
        """At predict the run's series are found by name, whatever stands beside them; a missing one is refused by name."""
        self.trained(self.write(written([["unique_id", "ds", "y"], *by_id(ONE)])))
        shown = self.predict()
        late = [["new", day(i), "5"] for i in range(100, DAYS + 40)]
        rows = late + by_id(ONE)
        random.shuffle(rows)
        order = list(dict.fromkeys(row[0] for row in rows if row[0] != "new"))
        again = read(self.predict("run", "--data", self.write(written([["unique_id", "ds", "y"], *rows]))))
        self.assertEqual(sorted(again), sorted(read(shown)))
        self.assertEqual(list(dict.fromkeys(row[0] for row in again[1:])), order)
        error = self.error(3, "forecast", "predict", self.folder / "run", "--no-plots", "--data",
                           self.write(written([["unique_id", "ds", "y"], *by_id([ONE[0], ONE[2], ONE[3]])])))
        self.assertIn("'s1'", error["message"])
        self.assertIn("s0, s2, s3", error["message"])
        error = self.error(3, "forecast", "predict", self.folder / "run", "--no-plots", "--data",
                           self.write(written([["series", "ds", "y"], *by_id(ONE)])))
        self.assertIn("`id`: there is no column 'unique_id'", error["message"])
        self.assertEqual(read(self.predict("run", "--data", self.folder / "series.csv", "--id", "series"))[1:], read(shown)[1:])

    def test_places_and_values(self):
        """Columns keep their places; a value that is not forecast is left empty; JSON has series by name."""
        rows = [[day(i), k, round(50 + 5 * math.sin(i + s), 3), "city", name[0]] for s, name in enumerate(ONE) for i in range(DAYS)
                for k in (value(s, i),)]
        data = self.write(written([["ds", "sold", "price", "where", "shop"], *rows]))
        self.assertIn("several columns may hold the values (sold, price): --value 'sold'", self.train(data).stderr)
        self.trained(data, ["--value", "sold,price", "--columns", "s0/sold,s0/price,s2/price"])
        shown = read(self.predict())
        self.assertEqual(shown[0], ["ds", "sold", "price", "shop"])
        self.assertEqual([row[3] for row in shown[1:]], ["s0"] * 6 + ["s2"] * 6)
        self.assertTrue(all(row[1] for row in shown[1:7]) and not any(row[1] for row in shown[7:]))
        result = json.loads(self.code(0, "forecast", "predict", self.folder / "run", "--no-plots", "--json").stdout)
        self.assertEqual(list(result["forecast"]), ["s0/sold", "s0/price", "s2/price"])
        self.assertEqual([single(float(row[2])) for row in shown[7:]], [single(x) for x in result["forecast"]["s2/price"]])

    def test_target(self):
        """MS forecasts the target alone, S reads nothing else."""
        data = self.write(written([["unique_id", "ds", "y"], *by_id(ONE)]))
        for features, columns in (("MS", ["s0", "s2", "s3", "s1"]), ("S", ["s1"])):
            self.trained(data, ["--features", features, "--target", "s1"])
            self.assertEqual(model(self.folder / "run")[0]["columns"], columns)
            self.assertEqual({row[0] for row in read(self.predict())[1:]}, {"s1"})

    def test_spans(self):
        """Series that begin late and end early: those that cannot be used are left out by name, and the advice keeps them."""
        rows = by_id([*ONE, ["short"], ["late"]])
        kept = [r for r in rows if not (r[0] == "short" and r[1] >= day(20)) and not (r[0] == "late" and r[1] < day(115))
                and not (r[0] == "s1" and r[1] < day(30))]
        data = self.write(written([["unique_id", "ds", "y"], *kept]))
        said = self.trained(data).stderr
        self.assertRegex(said, "missing: 30 cells, .* most of them in 's1', 30, at most 30 in a row: they stay gaps")
        self.assertRegex(said, "1 series left out, with fewer values than a window has rows: short; --columns")
        self.assertRegex(said, "1 series left out, without a value among the training rows: late; --columns")
        self.assertEqual(model(self.folder / "run")[0]["columns"], ["s0", "s1", "s2", "s3"])
        self.trained(data, ["--columns", "s0,short,late"])
        self.assertEqual(model(self.folder / "run")[0]["columns"], ["s0", "short", "late"])

    def test_followed(self):
        """What a refusal names is taken: `value`, `id` where nothing is certain, and none."""
        rows = by_id([["7"], ["8"]])
        random.shuffle(rows)
        data = self.write(written([["location", "ds", "y"], *rows]))
        self.assertIn("if they are rows of several series, --id names the column", self.train(data).stderr)
        self.trained(data, ["--id", "location"])
        self.assertEqual(sorted(model(self.folder / "run")[0]["columns"]), ["7", "8"])
        twice = self.write(written([["what", "part", "ds", "y"], *([n, p, d, y] for n, d, y in rows for p in "ab")]))
        self.assertIn("--id what,NAME adds it", self.train(twice, ["--id", "what"]).stderr)
        self.trained(twice, ["--id", "what,part"])
        self.assertIn("time runs backwards", self.train(data, ["--id", "none"]).stderr)

    def test_damaged_form(self):
        """What a model file says of its columns is checked like the rest of it."""
        self.trained(self.write(written([["unique_id", "ds", "y"], *by_id(ONE)])))
        path = self.folder / "run" / "model.safetensors"
        raw = path.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        fine = model(self.folder / "run")[0]["long"]
        for change in ({"ids": 0}, {"ids": 2}, {"ids": -1}, {"ids": 10 ** 12}, {"names": []}, {"names": ["a", 5]}, {"places": [0]}, {"places": [0, -1]},
                       {"id": ["s0"]}, {"id": [1, 2, 3, 4]}, {"value": [0, 0, 0, 1]}, {"value": [0, 0, 0, -1]}, {"value": None}, None, []):
            header = json.loads(raw[8:8 + size])
            metadata = json.loads(header["__metadata__"]["tidemill.forecast"])
            metadata["long"] = {**fine, **change} if isinstance(change, dict) else [] if change == [] else "long"
            header["__metadata__"]["tidemill.forecast"] = json.dumps(metadata)
            text = json.dumps(header).encode()
            text += b" " * (-len(text) % 8)
            path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + size:])
            self.assertIn("damaged", self.error(3, "forecast", "predict", self.folder / "run", "--no-plots")["message"], change)

    @unittest.skipUnless("slow" in sys.argv, "slow")
    def test_large(self):
        """A hundred thousand rows of two thousand series, in no order: work by the rows, not by rows and series."""
        rows = [f"s{s},{day(i)},{(s * i) % 97}" for s in range(2000) for i in range(50)]
        random.shuffle(rows)
        data = self.write("\n".join(["unique_id,ds,y", *rows]) + "\n")
        shape = ["--seq-len", "6", "--pred-len", "2", "--epochs", "1", "--batch-size", "4", "--d-model", "4", "--d-ff", "4", "--max-minutes", "0.02"]
        self.trained(data, shape)
        self.assertEqual(len(model(self.folder / "run")[0]["columns"]), 2000)


if __name__ == "__main__":
    program.main("long")

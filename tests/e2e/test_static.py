#!/usr/bin/env python3
"""Attributes of series: what they are worth to series that were not learned, a file against columns of long format, and what is
said of tables that leave something open."""
import csv
import datetime
import json
import math
import random

import program
from program import Case

SHAPE = ["--seq-len", 3, "--pred-len", 3, "--d-model", 32, "--d-ff", 32, "--n-heads", 2, "--e-layers", 1, "--batch-size", 16, "--learning-rate", 0.005, "--lradj", "cosine",
         "--patience", 0, "--dropout", 0, "--threads", 1, "--no-plots"]
DAYS = 300


def stores(prefix, count, seed):
    """name: type and size."""
    chance = random.Random(seed)
    return {f"{prefix}{i}": ("mall" if i % 2 else "street", round(chance.uniform(0.5, 1.5), 2)) for i in range(count)}


def rows(named, seed):
    """A cycle of three days that all have, and weekends that go up in malls and down elsewhere, by size: three days before do not
    say which."""
    chance, first = random.Random(seed), datetime.date(2022, 1, 3)
    level = {name: chance.uniform(50, 150) for name in named}
    for i in range(DAYS):
        day = first + datetime.timedelta(days=i)
        weekend = 4 if day.weekday() > 4 else 0
        yield day.isoformat(), {name: f"{level[name] + 3 * math.sin(math.tau * i / 3) + weekend * (size if kind == 'mall' else -size) + chance.gauss(0, 0.3):.3f}"
                                for name, (kind, size) in named.items()}


class Static(Case):
    def setUp(self):
        super().setUp()
        self.old, self.new = stores("s", 10, 1), stores("n", 6, 2)
        self.write("old.csv", self.wide(self.old, 3))
        self.write("new.csv", self.wide(self.new, 4))
        self.attributes = [["store", "type", "size", "country"], *([name, *of, "DE"] for name, of in {**self.old, **self.new}.items())]
        self.write("stores.csv", self.attributes)

    def write(self, name, table):
        with open(self.folder / name, "w", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(table)
        return self.folder / name

    def wide(self, named, seed):
        return [["date", *named], *([day, *values.values()] for day, values in rows(named, seed))]

    def long(self, named, seed):
        return [["unique_id", "ds", "y", "type", "size"], *([name, day, value, *named[name]] for day, values in rows(named, seed) for name, value in values.items())]

    def train(self, out, *more, data="old.csv", epochs=1):
        return self.code(0, "forecast", "train", "--data", self.folder / data, "--out", self.folder / out, *SHAPE, "--epochs", epochs, *more)

    def mse(self, run, *more, data="new.csv"):
        return json.loads(self.code(0, "forecast", "evaluate", "--model", self.folder / run, "--data", self.folder / data, "--other-columns", "--threads", 1, "--json", *more).stdout)["test"]["mse"]

    def predict(self, run, *more):
        return self.code(0, "forecast", "predict", self.folder / run, "--threads", 1, "--no-plots", "--output", "-", *more)

    def refused(self, code, *words):
        return self.error(code, "forecast", *words)

    def refused_train(self, table, *more, code=3):
        table = self.write("table.csv", table)
        return self.refused(code, "train", "--data", self.folder / "old.csv", "--out", self.folder / "no", *SHAPE, "--epochs", 1, "--static", table, *more)

    def tensors(self, run):
        raw = (self.folder / run / "model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        head = json.loads(raw[8:8 + size])
        return {name: raw[8 + size + head[name]["data_offsets"][0]:8 + size + head[name]["data_offsets"][1]] for name in head if name != "__metadata__"}

    def test_worth(self):
        """On series that were not learned, of types and sizes that were."""
        table = self.folder / "stores.csv"
        for arch, share in (("itransformer", 0.75), ("patchtst", 0.9)):
            self.train(arch, "--arch", arch, epochs=30)
            told = self.train(arch + "-told", "--arch", arch, "--static", table, epochs=30)
            self.assertIn("attributes of the series: type (2 values), size", told.stderr)
            self.assertIn("'country' is the same for all series: left out", told.stderr)
            self.assertLess(self.mse(arch + "-told", "--static", table), share * self.mse(arch))

    def test_doors(self):
        """The same model from a file and from columns; the run keeps its own; others are asked for."""
        table = self.folder / "stores.csv"
        self.train("file", "--static", table)
        self.write("old-long.csv", self.long(self.old, 3))
        self.write("new-long.csv", self.long(self.new, 4))
        self.train("columns", "--static-columns", "type,size", data="old-long.csv")
        self.assertEqual(self.tensors("file"), self.tensors("columns"))
        self.assertEqual(self.mse("file", "--static", table), self.mse("columns", data="new-long.csv"))
        kept = self.predict("file").stdout
        self.assertEqual(kept, self.predict("file", "--static", table).stdout)
        other = [row if row[0] != "s1" else ["s1", "street", 1.5, "DE"] for row in self.attributes]
        self.assertNotEqual(kept, self.predict("file", "--static", self.write("moved.csv", other)).stdout)
        error = self.refused(3, "predict", self.folder / "file", "--data", self.folder / "new.csv", "--other-columns")
        self.assertIn("type (2 values), size", error["message"])
        (self.folder / "config.json").write_text(json.dumps({"data": str(self.folder / "old.csv"), "static": str(table)}))
        self.code(0, "forecast", "train", "--config", self.folder / "config.json", "--out", self.folder / "config", *SHAPE, "--epochs", 1)
        self.assertEqual(self.tensors("config"), self.tensors("file"))

    def test_others(self):
        """What goes on without it: published checkpoints, other networks, fine-tuning, models that are trained anew; and what goes on with it."""
        table = self.folder / "stores.csv"
        self.train("run", "--static", table)
        self.train("none")
        run = self.folder / "run"
        self.assertIn("no attributes of series", self.refused(2, "export", run, "--output", self.folder / "m.pth")["message"])
        for code, words in (                            (2, ["predict", self.folder / "none", "--static", table]),
                            (2, ["backtest", run, "--data", self.folder / "old.csv", "--refit-every", 5]),
                            (2, ["train", "--data", self.folder / "old.csv", "--out", self.folder / "no", "--from", run, "--static", table]),
                            (2, ["train", "--data", self.folder / "old.csv", "--out", self.folder / "no", *SHAPE, "--arch", "dlinear", "--static", table])):
            self.assertIn("static", self.refused(code, *words)["message"], words)
        self.code(0, "forecast", "update", run, "--data", self.folder / "old.csv", "--rows", 50, "--steps", 2, "--out", self.folder / "updated", "--threads", 1)
        self.assertEqual(self.tensors("updated")["static.values"], self.tensors("run")["static.values"])
        self.train("both", "--static", table, "--arch", "auto", "--members", "linear,patchtst")
        self.train("sampled", "--static", table, "--sample-columns", 4)

    def test_tables(self):
        """A series without a row, with two, without a number; nothing to tell; codes."""
        name, kinds = self.attributes[0], self.attributes[1:]
        missing = self.refused_train([name, *kinds[1:]])
        self.assertIn("'s0'", missing["message"])
        twice = self.refused_train([name, *kinds, kinds[0]])
        self.assertEqual(twice["row"], len(kinds) + 2)
        self.assertIn("line 2", twice["message"])
        for cell in ("NaN", "", "inf", "big"):
            error = self.refused_train([name, [*kinds[0][:2], cell, "DE"], *kinds[1:]])
            if cell in ("NaN", ""):
                self.assertEqual((error["row"], error["column"]), (2, "size"))
            else:  # text makes it a category of sizes, which no two stores share
                self.assertIn("'size'", error["message"])
        self.assertIn("differs", self.refused_train([["store", "country"], *([row[0], "DE"] for row in kinds)])["message"])
        self.assertIn("nothing about them", self.refused_train([["store"], *([row[0]] for row in kinds)])["message"])
        self.assertIn("no rows", self.refused_train([name])["message"])
        self.assertIn("both named", self.refused_train([["store", "a", "a"], *([row[0], 1, 2] for row in kinds)])["message"])
        self.assertIn("neither", self.refused_train(self.attributes, "--categorical", "sort")["message"])
        codes = self.write("codes.csv", [["store", "code", "open"], *([row[0], i % 3, "" if i % 4 == 0 else "yes"] for i, row in enumerate(kinds))])
        told = self.train("codes", "--static", codes, "--categorical", "code").stderr
        self.assertIn("code (3 values), open (1 values)", told)

    def test_unknown(self):
        """Later tables: an attribute that is gone, a number that is none, a value that the run does not know."""
        self.train("run", "--static", self.folder / "stores.csv")
        ask = ["predict", self.folder / "run", "--data", self.folder / "new.csv", "--other-columns", "--threads", 1, "--no-plots"]
        gone = self.refused(3, *ask, "--static", self.write("gone.csv", [row[:2] for row in self.attributes]))
        self.assertEqual(gone["column"], "size")
        text = [row if row[0] != "n2" else ["n2", "mall", "big", "DE"] for row in self.attributes]
        error = self.refused(3, *ask, "--static", self.write("text.csv", text))
        self.assertEqual((error["column"], error["row"]), ("size", 1 + [row[0] for row in self.attributes].index("n2")))
        kiosk = [row if row[0] != "n2" else ["n2", "kiosk", 1, "DE"] for row in self.attributes]
        told = self.code(0, "forecast", *ask, "--static", self.write("kiosk.csv", kiosk)).stderr
        self.assertIn("'type' of 'n2' is 'kiosk', which the run does not know: none of its inputs is 1", told)

    def test_damaged(self):
        """Model files whose attributes cannot be."""
        self.train("run", "--static", self.folder / "stores.csv")
        raw = (self.folder / "run" / "model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        changes = {"gone": lambda m: m.pop("static"), "empty": lambda m: m.update(static=[]), "not counted": lambda m: m["model"].pop("statics"),
                   "too many": lambda m: m["model"].update(statics=10 ** 9), "one more": lambda m: m["static"].append({"name": "k", "mean": 0, "std": 1}),
                   "out of order": lambda m: m["static"][0]["values"].reverse(), "no width": lambda m: m["static"][1].update(std=0), "no text": lambda m: m["static"][1].update(name=3)}
        for name, change in changes.items():
            head = json.loads(raw[8:8 + size])
            said = json.loads(head["__metadata__"]["tidemill.forecast"])
            change(said)
            head["__metadata__"]["tidemill.forecast"] = json.dumps(said)
            text = json.dumps(head).encode()
            text += b" " * (-len(text) % 8)
            damaged = self.folder / "damaged.safetensors"
            damaged.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + size:])
            self.assertIn("damaged", self.refused(3, "predict", damaged, "--output", "-")["message"], name)

    def test_columns(self):
        """Columns that change, that are not there, of a table that is not in long format."""
        long = self.long(self.old, 3)
        self.write("long.csv", long)
        base = ["train", "--out", self.folder / "no", *SHAPE, "--epochs", 1, "--data"]
        self.assertIn("long format", self.refused(3, *base, self.folder / "old.csv", "--static-columns", "type")["message"])
        self.assertIn("did you mean 'type'", self.refused(3, *base, self.folder / "long.csv", "--static-columns", "typ")["message"])
        changed = [list(row) for row in long]
        changed[30][3] = "kiosk"
        error = self.refused(3, *base, self.write("changed.csv", changed), "--static-columns", "type")
        self.assertIn("changes within a series", error["message"])
        holes = [list(row) for row in long]
        for row in holes[25:60]:
            row[3] = ""
        self.write("holes.csv", holes)
        self.train("holes", "--static-columns", "type,size", data="holes.csv")
        self.train("whole", "--static-columns", "type,size", data="long.csv")
        self.assertEqual(self.tensors("holes"), self.tensors("whole"))
        self.assertEqual(self.refused(2, *base, self.folder / "long.csv", "--static-columns", "type", "--static", self.folder / "stores.csv")["option"], "static-columns")


if __name__ == "__main__":
    program.main("static")

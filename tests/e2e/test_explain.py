#!/usr/bin/env python3
"""tidemill forecast explain: the page holds whatever a file calls its columns, stays readable with hundreds of them, and says plainly what carries a
forecast and what has moved; the CSVs, the JSON object and the text tell the same."""
import csv
import datetime
import json
import math
import random
import re
import shutil
import unittest
import xml.dom.minidom

import program
from program import Case, SMALL

ROWS = 600
FILES = {"report.html", "attention.csv", "attributions.csv", "rows.csv", "flat.csv", "drift.csv", "scores.csv", "steps.csv"}
HOSTILE = ["<script>alert(1)</script>", 'a "quoted", name', "λ température ☀", "x" * 300, "it's & <b>that</b>", "]]>--><svg onload=x>"]


def write(path, names, rows, first=0):
    with open(path, "w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["date", *names])
        for i, row in enumerate(rows):
            stamp = datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=first + i)
            table.writerow([stamp.strftime("%Y-%m-%d %H:%M:%S"), *("" if v is None else f"{v:.4f}" for v in row)])
    return path


def waves(seed, columns, rows=ROWS):
    draw = random.Random(seed)
    return [[10 + 3 * math.sin(2 * math.pi * i / 24 + k) + draw.gauss(0, 0.5) for k in range(columns)] for i in range(rows)]


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Explain(Case):
    def trained(self, data, *words, out="run"):
        self.code(0, "forecast", "train", "--data", data, "--out", out, "--no-plots", "-q", *SMALL, *words, cwd=self.folder)

    def explained(self, *words, run="run"):
        return json.loads(self.code(0, "forecast", "explain", run, "--json", "-q", *words, cwd=self.folder).stdout)

    def page(self, folder="run/explain"):
        """The page as text; it is well-formed behind its first line, and brings nothing from elsewhere."""
        page = (self.folder / folder / "report.html").read_text(encoding="utf-8")
        document = xml.dom.minidom.parseString(page.split("\n", 1)[1])
        tags = {node.tagName for node in document.getElementsByTagName("*")}
        self.assertFalse(tags & {"script", "link", "img", "iframe", "object", "b2", "image", "use"}, tags)
        for node in document.getElementsByTagName("*"):
            for name, _ in node.attributes.items():
                self.assertFalse(name.startswith("on") or name in ("href", "src"), name)
        self.assertEqual([u for u in re.findall(r"https?://[^\"' ]*", page) if u != "http://www.w3.org/2000/svg"], [])
        return page

    def test_names(self):
        rows = [[*row[:5], None if i % 9 == 4 else row[5]] for i, row in enumerate(waves(1, 6))]
        write(self.folder / "series.csv", HOSTILE, rows)
        self.trained("series.csv")
        told = self.explained()
        page = self.page()
        self.assertNotIn("<script", page)
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", page)
        self.assertEqual({p.name for p in (self.folder / "run/explain").iterdir()} - {".tidemill"}, FILES)
        names = [p["name"] for p in told["inputs"]]
        self.assertEqual(names[:6], HOSTILE)
        self.assertEqual(names[6:], ["hour of day", "day of week", "day of month", "day of year"])
        self.assertEqual({r["input"] for r in read(self.folder / "run/explain/attributions.csv")}, set(names))
        for target in told["targets"]:
            shares = {a["input"]: a["share"] for a in target["attributions"]}
            self.assertAlmostEqual(sum(shares.values()), 100, 4)
            rows = [r for r in read(self.folder / "run/explain/attributions.csv") if r["target"] == target["target"]]
            self.assertEqual([round(float(r["share"]), 4) for r in rows], [round(shares[r["input"]], 4) for r in rows])
            self.assertAlmostEqual(sum(a["mean"] for a in target["attributions"]), target["forecast"] - target["flat"], delta=0.05)
        by_row = sum(float(r["strength"]) for r in read(self.folder / "run/explain/rows.csv"))
        self.assertAlmostEqual(by_row, sum(a["strength"] for t in told["targets"] for a in t["attributions"]), delta=1e-6 * by_row)
        for layer in told["attention"]:
            self.assertEqual(sorted(layer["tokens"]), sorted(names))
            for row in layer["weights"]:
                self.assertAlmostEqual(sum(row), 1, 4)

    def test_what_carries(self):
        """`driven` is twice what `plan`, known ahead, says of its rows; `noise` says nothing."""
        draw = random.Random(4)
        plan = [draw.gauss(0, 1) for _ in range(1200)]
        rows = [[2 * p + draw.gauss(0, 0.05), draw.gauss(0, 1), p] for p in plan]
        write(self.folder / "series.csv", ["driven", "noise", "plan"], rows)
        self.code(0, "forecast", "train", "--data", "series.csv", "--out", "run", "--no-plots", "-q", "--targets", "driven", "--known", "plan", "--marks", "none",
                  *SMALL[:-2], "--epochs", "30", "--learning-rate", "0.003", "--patience", "0", "--no-use-norm", cwd=self.folder)
        told = self.explained()
        by_name = {p["name"]: p for p in told["inputs"]}
        self.assertEqual([by_name[n]["kind"] for n in ("driven", "noise", "plan")], ["series", "series", "known"])
        self.assertGreater(by_name["plan"]["share"], 60)
        self.assertGreater(by_name["plan"]["loss_rise"], 100)
        self.assertLess(abs(by_name["noise"]["loss_rise"]), 20)
        ahead = sum(float(r["strength"]) for r in read(self.folder / "run/explain/rows.csv") if r["input"] == "plan" and int(r["row"]) > 0)
        self.assertGreater(ahead, 0.7 * next(a["strength"] for a in told["targets"][0]["attributions"] if a["input"] == "plan"))
        self.assertIn("known ahead", self.page())

    def test_drift(self):
        """Made shifts are told by name, of the recent rows and of a newer file; nothing else is."""
        rows = waves(2, 3)
        for row in rows[490:]:
            row[1] += 6
        write(self.folder / "series.csv", ["a", "b", "c"], rows)
        self.trained("series.csv", "--arch", "linear")
        told = self.explained()
        self.assertEqual([d["column"] for d in told["drift"] if d["moved"]], ["b"])
        self.assertIn("level", told["drift"][1]["what"])
        self.assertIn("the test rows (120,", told["drift_note"])
        text = self.code(0, "forecast", "explain", "run", "-q", cwd=self.folder).stdout
        self.assertIn("moved: b (level", text)
        self.assertIn("linear has no attention", text)
        self.assertIn("There is no map", self.page())
        newer = waves(3, 3, 300)
        for row in newer:
            row[2] *= 3
        write(self.folder / "newer.csv", ["a", "b", "c"], newer, first=ROWS)
        told = self.explained("--data", "newer.csv", "--out", "why")
        self.assertEqual([d["column"] for d in told["drift"] if d["moved"]], ["c"])
        self.assertIn("the rows after those of the training file (300,", told["drift_note"])
        self.assertIn("with those that were trained on (420,", told["drift_note"])
        self.page("why")
        told = self.explained("--data", "newer.csv", "--out", "why", "--rows", "50")
        self.assertIn("the last rows (50,", told["drift_note"])
        text = self.code(0, "forecast", "explain", "run", "--rows", "5", "-q", cwd=self.folder).stdout
        self.assertIn("3 columns hold too few values to compare", text)
        self.assertNotIn("no column has moved", text)
        self.assertIn("3 columns hold too few values to compare", self.page())
        error = self.error(3, "forecast", "explain", "run", "--data", HOSTILE[4], cwd=self.folder)
        self.assertIn("cannot be read", error["message"])
        write(self.folder / "others.csv", ["d", "e", "f"], newer)
        message = self.error(3, "forecast", "explain", "run", "--data", "others.csv", cwd=self.folder)["message"]
        self.assertIn("there is no column 'a'", message)
        self.assertNotIn("other-columns", message)
        (self.folder / "series.csv").unlink()
        told = self.explained("--data", "newer.csv", "--out", "why")
        self.assertEqual(told["drift"], [])
        self.assertIn("series.csv is not there, or has changed since", told["drift_note"])
        self.assertIn("cannot be read", self.error(3, "forecast", "explain", "run", cwd=self.folder)["message"])

    def test_many_columns(self):
        names = [f"sensor {k}" for k in range(300)]
        write(self.folder / "series.csv", names, waves(5, 300, 300))
        self.trained("series.csv", "--epochs", "1")
        told = self.explained("--windows", "2", "--targets", "sensor 7,sensor 299")
        self.assertEqual([t["target"] for t in told["targets"]], ["sensor 7", "sensor 299"])
        self.assertEqual(len(told["inputs"]), 304)
        self.assertIsNone(told["attention"][0]["weights"])
        page = self.page()
        self.assertLess(len(page), 400_000)
        self.assertIn("281 others", page)
        self.assertEqual(len(read(self.folder / "run/explain/drift.csv")), 300)
        self.assertEqual(len(read(self.folder / "run/explain/attention.csv")), 304 * 304)

    def test_long_format(self):
        rows = waves(6, 2, 400)
        with open(self.folder / "long.csv", "w") as out:
            out.write("unique_id,ds,y\n")
            for k, name in enumerate(("north", "south")):
                for i, row in enumerate(rows):
                    out.write(f"{name},{datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i)},{row[k]:.4f}\n")
        self.trained("long.csv")
        told = self.explained()
        self.assertEqual([p["name"] for p in told["inputs"]][:2], ["north", "south"])
        self.assertEqual([d["moved"] for d in told["drift"]], [False, False])
        self.assertIn("The forecast", self.page())

    def test_others_files(self):
        write(self.folder / "series.csv", ["a", "b"], waves(7, 2))
        self.trained("series.csv", "--arch", "last-value")
        (self.folder / "run/explain").mkdir()
        (self.folder / "run/explain/report.html").write_text("mine")
        error = self.error(2, "forecast", "explain", "run", cwd=self.folder)
        self.assertIn("report.html", error["message"])
        self.assertEqual((self.folder / "run/explain/report.html").read_text(), "mine")
        shutil.rmtree(self.folder / "run/explain")
        shutil.copy(self.folder / "run/model.safetensors", self.folder / "copy.safetensors")
        error = self.error(2, "forecast", "explain", "copy.safetensors", "--data", "series.csv", cwd=self.folder)
        self.assertIn("`out` DIR", error["message"])
        told = self.explained("--data", "series.csv", "--out", "why", run="copy.safetensors")
        self.assertIn("the run does not tell its training file", told["drift_note"])


if __name__ == "__main__":
    program.main("test_explain")

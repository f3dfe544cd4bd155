#!/usr/bin/env python3
"""A predictor of the recipe cell as its users meet it: it starts fits, and screens folders."""
import csv
import json
import math
import random
import shutil
import tempfile
import unittest
from pathlib import Path

import program
from program import Case

TRAIN = ("eis", "train", "--pool-spectra", 1024, "--batch-size", 128, "--hidden-dim", 16, "--epochs", 1, "--no-plots", "--seed", 7)
NOISE, POINTS = 0.005, 40


def arcs(r1, t1, n1, r2, t2, n2, rs, seed):
    """A spectrum of two arcs with noise in each part."""
    rng, rows = random.Random(seed), []
    for i in range(POINTS):
        f = 10 ** (5 - 6 * i / (POINTS - 1))
        s = 2j * math.pi * f
        z = rs + r1 / (1 + (s * t1) ** n1) + r2 / (1 + (s * t2) ** n2)
        rows.append((f, z.real + NOISE * abs(z) * rng.gauss(0, 1), z.imag + NOISE * abs(z) * rng.gauss(0, 1)))
    return rows


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


class Cell(Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.runs = Path(folder.name)
        for recipe in ("cell", "lab"):
            done = program.run(*TRAIN, "--recipe", recipe, "--out", cls.runs / recipe)
            assert done.returncode == 0, done.stderr

    def setUp(self):
        super().setUp()
        self.model = ("--model", self.runs / "cell")

    def write(self, name, rows):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{f!r},{re!r},{im!r}\n" for f, re, im in rows))
        return path

    def fill(self, count):
        """Files of made epithelia; their TER by name."""
        truth = {}
        for i in range(count):
            r1, r2 = 300 * 1.4 ** i, 150 * 1.3 ** i
            self.write(f"plate/s{i:02}.csv", arcs(r1, 0.02, 0.93, r2, 0.0008, 0.9, 20, i))
            truth[f"plate/s{i:02}.csv"] = r1 + r2
        return truth

    def test_screen(self):
        """Medians with intervals of what can be read, reasons for the rest, exit 3."""
        truth = self.fill(8)
        (self.folder / "plate/notes.txt").write_text("notes of the day\n")
        rng = random.Random(3)
        self.write("plate/x.csv", [(f, re * rng.uniform(0.2, 2), im * rng.uniform(0.2, 2)) for f, re, im in arcs(300, 0.02, 1, 9, 0.001, 1, 9, 5)])
        run = self.code(3, "eis", "batch", "plate", *self.model, "--screen", "--area", 0.6, "--out", "out", cwd=self.folder)
        table = {r["file"]: r for r in rows_of(run.stdout)}
        self.assertEqual(run.stdout, (self.folder / "out/batch.csv").read_text())
        self.assertIn("no table of frequencies", table["plate/notes.txt"]["reason"])
        self.assertIn("did not make this spectrum", table["plate/x.csv"]["reason"])
        held = 0
        for file, ter in truth.items():
            row = {k: float(v) for k, v in table[file].items() if v and k.split("_")[0] in ("TER", "TEC", "R1", "tau1", "n1", "L", "noise")}
            self.assertLess(abs(row["TER_ohm"] / ter - 1), 0.03)
            self.assertTrue(row["TER_ohm_low95"] < row["TER_ohm"] < row["TER_ohm_high95"])
            self.assertAlmostEqual(row["TER_ohm_cm2"], 0.6 * row["TER_ohm"])
            self.assertAlmostEqual(row["TEC_uF_cm2_high95"], 1e6 * row["TEC_F_high95"] / 0.6)
            self.assertLess(abs(math.log(row["noise"] / NOISE)), math.log(1.6))
            self.assertLess(abs(row["n1"] - 0.93), 0.1)
            self.assertEqual([table[file][k] for k in ("circuit", "verdict", "fitted")], ["arcs", "", ""])
            held += row["TER_ohm_low95"] < ter < row["TER_ohm_high95"]
        self.assertGreaterEqual(held, 5, "of eight 95 % intervals of a predictor that learned next to nothing")
        self.assertNotIn("n1_s", table["plate/s00.csv"])
        whole = json.loads((self.folder / "out/batch.json").read_text())
        self.assertEqual([whole["answered"], whole["screened"], len(whole["rows"])], [8, True, 10])
        self.assertEqual([q["name"] for q in whole["rows"][1]["quantities"]], ["TER", "TEC"])
        self.assertEqual([p["name"] for p in whole["rows"][1]["parameters"]], "R1 tau1 n1 R2 tau2 n2 Rs Zel nel L".split())
        self.assertIn("8 of 10 spectra have an answer of a predictor", (self.folder / "out/report.html").read_text())

    def test_groups(self):
        self.fill(4)
        (self.folder / "plate.csv").write_text("file,well,condition\n" + "".join(f"s{i:02}.csv,A{i},{'ab'[i % 2]}\n" for i in range(4)))
        self.code(0, "eis", "batch", "plate", *self.model, "--screen", "--samples", "plate.csv", "--out", "out", cwd=self.folder)
        groups = rows_of((self.folder / "out/groups.csv").read_text())
        self.assertEqual([(r["condition"], r["count"]) for r in groups if r["what"] == "wells" and r["quantity"] == "TER"], [("a", "2"), ("b", "2")])

    def test_alone(self):
        """A row has the bits that its file has alone, in any order and by any number of threads: screened, and fitted from the model's starts."""
        files = [*self.fill(5)]
        for words in (("--screen",), ("--circuit", "arcs")):
            whole = self.code(0, "eis", "batch", *files, *self.model, *words, "--threads", 3, cwd=self.folder).stdout
            turned = self.code(0, "eis", "batch", *reversed(files), *self.model, *words, "--threads", 1, cwd=self.folder).stdout
            head, *rows = whole.splitlines()
            self.assertEqual(turned.splitlines(), [head, *reversed(rows)])
            for file, row in zip(files, rows):
                self.assertEqual(self.code(0, "eis", "batch", file, *self.model, *words, cwd=self.folder).stdout.splitlines(), [head, row])

    def test_fit(self):
        """Three starts more, the same best minimum, the same bytes each time."""
        file = self.write("one.csv", arcs(500, 0.02, 0.93, 200, 0.0008, 0.9, 20, 1))
        for circuit in ("epithelial-cpe", "arcs", "R0-p(R1,C1)", "auto"):
            plain = json.loads(self.code(0, "eis", "fit", file, "--circuit", circuit, "--json").stdout)
            run = self.code(0, "eis", "fit", file, "--circuit", circuit, *self.model, "--json").stdout
            started = json.loads(run)
            self.assertGreater(started["starts"], plain["starts"] + 2)
            self.assertLess(started["objective"], plain["objective"] * (1 + 1e-6))
            self.assertEqual(run, self.code(0, "eis", "fit", file, "--circuit", circuit, *self.model, "--json").stdout)

    def test_goes_on(self):
        """Answers of another model, or of fits, are not mixed with those that are there."""
        self.fill(2)
        words = ("eis", "batch", "plate", "--out", "out")
        self.code(0, *words, *self.model, "--screen", cwd=self.folder)
        self.assertIn("2 of 2 spectra", self.code(0, *words, *self.model, "--screen", cwd=self.folder).stderr)
        self.assertEqual(self.error(2, *words, *self.model, cwd=self.folder)["column"], "screen")
        self.assertEqual(self.error(2, *words, cwd=self.folder)["column"], "model")
        shutil.copytree(self.runs / "cell", self.folder / "other")
        weights = self.folder / "other/model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
        self.assertEqual(self.error(2, *words, "--model", "other", "--screen", cwd=self.folder)["column"], "model")

    def test_refused(self):
        file = self.write("one.csv", arcs(500, 0.02, 0.93, 200, 0.0008, 0.9, 20, 1))
        for command in ("fit", "batch"):
            self.assertIn("`recipe` cell", self.error(2, "eis", command, file, "--model", self.runs / "lab")["message"])
            for circuit in ("randles", "R0-p(R1,C1)-p(R2,C2)-p(R3,C3)"):
                error = self.error(2, "eis", command, file, *self.model, "--circuit", circuit)
                self.assertEqual(error["column"], "model")
                self.assertIn("epithelial", error["message"])
        self.assertEqual(self.error(2, "eis", "fit", file, file, *self.model, "--same", "Rs")["column"], "model")
        self.assertIn("`recipe` cell", self.error(2, "eis", "batch", file, "--screen")["message"])
        self.assertEqual(self.error(2, "eis", "batch", file, "--screen", *self.model, "--weights", "unit")["column"], "weights")
        for words in ((file,), ("--known", "Rsh=460", file)):
            error = self.error(2, "eis", "complete", *words, *self.model)
            self.assertEqual(error["column"], "model")
            self.assertIn("`screen`", error["message"])
        self.assertEqual(self.error(2, "eis", "full", "--recipe", "cell", "--out", self.folder / "full")["column"], "recipe")


if __name__ == "__main__":
    program.main("test_eis_cell")

#!/usr/bin/env python3
"""Files of spectra on the command line: converted to CSV, chosen by sweep and column, several sweeps answered as several spectra,
nothing written over, reasons with exit code 3."""
import csv
import json
import pathlib
import unittest

from program import Case

REPORTED = pathlib.Path(__file__).resolve().parents[1] / "eis/reported"
WELLS, SWEEPS = REPORTED / "wells_magnitude_phase.txt", REPORTED / "two_sweeps_one_table.csv"
GAMRY, TWICE = REPORTED / "gamry_like_decimal_comma.DTA", REPORTED / "same_column_name_twice.csv"


def rows(path):
    with open(path, newline="") as file:
        return [[float(cell) for cell in row] for row in list(csv.reader(file))[1:]]


class Files(Case):
    def test_to_standard_output(self):
        lines = self.code(0, "eis", "convert", GAMRY).stdout.splitlines()
        self.assertEqual(lines[0], "frequency_hz,z_re_ohm,z_im_ohm")
        self.assertEqual(lines[1], "100000,22.03674,-0.03282708")
        self.assertEqual(len(lines), 38)

    def test_to_a_file(self):
        out = self.folder / "insert.csv"
        self.code(0, "eis", "convert", GAMRY, "--output", out)
        self.assertEqual(rows(out)[0], [1e5, 22.03674, -0.03282708])
        before = out.read_bytes()
        self.assertIn("is there already", self.code(2, "eis", "convert", GAMRY, "--output", out).stderr)
        self.assertEqual(out.read_bytes(), before)
        self.code(0, "eis", "convert", WELLS, "--sweep", "B2", "--output", out, "--overwrite")
        self.assertEqual(len(rows(out)), 46)

    def test_to_a_folder(self):
        out = self.folder / "csv"
        done = self.code(3, "eis", "convert", "--json", WELLS, SWEEPS, TWICE, "--out", out)
        told = json.loads(done.stdout)["spectra"]
        names = sorted(path.name for path in out.iterdir())
        self.assertEqual(names, ["two_sweeps_one_table-1.csv", "two_sweeps_one_table-2.csv",
                                 "wells_magnitude_phase-A1_Run.1_03_05_2031_9_12_48_AM.csv",
                                 "wells_magnitude_phase-A1_Run.5_03_05_2031_10_31_33_AM.csv",
                                 "wells_magnitude_phase-B2_Run.1_03_05_2031_9_13_02_AM.csv"])
        self.assertEqual([one.get("points") for one in told], [46, 46, 46, 45, 45, None])
        self.assertIn("columns 2 and 3", told[5]["error"]["message"])
        self.assertIn("1 of 6 spectra were not converted", done.stderr)
        self.assertEqual(rows(out / names[1])[0], rows(SWEEPS)[45])

    def test_many(self):
        """More files than a command line usually has, and more than there is room for."""
        told = json.loads(self.code(0, "eis", "check", "--json", *[GAMRY] * 500).stdout)["spectra"]
        self.assertEqual(len(told), 500)
        self.assertEqual(told[0], told[499])
        self.assertIn("characters at most", self.code(2, "eis", "check", *["f" * 200] * 400).stderr)

    def test_what_is_wrong_with_the_question(self):
        self.assertIn("do not go into one file", self.code(2, "eis", "convert", SWEEPS).stderr)
        self.assertIn("--spectrum is needed", self.code(2, "eis", "convert").stderr)
        self.assertIn("one of them", self.code(2, "eis", "convert", SWEEPS, "--out", "x", "--output", "y").stderr)
        self.assertIn("--column f,re,im chooses", self.code(3, "eis", "convert", TWICE).stderr)
        self.code(3, "eis", "convert", self.folder / "absent.DTA")

    def test_answers(self):
        """Each sweep of a file is a spectrum of its own, and equals that of its file alone."""
        ask = ("eis", "complete", "--json", "--noise", "0.3%", "--method", "exact")
        both = json.loads(self.code(0, *ask, SWEEPS).stdout)["spectra"]
        self.assertEqual([one["spectrum"] for one in both], ["two_sweeps_one_table.csv#1", "two_sweeps_one_table.csv#2"])
        self.code(0, "eis", "convert", SWEEPS, "--sweep", "2", "--output", self.folder / "second.csv")
        alone = json.loads(self.code(0, *ask, self.folder / "second.csv").stdout)
        self.assertEqual(alone["intervals_95"], both[1]["intervals_95"])

    def test_checks(self):
        found = json.loads(self.code(0, "eis", "check", "--json", SWEEPS, GAMRY).stdout)["spectra"]
        self.assertEqual([one["spectrum"] for one in found],
                         ["two_sweeps_one_table.csv#1", "two_sweeps_one_table.csv#2", str(GAMRY)])
        self.code(3, "eis", "check", TWICE, GAMRY)

    def test_said(self):
        told = self.code(0, "eis", "convert", REPORTED / "eclab_like_three_electrode.mpt").stderr
        self.assertIn("Zce (columns 2 and 3), Zwe-ce (columns 7 and 8): --column chooses", told)


if __name__ == "__main__":
    unittest.main()

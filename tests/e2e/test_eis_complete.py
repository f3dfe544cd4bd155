#!/usr/bin/env python3
"""tidemill eis complete on files as they come: a solution resistance, membranes that are no capacitors, circuits outside the
ranges, bad files among good ones. What must never mislead: a verdict that nothing supports, an interval of no width, a TER
below what the spectrum itself shows. "slow": the measured sweeps, where they are at hand."""
import csv
import io
import json
import math
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import unittest

import program
from program import Case

SWEEPS = program.SHARED / "data/eis/extracellular"
EPITHELIUM = dict(rsh=1200.0, a=(3000.0, 2e-6, 1.0), b=(900.0, 5e-6, 1.0))  # a membrane: R, Q, exponent
QUANTITIES = ("TER", "TEC", "n1", "d1", "Rsh", "Ra", "Rb", "Ca", "Cb", "Rs")


README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def shape(text):
    """The text with its numbers, their units and the number of candidates, which follow them, left open."""
    lines = [re.sub(r"[-+\d.e]*\d( [munkM]?(ohm|F|s)\b)?", "#", line) for line in text.splitlines()]
    return [re.sub(r" +", " ", line) for i, line in enumerate(lines) if i == 0 or not re.match(r" +# +# +# ", line)]


def impedance(f, rs, rsh, a, b):
    s = 2j * math.pi * f
    through = sum(r / (1 + r * q * s ** n) for r, q, n in (a, b))
    return rs + rsh * through / (rsh + through)


def write(path, rs=25.0, noise=0.003, low=0.1, high=1e5, each=8, seed=1, points=None, **circuit):
    """Frequencies falling, `each` a decade; normal noise over |Z| in each part."""
    drawn = random.Random(seed)
    count = points or round(each * math.log10(high / low)) + 1
    rows = []
    for i in range(count):
        f = high * (low / high) ** (i / (count - 1))
        z = impedance(f, rs, **{**EPITHELIUM, **circuit})
        rows.append((f, z.real + noise * abs(z) * drawn.gauss(0, 1), z.imag + noise * abs(z) * drawn.gauss(0, 1)))
    path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join("%.17g,%.17g,%.17g\n" % row for row in rows))
    return path


class Complete(Case):
    def complete(self, *words, code=0):
        done = self.code(code, "eis", "complete", "--json", *words)
        return json.loads(done.stdout), done.stderr

    def holds(self, answer, quantity, truth):
        low, high = answer["intervals_95"][quantity]
        self.assertTrue(low <= truth <= high, f"{quantity}: {truth} is not within {low} to {high}")

    def test_readme(self):
        """The answer that README shows is what its commands print today, but for what the sampler drew."""
        block = README.read_text().split("## A measured spectrum")[1].split("```")
        simulate, complete = (line.split()[1:] for line in block[1].splitlines() if line.startswith("build/cli/tidemill eis"))
        self.code(0, *simulate, cwd=self.folder)
        answer = self.code(0, *complete, "--no-plots", cwd=self.folder).stdout
        self.assertEqual(shape(block[3].lstrip("\n")), shape(answer))

    def test_solution_resistance(self):
        path = write(self.folder / "well.csv")
        ter, tec = 1200 * 3900 / 5100, 2e-6 * 5e-6 / 7e-6
        answer, told = self.complete("--spectrum", path)
        self.holds(answer, "Rs", 25)
        self.holds(answer, "TER", ter)
        self.holds(answer, "TEC", tec)
        self.assertEqual(told, "")
        # Without it TEC would have to be far outside of its range: that is said, and what it would be.
        forced = self.code(3, "eis", "complete", "--rs", 0, "--spectrum", path)
        self.assertRegex(forced.stderr, r"no circuit within the ranges made this spectrum: the nearest has Rs 0 ohm")
        given, _ = self.complete("--rs", "25", "--spectrum", path)
        self.assertEqual((given["rs_ohm"], "Rs" in given["intervals_95"]), (25, False))
        exact, _ = self.complete("--method", "exact", "--spectrum", path)
        self.assertLess(abs(exact["rs_ohm"] - 25), 1)
        self.assertIsNone(exact["intervals_95"]["Rs"])
        self.assertTrue(any(note.startswith("Rs: held") for note in exact["notes"]), exact["notes"])
        # A chain shows only Rs + Rsh.
        chain, _ = self.complete("--circuit", "chain", "--spectrum", path)
        self.assertTrue(any("Rs + Rsh" in note for note in chain["notes"]), chain["notes"])
        self.assertNotIn("Rs", chain["intervals_95"])

    def test_verdict(self):
        path = write(self.folder / "well.csv")
        answer, _ = self.complete("--spectrum", path)
        self.assertEqual((answer["noise_source"], answer["circuit_adequate"]), ("Kramers-Kronig", True))
        self.assertLess(abs(answer["noise"] - 0.003), 0.001)
        text = self.code(0, "eis", "complete", "--spectrum", path).stdout
        self.assertRegex(text, r"noise: 0\.\d+ % \(Kramers-Kronig\), reduced chi2 .*: adequate")
        answer, _ = self.complete("--spectrum", path, "--noise", "0.3%")
        self.assertEqual((answer["noise_source"], answer["circuit_adequate"]), ("given", True))
        self.assertIn("adequate", self.code(0, "eis", "complete", "--spectrum", path, "--noise", "0.3%").stdout)
        answer, told = self.complete("--spectrum", path, "--noise", "0.05%")
        self.assertFalse(answer["circuit_adequate"])
        self.assertIn("noise that was given", told)
        # As wide as the misfit says, not as the noise does.
        low, high = answer["intervals_95"]["TER"]
        self.assertGreater(math.log(high / low), 0.0015)

    def test_wrong_circuit(self):
        """Constant phase elements: the lumped circuit leaves several percent, to one side over whole decades."""
        path = write(self.folder / "cpe.csv", rs=26, noise=0.002, rsh=1100, a=(2600, 4e-6, 0.9), b=(900, 2.2e-6, 0.88), low=2, high=5e4)
        lowest = [float(cell) for cell in path.read_text().splitlines()[-1].split(",")]
        for noise in [], ["--noise", "0.2%"]:
            for method in "refined", "exact":
                answer, told = self.complete("--spectrum", path, "--method", method, *noise)
                self.assertIs(answer["circuit_adequate"], False)
                self.assertIn("no circuit of this kind", answer["notes"][0])
                self.assertIn("no circuit of this kind", told)
                self.assertTrue(answer["residuals"]["systematic"])
                self.assertGreater(answer["interval_widening"], 1.5)
                self.assertLess(answer["residuals"]["sign_changes"], answer["residuals"]["neighbours"] / 3)
                low, high = answer["intervals_95"]["TER"]
                self.assertTrue(high is None or high >= lowest[1] - answer["rs_ohm"], (low, high))

    def test_ter_open(self):
        """Still rising at the lowest frequency, and the circuit stays below: a lower limit, no value."""
        path = write(self.folder / "rising.csv", rs=25, noise=0.002, rsh=3000, a=(2600, 3e-5, 0.6), b=(500, 2e-6, 0.95), low=2, high=5e4)
        answer, _ = self.complete("--spectrum", path, "--area", "1.12")
        low, high = answer["intervals_95"]["TER"]
        self.assertIsNone(high)
        self.assertIsNone(answer["ter_ohm"])
        self.assertIsNone(answer["ter_ohm_cm2"])
        self.assertTrue(500 < low < 3000 * 3100 / 6100, low)
        self.assertTrue(any("TER is at least" in note and "levelled off" in note for note in answer["notes"]), answer["notes"])
        text = self.code(0, "eis", "complete", "--spectrum", path, "--area", "1.12").stdout
        self.assertRegex(text, r"TER +at least")
        out = self.folder / "out"
        self.code(0, "eis", "complete", "--spectrum", path, "--out", out, "--no-plots")
        row = next(csv.DictReader(io.StringIO((out / "completion.csv").read_text())))
        self.assertEqual((row["quantity"], row["median"], row["high"]), ("TER", "", ""))
        self.assertIn("lower limit", row["note"])

    def test_limits(self):
        insert = write(self.folder / "insert.csv", rs=152, noise=0.001, rsh=3800, a=(9000, 0.55e-6, 1), b=(2600, 0.3e-6, 1))
        answer, told = self.complete("--spectrum", insert)
        self.holds(answer, "Rs", 152)
        self.holds(answer, "TER", 3800 * 11600 / 15400)
        self.assertTrue(answer["circuit_adequate"])
        self.assertEqual(told, "")
        answer, _ = self.complete("--spectrum", insert, "--range", "Rs=0..153")
        self.assertEqual(answer["bound_hits"]["Rs"], "high")
        self.assertIn("Rs is at the upper limit of the range in which it was sought, 153 ohm: `range` sets another", answer["notes"])
        self.assertIn("AT THE UPPER LIMIT", self.code(0, "eis", "complete", "--spectrum", insert, "--range", "Rs=0..153").stdout)
        leaky = write(self.folder / "leaky.csv", rs=28, noise=0.001, rsh=6.4, a=(820, 5e-6, 1), b=(410, 9e-6, 1))
        answer, told = self.complete("--spectrum", leaky)
        self.holds(answer, "TER", 6.4 * 1230 / 1236.4)
        refused = self.code(3, "eis", "complete", "--spectrum", leaky, "--range", "Rsh=10..10k,Ra=10..10k,Rb=10..10k,Rs=0..30")
        self.assertRegex(refused.stderr, r"no circuit within the ranges made this spectrum: the nearest has Rs 2[78]\.?\d* ohm, TER 6\.\d+ ohm.*--range")

    def test_range(self):
        path = write(self.folder / "well.csv")
        for words, said in (("Rx=1..2", "is not NAME=LOW..HIGH"), ("Rs=5", "is not NAME=LOW..HIGH"), ("Rsh=2k..1k", "lower to its upper end"),
                            ("Rsh=1..2,Rsh=1..3", "twice"), ("Ca=0..1uF", "lower to its upper end"), ("Rs=-1..5", "lower to its upper end")):
            self.assertIn(said, self.code(2, "eis", "complete", "--spectrum", path, "--range", words).stderr)
        self.assertIn("--method refined", self.code(2, "eis", "complete", "--spectrum", path, "--method", "exact", "--range", "Rs=0..1k").stderr)

    def test_half_or_half_a_percent(self):
        path = write(self.folder / "well.csv")
        refused = self.code(2, "eis", "complete", "--spectrum", path, "--noise", "0.5")
        self.assertIn("--noise 0.5 would be 50 % of |Z|: write 0.5% or, if that is meant, 50%", refused.stderr)
        self.assertEqual(self.complete("--spectrum", path, "--noise", "0.5%")[0]["noise"], 0.005)

    def test_resistance(self):
        path = self.folder / "resistor.csv"
        path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{10 ** (k / 5):.6g},{1000 + (k * 37 % 11 - 5) / 5},{(k * 53 % 13 - 6) / 6}\n"
                                                                      for k in range(20)))
        self.assertRegex(self.code(3, "eis", "complete", "--spectrum", path).stderr, r"no capacitance is seen: a resistance of 1000 ohm explains it")

    def test_one_relaxation(self):
        """The usual epithelium and every dummy cell: said, and intervals that do not pretend more."""
        path = write(self.folder / "dummy.csv", rs=97, noise=0.002, rsh=1e6, a=(1000, 1e-6, 1), b=(1e-3, 1e-6, 1), low=2, high=5e4)
        answers = [self.complete("--spectrum", path, "--seed", seed)[0] for seed in (1, 2, 3)]
        for answer in answers:
            self.assertGreater(answer["one_relaxation"]["log_odds"], 0)
            self.assertLess(abs(answer["one_relaxation"]["r_ohm"] - 999), 3)
            self.assertTrue(any("one relaxation is enough" in note for note in answer["notes"]))
            self.assertLess(answer["sampling"]["disagreement_of_halves"], 0.5)
            self.assertGreater(answer["sampling"]["effective"], 400)
            self.holds(answer, "TER", 999)
        for quantity in "TER", "TEC", "n1":
            ends = [[math.log(end) for end in answer["intervals_95"][quantity]] for answer in answers]
            width = ends[0][1] - ends[0][0]
            for one in ends: self.assertLess(max(abs(one[0] - ends[0][0]), abs(one[1] - ends[0][1])), 0.3 * width)

    def test_many_points(self):
        path = write(self.folder / "many.csv", noise=0.01, points=10000)
        answer, _ = self.complete("--spectrum", path)
        self.assertEqual(answer["points_joined_from"], 10000)
        self.assertLess(abs(answer["noise"] - 0.01), 0.001)
        self.assertTrue(answer["circuit_adequate"])
        self.holds(answer, "TER", 1200 * 3900 / 5100)
        low, high = answer["intervals_95"]["TER"]
        self.assertLess(math.log(high / low), 0.002)

    def no_zero_width(self, *words):
        answer, _ = self.complete(*words)
        for quantity, interval in answer["intervals_95"].items():
            self.assertIn(quantity, QUANTITIES)
            if interval is None:
                self.assertTrue(any(note.startswith(quantity + ":") for note in answer["notes"]), (quantity, answer["notes"]))
            elif interval[1] is not None:
                self.assertLess(interval[0], interval[1], quantity)
        for low, high in re.findall(r"95 %: (.*) to (.*?)(?:,|\n)", self.code(0, "eis", "complete", *words).stdout):
            self.assertNotEqual(low, high)
        out = self.folder / "out"
        self.code(0, "eis", "complete", *words, "--out", out, "--no-plots")
        for row in csv.DictReader(io.StringIO((out / "completion.csv").read_text())):
            self.assertFalse(row["low"] and row["low"] == row["high"], row)
            self.assertTrue(row["low"] or row["note"], row)

    def test_no_zero_width(self):
        path = write(self.folder / "well.csv")
        known = "Rsh=1200,Ra=3000,Rb=900,Ca=2uF,Cb=5uF"
        self.no_zero_width("--spectrum", path, "--known", known)
        self.no_zero_width("--spectrum", path, "--known", known, "--rs", "25")
        self.no_zero_width("--spectrum", path, "--known", "Rsh=1200,Ra=3000,Rb=900")
        self.no_zero_width("--spectrum", path, "--method", "exact", "--noise", "1e-6")
        self.no_zero_width("--spectrum", path, "--method", "exact", "--known", "Rsh=1200,Ra=3000,Rb=900")
        self.no_zero_width("--spectrum", path, "--rs", "25")
        self.no_zero_width("--spectrum", path, "--noise", "1e-6")
        self.no_zero_width("--known", known)
        self.no_zero_width()

    def test_none_is_better(self):
        answer, _ = self.complete()
        self.assertTrue(any("no candidate is better" in note for note in answer["notes"]), answer["notes"])
        text = self.code(0, "eis", "complete").stdout
        self.assertIn("no candidate is better", text)
        self.assertNotIn("  10  ", text)

    def test_batch(self):
        """50 files, 5 bad: 45 answers, 5 reasons, exit 3."""
        bad = {7: "frequency_hz,z_re_ohm\n1,2\n", 19: "", 23: "frequency_hz,z_re_ohm,z_im_ohm\n" + "1,2,-x\n" * 9, 31: None,
               42: "frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{10 ** i},{10 + i},{5}\n" for i in range(9))}
        paths = []
        for i in range(50):
            paths.append(self.folder / f"w{i:02}.csv")
            if i not in bad: write(paths[-1], seed=i, each=4)
            elif bad[i] is not None: paths[-1].write_text(bad[i])
        words = ["eis", "complete", "--method", "exact", *paths]
        done = self.code(3, *words, "--json")
        spectra = json.loads(done.stdout)["spectra"]
        self.assertEqual([one["spectrum"] for one in spectra], list(map(str, paths)))
        self.assertEqual({i for i, one in enumerate(spectra) if "error" in one}, set(bad))
        for i in bad:
            self.assertIn(str(paths[i]), spectra[i]["error"]["message"])
            said = re.sub(r"`([a-z-]+)`", r"--\1", spectra[i]["error"]["message"])
            self.assertIn(said, done.stderr)
        self.assertEqual(sum(one.get("ter_ohm") is not None for one in spectra), 45)
        self.assertIn("5 of 50", done.stderr)
        alone = json.loads(self.code(0, "eis", "complete", "--method", "exact", "--json", paths[0]).stdout)
        self.assertEqual(alone["intervals_95"], spectra[0]["intervals_95"])
        out = self.folder / "out"
        done = self.code(3, *words, "--out", out, "--no-plots")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(rows, list(csv.DictReader(io.StringIO((out / "completion.csv").read_text()))))
        failed = {row["spectrum"]: row["note"] for row in rows if row["quantity"] == "failed"}
        self.assertEqual(set(failed), {str(paths[i]) for i in bad})
        self.assertEqual(len({row["spectrum"] for row in rows if row["quantity"] == "TER"}), 45)
        self.assertTrue(all(failed.values()))

    def test_full_disk_ends_a_batch(self):
        """What cannot be written is no fault of a spectrum: the batch ends, and no answer is taken back."""
        paths = [write(self.folder / f"w{i}.csv", seed=i) for i in range(2)]
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        done = subprocess.run([program.PROGRAM, "eis", "complete", "--method", "exact", "--out", self.folder / "out", *paths], preexec_fn=limit,
                              capture_output=True, text=True, env=program.environment())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("cannot write", done.stderr)
        self.assertNotIn("have no answer", done.stderr)

    def test_name_that_is_not_utf8(self):
        path = os.fsdecode(os.fsencode(self.folder / "well") + b"\xff.csv")
        try:
            os.rename(write(self.folder / "well.csv"), path)
        except OSError:
            self.skipTest("this file system keeps no such names")
        paths = [path, write(self.folder / "other.csv")]
        answers = json.loads(self.code(0, "eis", "complete", "--quiet", "--noise", "0.3%", "--json", *paths).stdout)["spectra"]
        self.assertEqual([pathlib.Path(one["spectrum"]).name for one in answers], ["well\ufffd.csv", "other.csv"])

    def test_bad_input(self):
        self.assertIn("nofile", self.error(3, "eis", "complete", "--spectrum", self.folder / "nofile.csv")["message"])
        self.error(3, "eis", "complete", "--spectrum", self.folder)
        self.error(3, "eis", "complete", "--known", "Ra=100", "--model", self.folder / "none.npz")
        self.error(3, "eis", "generate", "--ground-truths", self.folder / "none.json", "--data_dir", self.folder / "data")
        for size in "1e200", "1e-200", "1e160":
            path = self.folder / "huge.csv"
            path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{10.0 ** i},{size},-{size}\n" for i in range(9)))
            for method in "refined", "exact":
                done = program.run("eis", "complete", "--json", "--method", method, "--spectrum", path)
                self.assertIn(done.returncode, (0, 3), done.stderr)
                if done.returncode == 0: self.finite(json.loads(done.stdout), size)

    def finite(self, answer, what):
        for key in "predicted_resnorm", "noise", "reduced_chi2", "rs_ohm":
            self.assertIsNotNone(answer[key], (what, key))


@unittest.skipUnless("slow" in sys.argv, "slow")
class Sweeps(Case):
    """The measured epithelia: no TER interval that ends below Re Z at the lowest frequency less Rs, none called adequate."""

    def sweeps(self):
        for path in sorted(SWEEPS.glob("*_freq")):
            if "clean" in path.name or "modelCell" in path.name: continue
            sweep = []
            for line in [*path.read_bytes().decode("utf-8-sig").splitlines(), ""]:
                try:
                    f, re, im = map(float, line.split("\t")[1:4])
                except ValueError:
                    if sweep: yield path.name, sweep
                    sweep = []
                else:
                    sweep.append((f, re, -im))

    def test_ter(self):
        if not SWEEPS.is_dir(): self.skipTest("the measured sweeps are not here")
        count = 0
        for name, sweep in self.sweeps():
            path = self.folder / "sweep.csv"
            path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join("%.17g,%.17g,%.17g\n" % row for row in sweep))
            for method in "refined", "exact":
                for seed in (1, 2, 3) if method == "refined" else (1,):
                    text = self.code(0, "eis", "complete", "--method", method, "--seed", seed, "--spectrum", path).stdout
                    self.assertIn("noise: assumed (misfit)", text)
                    self.assertNotIn("adequate", text)
                    answer = json.loads(self.code(0, "eis", "complete", "--json", "--method", method, "--seed", seed, "--spectrum", path).stdout)
                    self.assertIsNot(answer["circuit_adequate"], True)
                    high, shown = answer["intervals_95"]["TER"][1], min(sweep)[1] - answer["rs_ohm"]
                    self.assertTrue(high is None or high >= shown, f"{name}: TER up to {high}, the spectrum shows {shown}")
            count += 1
        self.assertEqual(count, 21)


if __name__ == "__main__":
    program.main("test_eis_complete")

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


def write(path, rs=25.0, noise=0.003, low=0.1, high=1e5, each=8, seed=1, **circuit):
    """Frequencies falling, `each` a decade; normal noise over |Z| in each part."""
    drawn = random.Random(seed)
    count = round(each * math.log10(high / low)) + 1
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
        # Without it TEC is off by more than ten, and that is said first.
        forced, told = self.complete("--rs", 0, "--spectrum", path)
        self.assertLess(forced["tec_farad"] or 0, 0.1 * tec)
        self.assertFalse(forced["circuit_adequate"])
        self.assertRegex(told, r"no circuit .* made this spectrum")
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
        self.assertEqual((answer["noise_source"], answer["circuit_adequate"]), ("assumed (misfit)", None))
        self.assertLess(abs(answer["noise"] - 0.003), 0.001)
        text = self.code(0, "eis", "complete", "--spectrum", path).stdout
        self.assertIn("noise: assumed (misfit)", text)
        self.assertIn("no verdict", text)
        self.assertNotIn("adequate", text)
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
        self.assertEqual(answer["bound_hits"]["Rs"], "high")
        self.assertIn("Rs is at the upper limit of its range, 100 ohm: the range of this program ends there", answer["notes"])
        self.assertIn("Rs 152", told)
        self.assertFalse(answer["circuit_adequate"])
        leaky = write(self.folder / "leaky.csv", rs=28, noise=0.001, rsh=6.4, a=(820, 5e-6, 1), b=(410, 9e-6, 1))
        answer, told = self.complete("--spectrum", leaky)
        self.assertEqual(answer["bound_hits"]["Rsh"], "low")
        self.assertIn("Rsh is at the lower limit of its range, 10 ohm: the range of this program ends there", answer["notes"])
        self.assertIn("AT THE LOWER LIMIT", self.code(0, "eis", "complete", "--spectrum", leaky).stdout)

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
        self.no_zero_width("--spectrum", path, "--rs", "0")
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

#!/usr/bin/env python3
"""tidemill eis fit as a command: files good and bad, its outputs, what is refused. And the optima that an independent
program found on measured spectra, where the shared test data are at hand: never a worse one. "slow" prints them all."""
import cmath
import csv
import json
import math
import pathlib
import re
import sys
import unittest

import program
from program import Case

DATA, REFERENCE = program.SHARED / "data/eis", program.SHARED / "spec/eis-reference-fits.csv"
ROOT = pathlib.Path(__file__).resolve().parents[2]
MADE = ROOT / "tests/eis/reported"
AREA_CM2 = 1.12
# Names of the reference's area-specific values.
PER_AREA = {"R0*area": ("R0", AREA_CM2), "R1*area": ("R1", AREA_CM2), "C1/area": ("C1", 1 / AREA_CM2), "R2*area": ("R2", AREA_CM2),
            "C2/area": ("C2", 1 / AREA_CM2)}
NORMS = {"unit": "SSE", "modulus": "pseudo chi2", "normalised": "resnorm"}


def numbers(line):
    try:
        return [float(word) for word in line.replace(",", " ").split()]
    except ValueError:
        return []


def sweeps_of(path):
    """The sweeps of a file as rows (f, re, im), by what these few formats have in common: rows of numbers under a header."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.parent.name == "extracellular":  # time, f, re, -im; each sweep has a header of its own
        blocks = [[numbers(line)[1:4] for line in block.splitlines()[1:] if len(numbers(line)) > 3] for block in text.split("Time (s)")[1:]]
        return [[(f, re, -im) for f, re, im in block] for block in blocks]
    rows = [numbers(line) for line in text.split("End Comments")[-1].splitlines()]
    columns = (0, 4, 5) if path.suffix == ".z" else (0, 1, 2)
    return [[tuple(row[c] for c in columns) for row in rows if len(row) > columns[-1]]]


def selected(rows, what):
    return [r for r in rows if not ("Im(Z)<0" in what and r[2] >= 0) and not ("f>=5" in what and r[0] < 5)]


def groups():
    """(file, sweep, selection, circuit, weights) -> the minima of the reference, each {quantity: (value, stderr)}."""
    found = {}
    for row in csv.DictReader(REFERENCE.read_text().splitlines()):
        weights = "normalised" if row["objective"].startswith("normalised") else row["objective"]
        if row["kind"] != "recomputed" or weights not in NORMS:
            continue
        key = (row["file"], int(row["sweep"]), row["data_selection"], row["circuit"], weights)
        error = float(row["stderr"]) if row["stderr"] else None
        found.setdefault(key, {}).setdefault(row["note"] if "minimum" in row["note"] else "", {})[row["quantity"]] = (float(row["value"]), error)
    return found


def published():
    """(file, sweep, selection, circuit, weights, source, note) -> {quantity: the number as printed} of peers' fits."""
    found = {}
    for row in csv.DictReader(REFERENCE.read_text().splitlines()):
        weights = "normalised" if row["objective"].startswith("normalised") else row["objective"]
        if row["kind"] == "peer" and weights in NORMS:
            key = (row["file"], int(row["sweep"]), row["data_selection"], row["circuit"], weights, row["source"], row["note"])
            found.setdefault(key, {}).setdefault(row["quantity"], row["value"])
    return found


def impedance(circuit, p, f):
    """R, C, CPE and Wo in series and p(a,b), with p by our names; nothing of ours."""
    s = 2j * math.pi * f
    def element(name):
        kind = name.rstrip("0123456789")
        if kind == "R": return p[name]
        if kind == "C": return 1 / (s * p[name])
        if kind == "CPE": return 1 / (p[name + "_0"] * s ** p[name + "_1"])
        root = cmath.sqrt(s * p[name + "_1"])
        return p[name + "_0"] / (root * cmath.tanh(root))
    code = re.sub(r"[A-OQ-Z][A-Za-z]*\d+", lambda m: f"element('{m.group()}')", circuit).replace("-", "+")
    return eval(code, {"element": element, "p": lambda a, b: a * b / (a + b)})


def parameters_of(circuit):
    """The names of its parameters; None: an element that `impedance` does not know."""
    found = []
    for name in re.findall(r"[A-OQ-Z][A-Za-z]*\d+", circuit):
        count = {"R": 1, "C": 1, "CPE": 2, "Wo": 2}.get(name.rstrip("0123456789"))
        if count is None: return None
        found += [name] if count == 1 else [f"{name}_{i}" for i in range(count)]
    return found


def objective(weights, rows, z):
    if weights == "unit": return sum(abs(complex(re, im) - v) ** 2 for (_, re, im), v in zip(rows, z))
    if weights == "modulus": return sum(abs(complex(re, im) - v) ** 2 / (re * re + im * im) for (_, re, im), v in zip(rows, z))
    most = [max(abs(row[k]) for row in rows) for k in (1, 2)]
    return sum(((re - v.real) / most[0]) ** 2 + ((im - v.imag) / most[1]) ** 2 for (_, re, im), v in zip(rows, z))


def printed(text, value):
    """Is `value` what `text` shows, two units of the last digit either way?"""
    mantissa, _, exponent = text.lower().partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(value - float(text)) <= 2 * unit


class Fit(Case):
    def write(self, name, rows):
        path = self.folder / name
        path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{f!r},{re!r},{im!r}\n" for f, re, im in rows))
        return path

    def fit(self, *words):
        return json.loads(self.code(0, "eis", "fit", *words, "--json").stdout)

    def test_outputs(self):
        files = [MADE / name for name in ("dummy_cell_one_rc.csv", "plain_resistor.csv")]
        self.code(0, "eis", "fit", *files, "--circuit", "R0-p(R1,C1)", "--out", self.folder / "fits")
        rows = list(csv.DictReader((self.folder / "fits/fit.csv").read_text().splitlines()))
        self.assertEqual([r["parameter"] for r in rows], ["R0", "R1", "C1"] * 2)
        whole = json.loads((self.folder / "fits/fit.json").read_text())
        one = self.fit(files[0], "--circuit", "R0-p(R1,C1)")
        self.assertEqual(whole["fits"][0]["parameters"], one["parameters"])
        self.assertAlmostEqual(float(rows[0]["value"]) / one["parameters"][0]["value"], 1, 9)  # JSON has ten digits
        for words in ("R0+(R1|C1)", "R(RC)", "R0-[R1,C1]", "R{:0}(R{:1}C{:1})"):
            self.assertEqual([p["value"] for p in self.fit(files[0], "--circuit", words)["parameters"]], [p["value"] for p in one["parameters"]])

    def test_bad_among_good(self):
        (self.folder / "bad.csv").write_text("frequency_hz,z_re_ohm,z_im_ohm\n1,2,x\n")
        run = self.code(3, "eis", "fit", MADE / "dummy_cell_one_rc.csv", "bad.csv", "--circuit", "R0-p(R1,C1)", "--json", cwd=self.folder)
        fits = json.loads(run.stdout)["fits"]
        self.assertIn("parameters", fits[0])
        self.assertIn("bad.csv", fits[1]["error"]["message"])

    def test_data_first(self):
        """What is wrong with the data, on the terminal, in the text and in the JSON; or in the fit's place."""
        sentence = "points 18 (999.5 Hz), 32 (39.85 Hz): the fit is without them"
        run = self.code(0, "eis", "fit", MADE / "two_outliers.csv")
        self.assertIn(sentence, run.stderr)
        self.assertLess(run.stdout.index(sentence), run.stdout.index("TER"))
        fit = self.fit(MADE / "two_outliers.csv")
        self.assertIn(sentence, fit["warnings"][0])
        self.assertEqual([fit["verdict"], fit["noise_source"], len(fit["used"])], ["adequate", "Kramers-Kronig", 43])
        self.assertEqual(len(self.fit(MADE / "two_outliers.csv", "--keep-points")["used"]), 45)
        self.assertEqual(self.error(3, "eis", "fit", MADE / "frequency_column_scrambled.csv")["column"], "scrambled-frequencies")

    def test_area(self):
        """Resistances times the area, capacitances over it, errors with them; exponents and times have no area."""
        fit = self.fit(MADE / "epithelium_cpe_membranes.csv", "--circuit", "epithelial", "--area", 0.5)
        self.assertEqual(fit["area_cm2"], 0.5)
        of = {p["name"]: p for p in fit["quantities"] + fit["parameters"]}
        for name, factor, unit in (("TER", 0.5, "ohm cm2"), ("Rs", 0.5, "ohm cm2"), ("TEC", 2, "F/cm2")):
            self.assertAlmostEqual(of[name]["per_area"]["value"] / (of[name]["value"] * factor), 1, 8)
            self.assertAlmostEqual(of[name]["per_area"]["stderr"] / (of[name]["stderr"] * factor), 1, 8)
            self.assertEqual(of[name]["per_area"]["unit"], unit)
        self.assertIsNone(of["n1"]["per_area"])
        self.assertIsNone(self.fit(MADE / "dummy_cell_one_rc.csv", "--circuit", "R0-p(R1,C1)")["parameters"][0]["per_area"])
        self.assertIn("ohm cm2", self.code(0, "eis", "fit", MADE / "dummy_cell_one_rc.csv", "--circuit", "R0-p(R1,C1)", "--area", "1.12").stdout)

    def test_threads(self):
        """Rows in the order of the files, the same bytes by any number of threads, a bad one among them."""
        (self.folder / "bad.csv").write_text("frequency_hz,z_re_ohm,z_im_ohm\n1,2,x\n")
        names = ("two_path_before.csv", "two_outliers.csv", "dummy_cell_one_rc.csv", "two_path_after.csv", "randles_warburg_inside.csv", "plain_resistor.csv")
        files = [MADE / name for name in names] * 3
        files.insert(4, self.folder / "bad.csv")
        runs = [self.code(3, "eis", "fit", *files, "--circuit", "R0-p(R1,C1)", "--threads", n) for n in (1, 2, 7)]
        self.assertEqual([r.stdout for r in runs[1:]], [runs[0].stdout] * 2)
        spectra = [row["spectrum"] for row in csv.DictReader(runs[0].stdout.splitlines()) if row["parameter"] == "R0"]
        self.assertEqual(spectra, [str(MADE / name) for name in names] * 3)

    def test_same(self):
        """A pair is one fit: what is shared stands once, the rest by number; the tracer's ratio as a prior gives the truth of the README."""
        files = [MADE / "two_path_before.csv", MADE / "two_path_after.csv"]
        fit = self.fit(*files, "--same", "Ra,Rb,Ca,Cb,Rs", "--prior", "Rsh1/Rsh2=4.839+-0.02", "--out", self.folder / "pair")
        of = {p["name"]: p for p in fit["parameters"]}
        for name, truth in {"Rs": 27, "Rsh#1": 1500, "Rsh#2": 310, "Ra": 2600, "Rb": 760, "Ca": 5.2e-6, "Cb": 1.4e-6}.items():
            self.assertLess(abs(of[name]["value"] - truth), 2.5 * of[name]["stderr"], name)
            self.assertLess(of[name]["stderr"], 0.05 * truth, name)
        self.assertEqual([s["verdict"] for s in fit["spectra"]], ["adequate"] * 2)
        self.assertEqual(sum(s["points"] for s in fit["spectra"]), len(fit["used"]))
        rows = list(csv.DictReader((self.folder / "pair/fit.csv").read_text().splitlines()))
        self.assertEqual({r["spectrum"] for r in rows}, {f"{files[0]} + {files[1]}"})
        self.assertTrue(all((self.folder / "pair" / f"00{n}_nyquist.csv").exists() for n in (1, 2)))
        self.assertIn(f"#2 {files[1]}: adequate", self.code(0, "eis", "fit", *files, "--same", "Rs").stdout)
        for part, words in (("this is one", files[:1]), ("it has Rs", [*files, "--same", "Rq"]), ("robust", [*files, "--robust"])):
            self.assertIn(part, self.error(2, "eis", "fit", *words, *([] if "Rq" in words else ["--same", "Rs"]))["message"])
        self.assertEqual(self.error(3, "eis", "fit", files[0], MADE / "frequency_column_scrambled.csv", "--same", "Rs")["column"], "scrambled-frequencies")

    def test_refused(self):
        for column, part, words in (("circuit", "column 4", ["--circuit", "R0-Y1"]), ("fix", "it has R0", ["--circuit", "R0", "--fix", "R1=2"]),
                                    ("range", "a range such as", ["--circuit", "R0", "--range", "R0=2"]), ("weights", "modulus", ["--weights", "x"])):
            failure = self.error(2, "eis", "fit", MADE / "plain_resistor.csv", *words)
            self.assertEqual(failure["column"], column)
            self.assertIn(part, failure["message"])
        self.assertEqual(self.error(2, "eis", "fit", "--circuit", "R0")["column"], "spectrum")

    def test_stranger_in_the_way(self):
        """Of fit, check and drt: a plot that would replace what is not ours ends it before anything is written."""
        for command, name in (("fit", "bode.svg"), ("check", "check_terms.csv"), ("drt", "002_drt_gamma.svg")):
            out = self.folder / command
            out.mkdir()
            (out / name).write_text("mine")
            files = [MADE / "dummy_cell_one_rc.csv"] * (2 if name[0] == "0" else 1)
            self.assertIn(name, self.error(2, "eis", command, *files, "--out", out)["message"])
            self.assertEqual([p.name for p in out.iterdir()], [name])

    def test_prior_of_no_value(self):
        error = self.error(2, "eis", "fit", MADE / "dummy_cell_one_rc.csv", "--circuit", "Rs-p(R1,C1)", "--prior", "Rs=-5+-1")
        self.assertIn("Rs is positive, and cannot be -5", error["message"])

    def test_out_of_sight(self):
        """What the best fit has without an end is said in words, not as 4e+103."""
        done = self.code(0, "eis", "fit", MADE / "dummy_cell_one_rc.csv", "--circuit", "R0-p(R1,C1)-C2")
        self.assertRegex(done.stdout, r"\n +C2 +infinity +F +not determined by the data\n")
        self.assertIn("the best fit has C2 at infinity: the data set no upper end to it.", done.stdout)

    def test_manual(self):
        """Each element and each named circuit stands in docs/eis-circuits.md."""
        page = (ROOT / "docs/eis-circuits.md").read_text()
        kernel = (ROOT / "apps/eis/equivalent/element.c").read_text().split("const element elements[] = {")[1].split("};")[0]
        named = (ROOT / "apps/eis/equivalent/named.c").read_text()
        for line in [line for line in kernel.splitlines() if line.startswith('    { "')] + [line for line in named.splitlines() if line.startswith('    { "')]:
            self.assertIn("`" + line.split('"')[1] + "`", page)


class Reference(Case):
    """The optima of the reference."""

    write, fit = Fit.write, Fit.fit

    @unittest.skipUnless(REFERENCE.exists(), "needs the shared test data")
    def test_all(self):
        table, worse = [], []
        for (file, sweep, selection, circuit, weights), minima in groups().items():
            rows = selected(sweeps_of(DATA / file)[sweep - 1], selection)
            ours = self.fit(self.write("spectrum.csv", rows), "--circuit", circuit, "--weights", weights, "--keep-points")
            values = {p["name"]: p["value"] for p in ours["parameters"]}
            for note, theirs in minima.items():
                objective = theirs[NORMS[weights]][0]
                nearest = min(ours["minima"], key=lambda m: abs(m["objective"] / objective - 1))
                table.append((file, sweep, circuit, weights, ours["objective"], objective, nearest["objective"]))
                if ours["objective"] > objective * (1 + 1e-4):
                    worse.append((file, sweep, circuit, weights, ours["objective"], objective))
                if abs(ours["objective"] / objective - 1) < 1e-4:
                    self.same_parameters(file, circuit, theirs, values)
        if "slow" in sys.argv:
            print(*(f"{f} {s} {c} {w} ours {a:.7g} theirs {b:.7g} ratio {a / b:.7f}" for f, s, c, w, a, b, _ in table), sep="\n")
        self.assertEqual(worse, [])
        self.assertGreater(len(table), 35)

    @unittest.skipUnless(REFERENCE.exists(), "needs the shared test data")
    def test_published(self):
        """What peers print: never a better fit than ours with their weights and bounds, and their numbers where it is the same one."""
        table = []
        for (file, sweep, selection, circuit, weights, source, note), theirs in published().items():
            values = {PER_AREA.get(q, (q, 1))[0]: float(v) / PER_AREA.get(q, (q, 1))[1] for q, v in theirs.items()}
            names = parameters_of(circuit)
            if not names or any(n not in values for n in names): continue
            if "noSoln" in file and "area 1 cm2" not in note: continue
            if "area 1 cm2" in note: values = {n: values[n] * PER_AREA.get(n + ("*area" if n[0] == "R" else "/area"), (n, 1))[1] for n in names}
            rows = selected(sweeps_of(DATA / file)[sweep - 1], selection)
            bounds = ["--range", f"C1=1e-12..{1e-4 * AREA_CM2},C2=1e-12..{1e-4 * AREA_CM2}"] if weights == "normalised" else []
            ours = self.fit(self.write("spectrum.csv", rows), "--circuit", circuit, "--weights", weights, "--keep-points", *bounds)
            at_theirs = objective(weights, rows, [impedance(circuit, values, row[0]) for row in rows])
            of = {p["name"]: p["value"] for p in ours["parameters"]}
            at_ours = objective(weights, rows, [impedance(circuit, of, row[0]) for row in rows])
            self.assertLess(abs(at_ours / ours["objective"] - 1), 1e-5, file)
            same = at_theirs / ours["objective"] < 1.001
            table.append((file, sweep, circuit, weights, same, ours["objective"] / at_theirs))
            self.assertLess(ours["objective"], at_theirs * (1 + 1e-9), table[-1])
            other = {n: re.sub(r"(?<=[A-Za-z])[12](?=_|$)", lambda m: "21"[int(m.group()) - 1], n, count=1) for n in names}
            digits = max(sum(n in theirs and printed(theirs[n], of[to(n)]) for n in names) for to in (lambda n: n, lambda n: other.get(n, n)) if all(to(n) in of for n in names))
            if same and all(n in theirs for n in names): self.assertGreaterEqual(digits, len(names) - 1, (table[-1], theirs, of))
        if "slow" in sys.argv:
            print(*(f"{f} {s} {c} {w} {'the same minimum' if m else 'a worse one'}, ours over theirs {r:.6f}" for f, s, c, w, m, r in table), sep="\n")
        self.assertGreater(len(table), 30)

    def same_parameters(self, file, circuit, theirs, values):
        """Within 1e-3 where the error is less than a tenth; of two arcs that are alike in either order."""
        exchanged = {n: values[n.translate(str.maketrans("12", "21"))] if n[-2:] not in ("_0", "_1") else
                     values.get(n[:-3] + {"1": "2", "2": "1"}.get(n[-3], n[-3]) + n[-2:], values[n]) for n in values} if "p(R2,CPE2)" in circuit else values
        wanted = {}
        for quantity, (value, error) in theirs.items():
            name, factor = PER_AREA.get(quantity, (quantity, 1))
            if name in values and (error is None or error < 0.1 * value):
                wanted[name] = value / factor
        apart = min(max(abs(which[name] / value - 1) for name, value in wanted.items()) for which in (values, exchanged))
        self.assertLess(apart, 1e-3, f"{file} {circuit}: {wanted} {values}")


if __name__ == "__main__":
    program.main("test_eis_fit")

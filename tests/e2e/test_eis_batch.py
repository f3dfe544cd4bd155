#!/usr/bin/env python3
"""tidemill eis batch as a command: answers and reasons, rows to the bit, a killed run, plates, tables for spreadsheets."""
import csv
import json
import math
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import program
from program import Case

ROOT = pathlib.Path(__file__).resolve().parents[2]
MADE = ROOT / "tests/eis/reported"
FILES = ("batch.csv", "batch.json", "report.html")
NOISE, POINTS = 0.003, 40


def epithelium(rsh, ra, rb, ca, cb, rs, seed):
    """A spectrum of the circuit with noise in each part; and its TER."""
    rng, rows = random.Random(seed), []
    for i in range(POINTS):
        f = 10 ** (5 - 5.5 * i / (POINTS - 1))
        s = 2j * math.pi * f
        zm = ra / (1 + s * ra * ca) + rb / (1 + s * rb * cb)
        z = rs + rsh * zm / (rsh + zm)
        rows.append((f, z.real + NOISE * abs(z) * rng.gauss(0, 1), z.imag + NOISE * abs(z) * rng.gauss(0, 1)))
    return rows, rsh * (ra + rb) / (rsh + ra + rb)


def rows_of(text, separator=","):
    return list(csv.DictReader(text.splitlines(), delimiter=separator))


class Batch(Case):
    def write(self, name, seed, rsh=1000.0):
        """A file of a made epithelium; returns its TER."""
        rows, ter = epithelium(rsh, 3000.0, 900.0, 3e-6, 1.2e-6, 40.0, seed)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{f!r},{re!r},{im!r}\n" for f, re, im in rows))
        return ter

    def fill(self, folder, good):
        return {f"{folder}/s{i:02}.csv": self.write(f"{folder}/s{i:02}.csv", i, 400.0 + 60 * i) for i in range(good)}

    def bytes_of(self, folder, names=FILES):
        return [(self.folder / folder / name).read_bytes() for name in names]

    def test_fifty(self):
        """45 answers, 5 reasons, exit 3."""
        truth = self.fill("plate", 45)
        bad = {"b1.csv": "frequency_hz,z_re_ohm,z_im_ohm\n1,2,x\n", "b2.csv": "", "b3.txt": "notes of the day\n",
               "b4.csv": (MADE / "frequency_column_scrambled.csv").read_text(), "b5.csv": (MADE / "plain_resistor.csv").read_text()}
        for name, text in bad.items():
            (self.folder / "plate" / name).write_text(text)
        run = self.code(3, "eis", "batch", "plate", "--out", "out", cwd=self.folder)
        table = rows_of(run.stdout)
        self.assertEqual(run.stdout, (self.folder / "out/batch.csv").read_text())
        self.assertEqual([r["file"] for r in table], sorted([*truth, *("plate/" + name for name in bad)]))
        answered, reasons = [r for r in table if not r["reason"]], {r["file"]: r for r in table if r["reason"]}
        self.assertEqual([len(answered), len(reasons)], [45, 5])
        self.assertIn("5 of 50 spectra have no answer", run.stderr)
        for row in answered:
            self.assertLess(abs(float(row["TER_ohm"]) - truth[row["file"]]), 5 * float(row["TER_ohm_stderr"]))
            self.assertEqual([row["data"], row["verdict"], row["points"]], ["sound", "adequate", str(POINTS)])
            self.assertLess(abs(math.log(float(row["kk_rmse"]) / NOISE)), math.log(1.6))
        for name, part, data, flags in (("b1.csv", "line 2", "", ""), ("b4.csv", "frequencies", "unfit", "scrambled-frequencies"),
                                        ("b5.csv", "no capacitance", "unfit", "no-capacitance")):
            row = reasons["plate/" + name]
            self.assertIn(part, row["reason"])
            self.assertEqual([row["TER_ohm"], row["Rsh_ohm"], row["data"], row["flags"]], ["", "", data, flags])
        whole = json.loads((self.folder / "out/batch.json").read_text())
        self.assertEqual([whole["answered"], len(whole["rows"])], [45, 50])

    def test_alone(self):
        """A row has the bits that its file has alone, in any order and by any number of threads."""
        made = [str(MADE / name) for name in ("frequency_column_scrambled.csv", "two_sweeps_one_table.csv", "two_outliers.csv")]
        for circuit, files in (("epithelial", [*self.fill("wells", 6), *made]), ("auto", ["wells/s00.csv", made[0]])):
            whole = self.code(3, "eis", "batch", *files, "--circuit", circuit, "--threads", 3, cwd=self.folder).stdout
            turned = self.code(3, "eis", "batch", *reversed(files), "--circuit", circuit, "--threads", 1, cwd=self.folder).stdout
            of = lambda text: {(r["file"], r["sweep"]): {k: v for k, v in r.items() if v} for r in rows_of(text)}
            self.assertEqual(of(whole), of(turned))
            for file in files:
                alone = self.code(3 if "scrambled" in file else 0, "eis", "batch", file, "--circuit", circuit, cwd=self.folder).stdout
                self.assertEqual(of(alone), {key: row for key, row in of(whole).items() if key[0] == file})

    def start(self, *words):
        return subprocess.Popen([program.PROGRAM, *map(str, words)], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env=program.environment())

    def test_killed(self):
        """A batch that was killed goes on from the answers that it has, to the same bytes; a torn line is no answer."""
        self.fill("plate", 10)
        words = ("eis", "batch", "plate", "--threads", 1, "--circuit", "epithelial-cpe", "--out")
        self.code(0, *words, "whole", cwd=self.folder)
        journal = self.folder / "out/batch.jsonl"
        for _ in range(20):
            child, end = self.start(*words, "out"), time.time() + 60
            while time.time() < end and (not journal.exists() or journal.read_bytes().count(b"\n") < 4):
                time.sleep(0.002)
            child.send_signal(signal.SIGKILL)
            if child.wait() == -signal.SIGKILL and journal.read_bytes().count(b"\n") < 10:
                break
            shutil.rmtree(self.folder / "out")  # it was done before it was killed: anew
        kept = journal.read_bytes()
        lines = kept.count(b"\n")
        self.assertTrue(4 <= lines < 10, lines)
        self.assertFalse((self.folder / "out/batch.csv").exists())
        journal.write_bytes(kept + kept.splitlines()[-1][:200])
        run = self.code(0, *words, "out", cwd=self.folder)
        self.assertIn(f"{lines - 1} of 10 spectra were answered by an earlier run", run.stderr)
        self.assertEqual(self.bytes_of("out"), self.bytes_of("whole"))
        self.assertEqual(journal.read_bytes()[:len(kept)], kept)
        self.assertEqual(len({json.loads(line)["key"] for line in journal.read_text().splitlines()[1:]}), 10)

    def test_goes_on(self):
        """New and changed files are answered, the others are not again; other options are refused."""
        self.fill("plate", 4)
        words = ("eis", "batch", "plate", "--out", "out")
        self.code(0, *words, cwd=self.folder)
        self.write("plate/s01.csv", 77)
        self.write("plate/s09.csv", 78)
        self.assertIn("3 of 5 spectra", self.code(0, *words, cwd=self.folder).stderr)
        self.code(0, *words[:-1], "fresh", cwd=self.folder)
        self.assertEqual(self.bytes_of("out"), self.bytes_of("fresh"))
        error = self.error(2, *words, "--circuit", "epithelial-cpe", cwd=self.folder)
        self.assertEqual(error["column"], "circuit")
        self.assertIn("epithelial", error["message"])
        self.assertEqual(self.bytes_of("out"), self.bytes_of("fresh"))
        self.code(0, *words, "--circuit", "epithelial-cpe", "--overwrite", cwd=self.folder)
        self.assertEqual(json.loads((self.folder / "out/batch.json").read_text())["circuit"], "epithelial-cpe")

    def test_damaged_journal(self):
        """Lines that are no answers are answered again."""
        self.fill("plate", 3)
        words = ("eis", "batch", "plate", "--out", "out")
        self.code(0, *words, cwd=self.folder)
        before, journal = self.bytes_of("out"), self.folder / "out/batch.jsonl"
        lines = journal.read_text().splitlines()
        first, second = json.loads(lines[1]), json.loads(lines[2])
        first["used"][0] = 1000
        del second["quantities"][0]["name"]
        journal.write_text("\n".join([lines[0], json.dumps(first), json.dumps(second), "\0\0", "[]", lines[3]]) + "\n")
        self.assertIn("1 of 3 spectra", self.code(0, *words, cwd=self.folder).stderr)
        self.assertEqual(self.bytes_of("out"), before)

    def test_folder(self):
        """Files by name; hidden ones, folders, the plate and the batch's own files are left out."""
        self.fill("plate", 3)
        self.write("plate/.hidden.csv", 1)
        self.write("plate/inner/deep.csv", 2)
        (self.folder / "plate/plate.csv").write_text("file\ns00.csv\ns01.csv\ns02.csv\n")
        for _ in range(2):
            run = self.code(0, "eis", "batch", "plate/", "--samples", "plate/plate.csv", "--out", "plate", cwd=self.folder)
            self.assertEqual([r["file"] for r in rows_of(run.stdout)], [f"plate/s{i:02}.csv" for i in range(3)])
            self.assertIn("inner", run.stderr)
        (self.folder / "none").mkdir()
        self.assertIn("no files", self.error(3, "eis", "batch", "none", cwd=self.folder)["message"])
        self.assertEqual(self.error(2, "eis", "batch", cwd=self.folder)["column"], "spectrum")


class Plate(Case):
    write = Batch.write

    def batch(self, code, text, *words):
        (self.folder / "plate.csv").write_text(text)
        run = self.code(code, "eis", "batch", "wells", "--samples", "plate.csv", "--out", "out", *words, cwd=self.folder)
        groups = self.folder / "out/groups.csv"
        return run, rows_of(run.stdout), rows_of(groups.read_text()) if groups.exists() else []

    def test_groups(self):
        """Means, medians, spreads and paired differences against their formulas; values per area."""
        plate, rsh = "file;well;condition;donor;time;area_cm2\n", {}
        for d, donor in enumerate("ABC"):
            for c, condition in enumerate(("control", "drug")):
                for t in (0, 24):
                    for n in (1, 2):
                        name = f"{donor}{condition}{n}_{t}.csv"
                        self.write("wells/" + name, len(rsh), 700.0 + 200 * d - 150 * c * (t > 0) + 40 * n)
                        rsh[name] = 0
                        plate += f"{name};{donor}{condition[0]}{n};{condition};{donor};{t};0,33\n"
        _, rows, groups = self.batch(0, plate)
        value = {(r["condition"], r["time"], r["donor"], r["well"]): (float(r["TER_ohm_cm2"]), float(r["TER_ohm_cm2_stderr"])) for r in rows}
        for r in rows:
            self.assertAlmostEqual(float(r["TER_ohm_cm2"]) / float(r["TER_ohm"]), 0.33, 12)
            self.assertAlmostEqual(float(r["TEC_uF_cm2"]) / float(r["TEC_F"]), 1e6 / 0.33, 4)
        found = {(g["what"], g["condition"], g["time"], g["less_condition"], g["less_time"], g["paired_by"]): g for g in groups if g["quantity"] == "TER"}
        wells = [value[k] for k in value if k[:2] == ("drug", "24")]
        self.same(found["wells", "drug", "24", "", "", ""], wells)
        by_well = [(value[k][0] - value["drug", "0", *k[2:]][0], math.hypot(value[k][1], value["drug", "0", *k[2:]][1])) for k in value if k[:2] == ("drug", "24")]
        self.same(found["difference", "drug", "24", "drug", "0", "well"], by_well, 2.570581835636314)  # Student's, 5 degrees of freedom
        donors = []
        for donor in "ABC":
            of = {c: [value[k] for k in value if k[:3] == (c, "24", donor)] for c in ("control", "drug")}
            mean = {c: sum(v for v, _ in of[c]) / 2 for c in of}
            donors.append((mean["drug"] - mean["control"], math.sqrt(sum(e * e for c in of for _, e in of[c])) / 2))
        self.same(found["difference", "drug", "24", "control", "24", "donor"], donors, 4.302652729911275)  # two degrees
        self.assertEqual({g["unit"] for g in groups}, {"ohm cm2", "uF/cm2"})
        self.assertEqual(len(found), 4 + 2 * 2 + 2)

    def same(self, group, values, quantile=None):
        n, v = len(values), sorted(x for x, _ in values)
        mean, within = sum(v) / n, math.sqrt(sum(e * e for _, e in values) / n)
        sd = math.sqrt(sum((x - mean) ** 2 for x in v) / (n - 1))
        wanted = {"count": n, "mean": mean, "median": (v[(n - 1) // 2] + v[n // 2]) / 2, "sd": sd, "within_error": within,
                  "between_sd": math.sqrt(max(sd * sd - within * within, 0))}
        if quantile:
            wanted |= {"low95": mean - quantile * sd / math.sqrt(n), "high95": mean + quantile * sd / math.sqrt(n)}
        else:
            self.assertEqual(group["low95"], "")
        for key, w in wanted.items():
            self.assertAlmostEqual(float(group[key]), w, 7, key)

    def test_gaps(self):
        """What is missing is named: an area, a file, a row of the plate, a column that means nothing."""
        for name in ("a.csv", "b.csv", "c.csv"):
            self.write("wells/" + name, 3)
        run, rows, groups = self.batch(3, "File,well,aera_cm2,area_cm2\na.csv,A1,1,\"1,12\"\nb.csv,A2,1,\ngone.csv,A9,1,0.33\n")
        self.assertIn('the column "aera_cm2" is not used: did you mean area_cm2?', run.stderr)
        self.assertEqual([r["file"] for r in rows], ["wells/a.csv", "wells/b.csv", "wells/c.csv", "gone.csv"])
        self.assertEqual([r["area_cm2"] for r in rows], ["1.12", "", "", "0.33"])
        self.assertIn("no area_cm2", rows[1]["note"])
        self.assertIn("has no row for it", rows[2]["note"])
        self.assertIn("line 4", rows[3]["reason"])
        self.assertEqual([rows[0]["TER_ohm_cm2"] == "", rows[1]["TER_ohm_cm2"], rows[1]["TER_ohm"] == ""], [False, "", False])
        self.assertEqual([(g["quantity"], g["count"]) for g in groups], [("TER", "1"), ("TEC", "1")])
        for part in ("no area_cm2 for it", "has no row for it", "none of the files that were read is gone.csv"):
            self.assertIn(part, run.stderr)
        _, rows, _ = self.batch(3, "file,well,area_cm2\na.csv,A1,1.12\nb.csv,A2,\ngone.csv,A9,0.33\n", "--area", "0.5")
        self.assertEqual([r["area_cm2"] for r in rows], ["1.12", "0.5", "0.5", "0.33"])

    def test_sweeps(self):
        """Of a file with several sweeps the column sweep, else well, says which; time orders by number."""
        (self.folder / "wells").mkdir()
        (self.folder / "wells/two.csv").write_bytes((MADE / "two_sweeps_one_table.csv").read_bytes())
        (self.folder / "wells/ch.csv").write_bytes((MADE / "utf16_blocks_hidden_minus.csv").read_bytes())
        _, rows, groups = self.batch(0, "file,sweep,well,time\ntwo.csv,2,A1,10\ntwo.csv,1,A1,9\nch.csv,,CH 3,9\nch.csv,,CH 4,9\n")
        self.assertEqual([(r["sweep"], r["well"], r["time"]) for r in rows],
                         [("CH 3", "CH 3", "9"), ("CH 4", "CH 4", "9"), ("two.csv#1", "A1", "9"), ("two.csv#2", "A1", "10")])
        differences = [g for g in groups if g["what"] == "difference" and g["quantity"] == "TER"]
        self.assertEqual([(g["time"], g["less_time"], g["count"], g["unit"], g["low95"]) for g in differences], [("10", "9", "1", "ohm", "")])
        self.assertAlmostEqual(float(differences[0]["mean"]), float(rows[3]["TER_ohm"]) - float(rows[2]["TER_ohm"]), 9)

    def test_several_folders(self):
        """A row is of one file: where two folders have one of that name, more of the path tells them apart."""
        for day in "12":
            self.write(f"day{day}/a.csv", 3)
        (self.folder / "plate.csv").write_text("file,time\na.csv,1\n")
        error = self.error(3, "eis", "batch", "day1", "day2", "--samples", "plate.csv", cwd=self.folder)
        self.assertIn("a.csv is day1/a.csv and day2/a.csv", error["message"])
        (self.folder / "plate.csv").write_text("file,time\nday2/a.csv,2\nday1/a.csv,1\n")
        rows = rows_of(self.code(0, "eis", "batch", "day1", "day2", "--samples", "plate.csv", cwd=self.folder).stdout)
        self.assertEqual([r["time"] for r in rows], ["1", "2"])

    def test_blanks(self):
        """A row's blank is as --blank for its file alone; a file that is only a blank is no row, and one that is none is a reason."""
        for name in ("a.csv", "b.csv", "c.csv"):
            self.write("wells/" + name, 3)
        rng = random.Random(8)
        rows = [(10 ** (5 - 4.5 * i / 29), 40 * (1 + 0.002 * rng.gauss(0, 1)), 0.08 * rng.gauss(0, 1)) for i in range(30)]
        (self.folder / "wells/empty.csv").write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{f!r},{re!r},{im!r}\n" for f, re, im in rows))
        run, rows, _ = self.batch(3, "file,well,blank\na.csv,A1,empty.csv\nb.csv,A2,\nc.csv,A3,a.csv\n")
        self.assertEqual([r["file"] for r in rows], ["wells/a.csv", "wells/b.csv", "wells/c.csv"])
        alone = rows_of(self.code(0, "eis", "batch", "wells/a.csv", "--blank", "wells/empty.csv", cwd=self.folder).stdout)[0]
        for key in ("Rs_ohm", "Rs_ohm_stderr", "TER_ohm", "TER_ohm_stderr", "Ca_F"):
            self.assertEqual(rows[0][key], alone[key], key)
        self.assertLess(float(rows[0]["Rs_ohm_stderr"]), 0.9 * float(rows[1]["Rs_ohm_stderr"]))
        self.assertIn("the blank wells/empty.csv is Rs", rows[0]["note"])
        self.assertIn("it is no blank", rows[2]["reason"])
        self.assertIn("wells/a.csv", rows[2]["reason"])

    def test_never_confidently_wrong(self):
        """Noise may take the bath for a membrane's arc, as well as not: TER is told with an error that holds it, or as not determined; what
        lies along the fibre has no errors."""
        (self.folder / "wells").mkdir()
        for seed in (3, 16, 20, 40, 68, 90, 128):
            rows, ter = [], 0
            rng, rsh = random.Random(seed), 300 + 2 * seed
            for i in range(41):
                f = 10 ** (5 - 5 * i / 40)
                s = 2j * math.pi * f
                zm = 4820 / (1 + s * 4820 * 1.2e-6) + 2210 / (1 + s * 2210 * 4.7e-6)
                z = 20 + rsh * zm / (rsh + zm)
                rows.append(f"{f!r},{z.real + .005 * abs(z) * rng.gauss(0, 1)!r},{z.imag + .005 * abs(z) * rng.gauss(0, 1)!r}\n")
            (self.folder / f"wells/s{seed:03}.csv").write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(rows))
        open_ones = 0
        tables = [self.code(0, "eis", "batch", "wells", *words, cwd=self.folder).stdout for words in ((), ("--robust",))]
        for row in rows_of(tables[0]) + rows_of(tables[1]):
            rsh = 300 + 2 * int(row["file"][-7:-4])
            ter = rsh * 7030 / (rsh + 7030)
            self.assertEqual({"Rsh", "Ra", "Rb", "Ca", "Cb"} - set(row["open"].split()), set(), row)
            if "TER is not determined" in row["note"]:
                open_ones += 1
                self.assertEqual(row["TER_ohm_stderr"], "")
            else:
                self.assertLess(abs(float(row["TER_ohm"]) - ter), 5 * float(row["TER_ohm_stderr"]), row)
        self.assertGreater(open_ones, 0)

    def test_words_of_time(self):
        """Words stand in the order of the plate, whatever number they begin with."""
        for i, name in enumerate(("a.csv", "b.csv", "c.csv")):
            self.write("wells/" + name, 3, 1000.0 - 100 * i)
        _, rows, groups = self.batch(0, "file,well,time\na.csv,A1,10 h\nb.csv,A1,2 h\nc.csv,A1,0x10\n")
        self.assertEqual([r["time"] for r in rows], ["10 h", "2 h", "0x10"])
        self.assertEqual([(g["time"], g["less_time"], g["count"]) for g in groups if g["what"] == "difference" and g["quantity"] == "TER"],
                         [("2 h", "10 h", "1"), ("0x10", "10 h", "1")])

    def test_pipe(self):
        """What would be waited for for ever is left out, and named."""
        self.write("wells/a.csv", 3)
        os.mkfifo(self.folder / "wells/pipe")
        done = self.code(0, "eis", "batch", "wells", cwd=self.folder)
        self.assertEqual([r["file"] for r in rows_of(done.stdout)], ["wells/a.csv"])
        self.assertIn("wells: folders and pipes in it are left out (pipe)", done.stderr)

    def test_refused(self):
        self.write("wells/a.csv", 3)
        for text, column, part in (("well\nA1\n", "file", "no column file"), ("file,area_cm2\na.csv,x\n", "area_cm2", "line 2"), ("file,area_cm2\na.csv,0\n", "area_cm2", "above 0"),
                                   ("file,well\na.csv,A1\na.csv,A2\n", "file", "both name"), ("file,file\na.csv,a.csv\n", "file", "twice"),
                                   ("file\n", "samples", "no rows"), ("file,well\n,A1\n", "file", "empty"), ("file,blank\na.csv,b.csv\n", "blank", "blank")):
            (self.folder / "plate.csv").write_text(text)
            error = self.error(3, "eis", "batch", "wells", "--samples", "plate.csv", cwd=self.folder)
            self.assertEqual(error["column"], column, error)
            self.assertIn(part, error["message"])


class Decimal(Case):
    """Tables for spreadsheets with a decimal comma hold what the others hold."""

    def test_commands(self):
        files = [MADE / name for name in ("two_outliers.csv", "dummy_cell_one_rc.csv")]
        for command, words in (("batch", ()), ("fit", ()), ("check", ()), ("drt", ()), ("complete", ("--method", "exact", "--rs", "25"))):
            usual = self.code(0, "eis", command, *files, *words).stdout
            comma = self.code(0, "eis", command, *files, *words, "--decimal", ",").stdout
            plain, other = rows_of(usual), rows_of(comma, ";")
            self.assertEqual(list(plain[0]), list(other[0]))
            for a, b in zip(plain, other, strict=True):
                for key, cell in a.items():
                    self.assertIn(b[key], (cell, cell.replace(".", ",")), (command, key))
            self.assertRegex(comma, r";[0-9]+,[0-9]+;")
            self.assertNotRegex(comma, r";[0-9]+\.[0-9]+;")


if __name__ == "__main__":
    program.main("test_eis_batch")

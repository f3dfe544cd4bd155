#!/usr/bin/env python3
"""tidemill eis from end to end: the MLX guide's spelling, the report, the demo, files of the MLX guide's application."""
import csv
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import unittest
import xml.etree.ElementTree
import zipfile

import program
from program import Case

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ["--n_ground_truths", "5", "--n_epochs", "1", "--samples_per_pattern", "200"]


def npy(shape, kind, data):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def impedance(rsh, ra, rb, ca, cb, freq_hz):
    s = 2j * math.pi * freq_hz
    membranes = ra / (1 + s * ra * ca) + rb / (1 + s * rb * cb)
    return rsh * membranes / (rsh + membranes)


class Simulate(Case):
    def test_same_bytes(self):
        a, b, c = (self.folder / f"{name}.csv" for name in "abc")
        self.code(0, "eis", "simulate", a)
        self.code(0, "eis", "simulate", b)
        self.code(0, "eis", "simulate", c, "--seed", 9)
        self.assertEqual(a.read_bytes(), b.read_bytes())
        self.assertNotEqual(a.read_bytes(), c.read_bytes())

    def test_noise(self):
        path = self.folder / "a.csv"
        self.code(0, "eis", "simulate", path, "--known", "Rsh=460,Ra=4820,Rb=2210,Ca=1.2uF,Cb=4.7uF", "--noise", "2%")
        with open(path, newline="") as file:
            rows = [[float(row[key]) for key in ("frequency_hz", "z_re_ohm", "z_im_ohm")] for row in csv.DictReader(file)]
        self.assertEqual(len(rows), 61)
        off = []
        for freq_hz, re_ohm, im_ohm in rows:
            z = impedance(460, 4820, 2210, 1.2e-6, 4.7e-6, freq_hz)
            off += [(re_ohm - z.real) / abs(z), (im_ohm - z.imag) / abs(z)]
        # The spread of 122 normal numbers is within 4 of its own standard deviations of 2 %.
        spread = math.sqrt(sum(x * x for x in off) / len(off))
        self.assertLess(abs(spread - 0.02), 4 * 0.02 / math.sqrt(2 * len(off)))

    def test_refusals(self):
        path = self.folder / "a.csv"
        self.assertIn("Cb is missing", self.error(2, "eis", "simulate", path, "--known", "Rsh=460,Ra=4820,Rb=2210,Ca=1.2uF")["message"])
        self.assertEqual(self.error(2, "eis", "simulate", path, "--noise", "80%")["column"], "noise")
        self.error(1, "eis", "simulate", self.folder / "no/such/folder/a.csv")


class Mode(Case):
    def test_usage(self):
        self.assertIn("`mode` is needed", self.error(2, "eis")["message"])
        self.assertIn("full, generate, train, inference", self.error(2, "eis", "--mode", "fulll")["message"])
        self.assertIn("auto, mlx, pytorch", self.error(2, "eis", "--mode", "train", "--backend", "jax")["message"])
        self.assertIn('did you mean "eis complete"?', self.error(2, "eis", "comlete")["message"])

    def test_train_without_data(self):
        error = self.error(2, "eis", "--mode", "train", cwd=self.folder)
        self.assertIn("eis generate", error["message"])

    def test_inference_without_model(self):
        self.assertIn("--mode train makes one", self.error(2, "eis", "--mode", "inference", cwd=self.folder)["message"])

    def test_pytorch_missing(self):
        stub = self.folder / "python3"
        stub.write_text("#!/bin/sh\nexit 1\n")
        stub.chmod(0o755)
        error = self.error(4, "eis", "--mode", "train", "--backend", "pytorch", env={"PATH": f"{self.folder}:/usr/bin:/bin"})
        self.assertIn("pip install torch numpy", error["message"])

    def test_pytorch(self):
        try:
            subprocess.run(["python3", "-c", "import torch, numpy"], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError):
            self.skipTest("python3 cannot import torch and numpy")
        done = self.code(0, "eis", "--mode", "full", "--backend", "pytorch", *TINY, "--hidden_dim", 64, "--json", cwd=self.folder, env={"OMP_WAIT_POLICY": "PASSIVE"})
        answer = json.loads(done.stdout)
        self.assertEqual(answer["backend"], "pytorch")
        self.assertEqual(answer["samples"], 2000)
        self.assertTrue((self.folder / "best_eis_predictor.pth").is_file())
        # The same network: 223,357 parameters at 512.
        hidden = 64
        half = hidden // 2
        self.assertEqual(answer["parameters"], 10 * hidden + hidden + hidden * half + half + half * 128 + 128 + 5 * (128 * 64 + 64 + 64 * 12 + 12) + 128 * 64 + 64 + 64 + 1)


class Full(Case):
    def check_report(self, out):
        report = json.loads((out / "report.json").read_text())
        page = (out / "report.html").read_text()
        charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        for chart in charts:
            xml.etree.ElementTree.fromstring(chart)
        titles = {re.search(r">([^<]*)</text>", chart).group(1) for chart in charts}
        self.assertLessEqual({"Where Ca is", "Where Cb is", "Nyquist", "Bode: size", "Bode: phase"}, titles)
        self.assertNotIn("<script", page)
        self.assertFalse(re.search(r"(src|href)=", page))
        self.assertNotIn("nan", page.lower())
        return report, titles

    def test_guide(self):
        done = self.code(0, "eis", "--mode", "full", *TINY, "--json", cwd=self.folder)
        answer = json.loads(done.stdout)
        out = self.folder / "runs/eis"
        report, titles = self.check_report(out)
        self.assertLessEqual({"Loss", "Accuracy"}, titles)
        self.assertEqual(answer["report"], "runs/eis/report.html")
        self.assertEqual(report["answer"]["missing_params"], ["Ca", "Cb"])
        self.assertEqual(len(report["answer"]["marginal_distributions"]["Ca"]), 12)
        self.assertLessEqual(len(report["answer"]["top_k_predictions"]), 10)
        self.assertEqual(report["other_answer"]["method"], "network")
        self.assertEqual(report["training"]["inputs"], "known")
        self.assertGreater(sum(b["count"] for b in report["calibration"]), 1000)
        for name in ("model/metrics.csv", "model/best_eis_predictor_mlx.npz", "model/model.safetensors", "answer/candidates.csv", "spectrum.csv"):
            self.assertTrue((out / name).is_file(), name)
        # The truth is in no data, and the spectrum finds what the known values cannot: at least one in twenty of 144 cells.
        truths = json.loads((self.folder / "eis_training_data/manifest.json").read_text())
        self.assertNotIn(str(report["truth"]["Ca"]), json.dumps(truths))
        best = report["answer"]["top_k_predictions"][0]["joint_probability"]
        self.assertGreater(best, 3 * report["other_answer"]["top_k_predictions"][0]["joint_probability"])
        # Again over the same data: nothing is asked, and the demo of the MLX guide answers from that model.
        self.code(0, "eis", "--mode", "train", *TINY[2:], cwd=self.folder)
        done = self.code(0, "eis", "--mode", "inference", cwd=self.folder)
        self.assertIn("lhs_0000", done.stdout)
        done = self.code(0, "eis", "--mode", "inference", "--known", "Rsh=460,Ra=4820,Rb=2210", "--json", cwd=self.folder)
        self.assertEqual(json.loads(done.stdout)["method"], "network")


class Demo(Case):
    def test_demo(self):
        """./demo eis beside a program that is built already: no compiler is asked."""
        (self.folder / "tools").mkdir()
        (self.folder / "build/cli").mkdir(parents=True)
        (self.folder / "bin").mkdir()
        shutil.copy(ROOT / "demo", self.folder)
        shutil.copy(ROOT / "tools/setup.sh", self.folder / "tools")
        (self.folder / "build/build.ninja").write_text("")
        (self.folder / "build/cli/tidemill").symlink_to(program.PROGRAM)
        for name in ("ninja", "meson"):
            (self.folder / "bin" / name).write_text("#!/bin/sh\n")
            (self.folder / "bin" / name).chmod(0o755)
        env = {**program.environment(), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", self.folder / "demo", "eis", "--no-install"], capture_output=True, text=True, timeout=60, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Ca", done.stdout)
        for name in ("sample.csv", "candidates.csv", "nyquist.csv"):
            self.assertTrue((self.folder / "runs/demo-eis" / name).is_file(), name)


class AppFile(Case):
    FREQ_HZ = [10 ** (-1 + i / 4) for i in range(21)]
    TRUTH = (1200.0, 3300.0, 800.0, 2.5e-6, 9e-6)

    def write(self, path):
        """A grid of 2 in the application's order Rsh, Ra, Ca, Rb, Cb, the truth in its first row, and pickled metadata."""
        rows = [self.TRUTH]
        for i in range(1, 32):
            bit = [(i >> k) & 1 for k in range(5)]
            rows.append(tuple(10.0 * 1000 ** b for b in bit[:3]) + tuple(1e-7 * 500 ** b for b in bit[3:]))
        data = [impedance(*self.TRUTH, f) for f in self.FREQ_HZ]
        norms = [sum(abs(impedance(*row, f) - z) for f, z in zip(self.FREQ_HZ, data)) / len(data) for row in rows]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("parameters.npy", npy((32, 5), "<f8", b"".join(struct.pack("<5d", r[0], r[1], r[3], r[2], r[4]) for r in rows)))
            file.writestr("resnorms.npy", npy((32,), "<f8", struct.pack("<32d", *norms)))
            file.writestr("frequencies.npy", npy((21,), "<f8", struct.pack("<21d", *self.FREQ_HZ)))
            file.writestr("metadata.npy", npy((), "|O", b"\x80\x04}\x94."))

    def test_read(self):
        path = self.folder / "grid_2_freq_0.1_10000.0.npz"
        self.write(path)
        done = self.code(0, "eis", "generate", "--ground-truths", path, "--points", 4, "--data_dir", self.folder / "data", "--json")
        self.assertEqual(json.loads(done.stdout)["ground_truths"], 1)
        for part in ("taken as shunt", "Rsh, Ra, Ca, Rb, Cb", "Rsh=1200, Ra=3300, Rb=800, Ca=2.5e-06, Cb=9e-06", "row of resnorm 0"):
            self.assertIn(part, done.stderr)
        error = self.error(2, "eis", "generate", "--profile", "generator", "--ground-truths", path, "--data_dir", self.folder / "data")
        self.assertIn("shunt circuit", error["message"])

    def test_not_it(self):
        path = self.folder / "x.npz"
        path.write_bytes(b"PK\x05\x06" + bytes(18))
        self.assertIn("parameters", self.error(3, "eis", "generate", "--ground-truths", path, "--data_dir", self.folder / "data")["message"])


if __name__ == "__main__":
    program.main("test_eis")

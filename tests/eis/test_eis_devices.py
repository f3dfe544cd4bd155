#!/usr/bin/env python3
"""The impedance commands on a device that computes (DEVICE, on a library of the tests): trained, asked and evaluated there
with the numbers of the processor."""
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program  # noqa: E402
from program import Case  # noqa: E402

DEVICE = os.environ["DEVICE"]
HERE = {name: os.environ[name] for name in ("TIDEMILL_CUDA", "TIDEMILL_CUDA_LIBS", "TIDEMILL_METAL", "TIDEMILL_OPENCL") if name in os.environ}
TRAIN = ["--recipe", "grid", "--pool-spectra", 1024, "--batch-size", 128, "--hidden-dim", 16, "--epochs", 2, "--seed", 5, "--threads", 2, "--no-plots"]


class Devices(Case):
    def told(self, *words):
        return json.loads(self.code(0, "eis", *words, "--json", env=HERE, timeout=1500).stdout)

    def alike(self, here, there, allowed, where=""):
        """Two JSON values with the same words, and numbers that differ by no more than `allowed`, relative to 1 or to themselves."""
        self.assertEqual(type(here), type(there), where)
        if isinstance(here, dict):
            self.assertEqual(here.keys(), there.keys(), where)
            for key in here:
                self.alike(here[key], there[key], allowed, f"{where}.{key}")
        elif isinstance(here, list):
            self.assertEqual(len(here), len(there), where)
            for i, (a, b) in enumerate(zip(here, there)):
                self.alike(a, b, allowed, f"{where}[{i}]")
        elif isinstance(here, float):
            self.assertAlmostEqual(here, there, delta=allowed * max(1, abs(here)), msg=where)
        else:
            self.assertEqual(here, there, where)

    def test_commands(self):
        losses = {}
        for device in ("cpu", DEVICE):
            run = self.told("train", *TRAIN, "--device", device, "--out", self.folder / device)
            self.assertEqual(run["device"], device)
            losses[device] = [run[key] for key in ("train_loss", "val_loss", "val_acc", "best_possible_acc")]
        self.alike(losses["cpu"], losses[DEVICE], 2e-3)

        spectrum, model = self.folder / "s.csv", self.folder / "cpu"
        self.code(0, "eis", "simulate", "--seed", 3, spectrum)
        ask = ["complete", spectrum, "--method", "network", "--model", model, "--known", "Rsh=460", "--noise", "1%", "--rs", 0]
        answers = {device: self.told(*ask, "--device", device) for device in ("cpu", DEVICE)}
        self.alike(answers["cpu"], answers[DEVICE], 2e-3)

        exact = {device: self.told("complete", spectrum, spectrum, "--method", "exact", "--known", "Rsh=460", "--device", device) for device in ("cpu", DEVICE)}
        self.alike(exact["cpu"], exact[DEVICE], 1e-4)

        rows = {}
        for device in ("cpu", DEVICE):
            report = self.told("evaluate", "--model", model, "--test-spectra", 2, "--noise", "1%", "--device", device, "--memory-limit", "512M")
            rows[device] = [level["mean"] for level in report["levels"]]
        self.alike(rows["cpu"], rows[DEVICE], 1e-3)

    def test_too_little_memory(self):
        error = self.error(1, "eis", "train", *TRAIN, "--device", DEVICE, "--memory-limit", "20K", "--out", self.folder / "run", env=HERE, timeout=600)
        self.assertIn("the limit is 20480", error["message"])


if __name__ == "__main__":
    program.main("test_eis_devices")

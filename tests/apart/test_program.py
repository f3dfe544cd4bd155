#!/usr/bin/env python3
"""The whole program on a device whose memory is not the host's: it trains and predicts with the bits of ref."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program
from program import SMALL, Case, write_series


class Apart(Case):
    def train(self, device, *words):
        out = self.folder / device.replace(":", "-")
        data = self.folder / "series.csv"
        if not data.exists():
            write_series(data)
        done = self.code(0, "forecast", "train", "--data", data, "--out", out, "--device", device, "--no-plots", "--json", *SMALL, *words)
        return out, json.loads(done.stdout)

    def parameters(self, out):
        """The model file without its header, where names of devices are."""
        whole = (out / "model.safetensors").read_bytes()
        return whole[8 + int.from_bytes(whole[:8], "little"):]

    def test_forecast(self):
        ref, told = self.train("ref")
        apart, told_apart = self.train("apart:1")
        self.assertEqual(told["test"], told_apart["test"])
        self.assertEqual(told_apart["device"], "apart:1")
        self.assertEqual(json.loads((apart / "run.json").read_text())["options"]["device"], "apart:1")
        self.assertEqual(self.parameters(ref), self.parameters(apart))
        answers = [json.loads(self.code(0, "forecast", "predict", "--model", out, "--json", "--no-plots").stdout) for out in (ref, apart)]
        self.assertEqual(answers[0]["forecast"], answers[1]["forecast"])
        for device in "ref", "apart:1":
            self.train(device, "--overwrite", "--accumulate", 2, "--recompute", "--optimizer", "adamw")
        self.assertEqual(self.parameters(ref), self.parameters(apart))

    def test_eis(self):
        data = self.folder / "data"
        self.code(0, "eis", "generate", "--data_dir", data, "--n_ground_truths", 10, "--points", 6)
        models = []
        for device in "ref", "apart":
            out = self.folder / device
            self.code(0, "eis", "train", "--inputs", "known", "--data_dir", data, "--out", out, "--device", device, "--n_epochs", 1,
                      "--samples_per_pattern", 40, "--hidden_dim", 16, "--no-plots")
            models.append(self.parameters(out))
        self.assertEqual(*models)

    @unittest.skipUnless("slow" in sys.argv, "slow")
    def test_selftest(self):
        self.assertEqual(json.loads(self.code(0, "selftest", "--json", "--device", "apart").stdout)["failed"], 0)

    def test_no_such_device(self):
        error = self.error(4, "forecast", "train", "--data", write_series(self.folder / "s.csv"), "--out", self.folder / "run", "--device", "apart:7", *SMALL)
        self.assertEqual((error["message"], error["column"]), ("there is no device apart:7; there are 2, from apart:0", "device"))
        self.assertIn("without a number", self.error(4, "selftest", "--device", "cpu:1")["message"])


if __name__ == "__main__":
    program.main("test_program")

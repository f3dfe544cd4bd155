#!/usr/bin/env python3
"""The whole program on Metal, where a library of the tests stands for Apple's (FAKE_METAL); and where there is none."""
import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program  # noqa: E402
from program import SMALL, Case, write_series  # noqa: E402

HERE = {"TIDEMILL_METAL": os.environ["FAKE_METAL"]}
SLOW = unittest.skipUnless("slow" in sys.argv, "slow")


class Metal(Case):
    @unittest.skipIf(sys.platform == "darwin", "Metal is here")
    def test_not_here(self):
        series = write_series(self.folder / "s.csv")
        error = self.error(4, "forecast", "train", "--data", series, "--out", self.folder / "run", "--device", "metal", *SMALL, env={"TIDEMILL_METAL": ""})
        self.assertEqual(error["column"], "device")
        self.assertRegex(error["message"], r"^Metal is Apple's: it is on macOS alone; available: cpu, ref, check")
        done = self.code(4, "selftest", "--device", "metal", env={"TIDEMILL_METAL": ""})
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("Metal is Apple's", done.stderr)

    def test_not_wanted(self):
        error = self.error(4, "selftest", "--device", "metal", env={"TIDEMILL_METAL": "none"})
        self.assertRegex(error["message"], "^Metal is not wanted: TIDEMILL_METAL is none; available: ")

    def test_another_library(self):
        for name, said in (("libm.so.6", "its libraries have no sel_registerName"), (self.folder / "absent.so", "absent.so: ")):
            error = self.error(4, "selftest", "--device", "metal", env={"TIDEMILL_METAL": name})
            self.assertIn(f"Metal cannot be used: {said}" if said.startswith("its") else said, error["message"])

    def test_wrong_number(self):
        error = self.error(4, "selftest", "--device", "metal:3", env=HERE)
        self.assertEqual(error["message"], "there is no device metal:3; available: metal:0 (Fake M9)")

    def train(self, device, *words):
        out = self.folder / device
        done = self.code(0, "forecast", "train", "--data", self.folder / "s.csv", "--out", out, "--device", device, "--no-plots", "--json",
                         *SMALL, *words, env=HERE, timeout=1200)
        return json.loads(done.stdout)

    @SLOW
    def test_trains(self):
        write_series(self.folder / "s.csv")
        on = {device: self.train(device, "--dropout", "0.1") for device in ("ref", "metal")}
        self.assertEqual(on["metal"]["device"], "metal")
        for score in ("mse", "mae"):
            self.assertAlmostEqual(on["metal"]["test"][score], on["ref"]["test"][score], delta=2e-4)
        self.assertEqual(self.train("metal", "--dropout", "0.1", "--overwrite")["test"], on["metal"]["test"])

    def test_backend_mlx(self):
        """The MLX guide's backend is metal where that works, auto is timed, a device that is named wins."""
        data = self.folder / "data"
        self.code(0, "eis", "generate", "--data_dir", data, "--n_ground_truths", 5, "--points", 6)
        words = ["eis", "--mode", "train", "--data_dir", data, "--n_epochs", 1, "--samples_per_pattern", 4, "--hidden_dim", 16, "--batch_size", 64, "--no-plots"]
        for more, device, said in ((["--backend", "mlx"], "metal", ""), (["--backend", "auto"], "cpu", "device auto: cpu "),
                                   (["--backend", "mlx", "--device", "cpu"], "cpu", ""), ([], "cpu", "")):
            with self.subTest(more):
                self.code(0, *words, *more, "--out", self.folder / "run", env=HERE)
                run = json.loads((self.folder / "run" / "run.json").read_text())
                self.assertEqual(run["options"]["device"], device)
                self.assertTrue(run.get("device_choice", "").startswith(said) and bool(said) == ("device_choice" in run), run)

    @SLOW
    def test_selftest(self):
        told = json.loads(self.code(0, "selftest", "--device", "metal", "--json", env=HERE, timeout=1800).stdout)
        self.assertEqual(told["failed"], 0)
        self.assertGreater(told["passed"], 400)


if __name__ == "__main__":
    program.main("test_metal_program")

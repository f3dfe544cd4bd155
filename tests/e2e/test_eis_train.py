#!/usr/bin/env python3
"""tidemill eis train --inputs known, as its users meet it: what it says, what it leaves, and what it survives."""
import json
import re
import signal
import subprocess
import sys
import time
import unittest

import program
from program import Case

TRAIN = ["eis", "train", "--inputs", "known", "--samples_per_pattern", 400, "--hidden_dim", 64, "--n_epochs", 40, "--n_workers", 1]
VERDICT = re.compile(r"Validation accuracy (\d+\.\d) %; the best possible here is (\d+\.\d) %\.")


class Known(Case):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.code(0, "eis", "generate", "--data_dir", self.data, "--n_ground_truths", 10, "--points", 6)

    def words(self, out, *more):
        return [*TRAIN, "--data_dir", self.data, "--out", out, *more]

    def test_folder_and_result(self):
        out = self.folder / "run"
        done = self.code(0, *self.words(out, "--n_epochs", 2, "--json"))
        result = json.loads(done.stdout)
        self.assertEqual((result["schema_version"], result["command"], result["inputs"], result["folder"]), (1, "eis train", "known", str(out)))
        self.assertEqual((result["epochs"], result["ground_truths"], result["ground_truths_held_out"]), (2, 10, 2))
        self.assertTrue(VERDICT.match(result["message"]), result["message"])
        self.assertLess(result["val_acc"], 1)
        names = {p.name for p in out.iterdir()} - {".tidemill", "loss.svg", "loss.csv", "accuracy.svg", "accuracy.csv"}
        self.assertEqual(names, {"run.json", "metrics.csv", "state.safetensors", "model.safetensors", "best_eis_predictor_mlx.npz"})
        lines = (out / "metrics.csv").read_text().splitlines()
        self.assertEqual(lines[0], "epoch,step,lr,train_loss,val_loss,train_acc,val_acc,best_possible_acc,grad_norm,seconds,rss_mib")
        self.assertEqual(len(lines), 3)
        self.assertIn("already contains a run", self.error(2, *self.words(out))["message"])
        told = self.code(0, *self.words(out, "--n_epochs", 1, "--overwrite", "--no-plots"))
        self.assertTrue(VERDICT.search(told.stdout), told.stdout)

    def test_precision(self):
        out = self.folder / "run"
        quick = ["--n_epochs", 1, "--samples_per_pattern", 40, "--no-plots", "--overwrite", "--json"]
        done = self.code(0, *self.words(out, *quick, "--precision", "f16"))
        self.assertEqual(json.loads(done.stdout)["precision"], "f32", "no processor multiplies f16")
        self.assertEqual(done.stderr.count("warning: in f32"), 1, done.stderr)
        self.assertNotIn("loss_scale", (out / "metrics.csv").read_text())
        self.assertIn("f16", self.error(4, *self.words(out, *quick, "--precision", "f16", "--strict"))["message"])
        done = self.code(0, *self.words(out, *quick, "--precision", "f16", "--device", "check"))
        self.assertEqual(json.loads(done.stdout)["precision"], "f16")
        header, row = (out / "metrics.csv").read_text().splitlines()
        self.assertEqual(header.split(",")[-3:], ["rss_mib", "loss_scale", "skipped_steps"])
        self.assertEqual(row.split(",")[-2:], ["65536", "0"])

    def test_auto_size(self):
        env = {"XDG_CACHE_HOME": self.folder / "cache"}
        advised = json.loads(self.code(0, "machine", "--json", env=env).stdout)["advice"]["eis-batch-size"]["value"]
        for given, expected in ([], advised), (["--batch_size", 64], 64):
            out = self.folder / f"run{expected}"
            told = self.code(0, *self.words(out, "--n_epochs", 1, "--no-plots", "--auto-size", *given), env=env).stderr
            self.assertIn(f"batch-size {expected}", told)
            self.assertEqual(json.loads((out / "run.json").read_text())["options"]["batch-size"], expected)
        told = self.code(0, *self.words(self.folder / "plain", "--n_epochs", 1, "--no-plots", "--batch_size", 5000), env=env).stderr
        if sys.platform != "darwin":
            self.assertNotIn("--auto-size", told, "an estimate is no ground for a warning")
        self.code(0, "machine", "--measure", env=env)
        told = self.code(0, *self.words(self.folder / "warned", "--n_epochs", 1, "--no-plots", "--batch_size", 5000), env=env).stderr
        self.assertIn("--batch-size 5000 is more than twice", told)
        self.assertEqual(json.loads((self.folder / "warned/run.json").read_text())["options"]["batch-size"], 5000)

    def test_refusals(self):
        out = self.folder / "run"
        self.assertIn("tidemill eis generate", self.error(2, *TRAIN, "--data_dir", self.folder / "nothing", "--out", out)["message"])
        self.assertIn("`circuit` chain", self.error(2, *self.words(out, "--circuit", "chain"))["message"])
        self.assertIn("best:K", self.error(2, *self.words(out, "--pool", "worst"))["message"])
        self.error(4, *self.words(out, "--device", "abacus"))
        shard = self.data / "shard-00000.tmshard"
        shard.write_bytes(shard.read_bytes()[:-7])
        self.assertIn("shard-00000.tmshard", self.error(3, *self.words(out))["message"])
        self.assertFalse(out.exists())

    def test_kill(self):
        whole, out = self.folder / "whole", self.folder / "run"
        self.code(0, *self.words(whole, "--no-plots"))
        child = subprocess.Popen([program.PROGRAM, *map(str, self.words(out, "--no-plots"))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=program.environment())
        until = time.monotonic() + 60
        while not (out / "state.safetensors").exists() and child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        self.assertEqual(child.wait(), -signal.SIGKILL, "it was to be killed while it trained")
        done = json.loads(self.code(0, *self.words(out, "--no-plots", "--resume", "--json", "--n_workers", 2)).stdout)
        self.assertGreater(done["resumed_from_step"], 0)
        for name in ("model.safetensors", "best_eis_predictor_mlx.npz"):
            self.assertEqual((whole / name).read_bytes(), (out / name).read_bytes(), name)
        columns = [[line.split(",")[:9] for line in (run / "metrics.csv").read_text().splitlines()] for run in (whole, out)]
        self.assertEqual(*columns)

    def test_time_limit(self):
        began = time.monotonic()
        done = json.loads(self.code(0, *self.words(self.folder / "run", "--n_epochs", 1000000, "--max-minutes", 0.05, "--json", "--no-plots")).stdout)
        self.assertLess(time.monotonic() - began, 20)  # 3 s, and what starting and scoring take on a busy machine
        self.assertLess(done["epochs"], 1000000)


class Spectra(Case):
    def test_config(self):
        """run.json has one shape for every run: a spectrum run is begun again from it, and must keep to it."""
        size = ["--pool-spectra", 1024, "--batch-size", 64, "--hidden-dim", 8, "--n-epochs", 1, "--seed", 9, "--accumulate", 2, "--n_workers", 1, "--no-plots"]
        first, second = self.folder / "first", self.folder / "second"
        self.code(0, "eis", "train", "--recipe", "grid", *size, "--out", first)
        self.code(0, "eis", "train", "--config", first / "run.json", "--out", second, "--no-plots")
        self.assertEqual((first / "model.safetensors").read_bytes(), (second / "model.safetensors").read_bytes())
        again = ["eis", "train", "--recipe", "grid", *size, "--out", first, "--resume"]
        self.assertIn("`seed` 9, now it is 8", self.error(2, *again, "--seed", 8)["message"])
        self.assertIn("started with batches in 2 parts and goes on with 4: sums of parts round otherwise", self.code(0, *again, "--accumulate", 4).stderr)
        bare = ["eis", "train", "--config", first / "run.json", "--out", first, "--resume"]
        self.assertNotIn("in 2 parts", self.code(0, *bare, "--no-plots").stderr)

    def test_precision_of_answers(self):
        run, well = self.folder / "run", self.folder / "well.csv"
        told = self.code(0, "eis", "train", "--recipe", "grid", "--n-epochs", 1, "--pool-spectra", 1024, "--batch-size", 64, "--hidden-dim", 32, "--no-plots",
                         "--n_workers", 1, "--out", run).stderr
        self.assertRegex(told, r"epoch 1: .* \d+ MiB")
        self.code(0, "eis", "simulate", well)
        ask = {"complete": ["--spectrum", well, "--method", "network", "--rs", 0], "evaluate": ["--test-spectra", 2, "--noise", "1%"]}
        for command, words in ask.items():
            whole = ["eis", command, "--model", run, *words, "--precision"]
            self.assertNotIn("in f32", self.code(0, *whole, "auto").stderr)
            self.assertEqual(self.code(0, *whole, "f16").stderr.count("warning: in f32"), 1)
            self.assertIn("f16", self.error(4, *whole, "f16", "--strict")["message"])
            self.assertEqual(self.code(0, *whole, "bf16", env={"TIDEMILL_ISA": "baseline"}).stderr.count("warning: in f32"), 1)


if __name__ == "__main__":
    program.main("test_eis_train")

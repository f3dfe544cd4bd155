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
        rows = [[line.split(",")[:6] for line in (out / "metrics.csv").read_text().splitlines()] for out in (ref, apart)]
        self.assertEqual(rows[0][0][:4], ["epoch", "step", "lr", "train_loss"])
        self.assertEqual(*rows, "what was read of queued steps, later, is what is read after each")
        resumed = ["forecast", "train", "--data", self.folder / "series.csv", "--resume", "must", "--no-plots", *SMALL]
        for out, other in (ref, "apart"), (apart, "ref"):
            self.assertIn(f"goes on on {other}:", self.code(0, *resumed, "--out", out, "--device", other).stderr)
        answers = [json.loads(self.code(0, "forecast", "predict", "--model", out, "--json", "--no-plots").stdout) for out in (ref, apart)]
        self.assertEqual(answers[0]["forecast"], answers[1]["forecast"])
        for device in "ref", "apart:1":
            self.train(device, "--overwrite", "--accumulate", 2, "--recompute", "--optimizer", "adamw")
        self.assertEqual(self.parameters(ref), self.parameters(apart))

    def test_several(self):
        """Two devices with memory of their own have the bits of two parts on one; a run goes on on another number."""
        one, _ = self.train("apart:1", "--accumulate", 2)
        two, _ = self.train("apart:0-1")
        self.assertEqual(self.parameters(one), self.parameters(two))
        run = json.loads((two / "run.json").read_text())["options"]
        self.assertEqual((run["device"], run["accumulate"]), ("apart:0", 2))
        resume = ["forecast", "train", "--data", self.folder / "series.csv", "--resume", "must", "--no-plots", *SMALL]
        self.assertIn("2 ranks: apart:1, apart:0; a batch is 2 parts",
                      self.code(0, *resume, "--out", one, "--device", "apart:1,0").stderr)
        self.code(0, *resume, "--out", two, "--device", "apart:1")
        for words, why in ("apart:0,0", "names one twice"), ("apart:0,apart", "names one twice"), ("apart:0-2", "there is no device apart:2"):
            done = program.run("forecast", "train", "--data", self.folder / "series.csv", "--device", words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)

    def chosen(self, out):
        run = json.loads((out / "run.json").read_text())
        return run["options"]["device"], run.get("device_choice", "")

    def moved(self, out, device):
        """As if the run had been begun on another device."""
        run = json.loads((out / "run.json").read_text())
        run["options"]["device"] = device
        (out / "run.json").write_text(json.dumps(run))

    def test_auto(self):
        """Plain loops are the slower ones: the run is cpu's, and says so; it goes on where it was begun."""
        cpu, told = self.train("cpu")
        auto, told_auto = self.train("auto")
        device, why = self.chosen(auto)
        self.assertEqual((device, told_auto["device"]), ("cpu", "cpu"))
        self.assertRegex(why, r"^device auto: cpu [\d.e+-]+ ms a step, apart [\d.e+-]+ ms, apart-fused [\d.e+-]+ ms(;|$)")
        self.assertEqual(self.chosen(cpu), ("cpu", ""))
        self.assertEqual(told["test"], told_auto["test"])
        self.assertEqual(self.parameters(cpu), self.parameters(auto))
        resumed = ["forecast", "train", "--data", self.folder / "series.csv", "--resume", "must", "--no-plots", *SMALL, "--out", auto, "--device", "auto"]
        self.assertIn("device auto: cpu, which the run was begun on", self.code(0, *resumed).stderr)
        self.moved(auto, "apart")
        done = self.code(0, *resumed, "--json")
        self.assertIn("device auto: apart, which the run was begun on", done.stderr)
        self.assertNotIn("goes on on", done.stderr)
        self.assertEqual(json.loads(done.stdout)["device"], "apart")
        self.assertEqual(self.chosen(auto), ("apart", why))

    def test_auto_answers(self):
        """One window is cpu's, the test windows are the run's device's, if that is there."""
        out, _ = self.train("apart")
        asked = ["--model", out, "--json", "--device"]
        answer = {d: json.loads(self.code(0, "forecast", "predict", "--no-plots", *asked, d).stdout)["forecast"] for d in ("auto", "cpu", "apart")}
        self.assertEqual(answer["auto"], answer["cpu"])
        self.assertNotEqual(answer["auto"], answer["apart"])
        for device, used in ("apart", "apart"), ("gone", "cpu"):
            self.moved(out, device)
            scored = json.loads(self.code(0, "forecast", "evaluate", "--data", self.folder / "series.csv", *asked, "auto").stdout)
            self.assertEqual(scored["device"], used)
        self.moved(out, "apart")
        self.assertIn("apart", self.code(0, "explain", out, "--device", "auto").stdout)

    def test_auto_eis(self):
        data, models = self.folder / "data", []
        self.code(0, "eis", "generate", "--data_dir", data, "--n_ground_truths", 10, "--points", 6)
        words = ["--inputs", "known", "--data_dir", data, "--n_epochs", 1, "--samples_per_pattern", 40, "--hidden_dim", 16, "--no-plots"]
        for device in "cpu", "auto":
            self.code(0, "eis", "train", *words, "--out", self.folder / device, "--device", device)
            models.append(self.parameters(self.folder / device))
        self.assertEqual(*models)
        device, why = self.chosen(self.folder / "auto")
        self.assertEqual(device, "cpu")
        self.assertRegex(why, r"^device auto: cpu .* apart .* apart-fused ")
        self.moved(self.folder / "auto", "apart")
        done = self.code(0, "eis", "train", *words, "--out", self.folder / "auto", "--device", "auto", "--resume", "must")
        self.assertIn("device auto: apart, which the run was begun on", done.stderr)
        mode = ["eis", "--mode", "train", "--backend", "mlx", *words[2:], "--out"]
        self.assertIn("device auto: cpu ", self.code(0, *mode, self.folder / "mlx").stderr)
        self.assertEqual(self.chosen(self.folder / "mlx")[0], "cpu")
        self.assertNotIn("device auto", self.code(0, *mode, self.folder / "named", "--device", "apart").stderr)
        self.assertEqual(self.chosen(self.folder / "named"), ("apart", ""))

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
        asked = ["eis", "complete", "--method", "network", "--known", "Rsh=460", "--json"]
        answers = [json.loads(self.code(0, *asked, "--model", self.folder / "apart", "--device", device).stdout) for device in ("ref", "apart:1")]
        self.assertEqual(*answers)

    def test_bench(self):
        """Each run to its end, then several before one wait; memory is the device's."""
        words = ["--batch-size", 2, "--seq-len", 8, "--d-model", 8, "--benchmark-iterations", 3, "--device", "apart:1", "--json"]
        answer = json.loads(self.code(0, "forecast", "--benchmark-only", *words).stdout)
        [case] = answer["cases"]
        self.assertEqual((answer["device"], answer["hardware"]), ("apart:1", "a device of the tests, number 1"))
        self.assertTrue(all(case[phase]["queued_time_ms"] > 0 for phase in ("training", "inference", "inference_one")))
        self.assertGreater(case["input_copy_ms"], 0)
        self.assertEqual(case["memory"]["device_available_mb"], 3221.23)
        placed = max(case[phase]["placed_bytes"] for phase in ("training", "inference", "inference_one"))
        self.assertAlmostEqual(case["memory"]["device_used_mb"] * 1e6 / placed, 1, 4)
        self.assertIsNone(case["energy_joules_per_step"], "the processor's count is not the device's")

    def test_listed(self):
        found = json.loads(self.code(0, "machine", "--json").stdout)
        self.assertEqual(found["devices"], ["cpu", "ref", "check", "apart", "apart-fused"])
        self.assertEqual(found["gpus"], ["apart", "apart:1", "apart-fused", "apart-fused:1"])
        told = {d["name"]: d for d in found["device_info"]}
        self.assertEqual(told["apart:1"], {"name": "apart:1", "there": True, "hardware": "a device of the tests, number 1",
                                           "memory_bytes": 3 << 30, "own_memory": True, "why": None})
        self.assertFalse(told["cpu"]["own_memory"])
        self.assertRegex(self.code(0, "machine").stdout, "apart:1 +a device of the tests, number 1, 3.0 GiB of its own")
        self.assertRegex(self.code(0, "selftest", "--help").stdout.replace("\n", " "), "cpu, ref, check, +apart, +apart-fused")
        self.assertIn("did you mean 'apart'", self.error(4, "machine", "--device", "aprat")["message"])

    def test_advice(self):
        """What is advised for a device is of its memory."""
        advice = json.loads(self.code(0, "machine", "--device", "apart", "--json", env={"XDG_CACHE_HOME": self.folder}).stdout)["advice"]
        self.assertEqual(advice["memory"]["value"], int(0.7 * (3 << 30)))

    def test_memory_limit(self):
        """A share is one of the device's memory: 3 GiB."""
        train = ["forecast", "train", "--data", write_series(self.folder / "s.csv"), "--no-plots", *SMALL, "--overwrite", "--out", self.folder / "run"]
        for device, limit, says in ("apart", "0.000001", "0.0 MiB"), ("apart", "0.001%", "0.0 MiB"), ("apart", "0.00002", "0.1 MiB"):
            error = self.error(1, *train, "--device", device, "--memory-limit", limit)
            self.assertIn(f"{says} are allowed by `memory-limit`".replace("`", ""), error["message"].replace("`", "").replace("--", ""))
        self.code(0, *train, "--device", "apart", "--memory-limit", "0.1")
        self.assertIn("share of the device's memory", self.error(2, *train, "--device", "apart", "--memory-limit", "1.5")["message"])

    @unittest.skipUnless("slow" in sys.argv, "slow")
    def test_selftest(self):
        self.assertEqual(json.loads(self.code(0, "selftest", "--json", "--device", "apart").stdout)["failed"], 0)

    def test_no_such_device(self):
        error = self.error(4, "forecast", "train", "--data", write_series(self.folder / "s.csv"), "--out", self.folder / "run", "--device", "apart:7", *SMALL)
        self.assertEqual((error["message"], error["column"]), ("there is no device apart:7; there are 2, from apart:0", "device"))
        self.assertIn("without a number", self.error(4, "selftest", "--device", "cpu:1")["message"])


if __name__ == "__main__":
    program.main("test_program")

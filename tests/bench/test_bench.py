#!/usr/bin/env python3
"""tidemill bench: its report, its folder, and ratios beside a script that prints fixed lines."""
import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program  # noqa: E402
from program import Case  # noqa: E402

CASE = {"case", "precision", "precision_note", "compile_mode", "step_ms", "queued_ms", "input_copy_ms", "infer_p50_ms", "infer_p95_ms", "roof_gflops", "gflops",
        "roof_share", "model_size", "model_size_mb", "input_shape", "warmup", "inference", "inference_one", "training", "memory", "epochs", "batches",
        "energy_joules_per_step", "optimization_recommendations"}
PHASE = {"batch", "iterations", "total_time_sec", "batches_per_second", "samples_per_second", "min_time_ms", "max_time_ms",
         "p50_time_ms", "p95_time_ms", "times_ms", "compile_ms", "kernels", "flops", "gflops", "roof_share", "placed_bytes", "queued_time_ms"}
WARMUP = {"iterations", "first_iteration_time_sec", "avg_time_sec", "compilation_sec", "first_iteration_overhead_sec",
          "compilation_overhead_sec"}
MEMORY = {"input_memory_mb", "inference_memory_mb", "training_memory_mb", "total_used_mb", "total_available_mb", "max_memory_percent",
          "peak_growth_mb", "device_used_mb", "device_available_mb"}
RATIOS = {"peer_step_ms", "step_ratio_eager", "step_ratio_compile", "step_ratio_best", "queued_ratio_best", "infer_ratio", "largest_ratio_roof_allows",
          "peer", "peer_failed"}

# Says what it was called with in the warning, and times that differ from round to round.
SCRIPT = """
import argparse, json, pathlib
p = argparse.ArgumentParser()
for name in ("threads", "cases", "modes", "seconds"): p.add_argument("--" + name, required=True)
a = p.parse_args()
seen = pathlib.Path(__file__).with_suffix(".seen")
with seen.open("a") as f: f.write(json.dumps(vars(a)) + "\\n")
print("a warning")
print(json.dumps({"torch": "0.0.1", "threads": int(a.threads)}))
n = len(seen.read_text().splitlines())
for i, m in enumerate(a.modes.split(",")):
    print(json.dumps({"case": a.cases, "mode": m, "step_ms": [1000, 3000, 2000][(n - 1) % 3] / (i + 1), "infer_p50_ms": 50, "first_s": 1}))
"""


# Never ends by itself, nor when it is asked to, and neither does what it starts.
SLEEPER = """
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(__file__).with_suffix(".pids").write_text(f"{os.getpid()} {child.pid}.")
time.sleep(600)
"""


def alive(pid):
    """Running; one that has ended and that nobody has waited for is not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Bench(Case):
    def quick(self, *words, **more):
        return self.code(0, "bench", "--quick", "--threads", 1, *words, **more)

    def test_report(self):
        out = self.folder / "out"
        answer = json.loads(self.quick("--cases", "etth1,eis512", "--precision", "f32,bf16", "--json", "--out", out).stdout)
        self.assertEqual((answer["schema_version"], answer["command"], answer["threads"], answer["rounds"]), (1, "bench", 1, 1))
        self.assertEqual(json.loads((out / "bench.json").read_text())["cases"], answer["cases"])
        self.assertEqual(answer["device"], "cpu")
        self.assertEqual([c["case"] for c in answer["cases"]], ["etth1", "etth1", "eis512", "eis512"])
        for case in answer["cases"]:
            self.assertEqual(set(case), CASE)
            self.assertEqual(set(case["training"]), PHASE | {"avg_step_time_sec", "time_to_first_step_ms"})
            self.assertEqual(set(case["inference"]), PHASE | {"avg_time_per_batch_sec", "performance_rating"})
            self.assertEqual(set(case["inference_one"]), PHASE | {"avg_time_per_batch_sec"})
            self.assertEqual((set(case["warmup"]), set(case["memory"])), (WARMUP, MEMORY))
            times = sorted(case["training"]["times_ms"])
            self.assertEqual(len(times), case["training"]["iterations"])
            self.assertAlmostEqual(case["training"]["p50_time_ms"] / statistics.median(times), 1, 4)
            self.assertAlmostEqual(case["step_ms"], case["training"]["p50_time_ms"])
            self.assertGreater(case["roof_share"], 0)
            queued = {case["queued_ms"], case["input_copy_ms"], case["training"]["queued_time_ms"], case["memory"]["device_used_mb"], case["memory"]["device_available_mb"]}
            self.assertEqual(queued, {None}, "nothing is queued on cpu, whose memory is the host's")
        self.assertEqual(answer["cases"][2]["model_size"], 223357)
        drawn = shutil.which("gnuplot") is not None
        for name in ("step-times", "answer-times"):
            self.assertTrue((out / f"{name}.csv").exists())
            self.assertEqual((out / f"{name}.svg").exists(), drawn)

    def test_predict(self):
        """Answers alone: a batch of them is what the case's figures are of."""
        for case, batch in zip(json.loads(self.quick("--cases", "predict1,predict64", "--json").stdout)["cases"], (1, 64)):
            self.assertEqual(set(case), CASE)
            self.assertEqual((case["training"], case["inference_one"], case["input_shape"]), (None, None, [batch, 96, 7]))
            self.assertEqual((case["inference"]["batch"], case["step_ms"]), (batch, case["inference"]["p50_time_ms"]))
            self.assertAlmostEqual(case["memory"]["input_memory_mb"] * 1e6, 4 * batch * 96 * (7 + 4), 0)

    def test_text(self):
        told = self.quick("--cases", "eis-train-50k,eis-memory", env={"OMP_NUM_THREADS": 1}).stdout
        for word in ("eis-train-50k", "at this rate", "batch  1024", "GFLOP/s"):
            self.assertIn(word, told)

    def test_device(self):
        """On whatever there is; ref is slow, so of something small."""
        words = ["--batch-size", 2, "--seq-len", 8, "--d-model", 8, "--threads", 1, "--benchmark-iterations", 2, "--device", "ref", "--json"]
        answer = json.loads(self.code(0, "forecast", "--benchmark-only", *words).stdout)
        self.assertEqual(answer["device"], "ref")
        self.assertGreater(answer["cases"][0]["roof_gflops"], 0)
        for words in (["bench", "--quick"], ["forecast", "--benchmark-only"]):
            error = self.error(4, *words, "--device", "nowhere")
            self.assertEqual((error["code"], error["column"]), ("device", "device"))
            self.assertIn("available: cpu", error["message"])

    def test_refusals(self):
        self.assertIn('did you mean "traffic"', self.error(2, "bench", "--cases", "etth1,trafic")["message"])
        self.assertIn("f16", self.error(2, "bench", "--precision", "f8")["message"])
        self.assertIn("from 0.001", self.error(2, "bench", "--seconds", "nan")["message"])
        self.assertIn("whole number", self.error(2, "bench", "--rounds", "0")["message"])
        captured = self.error(2, "bench", "--peer-modes", "eager,graph")
        self.assertEqual((captured["column"], '"graph"' in captured["message"], "cuda" in captured["message"]), ("peer-modes", True, True))
        script = self.script("")
        self.assertIn("pip install torch", self.error(4, "bench", "--against", script, "--python", self.folder / "python")["message"])
        bare = {"PYTHONPATH": self.folder}
        (self.folder / "torch.py").write_text("raise ImportError('no torch here')")
        self.assertIn("no torch here", self.error(4, "bench", "--against", script, "--python", sys.executable, env=bare)["message"])

    def script(self, text):
        path = self.folder / "peer.py"
        path.write_text(text)
        return path

    def against(self, text, *words):
        (self.folder / "torch.py").write_text("")
        told = ["--against", self.script(text), "--python", sys.executable, "--json", *words]
        return ["bench", "--quick", "--threads", 1, "--cases", "eis512", *told], {"PYTHONPATH": self.folder}

    def test_against(self):
        words, env = self.against(SCRIPT, "--precision", "f32,bf16", "--peer-modes", "eager,compile,amp")
        answer = json.loads(self.code(0, *words, env=env).stdout)
        self.assertEqual((answer["peer_version"], answer["rounds"]), ("PyTorch 0.0.1", 3))
        seen = [json.loads(line) for line in (self.folder / "peer.seen").read_text().splitlines()]
        self.assertEqual(seen, [{"threads": "1", "cases": "eis512", "modes": "eager,compile,amp", "seconds": "0.02"}] * 3)
        for case in answer["cases"]:
            self.assertEqual(set(case), CASE | RATIOS)
            half = case["precision"] == "bf16"
            peer = 2000 / 3 if half else 2000
            self.assertAlmostEqual(case["peer_step_ms"] / peer, 1, 4)
            self.assertAlmostEqual(case["step_ratio_best"] * case["step_ms"] / (2000 / 3), 1, 1)
            self.assertAlmostEqual(case["step_ratio_eager"] * case["step_ms"] / peer, 1, 1)
            self.assertEqual(case["step_ratio_compile"] is None, half)
            self.assertIsNone(case["peer"]["compile-amp"]["step_ms"])
            self.assertEqual(set(case["peer"]["graph"]), {"step_ms", "queued_ms", "infer_p50_ms", "first_s", "peak_mib"})
            self.assertIsNone(case["queued_ratio_best"], "ours are not queued on cpu")
            self.assertGreater(case["infer_ratio"], 1)
            self.assertGreater(case["largest_ratio_roof_allows"], 0)

    def test_against_jax(self):
        """A script that imports jax needs that, and not torch."""
        text = "import jax\n" + SCRIPT.replace('"torch": "0.0.1"', '"jax": "0.0.2"')
        words, env = self.against(text, "--peer-modes", "compile", "--rounds", 1)
        (self.folder / "torch.py").write_text("raise ImportError('no torch here')")
        (self.folder / "jax.py").write_text("")
        answer = json.loads(self.code(0, *words, env=env).stdout)
        self.assertEqual(answer["peer_version"], "JAX 0.0.2")
        self.assertEqual(answer["cases"][0]["peer"]["compile"]["step_ms"], 1000)
        (self.folder / "jax.py").write_text("raise ImportError('no jax here')")
        error = self.error(4, *words[:-4], env=env)
        self.assertEqual((error["code"], "no jax here" in error["message"], "pip install jax" in error["message"]), ("device", True, True))

    def stopped(self, words, number, when, env=None):
        """Exit code and seconds of a command that gets the signal once `when` holds; what it printed."""
        with open(self.folder / "said", "w+") as said:
            child = subprocess.Popen([program.PROGRAM, *map(str, words)], stdout=said, stderr=subprocess.DEVNULL,
                                     env=program.environment(**(env or {})))
            while not when() and child.poll() is None:
                time.sleep(0.02)
            began = time.monotonic()
            child.send_signal(number)
            code = child.wait(timeout=60)
            said.seek(0)
            return code, time.monotonic() - began, said.read()

    def test_stopping_the_script(self):
        words, env = self.against(SLEEPER)
        out = self.folder / "out"
        pids = self.folder / "peer.pids"
        code, seconds, said = self.stopped([*words, "--out", out], signal.SIGTERM, lambda: pids.exists() and pids.read_text().endswith("."), env)
        self.assertEqual((code, json.loads(said)["error"]["code"], out.exists()), (130, "interrupted", False))
        self.assertLess(seconds, 5)
        for pid in pids.read_text().rstrip(".").split():
            for _ in range(100):
                if not alive(int(pid)):
                    break
                time.sleep(0.05)
            self.assertFalse(alive(int(pid)), f"process {pid} of the script lives on")

    def test_stopping_a_long_case(self):
        began = time.monotonic()
        code, seconds, said = self.stopped(["bench", "--cases", "traffic", "--json"], signal.SIGINT, lambda: time.monotonic() - began > 1.5)
        self.assertEqual((code, json.loads(said)["error"]["code"]), (130, "interrupted"))
        self.assertLess(seconds, 5)

    def test_after_training(self):
        data, out = program.write_series(self.folder / "series.csv"), self.folder / "run"
        quick = ["--benchmark-iterations", "4", "--benchmark-warmup", "2", "--threads", "1"]
        train = ["forecast", "train", "--data", data, "--out", out, *program.SMALL, "--activation", "relu", "--features", "MS", *quick]
        answer = json.loads(self.code(0, *train, "--benchmark", "--json").stdout)
        [case] = answer["benchmark"]["cases"]
        self.assertEqual(set(case), CASE)
        self.assertEqual((case["model_size"], case["input_shape"]), (answer["parameters"], [16, 16, 3]))
        self.assertEqual([case[phase]["iterations"] for phase in ("inference", "inference_one", "training")], [4, 4, 20])
        self.assertEqual(json.loads((out / "benchmark.json").read_text())["cases"], answer["benchmark"]["cases"])
        self.assertEqual((out / "step-times.svg").exists(), shutil.which("gnuplot") is not None)
        said = self.code(0, *train, "--benchmark", "--overwrite", "--no-plots").stdout
        for word in ("this model", "last value", "samples/s"):
            self.assertIn(word, said)
        self.assertFalse((out / "step-times.svg").exists(), "what an earlier run left is cleared")
        checked = json.loads(self.code(0, *train, "--benchmark", "--overwrite", "--no-plots", "--device", "check", "--json").stdout)
        self.assertEqual((checked["device"], checked["benchmark"]["device"]), ("check", "check"))

    def test_only(self):
        small = ["--batch-size", "4", "--seq-len", "8", "--d-model", "16", "--threads", "1", "--benchmark-iterations", "2", "--json"]
        for command in (["forecast"], ["forecast", "train", "--preset", "mac"]):
            answer = json.loads(self.code(0, *command, "--benchmark-only", *small, "--out", self.folder / "out").stdout)
            [case] = answer["cases"]
            self.assertEqual((case["case"], case["input_shape"]), ("mac", [4, 8, 12]))
            width, ahead, block = 16, 4, 4 * (16 * 16 + 16) + 64 + 2 * 16 * 64 + 64 + 16
            self.assertEqual(case["model_size"], 8 * width + width + width * ahead + ahead + 2 * width + 2 * block)
        self.assertEqual(json.loads((self.folder / "out/benchmark.json").read_text())["cases"], answer["cases"])
        self.assertIn("1 to 300", self.error(2, "forecast", "--benchmark-only", "--benchmark-iterations", "0")["message"])
        self.assertIn("divide", self.error(2, "forecast", "--benchmark-only", "--d-model", "20", "--n-heads", "8")["message"])
        self.assertIn("`benchmark-only`", self.error(2, "forecast")["message"])
        self.assertIn('did you mean "forecast train"', self.error(2, "forecast", "trian")["message"])

    def test_script_that_fails(self):
        words, env = self.against("import sys\nsys.exit('it does not feel like it')")
        self.assertIn("it does not feel like it", self.error(3, *words[:-1], env=env)["message"])


if __name__ == "__main__":
    program.main("test_bench")

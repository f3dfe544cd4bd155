#!/usr/bin/env python3
"""tidemill bench: its report, its folder, and ratios beside a script that prints fixed lines."""
import json
import pathlib
import shutil
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program  # noqa: E402
from program import Case  # noqa: E402

CASE = {"case", "precision", "precision_note", "step_ms", "infer_p50_ms", "infer_p95_ms", "roof_gflops", "gflops", "roof_share",
        "model_size", "model_size_mb", "input_shape", "warmup", "inference", "inference_one", "training", "memory", "epochs", "batches",
        "energy_joules_per_step", "optimization_recommendations"}
PHASE = {"batch", "iterations", "total_time_sec", "batches_per_second", "samples_per_second", "min_time_ms", "max_time_ms",
         "p50_time_ms", "p95_time_ms", "times_ms", "compile_ms", "kernels", "flops", "gflops", "roof_share", "placed_bytes"}
WARMUP = {"iterations", "first_iteration_time_sec", "avg_time_sec", "compilation_sec", "first_iteration_overhead_sec"}
MEMORY = {"input_memory_mb", "inference_memory_mb", "training_memory_mb", "total_used_mb", "total_available_mb", "max_memory_percent",
          "peak_growth_mb"}
RATIOS = {"peer_step_ms", "step_ratio_eager", "step_ratio_compile", "step_ratio_best", "infer_ratio", "largest_ratio_roof_allows",
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


class Bench(Case):
    def quick(self, *words, **more):
        return self.code(0, "bench", "--quick", "--threads", 1, *words, **more)

    def test_report(self):
        out = self.folder / "out"
        answer = json.loads(self.quick("--cases", "etth1,eis512", "--precision", "f32,bf16", "--json", "--out", out).stdout)
        self.assertEqual((answer["schema_version"], answer["command"], answer["threads"], answer["rounds"]), (1, "bench", 1, 1))
        self.assertEqual(json.loads((out / "bench.json").read_text())["cases"], answer["cases"])
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
        self.assertEqual(answer["cases"][2]["model_size"], 223357)
        drawn = shutil.which("gnuplot") is not None
        for name in ("step-times", "answer-times"):
            self.assertTrue((out / f"{name}.csv").exists())
            self.assertEqual((out / f"{name}.svg").exists(), drawn)

    def test_text(self):
        told = self.quick("--cases", "eis-train-50k,eis-memory", env={"OMP_NUM_THREADS": 1}).stdout
        for word in ("eis-train-50k", "at this rate", "batch  1024", "GFLOP/s"):
            self.assertIn(word, told)

    def test_refusals(self):
        self.assertIn('did you mean "traffic"', self.error(2, "bench", "--cases", "etth1,trafic")["message"])
        self.assertIn("f16", self.error(2, "bench", "--precision", "f8")["message"])
        self.assertIn("above 0", self.error(2, "bench", "--seconds", "nan")["message"])
        self.assertIn("whole number", self.error(2, "bench", "--rounds", "0")["message"])
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
            self.assertGreater(case["infer_ratio"], 1)
            self.assertGreater(case["largest_ratio_roof_allows"], 0)

    def test_script_that_fails(self):
        words, env = self.against("import sys\nsys.exit('it does not feel like it')")
        self.assertIn("it does not feel like it", self.error(3, *words[:-1], env=env)["message"])


if __name__ == "__main__":
    program.main("test_bench")

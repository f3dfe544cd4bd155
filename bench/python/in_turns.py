#!/usr/bin/env python3
"""The Forecaster beside the command, the same training in turns, on one thread: processor's seconds, which other programs on the machine disturb least.

    build/python-environment/bin/python bench/python/in_turns.py build/cli/tidemill ETTh1.csv        (needs pandas and pyarrow)

The command reads the CSV, trains, scores and writes its run folder; `fit` gets a frame that pandas has read, trains and scores. Both score the same
windows and baselines, and must have the same validation error to the last digit."""
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

OPTIONS = {"preset": "etth1-96", "epochs": 2, "seed": 1, "threads": 1}
FIT = """
import json, sys, time, pandas, tidemill
df = pandas.read_csv(sys.argv[1], parse_dates=["date"])
f = tidemill.Forecaster(time_column="date", **json.loads(sys.argv[2]))
start = time.process_time()
f.fit(df, progress=False)
print(json.dumps({"seconds": time.process_time() - start, "best_val_loss": f.scores_["best_val_loss"], "mse": f.scores_["test"]["mse"]}))
"""


def command(program, data, folder):
    words = [w for name, value in OPTIONS.items() for w in (f"--{name}", str(value))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run([program, "forecast", "train", "--data", data, "--out", folder, "--overwrite", "--no-plots", "--quiet", "--json", *words], check=True, capture_output=True,
                          text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = json.loads(told.stdout)
    return {"seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "best_val_loss": answer["best_val_loss"], "mse": answer["test"]["mse"]}


def main():
    program, data = (str(pathlib.Path(w).resolve()) for w in sys.argv[1:3])
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(5):
            theirs = command(program, data, pathlib.Path(folder, "run"))
            ours = json.loads(subprocess.run([sys.executable, "-c", FIT, data, json.dumps(OPTIONS)], check=True, capture_output=True, text=True).stdout)
            if (theirs["best_val_loss"], theirs["mse"]) != (ours["best_val_loss"], ours["mse"]):
                sys.exit(f"other numbers: {theirs}, {ours}")
            pairs.append((theirs["seconds"], ours["seconds"]))
            print(f"command {theirs['seconds']:.2f} s, fit {ours['seconds']:.2f} s: {ours['seconds'] / theirs['seconds']:.3f}", flush=True)
    print(f"median of the ratios {statistics.median(b / a for a, b in pairs):.3f}; error {pairs and ours['mse']:.4f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What heads are worth: bench/training/heads.py DATA [TIDEMILL]. ETTh1-96 by its preset with each head, and series whose
noise is known: coverage of sums of two series whose noise is correlated, and of sums over rows where the deviation goes
by the hour. Prints the tables of bench/results/heads.md; DATA holds ETTh1.csv, "-" leaves it out."""
import datetime
import json
import os
import subprocess
import sys
import tempfile

import numpy

HEADS = ("point", "quantile", "student-t")
ROWS, SEEDS = 8000, 3
MADE = "--arch linear --seq-len 48 --pred-len 8 --val 2500 --test 2500 --epochs 6 --learning-rate 0.003 --lradj cosine"


def train(exe, folder, data, head, words):
    """The result of a training, as its JSON object."""
    line = [exe, "forecast", "train", "--data", data, "--head", head, "--out", os.path.join(folder, "run"),
            "--overwrite", "--no-plots", "--quiet", "--json", *words]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def write(path, names, columns):
    begin = datetime.datetime(2024, 1, 1)
    with open(path, "w", encoding="utf-8") as f:
        f.write("date," + ",".join(names) + "\n")
        for t, row in enumerate(zip(*columns)):
            f.write(f"{begin + datetime.timedelta(hours=t)}," + ",".join(f"{v:.6f}" for v in row) + "\n")


def correlated(path, seed, correlation):
    """Two series with normal noise; the deviation of the noise of their sum."""
    random = numpy.random.default_rng(seed)
    common, t = random.normal(size=ROWS), numpy.arange(ROWS)
    own = numpy.sqrt(1 - correlation ** 2) * random.normal(size=ROWS)
    write(path, "ab", [3 * numpy.sin(2 * numpy.pi * t / 24) + common, 5 + correlation * common + own])
    return numpy.sqrt(2 + 2 * correlation)


def by_the_hour(path, seed):
    random = numpy.random.default_rng(seed)
    hour = 2 * numpy.pi * numpy.arange(ROWS) / 24
    write(path, "a", [3 * numpy.sin(hour) + 0.5 * numpy.exp(numpy.sin(hour + 2)) * random.normal(size=ROWS)])


def etth1(exe, folder, data):
    print("| head | parameters | epochs | MSE | MAE | CRPS | WQL | within 80 | width | Winkler | within 95 | width | Winkler |")
    print("| --- " * 13 + "|")
    for head in HEADS:
        r = train(exe, folder, os.path.join(data, "ETTh1.csv"), head, ["--preset", "etth1-96"])
        m = r["intervals"]["model"]
        levels = " | ".join(f"{l['coverage']:.1f} ({l['coverage_low']:.1f} to {l['coverage_high']:.1f}) | {l['width']:.3f} | "
                            f"{l['winkler']:.3f}" for l in m["levels"])
        print(f"| {head} | {r['parameters']:,} | {r['epochs']}, best {r['best_epoch']} | {r['test']['mse']:.4f} | "
              f"{r['test']['mae']:.4f} | {m['crps']:.4f} | {m['wql']:.4f} | {levels} |")


def sums(exe, folder):
    path = os.path.join(folder, "made.csv")
    print("\n| noise | head | columns 80 | columns 95 | sum 80 | sum 95 | width of the sum's 80 |")
    print("| --- " * 7 + "|")
    for correlation in (-0.7, 0, 0.7, None):
        for head in HEADS:
            rows = []
            for seed in range(SEEDS):
                known = by_the_hour(path, seed) if correlation is None else correlated(path, seed, correlation)
                words = ["--sum-horizon"] if correlation is None else ["--sum", "all=a+b"]
                r = train(exe, folder, path, head, MADE.split() + words)
                levels = r["sums"]["of"]["a" if correlation is None else "all"]["levels"]
                own = r["intervals"]["model"]["levels"]
                width = levels[0]["width"] / (2 * 1.2816 * known if known else 1)
                rows.append([own[0]["coverage"], own[1]["coverage"], levels[0]["coverage"], levels[1]["coverage"], width])
            name = "by the hour, over 8 rows" if correlation is None else f"correlation {correlation:g}"
            print(f"| {name} | {head} | " + " | ".join(f"{v:.1f}" for v in numpy.mean(rows, 0)[:4]) +
                  f" | {numpy.mean(rows, 0)[4]:.2f} |", flush=True)


def main():
    exe = sys.argv[2] if len(sys.argv) > 2 else "build/cli/tidemill"
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1] != "-":
            etth1(exe, folder, sys.argv[1])
        sums(exe, folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How often prediction intervals hold what they promise: measured coverage on test windows, beside the seasonal naive's own.

    python3 bench/training/intervals.py SHARED/data/forecast [--program build/cli/tidemill] [--only NAME ...]

Made series know no drift, so coverage must be nominal; several of them are averaged. Real ones drift. Small models, few epochs,
one thread. Prints the rows of bench/results/intervals.md."""
import argparse
import json
import math
import pathlib
import random
import statistics
import subprocess
import tempfile

SMALL = ["--d-model", 64, "--d-ff", 64, "--e-layers", 1, "--n-heads", 4, "--epochs", 3, "--learning-rate", 0.001, "--threads", 1, "--no-plots", "--quiet"]
DAY = ["--seq-len", 48, "--pred-len", 24, "--season", 24]
MADE = [  # name, generator, rows, series, options
    ("AR(1), 0.5, 0.8 and 0.9", "ar", 20000, 6, [*SMALL, *DAY]),
    ("season and noise", "season", 20000, 6, [*SMALL, *DAY]),
    ("heteroscedastic (GARCH)", "garch", 20000, 6, [*SMALL, *DAY]),
    ("season, 1,000 rows, stopped early", "season", 1000, 20, ["--d-model", 64, "--d-ff", 64, "--threads", 1, "--no-plots", "--quiet", *DAY]),
]
REAL = [
    ("ETTh1, 96 → 96", "ETTh1.csv", [*SMALL, "--kind", "etth"]),
    ("ETTh2, 96 → 96", "ETTh2.csv", [*SMALL, "--kind", "etth"]),
    ("epf_np, 168 → 24", "epf_np.csv", [*SMALL, "--seq-len", 168, "--pred-len", 24]),
    ("weather, 96 → 96", "weather.csv.gz", [*SMALL, "--epochs", 1]),
    ("national_illness, 36 → 24", "national_illness.csv", ["--d-model", 64, "--d-ff", 64, "--threads", 1, "--no-plots", "--quiet", "--seq-len", 36, "--pred-len", 24]),
]


def values(kind, chance, rows, column):
    """One column after 200 rows that are left out."""
    x, variance, shock, out = 0.0, 1.0, 0.0, []
    for i in range(-200, rows):
        shock = chance.gauss(0, math.sqrt(variance))
        if kind == "ar":
            x = (0.5, 0.8, 0.9)[column] * x + shock
        else:
            x = 10 + 3 * math.sin(2 * math.pi * (i + 5 * column) / 24) + shock
        if kind == "garch":
            variance = 0.2 + 0.15 * shock * shock + 0.65 * variance
        out.append(x)
    return out[200:]


def write_made(path, kind, rows, seed):
    columns = [values(kind, random.Random(f"{kind} {seed} {c}"), rows, c) for c in range(3)]
    lines = [",".join(f"{v:.5f}" for v in row) for row in zip(*columns)]
    path.write_text("a,b,c\n" + "\n".join(lines) + "\n", encoding="utf-8")


def train(program, data, options, out):
    command = ["nice", program, "forecast", "train", "--data", data, "--out", out, "--overwrite", "--json", *options]
    return json.loads(subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout)


def cells(results, who, level):
    """Mean coverage, its spread, width and interval score of one forecaster at one level."""
    all_of = [next(one for one in r["intervals"][who]["levels"] if one["level"] == level) for r in results if who in r.get("intervals", {})]
    if not all_of:
        return "- | - | - | -"
    mean = {k: statistics.fmean(one[k] for one in all_of) for k in ("coverage", "width", "winkler")}
    if len(all_of) > 1:
        spread = f"± {statistics.stdev(one['coverage'] for one in all_of) / math.sqrt(len(all_of)):.1f}"
    else:
        spread = f"{all_of[0]['coverage_low']:.1f} to {all_of[0]['coverage_high']:.1f}" if all_of[0]["coverage_low"] else ""
    return f"{mean['coverage']:.1f} | {spread} | {mean['width']:.3f} | {mean['winkler']:.3f}"


def show(name, results):
    crps = {who: statistics.fmean(r["intervals"][who]["crps"] for r in results) for who in ("model", "seasonal_naive") if who in results[0]["intervals"]}
    for level in (80, 95):
        for who in ("model", "seasonal_naive"):
            print(f"| {name} | {who.replace('_', ' ')} | {level} | {cells(results, who, level)} | {crps.get(who, math.nan):.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder of ETTh1.csv, ETTh2.csv, epf_np.csv, weather.csv.gz and national_illness.csv")
    parser.add_argument("--program", default="build/cli/tidemill")
    parser.add_argument("--only", nargs="+", help="beginnings of the names of series")
    words = parser.parse_args()
    wanted = lambda name: not words.only or any(name.startswith(one) for one in words.only)
    print("| series | forecaster | level | within | spread | width | interval score | CRPS |\n|" + " --- |" * 8)
    with tempfile.TemporaryDirectory() as scratch:
        run, made = pathlib.Path(scratch, "run"), pathlib.Path(scratch, "made.csv")
        for name, kind, rows, count, options in filter(lambda one: wanted(one[0]), MADE):
            results = []
            for seed in range(count):
                write_made(made, kind, rows, seed)
                results.append(train(words.program, made, options, run))
            show(name, results)
        for name, file, options in filter(lambda one: wanted(one[0]), REAL):
            show(name, [train(words.program, pathlib.Path(words.data, file), options, run)])


if __name__ == "__main__":
    main()

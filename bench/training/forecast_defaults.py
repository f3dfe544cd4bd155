#!/usr/bin/env python3
"""What `forecast train` does by default on short series, beside the seasonal naive and the linear baseline on the same windows.

    python3 bench/training/forecast_defaults.py SHARED/data/forecast [--program build/cli/tidemill] [--seeds 1 2 3]

Each series is trained with its look-back and horizon and no other option, once for each seed; the median of the test errors
(scaled MSE) counts. Prints a table for bench/results/forecast-defaults.md."""
import argparse
import datetime
import json
import math
import pathlib
import random
import statistics
import subprocess
import tempfile

SERIES = [  # name, file (made here: with weather?), look-back, horizon, options
    ("air_passengers", "air_passengers.csv", 24, 12, []),
    ("aus_beer", "aus_beer.csv", 16, 8, []),
    ("national_illness", "national_illness.csv", 36, 24, []),
    ("monthly_short", "reported/monthly_short.csv", 24, 12, []),
    ("short60", "reported/short60.csv", 24, 12, ["--val", "12", "--test", "12"]),
    ("daily, 1,200 rows", False, 96, 96, []),
    ("daily with weather", True, 96, 96, []),
]


def write_daily(path, weather, rows=1200, seed=1):
    """Sales and visits by day: a level that grows, a weekly season, noise; with weather that lasts for days, and a year, if asked."""
    chance, week, state = random.Random(seed), [0, -4, -2, 1, 5, 18, 10], 0.0
    day = datetime.date(2021, 1, 4)
    with open(path, "w", encoding="utf-8") as file:
        file.write("date,sales,visits\n")
        for i in range(rows):
            state = 0.9 * state + chance.gauss(0, 2)
            lasting = state + 8 * math.sin(2 * math.pi * i / 365.25) if weather else 0
            sales = 100 + 0.02 * i + week[i % 7] * (1 + 0.0004 * i) + lasting + chance.gauss(0, 2)
            visits = 5 * sales + 60 * (i % 7 == 5) + chance.gauss(0, 25)
            file.write(f"{day + datetime.timedelta(i)},{sales:.2f},{visits:.1f}\n")


def train(program, data, seq_len, pred_len, seed, options, out):
    command = ["nice", program, "forecast", "train", "--data", data, "--seq-len", seq_len, "--pred-len", pred_len, "--seed", seed, "--out", out,
               "--overwrite", "--threads", 1, "--no-plots", "--quiet", *options]
    text = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout
    done = subprocess.run([str(c) for c in [*command, "--json"]], check=True, capture_output=True, text=True)
    return json.loads(done.stdout), text.splitlines()[-1]


def row(program, folder, scratch, series, seeds):
    name, file, seq_len, pred_len, options = series
    data = scratch / "daily.csv"
    if isinstance(file, str):
        data = pathlib.Path(folder, file)
    else:
        write_daily(data, file)
    runs = [train(program, data, seq_len, pred_len, seed, options, scratch / "run") for seed in seeds]
    result = sorted((r for r, _ in runs), key=lambda r: r["test"]["mse"])[len(runs) // 2]
    mse = statistics.median(r["test"]["mse"] for r, _ in runs)
    naive, linear = (result["baselines"][k]["mse"] for k in ("seasonal_naive", "linear"))
    last = [line for r, line in runs if r["test"]["mse"] > min(naive, linear)]
    named = "" if not last else "yes" if all("--use" in line for line in last) else "NO"
    spread = " ".join(f"{r['test']['mse']:.4f}" for r, _ in runs)
    seconds = statistics.median(r["wall_s"] for r, _ in runs)
    print(f"| {name} | {seq_len} → {pred_len} | {result['windows']} | {mse:.4f} | {naive:.4f} | {linear:.4f} | {mse / min(naive, linear):.2f} | "
          f"{spread} | {result['best_epoch']} of {result['epochs']} | {seconds:.1f} | {named} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder of air_passengers.csv, aus_beer.csv, national_illness.csv and reported/")
    parser.add_argument("--program", default="build/cli/tidemill")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    words = parser.parse_args()
    print("| series | look-back → horizon | test windows | model | seasonal naive | linear | model / better | by seed | best epoch | s | "
          "last line says what to use |\n|" + " --- |" * 11)
    with tempfile.TemporaryDirectory() as scratch:
        for series in SERIES:
            row(words.program, words.data, pathlib.Path(scratch), series, words.seeds)


if __name__ == "__main__":
    main()

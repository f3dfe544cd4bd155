#!/usr/bin/env python3
"""How often prediction intervals hold what they promise: measured coverage on test windows, beside the seasonal naive's own.

    python3 bench/training/intervals.py SHARED/data/forecast [--program build/cli/tidemill] [--only NAME ...] [--cells]

Made series know no drift, so coverage must be nominal; several of them are averaged. Real ones drift. Small models, few epochs,
one thread. Prints the rows of bench/results/intervals.md; with --cells where coverage is best and worst, by hour of day, by horizon and
among the largest truths, of backtests of the model and of a seasonal naive of a week (a made series: of its season), which has conformal
intervals of its own."""
import argparse
import csv
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
    ("ETTm1, 96 → 96", "ETTm1.csv.gz", [*SMALL, "--epochs", 1, "--kind", "ettm"]),
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


# ---- by cells ----

# Every so many rows an origin: a number without a divisor in common with the rows of a day, so that all hours are there.
WEEKS = {"ETTh1": (168, 17), "ETTh2": (168, 17), "ETTm1": (672, 19), "epf_np": (168, 13), "weather": (1008, 43), "national_illness": (52, 1)}


def hour_of(row):
    """Of the stamp, or of a made series, which has none, by the number of the row: its season is 24 of them."""
    if row["time"].isdigit():
        return int(row["time"]) % 24
    clock = row["time"].split(" ")[1:]
    return int(clock[0].split(":")[0]) if clock else None


def backtest(program, run, data, step, season, out):
    command = ["nice", program, "forecast", "backtest", run, "--data", data, "--step", step, "--season", season, "--level", "80,95", "--output", out, "--overwrite", "--quiet", "--json",
               "--threads", 1]
    subprocess.run([str(c) for c in command], check=True, capture_output=True)
    with open(out, newline="", encoding="utf-8") as f:
        return [row for row in csv.DictReader(f) if row["truth"] and row["lo-80"]]


def put_in_cells(rows, horizon, cells):
    """For each level and cell how many truths lie within, of how many: the quarters of the horizon, the hours of the day, each
    column's tenth of largest truths."""
    largest = {}
    for name in {row["series"] for row in rows}:
        truths = sorted(float(row["truth"]) for row in rows if row["series"] == name)
        largest[name] = truths[9 * len(truths) // 10]
    for row in rows:
        truth, hour = float(row["truth"]), hour_of(row)
        quarter = (int(row["step"]) - 1) * 4 // horizon + 1
        mine = ["all", f"horizon, quarter {quarter}"] + ([f"{hour}:00"] if hour is not None else []) + (["top decile"] if truth >= largest[row["series"]] else [])
        for level in (80, 95):
            inside = float(row[f"lo-{level}"]) <= truth <= float(row[f"hi-{level}"])
            for cell in mine:
                count = cells.setdefault((level, cell), [0, 0])
                count[0] += inside
                count[1] += 1


def span(shares, names):
    of = [shares[name] for name in names]
    return f"{min(of):.1f} to {max(of):.1f}" if of else "-"


def show_cells(name, who, cells):
    for level in (80, 95):
        shares = {cell: 100 * inside / count for (l, cell), (inside, count) in cells.items() if l == level}
        hours = [cell for cell in shares if cell[0].isdigit()]
        if len(hours) == 1:  # days and weeks have none
            del shares[hours[0]]
        parts = [c for c in shares if c != "all"]
        worst = max(parts, key=lambda c: abs(shares[c] - level))
        print(f"| {name} | {who} | {level} | {shares['all']:.1f} | {span(shares, [c for c in parts if c[0].isdigit()])} | {span(shares, [c for c in parts if c.startswith('horizon')])} | "
              f"{shares['top decile']:.1f} | {worst}: {shares[worst]:.1f} |", flush=True)


def option(options, name):
    return options[len(options) - 1 - options[::-1].index(name) + 1] if name in options else None


def measure_cells(words, name, data, season, step, options, run, out, cells):
    """`cells`: the counts by who forecasts; the naive looks back for a season at least."""
    train(words.program, data, options, run)
    horizon = option(options, "--pred-len") or 96
    put_in_cells(backtest(words.program, run, data, step, season, out), horizon, cells.setdefault("model", {}))
    naive = [*options, "--arch", "seasonal-naive", "--season", season, "--seq-len", max(season, option(options, "--seq-len") or 96)]
    train(words.program, data, naive, run)
    put_in_cells(backtest(words.program, run, data, step, season, out), horizon, cells.setdefault("naive", {}))


def all_cells(words, wanted, scratch):
    run, made, out = pathlib.Path(scratch, "run"), pathlib.Path(scratch, "made.csv"), pathlib.Path(scratch, "all.csv")
    print("| series | forecaster | level | all | by hour | by quarter of the horizon | top decile | worst cell |\n|" + " --- |" * 8)
    for name, kind, rows, count, options in filter(lambda one: wanted(one[0]), MADE):
        cells = {}
        for seed in range(count):
            write_made(made, kind, rows, seed)
            measure_cells(words, name, made, 24, 5, options, run, out, cells)
        for who, of in cells.items():
            show_cells(name, who, of)
    for name, file, options in filter(lambda one: wanted(one[0]), REAL):
        season, step = WEEKS[file.split(".")[0]]
        cells = {}
        measure_cells(words, name, pathlib.Path(words.data, file), season, step, options, run, out, cells)
        for who, of in cells.items():
            show_cells(name, who, of)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder of ETTh1.csv, ETTh2.csv, ETTm1.csv.gz, epf_np.csv, weather.csv.gz and national_illness.csv")
    parser.add_argument("--program", default="build/cli/tidemill")
    parser.add_argument("--only", nargs="+", help="beginnings of the names of series")
    parser.add_argument("--cells", action="store_true", help="where coverage is best and worst, in place of the whole")
    words = parser.parse_args()
    wanted = lambda name: not words.only or any(name.startswith(one) for one in words.only)
    if words.cells:
        with tempfile.TemporaryDirectory() as scratch:
            return all_cells(words, wanted, scratch)
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

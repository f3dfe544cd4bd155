#!/usr/bin/env python3
"""Day-ahead prices of Nord Pool, one forecast a day for the 24 hours of the next: `forecast backtest` beside the benchmark's models LEAR and
DNN (Lago, Marcjasz, De Schutter, Weron, Applied Energy 293, 2021) and the week before, on the same days. Errors in the price's own unit.

  python3 -m venv V && V/bin/pip install numpy
  V/bin/python3 bench/forecast/dayahead.py build/cli/tidemill epf_np.csv --published Forecasts_NP_DNN_LEAR_ensembles.csv --work W --minutes 60 > table.md

epf_np.csv is the price (OT) with the grid load and the wind power that had been forecast for each hour; the other file is in the folder
forecasts of the benchmark's program, github.com/jeslago/epftoolbox: what its models forecast for the last 728 days, LEAR trained anew every
day on 56, 84, 1,092 and 1,456 days. Its prices must be those of epf_np.csv, number by number, else nothing is printed.

A day's prices are set at noon of the day before, all 24 at once. So who forecasts a day knows the prices up to 23:00 of the day before: an
origin is 23:00. The rows "at 10:00" know them up to 10:00 alone, 13 hours less than the rest.

Resumable: each forecast is a file in W, and one that is there is not made again. What the time does not reach is named.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy

DAYS, HOURS, WEEK = 728, 24, 168
VALIDATION = 4368  # rows before the test days, half a year
KNOWN = ["--known", "Grid load forecast,Wind power forecast"]
NAIVE = ["--arch", "seasonal-naive"]
SETTINGS = ["--marks", "none", "--loss-function", "mae", "--epochs", "8", "--patience", "0", "--lradj", "cosine", "--learning-rate", "1e-3", "--batch-size", "32"]
# What is told of it, how it is trained, and asked; `of`: how many seeds.
WAYS = {
    "known ahead": (KNOWN + SETTINGS, ["--origins", "23:00"], 5),
    "past alone": (SETTINGS, ["--origins", "23:00"], 5),
    "linear": (["--arch", "linear"], ["--origins", "23:00"], 1),
    "week before": (NAIVE, ["--origins", "23:00"], 1),
    "known ahead, with marks": (KNOWN + SETTINGS[2:], ["--origins", "23:00"], 3),
    "known ahead, squared errors": (KNOWN + [w if w != "mae" else "mse" for w in SETTINGS], ["--origins", "23:00"], 3),
    "known ahead, at 10:00": (KNOWN + SETTINGS + ["--pred-len", "37"], ["--origins", "10:00", "--lead", "13"], 3),
    "past alone, at 10:00": (SETTINGS + ["--pred-len", "37"], ["--origins", "10:00", "--lead", "13"], 3),
    "known ahead, every 91 days anew": (KNOWN + SETTINGS + ["--val", "2184"], ["--origins", "23:00", "--refit-every", "91"], 3),
}
LEVELS = (80, 95)


# ---- forecasts ----

def call(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if done.returncode:
        sys.exit(" ".join(map(str, words)) + "\n" + done.stdout + done.stderr)
    return done.stdout


def forecast(options, way, seed, path):
    """One training and its backtest: the CSV of the forecasts, which is there whole or not at all, and what was told of both."""
    train, ask, _ = WAYS[way]
    run, part = path.with_suffix(".run"), path.with_suffix(".part")
    common = ["--data", options.data, "--season", WEEK, "--threads", options.threads, "--quiet", "--json"]
    told = json.loads(call(options.program, "forecast", "train", *common, "--targets", "OT", "--seq-len", WEEK, "--pred-len", HOURS, "--val", VALIDATION, "--test", DAYS * HOURS, "--seed", seed,
                           "--no-plots", "--overwrite", "--out", run, *train))
    asked = json.loads(call(options.program, "forecast", "backtest", run, *common, "--horizon", HOURS, "--level", ",".join(map(str, LEVELS)), "--overwrite", "--output", part, *ask))
    path.with_suffix(".json").write_text(json.dumps({"train": told, "backtest": asked}))
    os.replace(part, path)


def read(path):
    with open(path, newline="") as f:
        rows = list(csv.DictReader(f))
    names = ["truth", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]
    return {"days": [row["time"].split()[0] for row in rows[::HOURS]], **{name: numpy.array([float(row[name]) for row in rows]).reshape(-1, HOURS) for name in names}}


def published(path, data):
    with open(data, newline="") as f:
        price = [float(row["OT"]) for row in csv.DictReader(f)]
    with open(path, newline="") as f:
        rows = list(csv.DictReader(f))
    if [float(row["Real price"]) for row in rows] != price[-DAYS * HOURS:]:
        sys.exit(f"{path} is not of the last {DAYS} days of {data}")
    return {name: numpy.array([float(row[name]) for row in rows]).reshape(DAYS, HOURS) for name in rows[0] if name.startswith(("LEAR", "DNN"))}


# ---- measures ----

def resampled(days, of, draws=1000, block=7):
    """95 % of a statistic over the days, by blocks of a week."""
    chance = numpy.random.default_rng(1)
    first = chance.integers(0, days - block + 1, (draws, days // block))
    return numpy.percentile([of((row[:, None] + numpy.arange(block)).ravel()) for row in first], [2.5, 97.5])


def errors_row(name, forecasts, truth, lear, weekly):
    """forecasts: (seeds, days, hours); the others of the same days: LEAR's errors, and the mean of the week before's."""
    each = [numpy.abs(f - truth).mean() for f in forecasts]
    error = numpy.abs(forecasts - truth).mean(axis=0)
    rmse = statistics.mean(numpy.sqrt(((f - truth) ** 2).mean()) for f in forecasts)
    smape = 200 * numpy.mean(numpy.abs(forecasts - truth) / (numpy.abs(forecasts) + numpy.abs(truth)))
    difference = (error - lear).mean(axis=1)
    low, high = resampled(len(difference), lambda days: difference[days].mean())
    spread = f" ± {statistics.stdev(each):.3f}" if len(each) > 1 else ""
    print(f"| {name} | {error.mean():.3f}{spread} | {rmse:.3f} | {smape:.2f} | {error.mean() / weekly:.3f} | {difference.mean():+.3f} ({low:+.3f} to {high:+.3f}) |")


def errors_table(found, others, truth):
    lear = numpy.abs(others["LEAR Ensemble"] - truth)
    week = found["week before"][0]
    weekly = numpy.abs(week["forecast"] - truth)
    print("| | MAE | RMSE | sMAPE % | rMAE | MAE less LEAR's, 95 % |\n|" + " --- |" * 6)
    for name, values in others.items():
        errors_row(name + ", published", values[None], truth, lear, weekly.mean())
    for name, runs in found.items():
        values, count = numpy.stack([run["forecast"] for run in runs]), len(runs)
        days = numpy.array([week["days"].index(day) for day in runs[0]["days"]])
        beside = truth[days], lear[days], weekly[days].mean()
        name += f" ({len(days)} days)" if len(days) < DAYS else ""
        errors_row(name + (f", {count} seeds" if count > 1 else ""), values, *beside)
        if count > 1:
            errors_row(f"{name}, mean of the {count} forecasts", values.mean(axis=0)[None], *beside)


def margin(found, one, other):
    pairs = [(numpy.abs(a["forecast"] - a["truth"]).mean(), numpy.abs(b["forecast"] - b["truth"]).mean()) for a, b in zip(found.get(one, []), found.get(other, []))]
    if len(pairs) < 2:
        return
    gains = [100 * (b - a) / b for a, b in pairs]
    print(f"{one} against {other}, seed by seed: {statistics.mean(gains):.1f} % ± {statistics.stdev(gains):.1f} less MAE, {min(gains):.1f} at least\n")


def beside_lear(runs, others, truth):
    """Where the mean of the seeds' forecasts is better than LEAR's ensemble, and where not; and what the mean of both would be."""
    ours, lear = numpy.mean([run["forecast"] for run in runs], axis=0), others["LEAR Ensemble"]
    errors = numpy.abs(ours - truth), numpy.abs(lear - truth)
    print("MAE of the mean of the seeds less LEAR's, by hour: " + " ".join(f"{d:+.2f}" for d in (errors[0] - errors[1]).mean(axis=0)))
    print("\nBoth by year: " + "; ".join(f"{e[:DAYS // 2].mean():.3f}, {e[DAYS // 2:].mean():.3f}" for e in errors) + f"; half and half {numpy.abs((ours + lear) / 2 - truth).mean():.3f}\n")


def within(run, level, cells=slice(None)):
    inside = (run["truth"] >= run[f"lo-{level}"]) & (run["truth"] <= run[f"hi-{level}"])
    return 100 * inside[cells].mean()


def interval_row(name, runs, crps, level):
    """Means over the seeds; the cells of the first."""
    run, truth = runs[0], runs[0]["truth"]
    width = statistics.mean((r[f"hi-{level}"] - r[f"lo-{level}"]).mean() for r in runs)
    score = statistics.mean((r[f"hi-{level}"] - r[f"lo-{level}"] + 200 / (100 - level) * (numpy.maximum(r[f"lo-{level}"] - truth, 0) + numpy.maximum(truth - r[f"hi-{level}"], 0))).mean()
                            for r in runs)
    low, high = resampled(len(truth), lambda days: within(run, level, days))
    cells = {f"{hour}:00": within(run, level, (slice(None), hour)) for hour in range(HOURS)}
    cells["top decile"] = within(run, level, truth >= numpy.quantile(truth, 0.9))
    worst = max(cells, key=lambda cell: abs(cells[cell] - level))
    hours = [cells[c] for c in cells if c != "top decile"]
    print(f"| {name} | {level} | {statistics.mean(within(r, level) for r in runs):.1f} | {low:.1f} to {high:.1f} | {width:.2f} | {score:.2f} | {crps:.3f} | "
          f"{min(hours):.1f} to {max(hours):.1f} | {cells['top decile']:.1f} | {worst}: {cells[worst]:.1f} |")


def interval_table(found, told):
    print("| | level | within | 95 % of weeks drawn anew | width | interval score | CRPS | by hour | top decile | worst cell |\n|" + " --- |" * 10)
    for name, runs in found.items():
        for level in LEVELS:
            interval_row(name, runs, statistics.mean(t["backtest"]["by_column"]["OT"]["intervals"]["crps"] for t in told[name]), level)


def calibration_table(options):
    """The share of test truths within intervals that one network's own errors give: those of the validation days, together and by
    hour, and by hour those of the last days before each, which are known by then."""
    run, out = options.work / "known ahead-2023.run", options.work / "calibration.csv"
    if not run.exists():
        return
    call(options.program, "forecast", "backtest", run, "--data", options.data, "--season", WEEK, "--threads", options.threads, "--quiet", "--val", 100, "--test", VALIDATION + DAYS * HOURS,
         "--origins", "23:00", "--horizon", HOURS, "--level", "80,95", "--overwrite", "--output", out)
    days = read(out)
    error = days["truth"] - days["forecast"]
    start = len(error) - DAYS
    print(f"\nMAE of one network on the {start} validation days {numpy.abs(error[:start]).mean():.3f}, on the test days {numpy.abs(error[start:]).mean():.3f}\n")
    print("| its errors | level | within | by hour | width |\n|" + " --- |" * 5)
    for level in LEVELS:
        shares = [(100 - level) / 200, (100 + level) / 200]
        ways = {"validation, all hours together": numpy.quantile(error[:start], shares)[:, None, None], "validation, by hour": numpy.quantile(error[:start], shares, axis=0)[:, None]}
        for last in (91, 182):
            ways[f"the last {last} days, by hour"] = numpy.stack([numpy.quantile(error[day - last:day], shares, axis=0) for day in range(start, len(error))], axis=1)
        for name, (low, high) in ways.items():
            inside = 100 * ((error[start:] >= low) & (error[start:] <= high)).mean(axis=0)
            print(f"| {name} | {level} | {inside.mean():.1f} | {inside.min():.1f} to {inside.max():.1f} | {numpy.mean(high - low):.2f} |")


def report(options, others):
    found, told, missing = {}, {}, []
    for way, (_, _, seeds) in WAYS.items():
        paths = [options.work / f"{way}-{seed}.csv" for seed in range(2023, 2023 + seeds)]
        there = [path for path in paths if path.exists()]
        missing += [f"{way}, {len(paths) - len(there)} of {len(paths)}"] if len(there) < len(paths) else []
        if there:
            found[way] = [read(path) for path in there]
            told[way] = [json.loads(path.with_suffix(".json").read_text()) for path in there]
    if "week before" not in found:
        sys.exit("not even the week before was reached: more `--minutes`")
    truth = found["week before"][0]["truth"]
    errors_table(found, others, truth)
    print()
    if "known ahead" in found:
        beside_lear(found["known ahead"], others, truth)
    margin(found, "known ahead", "past alone")
    margin(found, "known ahead, at 10:00", "past alone, at 10:00")
    interval_table(found, told)
    calibration_table(options)
    print("\nSeconds of a training and of its backtest: " + "; ".join(f"{way} {statistics.mean(t['train']['wall_s'] for t in of):.0f}, "
                                                                     f"{statistics.mean(t['backtest']['wall_s'] for t in of):.1f}" for way, of in told.items()))
    if missing:
        print("\nNot reached: " + "; ".join(missing))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--published", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=60, help="no forecast is begun after them")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    others = published(options.published, options.data)
    options.work.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    for way, (_, _, seeds) in WAYS.items():
        for seed in range(2023, 2023 + seeds):
            path = options.work / f"{way}-{seed}.csv"
            if not path.exists() and time.monotonic() < end:
                forecast(options, way, seed, path)
                print(path.stem, file=sys.stderr, flush=True)
    report(options, others)


if __name__ == "__main__":
    main()

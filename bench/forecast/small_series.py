#!/usr/bin/env python3
"""Eight small series, forecast over their last rows from rolling origins by `auto`, by seasonal naive, by AutoETS and AutoTheta of
statsforecast, and with --neural by the iTransformer of neuralforecast: MASE, seconds, and the memory of the process that did it.

  python3 -m venv V && V/bin/pip install statsforecast neuralforecast
  V/bin/python3 bench/forecast/small_series.py build/cli/tidemill DATA --budget 60s --neural > table.md

DATA is the folder with air_passengers.csv, aus_beer.csv, national_illness.csv and epf_np.csv; the other four are made here, with a
fixed seed. The last four horizons of a series are forecast, each from the rows before it. `auto` is trained once, on the rows before
the first of them and with the four horizons before that for validation; AutoETS and AutoTheta are fitted anew at each origin, on all
rows before it, with the gaps filled by lines, which they do not take. The iTransformer is trained once, as `auto` is, with its own
defaults (1,000 steps) and the same rows for validation. MASE is the mean absolute error over that of seasonal naive one
step ahead on the rows before the first origin.
"""
import argparse
import csv
import datetime
import json
import math
import multiprocessing
import pathlib
import random
import resource
import subprocess
import tempfile
import time

import numpy

WINDOWS, NEURAL = 4, "neuralforecast's iTransformer"


def column(path, name, every=1):
    """A column's numbers, or the means of `every` of them."""
    with open(path, newline="") as f:
        values = [float(row[name]) for row in csv.DictReader(f)]
    return [sum(values[i:i + every]) / every for i in range(0, len(values) - every + 1, every)]


def made(seed, count, period, trend, amplitude, noise):
    draw = random.Random(seed)
    return [50 + trend * i + amplitude * math.sin(2 * math.pi * i / period) + draw.gauss(0, noise) for i in range(count)]


def with_gaps(values, seed):
    draw = random.Random(seed)
    return [math.nan if draw.random() < 0.05 else v for v in values]


def intermittent(seed, count):
    """Most days nothing is sold, fewer so on two days of the week."""
    draw = random.Random(seed)
    return [float(draw.randint(1, 6)) if draw.random() < (0.5 if i % 7 > 4 else 0.15) else 0.0 for i in range(count)]


def all_series(data):
    """name: values, step, season, horizon, look-back."""
    return {
        "air passengers, monthly": (column(data / "air_passengers.csv", "passengers"), "m", 12, 6, 24),
        "beer, quarterly": (column(data / "aus_beer.csv", "Y"), "q", 4, 4, 16),
        "illness, weekly": (column(data / "national_illness.csv", "OT"), "w", 52, 12, 60),
        "power price, daily": (column(data / "epf_np.csv", "OT", 24), "d", 7, 14, 42),
        "made, daily": (made(1, 730, 7, 0.02, 8, 3), "d", 7, 14, 42),
        "made, monthly": (made(2, 180, 12, 0.3, 10, 4), "m", 12, 6, 24),
        "made, hourly with gaps": (with_gaps(made(3, 1000, 24, 0, 10, 4), 4), "h", 24, 24, 72),
        "made, intermittent": (intermittent(5, 730), "d", 7, 14, 42),
    }


def stamps(step, count):
    first = datetime.datetime(2000, 1, 4)
    if step in "mq":
        months = 1 if step == "m" else 3
        return [f"{1960 + i * months // 12:04d}-{i * months % 12 + 1:02d}-01" for i in range(count)]
    each = {"w": datetime.timedelta(days=7), "d": datetime.timedelta(days=1), "h": datetime.timedelta(hours=1)}[step]
    return [(first + i * each).strftime("%Y-%m-%d %H:%M") for i in range(count)]


def origins(values, horizon):
    """The first row of each horizon that is forecast."""
    return [len(values) - horizon * k for k in range(WINDOWS, 0, -1)]


def mase(values, season, horizon, forecasts):
    first = origins(values, horizon)[0]
    scale = numpy.nanmean(numpy.abs(numpy.array(values[season:first]) - numpy.array(values[:first - season])))
    errors = [abs(f - values[o + s]) for o, row in zip(origins(values, horizon), forecasts) for s, f in enumerate(row)]
    return numpy.nanmean(errors) / scale


def filled(values):
    x = numpy.array(values)
    gaps = numpy.isnan(x)
    x[gaps] = numpy.interp(numpy.flatnonzero(gaps), numpy.flatnonzero(~gaps), x[~gaps])
    return x


def by_statsforecast(kind, values, season, horizon, out):
    from statsforecast import models
    if kind == "seasonal naive":
        rows = [[filled(values[:o])[o - season + s % season] for s in range(horizon)] for o in origins(values, horizon)]
    else:
        make = {"AutoETS": models.AutoETS, "AutoTheta": models.AutoTheta}[kind]
        rows = [make(season_length=season).forecast(y=filled(values[:o]), h=horizon)["mean"].tolist() for o in origins(values, horizon)]
    out.send((rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def by_neuralforecast(values, horizon, look_back, out):
    import logging
    import pandas
    from neuralforecast import NeuralForecast
    from neuralforecast.models import iTransformer
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    model = iTransformer(h=horizon, input_size=look_back, n_series=1, early_stop_patience_steps=3, enable_progress_bar=False, logger=False,
                         enable_checkpointing=False, accelerator="cpu")
    frame = pandas.DataFrame({"unique_id": "y", "ds": range(len(values)), "y": filled(values)})
    told = NeuralForecast(models=[model], freq=1).cross_validation(frame, n_windows=WINDOWS, step_size=horizon, val_size=WINDOWS * horizon)
    rows = told.sort_values(["cutoff", "ds"])["iTransformer"].to_numpy().reshape(WINDOWS, horizon).tolist()
    out.send((rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def timed(kind, values, season, horizon, look_back):
    """In a process of its own, so that its memory is its own."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    target, args = by_statsforecast, (kind, values, season, horizon, theirs)
    if kind == NEURAL:
        target, args = by_neuralforecast, (values, horizon, look_back, theirs)
    child = multiprocessing.get_context("spawn").Process(target=target, args=args)
    began = time.monotonic()
    child.start()
    theirs.close()
    try:
        rows, mib = ours.recv()
    except EOFError:
        return None
    child.join()
    return mase(values, season, horizon, rows), time.monotonic() - began, mib


def by_auto(options, values, step, season, horizon, look_back, folder):
    data, test = folder / "series.csv", WINDOWS * horizon
    with open(data, "w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["date", "y"])
        table.writerows([stamp, "" if math.isnan(v) else repr(v)] for stamp, v in zip(stamps(step, len(values)), values))
    common = ["--data", data, "--season", season, "--quiet", "--json"]
    train = ["--arch", "auto", "--budget", options.budget, "--seq-len", look_back, "--pred-len", horizon, "--test", test, "--val", test, "--marks", "none",
             "--freq", step, "--out", folder / "run", "--no-plots"]
    began = time.monotonic()
    told = json.loads(call(options.program, "forecast", "train", *common, *train))
    call(options.program, "forecast", "backtest", folder / "run", *common, "--output", folder / "forecasts.csv")
    with open(folder / "forecasts.csv", newline="") as f:
        rows = [float(row["forecast"]) for row in csv.DictReader(f)]
    forecasts = [rows[i:i + horizon] for i in range(0, len(rows), horizon)]
    assert len(forecasts) == WINDOWS, f"{len(forecasts)} origins"
    who = ", ".join(f"{m['name']} {m['weight']:.2f}" for m in told["members"] if m["trained"] and m["weight"] > 0.005)
    return (mase(values, season, horizon, forecasts), time.monotonic() - began, told["peak_rss_mib"]), who


def call(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def cell(measured):
    return "failed | | " if measured is None else f"{measured[0]:.3f} | {measured[1]:.1f} | {measured[2]:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--budget", default="60s")
    parser.add_argument("--neural", action="store_true")
    options = parser.parse_args()
    kinds = ("seasonal naive", "AutoETS", "AutoTheta", *((NEURAL,) if options.neural else ()))
    print("| series | rows | horizon | " + " | ".join(f"{k}: MASE | s | MiB" for k in ("auto", *kinds)) + " | who carries what |")
    print("|" + " --- |" * (7 + 3 * len(kinds)))
    sums = {k: [] for k in ("auto", *kinds)}
    for name, (values, step, season, horizon, look_back) in all_series(options.data).items():
        with tempfile.TemporaryDirectory() as folder:
            auto, who = by_auto(options, values, step, season, horizon, look_back, pathlib.Path(folder))
        others = {kind: timed(kind, values, season, horizon, look_back) for kind in kinds}
        for kind, measured in (("auto", auto), *others.items()):
            sums[kind].append(measured[0] if measured else math.nan)
        print(f"| {name} | {len(values)} | {horizon} | {cell(auto)} | " + " | ".join(cell(others[k]) for k in kinds) + f" | {who} |", flush=True)
    print("\nmean MASE: " + ", ".join(f"{k} {numpy.mean(v):.3f}" for k, v in sums.items()))


if __name__ == "__main__":
    main()

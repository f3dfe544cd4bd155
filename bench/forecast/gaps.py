#!/usr/bin/env python3
"""What gaps cost, masked and filled: a share of a series' cells is removed, at random or in blocks, and what is learned from the rest
forecasts the same test windows, filled from what each window holds (--missing mask), as a forecast has nothing else. All errors are
against the whole series, scaled by its training rows.

  python3 bench/forecast/gaps.py build/cli/tidemill ETTh1.csv --seeds 2023,2024 > table.md        (needs numpy)
"""
import argparse
import csv
import json
import pathlib
import random
import subprocess
import tempfile

import numpy

WAYS = ("mask", "linear", "ffill")


def read(path):
    with open(path, newline="") as f:
        head, *rows = csv.reader(f)
    return head, [row[0] for row in rows], numpy.array([[float(cell) for cell in row[1:]] for row in rows])


def gaps_at_random(shape, share, draw):
    return numpy.array([[draw.random() < share for _ in range(shape[1])] for _ in range(shape[0])])


def gaps_in_blocks(shape, share, draw):
    """Runs of 6 to 72 rows of a column, until so many are gone."""
    gone = numpy.zeros(shape, bool)
    for column in range(shape[1]):
        while gone[:, column].mean() < share:
            length = draw.randint(6, 72)
            first = draw.randrange(shape[0] - length)
            gone[first:first + length, column] = True
    return gone


def write(path, head, stamps, values, gone):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(head)
        for stamp, row, lost in zip(stamps, values, gone):
            out.writerow([stamp, *("" if off else repr(float(cell)) for cell, off in zip(row, lost))])


def errors(program, data, folder, way, seed, options, whole, mean, deviation, pred_len):
    """MSE of the test windows against the whole series, and what the program says of them."""
    run, predictions = folder / f"{way}-{seed}", folder / "p.npz"
    common = [program, "forecast"]
    subprocess.run([*common, "train", "--data", data, "--out", run, "--missing", way, "--seed", str(seed), "--no-plots", "--quiet", *options],
                   check=True, capture_output=True)
    told = subprocess.run([*common, "evaluate", "--model", run, "--data", data, "--missing", "mask", "--save-predictions", predictions,
                           "--overwrite", "--json", "--quiet"],
                          check=True, capture_output=True, text=True)
    saved = numpy.load(predictions)
    forecast = (saved["prediction"] * saved["std"] + saved["mean"] - mean) / deviation
    windows = forecast.shape[0]
    first = len(whole) - windows - pred_len + 1
    truth = numpy.stack([(whole[first + i:first + i + pred_len] - mean) / deviation for i in range(windows)])
    return float(((forecast - truth) ** 2).mean()), json.loads(told.stdout)


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("program")
    parse.add_argument("data")
    parse.add_argument("--seeds", default="2023,2024,2025")
    parse.add_argument("--options", default="--seq-len 96 --pred-len 96 --epochs 4 --learning-rate 5e-4 --batch-size 32 --d-model 128 --d-ff 128 --patience 0")
    parse.add_argument("--shares", default="0,0.1,0.3")
    arguments = parse.parse_args()
    head, stamps, whole = read(arguments.data)
    options = arguments.options.split()
    pred_len = int(options[options.index("--pred-len") + 1])
    train = whole[:int(len(whole) * 0.7)]
    mean, deviation = train.mean(0), train.std(0)
    print("| removed | way | " + " | ".join(f"seed {s}" for s in arguments.seeds.split(",")) + " | mean |\n| --- | --- |" + " --- |" * (len(arguments.seeds.split(",")) + 1))
    for share in map(float, arguments.shares.split(",")):
        for kind, remove in (("at random", gaps_at_random), ("in blocks", gaps_in_blocks)):
            if share == 0 and kind != "at random":
                continue
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                gone = remove(whole.shape, share, random.Random(7))
                write(folder / "series.csv", head, stamps, whole, gone)
                for way in WAYS if share else ("mask",):
                    found = [errors(arguments.program, folder / "series.csv", folder, way, int(seed), options, whole, mean, deviation, pred_len)[0]
                             for seed in arguments.seeds.split(",")]
                    print(f"| {100 * gone.mean():.0f} % {kind if share else ''} | {way if share else 'whole'} | " + " | ".join(f"{e:.4f}" for e in found)
                          + f" | {numpy.mean(found):.4f} |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How often intervals of sums hold what they promise: over the horizon, over columns, over both; beside what comes of adding up the bounds of the cells.

    python3 bench/training/sums.py SHARED/data/forecast/ETTh1.csv [--program build/cli/tidemill]

A small model forecasts the test rows from every `EVERY`th row on, by `predict --sum --sum-horizon --level`. Prints the rows of the table in
bench/results/intervals.md."""
import argparse
import csv
import io
import pathlib
import subprocess
import tempfile

SMALL = ["--d-model", 64, "--d-ff", 64, "--e-layers", 1, "--n-heads", 4, "--epochs", 3, "--learning-rate", 0.001, "--threads", 1, "--no-plots", "--quiet"]
LEVELS, EVERY, TEST = (80, 95), 12, (12 * 30 * 24 + 4 * 30 * 24, 12 * 30 * 24 + 8 * 30 * 24)


class Count:
    """Truths within, and widths, of one kind of sum."""
    def __init__(self):
        self.within, self.width, self.count = 0, 0.0, 0

    def add(self, low, high, truth):
        self.within, self.width, self.count = self.within + (low <= truth <= high), self.width + high - low, self.count + 1


def run(program, *words):
    return subprocess.run([str(w) for w in ("nice", program, "forecast", *words)], check=True, capture_output=True, text=True).stdout


def ask(program, model, path, *words):
    return list(csv.DictReader(io.StringIO(run(program, "predict", model, "--data", path, "--no-plots", "--quiet", "--level", ",".join(map(str, LEVELS)), *words))))


def bounds(row, name, level):
    return float(row[f"{name}-lo-{level}"]), float(row[f"{name}-hi-{level}"])


def measure(program, data, seq, pred, folder):
    """(kind, level, how) -> Count, over the origins of the test part."""
    model, part, found = folder / f"run-{pred}", folder / "part.csv", {}
    run(program, "train", "--data", data, "--kind", "etth", "--seq-len", seq, "--pred-len", pred, "--out", model, *SMALL)
    lines = pathlib.Path(data).read_text(encoding="utf-8").splitlines()
    names, rows = lines[0].split(",")[1:], [list(map(float, line.split(",")[1:])) for line in lines[1:]]
    total = ["--sum", "all=" + "+".join(names)]
    for at in range(TEST[0], TEST[1] - pred + 1, EVERY):
        part.write_text("\n".join([lines[0], *lines[1 + at - seq:1 + at]]) + "\n", encoding="utf-8")
        cells, whole = ask(program, model, part, *total), ask(program, model, part, *total, "--sum-horizon")[0]
        for level in LEVELS:
            def put(kind, how, low, high, truth, level=level):
                found.setdefault((kind, level, how), Count()).add(low, high, truth)
            truths = rows[at:at + pred]
            for c, name in enumerate(names):
                truth = sum(row[c] for row in truths)
                put("each column, over the horizon", "paths", *bounds(whole, name, level), truth)
                put("each column, over the horizon", "added", *map(sum, zip(*(bounds(row, name, level) for row in cells))), truth)
            for row, true in zip(cells, truths):
                put("all columns, each step", "paths", *bounds(row, "all", level), sum(true))
                put("all columns, each step", "added", *map(sum, zip(*(bounds(row, name, level) for name in names))), sum(true))
            truth = sum(map(sum, truths))
            put("all columns, over the horizon", "paths", *bounds(whole, "all", level), truth)
            put("all columns, over the horizon", "added", *map(sum, zip(*(bounds(row, name, level) for row in cells for name in names))), truth)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--program", default="build/cli/tidemill")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for pred in (24, 96):
            found = measure(given.program, given.data, 96, pred, pathlib.Path(folder))
            for (kind, level, how), one in found.items():
                if how == "paths":
                    other = found[kind, level, "added"]
                    print(f"| 96 → {pred} | {kind} | {level} | {100 * one.within / one.count:.1f} | {100 * other.within / other.count:.1f} "
                          f"| {one.width / other.width:.2f} |", flush=True)


if __name__ == "__main__":
    main()

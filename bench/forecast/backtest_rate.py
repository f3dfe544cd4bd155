#!/usr/bin/env python3
"""200 past rows of a series forecast by one `tidemill forecast backtest`, and by a `predict` each: processor seconds, and whether the numbers agree.

backtest_rate.py ETTh1.csv [PROGRAM]: on one core, at low priority; the least of three, for `predict` of 20 rows, ten apart."""
import csv
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

DATA = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build/cli/tidemill").resolve()
FOLDER = tempfile.TemporaryDirectory()
ONE = ("--threads", 1)


def run(*words):
    """What it prints, and the processor seconds that it took."""
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = used()
    done = subprocess.run(["taskset", "-c", "0", "nice", "-n", "5", PROGRAM, *map(str, words)], capture_output=True, text=True, cwd=FOLDER.name)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, used() - before


def least(*words):
    return min(run(*words)[1] for _ in range(3))


def main():
    folder = pathlib.Path(FOLDER.name)
    run("forecast", "train", "--data", DATA, "--preset", "etth1-96", "--epochs", 1, "--out", "run", "--no-plots", *ONE)
    backtest = ("forecast", "backtest", "run", "--data", DATA, "--step", 1, *ONE)
    written = ("--output", "all.csv", "--overwrite")
    print(f"backtest, 1 row to forecast from     {least(*backtest, '--windows', 1):.2f} s")
    print(f"backtest, 200                        {least(*backtest, '--windows', 200):.2f} s")
    print(f"the same, with the CSV               {least(*backtest, '--windows', 200, *written):.2f} s")
    with open(folder / "all.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = DATA.read_text().splitlines()
    place = {line.split(",")[0]: i for i, line in enumerate(lines)}
    seconds, apart = [], 0
    for origin in sorted({row["origin"] for row in rows})[::10]:
        (folder / "cut.csv").write_text("\n".join(lines[:place[origin] + 1]) + "\n")
        answer, took = run("forecast", "predict", "run", "--data", "cut.csv", "--no-plots", "--json", *ONE)
        forecast = json.loads(answer)["forecast"]
        seconds.append(took)
        for row in rows:
            if row["origin"] == origin:
                other = forecast[row["series"]][int(row["step"]) - 1]
                apart = max(apart, abs(float(row["forecast"]) - other) / max(1, abs(other)))
    print(f"predict, each                        {min(seconds):.3f} s, 200 of them {200 * min(seconds):.1f} s")
    print(f"largest relative difference          {apart:.1e}, of {len(seconds)} forecasts")


if __name__ == "__main__":
    main()

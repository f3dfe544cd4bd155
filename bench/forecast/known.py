#!/usr/bin/env python3
"""What is gained by columns that are known ahead: a target forecast from the past of all columns, and with some of them known for the rows
that are forecast, under the same settings and seeds. Errors of the test windows in the target's own units, beside naive ones.

  python3 bench/forecast/known.py build/cli/tidemill prices.csv --target OT --known "Grid load forecast,Wind power forecast" > table.md

Further programs, NAME=PATH, are asked for what is known ahead too: builds in which something of it is another.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

OPTIONS = "--seq-len 168 --pred-len 24 --epochs 2 --learning-rate 1e-3 --lradj cosine --batch-size 32 --patience 0 --threads 1 --season 168"


def train(program, data, run, seed, options):
    done = subprocess.run([program, "forecast", "train", "--data", data, "--out", run, "--seed", str(seed), "--no-plots", "--quiet", "--json", *options],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout)


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("program")
    parse.add_argument("data")
    parse.add_argument("others", nargs="*", metavar="NAME=PATH")
    parse.add_argument("--target", default="OT")
    parse.add_argument("--known", required=True)
    parse.add_argument("--seeds", default="2023,2024,2025")
    parse.add_argument("--options", default=OPTIONS)
    arguments = parse.parse_args()
    seeds, options = arguments.seeds.split(","), [*arguments.options.split(), "--targets", arguments.target]
    known = ["--known", arguments.known]
    ways = [("past alone", arguments.program, []), ("known ahead", arguments.program, known)]
    ways += [("known ahead, " + name, path, known) for name, path in (other.split("=", 1) for other in arguments.others)]
    errors, naive = {name: [] for name, _, _ in ways}, {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            for number, (name, program, more) in enumerate(ways):
                told = train(program, arguments.data, pathlib.Path(folder) / f"{number}-{seed}", seed, [*options, *more])
                errors[name].append(told["original"]["mae"])
                naive = {one.replace("_", " "): told["baselines"][one]["original"]["mae"] for one in told["baselines"]}
                print(seed, name, errors[name][-1], file=sys.stderr, flush=True)
    print("| MAE | " + " | ".join(f"seed {s}" for s in seeds) + " | mean |\n| --- |" + " --- |" * (len(seeds) + 1))
    for name, found in errors.items():
        print(f"| {name} | " + " | ".join(f"{e:.3f}" for e in found) + f" | {statistics.mean(found):.3f} |")
    for name, error in naive.items():
        print(f"| {name} |" + " |" * len(seeds) + f" {error:.3f} |")


if __name__ == "__main__":
    main()

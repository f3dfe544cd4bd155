#!/usr/bin/env python3
"""A `tidemill forecast tune` of 100 trials, whole and killed five times: is what it leaves the same, byte for byte? And on one core and two.

tune_killed.py [PROGRAM]: minutes, at low priority. The series is `data make tide`'s; processor seconds, and how long it took."""
import csv
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

PROGRAM = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/cli/tidemill").resolve()
FOLDER = tempfile.TemporaryDirectory()
SPACE = "arch=itransformer,dlinear,patchtst;seq-len=24,48,96;d-model=16,32,64;d-ff=16..128;e-layers=1,2;dropout=0,0.1;learning-rate=1e-4..1e-2 log;batch-size=16,32,64"
SEARCH = ("forecast", "tune", "--data", "tide.csv", "--seq-len", 48, "--pred-len", 24, "--n-heads", 4, "--epochs", 27, "--trials", 100, "--space", SPACE,
          "--no-plots", "--json")
KILLS = 5


def start(*words):
    return subprocess.Popen(["nice", "-n", "5", PROGRAM, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=FOLDER.name)


def run(*words):
    """What it prints, the seconds that it took, and the processor's."""
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before, began = used(), time.monotonic()
    child = start(*words)
    out, err = child.communicate()
    if child.returncode:
        sys.exit(err)
    return out, time.monotonic() - began, used() - before


def search(out, *more):
    told, wall, processor = run(*SEARCH, "--out", out, *more)
    return json.loads(told), wall, processor


def left(out):
    folder = pathlib.Path(FOLDER.name, out)
    return [(folder / name).read_bytes() for name in ("trials.csv", "best/model.safetensors")]


def lines(out):
    try:
        return sum('"key":"trial' in line for line in open(pathlib.Path(FOLDER.name, out, "tune.jsonl")))
    except FileNotFoundError:
        return 0


def main():
    seed = int.from_bytes(os.urandom(4), "little")
    moment = random.Random(seed)
    run("data", "make", "tide", "tide.csv", "--rows", 3000)
    two, wall, processor = search("two", "--threads", 2)
    print(f"100 trials on 2 threads   {wall:.1f} s, of the processor {processor:.1f} s")
    _, one_wall, processor = search("one", "--threads", 1)
    print(f"on 1 thread               {one_wall:.1f} s, of the processor {processor:.1f} s")
    print(f"the same as on 2          {left('one') == left('two')}")
    for kill in range(KILLS):
        child = start(*SEARCH, "--out", "killed", "--threads", 2, "--resume", "auto")
        try:
            child.wait(timeout=moment.uniform(0.05, 0.3) * wall)
            print("ended before it was killed")
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
        print(f"killed after              {lines('killed')} of {sum(rung['trials'] for rung in two['rungs'])} rungs of trials")
    last, rest, _ = search("killed", "--threads", 2, "--resume", "auto")
    print(f"then to its end           {rest:.1f} s, in all by its own count {last['seconds']:.1f} s")
    print(f"the same as whole         {left('killed') == left('two')}, trial {last['best']} and {two['best']} (moments of seed {seed})")
    with open(pathlib.Path(FOLDER.name, "two", "trials.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    best = next(row for row in rows if row["state"] == "best")
    print("rungs                     " + ", ".join(f"{rung['trials']} trials (lowest {rung['best_val_loss']:.4f})" for rung in two["rungs"]))
    print(f"validation                as given {float(rows[0]['val_loss']):.4f} at {rows[0]['epochs']} epochs, the best {float(best['val_loss']):.4f}: {two['settings']}")
    print(f"test mse                  {two['run']['test']['mse']:.4f}, linear {two['run']['baselines']['linear']['mse']:.4f}")


if __name__ == "__main__":
    main()

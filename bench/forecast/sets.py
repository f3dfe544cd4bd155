#!/usr/bin/env python3
"""The published sets at their four horizons: each model alone, and `auto` with a budget, beside the baselines. Resumable: RESULTS is
written anew after each cell, and a cell that is in it is not run again; one that was interrupted goes on in its run folder.

  python3 bench/forecast/sets.py build/cli/tidemill DATA --results sets.json --minutes 60 --budget 5m > table.md

DATA is the folder with ETTh1.csv, ETTh2.csv, ETTm1.csv and weather.csv, as they are or gzipped. A cell that the time does not reach is
named. `--models auto` alone is enough where the budget shortens no member: its members are then the models alone, to the bit.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

SETS = ("ETTh1", "ETTh2", "ETTm1", "weather")
HORIZONS = ("96", "192", "336", "720")


def cells(options):
    """One after the other by horizon, so that a short time sees every set."""
    for horizon in options.horizons:
        for name in options.sets:
            for model in options.models:
                yield f"{name}-{horizon} {model}" + (f" {options.budget}" if model == "auto" else ""), name, horizon, model


def data_of(folder, name):
    found = [path for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz") if path.exists()]
    return found[0] if found else sys.exit(f"{folder} holds neither {name}.csv nor {name}.csv.gz")


def run(options, key, name, horizon, model):
    out = options.work / key.replace(" ", "-")
    words = [options.program, "forecast", "train", "--data", data_of(options.data, name), "--preset", f"{name.lower()}-{horizon}", "--arch", model,
             "--out", out, "--resume", "auto", "--no-plots", "--quiet", "--json", *options.option]
    if model == "auto":
        words += ["--budget", options.budget]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stdout[-500:] + done.stderr[-500:]}
    told = json.loads(done.stdout)
    shutil.rmtree(out)
    kept = {k: told[k] for k in ("wall_s", "peak_rss_mib", "device", "threads", "best_val_loss")}
    return {**kept, "mse": told["test"]["mse"], "mae": told["test"]["mae"], "baselines": {b: told["baselines"][b]["mse"] for b in told["baselines"]},
            **{k: told[k] for k in ("members", "stacking", "budget_s") if k in told}}


def write(path, results):
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1, sort_keys=True))
    os.replace(part, path)


def singles(results, options, name, horizon):
    """Test MSE of each model alone: of its own cell, or as a member that was not shortened; shortened ones are marked."""
    found = {}
    auto = results.get(f"{name}-{horizon} auto {options.budget}", {})
    for member in auto.get("members", []):
        if member["trained"]:
            found[member["name"]] = (member["test_mse"], member["shortened"])
    for model in ("itransformer", "dlinear", "patchtst"):
        own = results.get(f"{name}-{horizon} {model}", {})
        if "mse" in own:
            found[model] = (own["mse"], False)
    return found


def row(results, options, name, horizon):
    auto = results.get(f"{name}-{horizon} auto {options.budget}", {})
    alone = singles(results, options, name, horizon)
    shown = {model: f"{mse:.4f}" + ("*" if short else "") for model, (mse, short) in alone.items()}
    best = min(auto["baselines"].values()) if "mse" in auto else float("nan")
    columns = [shown.get(m, "") for m in ("seasonal-naive", "linear", "dlinear", "itransformer", "patchtst")]
    columns += [f"{auto['mse']:.4f}", f"{100 * (auto['mse'] / best - 1):+.1f} %", f"{auto['wall_s']:.0f}"] if "mse" in auto else ["", "", ""]
    return f"| {name}-{horizon} | " + " | ".join(columns) + " |"


def table(results, options):
    print(f"| set | seasonal naive | linear | dlinear | itransformer | patchtst | auto {options.budget} | to the best baseline | s |")
    print("| --- |" + " --- |" * 8)
    means = {}
    for name in options.sets:
        for horizon in options.horizons:
            print(row(results, options, name, horizon))
            auto = results.get(f"{name}-{horizon} auto {options.budget}", {})
            if "mse" not in auto:
                continue
            for model, (mse, _) in {**singles(results, options, name, horizon), "auto": (auto["mse"], False)}.items():
                means.setdefault(model, []).append(mse)
    most = max(map(len, means.values()), default=0)
    whole = {model: sum(of) / most for model, of in means.items() if len(of) == most}
    print(f"\nmean MSE of {most} cells: " + ", ".join(f"{model} {mean:.4f}" for model, mean in sorted(whole.items(), key=lambda item: item[1])))
    print("*: shortened by the budget")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("runs/sets"), help="folder for runs that are under way")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--budget", default="5m")
    for name, all_of in (("sets", SETS), ("horizons", HORIZONS), ("models", ("itransformer", "dlinear", "patchtst", "auto"))):
        parser.add_argument(f"--{name}", type=lambda text: text.split(","), default=list(all_of))
    parser.add_argument("--option", action="append", default=[], help="a word for each training, such as --option=--threads --option=4")
    options = parser.parse_args()
    results = json.loads(options.results.read_text()) if options.results.exists() else {}
    began, missing = time.monotonic(), []
    for key, name, horizon, model in cells(options):
        if "mse" in results.get(key, {}):
            continue
        if time.monotonic() - began > 60 * options.minutes:
            missing.append(key)
            continue
        results[key] = run(options, key, name, horizon, model)
        print(key, results[key].get("mse", results[key].get("failed")), file=sys.stderr, flush=True)
        write(options.results, results)
    table(results, options)
    if missing:
        print("\nnot reached in time: " + ", ".join(missing))


if __name__ == "__main__":
    main()

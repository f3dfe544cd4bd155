#!/usr/bin/env python3
"""Published ETTh1 and ETTh2 horizons, several seeds each, beside the published numbers.

    bench/training/horizons.py BUILD/tidemill DATA_DIR [--seeds 2023,2024,2025] [--presets etth1-96,...] [--threads N]
                               [--out bench/results/horizons.csv]

DATA_DIR holds ETTh1.csv and ETTh2.csv. One command a row: `tidemill forecast train --preset P --data F --seed S --json`.
Rows already in the file are kept, so an interrupted run goes on. Ends with the means and exits 1 if one is more than
0.006 MSE above the published number.
"""
import argparse, csv, json, os, statistics, subprocess, sys, tempfile

# iTransformer, arXiv 2310.06625v4, Table 10: MSE, MAE
PUBLISHED = {"etth1-96": (.386, .405), "etth1-192": (.441, .436), "etth1-336": (.487, .458), "etth1-720": (.503, .491),
             "etth2-96": (.297, .349), "etth2-192": (.380, .400), "etth2-336": (.428, .432), "etth2-720": (.427, .445)}
FIELDS = ["preset", "seed", "mse", "mae", "epochs", "best_epoch", "published_mse", "published_mae"]


def train(binary, data, preset, seed, threads):
    with tempfile.TemporaryDirectory() as out:
        file = os.path.join(data, "ETTh1.csv" if preset.startswith("etth1") else "ETTh2.csv")
        command = [binary, "forecast", "train", "--preset", preset, "--data", file, "--seed", str(seed), "--out", os.path.join(out, "run"), "--json", "--no-plots"]
        done = subprocess.run(command + (["--threads", str(threads)] if threads else []), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{preset} seed {seed}: exit {done.returncode}\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("binary"); ap.add_argument("data")
    ap.add_argument("--seeds", default="2023,2024,2025"); ap.add_argument("--presets", default=",".join(PUBLISHED))
    ap.add_argument("--threads", type=int); ap.add_argument("--out", default="bench/results/horizons.csv")
    a = ap.parse_args()
    rows = list(csv.DictReader(open(a.out))) if os.path.exists(a.out) else []
    have = {(r["preset"], r["seed"]) for r in rows}
    for seed in a.seeds.split(","):
        for preset in a.presets.split(","):
            if (preset, seed) in have:
                continue
            r = train(a.binary, a.data, preset, seed, a.threads)
            p = PUBLISHED[preset]
            rows.append(dict(zip(FIELDS, [preset, seed, f"{r['test']['mse']:.6f}", f"{r['test']['mae']:.6f}", r["epochs"], r["best_epoch"], *p])))
            with open(a.out, "w", newline="") as f:
                w = csv.DictWriter(f, FIELDS, lineterminator="\n"); w.writeheader(); w.writerows(rows)
            print(rows[-1], flush=True)
    worst = 0.0
    for preset, p in PUBLISHED.items():
        mse = [float(r["mse"]) for r in rows if r["preset"] == preset]
        mae = [float(r["mae"]) for r in rows if r["preset"] == preset]
        if mse:
            worst = max(worst, statistics.mean(mse) - p[0])
            print(f"{preset:10} {len(mse)} seeds  MSE {statistics.mean(mse):.4f} ({min(mse):.4f}..{max(mse):.4f})  MAE {statistics.mean(mae):.4f}  published {p[0]:.3f} {p[1]:.3f}  MSE {statistics.mean(mse) - p[0]:+.4f}")
    sys.exit(worst > 0.006)


if __name__ == "__main__":
    main()

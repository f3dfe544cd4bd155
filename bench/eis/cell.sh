#!/bin/sh
# The recipe `cell`, trained and measured: bench/eis/cell.sh BUILD [MINUTES [SPECTRA [FOLDER]]]
# Trains for MINUTES (12), then evaluates on SPECTRA (2000) fresh spectra; prints a Markdown table on stdout. FOLDER (a
# new one) keeps the run, evaluation.json and what was said. With 16 cores all of it takes less than 20 minutes.
set -eu
build=${1:?usage: bench/eis/cell.sh BUILD [MINUTES [SPECTRA [FOLDER]]]}
minutes=${2:-12}
spectra=${3:-2000}
folder=${4:-$(mktemp -d)}
tidemill=$build/cli/tidemill
mkdir -p "$folder"

"$tidemill" eis train --recipe cell --max-minutes "$minutes" --no-plots --out "$folder/run" --json >"$folder/train.json"
"$tidemill" eis evaluate --model "$folder/run" --test-spectra "$spectra" --json >"$folder/evaluation.json"
echo "in $folder" >&2

python3 - "$folder/train.json" "$folder/evaluation.json" <<'END'
import json
import sys

trained, told = (json.load(open(path)) for path in sys.argv[1:3])
level = told["levels"][0]
fits = level.get("beside_fits")
print(f"`tidemill eis train --recipe cell --max-minutes {trained['max_minutes']:g}`: {trained['spectra_visited'] / 1e6:.1f} M visits "
      f"to {trained['spectra_made'] / 1e6:.1f} M spectra in {trained['seconds']:.0f} s, {trained['step_ms']:.1f} ms a step of "
      f"{trained['batch_size']}, best epoch {trained['best_epoch']} of {trained['epochs']}, validation loss {trained['best_val_loss']:.4f}.\n")
print("| | cases | 80 % | 95 % | error | width | error of fits from the truth |\n|---|---|---|---|---|---|---|")


def of(row, what):
    """Errors and widths are of logarithms, of exponents differences: the keys differ."""
    return next(value for key, value in row.items() if key.startswith(what))


beside = {row["quantity"]: row for row in fits["quantities"]} if fits else {}
worst = 0
for row in level["network"]:
    fit = beside.get(row["quantity"])
    worst = max(worst, abs(row["coverage_80"] - 0.8), abs(row["coverage_95"] - 0.95))
    print(f"| {row['quantity']} | {row['cases']} | {row['coverage_80']:.3f} | {row['coverage_95']:.3f} | {of(row, 'median_abs'):.3g} | "
          f"{of(row, 'median_width'):.3g} | {of(fit, 'fit_median') if fit else float('nan'):.3g} |")
print(f"\nThe worst interval is {100 * worst:.1f} points off.")
if fits:
    print(f"Of {fits['spectra']} fits the best minimum is reached from the predictor's starts alone in "
          f"{100 * fits['start_reaches_best']:.2f} %, from the spectrum's in {100 * fits['search_reaches_best']:.2f} %, from both in "
          f"{100 * fits['search_with_start_reaches_best']:.2f} %.")
print(f"{level['spectra_per_s']:.0f} spectra a second (features and network, all cores).")
END

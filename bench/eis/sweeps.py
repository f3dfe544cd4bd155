#!/usr/bin/env python3
"""Real epithelial sweeps through `tidemill eis complete` and `tidemill eis fit`: verdicts, and what must hold of them.

  bench/eis/sweeps.py build/cli/tidemill FOLDER      the folder of extracellularEIS' raw files
"""
import json
import math
import pathlib
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
CIRCUIT = "R0-p(R1,CPE1)-p(R2,CPE2)"


def answers(command, path, *words):
    done = subprocess.run([PROGRAM, "eis", command, "--json", "--spectrum" if command == "complete" else path,
                           *([path] if command == "complete" else []), *words], capture_output=True, text=True)
    said = json.loads(done.stdout)
    if "error" in said and "spectra" not in said: return [{"error": said["error"]}]
    return said.get("spectra") or said.get("fits") or [said]


def points(path):
    """Of each sweep: its lowest frequency's real part."""
    done = subprocess.run([PROGRAM, "eis", "check", "--json", path], capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    print("| sweep | KK noise | left by the circuit | changes of sign | verdict | TER, ohm | TEC, F |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    counts = {"sweeps": 0, "adequate": 0, "open": 0, "refused": 0}
    for path in sorted(FOLDER.iterdir()):
        if not path.is_file(): continue
        for number, a in enumerate(answers("complete", str(path), "--no-plots"), 1):
            name = f"{path.name.replace('_freq', '')} {number}"
            if "error" in a:
                counts["refused"] += 1
                print(f"| {name} | | | | refused: {a['error']['message'][:90]} | | |")
                continue
            counts["sweeps"] += 1
            r = a["residuals"]
            adequate = a["circuit_adequate"]
            counts["adequate"] += bool(adequate)
            ter, tec = a["intervals_95"]["TER"], a["intervals_95"]["TEC"]
            counts["open"] += ter is None or ter[1] is None
            show = lambda i: "none" if i is None else f"{i[0]:.4g} and more" if i[1] is None else f"{i[0]:.4g} to {i[1]:.4g}"
            print(f"| {name} | {100 * a['noise']:.2f} % | {100 * r['size']:.2f} % | {r['sign_changes']} of {r['neighbours']} | "
                  f"{'adequate' if adequate else 'does not fit'} | {show(ter)} | {show(tec)} |")
    print()
    print(", ".join(f"{key} {value}" for key, value in counts.items()))


main()

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
# Two arcs; with an electrode; with what the model cell shows of the instrument: an inductance, and an arc of 6 to 10 ohm at 100 kHz (counted in the sum).
CIRCUITS = {"R0-p(R1,CPE1)-p(R2,CPE2)": "two CPE arcs", "R0-p(R1,CPE1)-p(R2,CPE2)-CPE3": "and an electrode CPE",
            "L1-R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,C3)": "two CPE arcs, L, and a fast RC"}
ARCS = ("R1", "R2", "R3")


def answers(command, path, *words):
    done = subprocess.run([PROGRAM, "eis", command, "--json", "--spectrum" if command == "complete" else path,
                           *([path] if command == "complete" else []), *words], capture_output=True, text=True)
    said = json.loads(done.stdout)
    if "error" in said and "spectra" not in said: return [{"error": said["error"]}]
    return said.get("spectra") or said.get("fits") or [said]


def fitted(path, number, circuit):
    """Reduced chi2 against the Kramers-Kronig noise, verdict, and the sum of the arcs' resistances with its standard error, as text; that
    error over that sum."""
    said = [a for a in answers("fit", path, "--circuit", circuit) if "parameters" in a]
    if len(said) < number: return "none", math.nan
    a = said[number - 1]
    arcs = [p for p in a["parameters"] if p["name"] in ARCS]
    start = f"{a['reduced_chi2']:.3g} {a['verdict']}"
    lost = [p["name"] for p in arcs if p["stderr"] is None and p["state"] == "open"]
    if lost: return f"{start}, {' and '.join(lost)} not determined", math.nan
    index = [a["parameters"].index(p) for p in arcs]
    free = [i for i, p in enumerate(a["parameters"]) if p["state"] == "free"]
    of = {i: k for k, i in enumerate(free)}
    value = sum(p["value"] for p in arcs)
    error = 0.0
    for i in index:
        for k in index:
            together = a["correlation"][of[i]][of[k]] if i in of and k in of else float(i == k)
            parts = together, a["parameters"][i]["stderr"], a["parameters"][k]["stderr"]
            error += 0 if None in parts else parts[0] * parts[1] * parts[2]  # on a bound: none of its own
    error = math.sqrt(error) if error > 0 else math.nan
    return f"{start}, {value:.4g} +- {error:.2g}", error / value


def main():
    print(f"| sweep | KK noise | lumped circuit leaves | changes of sign | verdict | TER, ohm | TEC, F | "
          f"{' | '.join(f'{name}: chi2, sum of arcs' for name in CIRCUITS.values())} |")
    print("| --- " * (7 + len(CIRCUITS)) + "|")
    counts = {"sweeps": 0, "adequate": 0, "open": 0, "refused": 0, **{f"confident by {name}": 0 for name in CIRCUITS.values()}}
    for path in sorted(FOLDER.iterdir()):
        if not path.name.endswith("_freq"): continue
        for number, a in enumerate(answers("complete", str(path), "--no-plots"), 1):
            name = f"{path.name.replace('_freq', '')} {number}"
            if "error" in a:
                counts["refused"] += 1
                print(f"| {name} | | | | refused: {a['error']['message'].split(': ', 1)[-1][:60].replace('|Z|', 'abs(Z)')} |{' |' * (2 + len(CIRCUITS))}")
                continue
            counts["sweeps"] += 1
            r = a["residuals"]
            adequate = a["circuit_adequate"]
            counts["adequate"] += bool(adequate)
            ter, tec = a["intervals_95"]["TER"], a["intervals_95"]["TEC"]
            counts["open"] += ter is None or ter[1] is None
            show = lambda i: "none" if i is None else f"{i[0]:.4g} and more" if i[1] is None else f"{i[0]:.4g} to {i[1]:.4g}"
            found = [fitted(str(path), number, circuit) for circuit in CIRCUITS]
            for name_of, (_, error) in zip(CIRCUITS.values(), found):
                counts[f"confident by {name_of}"] += 2 * 1.96 * error <= 0.05
            print(f"| {name} | {100 * a['noise']:.2f} % | {100 * r['size']:.2f} % | {r['sign_changes']} of {r['neighbours']} | "
                  f"{'adequate' if adequate else 'does not fit'} | {show(ter)} | {show(tec)} | "
                  f"{' | '.join(text for text, _ in found)} |")
    print()
    print(", ".join(f"{key} {value}" for key, value in counts.items()))


main()

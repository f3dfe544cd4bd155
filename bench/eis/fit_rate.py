#!/usr/bin/env python3
"""Fits a second of `tidemill eis fit` beside impedance.py's CustomCircuit.fit, alternately, on the same made spectra of Rs and two CPE arcs.

Each round: ours fits all spectra (files read, data checked, noise told, start values found, errors and answers written), impedance.py fits some of
them from its own good start, the truth off by up to a factor of 1.5, data in memory already. Ours on all cores and on one. It needs numpy and
impedance (PyPI).

  bench/eis/fit_rate.py build/cli/tidemill [--spectra 1000] [--theirs 12] [--rounds 5]
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from impedance.models.circuits import CustomCircuit

POINTS, NOISE, CIRCUIT = 60, 0.005, "R0-p(R1,CPE1)-p(R2,CPE2)"


def spectrum(rng, freq):
    """Parameters in the circuit's order, and Z with noise"""
    r0, r1, r2 = 10 ** rng.uniform([0.5, 2, 2], [2, 3.5, 3.5])
    tau = 10 ** rng.uniform(-4, -2.5)
    n1, n2 = rng.uniform(0.8, 1, 2)
    q1, q2 = tau**n1 / r1, (tau * 10 ** rng.uniform(1, 2)) ** n2 / r2
    s = 2j * np.pi * freq
    z = r0 + r1 / (1 + r1 * q1 * s**n1) + r2 / (1 + r2 * q2 * s**n2)
    z += NOISE * np.abs(z) * (rng.standard_normal(len(z)) + 1j * rng.standard_normal(len(z)))
    return [r0, r1, q1, n1, r2, q2, n2], z


def write(folder, made, freq):
    paths = []
    for i, (_, z) in enumerate(made):
        path = folder / f"s{i:04d}.csv"
        rows = "\n".join(f"{f:.17g},{v.real:.17g},{v.imag:.17g}" for f, v in zip(freq, z))
        path.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + rows + "\n")
        paths.append(str(path))
    return paths


def ours(program, paths, threads):
    begin = time.perf_counter()
    done = subprocess.run([program, "eis", "fit", "--circuit", CIRCUIT, "--json", "--quiet", "--threads", str(threads), *paths], check=True,
                          capture_output=True, text=True)
    return time.perf_counter() - begin, json.loads(done.stdout)["fits"]


def theirs(made, freq, rng):
    sums, begin = [], time.perf_counter()
    for truth, z in made:
        start = np.array(truth) * rng.uniform(1 / 1.5, 1.5, len(truth))
        start[[3, 6]] = np.clip(start[[3, 6]], 0.6, 1)
        circuit = CustomCircuit(CIRCUIT, initial_guess=list(start))
        circuit.fit(freq, z, weight_by_modulus=True)
        sums.append(np.sum(np.abs((z - circuit.predict(freq)) / z) ** 2))
    return time.perf_counter() - begin, sums


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--spectra", type=int, default=1000)
    parser.add_argument("--theirs", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    freq = np.logspace(5, -1, POINTS)
    made = [spectrum(rng, freq) for _ in range(options.spectra)]
    ratios = {0: [], 1: []}
    with tempfile.TemporaryDirectory() as folder:
        paths = write(pathlib.Path(folder), made, freq)
        for n in range(options.rounds):
            some = [made[(n * options.theirs + i) % len(made)] for i in range(options.theirs)]
            slow, sums = theirs(some, freq, rng)
            for threads in ratios:
                fast, fits = ours(options.program, paths, threads)
                ratios[threads].append(slow / options.theirs / (fast / options.spectra))
                print(f"{threads or 'all'} threads: {fast:.2f} s for {options.spectra}; impedance.py {slow / options.theirs:.3f} s each; ratio "
                      f"{ratios[threads][-1]:.0f}", flush=True)
            best = [f["objective"] for f in (fits[(n * options.theirs + i) % len(made)] for i in range(options.theirs))]
            print(f"  our objective over theirs: {min(a / b for a, b in zip(best, sums)):.6f} to {max(a / b for a, b in zip(best, sums)):.6f}")
    for threads, found in ratios.items():
        print(f"{threads or 'all'} threads: median ratio {statistics.median(found):.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

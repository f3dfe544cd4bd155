#!/usr/bin/env python3
"""The 95 % intervals of `tidemill eis complete` against an independent sampler: how much of its mass they hold.

The sampler here knows nothing of fibres or shapes: tempered sequential Monte Carlo in the logarithms of the parameters (and Rs), with moves by
differences of two other particles (ter Braak 2006) and, of each parameter alone, over its whole range. It needs numpy.

  bench/eis/posterior.py build/cli/tidemill [--particles 20000] [--seeds 6]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

NAMES = ["Rsh", "Ra", "Rb", "Ca", "Cb"]
LOW = np.log([1, 1, 1, 1e-8, 1e-8])
HIGH = np.log([1e6, 1e6, 1e6, 1e-3, 1e-3])
RS_HIGH = 1e4
# name, parameters, Rs, noise, what is known
CASES = [
    ("generic", [1500, 2600, 760, 5.2e-6, 1.4e-6], 27, 0.01, []),
    ("equal time constants", [1200, 2000, 1000, 1e-6, 2e-6], 25, 0.005, []),
    ("one relaxation", [9000, 990, 12, 1e-6, 4e-5], 97, 0.005, []),
    ("known fast resistance", [1500, 2600, 760, 5.2e-6, 1.4e-6], 27, 0.01, ["Rb"]),
]


def impedance(p, rs, s):
    """p (n, 5), rs (n), s (frequencies): (n, frequencies)"""
    rsh, ra, rb, ca, cb = (p[:, k:k + 1] for k in range(5))
    zm = ra / (1 + s * ra * ca) + rb / (1 + s * rb * cb)
    return rs[:, None] + rsh * zm / (rsh + zm)


class Posterior:
    def __init__(self, freq, z, noise, known, truth):
        self.s, self.z, self.noise = 2j * np.pi * freq, z, noise
        self.free = [k for k in range(5) if NAMES[k] not in known]
        self.fixed = np.log(truth)
        self.low = np.append(LOW[self.free], 0)
        self.high = np.append(HIGH[self.free], RS_HIGH)
        self.canonical = not any(name in known for name in NAMES[1:])

    def parameters(self, x):
        full = np.tile(self.fixed, (len(x), 1))
        full[:, self.free] = x[:, :-1]
        return np.exp(full)

    def log_likelihood(self, x):
        model = impedance(self.parameters(x), x[:, -1], self.s)
        square = np.abs(model) ** 2
        value = -0.5 * np.sum(np.abs(self.z - model) ** 2 / square, axis=1) / self.noise ** 2 - np.sum(np.log(square), axis=1)
        return np.where(np.all((x >= self.low) & (x <= self.high), axis=1) & np.isfinite(value), value, -np.inf)


def sample(post, count, rng):
    x = post.low + (post.high - post.low) * rng.random((count, len(post.low)))
    value, temper, stage = post.log_likelihood(x), 0.0, 0
    while temper < 1:
        low, high = 0.0, 1 - temper
        for _ in range(50):  # the step that leaves half of the particles effective
            step = high if low == 0 and _ == 0 else (low + high) / 2
            w = np.exp(step * (value - value.max()))
            enough = w.sum() ** 2 / (w ** 2).sum() > 0.6 * count
            if enough: low = step
            else: high = step
            if enough and step == 1 - temper: break
        step = max(low, 1e-12)
        w = np.exp(step * (value - value.max()))
        temper = min(1.0, temper + step)
        positions = (rng.random() + np.arange(count)) / count
        chosen = np.searchsorted(np.cumsum(w / w.sum()), positions).clip(0, count - 1)
        x, value = x[chosen], value[chosen]
        x, value = move(post, x, value, temper, rng, 12 if temper < 1 else 150)
        stage += 1
    return x, stage


def move(post, x, value, temper, rng, sweeps):
    count, size = x.shape
    for sweep in range(sweeps):
        half = rng.permutation(count)
        for mine, others in ((half[:count // 2], half[count // 2:]), (half[count // 2:], half[:count // 2])):
            n = len(mine)
            new = x[mine].copy()
            kind = sweep % 4
            if kind == 3:  # one parameter anew, over its range
                k = rng.integers(size, size=n)
                new[np.arange(n), k] = post.low[k] + (post.high[k] - post.low[k]) * rng.random(n)
            else:
                a, b = others[rng.integers(len(others), size=n)], others[rng.integers(len(others), size=n)]
                scale = 1.0 if kind == 2 else 2.38 / np.sqrt(2 * size) * rng.random((n, 1)) ** 0.5
                new += scale * (x[a] - x[b]) + 1e-9 * rng.standard_normal(new.shape)
            got = post.log_likelihood(new)
            accept = np.log(rng.random(n)) < temper * (got - value[mine])
            x[mine[accept]], value[mine[accept]] = new[accept], got[accept]
    return x, value


def quantities(post, x):
    p = post.parameters(x)
    if post.canonical:
        swap = p[:, 1] * p[:, 3] < p[:, 2] * p[:, 4]
        p[swap] = p[swap][:, [0, 2, 1, 4, 3]]
    rsh, ra, rb, ca, cb = p.T
    r = ra + rb
    out = {"TER": rsh * r / (rsh + r), "TEC": ca * cb / (ca + cb), "n1": ra * rb * (ca + cb) / r, "Rs": x[:, -1]}
    out["d1"] = (rsh * (ra * ca + rb * cb) + ra * rb * (ca + cb)) / (rsh + r)
    out.update({NAMES[k]: p[:, k] for k in post.free})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--particles", type=int, default=20000)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--only")
    options = parser.parse_args()
    for name, truth, rs, noise, known in CASES:
        if options.only and options.only not in name: continue
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "s.csv"
            subprocess.run([options.program, "eis", "simulate", "--known", ",".join(f"{n}={v}" for n, v in zip(NAMES, truth)), "--rs", str(rs),
                            "--noise", str(noise), "--seed", "11", str(path)], check=True, capture_output=True)
            freq, re, im = np.loadtxt(path, delimiter=",", skiprows=1).T
            post = Posterior(freq, re + 1j * im, noise, known, truth)
            runs = [sample(post, options.particles, np.random.default_rng(100 + i)) for i in range(2)]
            of = [quantities(post, x) for x, _ in runs]
            print(f"{name}: {runs[0][1]} stages of {options.particles} particles, twice", flush=True)
            worst = {}
            for seed in range(options.seeds):
                words = [options.program, "eis", "complete", "--json", "--no-plots", "--spectrum", str(path), "--noise", str(noise), "--seed", str(seed)]
                if known: words += ["--known", ",".join(f"{n}={truth[NAMES.index(n)]}" for n in known)]
                answer = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
                for quantity, interval in answer["intervals_95"].items():
                    low, high = interval
                    mass = [float(np.mean((o[quantity] >= low) & (o[quantity] <= high))) for o in of]
                    worst.setdefault(quantity, []).append((sum(mass) / 2, abs(mass[0] - mass[1])))
            for quantity, found in worst.items():
                masses, apart = [m for m, _ in found], max(a for _, a in found)
                print(f"  {quantity:4} {min(masses):.3f} to {max(masses):.3f} of the mass; the reference's two runs {apart:.3f} apart", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The 95 % intervals of `tidemill eis fit --posterior` against an independent sampler: how much of its mass they hold.

The sampler here knows nothing of minima or ridges: tempered sequential Monte Carlo from the prior, with moves by differences of two other particles
(ter Braak 2006) and, of each parameter alone, over its whole range. The noise, its degrees of freedom and the least sum of squares are those that the
program tells; the circuits' formulas, the prior and the likelihood are written down anew. It needs numpy.

  bench/eis/posterior_fit.py build/cli/tidemill [--particles 16000] [--sweeps 600] [--seeds 3] [--only NAME]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

# name, circuit, parameters (name, truth, low, high; exponents are uniform, all else is in its logarithm), pairs of arcs that are alike
CASES = [
    ("two arcs", "R0-p(R1,CPE1)-p(R2,CPE2)",
     [("R0", 30, 1, 1e3), ("R1", 800, 1, 1e5), ("CPE1_0", 8e-6, 1e-8, 1e-3), ("CPE1_1", 0.85, 0.5, 1),
      ("R2", 400, 1, 1e5), ("CPE2_0", 1e-6, 1e-8, 1e-3), ("CPE2_1", 0.92, 0.5, 1)], ((1, 2, 3), (4, 5, 6))),
    ("epithelium", "epithelial-cpe",
     [("Rs", 27, 1, 1e3), ("Rsh", 1500, 1, 1e5), ("Ra", 2600, 1, 1e5), ("CPEa_0", 6e-6, 1e-8, 1e-3), ("CPEa_1", 0.9, 0.5, 1),
      ("Rb", 760, 1, 1e5), ("CPEb_0", 1.6e-6, 1e-8, 1e-3), ("CPEb_1", 0.93, 0.5, 1)], ((2, 3, 4), (5, 6, 7))),
]


def impedance(kind, p, s):
    """p (particles, parameters) as values"""
    log_s = np.log(s)
    arc = lambda r, q, n: r[:, None] / (1 + (r * q)[:, None] * np.exp(n[:, None] * log_s))
    if kind == "two arcs": return p[:, :1] + arc(p[:, 1], p[:, 2], p[:, 3]) + arc(p[:, 4], p[:, 5], p[:, 6])
    zm = arc(p[:, 2], p[:, 3], p[:, 4]) + arc(p[:, 5], p[:, 6], p[:, 7])
    return p[:, :1] + p[:, 1:2] * zm / (p[:, 1:2] + zm)


class Posterior:
    def __init__(self, case, freq, z, told):
        self.kind, self.parameters, self.alike = case[0], case[2], case[3]
        self.s, self.z = 2j * np.pi * freq, z
        self.linear = np.array([low == 0.5 for _, _, low, _ in self.parameters])
        ends = np.array([[low, high] for _, _, low, high in self.parameters])
        self.low, self.high = np.where(self.linear, ends.T, np.log(ends.T))
        self.noise, self.dof = told["posterior"]["noise"], told["posterior"]["noise_dof"]
        self.best = told["objective"] / self.noise ** 2

    def values(self, x):
        return np.where(self.linear, x, np.exp(np.where(self.linear, 0, x)))

    def drop(self, x):
        """half of what chi2 is above its least"""
        chi2 = np.sum(np.abs((self.z - impedance(self.kind, self.values(x), self.s)) / self.z) ** 2, axis=1) / self.noise ** 2
        return np.where(np.all((x >= self.low) & (x <= self.high), axis=1) & np.isfinite(chi2), 0.5 * (chi2 - self.best), np.inf)

    def student(self, drop):
        return -0.5 * (self.dof + len(self.low)) * np.log1p(2 * drop / self.dof)

    def marginals(self, x):
        p = self.values(x).copy()
        a, b = (list(k) for k in self.alike)
        tau = [(p[:, k[0]] * p[:, k[1]]) ** (1 / p[:, k[2]]) for k in (a, b)]
        swap = tau[1] > tau[0]
        p[np.ix_(swap, a + b)] = p[np.ix_(swap, b + a)]
        out = {name: p[:, k] for k, (name, *_) in enumerate(self.parameters)}
        if "Rsh" in out: out["TER"] = out["Rsh"] * (out["Ra"] + out["Rb"]) / (out["Rsh"] + out["Ra"] + out["Rb"])
        return out


def move(post, x, drop, log_density, rng, sweeps):
    count, size = x.shape
    for sweep in range(sweeps):
        half = rng.permutation(count)
        for mine, others in ((half[:count // 2], half[count // 2:]), (half[count // 2:], half[:count // 2])):
            n, kind = len(mine), sweep % 4
            new = x[mine].copy()
            if kind == 3:  # one parameter anew, over its range
                k = rng.integers(size, size=n)
                new[np.arange(n), k] = post.low[k] + (post.high[k] - post.low[k]) * rng.random(n)
            else:
                a, b = others[rng.integers(len(others), size=n)], others[rng.integers(len(others), size=n)]
                scale = 1.0 if kind == 2 else 2.38 / np.sqrt(2 * size) * rng.random((n, 1)) ** 0.5
                new += scale * (x[a] - x[b]) + 1e-9 * rng.standard_normal(new.shape)
            got = post.drop(new)
            with np.errstate(invalid="ignore"):
                accept = np.log(rng.random(n)) < log_density(got) - log_density(drop[mine])
            x[mine[accept]], drop[mine[accept]] = new[accept], got[accept]
    return x, drop


def resample(x, drop, log_w, rng):
    w = np.exp(log_w - log_w.max())
    positions = (rng.random() + np.arange(len(x))) / len(x)
    chosen = np.searchsorted(np.cumsum(w / w.sum()), positions).clip(0, len(x) - 1)
    return x[chosen], drop[chosen]


def sample(post, count, sweeps, rng):
    x = post.low + (post.high - post.low) * rng.random((count, len(post.low)))
    drop, temper, stages = post.drop(x), 0.0, 0
    while temper < 1:
        low, high = 0.0, 1 - temper
        for i in range(60):  # the step that leaves six tenths of the particles effective
            step = high if i == 0 else (low + high) / 2
            w = np.exp(-step * (drop - drop.min()))
            enough = w.sum() ** 2 / (w ** 2).sum() > 0.6 * count
            if enough: low = step
            else: high = step
            if enough and i == 0: break
        step = max(low, 1e-12)
        temper = min(1.0, temper + step)
        x, drop = resample(x, drop, -step * drop, rng)
        x, drop = move(post, x, drop, lambda d: -temper * d, rng, 12)
        stages += 1
    x, drop = resample(x, drop, post.student(drop) + drop, rng)
    x, drop = move(post, x, drop, post.student, rng, sweeps)
    return x, drop, stages


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--particles", type=int, default=16000)
    parser.add_argument("--sweeps", type=int, default=600, help="of the last stage")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only")
    options = parser.parse_args()
    for case in CASES:
        if options.only and options.only not in case[0]: continue
        name, circuit, parameters, _ = case
        freq = 10 ** np.linspace(5, -1, 41)
        noise = np.random.default_rng(7).standard_normal((2, 41)) * 0.01
        z = impedance(name, np.array([[truth for _, truth, _, _ in parameters]]), 2j * np.pi * freq)[0]
        z = z + np.abs(z) * (noise[0] + 1j * noise[1])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "s.csv"
            np.savetxt(path, np.c_[freq, z.real, z.imag], delimiter=",", header="frequency_hz,z_re_ohm,z_im_ohm", comments="")
            words = [options.program, "eis", "fit", str(path), "--json", "--posterior", "--circuit", circuit, "--range",
                     ",".join(f"{n}={low}..{high}" for n, _, low, high in parameters)]
            told = [json.loads(subprocess.run(words + ["--seed", str(seed)], check=True, capture_output=True, text=True).stdout)
                    for seed in range(options.seeds)]
        post = Posterior(case, freq, z, told[0])
        runs = [sample(post, options.particles, options.sweeps, np.random.default_rng(100 + i)) for i in range(2)]
        of = [post.marginals(x) for x, _, _ in runs]
        print(f"{name}: {runs[0][2]} and {runs[1][2]} stages of {options.particles} particles; mean drop {np.mean(runs[0][1]):.2f} and "
              f"{np.mean(runs[1][1]):.2f}; ours: {told[0]['posterior']['method']}, {told[0]['posterior']['draws']} draws worth "
              f"{told[0]['posterior']['effective']:.0f}, halves {told[0]['posterior']['disagreement_of_halves']:.2f}", flush=True)
        for k, marginal in enumerate(told[0]["posterior"]["marginals"]):
            key = marginal["name"]
            masses = []
            for answer in told:
                m = answer["posterior"]["marginals"][k]
                masses.append([float(np.mean((o[key] >= m["low95"]) & (o[key] <= m["high95"]))) for o in of])
            means = [sum(m) / 2 for m in masses]
            print(f"  {key:7} {min(means):.3f} to {max(means):.3f} of the mass; the reference's two runs {max(abs(a - b) for a, b in masses):.3f} apart",
                  flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

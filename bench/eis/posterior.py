#!/usr/bin/env python3
"""The 95 % intervals of `tidemill eis complete` against an independent sampler: how much of its mass they hold.

The sampler here knows nothing of shapes: tempered sequential Monte Carlo in the logarithms of the parameters (and Rs), with moves by differences of
two other particles (ter Braak 2006) and, of each parameter alone, over its whole range. Such moves cross no gap: at the end, jumps to other circuits
of the same impedance (anywhere along the fibre, or the other ones where a value is known) are proposed and accepted by their Jacobians, as in
Green 1995. It needs numpy.

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
    for _ in range(40):
        x, value = jump(post, x, value, rng)
        x, value = move(post, x, value, 1.0, rng, 12)
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


def coefficients(logs):
    """Of ln Rsh, Ra, Rb, Ca, Cb (n, 5): ln R0, n1, d1, d2 of R0 (1 + n1 s) / (1 + d1 s + d2 s^2)"""
    rsh, ra, rb, ca, cb = np.exp(logs).T
    total = rsh + ra + rb
    return np.log([rsh * (ra + rb) / total, ra * rb * (ca + cb) / (ra + rb), (rsh * (ra * ca + rb * cb) + ra * rb * (ca + cb)) / total,
                   rsh * ra * ca * rb * cb / total]).T


def membranes(coef, rsh, swapped):
    """ln Rsh, Ra, Rb, Ca, Cb (..., 5) of these coefficients: partial fractions of 1 / (1/Z - 1/Rsh); NaN where there are none"""
    r0, n1, d1, d2 = np.exp(np.moveaxis(coef, -1, 0))
    with np.errstate(all="ignore"):
        left = 1 - r0 / rsh
        b, c = (d1 - n1 * r0 / rsh) / left, d2 / left
        slow = (b + np.sqrt(b * b - 4 * c)) / 2
        fast = c / slow
        r_slow = r0 / left * (slow - n1) / (slow - fast)
        r_fast = r0 / left - r_slow
        pairs = [(r_slow, slow / r_slow), (r_fast, fast / r_fast)]
        (ra, ca), (rb, cb) = [tuple(np.where(swapped, one, other) for one, other in zip(pairs[1 - k], pairs[k])) for k in (0, 1)]
        return np.log(np.stack(np.broadcast_arrays(rsh, ra, rb, ca, cb), axis=-1))


def log_volume(logs, moving):
    """ln |d coefficients / d ln of the four parameters `moving`|"""
    steps = np.eye(5)[moving] * 1e-5
    jacobian = np.stack([(coefficients(logs + h) - coefficients(logs - h)) / 2e-5 for h in steps], axis=2)
    with np.errstate(all="ignore"):
        return np.linalg.slogdet(jacobian)[1]


def others_with(coef, known, value, rng, grid=240):
    """One of the circuits of these coefficients that have the known value, and how many there are; each as likely"""
    r0 = np.exp(coef[:, :1])
    edges = r0 * (1 + 10.0 ** np.linspace(-5, 5, grid))
    roots = []
    for swapped in (False, True):
        def off(rsh): return membranes(coef[:, None, :], rsh, swapped)[..., known] - value
        gap = off(edges)
        with np.errstate(invalid="ignore"):
            crossing = (gap[:, :-1] * gap[:, 1:] <= 0)
        low, high, sign = np.where(crossing, edges[:, :-1], np.nan), np.where(crossing, edges[:, 1:], np.nan), np.sign(gap[:, :-1])
        most = int(crossing.sum(1).max())
        order = np.argsort(~crossing, axis=1, kind="stable")[:, :most]
        low, high, sign = (np.take_along_axis(v, order, 1) for v in (low, high, sign))
        for _ in range(50):
            middle = (low + high) / 2
            before = np.sign(off(middle)) == sign
            low, high = np.where(before, middle, low), np.where(before, high, middle)
        roots.append(membranes(coef[:, None, :], low, swapped))
    roots = np.concatenate(roots, axis=1)
    good = np.isfinite(roots).all(-1)
    count = good.sum(1)
    pick = np.argsort(~good, axis=1, kind="stable")[np.arange(len(coef)), (rng.random(len(coef)) * count).astype(int).clip(0, roots.shape[1] - 1)]
    return roots[np.arange(len(coef)), pick], count


def jump(post, x, value, rng):
    """To another circuit of the same impedance"""
    logs = np.log(post.parameters(x))
    coef = coefficients(logs)
    fixed = [k for k in range(5) if k not in post.free]
    if len(fixed) > 1 or fixed == [0]: return x, value
    if fixed:
        new, count = others_with(coef, fixed[0], post.fixed[fixed[0]], rng)
        moving = post.free
    else:
        rsh = np.exp(post.low[0] + (post.high[0] - post.low[0]) * rng.random(len(x)))
        new, count = membranes(coef, rsh, rng.random(len(x)) < 0.5), np.ones(len(x))
        moving = [1, 2, 3, 4]
    usable = np.isfinite(new).all(-1) & (count > 0)
    new[~usable] = logs[~usable]
    candidate = np.column_stack([new[:, post.free], x[:, -1]])
    got = post.log_likelihood(candidate)
    accept = usable & (np.log(rng.random(len(x))) < log_volume(logs, moving) - log_volume(new, moving) + got - value)
    x[accept], value[accept] = candidate[accept], got[accept]
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

#!/usr/bin/env python3
"""A cost model of training on ranks, from measured constants, beside what was measured.
  ranks_model.py MEASURED.jsonl

MEASURED has the lines of bench_ranks, each run after a line "# KIND CASE RANKS" that says what it is:
  alone  one process with as many threads as RANKS
  ranks  as many ranks of one thread
  apart  as many processes at once that do not talk, each on its share of the batch: what a rank's own work takes while
         the others do theirs; a rank waits for the slowest
  constants: meetings, sums and copies, by the number of ranks

A step on N ranks takes
  T(N) = step(batch / N) + copies(n) + meeting(N) + sum(n, N)
of which `step` is the slowest of N apart, n the floats that are summed (parameters, and a few), and the other three are
interpolated between sizes measured with as many ranks. Nothing is fitted to the steps that are predicted."""
import json
import statistics
import sys
from math import ceil, log2

# Two networks that were not measured here: latency of a message in ms, bytes a ms of one link.
NETWORKS = {"10 Gbit/s Ethernet, 30 us": (0.030, 1.1e6), "100 Gbit/s, 3 us": (0.003, 11e6)}
MOST_RANKS = 1024


def read(path):
    kind, rows = None, []
    for line in open(path):
        if line.startswith("#"):
            kind = line[1:].split()
        elif line.startswith("{"):
            rows.append(dict(json.loads(line), kind=kind[0], of=kind[1], n=int(kind[2]) if len(kind) > 2 else 0))
    return rows


def median_of(rows, **what):
    found = [r["median_ms"] for r in rows if all(r[k] == v for k, v in what.items())]
    return statistics.median(found) if found else None


def slowest(rows, case, n):
    """Of each round of n processes apart the slowest; the median over rounds."""
    all_ms = [r["median_ms"] for r in rows if r["kind"] == "apart" and r["of"] == case and r["n"] == n]
    rounds = [max(all_ms[i : i + n]) for i in range(0, len(all_ms), n)]
    return statistics.median(rounds) if rounds else None


def interpolated(rows, case, ranks, floats):
    """Between the two sizes about it, in proportion; beyond the last by its rate."""
    points = sorted((r["floats"], r["median_ms"]) for r in rows if r["case"] == case and r["ranks"] == ranks)
    for (a, x), (b, y) in zip(points, points[1:]):
        if a <= floats <= b:
            return x + (y - x) * (floats - a) / (b - a)
    return points[-1][1] * floats / points[-1][0]


def predicted(rows, case, n, floats):
    step = slowest(rows, case, n)
    return step and step + interpolated(rows, "copies", n, floats) + interpolated(rows, "sum", n, floats)


def compare(rows, cases):
    print("| case | ranks | one process, as many threads, ms | ranks of one thread, ms | threads / ranks | efficiency | "
          "model, ms | off |\n|---|---|---|---|---|---|---|---|")
    worst = 0
    for case in cases:
        one = median_of(rows, kind="alone", of=case, n=1)
        for n in (2, 4, 8, 16):
            ranks, threads = median_of(rows, kind="ranks", of=case, n=n), median_of(rows, kind="alone", of=case, n=n)
            if not ranks:
                continue
            floats = next(r["parameters"] for r in rows if r["kind"] == "ranks" and r["of"] == case)
            model = predicted(rows, case, n, floats)
            off = model / ranks - 1 if model else float("nan")
            worst = max(worst, abs(off))
            print(f"| {case} | {n} | {threads:.1f} | {ranks:.1f} | {threads / ranks:.2f} | {one / n / ranks:.2f} | "
                  f"{model:.1f} | {100 * off:+.0f} % |")
    print(f"\nThe model is off by {100 * worst:.0f} % at most.\n")


def fitted_step(rows, case):
    """ms of a step without samples, and of a sample: from one process of one thread on the whole batch and on a
    sixteenth of it, as most of sixteen apart took for that."""
    whole = next(r for r in rows if r["kind"] == "alone" and r["of"] == case and r["n"] == 1)
    share = [r for r in rows if r["kind"] == "apart" and r["of"] == case and r["n"] == 16]
    x1, y1 = whole["batch"], median_of(rows, kind="alone", of=case, n=1)
    x2, y2 = share[0]["batch"], statistics.median(r["median_ms"] for r in share)
    each = (y1 - y2) / (x1 - x2)
    return max(y1 - each * x1, 0), each


def across(floats, n, latency, rate):
    """Between hosts: a meeting is log2 N messages; of a sum every rank sends all others their stretch, twice, and a
    bucket of 65,536 floats a rank at a time."""
    bytes_sent = 2 * 4 * floats * (n - 1) / n
    buckets = ceil(floats / (65536 * n))
    messages = ceil(log2(n)) + 2 * buckets * (n - 1)
    return latency * messages + bytes_sent / rate, latency * messages > bytes_sent / rate


def table(rows, cases):
    for network, (latency, rate) in NETWORKS.items():
        print(f"\n{network}, one rank a host\n\n| case | ranks | samples a rank | step, ms | faster than one | limited by |"
              "\n|---|---|---|---|---|---|")
        for case in cases:
            batch = next(r["batch"] for r in rows if r["kind"] == "alone" and r["of"] == case)
            floats = next(r["parameters"] for r in rows if r["kind"] == "alone" and r["of"] == case)
            fixed, each = fitted_step(rows, case)
            n = 2
            while n <= MOST_RANKS and batch % n == 0:
                talk, by_latency = across(floats, n, latency, rate)
                work = each * batch / n
                copies = interpolated(rows, "copies", 2, floats)
                total = fixed + work + copies + talk
                parts = {"samples": work, "the update, on every rank": fixed + copies,
                         "latency" if by_latency else "bandwidth": talk}
                print(f"| {case} | {n} | {batch // n} | {total:.2f} | {(fixed + each * batch) / total:.1f} | "
                      f"{max(parts, key=parts.get)} |")
                n *= 2 if n < 64 else 4
            if n <= MOST_RANKS:
                print(f"| {case} | {n} and more | - | - | - | the batch has {batch} samples |")


def main():
    rows = read(sys.argv[1])
    cases = [c for c in ("m1", "eis8192", "ecl") if any(r["of"] == c and r["kind"] == "ranks" for r in rows)]
    compare(rows, cases)
    table(rows, cases)


if __name__ == "__main__":
    main()

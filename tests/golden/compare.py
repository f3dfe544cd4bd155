#!/usr/bin/env python3
"""How far itransformer.py is from golden files, this folder's or the published program's.

Distances are norm of the difference over norm of what the file expects, or relative for losses and gradient norms; the
largest of each kind, with the model in float32 and in float64. More than 1e-6 is a failure."""
import argparse
import csv
import datetime
import json
import sys

import numpy as np
import torch

import series
from itransformer import Sizes, gradients, model_with, parameters_of, train

ALLOWED = 1e-6


def apart(got, expected):
    """Of arrays, or the largest of named ones. A key bias has the gradient zero, all else is rounding."""
    if isinstance(expected, dict):
        return max(apart(got[name], a) for name, a in expected.items() if not name.endswith("key_projection.bias"))
    got, expected = np.ravel(got).astype(np.float64), np.ravel(expected).astype(np.float64)
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


def under(arrays, prefix):
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def compare_case(arrays, dtype):
    model = model_with(Sizes.of(arrays["config"]), under(arrays, "param/"), dtype)
    out, maps, loss, grad = gradients(model, arrays["x"], arrays.get("x_mark"), arrays["y"])
    return {"out": apart(out, arrays["out"]), "loss": apart(loss, arrays["loss"]),
            "attention": apart(maps[0], arrays["attn0"]), "gradients": apart(grad, under(arrays, "grad/"))}


def etth1(path):
    with open(path) as file:
        rows = list(csv.reader(file))[1:]
    times = [datetime.datetime.fromisoformat(row[0]) for row in rows]
    values = np.array([row[1:] for row in rows], np.float64)
    return Sizes(32, 7, 4, 96, 24, 64, 4, 128, 2), values, times, 8640, 1e-3, 1.0


def own_series(a):
    times = series.hours_from(a["start"][0], len(a["series"]))
    return Sizes.of(a["config"]), a["series"], times, *(a[name][0] for name in ("train_rows", "lr", "grad_clip"))


def compare_steps(arrays, dtype, path):
    sizes, values, times, train_rows, lr, clip = own_series(arrays) if "series" in arrays else etth1(path)
    scaled, marks = series.standardised(values, train_rows), series.marks_of(times)
    batches = list(series.batches(scaled, marks, sizes, len(arrays["losses"])))
    model = model_with(sizes, under(arrays, "param0/"), dtype)
    losses, norms = zip(*train(model, batches, lr, clip))
    first = {name: apart(got, arrays[name]) for name, got in zip(("x_first", "x_mark_first", "y_first"), batches[0])}
    return first | {"losses": np.max(np.abs(np.array(losses) / arrays["losses"] - 1)),
                    "norms": np.max(np.abs(np.array(norms) / arrays["grad_norms"] - 1)),
                    "parameters": apart(parameters_of(model), under(arrays, "param60/"))}


def shaped(value):
    return value and np.array(value["data"], np.float32).reshape(value["shape"])


def compare_small(case, dtype):
    c, batch = case["config"], [shaped(case[name]) for name in ("x", "x_mark", "y")]
    names = ("batch", "n_variates", "n_marks", "seq_len", "pred_len", "d_model", "n_heads", "d_ff", "e_layers")
    sizes = Sizes(*(c[name] for name in names), bool(c["use_norm"]), c["activation"] == "gelu")
    model = model_with(sizes, {name: shaped(p) for name, p in case["params"].items()}, dtype)
    out, maps, _, grad = gradients(model, *batch)
    steps = [(loss, parameters_of(model)) for loss, _ in train(model, [batch] * 3, c["lr"])]
    losses = [loss for loss, _ in steps] + [gradients(model, *batch)[2]]
    return {"out": apart(out, case["eval_output"]["data"]),
            "losses": apart(losses, case["train_losses_before_each_of_3_adam_steps_then_after"]),
            "attention": max(apart(got, m["data"]) for got, m in zip(maps, case["eval_attention"], strict=True)),
            "gradients": apart(grad, case["grads_step1"]),
            "parameters, step 1": apart(steps[0][1], case["params_after_step1"]),
            "parameters, step 3": apart(steps[2][1], case["params_after_step3"])}


def compare(path, dtype, etth1_path):
    if path.endswith(".json"):
        with open(path) as file:
            return [(case["name"], compare_small(case, dtype)) for case in json.load(file)["cases"]]
    arrays = dict(np.load(path))
    return [("", compare_steps(arrays, dtype, etth1_path) if "losses" in arrays else compare_case(arrays, dtype))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--etth1", metavar="CSV", help="the series of a file of sixty steps that holds none")
    torch.set_num_threads(1)  # sums in one order
    options, failed = parser.parse_args(), False
    print(f"torch {torch.__version__}, numpy {np.__version__}")
    for path in options.files:
        for dtype in (torch.float32, torch.float64):
            for name, distances in compare(path, dtype, options.etth1):
                told = "  ".join(f"{what} {d:.2g}" for what, d in distances.items())
                print(path, name, str(dtype).removeprefix("torch."), told)
                failed = failed or not max(distances.values()) <= ALLOWED
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

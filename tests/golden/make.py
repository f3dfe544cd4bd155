#!/usr/bin/env python3
"""Makes this folder's golden files: make.py [FOLDER]. Needs PyTorch; README.md has the version and what is in them.

Parameters and inputs are float32 numbers of PCG64 with the seeds below; what a model has to give for them is computed
in float64 and then rounded, so that a distance from it is the error of whoever is compared."""
import json
import math
import pathlib
import sys

import numpy as np
import torch

import series
from itransformer import ITransformer, Sizes, gradients, model_with, parameters_of, train

# batch, columns, marks, seq_len, pred_len, d_model, n_heads, d_ff, e_layers, use_norm, gelu
CASES = {
    "base": Sizes(3, 7, 4, 36, 12, 24, 3, 44, 2),
    "nomark": Sizes(2, 5, 0, 40, 9, 20, 2, 36, 1),
    "nonorm_relu": Sizes(2, 3, 4, 36, 7, 16, 8, 16, 3, False, False),
    "many": Sizes(1, 61, 4, 24, 8, 24, 3, 40, 1),
}
SMALL = {
    "marks_norm_gelu": (Sizes(2, 3, 2, 6, 4, 8, 2, 10, 2), 1e-3),
    "nomarks_nonorm_relu_heads_not_dividing": (Sizes(2, 4, 0, 6, 4, 6, 4, 5, 1, False, False), 5e-4),
}
SIXTY = Sizes(16, 6, 4, 48, 12, 32, 4, 64, 2)
ROWS, HELD_ROWS, START = 1200, 80, 1707696000  # 80 for validation and 80 for test; from 2024-02-12, over a leap day
TRAIN_ROWS = ROWS - 2 * HELD_ROWS


def parameters(rng, sizes, moved):
    """Uniform within 1/sqrt(inputs), norms ones and zeros. `moved`: attention far from even, norms away from one."""
    out = {}
    for name, p in ITransformer(sizes).named_parameters():
        if "norm" in name:
            values = (1.0 if name.endswith("weight") else 0.0) + 0.1 * moved * rng.normal(size=p.shape)
        else:
            fan_in = p.shape[1] if name.endswith("weight") else fan_in  # a layer's bias follows its weight
            peak = 3 if moved and ("query" in name or "key" in name) else 1
            values = peak * rng.uniform(-1, 1, p.shape) / math.sqrt(fan_in)
        out[name] = values.astype(np.float32)
    return out


def inputs(rng, s):
    x = rng.normal(size=(s.batch, s.seq_len, s.columns)) * (3 if s.use_norm else 1) + rng.normal(size=s.columns)
    y = rng.normal(size=(s.batch, s.pred_len, s.columns))
    marks = rng.uniform(-0.5, 0.5, (s.batch, s.seq_len, s.marks)) if s.marks else None
    return [None if a is None else a.astype(np.float32) for a in (x, marks, y)]


def prefixed(prefix, arrays):
    return {prefix + name: np.asarray(array, np.float32) for name, array in arrays.items()}


def make_case(seed, sizes, constant_column):
    rng = np.random.Generator(np.random.PCG64(seed))
    param, (x, marks, y) = parameters(rng, sizes, True), inputs(rng, sizes)
    if constant_column is not None:
        x[:, :, constant_column] = 1.5  # a standard deviation of sqrt(1e-5)
    out, maps, loss, grad = gradients(model_with(sizes, param), x, marks, y)
    arrays = {"config": np.array(sizes.config()), "x": x} | ({} if marks is None else {"x_mark": marks})
    arrays |= {"y": y, "out": np.float32(out), "loss": np.float32([loss]), "attn0": np.float32(maps[0])}
    return arrays | prefixed("param/", param) | prefixed("grad/", grad)


def make_sixty(seed, lr=1e-3, clip=1.0):
    rng, s = np.random.Generator(np.random.PCG64(seed)), SIXTY
    param, values = parameters(rng, s, False), series.made_series(rng, ROWS, s.columns)
    (mean, std), time_marks = series.scaler(values, TRAIN_ROWS), series.marks_of(series.hours_from(START, ROWS))
    scaled = series.standardised(values, TRAIN_ROWS)
    batches = list(series.batches(scaled, time_marks, s, 60))
    model = model_with(s, param)
    losses, norms = zip(*train(model, batches, lr, clip))
    trained = prefixed("", parameters_of(model))
    x, marks, y = series.windows(scaled, time_marks, s, ROWS - HELD_ROWS - s.seq_len, HELD_ROWS - s.pred_len + 1)
    test_out = gradients(model_with(s, trained), x, marks, y)[0]
    test_errors = np.array([np.mean((test_out - y) ** 2), np.mean(np.abs(test_out - y))])
    x, marks, y = batches[0]
    arrays = {"config": np.array(s.config()), "train_rows": np.array([TRAIN_ROWS]), "start": np.array([START]),
              "lr": np.array([lr]), "grad_clip": np.array([clip]), "series": np.float32(values), "marks": time_marks,
              "mean": mean, "std": std, "x_first": x, "x_mark_first": marks, "y_first": y,
              "losses": np.array(losses), "grad_norms": np.array(norms), "test_out": np.float32(test_out),
              "test_errors": test_errors}
    return arrays | prefixed("param0/", param) | prefixed("param60/", trained)


def listed(array):
    """float32 in nine digits, which name it exactly."""
    return [float(f"{v:.9g}") for v in np.float32(array).ravel()]


def all_listed(arrays):
    return {name: listed(array) for name, array in arrays.items()}


def shaped(array):
    return None if array is None else {"shape": list(array.shape), "data": listed(array)}


def make_small(seed, name, s, lr):
    rng = np.random.Generator(np.random.PCG64(seed))
    param, batch = parameters(rng, s, True), inputs(rng, s)
    model = model_with(s, param)
    out, maps, _, grad = gradients(model, *batch)
    steps = [(loss, parameters_of(model)) for loss, _ in train(model, [batch] * 3, lr)]
    losses = [loss for loss, _ in steps] + [gradients(model, *batch)[2]]
    config = {"seq_len": s.seq_len, "pred_len": s.pred_len, "n_variates": s.columns, "n_marks": s.marks,
              "batch": s.batch, "d_model": s.d_model, "n_heads": s.n_heads, "e_layers": s.e_layers, "d_ff": s.d_ff,
              "activation": "gelu" if s.gelu else "relu", "use_norm": int(s.use_norm), "dropout": 0, "lr": lr}
    x, marks, y = map(shaped, batch)
    return {"name": name, "config": config, "params": {n: shaped(p) for n, p in param.items()},
            "x": x, "x_mark": marks, "y": y, "eval_output": shaped(out), "eval_attention": [shaped(m) for m in maps],
            "train_losses_before_each_of_3_adam_steps_then_after": listed(losses), "grads_step1": all_listed(grad),
            "params_after_step1": all_listed(steps[0][1]), "params_after_step3": all_listed(steps[2][1])}


def json_text(value, indent=0):
    """A list of numbers on one line, everything else a line each."""
    if not isinstance(value, (dict, list)) or not value or isinstance(value, list) and not isinstance(value[0], dict):
        return json.dumps(value)
    keys = [json.dumps(k) + ": " for k in value] if isinstance(value, dict) else [""] * len(value)
    items = value.values() if isinstance(value, dict) else value
    inner = ",".join(f"\n{' ' * (indent + 1)}{key}{json_text(item, indent + 1)}" for key, item in zip(keys, items))
    return "{}{}\n{}{}".format("[{"[isinstance(value, dict)], inner, " " * indent, "]}"[isinstance(value, dict)])


def main(folder):
    torch.set_num_threads(1)  # sums in one order
    for seed, (name, sizes) in enumerate(CASES.items(), 101):
        arrays = make_case(seed, sizes, 3 if name == "base" else None)
        np.savez_compressed(folder / f"itransformer_{name}.npz", **arrays)
    np.savez_compressed(folder / "itransformer_adam60.npz", **make_sixty(201))
    small = [make_small(seed, name, *case) for seed, (name, case) in enumerate(SMALL.items(), 301)]
    about = f"made by tests/golden/make.py, torch {torch.__version__}, numpy {np.__version__}"
    (folder / "itransformer_cases.json").write_text(json_text({"about": about, "cases": small}) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))

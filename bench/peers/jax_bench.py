#!/usr/bin/env python3
"""What `tidemill bench --against` compares with: the same models, sizes and training step in JAX, one jit of the whole step.

    python3 jax_bench.py [--device cpu|cuda] [--threads N] [--cases etth1,m1,...] [--modes compile,compile-amp] [--seconds S]

A step is forward with dropout, loss, backward, gradients clipped to norm 1 and AdamW with rate 1e-3, on data that stay in
memory; parameters and moments are donated. The cases predict1, predict64 and predict1024 are answers to so many windows, told
as steps. Modes, by the names that the PyTorch script has for what is nearest: compile (f32)
and compile-amp (operands and results of products in bf16; norms, softmax, loss, moments and parameters in f32); others are
left out. Products in f32 have the precision "highest": XLA's default on NVIDIA GPUs would be TF32. Prints JAX's version, then
one JSON object a line for each case and mode: median and minimum of the steps after warm-up, each waited for; the time to the
end of the first one with compiling; peak_mib, what the compiled step holds by XLA's own account; the p50 and p95 of one
answer. On cuda also queued_ms, a step of so many that are queued before a single wait.

--check compares losses and the clipped AdamW step without dropout with torch_bench.py's on the same parameters."""
import functools
import math
import os
import sys
import time

from common import (CASES, CLASSES, CLIP, DECAY, HEADS, MARKS, PARAMETERS, PRED, RATE, SEQ, Forecast, Impedance, answer_figures,
                    parse_options, print_cases, print_line, step_figures)

OPTIONS = parse_options(__doc__, [("--check", "compare with PyTorch instead")])
# Both are read when JAX starts: how many threads XLA has on the CPU, and not to take three quarters of a GPU that others use too.
if OPTIONS.threads:
    os.environ["NPROC"] = str(OPTIONS.threads)
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
import jax  # noqa: E402
from jax import numpy as jnp, random  # noqa: E402

MODES = {"compile": jnp.float32, "compile-amp": jnp.bfloat16}
BETA1, BETA2, ADAM_EPS, NORM_EPS, CLIP_EPS = 0.9, 0.999, 1e-8, 1e-5, 1e-6


# Parameters are named and laid out as PyTorch's: a linear map's weights are (out, in).

def linear_shapes(name, wide, narrow):
    return {f"{name}.weight": (narrow, wide), f"{name}.bias": (narrow,)}


def norm_shapes(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def forecast_shapes(sizes):
    width, inner = sizes.width, sizes.inner
    shapes = linear_shapes("embedding", SEQ, width)
    for layer in (f"layers.{i}" for i in range(sizes.layers)):
        for part in ("query", "key", "value", "out"):
            shapes |= linear_shapes(f"{layer}.{part}", width, width)
        shapes |= linear_shapes(f"{layer}.widen", width, inner) | linear_shapes(f"{layer}.narrow", inner, width)
        shapes |= norm_shapes(f"{layer}.after_attention", width) | norm_shapes(f"{layer}.after_map", width)
    return shapes | norm_shapes("last_norm", width) | linear_shapes("projector", width, PRED)


def impedance_shapes(sizes):
    hidden = sizes.hidden
    shapes = linear_shapes("encoder.0", 2 * PARAMETERS, hidden) | linear_shapes("encoder.3", hidden, hidden // 2)
    shapes |= linear_shapes("encoder.6", hidden // 2, 128)
    for head in (f"heads.{i}" for i in range(PARAMETERS)):
        shapes |= linear_shapes(f"{head}.0", 128, 64) | linear_shapes(f"{head}.3", 64, CLASSES)
    return shapes | linear_shapes("norm.0", 128, 64) | linear_shapes("norm.2", 64, 1)


def first_values(key, shapes):
    """Uniform within 1 / sqrt(inputs); a norm begins as the identity."""
    def value(key, name, shape):
        module, kind = name.rsplit(".", 1)
        matrix = shapes[f"{module}.weight"]
        if len(matrix) == 1:
            return jnp.full(shape, 1.0 if kind == "weight" else 0.0)
        bound = 1 / math.sqrt(matrix[1])
        return random.uniform(key, shape, minval=-bound, maxval=bound)

    keys = random.split(key, len(shapes))
    return {name: value(one, name, shape) for one, (name, shape) in zip(keys, shapes.items())}


class Net:
    """Parameters, the type of products' operands, and keys for dropout; key None: without."""

    def __init__(self, params, dtype, key):
        self.params, self.dtype, self.key = params, dtype, key

    def linear(self, name, x):
        product = jnp.dot(x.astype(self.dtype), self.params[f"{name}.weight"].T.astype(self.dtype))
        return product.astype(jnp.float32) + self.params[f"{name}.bias"]

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdims=True)
        scale = jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + NORM_EPS)
        return centred * scale * self.params[f"{name}.weight"] + self.params[f"{name}.bias"]

    def dropout(self, x, rate):
        if self.key is None:
            return x
        self.key, key = random.split(self.key)
        return jnp.where(random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def attention(net, name, x, rate):
    batch, tokens, width = x.shape
    split = [net.linear(f"{name}.{part}", x).reshape(batch, tokens, HEADS, width // HEADS) for part in ("query", "key", "value")]
    query, key, value = [part.astype(net.dtype) for part in split]
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key).astype(jnp.float32) / math.sqrt(width // HEADS)
    weights = net.dropout(jax.nn.softmax(scores, -1), rate).astype(net.dtype)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
    return net.linear(f"{name}.out", mixed.reshape(batch, tokens, width))


def transformer(net, sizes, values, marks):
    """Each variate's window, standardised, is a token; so is each mark's."""
    rate, middle = sizes.dropout, values.mean(1, keepdims=True)
    centred = values - middle
    spread = jnp.sqrt(jnp.square(centred).mean(1, keepdims=True) + NORM_EPS)
    tokens = jnp.concatenate([centred / spread, marks], -1).transpose(0, 2, 1)
    x = net.dropout(net.linear("embedding", tokens), rate)
    for layer in (f"layers.{i}" for i in range(sizes.layers)):
        x = net.norm(f"{layer}.after_attention", x + net.dropout(attention(net, layer, x, rate), rate))
        hidden = net.dropout(jax.nn.gelu(net.linear(f"{layer}.widen", x), approximate=False), rate)
        x = net.norm(f"{layer}.after_map", x + net.dropout(net.linear(f"{layer}.narrow", hidden), rate))
    ahead = net.linear("projector", net.norm("last_norm", x)).transpose(0, 2, 1)[..., : values.shape[-1]]
    return ahead * spread + middle


def predictor(net, sizes, x):
    first, second, last = sizes.dropout
    x = net.dropout(jax.nn.relu(net.linear("encoder.0", x)), first)
    x = net.dropout(jax.nn.relu(net.linear("encoder.3", x)), second)
    code = net.linear("encoder.6", x)
    heads = [net.linear(f"heads.{i}.3", net.dropout(jax.nn.relu(net.linear(f"heads.{i}.0", code)), last)) for i in range(PARAMETERS)]
    return jnp.stack(heads, 1), net.linear("norm.2", jax.nn.relu(net.linear("norm.0", code)))[:, 0]


def forecast_loss(answer, truth):
    return jnp.square(answer - truth[0]).mean()


def impedance_loss(answer, truth):
    (logits, norm), (label, missing, target) = answer, truth
    entropy = -jnp.take_along_axis(jax.nn.log_softmax(logits), label[..., None], -1)[..., 0]
    return (entropy * missing).sum() / missing.sum() + jnp.square(norm - target).mean() / 2


def forecast_data(sizes, key):
    b, n, keys = sizes.batch, sizes.columns, random.split(key, 3)
    return ((random.normal(keys[0], (b, SEQ, n)), random.normal(keys[1], (b, SEQ, MARKS))), (random.normal(keys[2], (b, PRED, n)),))


def impedance_data(sizes, key):
    b, keys = sizes.batch, random.split(key, 4)
    missing = random.bernoulli(keys[1], 0.5, (b, PARAMETERS)).astype(jnp.float32)
    label = random.randint(keys[2], (b, PARAMETERS), 0, CLASSES)
    return (random.normal(keys[0], (b, 2 * PARAMETERS)),), (label, missing, random.normal(keys[3], (b,)))


KINDS = {Forecast: (transformer, forecast_shapes, forecast_data, forecast_loss),
         Impedance: (predictor, impedance_shapes, impedance_data, impedance_loss)}


def loss_fn(sizes, dtype):
    model, _, _, loss_of = KINDS[type(sizes)]
    return lambda params, key, inputs, truth: loss_of(model(Net(params, dtype, key), sizes, *inputs), truth)


def first_state(params, key):
    """Parameters, both moments, steps done and the key of the next step's dropout."""
    zeros = [{name: jnp.zeros_like(x) for name, x in params.items()} for _ in range(2)]
    return params, *zeros, jnp.zeros((), jnp.int32), key


def adamw(params, first, second, grads, count):
    """As torch.optim.AdamW: the decay first, then a step along the moments without their bias."""
    first = {name: BETA1 * first[name] + (1 - BETA1) * g for name, g in grads.items()}
    second = {name: BETA2 * second[name] + (1 - BETA2) * g * g for name, g in grads.items()}
    from_zero1, from_zero2 = 1 - BETA1**count, 1 - BETA2**count
    params = {name: x * (1 - RATE * DECAY) - RATE * (first[name] / from_zero1) / (jnp.sqrt(second[name] / from_zero2) + ADAM_EPS)
              for name, x in params.items()}
    return params, first, second


def step_fn(loss):
    def step(state, inputs, truth):
        params, first, second, count, key = state
        here = None
        if key is not None:
            key, here = random.split(key)
        value, grads = jax.value_and_grad(loss)(params, here, inputs, truth)
        norm = jnp.sqrt(sum(jnp.square(g).sum() for g in grads.values()))
        shrink = jnp.minimum(1.0, CLIP / (norm + CLIP_EPS))
        grads = {name: g * shrink for name, g in grads.items()}
        return (*adamw(params, first, second, grads, count + 1), count + 1, key), value

    return jax.jit(step, donate_argnums=0)


def held_mib(compiled):
    """What it is given, gives back and needs between; what is donated counts once. 0: not told."""
    m = compiled.memory_analysis()
    return (m.argument_size_in_bytes + m.output_size_in_bytes + m.temp_size_in_bytes - m.alias_size_in_bytes) / 2**20 if m else 0


def measure_answers(sizes, mode, queues, budget_s):
    dtype = MODES[mode]
    model, shapes_of, data, _ = KINDS[type(sizes)]
    began = time.perf_counter()
    with jax.default_matmul_precision("highest" if dtype == jnp.float32 else "default"):
        question, _ = data(sizes, random.key(1))
        params, answer = first_values(random.key(2), shapes_of(sizes)), None
        compiled = jax.jit(lambda params, question: model(Net(params, dtype, None), sizes, *question)).lower(params, question).compile()

        def ask():
            nonlocal answer
            answer = compiled(params, question)

        def wait():
            jax.block_until_ready(answer)

        ask()
        wait()
        first_s = time.perf_counter() - began
        return {**step_figures(ask, wait, budget_s, queues), "first_s": first_s, "peak_mib": held_mib(compiled)}


def measure(sizes, mode, queues, budget_s):
    if sizes.answers:
        return measure_answers(sizes, mode, queues, budget_s)
    dtype = MODES[mode]
    model, shapes_of, data, _ = KINDS[type(sizes)]
    began = time.perf_counter()
    with jax.default_matmul_precision("highest" if dtype == jnp.float32 else "default"):
        inputs, truth = data(sizes, random.key(1))
        state = first_state(first_values(random.key(2), shapes_of(sizes)), random.key(3, impl="rbg"))
        compiled = step_fn(loss_fn(sizes, dtype)).lower(state, inputs, truth).compile()

        def step():
            nonlocal state
            state, _ = compiled(state, inputs, truth)

        def wait():
            jax.block_until_ready(state)

        step()
        wait()
        first_s = time.perf_counter() - began
        figures = {**step_figures(step, wait, budget_s, queues), "first_s": first_s, "peak_mib": held_mib(compiled)}
        params, question = state[0], [x[:1] for x in inputs]
        ask = jax.jit(lambda params, question: model(Net(params, dtype, None), sizes, *question))
        return {**figures, **answer_figures(lambda: jax.block_until_ready(ask(params, question)))}


def check(name, sizes, steps=3):
    """Without dropout, on PyTorch's parameters and data: relative differences of the losses before each step."""
    import dataclasses

    import torch
    import torch_bench

    sizes = dataclasses.replace(sizes, dropout=0.0 if isinstance(sizes, Forecast) else (0.0, 0.0, 0.0))
    make, data, loss_of = torch_bench.KINDS[type(sizes)]
    torch.manual_seed(1)
    model, (inputs, truth) = make(sizes), data(sizes)
    state = first_state({key: jnp.array(x.detach().numpy()) for key, x in model.named_parameters()}, None)
    batch = [[jnp.array(x.numpy()) for x in part] for part in (inputs, truth)]
    step, adam, differences = step_fn(loss_fn(sizes, jnp.float32)), torch_bench.optimizer(model, False, False), []
    for _ in range(steps):
        adam.zero_grad()
        theirs = loss_of(model(*inputs), truth)
        theirs.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adam.step()
        with jax.default_matmul_precision("highest"):
            state, ours = step(state, *batch)
        differences.append(abs(float(ours) - theirs.item()) / theirs.item())
    print_line({"case": name, "loss": theirs.item(), "differences": differences})
    return max(differences) < 1e-5


def main():
    platform, _, index = OPTIONS.device.partition(":")
    device = jax.devices(platform)[int(index or 0)]
    jax.config.update("jax_default_device", device)
    cases = OPTIONS.cases.split(",")
    if OPTIONS.check:
        sys.exit(0 if all([check(name, CASES[name]) for name in cases]) else 1)
    jnp.zeros(1).block_until_ready()  # starting the device is no part of a first step
    print_line({"jax": jax.__version__, "device": OPTIONS.device, "hardware": device.device_kind, "threads": OPTIONS.threads})
    modes = [mode for mode in OPTIONS.modes.split(",") if mode in MODES] if OPTIONS.modes else MODES
    print_cases(cases, modes, functools.partial(measure, queues=platform == "cuda", budget_s=OPTIONS.seconds), jax.clear_caches)


if __name__ == "__main__":
    main()

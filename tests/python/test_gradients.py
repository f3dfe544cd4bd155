"""Derivatives of every differentiable operation against central differences in float64."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import tidemill as tm

settings.register_profile("quick", max_examples=4, deadline=None, derandomize=True)
settings.load_profile("quick")

POSITIVE = ("sqrt", "rsqrt", "log", "log1p", "reciprocal")
# name: (function of values, shapes of its operands)
CASES = {name: (lambda x, name=name: getattr(tm, name)(x), [(2, 3)]) for name in
         ["neg", "abs", "square", "reciprocal", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf", "relu",
          "gelu", "sigmoid", "softplus", "silu"]}
CASES |= {
    "add": (lambda a, b: a + b, [(2, 3), (3,)]), "sub": (lambda a, b: a - b, [(1, 3), (2, 1)]), "mul": (lambda a, b: a * b, [(2, 3), ()]),
    "div": (lambda a, b: a / (b * b + 1), [(2, 3), (2, 1)]), "pow": (lambda a, b: (a * a + 0.5) ** b, [(3,), (2, 3)]),
    "maximum": (tm.maximum, [(2, 3), (3,)]), "minimum": (tm.minimum, [(2, 3), (3,)]), "clamp": (lambda x: x.clamp(-0.7, 0.6), [(2, 5)]),
    "where": (lambda a, b: tm.where(a > b, a * 2, b), [(2, 3), (2, 3)]), "cast": (lambda x: x.cast("f64") * x, [(3,)]),
    "sum": (lambda x: x.sum(0), [(3, 2)]), "mean": (lambda x: x.mean(-1, True), [(3, 2)]), "max": (lambda x: x.max(1), [(3, 4)]),
    "min": (lambda x: x.min(), [(3, 4)]), "variance": (lambda x: x.variance(1), [(2, 5)]), "logsumexp": (lambda x: x.logsumexp(0), [(4, 2)]),
    "cumsum": (lambda x: x.cumsum(0), [(4, 2)]), "matmul": (lambda a, b: a @ b, [(2, 3, 4), (4, 2)]), "vector": (lambda a, b: a @ b, [(4,), (4,)]),
    "reshape": (lambda x: x.reshape((3, 2)), [(2, 3)]), "permute": (lambda x: x.permute([2, 0, 1]), [(2, 3, 2)]),
    "broadcast": (lambda x: x.broadcast((4, 3)), [(1, 3)]), "index": (lambda x: x[1:, ::-1, None] * x[0, 0], [(3, 4)]),
    "rows": (lambda x: x[:, [0, 0, 2]], [(2, 3)]), "concat": (lambda a, b: tm.concat([a, b, a], 1), [(2, 2), (2, 1)]),
    "stack": (lambda a, b: tm.stack([a, b], -1), [(2,), (2,)]), "split": (lambda x: tm.split(x, 0, 2)[0] * tm.split(x, 0, 2)[1], [(4, 2)]),
    "pad": (lambda x: x.pad(0, 1, 2, 3.0), [(2, 2)]), "gather": (lambda x: tm.gather(x, 0, [2, 0, 2]), [(3, 2)]),
    "scatter_add": (lambda a, b: tm.scatter_add(a, 0, [1, 1], b), [(3, 2), (2, 2)]),
    "take_along": (lambda x: tm.take_along(x, 1, [[1, 1], [0, 2]]), [(2, 3)]), "windows": (lambda x: tm.windows(x, [0, 1], 3), [(4, 2)]),
    "sort": (lambda x: tm.sort(x)[0], [(2, 4)]), "top_k": (lambda x: tm.top_k(x, 2)[0], [(2, 4)]),
    "softmax": (lambda x: x.softmax(0), [(3, 2)]), "log_softmax": (lambda x: x.log_softmax(), [(3, 4)]),
    "layer_norm": (lambda x, gain, offset: tm.layer_norm(x, gain, offset), [(2, 5), (5,), (5,)]),
    "attention": (lambda q, k, v: tm.attention(q, k, v), [(1, 2, 3, 4), (1, 2, 2, 4), (1, 2, 2, 3)]),
    "mse": (tm.mse, [(2, 3), (2, 3)]), "mae": (tm.mae, [(2, 3), (2, 3)]), "huber": (lambda a, b: tm.huber(a, b, 0.5), [(2, 3), (2, 3)]),
    "quantile_loss": (lambda a, b: tm.quantile_loss(a, b, 0.3), [(2, 3), (2, 3)]),
    "cross_entropy": (lambda x: tm.cross_entropy(x, [2, 0]), [(2, 3)]), "bce_logits": (lambda x: tm.bce_logits(x, x.sigmoid().stop_gradient() * 0 + 0.3), [(2, 3)]),
    "global_norm": (lambda a, b: tm.global_norm([a, b]), [(2,), (3,)]),
}


def kept_apart(rng, shapes):
    """Numbers no two of which, nor 0, are within the step of a difference: kinks of abs and ties of max are elsewhere."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    total = sum(sizes)
    numbers = rng.permutation(np.r_[-total:0, 1:total + 1])[:total] / total * 1.7 + 0.013
    return [part.reshape(shape) for part, shape in zip(np.split(numbers, np.cumsum(sizes)[:-1]), shapes)]


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 2**32 - 1))
def test_against_central_differences(name, seed):
    function, shapes = CASES[name]
    rng = np.random.default_rng(seed)
    at = kept_apart(rng, shapes)
    if name in POSITIVE:
        at = [np.abs(x) + 0.2 for x in at]
    g = tm.Graph(dtype="f64")
    operands = [g.variable(f"x{i}", x) for i, x in enumerate(at)]
    out = function(*operands)
    weights = rng.normal(size=out.shape)
    loss = (out * g.constant(weights)).sum()
    program = g.compile([loss, *tm.grad(loss, operands)])
    found = tm.grad(loss, operands)
    step = 1e-6
    for x, v, d in zip(at, operands, found):
        expected = np.empty_like(x)
        for i in np.ndindex(x.shape):
            sides = []
            for sign in (1, -1):
                moved = x.copy()
                moved[i] += sign * step
                v.write(moved)
                program.run()
                sides.append(float(loss))
            expected[i] = (sides[0] - sides[1]) / (2 * step)
        v.write(x)
        np.testing.assert_allclose(np.asarray(d.read(now=True)), expected, rtol=2e-6, atol=2e-7)


def test_second_derivatives():
    g = tm.Graph(dtype="f64")
    x = g.variable("x", [0.3, -1.2])
    first, = tm.grad((x ** 2 * x).sum(), [x])
    second, = tm.grad(first.sum(), [x])
    np.testing.assert_allclose(second, 6 * np.asarray(x), rtol=1e-12)


def test_nothing_flows():
    g = tm.Graph(dtype="f64")
    x, y = g.variable("x", [1.0, 2.0]), g.variable("y", [3.0])
    dx, dy = tm.grad((x * x.stop_gradient()).sum(), [x, y])
    assert dx.tolist() == [1, 2] and dy.tolist() == [0]
    with pytest.raises(tm.InvalidError, match="scalar|one element"):
        tm.grad(x, [x])

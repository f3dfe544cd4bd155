"""Every operation against numpy, on shapes and numbers that hypothesis draws: empty, odd, broadcast, NaN, infinite."""
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hn

import tidemill as tm

settings.register_profile("quick", max_examples=12, deadline=None, derandomize=True)
settings.load_profile("quick")

SHAPES = hn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5) | st.just((3, 17)) | st.just((2, 33))
# Of elementary functions: a few units in the last place, of float32 and float64.
LOOSE = {"f32": 2e-6, "f64": 4e-15}
FLOATS = st.sampled_from(["f32", "f64"])
NUMPY = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "u8": np.uint8, "bool": np.bool_}


def numbers(dtype, low=-30.0, high=30.0, strange=True):
    """Elements within low .. high; NaN and infinities too, where asked."""
    width = 32 if dtype == "f32" else 64
    plain = st.floats(np.float32(low).item(), np.float32(high).item(), width=width, allow_subnormal=False)
    return plain | st.sampled_from([math.nan, math.inf, -math.inf, 0.0]) if strange else plain


def drawn(data, shape, dtype, **how):
    return data.draw(hn.arrays(NUMPY[dtype], shape, elements=numbers(dtype, **how)))


def whole(data, shape, dtype="i32", low=-20, high=20):
    return data.draw(hn.arrays(NUMPY[dtype], shape, elements=st.integers(low, high)))


def same(value, expected, rtol=0.0, atol=0.0):
    """Shape, type and elements, NaN equal to NaN."""
    expected = np.asarray(expected)
    found = np.asarray(value)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)


def erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x) if x.size else x


def sigmoid(x):
    wide = x.astype(np.float64)
    return np.where(wide >= 0, 1 / (1 + np.exp(-np.abs(wide))), np.exp(-np.abs(wide)) / (1 + np.exp(-np.abs(wide)))).astype(x.dtype)


def softplus(x):
    return np.logaddexp(0, x.astype(np.float64)).astype(x.dtype)


# name: (numpy's, further limits of the numbers, exact)
UNARY = {
    "neg": (np.negative, {}, True), "abs": (np.abs, {}, True), "sign": (np.sign, {}, True), "square": (np.square, {}, True),
    "reciprocal": (lambda x: 1 / x, {}, False), "sqrt": (np.sqrt, {}, False), "rsqrt": (lambda x: 1 / np.sqrt(x), {"low": 0.125}, False),
    "exp": (np.exp, {}, False), "expm1": (np.expm1, {}, False), "log": (np.log, {}, False), "log1p": (np.log1p, {"low": -0.5}, False),
    "sin": (np.sin, {"strange": False}, False), "cos": (np.cos, {"strange": False}, False), "tanh": (np.tanh, {}, False),
    "erf": (erf, {}, False), "floor": (np.floor, {}, True), "ceil": (np.ceil, {}, True), "round": (np.rint, {}, True),
    "relu": (lambda x: np.maximum(x, 0), {}, True), "sigmoid": (sigmoid, {}, False), "softplus": (softplus, {}, False),
    "silu": (lambda x: x * sigmoid(x), {"strange": False}, False),
    "gelu": (lambda x: (x.astype(np.float64) / 2 * (1 + erf(x.astype(np.float64) / np.sqrt(2)))).astype(x.dtype), {"strange": False}, False),
    "is_finite": (np.isfinite, {}, True), "stop_gradient": (lambda x: x, {}, True),
}


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data(), dtype=FLOATS)
@np.errstate(all="ignore")
def test_unary(name, data, dtype):
    reference, limits, exact = UNARY[name]
    x = drawn(data, data.draw(SHAPES), dtype, **limits)
    g = tm.Graph()
    scale = 0 if exact else LOOSE[dtype]
    same(getattr(tm, name)(g.constant(x)), reference(x), rtol=scale, atol=scale)
    same(getattr(g.constant(x), name)(), reference(x), rtol=scale, atol=scale)


BINARY = {
    "add": (np.add, False), "sub": (np.subtract, False), "mul": (np.multiply, False), "div": (np.divide, False),
    "maximum": (np.maximum, False), "minimum": (np.minimum, False), "eq": (np.equal, False), "ne": (np.not_equal, False),
    "lt": (np.less, False), "le": (np.less_equal, False), "gt": (np.greater, False), "ge": (np.greater_equal, False),
}
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data(), dtype=FLOATS)
@np.errstate(all="ignore")
def test_binary_broadcasts(name, data, dtype):
    shapes = data.draw(hn.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, max_dims=3)).input_shapes
    a, b = (drawn(data, shape, dtype) for shape in shapes)
    g = tm.Graph()
    expected = BINARY[name][0](a, b)
    same(getattr(tm, name)(g.constant(a), g.constant(b)), expected)
    if name in SYMBOLS:
        same(eval(f"x {SYMBOLS[name]} y", {"x": g.constant(a), "y": g.constant(b)}), expected)
        same(eval(f"x {SYMBOLS[name]} y", {"x": g.constant(a), "y": b}), expected)
        same(eval(f"x {SYMBOLS[name]} y", {"x": a, "y": g.constant(b)}), expected)


@pytest.mark.parametrize("name", SYMBOLS)
@given(data=st.data(), dtype=FLOATS, number=st.integers(-9, 9) | st.floats(-8, 8, width=32))
@np.errstate(all="ignore")
def test_python_numbers_take_the_type(name, data, dtype, number):
    x = drawn(data, data.draw(SHAPES), dtype)
    g = tm.Graph()
    operator = f"x {SYMBOLS[name]} y"
    same(eval(operator, {"x": g.constant(x), "y": number}), eval(operator, {"x": x, "y": NUMPY[dtype](number)}))
    same(eval(operator, {"x": number, "y": g.constant(x)}), eval(operator, {"x": NUMPY[dtype](number), "y": x}))


@given(data=st.data(), dtype=st.sampled_from(["i32", "i64"]))
def test_integers(data, dtype):
    shape = data.draw(SHAPES)
    a, b = whole(data, shape, dtype), whole(data, shape, dtype)
    g = tm.Graph()
    x, y = g.constant(a), g.constant(b)
    same(x + y, a + b), same(x - y, a - b), same(x * y, a * b), same(abs(x), np.abs(a)), same(-x, -a)
    b = np.where(b == 0, 1, b).astype(a.dtype)
    y = g.constant(b)
    same(x // y, a // b), same(x % y, a % b)
    same(tm.div(x, y), np.trunc(a / b).astype(a.dtype))
    with pytest.raises(tm.InvalidError, match="//"):
        x / y
    same(g.constant([7, -7]) // g.constant([0, 0]), np.zeros(2, np.int32))


@given(data=st.data(), dtype=FLOATS)
def test_powers_and_remainders(data, dtype):
    shape = data.draw(SHAPES)
    a, b = drawn(data, shape, dtype, low=0.125, high=9, strange=False), drawn(data, shape, dtype, low=-3, high=3, strange=False)
    g = tm.Graph()
    x, y = g.constant(a), g.constant(b)
    rtol = 20 * LOOSE[dtype]
    same(x ** y, a ** b, rtol), same(tm.pow(x, y), a ** b, rtol), same(x ** 2, a * a, rtol), same(2.0 ** y, 2 ** b, rtol)
    same(y // x, np.floor(b / a)), same(y % x, b - np.floor(b / a) * a, atol=1e-5 if dtype == "f32" else 1e-14)


@given(data=st.data())
def test_bools(data):
    shape = data.draw(SHAPES)
    a, b = (data.draw(hn.arrays(np.bool_, shape)) for _ in "ab")
    g = tm.Graph()
    x, y = g.constant(a), g.constant(b)
    same(x & y, a & b), same(x | y, a | b), same(x ^ y, a ^ b), same(~x, ~a)
    same(tm.logical_and(x, y), a & b), same(tm.logical_or(x, y), a | b), same(tm.logical_not(x), ~a)
    same(x & True, a), same(False | x, a)


@given(data=st.data(), dtype=FLOATS)
def test_where_clamp_cast(data, dtype):
    shape = data.draw(SHAPES)
    a, b = drawn(data, shape, dtype), drawn(data, shape, dtype)
    mask = data.draw(hn.arrays(np.bool_, shape))
    g = tm.Graph()
    same(tm.where(g.constant(mask), g.constant(a), g.constant(b)), np.where(mask, a, b))
    same(tm.where(g.constant(mask), g.constant(a), 0), np.where(mask, a, NUMPY[dtype](0)))
    same(tm.clamp(g.constant(a), -2, 3), np.clip(a, -2, 3))
    same(tm.where(g.constant([True, False, True]), g.constant([1.0, 2, 3], dtype), [7, 8, 9]), np.array([1, 8, 3], NUMPY[dtype]))
    finite = np.nan_to_num(a, posinf=9, neginf=-9)
    for to in ("f32", "f64", "i32", "i64"):
        same(g.constant(finite).cast(to), finite.astype(NUMPY[to]))


@np.errstate(all="ignore")
def reduced(name, x, axis, keepdims):
    if name == "logsumexp":
        wide = x.astype(np.float64)
        return np.log(np.sum(np.exp(wide), axis=axis, keepdims=keepdims)).astype(x.dtype)
    reference = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "variance": np.var}[name]
    with np.testing.suppress_warnings() if hasattr(np.testing, "suppress_warnings") else np.errstate() as quiet:
        if hasattr(quiet, "filter"):
            quiet.filter(RuntimeWarning)
        extreme = {"max": {"initial": -np.inf}, "min": {"initial": np.inf}}.get(name, {})
        return np.asarray(reference(x.astype(np.float64), axis=axis, keepdims=keepdims, **extreme)).astype(x.dtype)


REDUCTIONS = ["sum", "mean", "max", "min", "variance", "logsumexp"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", REDUCTIONS)
@given(data=st.data(), dtype=FLOATS, keepdims=st.booleans())
def test_reductions(name, data, dtype, keepdims):
    shape = data.draw(SHAPES)
    x = drawn(data, shape, dtype, strange=name in ("max", "min"))
    axis = data.draw(st.none() | st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple)) if shape else None
    g = tm.Graph()
    rtol = 30 * LOOSE[dtype]
    if axis is not None and data.draw(st.booleans()):
        axis = tuple(a - len(shape) for a in axis)
    same(getattr(g.constant(x), name)(axis, keepdims), reduced(name, x, axis, keepdims), rtol, 900 * rtol)
    if axis is not None:
        same(getattr(tm, name)(g.constant(x), axis=axis[0]), reduced(name, x, axis[0], False), rtol, 900 * rtol)


@given(data=st.data(), dtype=FLOATS)
def test_along_an_axis(data, dtype):
    shape = data.draw(hn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = drawn(data, shape, dtype, strange=False)
    g = tm.Graph()
    v = g.constant(x)
    same(v.argmax(axis), np.argmax(x, axis).astype(np.int32)), same(v.argmin(axis), np.argmin(x, axis).astype(np.int32))
    same(v.cumsum(axis), np.cumsum(x.astype(np.float64), axis).astype(x.dtype), 4 * LOOSE[dtype], 1e-13)
    e = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
    s = e / e.sum(axis, keepdims=True)
    same(v.softmax(axis), s.astype(x.dtype), 8 * LOOSE[dtype], LOOSE[dtype])
    same(v.log_softmax(axis), np.log(np.maximum(s, 1e-300)).astype(x.dtype), 8 * LOOSE[dtype], 60 * LOOSE[dtype])
    same(v.flip(axis), np.flip(x, axis))
    same(tm.concat([v, v[::-1]], axis), np.concatenate([x, x[::-1]], axis))
    same(tm.stack([v, v], axis), np.stack([x, x], axis if axis >= 0 else axis))
    same(v.pad(axis, 1, 2, 7.0), np.pad(x, [(1, 2) if i == axis % x.ndim else (0, 0) for i in range(x.ndim)], constant_values=7))
    same(v.expand_dims(axis).squeeze(axis), x)
    same(v.expand_dims(axis), np.expand_dims(x, axis))
    parts = tm.unstack(v, axis)
    assert len(parts) == x.shape[axis]
    same(parts[-1], np.take(x, -1, axis))
    first, rest = tm.split_sizes(v, axis, [1, x.shape[axis] - 1])
    same(first, np.take(x, [0], axis)), same(rest, np.delete(x, 0, axis))
    same(tm.split(v, axis, x.shape[axis])[0], np.take(x, [0], axis))
    values, order = tm.sort(v)
    same(values, np.sort(x, -1)), same(order, np.argsort(x, -1, kind="stable").astype(np.int32))
    values, order = tm.top_k(v, 1)
    same(values, x.max(-1, keepdims=True)), same(order, np.argmax(x, -1).astype(np.int32)[..., None])


@given(data=st.data(), dtype=FLOATS)
def test_products(data, dtype):
    lead = data.draw(hn.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=2, min_side=1, max_side=3)).input_shapes
    m, k, n = (data.draw(st.integers(0, 5)) for _ in "mkn")
    a, b = drawn(data, (*lead[0], m, k), dtype, strange=False), drawn(data, (*lead[1], k, n), dtype, strange=False)
    g = tm.Graph()
    rtol = 100 * LOOSE[dtype]
    x, y = g.constant(a), g.constant(b)
    same(x @ y, a @ b, rtol, 2000 * LOOSE[dtype]), same(tm.matmul(x, y), a @ b, rtol, 2000 * LOOSE[dtype])
    row, column = a.reshape(-1)[:k], b.reshape(-1)[:k]
    if row.size == k == column.size:
        same(g.constant(row) @ g.constant(column), row @ column, rtol, 2000 * LOOSE[dtype])
        same(g.constant(row) @ y, row @ b, rtol, 2000 * LOOSE[dtype]), same(x @ g.constant(column), a @ column, rtol, 2000 * LOOSE[dtype])


@given(data=st.data())
def test_shapes(data):
    shape = data.draw(hn.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    x = whole(data, shape)
    g = tm.Graph()
    v = g.constant(x)
    order = data.draw(st.permutations(range(x.ndim)))
    same(v.permute(order), x.transpose(order)), same(v.T, x.T), same(v.transpose(0, -1), x.swapaxes(0, -1))
    same(v.reshape(x.size), x.reshape(-1)), same(v.broadcast((2, *shape)), np.broadcast_to(x, (2, *shape)))
    if x.size:
        same(v.reshape((-1, shape[-1])), x.reshape(-1, shape[-1]))
    assert v.shape == shape and v.ndim == x.ndim and v.size == x.size and len(v) == len(x)


@given(data=st.data())
def test_indexing(data):
    shape = data.draw(hn.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    x = whole(data, shape)
    v = tm.Graph().constant(x)
    index = data.draw(hn.basic_indices(shape, allow_newaxis=True, max_dims=8) )
    expected = x[index]
    same(v[index], expected)


@given(data=st.data())
def test_row_numbers(data):
    shape = data.draw(hn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5))
    axis = data.draw(st.integers(0, len(shape) - 1))
    rows = data.draw(hn.arrays(np.int64, hn.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
                               elements=st.integers(-shape[axis], shape[axis] - 1)))
    x = whole(data, shape)
    g = tm.Graph()
    v = g.constant(x)
    key = (slice(None),) * axis
    same(v[(*key, rows)], x[(*key, rows)]), same(v[(*key, rows.tolist())] if rows.size else v[(*key, rows)], x[(*key, rows)])
    same(v[(*key, g.constant(rows % shape[axis]))], x[(*key, rows)])
    same(tm.gather(v, axis, rows % shape[axis]), x[(*key, rows)])
    added = x.copy()
    np.add.at(added, (*key, rows % shape[axis]), np.ones((*shape[:axis], *rows.shape, *shape[axis + 1:]), np.int32))
    ones = g.fill((*shape[:axis], *rows.shape, *shape[axis + 1:]), 1, "i32")
    same(tm.scatter_add(v, axis, rows % shape[axis], ones), added)
    along = np.argsort(x, axis).astype(np.int32)
    same(tm.take_along(v, axis, along), np.take_along_axis(x, along, axis))
    same(tm.one_hot(g.constant(rows % 7, "i32"), 7), np.eye(7, dtype=np.float32)[rows % 7])


def test_indices_outside():
    v = tm.Graph().constant(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    for key in (2, -3, (0, 3), ([0, 2],)):
        with pytest.raises(IndexError):
            v[key]
    for key, told in (((0, 0, 0), "more indices"), ((..., ...), "more than one"), ((0, 0, 0, ...), "more indices")):
        with pytest.raises(IndexError, match=told):
            v[key]
    with pytest.raises(tm.InvalidError, match="mask"):
        v[np.array([True, False])]
    with pytest.raises(tm.InvalidError, match="one axis"):
        v[[0], [1]]
    same(tm.gather(v, 0, [0, 5]), np.array([[0, 1, 2], [math.nan] * 3], np.float32))


def test_slices_and_windows():
    x = np.arange(20, dtype=np.float32).reshape(5, 4)
    g = tm.Graph()
    v = g.constant(x)
    same(tm.slice(v, 0, 1), x[1:]), same(tm.slice(v, 0, -2), x[-2:]), same(v.slice(1, 1, 3), x[:, 1:3])
    same(tm.slice_step(v, 0, 0, None, 2), x[::2])
    same(tm.windows(v, [0, 2], 3), np.stack([x[0:3], x[2:5]]))
    same(g.arange(4), np.arange(4, dtype=np.int32)), same(g.arange(4, "f64"), np.arange(4.0))
    same(g.fill((2, 2), 0.5), np.full((2, 2), 0.5, np.float32)), same(g.scalar(0.1, "f64"), np.float64(0.1))
    for row, part in zip(x, v):
        same(part, row)


@given(data=st.data(), dtype=FLOATS)
def test_layer_norm(data, dtype):
    size = data.draw(st.integers(1, 9))
    x = drawn(data, (3, size), dtype, strange=False)
    gain, offset = drawn(data, (size,), dtype, strange=False), drawn(data, (size,), dtype, strange=False)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + 1e-5) * gain + offset
    g = tm.Graph()
    same(tm.layer_norm(g.constant(x), g.constant(gain), g.constant(offset)), expected.astype(x.dtype), 2e4 * LOOSE[dtype], 2e5 * LOOSE[dtype])


def test_random_numbers():
    g = tm.Graph(seed=3)
    u, n = np.asarray(g.random_uniform((4000,), -1, 3)), np.asarray(g.random_normal((4000,), 2, 0.5, "f64"))
    assert u.dtype == np.float32 and u.min() >= -1 and u.max() < 3 and abs(u.mean() - 1) < 0.1
    assert n.dtype == np.float64 and abs(n.mean() - 2) < 0.05 and abs(n.std() - 0.5) < 0.03
    same(tm.Graph(seed=3).random_uniform((4000,), -1, 3), u)
    x = g.fill((1000,), 1.0)
    dropped = np.asarray(x.dropout(0.5, True))
    assert set(dropped.tolist()) == {0.0, 2.0} and 400 < (dropped == 0).sum() < 600
    same(x.dropout(0.5, False), np.ones(1000, np.float32))


def test_every_operation_is_here():
    """What the module has of ops.h is in a test of this file by name."""
    text = open(__file__).read()
    tables = {*UNARY, *BINARY, *REDUCTIONS}
    other = {"Accumulator", "Array", "Block", "Conv1d", "Embedding", "GradScaler", "Graph", "LayerNorm", "Linear", "Program",
             "SelfAttention", "Snapshot", "Value", "adam", "adamw", "assign", "attention", "bce_logits", "clip_norm", "cross_entropy",
             "device_info", "devices", "global_norm", "grad", "group", "huber", "lion", "lr_cosine", "lr_exponential", "lr_step",
             "lr_warmup", "mae", "mark_param", "mse", "products", "quantile_loss", "rmsprop", "sgd", "share", "thread_budget",
             "when"}  # test_models.py, test_graph.py
    public = {name for name in vars(tm) if not name.startswith("_") and callable(vars(tm)[name])}
    errors = {name for name in public if isinstance(vars(tm)[name], type) and issubclass(vars(tm)[name], Exception)}
    missing = {name for name in public - tables - other - errors if f"tm.{name}(" not in text and f".{name}(" not in text}
    assert not missing and other <= public

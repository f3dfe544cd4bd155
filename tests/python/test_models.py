"""Layers, losses, optimizers and schedules against their formulas in numpy."""
import math

import numpy as np
import pytest

import tidemill as tm


def arrays(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def close(value, expected, rtol=1e-12):
    np.testing.assert_allclose(np.asarray(value), expected, rtol=rtol, atol=1e-12)


@pytest.fixture
def g():
    return tm.Graph(dtype="f64", seed=5)


def test_linear(g):
    x, = arrays(1, (2, 3, 4))
    layer = tm.Linear(g, "fc", 4, 5)
    assert layer.weight.shape == (5, 4) and layer.bias.name == "fc.bias" and layer.weight.dtype == "f64"
    close(layer(g.constant(x)), x @ np.asarray(layer.weight).T + np.asarray(layer.bias))
    assert abs(np.asarray(layer.weight)).max() <= 0.5
    with pytest.raises(tm.InvalidError, match="linear 'fc'"):
        layer(g.constant(x[..., :3]))
    with pytest.raises(tm.InvalidError, match="taken"):
        tm.Linear(g, "fc", 4, 5)
    with g.scope("encoder"):
        assert tm.Linear(g, name="fc", inputs=4, outputs=5).weight.name == "encoder.fc.weight"
    assert [p.name for p in g.params()] == ["fc.weight", "fc.bias", "encoder.fc.weight", "encoder.fc.bias"]
    assert [p.name for p in g.params("encoder")] == ["encoder.fc.weight", "encoder.fc.bias"]


def test_norm_embedding_convolution(g):
    x, = arrays(2, (2, 6))
    norm = tm.LayerNorm(g, "norm", 6)
    assert norm.eps == 1e-5
    close(norm(g.constant(x)), (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5))
    table = tm.Embedding(g, "table", 7, 3)
    close(table(g.constant([[1, 6], [0, 1]])), np.asarray(table.weight)[[[1, 6], [0, 1]]])
    series, = arrays(3, (2, 3, 9))
    conv = tm.Conv1d(g, "conv", 3, 4, 3, stride=2, padding=1)
    assert (conv.stride, conv.padding) == (2, 1)
    padded = np.pad(series, [(0, 0), (0, 0), (1, 1)])
    w, b = np.asarray(conv.weight), np.asarray(conv.bias)
    expected = np.stack([np.einsum("bik,oik->bo", padded[:, :, s:s + 3], w) + b for s in range(0, 9, 2)], -1)
    close(conv(g.constant(series)), expected)


def attention(q, k, v):
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return p @ v, p


def test_attention(g):
    q, k, v = arrays(4, (2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6))
    expected, probabilities = attention(q, k, v)
    operands = [g.constant(a) for a in (q, k, v)]
    close(tm.attention(*operands), expected)
    out, p = tm.attention(*operands, probabilities=True)
    close(out, expected), close(p, probabilities)
    layer = tm.SelfAttention(g, ["query", "key", "value", "out"], 6, 2, 3)
    assert isinstance(layer.query, tm.Linear) and (layer.heads, layer.head_size) == (2, 3)
    x, = arrays(5, (2, 4, 6))
    heads = [(x @ np.asarray(m.weight).T + np.asarray(m.bias)).reshape(2, 4, 2, 3).swapaxes(1, 2) for m in (layer.query, layer.key, layer.value)]
    joined = attention(*heads)[0].swapaxes(1, 2).reshape(2, 4, 6)
    whole = joined @ np.asarray(layer.out.weight).T + np.asarray(layer.out.bias)
    close(layer(g.constant(x)), whole, 1e-9)
    close(layer.queries(g.constant(x[:, 1:2]), g.constant(x)), whole[:, 1:2], 1e-9)


def test_losses(g):
    p, t, w = arrays(6, (3, 4), (3, 4), (3, 1))
    w = np.abs(w)
    prediction, truth = g.constant(p), g.constant(t)
    e = p - t
    for name, errors in (("mse", e * e), ("mae", abs(e)), ("huber", np.where(abs(e) < 0.5, e * e, abs(e) - 0.25)),
                         ("quantile_loss", np.maximum(0.3 * -e, -0.7 * -e))):
        more = {"huber": [0.5], "quantile_loss": [0.3]}.get(name, [])
        loss = getattr(tm, name)
        close(loss(prediction, truth, *more), errors.mean())
        close(loss(prediction, truth, *more, weight=g.constant(w)), (errors * w).sum() / np.broadcast_to(w, e.shape).sum())
    logits = p - p.max(-1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    close(tm.cross_entropy(prediction, [1, 0, 3]), -log_p[[0, 1, 2], [1, 0, 3]].mean())
    wanted = 1 / (1 + np.exp(-t))
    close(tm.bce_logits(prediction, g.constant(wanted)), (np.logaddexp(0, p) - wanted * p).mean())
    with pytest.raises(tm.InvalidError):
        tm.mse(prediction, truth[:1])


def trained(optimizer, reference, steps=5, **options):
    """The parameters after some steps on gradients that come from elsewhere, beside the formula's."""
    x, *grads = arrays(7, (4,), *[(4,)] * steps)
    g = tm.Graph(dtype="f64")
    w, d = g.variable("w", x), g.input("d", 4)
    step = g.compile(optimizer([w], [d], lr=0.1, **options))
    for gradient in grads:
        step.run({d: gradient})
    expected = reference(x.copy(), grads, **options)
    close(w, expected)
    assert g.state("optim") or optimizer is tm.sgd


def sgd(x, grads, momentum=0.0, nesterov=False, weight_decay=0.0, dampening=0.0):
    buffer = None
    for d in grads:
        d = d + weight_decay * x
        if momentum:
            buffer = d if buffer is None else momentum * buffer + (1 - dampening) * d
            d = d + momentum * buffer if nesterov else buffer
        x = x - 0.1 * d
    return x


def adam(x, grads, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, decoupled=False):
    m = v = np.zeros_like(x)
    for t, d in enumerate(grads, 1):
        if decoupled:
            x = x - 0.1 * weight_decay * x
        else:
            d = d + weight_decay * x
        m, v = beta1 * m + (1 - beta1) * d, beta2 * v + (1 - beta2) * d * d
        x = x - 0.1 * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return x


def rmsprop(x, grads, alpha=0.99, eps=1e-8):
    v = np.zeros_like(x)
    for d in grads:
        v = alpha * v + (1 - alpha) * d * d
        x = x - 0.1 * d / (np.sqrt(v) + eps)
    return x


def lion(x, grads, beta1=0.9, beta2=0.99, weight_decay=0.0):
    m = np.zeros_like(x)
    for d in grads:
        x = x - 0.1 * (np.sign(beta1 * m + (1 - beta1) * d) + weight_decay * x)
        m = beta2 * m + (1 - beta2) * d
    return x


def test_optimizers():
    trained(tm.sgd, sgd)
    trained(tm.sgd, sgd, momentum=0.9, nesterov=True, weight_decay=0.01)
    trained(tm.adam, adam, weight_decay=0.1)
    trained(tm.adamw, lambda x, grads, **o: adam(x, grads, decoupled=True, **o), weight_decay=0.1, beta1=0.8)
    trained(tm.rmsprop, rmsprop, alpha=0.9)
    trained(tm.lion, lion, weight_decay=0.1)


def test_the_library_takes_zero_for_its_default(g):
    w = g.variable("w", [1.0])
    for wrong in ({"beta1": 0.0}, {"eps": 0}):
        with pytest.raises(tm.InvalidError, match="0 stands for the default"):
            tm.adamw([w], [w], lr=0.1, **wrong)
    with pytest.raises(TypeError, match="lr"):
        tm.adamw([w], [w])


def test_clipping_and_norms(g):
    a, b = arrays(8, (3,), (2, 2))
    values = [g.constant(a), g.constant(b)]
    norm = math.sqrt((a * a).sum() + (b * b).sum())
    close(tm.global_norm(values), norm)
    for clipped, x in zip(tm.clip_norm(values, 0.5), (a, b)):
        close(clipped, x * min(1, 0.5 / (norm + 1e-6)))


def test_schedules(g):
    at = [0, 1, 7, 10, 25]
    step = g.variable("step", 0.0, trainable=False)
    lines = {
        tm.lr_step(step, 0.1, 0.5, 4): lambda s: 0.1 * 0.5 ** (s // 4),
        tm.lr_exponential(step, 0.1, 0.9): lambda s: 0.1 * 0.9**s,
        tm.lr_cosine(step, 0.1, 0.01, 10): lambda s: 0.01 + 0.045 * (1 + math.cos(math.pi * min(s, 10) / 10)),
        tm.lr_warmup(step, 5, g.constant(0.2, "f64")): lambda s: 0.2 * min(1, (s + 1) / 5),
    }
    for s in at:
        step.write(float(s))
        for value, expected in lines.items():
            np.testing.assert_allclose(float(value.read(now=True).item()), expected(s), rtol=1e-12)


def test_a_scaler_skips_what_is_not_finite():
    g = tm.Graph()
    w, x = g.variable("w", [1.0, 2.0]), g.input("x", 2)
    loss = (w * x).sum()
    scaler = tm.GradScaler(g, initial=8.0)
    update = scaler.step(tm.sgd([w], scaler.unscale(tm.grad(scaler.scale(loss), [w])), lr=0.5))
    program = g.compile([loss, update, scaler.finite])
    program.run({"x": [1.0, math.inf]})
    assert w.tolist() == [1, 2] and scaler.scale_variable.item() == 4 and scaler.skipped.item() == 1
    program.run({"x": [1, 2]})
    assert w.tolist() == [0.5, 1] and scaler.good.item() == 1 and scaler.finite.item() is True


def test_parts_of_a_batch_are_the_batch():
    g = tm.Graph()
    x, = arrays(9, (6, 3))
    w = g.variable("w", [0.1, -0.2, 0.3])
    a = tm.Accumulator(g, [w], 2)
    part_x = g.input("part", (2, 3))
    g.sample_offset(a.offset)
    total = ((part_x @ w) ** 2).sum()
    g.sample_offset(None)
    part = g.compile(a.add(tm.grad(total, [w]), total, 2))
    gradients = a.take()
    step = g.compile([a.loss, a.step(tm.sgd([w], gradients, lr=0.1))])
    start = np.array(w)
    for rows in np.split(x, 3):
        part.run({"part": rows})
    step.run()
    y = x @ start
    np.testing.assert_allclose(float(a.loss), (y * y).mean(), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(w), start - 0.1 * (2 * y[:, None] * x).mean(0), rtol=1e-6)

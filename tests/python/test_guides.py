"""What docs/guides-api.md says: each name in it is there, and what stands beside the two guides' calls does what they do."""
import math
import os
import pathlib
import re
import subprocess

import pytest

import tidemill as tm
from tidemill import eis

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides-api.md"
COMMAND = os.environ.get("TIDEMILL_EXE")


def rows():
    """(what of theirs, ours in Python, ours in C, tests) of each row."""
    table = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `") or line.startswith("| *")]
    assert len(table) >= 25 and all(len(row) == 4 for row in table), [row for row in table if len(row) != 4]
    return table


# ---- names ----

def test_each_name_of_python_is_there():
    for _, ours, _, _ in rows():
        for name in re.findall(r"`tm\.([A-Za-z_.]+)", ours):
            thing = tm
            for part in name.split("."):
                thing = getattr(thing, part)
        for name in re.findall(r"`(?:g|step|v|r)\.([a-z_]+)", ours):
            assert name in dir(eis.Completion) or name in eis.Completion.__dataclass_fields__ or any(
                hasattr(owner, name) for owner in (tm.Graph, tm.Program, tm.Value)), name


def test_each_function_of_c_is_declared():
    headers = "".join(path.read_text() for path in (ROOT / "include" / "tidemill").glob("*.h"))
    for _, _, ours, _ in rows():
        for name in re.findall(r"`((?:tide|eis|forecast)_\w+)", ours):
            assert re.search(rf"\b{name}\b", headers), name


def test_each_test_is_there():
    for theirs, _, _, tests in rows():
        named = re.findall(r"`(?:(\S+)::)?(\w+)`", tests)
        assert named, theirs
        for file, name in named:
            text = (ROOT / "tests" / (file or "python/test_guides.py")).read_text()
            assert re.search(rf"(?:def|static void) {name}\(", text), f"{file}::{name}"


# ---- the MLX guide's calls ----

def test_nothing_is_computed_before_it_is_asked_for():
    g = tm.Graph()
    ran = []
    doubled = g.custom(lambda v: ran.append(1) or [2 * x for x in v.tolist()], [g.constant([1.0, 2.0])], (2,))
    shifted = doubled + 5
    assert not ran
    assert shifted.tolist() == [7, 9] and ran == [1]


def test_one_array_serves_every_device():
    g = tm.Graph()
    v = g.constant([1.0, 2.0, 3.0])
    assert tm.exp(v).tolist() == pytest.approx([math.e, math.e**2, math.e**3], rel=1e-6)
    assert "cpu" in tm.devices() and tm.device_info("cpu")["name"]


def test_the_version_is_told():
    assert tm.__version__ == re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text()).group(1)


def regression(seed=1):
    g = tm.Graph(seed=seed)
    x, y = g.input("x", (16, 10)), g.input("y", (16, 5))
    first, second = tm.Linear(g, "first", 10, 32), tm.Linear(g, "second", 32, 5)
    return g, x, y, tm.mse(second(tm.relu(first(x))), y)


def batches(count):
    for k in range(count):
        rows = [[math.sin(i * j + k) for j in range(10)] for i in range(16)]
        yield rows, [[sum(row[j:j + 5]) / 5 for j in range(5)] for row in rows]


def test_loss_and_gradients_in_one_program():
    g, x, y, loss = regression()
    params = g.params()
    gradients = tm.grad(loss, params)
    both = g.compile([loss, *gradients])
    rows, truth = next(batches(1))
    both.run({x: rows, y: truth})
    before, slope = float(loss), gradients[0].tolist()[0][0]
    assert [v.shape for v in gradients] == [v.shape for v in params]
    weights = params[0].tolist()
    weights[0][0] += 1e-2
    params[0].write(weights)
    both.run({x: rows, y: truth})
    assert float(loss) - before == pytest.approx(1e-2 * slope, rel=0.1, abs=1e-6)


@pytest.mark.parametrize("update", [lambda p, d: tm.adam(p, d, lr=0.01), lambda p, d: tm.adamw(p, d, lr=0.01)])
def test_a_training_loop(update):
    g, x, y, loss = regression()
    step = g.compile([loss, update(g.params(), tm.clip_norm(tm.grad(loss, g.params()), 1.0))])
    losses = []
    for rows, truth in batches(150):
        step.run({x: rows, y: truth})
        losses.append(float(loss))
    assert losses[-1] < 0.1 * losses[0]


def test_a_rate_along_a_cosine():
    g = tm.Graph()
    count = g.variable("count", 0.0, trainable=False)
    rate = tm.lr_cosine(count, base=0.003, last=0.0, steps=10)
    step = g.compile([rate, tm.assign(count, count + 1)])
    rates = []
    for _ in range(11):
        step.run()
        rates.append(float(rate))
    assert rates == pytest.approx([0.0015 * (1 + math.cos(math.pi * i / 10)) for i in range(11)], abs=1e-9)


@pytest.mark.skipif(not COMMAND, reason="TIDEMILL_EXE names no command that makes the data")
def test_the_guides_network_from_its_weights_file(tmp_path):
    subprocess.run([COMMAND, "eis", "generate", "--n_ground_truths", "2", "--grid", "symmetric", "--data-dir", tmp_path / "data", "--quiet"], check=True, capture_output=True)
    made = eis.train(tmp_path / "run", inputs="known", data_dir=str(tmp_path / "data"), epochs=1, hidden_dim=16, samples_per_pattern=50, seed=1)
    assert not made.takes_spectrum
    loaded = eis.load(tmp_path / "run" / "best_eis_predictor_mlx.npz")
    r = eis.complete(known={"Rsh": 460, "Ra": 4820, "Rb": 2210}, model=loaded, top_k=10)
    assert r.method == "network" and len(r.candidates) == 10 and r.best.Rsh == 460
    told = r.to_dict()["top_k_predictions"]
    assert [one["rank"] for one in told] == list(range(1, 11)) and {"Ca", "Cb", "joint_probability"} <= set(told[0])
    assert [c.probability for c in r.candidates] == sorted((c.probability for c in r.candidates), reverse=True)
    assert r.draws.tolist() != [] and "predicted_resnorm" in r.to_dict()


# ---- the Mac guide's classes ----

def test_half_precision_is_a_word_of_compile():
    g, x, y, loss = regression()
    scaler = tm.GradScaler(g, initial=128.0)
    params = g.params()
    gradients = scaler.unscale(tm.grad(scaler.scale(loss), params))
    step = g.compile([loss, scaler.step(tm.adamw(params, gradients, lr=0.01))], precision="bf16")
    rows, truth = next(batches(1))
    step.run({x: rows, y: truth})
    first = float(loss)
    for _ in range(20):
        step.run({x: rows, y: truth})
    assert float(loss) < first and step.precision in ("bf16", "f32")


def test_dropout_is_a_value_with_its_seed():
    def masks(seed):
        g = tm.Graph(seed=seed)
        return tm.dropout(g.fill((64, 64), 1.0), 0.25, True).tolist()

    kept = sum(x != 0 for row in masks(1) for x in row) / 64**2
    assert abs(kept - 0.75) < 0.03 and masks(1) == masks(1) != masks(2)


@pytest.mark.parametrize("mode", ["default", "reduce-overhead", "max-autotune"])
def test_compile_modes(mode):
    g, x, y, loss = regression()
    step = g.compile([loss], mode=mode)
    rows, truth = next(batches(1))
    step.run({x: rows, y: truth})
    assert math.isfinite(float(loss))
    plain = g.compile([loss], passes=False)
    before = float(loss)
    plain.run({x: rows, y: truth})
    assert float(loss) == pytest.approx(before, rel=1e-5)


def test_memory_is_known_before_it_is_used():
    g, x, y, loss = regression()
    step = g.compile([loss])
    assert step.bytes > 0
    with pytest.raises(MemoryError):
        g.compile([loss], memory_limit=64)


def test_what_a_step_costs_is_told():
    g, x, y, loss = regression()
    step = g.compile([loss])
    rows, truth = next(batches(1))
    assert "us" in str(step.explain({x: rows, y: truth}, measure_s=0.01))

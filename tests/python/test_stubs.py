"""The type stubs say what is there, and take what the documentation shows."""
import inspect
import pathlib
import subprocess
import sys

import pytest

import tidemill as tm

pytest.importorskip("mypy")
HERE = pathlib.Path(__file__).parent

USED = """
import tidemill as tm

g = tm.Graph(threads=1)
x = g.input("x", (8, 4))
model = tm.Linear(g, "fc", 4, 2)
out: tm.Value = model(x)[:, 0] * 2 + 1.5
loss = tm.mse(out, g.constant([0.0] * 8))
step = g.compile([loss, tm.adamw(g.params(), tm.grad(loss, g.params()), lr=1e-3)], mode="default")
step.run({x: [[0.0] * 4] * 8})
step.run({"x": tm.Array([[0.0] * 4] * 8)})
values: tuple[int, ...] = out.shape
number: float = float(loss)
freq = [10.0**i for i in range(6)]
answer = tm.eis.complete(
    freq, tm.eis.simulate(freq, Rsh=460, Ra="4.8k", Rb=2200, Ca=1e-6, Cb="4uF"), known={"Rsh": 460}, method="exact", noise=0.01
)
ter: tuple[float, float] = answer.TER.interval
draws: tm.Array = answer.draws
spectra: list[tm.eis.Spectrum] = []
verdicts: list[str] = [tm.eis.check(s).verdict for s in spectra]
fits: list[float] = [v for s in spectra for v in tm.eis.fit(s, circuit="R0-p(R1,CPE1)", fix={"R0": 20}).values]
peaks: list[float] = [p.r_ohm for s in spectra for p in tm.eis.drt(s, lambda_=1e-3).peaks]
picture: str = answer.plot().svg
"""


def test_stubs_are_the_module():
    allowed = ["--allowlist", str(HERE / "allowed.txt")] if sys.version_info < (3, 12) else []
    told = subprocess.run([sys.executable, "-m", "mypy.stubtest", "tidemill", *allowed], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


def test_examples_are_typed(tmp_path):
    (tmp_path / "used.py").write_text(USED)
    told = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--python-version", "3.12", "used.py"], cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    exec(USED, {})


def test_everything_has_a_docstring_and_a_signature():
    for owner in (tm, tm.Graph, tm.Value, tm.Program, tm.Array, tm.Linear, tm.GradScaler, tm.eis):
        for name, member in vars(owner).items():
            if name.startswith("_") or not callable(member) or inspect.isclass(member) and issubclass(member, Exception):
                continue
            if owner is tm.eis and name not in tm.eis.__all__:
                continue
            assert member.__doc__, f"{owner.__name__}.{name}"
            for word in ("TIDE_", "tide_", "NULL", "&opts"):
                assert word not in member.__doc__, f"{owner.__name__}.{name}: {member.__doc__}"
            if member not in (tm.Value, tm.Program, tm.Snapshot, tm.Block):
                inspect.signature(member)

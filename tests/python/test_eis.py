"""Impedance: answers that are the command's to the bit, arrays of every kind, batches on any number of threads, slips."""
import html
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import tidemill as tm
from tidemill import eis

TRUTH = {"Rsh": 460, "Ra": 4820, "Rb": 2210, "Ca": 1.2e-6, "Cb": 4.7e-6}
FREQ = [10 ** (5 - i / 10) for i in range(61)]
Z = eis.simulate(FREQ, **TRUTH, Rs=20, seed=3)
KNOWN = {"Rsh": 460, "Ra": 4820}
COMMAND = os.environ.get("TIDEMILL_EXE")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A predictor that has learnt next to nothing, quickly."""
    folder = tmp_path_factory.mktemp("runs") / "lab"
    lines = []
    made = eis.train(folder, pool_spectra=1024, batch_size=128, hidden_dim=16, epochs=1, seed=7, threads=1, progress=lines.append)
    assert made.takes_spectrum and made.path == str(folder)
    assert any(line.startswith("epoch 1") for line in lines)
    return folder


def bits(answer):
    return (answer.draws.tolist(), answer.weights.tolist(), answer.to_dict()["medians"], str(answer))


# ---- the circuit ----

@pytest.mark.parametrize("circuit", ["shunt", "chain"])
def test_a_made_up_spectrum_is_the_circuits_formula(circuit):
    s = 2j * np.pi * np.array(FREQ)
    membranes = sum(TRUTH[r] / (1 + s * TRUTH[r] * TRUTH[c]) for r, c in (("Ra", "Ca"), ("Rb", "Cb")))
    wanted = 20 + (460 * membranes / (460 + membranes) if circuit == "shunt" else 460 + membranes)
    z = eis.simulate(FREQ, **TRUTH, Rs=20, circuit=circuit, noise=0)
    assert np.allclose(z, wanted, rtol=1e-12)


def test_noise_has_the_size_that_is_asked_for():
    freq = np.geomspace(0.1, 1e5, 4000)
    clean = np.array(eis.simulate(freq, **TRUTH, noise=0))
    off = (np.array(eis.simulate(freq, **TRUTH, noise="2%", seed=5)) - clean) / abs(clean)
    assert abs(off.real.std() - 0.02) < 0.001 and abs(off.imag.std() - 0.02) < 0.001
    assert eis.simulate(FREQ, **TRUTH, seed=5) == eis.simulate(FREQ, **TRUTH, seed=5) != eis.simulate(FREQ, **TRUTH, seed=6)


# ---- answers ----

def test_an_answer_holds_what_it_says():
    r = eis.complete(FREQ, Z, known={"Rsh": "0.46k"}, method="refined", top_k=3, area_cm2=1.12, name="well A1")
    assert (r.name, r.method, r.circuit, r.verdict, r.area_cm2) == ("well A1", "refined", "shunt", "adequate", 1.12)
    ter = 460 * (4820 + 2210) / (460 + 4820 + 2210)
    assert r.TER.low < ter < r.TER.high and r.TER.interval == (r.TER.low, r.TER.high) and r.TER.unit == "ohm"
    assert r.Rsh.known == 460 and r.Ra.known is None and r.Rs.low < 20 < r.Rs.high
    draws, weights = np.asarray(r.draws), np.asarray(r.weights)
    assert draws.shape == (len(weights), 6) and math.isclose(weights.sum(), 1) and (draws[:, 0] == 460).all()
    below = weights[draws[:, 1] < r.Ra.median].sum()
    assert abs(below - 0.5) < 0.01
    assert np.asarray(r.marginals).shape == (5, 12) and math.isclose(np.asarray(r.marginals)[1].sum(), 1, rel_tol=1e-6)
    assert len(r.candidates) == 3 and r.candidates[0].probability == r.max_probability
    assert r.best.Rsh == 460 and list(r.best.__dict__.values()) == draws[np.asarray(r.log_density).argmax()].tolist()
    with pytest.raises(AttributeError):
        r.name = "another"
    assert bits(pickle.loads(pickle.dumps(r))) == bits(r)


def test_an_answer_shows_itself():
    r = eis.complete(FREQ, Z, known=KNOWN, method="exact", name="<well>")
    page = r._repr_html_()
    assert "&lt;well&gt;" in page and "<well>" not in page and "known" in page and len(r.notes) > 0
    assert all(html.escape(text) in page for text in r.warnings + r.notes)
    assert "TER" in repr(r) and "missing parameters" in str(r)
    frame = eis.to_frame([r, tm.DataError("no answer")], "dict")
    assert frame["quantity"][:10] == ["Rsh", "Ra", "Rb", "Ca", "Cb", "Rs", "TER", "TEC", "n1", "d1"]
    assert frame["median"][6] == r.TER.median and frame["error"][10] == "no answer"
    for kind in ("pandas", "polars"):
        pytest.importorskip(kind)
        assert list(r.to_frame(kind)["median"])[6] == r.TER.median
    with pytest.raises(tm.InvalidError, match="kind is"):
        r.to_frame("excel")


@pytest.mark.skipif(not COMMAND, reason="TIDEMILL_EXE names no command to compare with")
@pytest.mark.parametrize("options", [{"method": "exact"}, {"prior": {"Rs": (20, 1)}, "range": {"Ra": (100, 9000)}},
                                     {"method": "exact", "noise": 0.01, "top_k": 4, "rs": "20"}, {"robust": True, "seed": 9}, {"model": ...}])
def test_the_same_numbers_as_the_command(options, run, tmp_path):
    well = tmp_path / "well.csv"
    well.write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{f!r},{z.real!r},{z.imag!r}\n" for f, z in zip(FREQ, Z)))
    options = {name: str(run) if value is ... else value for name, value in options.items()}
    written = {"prior": "Rs=20+-1", "range": "Ra=100..9000"}
    flags = [f"--{name.replace('_', '-')}={written.get(name, value)}" for name, value in options.items() if value is not True]
    flags += [f"--{name}" for name, value in options.items() if value is True]
    told = subprocess.run([COMMAND, "eis", "complete", "--json", "--known", "Rsh=460", "--spectrum", well, *flags], capture_output=True, text=True)
    theirs = json.loads(told.stdout)
    ours = eis.complete(FREQ, Z, known={"Rsh": 460}, name=str(well), **options).to_dict()
    assert ours == {key: value for key, value in theirs.items() if key not in ("schema_version", "command")}


# ---- arrays ----

@pytest.mark.parametrize("z", [np.array(Z), np.array(Z)[::-1][::-1], np.repeat(np.array(Z), 2)[::2], tuple(Z), memoryview(np.array(Z))],
                         ids=["numpy", "turned", "strided", "tuple", "memoryview"])
def test_impedances_of_every_kind(z):
    wanted = bits(eis.complete(FREQ, Z, known=KNOWN, method="exact"))
    assert bits(eis.complete(np.array(FREQ), z, known=KNOWN, method="exact")) == wanted


def test_single_precision_columns_and_conjugates():
    single = np.array(Z, "complex64")
    wanted = bits(eis.complete(FREQ, [complex(one) for one in single], known=KNOWN, method="exact"))
    assert bits(eis.complete(FREQ, single, known=KNOWN, method="exact")) == wanted
    assert bits(eis.complete(FREQ, single.conj(), known=KNOWN, method="exact", flip_im=True)) == wanted
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"f": FREQ, "z": single})
    assert bits(eis.complete(table["f"], table["z"], known=KNOWN, method="exact")) == wanted


def test_deviations_are_taken():
    size = 0.01 * abs(np.array(Z))
    both = eis.complete(FREQ, Z, known=KNOWN, method="exact", sigma=size)
    assert both.noise_source == "sigma columns"
    assert bits(eis.complete(FREQ, Z, known=KNOWN, method="exact", sigma=size + 1j * size)) == bits(both)


# ---- many ----

def test_batches_have_the_bits_of_single_answers_on_any_threads():
    many = np.array([eis.simulate(FREQ, **TRUTH, Rs=20, seed=i) for i in range(6)])
    single = [bits(eis.complete(FREQ, z, known=KNOWN, method="exact", name=f"spectrum {i + 1}")) for i, z in enumerate(many)]
    for threads in (1, 2, 5):
        assert [bits(r) for r in eis.complete_all(FREQ, many, known=KNOWN, method="exact", threads=threads)] == single
    refined = eis.complete_all([FREQ, FREQ[:40]], [many[0], many[0][:40]], known=KNOWN, method="refined", names=["a", "b"], area_cm2=[1, 2], threads=2)
    assert [(r.name, r.area_cm2) for r in refined] == [("a", 1), ("b", 2)]
    assert bits(refined[1]) == bits(eis.complete(FREQ[:40], many[0][:40], known=KNOWN, method="refined", name="b", area_cm2=2))
    assert eis.complete_all(FREQ, []) == []
    assert [bits(r) for r in eis.complete_all(FREQ, (z for z in many[:2]), known=KNOWN, method="exact")] == single[:2]


def test_a_bad_spectrum_of_many():
    bad = Z[:3] + [complex(math.nan, 1)] + Z[4:]
    with pytest.raises(tm.DataError, match="plate B2, point 4: an impedance must be finite") as told:
        eis.complete_all(FREQ, [Z, bad], known=KNOWN, method="exact", names=["plate B1", "plate B2"])
    assert told.value.row == 4
    kept = eis.complete_all(FREQ, [bad, Z], known=KNOWN, method="exact", errors="keep")
    assert isinstance(kept[0], tm.DataError) and kept[0].row == 4 and kept[1].method == "exact"
    with pytest.raises(tm.InvalidError, match="z of spectrum 2: there are 60 for 61 frequencies"):
        eis.complete_all(FREQ, [Z, Z[1:]])


# ---- predictors ----

def test_a_predictor_is_kept_and_shared(run):
    p = eis.load(run)
    wanted = bits(eis.complete(FREQ, Z, known=KNOWN, model=run))
    assert bits(eis.complete(FREQ, Z, known=KNOWN, model=p)) == wanted
    batch = eis.complete_all(FREQ, [Z] * 9, known=KNOWN, model=p, threads=3, names=["the spectrum"] * 9)
    assert all(bits(r) == wanted for r in batch)
    found = []
    threads = [threading.Thread(target=lambda: found.append(bits(eis.complete(FREQ, Z, known=KNOWN, model=p)))) for _ in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert found == [wanted] * 4
    assert eis.evaluate(p, test_spectra=2, noise="1%", threads=1)["test_spectra"] == 2


def test_a_training_ends_when_progress_raises(tmp_path):
    def stop(line):
        raise LookupError(line)

    with pytest.raises(LookupError):
        eis.train(tmp_path / "run", pool_spectra=1024, batch_size=128, hidden_dim=16, epochs=50, progress=stop)


# ---- slips ----

@pytest.mark.parametrize("call, error, words", [
    (lambda: eis.complete(FREQ, np.conj(eis.simulate(FREQ, **TRUTH, noise=0))), tm.DataError, r"looks like -Im\(Z\); use `flip_im`"),
    (lambda: eis.complete(FREQ, eis.simulate(FREQ, **TRUTH, noise=0), flip_im=True), tm.DataError, "leave it out"),
    (lambda: eis.complete(FREQ, np.abs(Z)), tm.InvalidError, "z of the spectrum: complex numbers are needed"),
    (lambda: eis.complete(FREQ, [z.real for z in Z]), tm.InvalidError, "complex numbers are needed"),
    (lambda: eis.complete(FREQ, "1+1j"), tm.InvalidError, "a list of complex numbers"),
    (lambda: eis.complete(FREQ, [None] * 61), tm.InvalidError, "a list of complex numbers"),
    (lambda: eis.complete(FREQ, np.array([Z, Z])), tm.InvalidError, "complete_all takes several"),
    (lambda: eis.complete_all(FREQ, Z), tm.InvalidError, "complete takes one"),
    (lambda: eis.complete_all(FREQ, [Z], threads=-1), tm.InvalidError, "threads is 0, for all cores"),
    (lambda: eis.complete_all(FREQ, [Z], errors="ignore"), tm.InvalidError, "errors is"),
    (lambda: eis.complete_all([FREQ], [Z, Z]), tm.InvalidError, "freq has 1 rows for 2 spectra"),
    (lambda: eis.complete(FREQ), tm.InvalidError, "together"),
    (lambda: eis.complete([], []), tm.DataError, "0 points; from 5"),
    (lambda: eis.complete([0] + FREQ[1:], Z), tm.DataError, "point 1: a frequency must be a positive number"),
    (lambda: eis.complete(FREQ, Z, known={"Rshh": 460}), tm.InvalidError, 'no parameter "Rshh"'),
    (lambda: eis.complete(FREQ, Z, known={"Rsh": math.nan}), tm.InvalidError, "not a value in ohm"),
    (lambda: eis.complete(FREQ, Z, method="exat"), tm.InvalidError, "`method` is one of auto, refined, exact, network, not 'exat'"),
    (lambda: eis.complete(FREQ, Z, top_k=0), tm.InvalidError, "`top_k` is a whole number from 1 to 1000"),
    (lambda: eis.complete(FREQ, Z, noise=0.5), tm.InvalidError, "write 0.5%"),
    (lambda: eis.complete(FREQ, Z, method="network"), tm.InvalidError, "needs `model`"),
    (lambda: eis.complete(FREQ, Z, area_cm2=-1), tm.InvalidError, "an area of -1 cm2"),
    (lambda: eis.complete(FREQ, Z, metod="exact"), TypeError, "unexpected keyword argument 'metod'; there are circuit, method"),
    (lambda: eis.load("/nonexistent"), tm.Error, "/nonexistent: cannot open this file"),
    (lambda: eis.train("/nonexistent/run", epoch=3), tm.InvalidError, "no option `epoch` here; the nearest is `epochs`"),
    (lambda: eis.simulate([1, -1], **TRUTH), tm.DataError, "point 2: a frequency must be a positive number"),
    (lambda: eis.simulate(FREQ, **TRUTH, noise=2), tm.InvalidError, "or 0 for none"),
])
def test_slips_are_told(call, error, words):
    with pytest.raises(error, match=words):
        call()


# ---- the process ----

def test_ctrl_c_ends_a_batch():
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        eis.complete_all(FREQ, [Z] * 20000, known=KNOWN, method="exact", threads=2)
    assert time.perf_counter() - start < 20


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
def test_nothing_is_left_behind():
    code = f"""
from tidemill import eis
import tidemill as tm
Z = {Z!r}; FREQ = {FREQ!r}
bad = [complex("nan")] + Z[1:]
def calls(times):
    for _ in range(times):
        eis.complete_all(FREQ, [Z, bad], known={{"Rsh": 460, "Ra": 4820, "Rb": 2210, "Ca": 1.2e-6}}, method="exact", noise=0.01, errors="keep", threads=1)
        for slip in (dict(method="x"), dict(known={{"R": 1}})):
            try: eis.complete(FREQ, Z, **slip)
            except tm.InvalidError: pass
def pages(): return int(open("/proc/self/statm").read().split()[1])
calls(20)
before = pages()
calls(100)
print(4096 * (pages() - before))
"""
    left = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert left < 100 * 3000, f"{left} bytes are left by 100 answers: one holds far more"

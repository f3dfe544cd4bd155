"""Spectra of files, checks, fits, distributions of relaxation times and pictures: the command's, to the digit."""
import dataclasses
import json
import logging
import math
import os
import pathlib
import pickle
import re
import subprocess
import threading
import xml.dom.minidom

import numpy as np
import pytest

import tidemill as tm
from tidemill import eis

FILES = pathlib.Path(__file__).parents[1] / "eis" / "reported"
COMMAND = os.environ.get("TIDEMILL_EXE")
needs_command = pytest.mark.skipif(not COMMAND, reason="TIDEMILL_EXE names no command to compare with")
FREQ = np.geomspace(1e5, 0.1, 61)
TRUTH = {"Rsh": 460, "Ra": 4820, "Rb": 2210, "Ca": 1.2e-6, "Cb": 4.7e-6, "Rs": 20}
Z = eis.simulate(FREQ, **TRUTH, seed=3)


def told(*arguments):
    return json.loads(subprocess.run([COMMAND, "eis", *map(str, arguments), "--json", "--no-plots"], capture_output=True, text=True).stdout)


def without_spectra(document):
    return {name: value for name, value in document.items() if name not in ("schema_version", "command")}


# ---- files ----

@needs_command
@pytest.mark.parametrize("name", ["eclab_like_no_cycle_comma.mpt", "gamry_like_decimal_comma.DTA", "wells_magnitude_phase.txt", "two_sweeps_one_table.csv",
                                  "epithelium_24_well_insert.csv"])
def test_files_are_read_as_convert_writes_them(name, tmp_path):
    spectra = eis.read(FILES / name)
    subprocess.run([COMMAND, "eis", "convert", FILES / name, "--out", tmp_path / "out"], check=True, capture_output=True)
    written = sorted((tmp_path / "out").glob("*.csv"))
    assert len(spectra) == len(written) and len({s.name for s in spectra}) == len(spectra)
    for s, file in zip(spectra, written):
        head, *rows = file.read_text().splitlines()
        table = s.to_frame("dict")
        assert list(table) == head.split(",")
        assert [list(map(float, row.split(","))) for row in rows] == [list(row) for row in zip(*table.values())]
        assert len(s) == len(rows) == len(s.line.tolist()) and f"{len(rows)} points" in repr(s)


def test_what_was_chosen_goes_to_the_log(caplog):
    with caplog.at_level(logging.INFO, "tidemill"):
        eis.read(FILES / "two_path_before.csv")
        assert not caplog.records
        eis.read(FILES / "eclab_like_three_electrode.mpt")
    assert [r.getMessage() for r in caplog.records] == [
        f"{FILES / 'eclab_like_three_electrode.mpt'}: Z was read; the table also has Zce (columns 2 and 3), Zwe-ce (columns 7 and 8): `column` chooses"]


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(tm.DataError, match="same_column_name_twice.csv"):
        eis.read(FILES / "same_column_name_twice.csv")
    (tmp_path / "bad.csv").write_text("frequency_hz,z_re_ohm,z_im_ohm\n" + "".join(f"{10 ** i},{i},-1\n" for i in range(5)) + "7,x,-1\n")
    with pytest.raises(tm.DataError) as error:
        eis.read(tmp_path / "bad.csv")
    assert error.value.row == 7 and error.value.file == str(tmp_path / "bad.csv")
    with pytest.raises(tm.DataError, match="`sweep` x is none of its 2 sweeps"):
        eis.read(FILES / "two_sweeps_one_table.csv", sweep="x")
    assert len(eis.read(FILES / "two_sweeps_one_table.csv", sweep="2")) == 1
    with pytest.raises(tm.Error, match="nowhere.csv"):
        eis.read(tmp_path / "nowhere.csv")


def test_spectra_stand_for_freq_and_z():
    s, = eis.read(FILES / "two_path_before.csv")
    t, = eis.read(FILES / "two_path_after.csv")
    known = {"Rsh": 460}
    plain = eis.complete(s.freq, s.z, known=known, method="exact", name=s.name, area_cm2=s.area_cm2)
    assert str(eis.complete(s, known=known, method="exact")) == str(plain)
    assert [str(r) for r in eis.complete_all([s, t], known=known, method="exact")] == [str(plain), str(eis.complete(t, known=known, method="exact"))]
    assert str(eis.check(s)) == str(eis.check(s.freq, s.z, name=s.name)) == str(eis.check_all([s])[0])
    assert eis.fit(s, name="mine").name == "mine" and eis.fit_all([s, t], names=["a", "b"])[1].name == "b"
    assert str(eis.drt(s)) == str(eis.drt_all([t, s], threads=2)[1])
    assert str(pickle.loads(pickle.dumps(s)).z) == str(s.z)
    with pytest.raises(dataclasses.FrozenInstanceError):
        s.name = "another"


# ---- the command's numbers ----

@needs_command
@pytest.mark.parametrize("name", ["two_outliers.csv", "drift_20_percent.csv", "plain_resistor.csv", "epithelium_24_well_insert.csv"])
def test_checks_are_the_commands(name):
    s, = eis.read(FILES / name)
    found = eis.check(s)
    theirs, = told("check", FILES / name)["spectra"]
    assert found.to_dict() == theirs
    assert found.verdict == theirs["verdict"] and [f.kind for f in found.faults] == [f["fault"] for f in theirs["faults"]]
    assert [f.sentence for f in found.faults] == [f["message"] for f in theirs["faults"]]
    assert [(np.asarray(f.points) + 1).tolist() for f in found.faults] == [f["points"] for f in theirs["faults"]]
    assert np.allclose(np.asarray(found.residual).real, [p["residual_re"] for p in theirs["points"]], rtol=1e-9, atol=1e-15)
    assert np.asarray(found.left_out).tolist() == [p["left_out"] for p in theirs["points"]]
    assert found.terms == theirs["linear_kramers_kronig"]["terms"] and found.freq.tolist() == s.freq.tolist()
    scan = theirs["linear_kramers_kronig"]["scan"]
    assert [m for m, chi in enumerate(found.pseudo_chi2_of) if not math.isnan(chi)] == [one["terms"] for one in scan]


@needs_command
@pytest.mark.parametrize("name, options, flags", [
    ("two_path_before.csv", {}, []),
    ("randles_warburg_inside.csv", {"circuit": "R0-p(R1-Wo1,C1)", "profile": True}, ["--circuit", "R0-p(R1-Wo1,C1)", "--profile"]),
    ("two_path_before.csv", {"fix": {"Rs": 20, "Rb": "Ra"}, "range": {"Rsh": (10, "2k")}, "weights": "unit", "robust": True},
     ["--fix", "Rs=20,Rb=Ra", "--range", "Rsh=10..2k", "--weights", "unit", "--robust"]),
    ("two_path_before.csv", {"posterior": True, "seed": 5}, ["--posterior", "--seed", "5"]),
    ("two_path_before.csv", {"prior": {"Ra/Rb": (4.8, 1)}}, ["--prior", "Ra/Rb=4.8+-1"]),
    ("two_outliers.csv", {"circuit": "auto", "keep_points": True}, ["--circuit", "auto", "--keep-points"]),
])
def test_fits_are_the_commands(name, options, flags):
    s, = eis.read(FILES / name)
    found = eis.fit(s, **options)
    theirs = told("fit", FILES / name, *flags)
    theirs = theirs["spectra"][0] if "spectra" in theirs else without_spectra(theirs)
    ours = found.to_dict()
    assert ours == {name: theirs[name] for name in ours}
    close = {"rel_tol": 1e-9}
    for p, one in zip(found.parameters, theirs["parameters"], strict=True):
        assert (p.name, p.unit, p.state) == (one["name"], one["unit"], one["state"]) and math.isclose(p.value, one["value"], **close)
        assert one["stderr"] is None and not math.isfinite(p.error) or math.isclose(p.error, one["stderr"], **close)
        assert found[p.name] is p
    assert [q.name for q in found.quantities] == [q["name"] for q in theirs["quantities"]]
    assert (np.asarray(found.used) + 1).tolist() == theirs["used"] and len(found.model) == len(theirs["used"])
    assert found.verdict == theirs["verdict"] and list(found.norms) == list(theirs["norms"])
    assert np.asarray(found.correlation).shape == (len(found.parameters),) * 2
    assert [m.starts for m in found.minima] == [m["starts"] for m in theirs["minima"]]
    assert [c.circuit for c in found.ranking] == [c["circuit"] for c in theirs.get("ranking", [])]
    assert [p.name for p in found.priors] == list(options.get("prior", {}))
    assert (found.posterior is None) == ("posterior" not in theirs)
    if found.posterior:
        draws, weights = np.asarray(found.posterior.draws), np.asarray(found.posterior.weights)
        assert draws.shape == (len(weights), len(found.posterior.marginals)) and math.isclose(weights.sum(), 1)
        first = found.posterior.marginals[0]
        assert abs(weights[draws[:, 0] < first.median].sum() - 0.5) < 0.01 and first.interval == (first.low, first.high)
    assert bool(found.share) == bool(options.get("robust"))


@needs_command
def test_joint_fits_are_the_commands():
    files = [FILES / "two_path_before.csv", FILES / "two_path_after.csv"]
    spectra = [eis.read(file)[0] for file in files]
    found = eis.fit_together(spectra, same=["Ra", "Rb", "Ca", "Cb", "Rs"])
    theirs = told("fit", *files, "--same", "Ra,Rb,Ca,Cb,Rs")
    theirs = theirs["spectra"][0] if "parameters" not in theirs else theirs
    ours = found.to_dict()
    assert ours == {name: theirs[name] for name in ours}
    assert [s.name for s in found.spectra] == [str(file) for file in files] and found["Rsh#2"].value != found["Rsh#1"].value
    assert sum(s.points for s in found.spectra) == len(found.model)


@needs_command
@pytest.mark.parametrize("options, flags", [({}, []), ({"lambda_": "l-curve", "penalty_order": 2}, ["--lambda", "l-curve", "--penalty-order", "2"]),
                                            ({"lambda_": 0.001}, ["--lambda", "0.001"])])
@pytest.mark.parametrize("name", ["two_path_before.csv", "low_frequency_inductive_loop.csv"])
def test_distributions_are_the_commands(name, options, flags):
    s, = eis.read(FILES / name)
    found = eis.drt(s, **options)
    theirs, = told("drt", FILES / name, *flags)["spectra"]
    assert found.to_dict() == theirs
    assert np.allclose(found.gamma, theirs["gamma_ohm"], rtol=1e-9, atol=1e-300) and np.allclose(found.tau, theirs["tau_s"], rtol=1e-9)
    assert [p.beyond for p in found.peaks] == [p["beyond"] for p in theirs["peaks"]] and list(found.notes) == theirs["notes"]
    assert math.isclose(sum(p.r_ohm for p in found.peaks), found.area_ohm, rel_tol=1e-9)


# ---- circuits ----

def test_a_circuit_in_the_habits_of_impedance_py():
    c = eis.Circuit("R0-p(R1,CPE1)-p(R2-Wo1,C2)")
    with pytest.raises(tm.InvalidError, match="not fitted yet"):
        c.parameters_
    truth = dict(zip(["R0", "R1", "CPE1_0", "CPE1_1", "R2", "Wo1_0", "Wo1_1", "C2"], [8, 120, 2e-6, 0.9, 300, 90, 2, 4e-4]))
    s = 2j * np.pi * FREQ
    r = dict(truth)
    warburg = r["Wo1_0"] / np.sqrt(s * r["Wo1_1"]) / np.tanh(np.sqrt(s * r["Wo1_1"]))
    z = r["R0"] + 1 / (1 / r["R1"] + r["CPE1_0"] * s ** r["CPE1_1"]) + 1 / (1 / (r["R2"] + warburg) + s * r["C2"])
    assert c.fit(FREQ, z) is c and c.names_ == list(truth)
    assert np.allclose(c.parameters_, list(truth.values()), rtol=1e-4) and np.asarray(c.conf_).shape == (8,)
    assert np.allclose(c.predict(FREQ), z, rtol=1e-6) and "R0" in repr(c)
    free = eis.Circuit("R0-p(R1,C1)", fix={"R0": 8}).fit(FREQ, z, name="cell", area_cm2=2)
    assert free.result_.name == "cell" and free.parameters_[0] == 8 and free.result_["R1"].per_area_unit == "ohm cm2"
    with pytest.raises(tm.DataError, match="point 2: a frequency"):
        c.predict([1, -1])
    with pytest.raises(KeyError, match="there are R0, R1, C1"):
        free.result_["R9"]


def test_batches_have_the_bits_of_single_answers_on_any_threads():
    many = [eis.simulate(FREQ, **TRUTH, seed=i) for i in range(4)]
    bad = list(many[1])
    bad[2] = complex("nan")
    for single, batch in ((eis.check, eis.check_all), (eis.fit, eis.fit_all), (eis.drt, eis.drt_all)):
        wanted = [single(FREQ, z, name=f"spectrum {i + 1}").to_dict() for i, z in enumerate(many)]
        for threads in (1, 3):
            assert [r.to_dict() for r in batch(FREQ, np.array(many), threads=threads)] == wanted
        kept = batch(FREQ, [many[0], bad], errors="keep", names=["a", "b"])
        assert isinstance(kept[1], tm.DataError) and kept[1].row == 3 and "b, point 3" in str(kept[1])
        with pytest.raises(tm.DataError, match="b, point 3"):
            batch(FREQ, [many[0], bad], names=["a", "b"])
        assert batch(FREQ, []) == []


# ---- pictures and tables ----

def answers():
    return {"complete": eis.complete(FREQ, Z, known={"Rsh": 460}, name="<a>"), "exact": eis.complete(FREQ, Z, known={"Rsh": 460, "Ra": 4820}, method="exact", name="<a>"),
            "check": eis.check(FREQ, Z, name="<a>"), "fit": eis.fit(FREQ, Z, name="<a>"), "drt": eis.drt(FREQ, Z, name="<a>"),
            "together": eis.fit_together(FREQ, [Z, Z], same="Ra,Rb,Ca,Cb,Rs", names=["<a>", "<b>"])}


def test_pictures(tmp_path):
    charts = {"complete": 12, "exact": 6, "check": 2, "fit": 3, "drt": 2, "together": 6}
    for name, r in answers().items():
        page = r._repr_html_()
        drawn = r.plot()
        assert drawn._repr_svg_() == drawn._repr_html_() == drawn.svg and drawn.svg in page and page.startswith("<table>")
        xml.dom.minidom.parseString(drawn.svg), xml.dom.minidom.parseString(f"<div>{page}</div>")
        assert len(re.findall("<svg ", drawn.svg)) == 1 + charts[name] and "<a>" not in page
        again = pickle.loads(pickle.dumps(r))
        assert again.plot().svg == drawn.svg and again.to_dict() == r.to_dict() and repr(again) == repr(r)
        drawn.save(tmp_path / f"{name}.svg")
        assert (tmp_path / f"{name}.svg").read_text() == drawn.svg
        with pytest.raises(tm.InvalidError, match="there already"):
            drawn.save(tmp_path / f"{name}.svg")
        drawn.save(tmp_path / f"{name}.svg", overwrite=True)
        drawn.save(tmp_path / f"{name}.html")
        assert f"<title>{'&lt;a&gt; + &lt;b&gt;' if name == 'together' else '&lt;a&gt;'}</title>" in (tmp_path / f"{name}.html").read_text()


def test_a_picture_is_of_the_answers_numbers():
    """The Nyquist chart's points, back from its axes, are the spectrum; one unit has one length on both."""
    svg = eis.fit(FREQ, Z).plot().svg
    chart = svg.split("<svg ")[2]
    across = [(float(x), float(word)) for x, word in re.findall(r'<text x="([\d.]+)" y="280.0" text-anchor="middle">([\d.]+)<', chart)]
    up = [(float(y) - 4, float(word)) for y, word in re.findall(r'<text x="56.0" y="([\d.]+)" text-anchor="end">(-?[\d.]+)<', chart)]
    (x0, a0), (x1, a1), (y0, b0), (y1, b1) = across[0], across[-1], up[0], up[-1]
    assert math.isclose((x1 - x0) / (a1 - a0), -(y1 - y0) / (b1 - b0), rel_tol=0.01)
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="2.6"', chart)[:61]
    drawn = [(a0 + (float(x) - x0) * (a1 - a0) / (x1 - x0), b0 + (float(y) - y0) * (b1 - b0) / (y1 - y0)) for x, y in dots]
    pixel = (a1 - a0) / (x1 - x0)
    assert np.allclose(drawn, [(z.real, -z.imag) for z in reversed(Z)], rtol=0, atol=0.6 * pixel)


def test_nothing_to_draw():
    two = eis.check(np.concatenate([FREQ, FREQ]), list(Z) + eis.simulate(FREQ, **TRUTH | {"Rsh": 900}, seed=4))
    assert two.verdict == "unfit" and two.terms == 0 and two.residual == ()
    assert two._repr_html_().startswith("<table>") and "<svg" not in two._repr_html_()
    for one in (two, pickle.loads(pickle.dumps(two))):
        with pytest.raises(tm.InvalidError, match="there is nothing to draw"):
            one.plot()


def test_threads_draw_at_once():
    r = eis.complete(FREQ, Z, known={"Rsh": 460})
    found = []
    threads = [threading.Thread(target=lambda: found.append(r.plot().svg)) for _ in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert len(found) == 4 and len(set(found)) == 1


def test_tables():
    every = answers()
    assert every["fit"].to_frame("dict")["parameter"] == ["Rs", "Rsh", "Ra", "Ca", "Rb", "Cb", "TER", "TEC", "n1", "d1"]
    assert every["fit"].to_frame("dict")["value"][:6] == every["fit"].values
    assert every["drt"].to_frame("dict")["r_ohm"] == [p.r_ohm for p in every["drt"].peaks]
    assert every["check"].to_frame("dict") == {name: [] for name in ("spectrum", "verdict", "fault", "unfit", "size", "points", "sentence")}
    outliers = eis.check(eis.read(FILES / "two_outliers.csv")[0]).to_frame("dict")
    assert outliers["fault"] == ["outliers"] and outliers["points"] == [2]
    for kind in ("pandas", "polars"):
        pytest.importorskip(kind)
        for r in every.values():
            assert type(r.to_frame(kind)).__module__.startswith(kind)


# ---- slips ----

@pytest.mark.parametrize("call, error, words", [
    (lambda: eis.check(FREQ), tm.InvalidError, "check: freq and z are given together, or a Spectrum"),
    (lambda: eis.check(eis.read(FILES / "plain_resistor.csv")[0], Z), tm.InvalidError, "a Spectrum has its own impedances"),
    (lambda: eis.check_all(FREQ), tm.InvalidError, "a list of spectra, as read"),
    (lambda: eis.fit(FREQ, np.array([Z, Z])), tm.InvalidError, "fit_all takes several"),
    (lambda: eis.fit(FREQ, np.conj(eis.simulate(FREQ, **TRUTH, noise=0))), tm.DataError, "looks like -Im"),
    (lambda: eis.fit(FREQ, Z, circuit="R0-p(R1"), tm.InvalidError, r"R0-p\(R1"),
    (lambda: eis.fit(FREQ, Z, fix={"R9": 1}), tm.InvalidError, 'R9'),
    (lambda: eis.fit(FREQ, Z, weights="moduls"), tm.InvalidError, "`weights` is one of modulus, unit"),
    (lambda: eis.fit(FREQ, Z, wieghts="unit"), TypeError, "unexpected keyword argument 'wieghts'; there are weights, fix"),
    (lambda: eis.fit(FREQ, Z, blank="/nowhere.csv"), tm.Error, "nowhere.csv"),
    (lambda: eis.fit_together(FREQ, [Z], same="Ra"), tm.InvalidError, "two spectra or more are needed, not 1"),
    (lambda: eis.fit_together(FREQ, [Z, Z], same=["Rx"]), tm.InvalidError, "Rx"),
    (lambda: eis.drt(FREQ, Z, lambda_="gvc"), tm.InvalidError, "`lambda`"),
    (lambda: eis.drt(FREQ, Z, penalty_order=3), tm.InvalidError, "`penalty_order` is a whole number from 1 to 2"),
    (lambda: eis.drt(FREQ[:4], Z[:4]), tm.DataError, "4 points; from 5"),
    (lambda: eis.check_all(FREQ, [Z], threads=-1), tm.InvalidError, "check_all: threads is 0"),
    (lambda: eis.check_all(FREQ, [Z], errors="no"), tm.InvalidError, "check_all: errors is"),
])
def test_slips_are_told(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
def test_nothing_is_left_behind():
    def calls(times):
        for _ in range(times):
            eis.read(FILES / "two_path_before.csv")
            for make in (eis.check, eis.drt):
                make(FREQ, Z).plot()
            eis.fit(FREQ, Z, circuit="R0-p(R1,C1)").to_dict()
            eis.check_all(FREQ, [Z, [complex("nan")] * 61], errors="keep")

    def pages():
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1])

    calls(5)
    before = pages()
    calls(40)
    assert 4096 * (pages() - before) < 40 * 20000, "an answer of these and its picture hold ten times that"

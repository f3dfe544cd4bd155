"""The forecaster: the library's numbers whichever table the rows come in, tables out of the kind that came in, and a user's
slips said with row and column."""
import ctypes
import math
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta

import pytest

import tidemill as tm

np = pytest.importorskip("numpy")

ROWS, H, INPUT = 400, 6, 24
SMALL = dict(h=H, input_size=INPUT, epochs=1, seed=3, d_model=16, n_heads=2, e_layers=1, d_ff=16, threads=1)
pytestmark = pytest.mark.filterwarnings("ignore:by test MSE", "ignore:the best epoch", "ignore:on the test windows a baseline")


def columns(rows=ROWS):
    """Two made series, a day's swing with some noise."""
    random = np.random.default_rng(1)
    hours = np.arange(rows)
    return {"north": np.round(np.sin(hours / 24 * 2 * math.pi) + 0.1 * random.normal(size=rows), 4),
            "south": np.round(np.cos(hours / 24 * 2 * math.pi) + 0.1 * random.normal(size=rows), 4)}


def wide(rows=ROWS):
    start = np.datetime64("2024-01-01", "s")
    return {"date": start + np.arange(rows) * np.timedelta64(3600, "s")} | columns(rows)


def long():
    table = wide()
    return {"unique_id": ["north"] * ROWS + ["south"] * ROWS, "ds": np.concatenate([table["date"]] * 2),
            "y": np.concatenate([table["north"], table["south"]])}


@pytest.fixture(scope="module")
def fitted():
    return tm.Forecaster(**SMALL).fit(wide(), progress=False)


@pytest.fixture(scope="module")
def expected(fitted):
    return {name: np.asarray(values).tolist() for name, values in fitted.predict(level=[80, 95]).items()}


def as_lists(table):
    """Of any library's table, times as datetimes."""
    names = table.column_names if hasattr(table, "column_names") else list(table.columns)
    lists = {name: getattr(table[name], "to_pylist", getattr(table[name], "to_list", None))() for name in names}
    return {name: [getattr(x, "to_pydatetime", lambda x=x: x)() for x in items] for name, items in lists.items()}


# ---- kinds of tables ----

def libraries():
    def pandas(table):
        pytest.importorskip("pyarrow")
        return pytest.importorskip("pandas").DataFrame(table)

    def polars(table):
        times = {name: values.astype("datetime64[us]") for name, values in table.items() if name in ("date", "ds")}
        return pytest.importorskip("polars").DataFrame(table | times)

    def pyarrow(table):
        return pytest.importorskip("pyarrow").table(table)
    return [pandas, polars, pyarrow]


@pytest.mark.parametrize("make", libraries())
def test_tables_of_a_library(make, expected):
    table = make(wide())
    got = tm.Forecaster(**SMALL).fit(table, progress=False).predict(level=[80, 95])
    assert type(got) is type(table)
    assert as_lists(got) == expected


@pytest.mark.parametrize("make", libraries())
def test_long_tables_of_a_library(make, expected):
    table = make(long())
    got = tm.Forecaster(**SMALL).fit(table, progress=False).predict(level=[80, 95])
    assert type(got) is type(table)
    lists = as_lists(got)
    assert list(lists) == ["unique_id", "ds", "tidemill", "tidemill-lo-95", "tidemill-lo-80", "tidemill-hi-80", "tidemill-hi-95"]
    assert lists["unique_id"] == ["north"] * H + ["south"] * H
    assert lists["ds"] == expected["date"] * 2
    for suffix in ("", "-lo-95", "-lo-80", "-hi-80", "-hi-95"):
        assert lists["tidemill" + suffix] == expected["north" + suffix] + expected["south" + suffix]


def test_dicts(expected):
    times = [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(ROWS)]
    got = tm.Forecaster(**SMALL).fit({"date": times} | columns(), progress=False).predict()
    assert got["date"] == expected["date"] and got["north"].tolist() == expected["north"]
    seconds = wide()["date"].astype("int64")
    got = tm.Forecaster(**SMALL, time_column="date").fit({"date": seconds} | columns(), progress=False).predict()
    assert got["date"].tolist() == [int((t - datetime(1970, 1, 1)).total_seconds()) for t in expected["date"]]
    got = tm.Forecaster(**SMALL).fit(long(), progress=False).predict()
    assert list(got) == ["unique_id", "ds", "tidemill"]
    assert got["tidemill"].tolist() == expected["north"] + expected["south"]


def test_no_times():
    got = tm.Forecaster(**SMALL).fit(columns(), progress=False).predict()
    assert list(got) == ["north", "south"] and len(got["north"]) == H


def test_pandas_index(expected):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.DataFrame(wide()).set_index("date")
    got = tm.Forecaster(**SMALL).fit(table, progress=False).predict()
    assert got.index.name == "date" and got.index.dtype == table.index.dtype
    assert got.index.to_pydatetime().tolist() == expected["date"] and got["south"].tolist() == expected["south"]


def test_zones():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.DataFrame(wide())
    zoned = table.assign(date=pandas.date_range("2024-03-15", periods=ROWS, freq="h", tz="Europe/Berlin"))
    f = tm.Forecaster(**SMALL).fit(zoned, progress=False)
    got = f.predict()
    assert got["date"].dtype == zoned["date"].dtype
    assert got["date"][0] == zoned["date"].iloc[-1] + pandas.Timedelta(hours=1)
    for model, rows in ((f, table), (tm.Forecaster(**SMALL).fit(table, progress=False), zoned)):
        with pytest.raises(tm.DataError, match="zone; those that the model learned from"):
            model.predict(rows)
    with pytest.raises(tm.DataError, match="localize the column"):
        tm.Forecaster(**SMALL, tz="Europe/Berlin").fit(table, progress=False)


# ---- forecasting ----

def test_from_other_rows(fitted, expected):
    table = wide()
    for rows in (table, {name: values[-INPUT:] for name, values in table.items()}):
        assert fitted.predict(rows)["north"].tolist() == expected["north"]
    earlier = {name: values[:-H] for name, values in table.items()}
    got = fitted.predict(earlier)
    assert got["date"].tolist() == table["date"][-H:].tolist()
    assert got["north"].tolist() != expected["north"]


def test_known_ahead():
    table = wide() | {"price": np.tile([1.0, 2.0, 4.0, 8.0], ROWS // 4)}
    f = tm.Forecaster(**SMALL, known=["price"]).fit(table, progress=False)
    late = {name: values.copy() for name, values in table.items()}
    for name in ("north", "south"):
        late[name][-H:] = np.nan
    got = f.predict(late)
    assert list(got) == ["date", "north", "south"]
    assert got["date"].tolist() == table["date"][-H:].tolist()
    late["price"][-2:] = 0
    assert f.predict(late)["north"].tolist() != got["north"].tolist()


def test_bounds_lie_around(fitted, expected):
    for name in ("north", "south"):
        rows = zip(*(expected[name + suffix] for suffix in ("-lo-95", "-lo-80", "", "-hi-80", "-hi-95")))
        assert all(list(row) == sorted(row) for row in rows)
    assert list(fitted.predict(level="80, 95")) == list(expected)
    for level in (0, [100], ["a"]):
        with pytest.raises(tm.InvalidError, match="level"):
            fitted.predict(level=level)


def test_two_threads(fitted, expected):
    got = []
    threads = [threading.Thread(target=lambda: got.extend(fitted.predict()["north"].tolist() for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [expected["north"]] * 80


# ---- sums, paths, bounds ----

def written(*words):
    """The command's table, columns by name, texts."""
    head, *rows = [line.split(",") for line in command("predict", *words).splitlines()]
    return {name: [row[i] for row in rows] for i, name in enumerate(head)}


def same_numbers(table, lines, exact):
    for name, cells in lines.items():
        if name not in ("date", "path"):
            single = [ctypes.c_float(float(x)).value for x in cells]
            assert single == [ctypes.c_float(x).value for x in table[name].tolist()], name
            assert not exact or [float(x) for x in cells] == table[name].tolist(), name


def test_more_as_the_command(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    got = fitted.predict(sums={"total": ["north", "south"]}, level=[80, 95])
    lines = written(tmp_path / "run", "--sum", "total=north+south", "--level", "80,95")
    assert set(lines) == set(got)
    same_numbers(got, lines, False)
    same_numbers(got, {name: lines[name] for name in ("north", "south", "total")}, True)  # what adds up has all its digits
    same_numbers(fitted.predict(sum_horizon=True), written(tmp_path / "run", "--sum-horizon"), True)
    same_numbers(fitted.predict(lower=0, upper={"north": 0.1}, level=80),
                 written(tmp_path / "run", "--lower", 0, "--upper", "north=0.1", "--level", 80), False)
    for use in ("last-value", "linear", "best"):
        same_numbers(fitted.predict(use=use), written(tmp_path / "run", "--use", use), False)
    command("predict", tmp_path / "run", "--paths", 5, "--seed", 7, "--output", tmp_path / "f.csv")
    head, *rows = [line.split(",") for line in (tmp_path / "f-paths.csv").read_text().splitlines()]
    got = fitted.predict(paths=5, seed=7)
    assert got["path"].tolist() == [float(row[head.index("path")]) for row in rows]
    same_numbers(got, {name: [row[head.index(name)] for row in rows] for name in ("north", "south")}, False)


def test_sums_add_up(fitted, expected):
    got = fitted.predict(wide(), sums="total=north+south")
    assert got["total"].tolist() == [a + b for a, b in zip(got["north"], got["south"])]
    assert np.allclose(got["north"], expected["north"], rtol=1e-7)
    once = fitted.predict(sum_horizon=True)
    assert once["north"].tolist() == pytest.approx([sum(got["north"])], rel=1e-12)
    f = tm.Forecaster(**SMALL).fit(long(), progress=False)
    assert f.predict(sums="total=north+south")["unique_id"][-H:] == ["total"] * H
    paths = f.predict(paths=3, lower=-0.5)
    assert list(paths) == ["unique_id", "ds", "path", "tidemill"] and len(paths["ds"]) == 3 * 2 * H
    assert min(paths["tidemill"].tolist()) == -0.5


@pytest.mark.parametrize("options, message", [
    ({"sums": "a=b"}, "is no series that is forecast"), ({"paths": 3, "level": 80}, "ask for one of them"),
    ({"use": "x"}, "`use` is one of"), ({"lower": 1, "upper": 0}, "is above its `upper`"), ({"other_columns": True}, "of the command"),
])
def test_slips_in_more(fitted, options, message):
    with pytest.raises(tm.InvalidError, match=message):
        fitted.predict(**options)


# ---- testing ----

@pytest.fixture(scope="module")
def tested(fitted):
    return {name: np.asarray(values) for name, values in fitted.cross_validation(wide(), n_windows=3, step_size=5, level=[80, 95]).items()}


def test_cross_validation(fitted, tested):
    """Each cutoff's forecast is predict's of the rows up to it; the truth is the table's."""
    assert list(tested)[:4] == ["date", "cutoff", "north-y", "north"]
    assert len(tested["date"]) == 3 * H and len(set(tested["cutoff"])) == 3
    table = wide()
    for cutoff in sorted(set(tested["cutoff"])):
        known = {name: values[table["date"] <= cutoff] for name, values in table.items()}
        rows, came = tested["cutoff"] == cutoff, (table["date"] > cutoff)
        alone = fitted.predict(known, level=[80, 95])
        assert tested["date"][rows].tolist() == alone["date"].tolist()
        for name in ("north", "south"):
            assert tested[name + "-y"][rows].tolist() == table[name][came][:H].tolist()
            for suffix in ("", "-lo-95", "-hi-80"):
                assert np.allclose(tested[name + suffix][rows], alone[name + suffix], rtol=1e-5, atol=1e-6)
    errors = np.abs(tested["north"] - tested["north-y"])
    told = fitted.cv_scores_
    assert told["origins"] == 3 and told["step"] == 5 and told["refits"] == 0
    assert told["by_column"]["north"]["model"]["mae"] == pytest.approx(errors.mean(), rel=1e-6)


def test_cross_validation_of_long_tables(tested):
    f = tm.Forecaster(**SMALL).fit(long(), progress=False)
    got = f.cross_validation(long(), n_windows=3, step_size=5, level=[80, 95], baselines=True)
    assert list(got)[:5] == ["unique_id", "ds", "cutoff", "y", "tidemill"] and list(got)[-3:] == ["last_value", "seasonal_naive", "linear"]
    assert got["unique_id"] == ["north"] * 3 * H + ["south"] * 3 * H
    for suffix in ("", "-lo-95", "-hi-80"):
        assert got["tidemill" + suffix].tolist() == tested["north" + suffix].tolist() + tested["south" + suffix].tolist()
    assert got["y"].tolist() == tested["north-y"].tolist() + tested["south-y"].tolist()


def test_cross_validation_without_times():
    f = tm.Forecaster(**SMALL).fit(columns(), progress=False)
    got = f.cross_validation(columns(), n_windows=1, horizon=2)
    assert list(got) == ["row", "cutoff", "north-y", "north", "south-y", "south"]
    assert [row - 1 for row in got["row"].tolist()] == [got["cutoff"][0], got["cutoff"][0] + 1]
    assert got["north-y"].tolist() == [columns()["north"][int(row) - 1] for row in got["row"].tolist()]


def test_trained_anew(fitted, tested):
    """Before each cutoff: by the same options on fewer rows, so other numbers; a model from bytes alone has no options."""
    again = pickle.loads(pickle.dumps(fitted))
    got = again.cross_validation(wide(), n_windows=3, step_size=5, refit=True, progress=False)
    assert again.cv_scores_["refits"] == 3 and got["cutoff"].tolist() == tested["cutoff"].tolist()
    assert got["north"].tolist() != tested["north"].tolist()
    again.cross_validation(wide(), n_windows=3, step_size=5, refit=2, warm_start=True, epochs=1, progress=False)
    assert again.cv_scores_["refits"] == 2
    again._recipe = None
    with pytest.raises(tm.InvalidError, match="how the model was trained is not known"):
        again.cross_validation(wide(), refit=True)


def test_cross_validation_as_the_command(fitted, tmp_path):
    write_csv(tmp_path / "series.csv")
    fitted.save(tmp_path / "run")
    command("backtest", tmp_path / "run", "--data", tmp_path / "series.csv", "--windows", 3, "--step", 5, "--level", "80,95", "--output",
            tmp_path / "rows.csv")
    head, *rows = [line.split(",") for line in (tmp_path / "rows.csv").read_text().splitlines()]
    got = fitted.cross_validation(wide(), n_windows=3, step_size=5, level=[80, 95])
    for series in ("north", "south"):
        for column, name in (("forecast", series), ("truth", series + "-y"), ("lo-95", series + "-lo-95"), ("hi-80", series + "-hi-80")):
            cells = [float(row[head.index(column)]) for row in rows if row[head.index("series")] == series]
            assert np.allclose(cells, got[name], rtol=np.finfo(np.float32).eps, atol=0), name
    assert [row[0] for row in rows][::2] == [str(t).replace("T", " ") for t in got["cutoff"]]


def test_evaluate(fitted):
    told = fitted.evaluate(wide())
    for part in ("test", "baselines", "by_column", "windows"):
        assert told[part] == fitted.scores_[part]
    assert fitted.evaluate(wide(), test=30)["windows"] == 30 - H + 1


@pytest.mark.parametrize("options, message", [
    ({"n_windows": 1000}, "rows to forecast from, fewer than `windows` 1000"),
    ({"origins": "25:00"}, "it takes clocks, weekdays or both"),
    ({"horizon": H + 1}, "train with `pred_len` 7"),
    ({"output": "x.csv"}, "`output` is an option of the command"),
    ({"dropout": 0.1}, "`dropout` is an option of another call"),
    ({"epochs": 3}, "`refit_every` N"),
    ({"level": 100}, "level"),
])
def test_slips_in_cross_validation(fitted, options, message):
    with pytest.raises(tm.InvalidError, match=message):
        fitted.cross_validation(wide(), **options)


# ---- pictures ----

def paths_of(svg):
    import xml.etree.ElementTree as xml
    return [path.get("d") for path in xml.fromstring(svg).iter("{http://www.w3.org/2000/svg}path") if path.get("stroke-width") == "2"]


def words_of(svg):
    import xml.etree.ElementTree as xml
    return [text.text for text in xml.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_plot(fitted, tmp_path):
    drawn = fitted.plot(wide(), truth=True, columns=["north"], history=40)
    lines = paths_of(drawn.svg)
    assert [line.count("M") + line.count("L") for line in lines] == [40, H, H]      # past, forecast, truth
    assert {"80 %", "95 %", "past", "forecast", "truth", "2024-01-17", "00:00"} <= set(words_of(drawn.svg))
    assert {"north", "south"} <= set(words_of(fitted.plot().svg))
    assert len(paths_of(fitted.plot(level=None).svg)) == 4
    assert {"last value", "seasonal naive", "linear"} <= set(words_of(fitted.plot(wide(), baselines=True).svg))
    for name in ("a.svg", "a.html"):
        drawn.save(tmp_path / name)
        assert drawn.svg in (tmp_path / name).read_text()
    with pytest.raises(tm.InvalidError, match="neither in .svg nor in .html"):
        drawn.save(tmp_path / "a.png")
    with pytest.raises(tm.DataError, match="'nord' is not forecast; these are: north, south"):
        fitted.plot(columns="nord")
    with pytest.raises(tm.InvalidError, match="truth"):
        fitted.plot(truth=True)


def test_in_a_notebook(fitted):
    page = fitted._repr_html_()
    assert "this model" in page and f"{fitted.scores_['test']['mse']:.4g}" in page and page.count("<svg") == 3
    assert "<svg" not in tm.Forecaster(h=6)._repr_html_()
    table = fitted.predict(paths=9)._repr_html_()
    assert table.count("<tr>") == 1 + 25 and "<th>north</th>" in table and "2024-01-17 16:00:00" in table
    named = tm.Forecaster(**SMALL).fit({"<b>&": columns()["north"]}, progress=False)
    assert "Forecast of <b>&" in words_of(named.plot().svg)


# ---- darts ----

class Series:
    """What is asked of a series of darts."""

    def __init__(self, time_index, rows, components):
        self.time_index, self.rows, self.components = time_index, rows, components

    def values(self):
        return self.rows

    @classmethod
    def from_times_and_values(cls, times, values, columns=None):
        return cls(times, values, columns)


def test_series_of_darts(fitted, expected):
    pandas = pytest.importorskip("pandas")
    rows = np.stack([columns()["north"], columns()["south"]], axis=1)
    series = Series(pandas.DatetimeIndex(wide()["date"]), rows, pandas.Index(["north", "south"]))
    f = tm.Forecaster(**SMALL).fit(series, progress=False)
    got = f.predict(level=80)
    assert type(got) is Series and list(got.components)[:2] == ["north", "north-lo-80"]
    assert got.time_index.to_pydatetime().tolist() == expected["date"]
    assert got.rows[:, 0].tolist() == expected["north"] and got.rows[:, 1].tolist() == expected["north-lo-80"]
    counted = Series(pandas.RangeIndex(10, 10 + 2 * ROWS, 2), rows, ["north", "south"])
    assert tm.Forecaster(**SMALL).fit(counted, progress=False).predict().time_index.tolist() == [10 + 2 * (ROWS + i) for i in range(H)]
    assert list(f.cross_validation(series, n_windows=1))[:2] == ["time", "cutoff"]
    series.n_samples = 5
    with pytest.raises(tm.DataError, match="has samples"):
        f.predict(series)


# ---- files ----

def test_save_and_load(fitted, expected, tmp_path):
    fitted.save(tmp_path / "run")
    loaded = tm.load(tmp_path / "run")
    assert loaded.get_params() == {"h": H, "input_size": INPUT, "freq": "h"}
    assert loaded.predict()["north"].tolist() == expected["north"]
    assert loaded.predict(wide(), level=80)["south-hi-80"].tolist() == expected["south-hi-80"]
    with pytest.raises(tm.InvalidError, match="overwrite=True"):
        fitted.save(tmp_path / "run")
    fitted.save(tmp_path / "run", overwrite=True)
    assert os.listdir(tmp_path / "run") == ["model.safetensors"]
    (tmp_path / "run" / "mine").write_text("kept")
    with pytest.raises(tm.InvalidError, match="holds something"):
        fitted.save(tmp_path / "run", overwrite=True)
    with pytest.raises(tm.DataError, match="holds no trained model"):
        tm.load(tmp_path)


@pytest.mark.parametrize("name, format", [("model.c", "c"), ("model.onnx", None), ("model.pth", "pth"), ("any", "onnx")])
def test_export(fitted, tmp_path, name, format):
    """The bytes that the command writes; nothing that is there is written over unasked."""
    by_command, ours = tmp_path / "command", tmp_path / "ours"
    by_command.mkdir(), ours.mkdir()
    fitted.save(tmp_path / "run")
    level = None if name.endswith(".pth") else [80, 95]
    more = ["--level", "80,95"] if level else []
    command("export", tmp_path / "run", "--output", by_command / name, *more, *(["--format", format] if format else []))
    fitted.export(ours / name, format, level)
    files = sorted(os.listdir(by_command))
    assert files == sorted(os.listdir(ours)) and len(files) == (2 if format == "c" else 1)
    for file in files:
        assert (ours / file).read_bytes() == (by_command / file).read_bytes()
        for other in files:
            (ours / other).unlink(missing_ok=True)
        (ours / file).write_text("mine")
        with pytest.raises(tm.InvalidError, match="overwrite=True"):
            fitted.export(ours / name, format, level)
        assert (ours / file).read_text() == "mine"
        fitted.export(ours / name, format, level, overwrite=True)
        assert (ours / file).read_bytes() == (by_command / file).read_bytes()


@pytest.mark.parametrize("name, given, message", [
    ("model", {}, "`format` says what to write"), ("model", {"format": "onxn"}, "onnx"), ("model.onnx", {"format": "c"}, "does not end in .c"),
    ("model.pth", {"level": 80}, "no place for intervals"), ("model.onnx", {"level": 100.5}, "100.5"), ("model.onnx", {"level": "high"}, "no number"),
    ("a b.c", {}, "a b")])
def test_slips_in_export(fitted, tmp_path, name, given, message):
    with pytest.raises(tm.InvalidError, match=message):
        fitted.export(tmp_path / name, **given)
    assert not os.listdir(tmp_path)
    with pytest.raises(tm.InvalidError, match="learned nothing"):
        tm.Forecaster().export(tmp_path / "model.c")


def test_export_tells_what_validation_cannot_vouch_for(fitted, tmp_path, caplog):
    """Of 35 validation windows a level of 99 is beyond what they say, one of 50 is not; predict has the same words."""
    with caplog.at_level("INFO", logger="tidemill"):
        fitted.export(tmp_path / "one.onnx", level=50)
        assert not caplog.records
        fitted.export(tmp_path / "two.onnx", level=99)
        fitted.predict(level=99, use="model")
    told = [record.message for record in caplog.records if "vouch" in record.message]
    assert len(told) == 2 and told[0] == told[1] and "from step 1 on" in told[0]


def test_pickle(fitted, expected):
    again = pickle.loads(pickle.dumps(fitted))
    assert again.get_params() == fitted.get_params() and again.scores_ == fitted.scores_
    assert again.predict()["date"].tolist() == expected["date"]
    assert again.predict()["north"].tolist() == expected["north"]


def test_same_bits_as_a_run_folder(fitted, tmp_path):
    f = tm.Forecaster(**SMALL, out=tmp_path / "run").fit(wide(), progress=False)
    assert {"metrics.csv", "model.safetensors", "run.json", "state.safetensors"} <= set(os.listdir(tmp_path / "run"))
    fitted.save(tmp_path / "saved")
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (tmp_path / "saved" / "model.safetensors").read_bytes()
    with pytest.raises(tm.InvalidError, match="`overwrite`"):
        f.fit(wide(), progress=False)


def command(*words):
    """The command, where the tests are given one (TIDEMILL_EXE) or the machine has it."""
    program = os.environ.get("TIDEMILL_EXE") or shutil.which("tidemill")
    if not program:
        pytest.skip("no tidemill command: TIDEMILL_EXE names one")
    return subprocess.run([program, "forecast", *map(str, words)], check=True, text=True, capture_output=True).stdout


def write_csv(path):
    table = wide()
    lines = [",".join(table)] + [",".join([str(t).replace("T", " "), repr(float(a)), repr(float(b))]) for t, a, b in zip(*table.values())]
    path.write_text("\n".join(lines) + "\n")


def test_same_bits_as_the_command(expected, fitted, tmp_path):
    write_csv(tmp_path / "series.csv")
    names = {"h": "pred-len", "input_size": "seq-len"}
    options = [word for name, value in SMALL.items() for word in ("--" + names.get(name, name).replace("_", "-"), value)]
    command("train", "--data", tmp_path / "series.csv", "--out", tmp_path / "run", "--no-plots", *options)
    fitted.save(tmp_path / "saved")
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (tmp_path / "saved" / "model.safetensors").read_bytes()
    head, *rows = command("predict", tmp_path / "saved", "--level", "80,95").splitlines()
    for place, name in enumerate(head.split(",")[1:], 1):
        as_floats = [ctypes.c_float(x).value for x in expected[name]]
        assert [ctypes.c_float(float(row.split(",")[place])).value for row in rows] == as_floats, name


# ---- options ----

@pytest.mark.parametrize("options, message", [
    ({"epoch": 3}, "there is no option 'epoch'; did you mean `epochs`"),
    ({"dropout": 3}, "`dropout` is a number from -1 to 0.95, not '3'"),
    ({"seq_len": 0}, "`seq_len`"),
    ({"arch": "lstm"}, "`arch`"),
    ({"output": "x.csv"}, "`output` is an option of the command"),
    ({"data": "x.csv"}, "`data` is an option of the command"),
])
def test_options_are_the_commands(options, message):
    given = SMALL | options
    if "seq_len" in options:
        del given["input_size"]
    with pytest.raises(tm.InvalidError) as told:
        tm.Forecaster(**given).fit(wide(), progress=False)
    assert message in str(told.value)


def test_params():
    f = tm.Forecaster(h=6, freq="h", seed=2)
    assert type(f)(**f.get_params()).get_params() == f.get_params()
    assert f.set_params(seed=3) is f and f.get_params()["seed"] == 3
    assert repr(f) == "Forecaster(h=6, freq='h', seed=3)"
    with pytest.raises(TypeError, match="pred_len"):
        tm.Forecaster(h=6, pred_len=6).fit(wide())
    with pytest.raises(tm.InvalidError, match="fit"):
        f.predict()


def test_scores(fitted):
    scores = fitted.scores_
    assert scores["schema_version"] and scores["pred_len"] == H and scores["epochs"] == 1
    assert scores["baselines"] and scores["by_column"]


# ---- a user's slips ----

def slip(change, options={}, make=dict):
    table = {name: values.copy() for name, values in wide().items()}
    change(table)
    with pytest.raises(tm.DataError) as told:
        tm.Forecaster(**SMALL, **options).fit(make(table), progress=False)
    return told.value


def test_slips():
    error = slip(lambda t: t["north"].__setitem__(5, np.nan), {"missing": "error"})
    assert (error.row, error.column) == (6, "north") and "`missing` mask" in str(error)
    error = slip(lambda t: t["date"].__setitem__(9, t["date"][8]))
    assert (error.row, error.column) == (10, "date") and "stands more than once" in str(error)
    error = slip(lambda t: t["south"].__setitem__(7, np.inf))
    assert (error.row, error.column) == (8, "south") and "infinity" in str(error)
    error = slip(lambda t: t.update(north=["abc" if i == 7 else str(x) for i, x in enumerate(t["north"])]))
    assert (error.row, error.column) == (8, "north") and "'abc', which is not a number" in str(error)
    error = slip(lambda t: t.update(date=[str(x) for x in t["date"]]), {"time_column": "date"})
    assert error.column == "date" and "holds text, not times" in str(error)
    error = slip(lambda t: None, {"columns": ["nord"]})
    assert error.column == "nord" and "did you mean 'north'" in str(error)
    error = slip(lambda t: t.update({name: values[::-1] for name, values in t.items()}))
    assert (error.row, error.column) == (2, "date") and "`sort`" in str(error)


def test_slips_in_long_form():
    table = long()
    table["ds"][4] = table["ds"][3]
    with pytest.raises(tm.DataError, match="rows 4 and 5 are both of series 'north'") as told:
        tm.Forecaster(**SMALL).fit(table, progress=False)
    assert told.value.row == 5
    table = long() | {"unique_id": ["north"] * 3 + [None] + ["north"] * (2 * ROWS - 4)}
    with pytest.raises(tm.DataError) as told:
        tm.Forecaster(**SMALL).fit(table, progress=False)
    assert (told.value.row, told.value.column) == (4, "unique_id")
    table = long()
    table["a"], table["b"] = table.pop("y"), table["ds"].astype("int64")
    with pytest.raises(tm.DataError, match="`value` says it"):
        tm.Forecaster(**SMALL).fit(table, progress=False)


def test_slips_in_pandas():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    error = slip(lambda t: t.update(north=np.array([*t["north"][:7], "abc", *t["north"][8:]], dtype=object)), make=pandas.DataFrame)
    assert (error.row, error.column) == (8, "north") and "'abc', which is not a number" in str(error)
    error = slip(lambda t: t.update(date=t["date"].astype(str)), make=pandas.DataFrame)
    assert error.column == "date" and "pandas.to_datetime" in str(error)
    error = slip(lambda t: t["date"].__setitem__(9, np.datetime64("NaT")), make=pandas.DataFrame)
    assert (error.row, error.column) == (10, "date")
    with pytest.raises(tm.DataError, match="named columns"):
        tm.Forecaster(**SMALL).fit(pandas.DataFrame(wide())["north"], progress=False)


def test_slips_in_rows_to_forecast_from(fitted):
    table = wide()

    def refused(rows, message):
        with pytest.raises(tm.DataError) as told:
            fitted.predict(rows)
        assert message in str(told.value)
        return told.value
    refused({name: values[:5] for name, values in table.items()}, "has 5 rows; the model needs 24")
    assert refused({"date": table["date"], "north": table["north"]}, "no column 'south'").column == "south"
    refused({name: values[::2] for name, values in table.items()}, "rows are 2h apart")
    for rows in ([*range(ROWS - 1, -1, -1)], [i for i in range(ROWS) if i != ROWS - 5]):
        refused({name: values[rows] for name, values in table.items()}, "not one step of h after the row before it")
    bad = wide()
    bad["north"][-2] = np.nan
    error = refused(bad, "not a finite number")
    assert (error.row, error.column) == (ROWS - 1, "north")
    with pytest.raises(tm.InvalidError, match="a table is needed"):
        fitted.predict([1, 2, 3])


# ---- progress ----

def test_progress():
    told = []
    tm.Forecaster(**SMALL).fit(wide(), progress=lambda stage, message, *numbers: told.append((stage, message, numbers)))
    assert {"start", "epoch"} <= {stage for stage, *_ in told}
    epoch = [numbers for stage, _, numbers in told if stage == "epoch"][-1]
    assert epoch[0] == epoch[1] == 1 and epoch[4] == epoch[3] > 0
    f = tm.Forecaster(**SMALL)
    with pytest.raises(ZeroDivisionError):
        f.fit(wide(), progress=lambda *event: 1 / 0)
    with pytest.raises(tm.InvalidError, match="learned nothing"):
        f.predict()


def test_interrupt(fitted, expected):
    """Ctrl-C ends a training that would take minutes, and leaves what was learned before."""
    f = pickle.loads(pickle.dumps(fitted)).set_params(epochs=100000, patience=0)
    timer = threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        f.fit(wide(), progress=False)
    timer.join()
    assert f.predict()["north"].tolist() == expected["north"]


def test_others_go_on():
    """A thread of Python counts while another trains."""
    done = threading.Event()

    def learn():
        try:
            tm.Forecaster(**SMALL | {"epochs": 20, "patience": 0}).fit(wide(), progress=False)
        finally:
            done.set()
    thread = threading.Thread(target=learn)
    thread.start()
    turns = 0
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 5


def test_pickle_elsewhere(tmp_path):
    """A table's library is loaded where the forecaster comes to."""
    polars = pytest.importorskip("polars")
    f = tm.Forecaster(**SMALL).fit(polars.DataFrame(columns()), progress=False)
    (tmp_path / "f.pickle").write_bytes(pickle.dumps(f))
    code = f"import pickle; print(type(pickle.load(open({str(tmp_path / 'f.pickle')!r}, 'rb')).predict()).__module__)"
    told = subprocess.run([sys.executable, "-c", code], check=True, text=True, capture_output=True).stdout
    assert told.startswith("polars")


def test_import_needs_no_other_library():
    code = "import sys, tidemill; tidemill.Forecaster(); print([m for m in ('numpy', 'pandas', 'polars', 'pyarrow', 'tqdm', 'json', 'logging') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, text=True, capture_output=True).stdout.strip() == "[]"

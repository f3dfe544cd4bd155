"""The forecaster in the habits of scikit-learn and of nixtla's libraries: fit, predict, save, load."""
from __future__ import annotations

import os
import sys
from importlib import import_module

from . import _tables
from . import _tidemill as _c
from ._plot import Plot

TYPE_CHECKING = False  # as in _tables.py
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

__all__ = ["Forecaster", "Plot", "load"]

_PATHS = ("out", "from", "holidays", "issued", "dump_graph")
_TABLE = ("time_column", "id", "value")
_SHOWN = 6  # series that a notebook shows unasked
_NAMES = {"h": "pred_len", "input_size": "seq_len", "from_run": "from"}


def _text(value: Any) -> str:
    """A value of Python's as the options' table reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_text(item) for item in value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return repr(value) if isinstance(value, float) else str(value)


def _names(value: Any) -> list[str]:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value or ())


def _levels(level: Any) -> list[float]:
    given = _names(level) if isinstance(level, str) else [level] if isinstance(level, (int, float)) else level
    try:
        return sorted({float(x) for x in (() if given is None else given)})
    except (TypeError, ValueError):
        raise _tables.invalid(f"level: {level!r} is no number and no list of numbers, in percent") from None


def _sums(given: Any) -> str | None:
    """{"total": ["north", "south"]}, or the option's own words."""
    if given is None or isinstance(given, str):
        return given
    return ";".join(f"{name}={'+'.join(_names(parts.replace('+', ',') if isinstance(parts, str) else parts))}"
                    for name, parts in given.items())


def _limits(given: Any) -> str | None:
    """A number for all series, or one for each of some; or the option's own words."""
    if given is None or isinstance(given, str):
        return given
    return ",".join(f"{name}={_text(float(value))}" for name, value in given.items()) if hasattr(given, "items") else _text(float(given))


class _Bar:
    """Progress in a notebook or a terminal: tqdm's where it is, else a line that is written over."""

    def __init__(self, asked: bool, what: str = "training") -> None:
        self.bar: Any = None
        self.what = what
        self.line = False
        shown = asked or sys.stderr is not None and sys.stderr.isatty() or "ipykernel" in sys.modules
        if not shown:
            return
        try:
            self.bar = import_module("tqdm.auto").tqdm(desc=what, unit="step")
        except ImportError:
            self.line = True

    def __call__(self, stage: str, message: str, epoch: int, epochs: int, batch: int, batches: int, step: int, loss: float,
                 val_loss: float, seconds_left: float) -> None:
        if stage not in ("step", "epoch"):
            return
        if self.bar is not None:
            self.bar.total = max(epochs * batches, step)
            self.bar.update(step - self.bar.n)
            self.bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        elif self.line:
            sys.stderr.write(f"\r{self.what}: epoch {epoch} of {epochs}, step {step}, loss {loss:.4g} ")
            sys.stderr.flush()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        elif self.line:
            sys.stderr.write("\n")


def _teller(bar: Callable[..., object] | None) -> Callable[..., object]:
    """Passes on what the library says: warnings as Python's, notes to the log, the rest to the bar."""
    def tell(stage: str, message: str, *numbers: Any) -> None:
        if stage == "warning":
            import warnings
            warnings.warn(message, stacklevel=3)
        elif stage == "note":
            import logging
            logging.getLogger("tidemill").info(message)
        if bar is not None:
            bar(stage, message, *numbers)
    return tell


def _bound_places(levels: list[float]) -> list[tuple[str, Any]]:
    """The forecast, lower bounds from the widest, then upper ones to it, as nixtla's libraries have them: what follows the name,
    and (level, side), None of the forecast."""
    places: list[tuple[str, Any]] = [("", None)] + [(f"-lo-{x:g}", (i, 0)) for i, x in reversed(list(enumerate(levels)))]
    return places + [(f"-hi-{x:g}", (i, 1)) for i, x in enumerate(levels)]


def _part(frame: _c._Frame, rows: int) -> _c._Frame:
    """Its first rows."""
    time = None if frame.time is None else frame.time.tolist()[:rows]
    return _c._frame_from_columns({name: frame.values(name).tolist()[:rows] for name in frame.names}, frame.time_name, time)


class Forecaster:
    """Trains a model on a table of series, and forecasts the rows after it.

        f = tidemill.Forecaster(h=96, input_size=96, freq="h").fit(df)
        f.predict(level=[80, 95])

    h: rows to forecast (the option pred_len); input_size: rows that a forecast starts from (seq_len). Both 96, unless a
    preset says otherwise. freq: "h", "15min", pandas' words; found from the times where it is not given.
    options: those of `tidemill forecast train` by their names, with _ for -: arch="dlinear", epochs=10, seed=1,
    preset="etth1-96", known=["price"], out="runs/one" (a run folder, as the command leaves it), ...; `from` is from_run.
    id, time_column, value: the columns of a table in long form, where they are not unique_id, ds and y.

    The numbers are the command's, to the bit, with the same rows, options and seed."""

    def __init__(self, h: int | None = None, input_size: int | None = None, freq: str | None = None, **options: Any) -> None:
        self._given: dict[str, Any] = {"h": h, "input_size": input_size, "freq": freq} | options
        self._model: _c._Model | None = None
        self._shape = _tables.Shape()
        self._result = "{}"
        self._recipe: str | None = None
        self._tested = "{}"

    # ---- options ----

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments that it was made with, as scikit-learn asks for them."""
        return dict(self._given)

    def set_params(self, **options: Any) -> Forecaster:
        """Other arguments, for the next fit."""
        self._given.update(options)
        return self

    def _options(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for name, value in self._given.items():
            key = _NAMES.get(name, name)
            if value is None or name in _TABLE:
                continue
            if key in texts:
                raise TypeError(f"Forecaster: '{name}' says again what another argument says: {key}")
            texts[key] = _text(value)
        return texts

    def _wanted(self) -> _tables.Wanted:
        return _tables.Wanted(self._given.get("time_column") or "", _names(self._given.get("id")),
                              _names(self._given.get("value")))

    def __repr__(self) -> str:
        told = [f"{name}={value!r}" for name, value in self._given.items() if value is not None]
        return f"Forecaster({', '.join(told)})"

    # ---- training ----

    def fit(self, df: Any, *, progress: bool | str | Callable[..., object] = "auto") -> Forecaster:
        """Trains on a table, scores the model on its last rows, and returns the forecaster.

        df: of pandas (with pyarrow), polars, pyarrow, anything with __arrow_c_stream__, or a dict of arrays. Wide: a
        column of times and one for each series; long: unique_id, ds, y. Times with a zone are instants of it (the
        option tz says another), those without are what a clock shows. NaN and null are gaps.
        progress: "auto" shows it in a notebook and a terminal, True always, False never; or what is called with (stage,
        message, epoch, epochs, batch, batches, step, loss, val_loss, seconds_left). Notes go to the logger "tidemill",
        warnings to warnings.warn. Ctrl-C ends it after the step that is running, and leaves the forecaster as it was."""
        options = self._options()
        _c._check_options(options)
        frame, shape = _tables.read(df, self._wanted())
        self._settle_zone(options, shape, frame)
        for name in _PATHS:
            if name in options:
                options[name] = os.path.expanduser(options[name])
        bar = progress if callable(progress) else _Bar(progress is True) if progress else None
        try:
            self._model, self._result, self._recipe = _c._train(frame, options, _teller(bar))
        finally:
            if isinstance(bar, _Bar):
                bar.close()
        self._shape = shape
        return self

    def _settle_zone(self, options: dict[str, str], shape: _tables.Shape, frame: _c._Frame) -> None:
        """Instants are shown in the zone that their column names."""
        if shape.tz:
            shape.tz = options.setdefault("tz", shape.tz)
        elif options.get("tz") and shape.naive:
            raise _tables.fault(f"'{frame.time_name}' has times without a zone, and `tz` asks for instants: localize the "
                                f"column (pandas: .dt.tz_localize({options['tz']!r}))", 0, frame.time_name or "")

    @property
    def scores_(self) -> dict[str, Any]:
        """What the command's --json says of the test windows: errors by series, baselines, intervals, times."""
        import json
        told: dict[str, Any] = json.loads(self._result)
        return told

    # ---- forecasting ----

    def _fitted(self) -> _c._Model:
        if self._model is None:
            raise _tables.invalid("the forecaster has learned nothing yet: fit(df), or tidemill.load(path)")
        return self._model

    def _read(self, df: Any) -> tuple[_c._Frame, _tables.Shape]:
        """Other rows than those that it learned from, with times of the same kind."""
        frame, shape = _tables.read(df, self._wanted())
        if shape.naive if self._fitted().tz else shape.tz:
            raise _tables.fault(f"'{frame.time_name}' has times {'with' if shape.tz else 'without'} a zone; those that the "
                                f"model learned from {'had none' if shape.tz else 'had one'}", 0, frame.time_name or "")
        return frame, shape

    def predict(self, df: Any = None, level: float | Sequence[float] | None = None, *,
                sums: str | Mapping[str, Sequence[str] | str] | None = None, sum_horizon: bool = False, paths: int = 0,
                seed: int | None = None, lower: Any = None, upper: Any = None, use: str | None = None, **options: Any) -> Any:
        """The h rows after the table's last, as the kind of table that came in.

        df: rows to forecast from, at least the last input_size of them; None: those that it learned from. Columns that
        are known ahead have values in h rows more, in which the others are empty.
        level: prediction intervals in percent, from 1 to 99.
        sums: series that are sums of others, {"total": ["north", "south"]}, whose intervals know which errors go together.
        sum_horizon: the sum of each series over the h rows, in place of these.
        paths: so many sample paths in place of the forecast, each numbered in a column `path`; seed: which ones.
        lower, upper: nothing lies beyond, neither a forecast nor a bound nor a path: a number, or {"north": 0}.
        use: "model", "best" by the test windows, or a baseline: "last-value", "seasonal-naive", "linear".
        options: the others of `tidemill forecast predict`: season, future, holidays, issued.
        Wide: the times, and NAME, NAME-lo-80, NAME-hi-80 for each series. Long: unique_id, ds, tidemill,
        tidemill-lo-80, tidemill-hi-80."""
        model, levels = self._fitted(), _levels(level)
        more = options | {"sum": _sums(sums), "sum_horizon": sum_horizon or None, "paths": paths or None, "seed": seed,
                          "lower": _limits(lower), "upper": _limits(upper), "use": use and use.replace("_", "-")}
        if any(value is not None for value in more.values()):
            return self._predict_more(df, levels, more)
        frame, shape = (model.kept(), self._shape) if df is None else self._read(df)
        future, bands = model.predict(frame, levels)
        seconds = None
        if frame.time is not None and model.frequency:
            seconds = model.times_after(frame.time[frame.rows - model.ahead - 1])
        return self._table(shape, frame.time_name or "", seconds, levels, model.targets, future.tolist(), bands.tolist())

    def _predict_more(self, df: Any, levels: list[float], more: dict[str, Any]) -> Any:
        """By the whole of the command."""
        if more["paths"] and levels:
            raise _tables.invalid("`paths` are given in place of the forecast, which has the bounds of `level`: ask for one of them")
        frame, shape = (None, self._shape) if df is None else self._read(df)
        told = self._fitted().forecast(frame, self._test_options(more | {"level": [f"{x:g}" for x in levels] or None}), _teller(None))
        time_name = (frame or self._fitted().kept()).time_name or ""
        if not more["paths"]:
            bands = told["bands"].tolist() if levels else None
            return self._table(shape, time_name, told["time"], levels, told["names"], told["values"].tolist(), bands)
        every = [row for path in told["paths"].tolist() for row in path]
        numbers = [i // len(told["values"]) + 1 for i in range(len(every))]
        times = None if told["time"] is None else _c.Array(told["time"].tolist() * more["paths"], "i64")
        return self._table(shape, time_name, times, [], told["names"], every, None, numbers)

    def _table(self, shape: _tables.Shape, time_name: str, seconds: Any, levels: list[float], names: list[str],
               values: list[list[float]], bounds: Any, paths: list[int] | None = None) -> Any:
        """Of values (rows, names) and bounds (rows, names, levels, 2); paths: whose row each is."""
        places = _bound_places(levels)

        def column(target: int, place: Any) -> list[float]:
            if place is None:
                return [row[target] for row in values]
            return [row[target][place[0]][place[1]] for row in bounds]

        every = range(len(names))
        times = {} if seconds is None else {time_name: seconds}
        repeats = len(names) if shape.id_name else 1
        first: dict[str, Any] = {} if paths is None else {"path": paths * repeats}
        if not shape.id_name:
            numbers = first | {names[t] + suffix: column(t, place) for t in every for suffix, place in places}
            if len(numbers) < len(first) + len(names) * len(places):
                raise _tables.invalid("a bound or `path` would be called as a series is: another `level`, or other names")
            return _tables.write(shape, times, None, numbers)
        numbers = first | {"tidemill" + suffix: [x for t in every for x in column(t, place)] for suffix, place in places}
        ids = [name for name in names for _ in values]
        times = {name: _c.Array(one.tolist() * repeats, "i64") for name, one in times.items()}
        return _tables.write(shape, times, ids, numbers)

    # ---- pictures ----

    def plot(self, df: Any = None, level: float | Sequence[float] | None = (80, 95), columns: str | Sequence[str] | None = None,
             history: int | None = None, truth: bool = False, baselines: bool = False) -> Plot:
        """The forecast as a picture: the rows before it, the forecast, its intervals. A notebook shows it; `save` writes it.

        df: rows to forecast from, as predict takes them; None: those that it learned from. level: as predict's, those that
        the model keeps. columns: some of the series. history: so many rows before the forecast, of those there are; None:
        input_size and twice h, the greater of both.
        truth: the last h rows are not known to the forecast, and are drawn beside it. baselines: so are the last value, the
        last season and the linear baseline, as far as the model keeps them."""
        model = self._fitted()
        frame = model.kept() if df is None else self._read(df)[0]
        ahead, rows = model.pred_len, frame.rows
        if truth and (df is None or model.ahead):
            raise _tables.invalid("truth: it needs a table whose last h rows are known, and a model without columns known ahead")
        known = rows - (ahead if truth else model.ahead)
        if truth:
            frame, whole = _part(frame, known), frame
        else:
            whole = frame
        levels = _levels(level)
        future, bands = model.predict(frame, levels)
        first = max(0, known - (history or max(model.seq_len, 2 * ahead)))
        times = None
        if frame.time is not None and model.frequency:
            before = frame.time.tolist()[first:known]
            times = before + model.times_after(before[-1]).tolist()
        values, bounds = future.tolist(), bands.tolist()
        others = [self._baseline(frame, use) if baselines else None for use in ("last-value", "seasonal-naive", "linear")]
        chosen = _names(columns) or model.targets
        pictures: list[tuple[Any, ...]] = []
        for name in chosen:
            if name not in model.targets:
                raise _tables.fault(f"'{name}' is not forecast; these are: {', '.join(model.targets)}", 0, name)
            at, series = model.targets.index(name), whole.values(name).tolist()
            pictures.append((name if len(chosen) > 1 else f"Forecast of {name}", None, times, series[first:known],
                             [row[at] for row in values], series[known:known + ahead] if truth else None, levels or None,
                             [row[at] for row in bounds] if levels else None,
                             *([row[at] for row in other] if other else None for other in others), model))
        return Plot(_c._plot_svg(pictures), "Forecast")

    def _baseline(self, frame: _c._Frame, use: str) -> list[list[float]] | None:
        """None: the model keeps no such one, or the rows are fewer than a season."""
        try:
            values: list[list[float]] = self._fitted().forecast(frame, self._test_options({"use": use}), None)["values"].tolist()
        except (_c.InvalidError, _c.DataError):
            return None
        return values

    def _repr_html_(self) -> str:
        from html import escape
        head = f"<p><code>{escape(repr(self))}</code></p>"
        if self._model is None:
            return head
        levels = (80, 95) if self._model.has_levels else None
        drawn = self.plot(level=levels, columns=self._model.targets[:_SHOWN]) if not self._model.ahead else None
        more = len(self._model.targets) - _SHOWN
        return (head + self._scores_html() + (drawn.svg if drawn else "")
                + (f"<p>and {more} more: <code>plot()</code> draws all</p>" if drawn and more > 0 else ""))

    def _scores_html(self) -> str:
        scores = self.scores_
        if "test" not in scores:
            return ""
        rows = [("this model", scores["test"])] + [(name.replace("_", " "), s) for name, s in scores["baselines"].items() if s]
        cells = "".join(f"<tr><td>{name}</td><td>{s['mse']:.4g}</td><td>{s['mae']:.4g}</td></tr>" for name, s in rows)
        return (f"<table><caption>{scores['windows']} test windows, scaled errors</caption><tr><th></th><th>MSE</th><th>MAE</th></tr>"
                f"{cells}</table>")

    # ---- testing ----

    def _test_options(self, options: dict[str, Any]) -> dict[str, str]:
        """Those of a call, on the machine that training was asked to use."""
        machine = {name: self._given[name] for name in ("device", "threads") if self._given.get(name) is not None}
        return {name: _text(value) for name, value in (machine | options).items() if value is not None}

    def cross_validation(self, df: Any, n_windows: int | None = None, step_size: int | None = None,
                         level: float | Sequence[float] | None = None, refit: bool | int = False, origins: str | None = None, *,
                         baselines: bool = False, progress: bool | str | Callable[..., object] = "auto", **options: Any) -> Any:
        """What it would have forecast from many past rows of a table, beside what came: `tidemill forecast backtest`.

        df: the series, as fit takes it; forecast are its test rows, the last of it (the option test says how many).
        step_size: every so many rows is a cutoff, the last row that a forecast knows (None: h, so that no row is forecast
        twice). n_windows: the last so many cutoffs (None: all). origins: cutoffs at clocks and weekdays, "Mon-Fri 10:00".
        level: bounds of prediction intervals, in percent.
        refit: True trains anew before each cutoff, N before every Nth, on the rows up to it alone and by the options of fit;
        False: the model as it is, which has learned nothing of its own test rows.
        baselines: also the forecasts of last_value, seasonal_naive and linear.
        options: the others of the command: horizon, lead, season, test, warm_start, epochs, sum, ...

        Long: unique_id, ds, cutoff, y, tidemill, tidemill-lo-80, ... Wide: the times, cutoff, and NAME-y (the truth), NAME,
        NAME-lo-80, ... for each series. Errors, intervals and bootstrap are in cv_scores_."""
        model, levels = self._fitted(), _levels(level)
        frame, shape = self._read(df)
        words = self._test_options(options | {"windows": n_windows, "step": step_size, "origins": origins,
                                              "level": [f"{x:g}" for x in levels] or None, "refit_every": int(refit) or None})
        bar = progress if callable(progress) else _Bar(progress is True, "trained anew") if progress and refit else None
        try:
            rows, self._tested = model.backtest(frame, self._recipe, words, _teller(bar))
        finally:
            if isinstance(bar, _Bar):
                bar.close()
        return self._tested_table(shape, frame.time_name or "ds", levels, rows, baselines)

    def _tested_table(self, shape: _tables.Shape, time_name: str, levels: list[float], rows: dict[str, Any],
                      baselines: bool) -> Any:
        targets, bounds = self._fitted().targets, rows["bounds"].tolist()
        forecast, truth = rows["forecast"].tolist(), rows["truth"].tolist()
        others = [("last_value", 1), ("seasonal_naive", 2), ("linear", 3)] if baselines else []
        if others and all(row[2] != row[2] for row in forecast):
            del others[1]
        step = len(targets)

        def of(target: int, name: str, truth_name: str, between: str) -> dict[str, list[float]]:
            columns = {truth_name: truth[target::step]}
            for suffix, place in _bound_places(levels):
                columns[name + suffix] = [row[0] for row in forecast[target::step]] if place is None else \
                    [row[place[0]][place[1]] for row in bounds[target::step]]
            return columns | {between + other: [row[i] for row in forecast[target::step]] for other, i in others}

        def at(which: str, repeats: int, offset: int) -> list[int]:
            return [int(x) + offset for x in rows[which].tolist()[::step]] * repeats

        repeats = step if shape.id_name else 1
        timed = rows["time"] is not None
        times = {time_name: _c.Array(at("time", repeats, 0), "i64"),
                 "cutoff": _c.Array(at("origin_time", repeats, 0), "i64")} if timed else {}
        numbers: dict[str, Any] = {} if timed else {"row": at("row", repeats, 1), "cutoff": at("origin", repeats, 1)}
        if shape.id_name:
            each = [of(t, "tidemill", "y", "") for t in range(step)]
            numbers |= {name: [x for one in each for x in one[name]] for name in each[0]}
            return _tables.write(shape, times, [name for name in targets for _ in range(len(truth) // step)], numbers)
        for t, name in enumerate(targets):
            more = of(t, name, f"{name}-y", f"{name}-")
            if any(key in numbers or key in times for key in more):
                raise _tables.invalid("a column of the result would be called as a series is: other names")
            numbers |= more
        return _tables.write(shape, times, None, numbers)

    @property
    def cv_scores_(self) -> dict[str, Any]:
        """What the command `backtest --json` says of the last cross_validation: errors over all columns, by thirds of the horizon
        and by column, of the model and the baselines, with intervals over the cutoffs."""
        import json
        told: dict[str, Any] = json.loads(self._tested)
        return told

    def evaluate(self, df: Any, **options: Any) -> dict[str, Any]:
        """The scores of a table's test rows (test=... says how many), as `tidemill forecast evaluate --json` gives them, in the
        form of scores_. options: the others of that command: season, level, sum, val, test, ..."""
        import json
        model = self._fitted()
        frame, _ = self._read(df)
        told: dict[str, Any] = json.loads(model.evaluate(frame, self._test_options(options), _teller(None)))
        return told

    # ---- files ----

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes the model as a folder that the commands take as a run: tidemill forecast predict PATH. A folder that
        holds something else, or a model without overwrite, is refused."""
        model, folder = self._fitted(), os.fspath(path)
        file = os.path.join(folder, "model.safetensors")
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise _tables.invalid(f"{folder} is no folder")
        if os.path.isdir(folder) and os.listdir(folder) and not (overwrite and os.listdir(folder) == ["model.safetensors"]):
            raise _tables.invalid(f"{folder} holds something already: another path"
                                   + (", or overwrite=True" if os.path.exists(file) and not overwrite else ""))
        os.makedirs(folder, exist_ok=True)
        whole = file + f".{os.getpid()}"
        try:
            with open(whole, "wb") as out:
                out.write(model.bytes())
                out.flush()
                os.fsync(out.fileno())
            os.replace(whole, file)
        finally:
            if os.path.exists(whole):
                os.remove(whole)

    def export(self, path: str | os.PathLike[str], format: str | None = None, level: float | Sequence[float] | None = None, *,
               overwrite: bool = False) -> None:
        """Writes the model for programs without Tidemill, as `tidemill forecast export` does: NAME.c and NAME.h, C without
        dependencies; .onnx; .pth, the parameters alone as a checkpoint of PyTorch.

        format: "c", "onnx" or "pth", where the end of the path does not say it. level: prediction intervals in percent beside
        the forecast, in C and ONNX; a note (logger "tidemill") says from which step on the validation windows cannot vouch
        for the highest. Files that are there are refused, unless overwrite is true."""
        model, file = self._fitted(), os.fspath(path)
        if not overwrite:
            for one in (file, file[:-2] + ".h") if file.endswith(".c") else (file,):
                if os.path.lexists(one):
                    raise _tables.invalid(f"{one} is there already: another name, or overwrite=True")
        model.export(file, {} if format is None else {"format": _text(format)}, _levels(level), _teller(None))

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> Forecaster:
        """A run folder of the command, or what save wrote, to forecast with; options: device, threads, precision,
        memory_limit, and id, time_column, value of the tables to come. Without a table predict gives a dict of arrays."""
        made = cls(**options)
        made._model = _c._model_load(os.fspath(path), made._options())
        made._given.update(h=made._model.pred_len, input_size=made._model.seq_len, freq=made._model.frequency or None)
        made._shape.tz = made._model.tz
        recipe = os.path.join(path, "run.json")
        if os.path.isfile(recipe):
            with open(recipe, encoding="utf-8") as text:
                made._recipe = text.read()
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self._given, "shape": self._shape, "result": self._result, "recipe": self._recipe,
                "model": self._model and self._model.bytes()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._given, self._shape, self._result = state["given"], state["shape"], state["result"]
        self._recipe, self._tested = state["recipe"], "{}"
        machine = ("device", "threads", "precision", "strict", "memory_limit")
        options = {name: text for name, text in self._options().items() if name in machine}
        self._model = state["model"] and _c._model_load(state["model"], options)


def load(path: str | os.PathLike[str], **options: Any) -> Forecaster:
    """Forecaster.load: a run folder of the command `tidemill forecast train`, or what Forecaster.save wrote."""
    return Forecaster.load(path, **options)

"""The forecaster in the habits of scikit-learn and of nixtla's libraries: fit, predict, save, load."""
from __future__ import annotations

import os
import sys
from importlib import import_module

from . import _tables
from . import _tidemill as _c

TYPE_CHECKING = False  # as in _tables.py
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["Forecaster", "load"]

_PATHS = ("out", "from", "holidays", "issued", "dump_graph")
_TABLE = ("time_column", "id", "value")
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


class _Bar:
    """Progress in a notebook or a terminal: tqdm's where it is, else a line that is written over."""

    def __init__(self, asked: bool) -> None:
        self.bar: Any = None
        self.line = False
        shown = asked or sys.stderr is not None and sys.stderr.isatty() or "ipykernel" in sys.modules
        if not shown:
            return
        try:
            self.bar = import_module("tqdm.auto").tqdm(desc="training", unit="step")
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
            sys.stderr.write(f"\rtraining: epoch {epoch} of {epochs}, step {step}, loss {loss:.4g} ")
            sys.stderr.flush()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        elif self.line:
            sys.stderr.write("\n")


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

        def tell(stage: str, message: str, *numbers: Any) -> None:
            if stage == "warning":
                import warnings
                warnings.warn(message, stacklevel=3)
            elif stage == "note":
                import logging
                logging.getLogger("tidemill").info(message)
            if bar is not None:
                bar(stage, message, *numbers)

        try:
            self._model, self._result = _c._train(frame, options, tell)
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

    def predict(self, df: Any = None, level: float | Sequence[float] | None = None) -> Any:
        """The h rows after the table's last, as the kind of table that came in.

        df: rows to forecast from, at least the last input_size of them; None: those that it learned from. Columns that
        are known ahead have values in h rows more, in which the others are empty.
        level: prediction intervals in percent, from 1 to 99.
        Wide: the times, and NAME, NAME-lo-80, NAME-hi-80 for each series. Long: unique_id, ds, tidemill,
        tidemill-lo-80, tidemill-hi-80."""
        model = self._fitted()
        levels = _levels(level)
        frame, shape = (model.kept(), self._shape) if df is None else _tables.read(df, self._wanted())
        if df is not None and (shape.naive if model.tz else shape.tz):
            raise _tables.fault(f"'{frame.time_name}' has times {'with' if shape.tz else 'without'} a zone; those that the "
                                f"model learned from {'had none' if shape.tz else 'had one'}", 0, frame.time_name or "")
        future, bands = model.predict(frame, levels)
        seconds = None
        if frame.time is not None and model.frequency:
            seconds = model.times_after(frame.time[frame.rows - model.ahead - 1])
        return self._table(shape, frame.time_name or "", seconds, levels, future, bands)

    def _table(self, shape: _tables.Shape, time_name: str, seconds: Any, levels: list[float], future: Any, bands: Any) -> Any:
        """Lower bounds from the widest, then upper ones to it, as nixtla's libraries have them."""
        places = [("", None)] + [(f"-lo-{x:g}", (i, 0)) for i, x in reversed(list(enumerate(levels)))]
        places += [(f"-hi-{x:g}", (i, 1)) for i, x in enumerate(levels)]
        targets, values, bounds = self._fitted().targets, future.tolist(), bands.tolist()

        def column(target: int, place: Any) -> list[float]:
            if place is None:
                return [row[target] for row in values]
            return [row[target][place[0]][place[1]] for row in bounds]

        every = range(len(targets))
        if not shape.id_name:
            numbers = {targets[t] + suffix: column(t, place) for t in every for suffix, place in places}
            if len(numbers) < len(targets) * len(places):
                raise _tables.invalid("a bound would be called as a series is: another `level`, or other names")
            return _tables.write(shape, time_name, seconds, None, numbers)
        rows = len(values)
        numbers = {"tidemill" + suffix: [x for t in every for x in column(t, place)] for suffix, place in places}
        ids = [name for name in targets for _ in range(rows)]
        if seconds is not None:
            seconds = _c.Array(seconds.tolist() * len(targets), "i64")
        return _tables.write(shape, time_name, seconds, ids, numbers)

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

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> Forecaster:
        """A run folder of the command, or what save wrote, to forecast with; options: device, threads, precision,
        memory_limit, and id, time_column, value of the tables to come. Without a table predict gives a dict of arrays."""
        made = cls(**options)
        made._model = _c._model_load(os.fspath(path), made._options())
        made._given.update(h=made._model.pred_len, input_size=made._model.seq_len, freq=made._model.frequency or None)
        made._shape.tz = made._model.tz
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self._given, "shape": self._shape, "result": self._result,
                "model": self._model and self._model.bytes()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._given, self._shape, self._result = state["given"], state["shape"], state["result"]
        machine = ("device", "threads", "precision", "strict", "memory_limit")
        options = {name: text for name, text in self._options().items() if name in machine}
        self._model = state["model"] and _c._model_load(state["model"], options)


def load(path: str | os.PathLike[str], **options: Any) -> Forecaster:
    """Forecaster.load: a run folder of the command `tidemill forecast train`, or what Forecaster.save wrote."""
    return Forecaster.load(path, **options)

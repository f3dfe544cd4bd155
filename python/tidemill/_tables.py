"""Tables of other libraries on their way in and out: anything with __arrow_c_stream__ (pandas, polars, pyarrow), dicts of arrays,
and darts' series, which are known by what they have. Wide (the time and a column for each series) or long (unique_id, ds, y)."""
from __future__ import annotations

from importlib import import_module

from . import _tidemill as _c

TYPE_CHECKING = False  # typing's own would cost a third of the package's import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_TEXT = {"u", "U", "vu", "dictionary"}
_ENDS = 12  # rows that a notebook shows of either end
_USUAL = ("ds", "date", "time", "timestamp")  # what a column of times is called


class Shape:
    """How a table is laid out, so that a forecast is written in the same way."""

    def __init__(self, library: str = "", id_name: str = "", time_type: Any = None, tz: str = "", naive: bool = False,
                 indexed: bool = False, series: Any = None, after: Any = None) -> None:
        self.library, self.id_name, self.time_type, self.tz = library, id_name, time_type, tz
        self.naive = naive      # its times are what a clock shows
        self.indexed = indexed  # they are pandas' index
        self.series = series    # the type of a darts series; None: it is a table
        self.after = after      # of one that counts its rows: (the next number, the step)


class Wanted:
    """The options that say which columns are what: names, "" where they are found."""

    def __init__(self, time: str = "", ids: Sequence[str] = (), values: Sequence[str] = ()) -> None:
        self.time, self.ids, self.values = time, list(ids), list(values)


def fault(message: str, row: int = 0, column: str = "") -> _c.DataError:
    error = _c.DataError(message)
    error.status, error.row, error.column, error.file = "bad data", row, column, ""
    return error


def invalid(message: str) -> _c.InvalidError:
    error = _c.InvalidError(message)
    error.status, error.row, error.column, error.file = "invalid argument", 0, "", ""
    return error


def _items(column: Any) -> list[Any]:
    """Python's objects out of a column of any library."""
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, name):
            return list(getattr(column, name)())
    return list(column)


def _is_gap(item: Any) -> bool:
    return item is None or item != item


def _refuse_text(name: str, column: Any) -> None:
    """Says which cell of a column of text is no number."""
    for row, item in enumerate(_items(column), 1):
        try:
            if not _is_gap(item):
                float(item)
        except (TypeError, ValueError):
            raise fault(f"row {row}: '{name}' holds '{item}', which is not a number", row, name) from None
    raise fault(f"'{name}' holds numbers written as text: convert the column to numbers first", 0, name)


def _choose(names: list[str], numbers: list[str], wanted: Wanted) -> tuple[list[str], list[str]]:
    """The columns of ids and of values; no ids: the table is wide."""
    for name in [n for n in wanted.ids if n != "none"] + wanted.values + ([wanted.time] if wanted.time else []):
        if name not in names:
            raise fault(f"there is no column '{name}': the table has {', '.join(repr(n) for n in names)}", 0, name)
    ids = wanted.ids or (["unique_id"] if "unique_id" in names else [])
    if not ids or ids == ["none"]:
        return [], wanted.values
    rest = [name for name in numbers if name not in ids]
    usual: list[str] = [name for name in ("y", "value") if name in rest]
    values = wanted.values or usual[:1] or rest
    if len(values) != 1 and not wanted.values:
        raise fault("which column of the long table holds the values? None is called 'y': `value` says it")
    return ids, values


def _id_texts(columns: list[list[Any]], names: list[str]) -> list[str]:
    for name, column in zip(names, columns):
        for row, item in enumerate(column, 1):
            if _is_gap(item) or item == "":
                raise fault(f"row {row}: '{name}' is empty, so the row is of no series", row, name)
    return ["/".join(str(item) for item in row) for row in zip(*columns)]


def _pivot(frame: _c._Frame, columns: list[list[Any]], ids: list[str]) -> _c._Frame:
    if frame.time_name is None:
        raise fault("a long table needs a column of times: `time_column` names it")
    return frame.pivot(_id_texts(columns, ids))


# ---- Arrow ----

def _is_time(form: str) -> bool:
    return form.startswith(("ts", "td"))


def _no_times(name: str, what: str) -> _c.DataError:
    return fault(f"'{name}' holds {what}, not times: pandas.to_datetime, or str.to_datetime of polars, makes times of it", 0,
                 name)


def _time_of(fields: dict[str, str], wanted: Wanted, long: bool) -> str | None:
    """The name of the time axis. One of text is refused: what its stamps mean is not ours to guess."""
    times = [name for name, form in fields.items() if _is_time(form)]
    usual = [name for name in _USUAL if name in fields]
    name = wanted.time or next((n for n in usual + times if n in times), usual[0] if usual else "")
    if not name and not long and fields[first := next(iter(fields))] in _TEXT:
        name = first
    if not name:
        return None
    if fields[name] in _TEXT:
        raise _no_times(name, "text")
    if not wanted.time and name not in times:
        raise fault(f"'{name}' holds numbers: time_column='{name}' takes them as seconds since 1970; a series needs another "
                    "name", 0, name)
    return name


def _column(table: Any, name: str) -> Any:
    """By its name; pandas' may be no text."""
    names = [n for n in getattr(table, "columns", ()) if str(n) == name] if type(table).__module__.startswith("pandas") else []
    if not hasattr(table, "__getitem__"):
        raise fault(f"'{name}' holds text, which is read from tables of pandas, polars and pyarrow alone", 0, name)
    return table[names[0] if names else name]


def _stream(table: Any, wanted: Wanted) -> Any:
    try:
        return table.__arrow_c_stream__()
    except (TypeError, ValueError) as error:  # pyarrow's: objects that are of no one type
        for name in getattr(table, "columns", ()):
            texts = str(name) not in (*wanted.ids, "unique_id", wanted.time, *_USUAL)
            if texts and str(getattr(table[name], "dtype", "")) == "object":
                _refuse_text(str(name), table[name])
        raise fault(f"the table cannot be read as Arrow: {error}") from error


def _shape(table: Any, time: str | None, form: str, ids: list[str]) -> Shape:
    library = type(table).__module__.partition(".")[0]
    zone = form.partition(":")[2] if form.startswith("ts") else ""
    names = [str(n) for n in getattr(table, "column_names" if hasattr(table, "column_names") else "columns", ())]
    own = _column(table, time) if time is not None and time in names else None
    return Shape(library, "/".join(ids), getattr(own, "dtype", getattr(own, "type", None)), zone, _is_time(form) and not zone,
                 library == "pandas" and time is not None and own is None)


def _of_arrow(table: Any, wanted: Wanted) -> tuple[_c._Frame, Shape]:
    stream = _stream(table, wanted)
    fields = dict(_c._arrow_fields(stream))
    if not fields:
        raise fault("a table of named columns is needed, and there are none")
    numbers = [name for name, form in fields.items() if form not in _TEXT and not _is_time(form)]
    ids, values = _choose(list(fields), numbers, wanted)
    time = _time_of(fields, wanted, bool(ids))
    columns = values or [name for name in fields if name != time]
    for name in columns:
        if fields[name] in _TEXT:
            _refuse_text(name, _column(table, name))
    frame = _c._frame_from_arrow(stream, time, columns)
    if ids:
        frame = _pivot(frame, [_items(_column(table, name)) for name in ids], ids)
    return frame, _shape(table, time, fields[time] if time else "", ids)


# ---- dicts ----

def _seconds(name: str, times: Any) -> tuple[Any, str]:
    """Of whole seconds, numpy's datetime64 or datetime objects; "numpy" where they are datetime64."""
    if str(getattr(times, "dtype", "")).startswith("datetime64"):
        whole = times.astype("datetime64[s]")
        if (whole != times).any():
            raise fault(f"'{name}': the times are not in whole seconds: round them", 0, name)
        return whole.astype("int64"), "numpy"
    items = _items(times)
    if any(isinstance(item, str) for item in items):
        raise _no_times(name, "text")
    if not items or not hasattr(items[0], "timestamp"):
        return times, ""
    from datetime import timezone
    if any(item.tzinfo for item in items):
        raise fault(f"'{name}': give times without a zone, or seconds since 1970", 0, name)
    return [int(item.replace(tzinfo=timezone.utc).timestamp()) for item in items], "datetime"


def _is_text(column: Any) -> bool:
    kind = getattr(getattr(column, "dtype", None), "kind", "")
    return kind in ("U", "S", "O") or isinstance(column, (list, tuple)) and any(isinstance(i, str) for i in column)


def _looks_like_time(column: Any) -> bool:
    first = column[0] if len(column) else None
    return str(getattr(column, "dtype", "")).startswith("datetime64") or hasattr(first, "timestamp")


def _plain(column: Any) -> Any:
    """Columns of tables among a dict's are arrays too."""
    return column.to_numpy() if hasattr(column, "to_numpy") else column


def _of_dict(table: Mapping[str, Any], wanted: Wanted) -> tuple[_c._Frame, Shape]:
    names = list(table)
    plain = [name for name in names if not _is_text(table[name]) and not _looks_like_time(table[name])]
    ids, values = _choose(names, plain, wanted)
    time = wanted.time or ("ds" if "ds" in table else next((n for n in names if _looks_like_time(table[n])), None))
    columns = values or [name for name in names if name != time]
    for name in columns:
        if _is_text(table[name]):
            _refuse_text(name, table[name])
    seconds, kind = _seconds(time, table[time]) if time else (None, "")
    frame = _c._frame_from_columns({name: table[name] for name in columns}, time, seconds)
    if ids:
        frame = _pivot(frame, [_items(table[name]) for name in ids], ids)
    return frame, Shape("", "/".join(ids), kind, naive=bool(kind))


# ---- darts ----

def _is_series(table: Any) -> bool:
    return hasattr(table, "time_index") and hasattr(table, "components") and callable(getattr(table, "values", None))


def _of_series(series: Any) -> tuple[_c._Frame, Shape]:
    if getattr(series, "n_samples", 1) > 1:
        raise fault("the series has samples, of which none is the series: series.mean() or series.quantile(0.5) is one")
    index, rows = series.time_index, series.values()
    columns = {str(name): [row[i] for row in rows.tolist()] for i, name in enumerate(series.components)}
    counted = not _looks_like_time(index)
    seconds = None if counted else _seconds("time", _plain(index))[0]
    step = int(index[1]) - int(index[0]) if counted and len(index) > 1 else 1
    after = (int(index[-1]) + step, step) if counted else None
    frame = _c._frame_from_columns(columns, None if counted else "time", seconds)
    return frame, Shape(time_type="numpy", naive=not counted, series=type(series), after=after)


def _series(shape: Shape, seconds: Any, numbers: dict[str, list[float]]) -> Any:
    numpy, pandas = import_module("numpy"), import_module("pandas")
    values = numpy.array(list(numbers.values())).T
    if seconds is None:
        start, step = shape.after
        index = pandas.RangeIndex(start, start + step * len(values), step)
    else:
        index = pandas.DatetimeIndex(numpy.asarray(seconds).astype("datetime64[s]").astype("datetime64[ns]"))
    return shape.series.from_times_and_values(index, values, columns=list(numbers))


def read(table: Any, wanted: Wanted) -> tuple[_c._Frame, Shape]:
    """A table of any kind, wide, and what it was like."""
    if _is_series(table):
        return _of_series(table)
    if hasattr(table, "__arrow_c_stream__"):
        return _of_arrow(table, wanted)
    if hasattr(table, "keys"):
        return _of_dict({name: _plain(table[name]) for name in table.keys()}, wanted)
    raise invalid("a table is needed: of pandas (with pyarrow), polars or pyarrow, a dict of arrays by name, or a series of darts")


# ---- out ----

def _pandas_times(seconds: Any, shape: Shape) -> Any:
    times = import_module("pandas").Series(import_module("numpy").asarray(seconds).astype("datetime64[s]"))
    if shape.tz:
        times = times.dt.tz_localize("UTC").dt.tz_convert(shape.tz)
    return times.astype(shape.time_type) if str(shape.time_type).startswith("datetime64") else times


def _polars_times(seconds: Any, shape: Shape) -> Any:
    polars = import_module("polars")
    times = polars.from_epoch(polars.Series(seconds.tolist(), dtype=polars.Int64), time_unit="s")
    if shape.tz:
        times = times.dt.replace_time_zone("UTC").dt.convert_time_zone(shape.tz)
    return times.cast(shape.time_type) if shape.time_type is not None else times


def _arrow_times(seconds: Any, shape: Shape) -> Any:
    pyarrow = import_module("pyarrow")
    times = pyarrow.array(seconds.tolist(), pyarrow.timestamp("s", shape.tz or None))
    return times.cast(shape.time_type) if shape.time_type is not None else times


def _plain_times(seconds: Any, shape: Shape) -> Any:
    if shape.time_type == "numpy":
        return import_module("numpy").asarray(seconds).astype("datetime64[s]")
    if shape.time_type == "datetime":
        from datetime import datetime, timezone
        return [datetime.fromtimestamp(s, timezone.utc).replace(tzinfo=None) for s in seconds.tolist()]
    return seconds




def _index_name(name: str) -> str | None:
    """Arrow's columns have names; an index may have none."""
    return None if name.startswith("__index_level_") else name


class Table(dict[str, Any] if TYPE_CHECKING else dict):  # type: ignore[misc]
    """Columns by name, where no library's table came in; a notebook shows its first and last rows."""

    def _repr_html_(self) -> str:
        from html import escape
        columns = [_items(column) for column in self.values()]
        rows = len(columns[0]) if columns else 0
        shown = [*range(rows)] if rows <= 2 * _ENDS else [*range(_ENDS), None, *range(rows - _ENDS, rows)]

        def cell(item: Any) -> str:
            return f"{item:.6g}" if isinstance(item, float) else escape(str(item))
        lines = ["".join(f"<td>{'...' if i is None else cell(column[i])}</td>" for column in columns) for i in shown]
        head = "".join(f"<th>{escape(name)}</th>" for name in self)
        return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


_TIMES = {"pandas": _pandas_times, "polars": _polars_times, "pyarrow": _arrow_times}


def write(shape: Shape, times: dict[str, Any], ids: list[str] | None, numbers: dict[str, list[float]]) -> Any:
    """A table like the one that came: ids of each row in long form, columns of times (seconds), the first of them the time axis,
    and numbers. Of a series a series, unless its times would repeat."""
    if shape.series is not None and not {"cutoff", "path"} & (numbers.keys() | times.keys()):
        return _series(shape, next(iter(times.values()), None), numbers)
    shown = _TIMES.get(shape.library, _plain_times)
    columns: dict[str, Any] = {shape.id_name: ids} if ids is not None else {}
    columns |= {name: shown(seconds, shape) for name, seconds in times.items()} | numbers
    if shape.library == "pandas":
        table, axis = import_module("pandas").DataFrame(columns), next(iter(times), None)
        return table.set_index(axis).rename_axis(_index_name(axis)) if shape.indexed and axis is not None else table
    if shape.library == "polars":
        return import_module("polars").DataFrame(columns)
    if shape.library == "pyarrow":
        return import_module("pyarrow").table(columns)
    return Table({key: _c.Array(value, "f64") if key in numbers else value for key, value in columns.items()})

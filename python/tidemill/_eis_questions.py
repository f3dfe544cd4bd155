"""Spectra, and what becomes of arguments: questions, as the extension takes them."""
import logging as _logging
import os as _os
import sys as _sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

from ._tidemill import Array, DataError, InvalidError, _eis_ask, _eis_read
from ._tidemill import _EisPredictor as Predictor

Kind: TypeAlias = Literal["pandas", "polars", "dict"] | None


@dataclass(frozen=True, repr=False, eq=False)
class Spectrum:
    """A spectrum of a file. What takes freq and z takes it in place of both; lists of them are taken in place of many."""

    name: str
    """The path, or well, run and time as the file has them, or FILE#2."""
    freq: Array
    """Hz, in the file's order."""
    z: tuple[complex, ...]
    """ohm."""
    sigma: tuple[complex, ...] | None
    """Standard deviations of both parts, ohm; None: the file has none."""
    line: Array | None
    """Of the file, 1-based, that each point stood in: messages name it."""
    area_cm2: float
    """0: not known."""

    def __len__(self) -> int:
        return len(self.z)

    def __repr__(self) -> str:
        freq = self.freq.tolist()
        return f"<tidemill.eis.Spectrum {self.name!r}: {len(freq)} points, {min(freq):g} to {max(freq):g} Hz>"

    def to_frame(self, kind: Kind = None) -> Any:
        """A row for each point: frequency_hz, z_re_ohm, z_im_ohm, as `tidemill eis convert` writes them."""
        columns: dict[str, list[Any]] = {"frequency_hz": self.freq.tolist(), "z_re_ohm": [z.real for z in self.z], "z_im_ohm": [z.imag for z in self.z]}
        if self.sigma is not None:
            columns |= {"sigma_re_ohm": [s.real for s in self.sigma], "sigma_im_ohm": [s.imag for s in self.sigma]}
        return frame_of(columns, kind)


def read(path: str | _os.PathLike[str], *, flip_im: bool = False, column: str | None = None, units: str | None = None,
         sweep: str | None = None) -> list[Spectrum]:
    """The spectra of a file, whatever instrument or program wrote it: a list, of a sweep each.

    flip_im: its imaginary parts are those of -Im(Z). column, units, sweep: as of `tidemill eis check`, where the file does
    not say it: "F,RE,IM", "kHz,mohm", "1,3-5".
    What was chosen where it was not certain goes to the log "tidemill". DataError names the line of what cannot be read."""
    chosen = {"flip_im": flip_im, "column": column, "units": units, "sweep": sweep}
    found, notes = _eis_read(_os.fspath(path), {name: value for name, value in chosen.items() if value not in (None, False)})
    for note in (notes or "").splitlines():
        _logging.getLogger("tidemill").info("%s: %s", _os.fspath(path), note)
    return [Spectrum(*one) for one in found]


# ---- options ----

def pairs(given: Any, value: Callable[[Any], Any]) -> Any:
    """"Rsh=460,Ra=4800" of a mapping; texts as they are; names of a list."""
    if isinstance(given, Mapping):
        return ",".join(f"{name}={value(of)}" for name, of in given.items())
    return ",".join(given) if isinstance(given, (list, tuple)) else given


WRITTEN: dict[str, Callable[[Any], Any]] = {
    "known": lambda v: v, "fix": lambda v: v, "start": lambda v: v, "same": lambda v: v,
    "prior": lambda v: f"{v[0]}+-{v[1]}", "range": lambda v: f"{v[0]}..{v[1]}"}


def options_of(call: str, names: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise TypeError(f"{call}() got an unexpected keyword argument '{unknown[0]}'; there are {', '.join(names)}")
    return {name: pairs(value, WRITTEN[name]) if name in WRITTEN else value for name, value in given.items() if value is not None}


# ---- arrays ----

def plain(numbers: Any) -> Any:
    """Columns of pandas and polars as the arrays that they are."""
    return numbers.to_numpy() if hasattr(numbers, "to_numpy") else numbers


def _is_many(numbers: Any) -> bool:
    if hasattr(numbers, "ndim"):
        return bool(numbers.ndim > 1)
    return isinstance(numbers, (list, tuple)) and len(numbers) > 0 and hasattr(numbers[0], "__len__")


def _each(call: str, name: str, given: Any, count: int) -> list[Any]:
    """One for each spectrum: those that are given, or the same for all."""
    given = plain(given)
    if not _is_many(given):
        return [given] * count
    if len(given) != count:
        raise InvalidError(f"{call}: {name} has {len(given)} rows for {count} spectra")
    return [plain(one) for one in given]


def _numbers(call: str, name: str, given: Any, count: int) -> list[float]:
    """One number for each spectrum, or one for all."""
    if not hasattr(given, "__len__"):
        return [float(given)] * count
    if len(given) != count:
        raise InvalidError(f"{call}: {name} has {len(given)} numbers for {count} spectra")
    return [float(one) for one in given]


# ---- questions ----

Item: TypeAlias = tuple[Any, Any, Any, str, float, Any]


def _of_spectrum(s: Spectrum, sigma: Any, name: str | None, area_cm2: float) -> Item:
    return s.freq, s.z, s.sigma if sigma is None else plain(sigma), s.name if name is None else name, area_cm2 or s.area_cm2, s.line


def one_item(call: str, freq: Any, z: Any, sigma: Any, name: str | None, area_cm2: float) -> Item:
    if isinstance(freq, Spectrum):
        if z is not None:
            raise InvalidError(f"{call}: a Spectrum has its own impedances: z is given beside it")
        return _of_spectrum(freq, sigma, name, float(area_cm2))
    if (freq is None) != (z is None) or z is None:
        raise InvalidError(f"{call}: freq and z are given together" + (", or neither" if call == "complete" else ", or a Spectrum"))
    z = plain(z)
    if _is_many(z):
        raise InvalidError(f"{call}: z is one spectrum, an array of one axis; {call}_all takes several")
    return plain(freq), z, plain(sigma), "the spectrum" if name is None else name, float(area_cm2), None


def many_items(call: str, freq: Any, z: Any, sigma: Any, names: Sequence[str] | None, area_cm2: Any) -> list[Item]:
    rows = list(freq) if z is None else plain(z) if hasattr(z, "__len__") else list(z)
    count = len(rows)
    if names is not None and len(names) != count:
        raise InvalidError(f"{call}: there are {len(names)} names for {count} spectra")
    sigmas, areas = _each(call, "sigma", sigma, count), _numbers(call, "area_cm2", area_cm2, count)
    if z is None:
        if not all(isinstance(one, Spectrum) for one in rows):
            raise InvalidError(f"{call}: without z a list of spectra, as read() returns them, is needed")
        return [_of_spectrum(s, sigmas[i], names[i] if names else None, areas[i]) for i, s in enumerate(rows)]
    if not _is_many(rows) and count:
        raise InvalidError(f"{call}: z is an array of two axes, a spectrum in each row, or a list of spectra"
                           + (f"; {call.removesuffix('_all')} takes one" if call.endswith("_all") else ""))
    named = names if names is not None else [f"spectrum {i + 1}" for i in range(count)]
    return list(zip(_each(call, "freq", freq, count), [plain(one) for one in rows], sigmas, named, areas, [None] * count))


def ask_one(kind: str, options: dict[str, Any], question: list[Item], flip_im: bool, predictor: Predictor | None = None) -> dict[str, Any]:
    answer = _eis_ask(kind, options, [question], flip_im, predictor, 1)[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer


def ask_all(call: str, options: dict[str, Any], items: list[Item], flip_im: bool, threads: int, errors: str,
            make: Callable[[dict[str, Any]], Any], predictor: Predictor | None = None) -> list[Any]:
    if errors not in ("raise", "keep"):
        raise InvalidError(f"{call}: errors is \"raise\" or \"keep\", not {errors!r}")
    if threads < 0:
        raise InvalidError(f"{call}: threads is 0, for all cores, or more, not {threads}")
    cores = len(_os.sched_getaffinity(0)) if hasattr(_os, "sched_getaffinity") else _os.cpu_count() or 1
    answers = _eis_ask(call.removesuffix("_all"), options, [[one] for one in items], flip_im, predictor, threads or cores)
    failed = next((one for one in answers if isinstance(one, BaseException)), None)
    if failed is not None and (errors == "raise" or not isinstance(failed, DataError)):
        raise failed
    return [one if isinstance(one, BaseException) else make(one) for one in answers]


# ---- tables ----

def frame_of(columns: dict[str, list[Any]], kind: Kind) -> Any:
    """kind: None: a frame of pandas or polars, whichever is imported or else installed, else the dictionary of lists."""
    kinds = ("pandas", "polars")
    wanted: str = kind or next((k for k in kinds if k in _sys.modules), next((k for k in kinds if find_spec(k)), "dict"))
    if wanted not in (*kinds, "dict"):
        raise InvalidError(f"to_frame: kind is \"pandas\", \"polars\" or \"dict\", not {kind!r}")
    if wanted == "dict":
        return columns
    make: Callable[..., Any] = import_module(wanted).DataFrame
    return make(columns, infer_schema_length=None) if wanted == "polars" else make(columns)


def columns_of(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}

"""Impedance spectra of epithelia: what the five parameters of the circuit are, given a spectrum and what is known.

    import tidemill as tm

    r = tm.eis.complete(freq_hz, z_ohm, known={"Rsh": 460})
    r.Ra.median, r.Ra.interval        # ohm, and its 95 % interval
    r.TER.median, r.TEC.median        # ohm, F
    r.draws, r.weights                # circuits drawn from the posterior
    print(r)                          # the command's page: tidemill eis complete

A shunt Rsh, and two membranes a and b, each a resistance R (ohm) with a capacitance C (F) across it; Rs is in series with
all. Capacitive behaviour has a negative imaginary part. Everything is computed by the library, as the command does it."""
import html as _html
import json as _json
import os as _os
import sys as _sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from ._tidemill import Array, DataError, Error, InvalidError, _eis_complete, _eis_run, _eis_simulate
from ._tidemill import _EisPredictor as Predictor

__all__ = ["Candidate", "Completion", "Parameters", "Predictor", "Quantity", "complete", "complete_all", "evaluate", "load",
           "simulate", "to_frame", "train"]

Number: TypeAlias = float | str
Known: TypeAlias = Mapping[str, Number] | str

_NAMES = ("Rsh", "Ra", "Rb", "Ca", "Cb", "Rs", "TER", "TEC", "n1", "d1")
_UNITS = ("ohm", "ohm", "ohm", "F", "F", "ohm", "ohm", "F", "s", "s")


class Options(TypedDict, total=False):
    """What complete() and complete_all() take beside the spectrum: the options of `tidemill eis complete`."""

    circuit: Literal["shunt", "chain"]
    """Rsh across both membranes, or in series with them."""
    method: Literal["auto", "refined", "exact", "network"]
    """refined: the continuous posterior; exact: that of the grid; network: a trained predictor, `model`. auto: refined with a
    spectrum, network without one, or with a model."""
    rs: Number
    """Solution resistance, ohm; "free", or "auto": free with a spectrum, else 0."""
    noise: Number
    """Standard deviation of the real and the imaginary part over |Z|: 0.01 or "1%"; "auto": told from the spectrum."""
    prior: Mapping[str, tuple[float, float]] | str
    """refined: what is known with an error, {"Rs": (20, 1), "Ra/Rb": (4.8, 1)}: value and standard deviation."""
    range: Mapping[str, tuple[Number, Number]] | str
    """refined: where parameters are sought, {"Rs": (0, 1000)}."""
    robust: bool
    """refined: outliers count little, and are named."""
    canonical: bool
    """Call the slower membrane a, whatever is known."""
    top_k: int
    """How many candidates to list; 10."""
    resnorm: str
    """The residual norm: "mean-abs", "rmse", ..."""
    rerank: bool
    """network: weigh its candidates again by their likelihood; True."""
    seed: int
    """Of the draws; 42."""


@dataclass(frozen=True)
class Quantity:
    """A parameter, or a quantity that follows from them, with its 95 % interval. NaN: there is no such number, and a note
    says why; high alone: only a lower limit is known."""

    name: str
    unit: str
    low: float
    median: float
    high: float
    known: float | None
    """What it was said to be; None: it was asked for."""
    identifiable: bool
    """The interval spans at most a factor of 4, and ends within the range."""
    limit: Literal["low", "high", "both"] | None
    """Which end of its range the interval touches."""

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), 95 %."""
        return self.low, self.high


@dataclass(frozen=True)
class Parameters:
    """A circuit: ohm and F."""

    Rsh: float
    Ra: float
    Rb: float
    Ca: float
    Cb: float
    Rs: float


@dataclass(frozen=True)
class Candidate:
    """The circuits of one cell of the grid."""

    best: Parameters
    """The best sample of the cell."""
    probability: float
    resnorm: float
    index: tuple[int, int, int, int, int]
    """Of the cell, 0-based: Rsh, Ra, Rb, Ca, Cb."""


@dataclass(frozen=True, repr=False, eq=False)
class Completion:
    """What a spectrum and the known values say. str() of it is the command's page, to_dict() its JSON."""

    name: str | None
    """Of the spectrum; None: there was none."""
    circuit: str
    method: str
    Rsh: Quantity
    Ra: Quantity
    Rb: Quantity
    Ca: Quantity
    Cb: Quantity
    Rs: Quantity
    TER: Quantity
    """Transepithelial resistance, ohm."""
    TEC: Quantity
    """Transepithelial capacitance, F."""
    n1: Quantity
    d1: Quantity
    """Time constants of the spectrum, s."""
    draws: Array
    """Circuits drawn from the posterior: a row each, of Rsh, Ra, Rb, Ca, Cb, Rs."""
    weights: Array
    """Of the draws; they sum to 1."""
    log_density: Array
    """Of the draws, up to a constant."""
    marginals: Array
    """(5, 12): probability of each value of the grid, 0 where a parameter is known."""
    candidates: tuple[Candidate, ...]
    """The most probable first."""
    best: Parameters
    """The draw of the highest density."""
    warnings: tuple[str, ...]
    """What speaks against the answer."""
    notes: tuple[str, ...]
    """What must be known before the numbers are read."""
    verdict: Literal["open", "adequate", "systematic", "beyond", "noisy"]
    """Whether such a circuit can have made the spectrum: adequate, if its misfit is that of the noise."""
    reduced_chi2: float
    resnorm: float
    rs_ohm: float
    rs_free: bool
    noise: float
    """Standard deviation of each part over |Z|; NaN without a spectrum."""
    noise_source: str | None
    canonical: bool
    """a is the slower membrane by convention."""
    area_cm2: float
    """0: not known."""
    entropy_nats: float
    max_probability: float
    top5_mass: float
    effective_samples: float
    """How many independent draws they are worth; NaN: not known."""
    disagreement: float
    one_relaxation_log_odds: float
    share: Array | None
    """robust: how much each point of the spectrum counts, 0 to 1."""
    _json: str
    _text: str

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """All ten, in the order Rsh, Ra, Rb, Ca, Cb, Rs, TER, TEC, n1, d1."""
        return tuple(getattr(self, name) for name in _NAMES)

    def to_dict(self) -> dict[str, Any]:
        """What `tidemill eis complete --json` prints of it."""
        told: dict[str, Any] = _json.loads(self._json)
        return told

    def to_frame(self, kind: Literal["pandas", "polars", "dict"] | None = None) -> Any:
        """A row for each quantity; kind as in tidemill.eis.to_frame."""
        return to_frame([self], kind)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        asked = ", ".join(f"{q.name}={q.median:.4g} {q.unit}" for q in self.quantities if q.known is None and q.median == q.median)
        return f"<tidemill.eis.Completion {self.method}, {self.verdict}: {asked}>"

    def _repr_html_(self) -> str:
        rows = "".join(_html_row(q) for q in self.quantities if q.known is not None or q.median == q.median)
        told = [f"<p><b>{_html.escape(text)}</b></p>" for text in self.warnings] + [f"<p>{_html.escape(text)}</p>" for text in self.notes]
        head = _html.escape(f"{self.name or 'known values alone'}: {self.circuit}, {self.method}, {self.verdict}")
        return (f"<table><caption>{head}</caption><tr><th></th><th>unit</th><th>median</th><th>95 %</th><th></th></tr>{rows}</table>"
                + "".join(told))


def _html_row(q: Quantity) -> str:
    if q.known is not None:
        cells = (f"{q.known:.4g}", "", "known")
    else:
        high = f"{q.high:.4g}" if q.high == q.high else "?"
        said = "" if q.identifiable else "not determined" if q.limit is None else f"at the {q.limit} end of its range"
        cells = (f"{q.median:.4g}", f"{q.low:.4g} to {high}" if q.low == q.low else "", said)
    return f"<tr><td>{q.name}</td><td>{q.unit}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _completion(told: dict[str, Any]) -> Completion:
    fields: dict[str, Any] = {name: Quantity(name, unit, *row) for name, unit, row in zip(_NAMES, _UNITS, told.pop("quantities"))}
    fields["candidates"] = tuple(Candidate(Parameters(*p), *rest) for p, *rest in told.pop("candidates"))
    return Completion(**fields, best=Parameters(*told.pop("best")), _json=told.pop("json"), _text=told.pop("text"), **told)


# ---- what a question is made of ----

def _pairs(given: Any, value: Any) -> Any:
    """"Rsh=460,Ra=4800" of a mapping; texts as they are."""
    return ",".join(f"{name}={value(of)}" for name, of in given.items()) if isinstance(given, Mapping) else given


_WRITTEN = {"known": lambda v: v, "prior": lambda v: f"{v[0]}+-{v[1]}", "range": lambda v: f"{v[0]}..{v[1]}"}


def _options(call: str, known: Known | None, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in given if name not in Options.__annotations__]
    if unknown:
        raise TypeError(f"{call}() got an unexpected keyword argument '{unknown[0]}'; there are {', '.join(Options.__annotations__)}")
    told = {"known": known, **given}
    return {name: _pairs(value, _WRITTEN[name]) if name in _WRITTEN else value for name, value in told.items() if value is not None}


def _plain(numbers: Any) -> Any:
    """Columns of pandas and polars as the arrays that they are."""
    return numbers.to_numpy() if hasattr(numbers, "to_numpy") else numbers


def _is_many(numbers: Any) -> bool:
    if hasattr(numbers, "ndim"):
        return bool(numbers.ndim > 1)
    return isinstance(numbers, (list, tuple)) and len(numbers) > 0 and hasattr(numbers[0], "__len__")


def _each(call: str, name: str, given: Any, count: int) -> list[Any]:
    """One for each spectrum: those that are given, or the same for all."""
    given = _plain(given)
    if not _is_many(given):
        return [given] * count
    if len(given) != count:
        raise InvalidError(f"{call}: {name} has {len(given)} rows for {count} spectra")
    return [_plain(one) for one in given]


def _numbers(call: str, name: str, given: Any, count: int) -> list[float]:
    """One number for each spectrum, or one for all."""
    if isinstance(given, (int, float)):
        return [float(given)] * count
    if len(given) != count:
        raise InvalidError(f"{call}: {name} has {len(given)} numbers for {count} spectra")
    return [float(one) for one in given]


def _predictor(model: Any, method: Any) -> Any:
    if isinstance(model, (str, _os.PathLike)) and method in (None, "auto", "network"):
        return load(model)
    return model if isinstance(model, Predictor) or method in (None, "auto", "network") else None


def complete(
    freq: Any = None, z: Any = None, *, known: Known | None = None, model: Predictor | str | _os.PathLike[str] | None = None,
    sigma: Any = None, name: str = "the spectrum", area_cm2: float = 0.0, flip_im: bool = False, **options: Unpack[Options]
) -> Completion:
    """The missing parameters of one spectrum.

    freq: frequencies, Hz, in any order. z: complex impedances, ohm, with a negative imaginary part where the sample is
    capacitive (flip_im=True takes the conjugate). Arrays of any library, or lists. Without both, the answer is what the known
    values alone say.
    known: {"Rsh": 460, "Ca": "3.7uF"}, in ohm and F, or the command's text "Rsh=460,Ca=3.7uF".
    model: a predictor's run folder, or what load() returned: method "network".
    sigma: standard deviations, ohm: real for both parts, or complex.
    area_cm2: of the sample; 0: not known.
    Further options: see Options.

    DataError names the point that is not usable (.row); InvalidError an option, and what it takes."""
    if (freq is None) != (z is None):
        raise InvalidError("complete: freq and z are given together, or neither")
    told = _options("complete", known, options)
    spectra = None
    if z is not None:
        z = _plain(z)
        if _is_many(z):
            raise InvalidError("complete: z is one spectrum, an array of one axis; complete_all takes several")
        spectra = [(_plain(freq), z, _plain(sigma), name, float(area_cm2))]
    answer = _eis_complete({**told, "flip_im": flip_im}, spectra, _predictor(model, options.get("method")), 1)[0]
    if isinstance(answer, BaseException):
        raise answer
    return _completion(answer)


def complete_all(
    freq: Any, z: Any, *, known: Known | None = None, model: Predictor | str | _os.PathLike[str] | None = None, sigma: Any = None,
    names: Sequence[str] | None = None, area_cm2: float | Sequence[float] = 0.0, flip_im: bool = False, threads: int = 0,
    errors: Literal["raise", "keep"] = "raise", **options: Unpack[Options]
) -> list[Any]:
    """The missing parameters of many spectra, on all cores: a list of Completions, in order. Each has the bits that
    complete() gives it, on any number of threads.

    freq: of all spectra, Hz; or a list, for each its own. z: a two-dimensional complex array, a spectrum in each row, or a
    list of arrays, ohm. sigma, area_cm2: one for all, or one for each.
    threads: 0: as many as there are cores for this process.
    errors: "raise": the first spectrum that has no answer raises, when all are done; "keep": its exception (a DataError,
    with .row the point) stands in the list in place of an answer.
    All else: as for complete."""
    if errors not in ("raise", "keep"):
        raise InvalidError(f"complete_all: errors is \"raise\" or \"keep\", not {errors!r}")
    if threads < 0:
        raise InvalidError(f"complete_all: threads is 0, for all cores, or more, not {threads}")
    z = _plain(z) if hasattr(z, "__len__") else list(z)
    if not _is_many(z) and len(z):
        raise InvalidError("complete_all: z is an array of two axes, a spectrum in each row, or a list of spectra; complete takes one")
    rows = [_plain(one) for one in z]
    count = len(rows)
    if names is not None and len(names) != count:
        raise InvalidError(f"complete_all: there are {len(names)} names for {count} spectra")
    named = names if names is not None else [f"spectrum {i + 1}" for i in range(count)]
    spectra = list(zip(_each("complete_all", "freq", freq, count), rows, _each("complete_all", "sigma", sigma, count), named,
                       _numbers("complete_all", "area_cm2", area_cm2, count)))
    cores = len(_os.sched_getaffinity(0)) if hasattr(_os, "sched_getaffinity") else _os.cpu_count() or 1
    told = _options("complete_all", known, options)
    answers = _eis_complete({**told, "flip_im": flip_im}, spectra, _predictor(model, options.get("method")), threads or cores)
    failed = next((one for one in answers if isinstance(one, BaseException)), None)
    if failed is not None and (errors == "raise" or not isinstance(failed, DataError)):
        raise failed
    return [one if isinstance(one, BaseException) else _completion(one) for one in answers]


def load(path: str | _os.PathLike[str], *, device: str = "cpu", threads: int = 1, precision: str = "f32", strict: bool = False) -> Predictor:
    """A trained predictor, opened once: the run folder of `tidemill eis train`, its model.safetensors, or a weights file.
    complete(..., model=it) then takes a millisecond. Several threads may use it at once.

    device: one of tidemill.devices(). threads: of one answer. precision: "f32", "bf16", "f16" or "auto"; one that the device
    lacks is replaced, or refused if strict."""
    return Predictor(_os.fspath(path), {"device": device, "threads": threads, "precision": precision, "strict": strict})


def simulate(
    freq: Any, *, Rsh: Number, Ra: Number, Rb: Number, Ca: Number, Cb: Number, Rs: Number = 0.0,
    circuit: Literal["shunt", "chain"] = "shunt", noise: Number = 0.01, seed: int = 42
) -> list[complex]:
    """The impedances, ohm, that a circuit has at the frequencies freq, Hz, with normal noise of `noise` |Z| in each part
    (0: none). Parameters in ohm and F, or as texts: "3.7uF". The same numbers for the same seed."""
    known = _pairs({"Rsh": Rsh, "Ra": Ra, "Rb": Rb, "Ca": Ca, "Cb": Cb}, _WRITTEN["known"])
    return _eis_simulate({"known": known, "rs": Rs, "circuit": circuit, "noise": noise, "seed": seed}, _plain(freq))


def train(out: str | _os.PathLike[str], *, progress: Callable[[str], object] | None = None, **options: bool | float | str) -> Predictor:
    """Trains a predictor into the folder out, as `tidemill eis train` does, and loads it. Options are the command's, - written _:
    recipe="lab", epochs=2, max_minutes=10, hidden_dim=128, resume="auto", overwrite=True, seed=42, ...

    progress: called with each line that the command would show: print, for one. What it raises ends the training, and so
    does Ctrl-C: a checkpoint is left, from which resume="auto" goes on."""
    _eis_run("train", {**options, "out": _os.fspath(out)}, progress)
    return load(out)


def evaluate(
    model: Predictor | str | _os.PathLike[str], *, progress: Callable[[str], object] | None = None, **options: bool | float | str
) -> dict[str, Any]:
    """How good a predictor is on fresh spectra, beside the exact answer for the same ones: what `tidemill eis evaluate --json`
    prints. Options are the command's: test_spectra=200, noise="1%", seed=42, ..."""
    path = model.path if isinstance(model, Predictor) else _os.fspath(model)
    told: dict[str, Any] = _json.loads(_eis_run("evaluate", {**options, "model": path}, progress))
    return told


# ---- tables ----

_COLUMNS = ("spectrum", "quantity", "unit", "low", "median", "high", "known", "identifiable", "limit", "error")


def _rows(answers: Iterable[Completion | Error]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for i, one in enumerate(answers):
        if isinstance(one, Completion):
            rows += [(one.name, q.name, q.unit, q.low, q.median, q.high, q.known, q.identifiable, q.limit, None) for q in one.quantities]
        else:
            rows.append((f"spectrum {i + 1}", *[None] * (len(_COLUMNS) - 2), str(one)))
    return rows


def _frame_kind() -> str:
    """What the program uses already, else what is installed."""
    kinds = ("pandas", "polars")
    return next((k for k in kinds if k in _sys.modules), next((k for k in kinds if find_spec(k)), "dict"))


def to_frame(answers: Iterable[Completion | Error], kind: Literal["pandas", "polars", "dict"] | None = None) -> Any:
    """Answers as a table, a row for each spectrum and quantity; one for a spectrum without an answer, with its error.
    kind: None: a frame of pandas or polars, whichever is imported or else installed, else a dictionary of lists."""
    rows = _rows(answers)
    columns = {name: [row[i] for row in rows] for i, name in enumerate(_COLUMNS)}
    wanted = kind or _frame_kind()
    if wanted not in ("pandas", "polars", "dict"):
        raise InvalidError(f"to_frame: kind is \"pandas\", \"polars\" or \"dict\", not {kind!r}")
    if wanted == "dict":
        return columns
    make: Callable[..., Any] = import_module(wanted).DataFrame
    return make(columns, infer_schema_length=None) if wanted == "polars" else make(columns)

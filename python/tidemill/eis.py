"""Impedance spectra of epithelia: what the five parameters of the circuit are, given a spectrum and what is known.

    import tidemill as tm

    r = tm.eis.complete(freq_hz, z_ohm, known={"Rsh": 460})
    r.Ra.median, r.Ra.interval        # ohm, and its 95 % interval
    r.TER.median, r.TEC.median        # ohm, F
    r.draws, r.weights                # circuits drawn from the posterior
    print(r)                          # the command's page: tidemill eis complete

    well, = tm.eis.read("well.mpr")   # any instrument's file
    tm.eis.check(well).verdict        # whether it can be believed
    tm.eis.fit(well, circuit="R0-p(R1,CPE1)")["R1"].value
    tm.eis.drt(well).peaks

A shunt Rsh, and two membranes a and b, each a resistance R (ohm) with a capacitance C (F) across it; Rs is in series with
all. Capacitive behaviour has a negative imaginary part. Everything is computed by the library, as the command does it."""
import json as _json
import os as _os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from . import _eis_questions as _q
from . import _eis_results as _r
from ._eis_questions import Spectrum, read
from ._eis_results import (
    Checked, Fault, FitCandidate, FitMarginal, FitMinimum, FitParameter, FitPosterior, FitPrior, FitQuantity, FitSpectrum, Fitted, Peak,
    Relaxations)
from ._tidemill import Array, Error, InvalidError, _eis_circuit, _eis_run, _eis_simulate
from ._tidemill import _EisPredictor as Predictor

__all__ = ["Candidate", "Checked", "Circuit", "Completion", "Fault", "FitCandidate", "FitMarginal", "FitMinimum", "FitParameter",
           "FitPosterior", "FitPrior", "FitQuantity", "FitSpectrum", "Fitted", "Parameters", "Peak", "Predictor", "Quantity", "Relaxations",
           "Spectrum", "check", "check_all", "complete", "complete_all", "drt", "drt_all", "evaluate", "fit", "fit_all", "fit_together",
           "load", "read", "simulate", "to_frame", "train"]

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
class Completion(_r.Result):
    """What a spectrum (name None: there was none) and the known values say. str() of it is the command's page, to_dict() its JSON."""

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

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """All ten, in the order Rsh, Ra, Rb, Ca, Cb, Rs, TER, TEC, n1, d1."""
        return tuple(getattr(self, name) for name in _NAMES)

    def to_frame(self, kind: _q.Kind = None) -> Any:
        """A row for each quantity; kind as in tidemill.eis.to_frame."""
        return to_frame([self], kind)

    def __repr__(self) -> str:
        asked = ", ".join(f"{q.name}={q.median:.4g} {q.unit}" for q in self.quantities if q.known is None and q.median == q.median)
        return f"<tidemill.eis.Completion {self.method}, {self.verdict}: {asked}>"

    def _repr_html_(self) -> str:
        rows = [_cells(q) for q in self.quantities if q.known is not None or q.median == q.median]
        return (_r.html_table(f"{self.name or 'known values alone'}: {self.circuit}, {self.method}, {self.verdict}", ("", "unit", "median", "95 %", ""), rows)
                + _r.html_notes(self.warnings, self.notes) + self._drawn.or_nothing())


def _cells(q: Quantity) -> tuple[str, ...]:
    if q.known is not None:
        return q.name, q.unit, _r.number(q.known), "", "known"
    said = "" if q.identifiable else "not determined" if q.limit is None else f"at the {q.limit} end of its range"
    interval = f"{q.low:.4g} to {_r.number(q.high) or '?'}" if q.low == q.low else ""
    return q.name, q.unit, _r.number(q.median), interval, said


def _completion(told: dict[str, Any]) -> Completion:
    fields: dict[str, Any] = {name: Quantity(name, unit, *row) for name, unit, row in zip(_NAMES, _UNITS, told.pop("quantities"))}
    fields["candidates"] = tuple(Candidate(Parameters(*p), *rest) for p, *rest in told.pop("candidates"))
    return _r.made(Completion, told, **fields, best=Parameters(*told.pop("best")))


# ---- questions ----

def _predictor(model: Any, method: Any) -> Any:
    if isinstance(model, (str, _os.PathLike)) and method in (None, "auto", "network"):
        return load(model)
    return model if isinstance(model, Predictor) or method in (None, "auto", "network") else None


def complete(
    freq: Any = None, z: Any = None, *, known: Known | None = None, model: Predictor | str | _os.PathLike[str] | None = None,
    sigma: Any = None, name: str | None = None, area_cm2: float = 0.0, flip_im: bool = False, **options: Unpack[Options]
) -> Completion:
    """The missing parameters of one spectrum.

    freq: frequencies, Hz, in any order. z: complex impedances, ohm, with a negative imaginary part where the sample is
    capacitive (flip_im=True takes the conjugate). Arrays of any library, or lists; or a Spectrum in place of both. Without
    any, the answer is what the known values alone say.
    known: {"Rsh": 460, "Ca": "3.7uF"}, in ohm and F, or the command's text "Rsh=460,Ca=3.7uF".
    model: a predictor's run folder, or what load() returned: method "network".
    sigma: standard deviations, ohm: real for both parts, or complex.
    name: what messages and answers call it. area_cm2: of the sample; 0: not known.
    Further options: see Options.

    DataError names the point that is not usable (.row); InvalidError an option, and what it takes."""
    told = _q.options_of("complete", Options.__annotations__, options) | _known(known)
    question = [] if freq is None and z is None else [_q.one_item("complete", freq, z, sigma, name, area_cm2)]
    return _completion(_q.ask_one("complete", told, question, flip_im, _predictor(model, options.get("method"))))


def complete_all(
    freq: Any, z: Any = None, *, known: Known | None = None, model: Predictor | str | _os.PathLike[str] | None = None, sigma: Any = None,
    names: Sequence[str] | None = None, area_cm2: float | Sequence[float] = 0.0, flip_im: bool = False, threads: int = 0,
    errors: Literal["raise", "keep"] = "raise", **options: Unpack[Options]
) -> list[Any]:
    """The missing parameters of many spectra, on all cores: a list of Completions, in order. Each has the bits that
    complete() gives it, on any number of threads.

    freq: of all spectra, Hz; or a list, for each its own. z: a two-dimensional complex array, a spectrum in each row, or a
    list of arrays, ohm. Or a list of Spectrum objects in place of both. sigma, area_cm2: one for all, or one for each.
    threads: 0: as many as there are cores for this process.
    errors: "raise": the first spectrum that has no answer raises, when all are done; "keep": its exception (a DataError,
    with .row the point) stands in the list in place of an answer.
    All else: as for complete."""
    told = _q.options_of("complete_all", Options.__annotations__, options) | _known(known)
    items = _q.many_items("complete_all", freq, z, sigma, names, area_cm2)
    return _q.ask_all("complete_all", told, items, flip_im, threads, errors, _completion, _predictor(model, options.get("method")))


def _known(known: Known | None) -> dict[str, Any]:
    return {} if known is None else {"known": _q.pairs(known, _q.WRITTEN["known"])}


# ---- checks ----

def check(
    freq: Any, z: Any = None, *, sigma: Any = None, name: str | None = None, area_cm2: float = 0.0, flip_im: bool = False
) -> Checked:
    """Whether a spectrum can be believed, without asking for any circuit: what `tidemill eis check` says. A spectrum that
    is found unfit is an answer too. Arguments: as for complete."""
    return _r.checked(_q.ask_one("check", {}, [_q.one_item("check", freq, z, sigma, name, area_cm2)], flip_im))


def check_all(
    freq: Any, z: Any = None, *, sigma: Any = None, names: Sequence[str] | None = None, area_cm2: float | Sequence[float] = 0.0,
    flip_im: bool = False, threads: int = 0, errors: Literal["raise", "keep"] = "raise"
) -> list[Any]:
    """check() of many spectra, on all cores: a list of Checked, in order. Arguments: as for complete_all."""
    return _q.ask_all("check_all", {}, _q.many_items("check_all", freq, z, sigma, names, area_cm2), flip_im, threads, errors, _r.checked)


# ---- fits ----

class FitOptions(TypedDict, total=False):
    """What fit(), fit_all() and fit_together() take beside the spectrum: the options of `tidemill eis fit`."""

    weights: Literal["modulus", "unit", "proportional", "statistical", "normalised"]
    """What a residual is divided by: |Z|, 1, its own part, its deviation, or the spectrum's largest part."""
    fix: Mapping[str, Number] | str
    """Parameters held, or tied: {"Rs": 20, "R2": "R1", "C2": "2*C1"}."""
    range: Mapping[str, tuple[Number, Number]] | str
    """Bounds: {"Rs": (0, "1k"), "CPE1_n": (0.7, 1)}."""
    start: Mapping[str, Number] | str
    """Values that one more start has; none is needed."""
    prior: Mapping[str, tuple[float, float]] | str
    """What is known beside the data: {"Rs": (20, 1), "Ra/Rb": (4.8, 1)}, value and standard deviation."""
    blank: str | _os.PathLike[str]
    """File of a spectrum without cells: its resistance and electrode are in the fit, with their errors."""
    robust: bool
    """Outliers count little, and are named."""
    keep_points: bool
    """Outliers, mains and points with Re Z < 0 are fitted too, which are else left out."""
    profile: bool
    """95 % intervals by the profile of the objective."""
    posterior: bool
    """Draws of the posterior: Fitted.posterior."""
    seed: int
    """Of those; 42."""


def _fit_options(call: str, circuit: str, given: Any) -> dict[str, Any]:
    given = given | {"blank": _os.fspath(given["blank"])} if given.get("blank") is not None else given
    return _q.options_of(call, FitOptions.__annotations__, given) | {"circuit": circuit}


def fit(
    freq: Any, z: Any = None, *, circuit: str = "epithelial", sigma: Any = None, name: str | None = None, area_cm2: float = 0.0,
    flip_im: bool = False, **options: Unpack[FitOptions]
) -> Fitted:
    """Fits a circuit to a spectrum, without start values.

    circuit: a name ("epithelial", "randles-cpe", ...; "auto": the smallest of nested ones that the data support), or
    elements in series and parallel, in any of five notations: "R0-p(R1,CPE1)-p(R2-Wo1,C2)".
    freq, z, sigma, name, area_cm2, flip_im: as for complete. Further options: see FitOptions.

    DataError says why no fit should be believed, InvalidError where a circuit's text is wrong."""
    told = _fit_options("fit", circuit, options)
    return _r.fitted(_q.ask_one("fit", told, [_q.one_item("fit", freq, z, sigma, name, area_cm2)], flip_im))


def fit_all(
    freq: Any, z: Any = None, *, circuit: str = "epithelial", sigma: Any = None, names: Sequence[str] | None = None,
    area_cm2: float | Sequence[float] = 0.0, flip_im: bool = False, threads: int = 0, errors: Literal["raise", "keep"] = "raise",
    **options: Unpack[FitOptions]
) -> list[Any]:
    """fit() of many spectra, each alone, on all cores: a list of Fitted, in order. Arguments: as for complete_all."""
    told = _fit_options("fit_all", circuit, options)
    return _q.ask_all("fit_all", told, _q.many_items("fit_all", freq, z, sigma, names, area_cm2), flip_im, threads, errors, _r.fitted)


def fit_together(
    freq: Any, z: Any = None, *, same: Sequence[str] | str, circuit: str = "epithelial", sigma: Any = None, names: Sequence[str] | None = None,
    area_cm2: float | Sequence[float] = 0.0, flip_im: bool = False, **options: Unpack[FitOptions]
) -> Fitted:
    """Fits a circuit to two spectra or more in one fit.

    same: parameters that are one in all, ["Ra", "Rb", "Ca", "Cb", "Rs"]; the others are Rsh#1 of the first, Rsh#2 of the
    second. All else: as for fit_all."""
    items = _q.many_items("fit_together", freq, z, sigma, names, area_cm2)
    if len(items) < 2:
        raise InvalidError(f"fit_together: two spectra or more are needed, not {len(items)}")
    told = _fit_options("fit_together", circuit, options) | {"same": _q.pairs(same, _q.WRITTEN["same"])}
    return _r.fitted(_q.ask_one("fit", told, items, flip_im))


class Circuit:
    """A circuit in the habits of impedance.py and scikit-learn:

        c = Circuit("R0-p(R1,CPE1)").fit(freq, z)
        c.parameters_, c.conf_             # values and standard errors, in the order of c.names_
        c.predict(freq)

    circuit and options: as of fit(). result_ is the whole of what fit() returns."""

    def __init__(self, circuit: str = "epithelial", **options: Unpack[FitOptions]) -> None:
        self.circuit, self.options = circuit, options
        self._result: Fitted | None = None

    def fit(self, freq: Any, z: Any = None, **about: Any) -> "Circuit":
        """about: sigma, name, area_cm2, flip_im. Returns itself."""
        self._result = fit(freq, z, circuit=self.circuit, **self.options, **about)
        return self

    @property
    def result_(self) -> Fitted:
        """What fit() found."""
        if self._result is None:
            raise InvalidError("Circuit: it is not fitted yet: call fit(freq, z)")
        return self._result

    @property
    def parameters_(self) -> Array:
        """Values of the parameters."""
        return Array(self.result_.values, "f64")

    @property
    def conf_(self) -> Array:
        """Their standard errors; NaN: it has none."""
        return Array(self.result_.errors, "f64")

    @property
    def names_(self) -> list[str]:
        """Of the parameters: "R0", "CPE1_0", ..."""
        return [p.name for p in self.result_.parameters]

    def predict(self, freq: Any) -> list[complex]:
        """Impedances of the fitted circuit, ohm, at these frequencies, Hz."""
        return list(_eis_circuit(self.result_.circuit, self.result_.values, _q.plain(freq)))

    def plot(self) -> Any:
        """The spectrum, the fit and what it leaves."""
        return self.result_.plot()

    def __repr__(self) -> str:
        return f"<tidemill.eis.Circuit {self.circuit!r}" + (", not fitted>" if self._result is None else f": {self._result!r}>")


# ---- distributions of relaxation times ----

def _drt_options(lambda_: Number, penalty_order: int) -> dict[str, Any]:
    return {"lambda": lambda_, "penalty_order": penalty_order}


def drt(
    freq: Any, z: Any = None, *, lambda_: Number = "gcv", penalty_order: int = 1, sigma: Any = None, name: str | None = None,
    area_cm2: float = 0.0, flip_im: bool = False
) -> Relaxations:
    """The distribution of relaxation times of a spectrum, gamma >= 0.

    lambda_: weight of the penalty on roughness: "gcv", "l-curve" or a number. penalty_order: of the derivative that is
    kept small, 1 or 2. All else: as for complete."""
    item = _q.one_item("drt", freq, z, sigma, name, area_cm2)
    return _r.relaxations(_q.ask_one("drt", _drt_options(lambda_, penalty_order), [item], flip_im))


def drt_all(
    freq: Any, z: Any = None, *, lambda_: Number = "gcv", penalty_order: int = 1, sigma: Any = None, names: Sequence[str] | None = None,
    area_cm2: float | Sequence[float] = 0.0, flip_im: bool = False, threads: int = 0, errors: Literal["raise", "keep"] = "raise"
) -> list[Any]:
    """drt() of many spectra, on all cores: a list of Relaxations, in order. Arguments: as for complete_all."""
    items = _q.many_items("drt_all", freq, z, sigma, names, area_cm2)
    return _q.ask_all("drt_all", _drt_options(lambda_, penalty_order), items, flip_im, threads, errors, _r.relaxations)


# ---- predictors and made-up spectra ----

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
    known = _q.pairs({"Rsh": Rsh, "Ra": Ra, "Rb": Rb, "Ca": Ca, "Cb": Cb}, _q.WRITTEN["known"])
    return _eis_simulate({"known": known, "rs": Rs, "circuit": circuit, "noise": noise, "seed": seed}, _q.plain(freq))


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


def to_frame(answers: Iterable[Completion | Error], kind: _q.Kind = None) -> Any:
    """Answers as a table, a row for each spectrum and quantity; one for a spectrum without an answer, with its error.
    kind: None: a frame of pandas or polars, whichever is imported or else installed, else a dictionary of lists."""
    return _q.frame_of(_q.columns_of(_rows(answers), _COLUMNS), kind)

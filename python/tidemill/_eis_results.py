"""What was found in a spectrum: checks, fits and distributions of relaxation times, as the library has them."""
import json as _json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape as _escape
from typing import Any, Literal, TypeVar

from ._eis_questions import Kind, columns_of, frame_of
from ._plot import Drawn, Plot
from ._tidemill import Array, InvalidError

_Row = TypeVar("_Row")


def _rows(make: type[_Row], rows: tuple[dict[str, Any], ...]) -> tuple[_Row, ...]:
    return tuple(make(**row) for row in rows)


def html_table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{_escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    names = "".join(f"<th>{_escape(name)}</th>" for name in head)
    return f"<table><caption>{_escape(caption)}</caption><tr>{names}</tr>{cells}</table>"


def html_notes(warnings: tuple[str, ...], notes: tuple[str, ...]) -> str:
    return "".join([f"<p><b>{_escape(text)}</b></p>" for text in warnings] + [f"<p>{_escape(text)}</p>" for text in notes])


def number(value: float) -> str:
    return f"{value:.4g}" if value == value else ""


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """What all of them can do."""

    name: str | None
    """Of the spectrum; of several "a + b"."""
    _json: str = field(kw_only=True)
    _text: str = field(kw_only=True)
    _drawn: Drawn = field(kw_only=True)

    def to_dict(self) -> dict[str, Any]:
        """What the command prints of it with --json."""
        told: dict[str, Any] = _json.loads(self._json)
        return told

    def plot(self) -> Plot:
        """It as a picture, drawn by the library from the same numbers: a notebook shows it, save(path) writes it.
        InvalidError where there is nothing to draw."""
        return Plot(self._drawn.svg(), self.name or type(self).__name__)

    def __str__(self) -> str:
        return self._text


def made(make: type[_Row], told: dict[str, Any], **rows: Any) -> _Row:
    """Of what the extension told."""
    kept = {"_json": told.pop("json"), "_text": told.pop("text"), "_drawn": Drawn(told.pop("picture").svg)}
    return make(**told | rows | kept)


# ---- checks ----

@dataclass(frozen=True, eq=False)
class Fault:
    """What speaks against a spectrum."""

    kind: str
    """As the command names it: "outliers", "mains", "drift", "two-sweeps", ..."""
    unfit: bool
    """No answer about an epithelium should be believed."""
    size: float
    """What it measures follows from the kind: see eis_fault_kind in tidemill/eis.h."""
    sentence: str
    points: Array
    """Which, 0-based, in the spectrum's order."""


@dataclass(frozen=True, repr=False, eq=False)
class Checked(Result):
    """Whether a spectrum can be believed, by Kramers and Kronig and without any circuit. str() of it is the command's page."""

    verdict: Literal["sound", "flawed", "unfit"]
    """flawed: usable, with what the faults say in mind."""
    faults: tuple[Fault, ...]
    noise: float
    """Standard deviation of each part over |Z|; NaN: not told."""
    noise_robust: float
    noise_dof: float
    noise_source: str | None
    terms: int
    """Relaxations of the linear Kramers-Kronig test; 0: there was none, for two sweeps in one."""
    mu: float
    pseudo_chi2: float
    extension: float
    admittance: bool
    plateau: bool
    pseudo_chi2_of: Array
    """By the number of relaxations; NaN: not tried."""
    freq: Array
    residual: tuple[complex, ...]
    """(Z - expansion) / |Z|, by point; empty without a test, as left_out and zhit are."""
    left_out: Array
    zhit: Array
    zhit_rms: float

    def to_frame(self, kind: Kind = None) -> Any:
        """A row for each fault."""
        rows = [(self.name, self.verdict, f.kind, f.unfit, f.size, len(f.points.tolist()), f.sentence) for f in self.faults]
        return frame_of(columns_of(rows, ("spectrum", "verdict", "fault", "unfit", "size", "points", "sentence")), kind)

    def __repr__(self) -> str:
        return f"<tidemill.eis.Checked {self.verdict}: {', '.join(f.kind for f in self.faults) or 'nothing speaks against it'}>"

    def _repr_html_(self) -> str:
        rows = [(f.kind, "unfit" if f.unfit else "", f.sentence) for f in self.faults]
        return html_table(f"{self.name}: {self.verdict}", ("fault", "", ""), rows) + self._drawn.or_nothing()


# ---- fits ----

@dataclass(frozen=True)
class FitParameter:
    """A parameter of a fitted circuit."""

    name: str
    symbol: str
    unit: str
    value: float
    error: float
    """Standard error; NaN: it has none."""
    low95: float
    high95: float
    """By the profile: 0 or infinite where the data set no limit; NaN: not asked for."""
    low: float
    high: float
    """Its range."""
    state: Literal["free", "fixed", "tied", "at_low", "at_high", "open"]
    """at_low, at_high: at an end of its range; open: the data do not determine it."""
    per_area: float
    per_area_error: float
    per_area_unit: str | None
    """The value times the area, or over it; NaN and None where the area is not known or has no part in it."""


@dataclass(frozen=True)
class FitQuantity:
    """A quantity that follows from the parameters: of an epithelium TER, TEC, n1, d1."""

    name: str
    unit: str
    value: float
    error: float
    per_area: float
    per_area_error: float
    per_area_unit: str | None


@dataclass(frozen=True, eq=False)
class FitMinimum:
    """A minimum of the least squares."""

    objective: float
    starts: int
    """That led there."""
    values: Array


@dataclass(frozen=True)
class FitPrior:
    """What was known beside the data."""

    name: str
    value: float
    deviation: float
    fitted: float
    pull: float
    """(fitted - value) / deviation."""


@dataclass(frozen=True)
class FitCandidate:
    """A circuit that "auto" tried."""

    circuit: str
    bic: float
    objective: float
    free_parameters: int


@dataclass(frozen=True)
class FitSpectrum:
    """One of several spectra that were fitted together."""

    name: str
    points: int
    verdict: Literal["open", "adequate", "systematic", "beyond", "noisy"]
    noise_source: str | None
    noise: float
    noise_dof: float
    chi2: float


@dataclass(frozen=True)
class FitMarginal:
    """A quantity or parameter by the posterior, with its 95 % interval."""

    name: str
    unit: str
    low: float
    median: float
    high: float
    limit: Literal["low", "high", "both"] | None
    assumed: bool
    """The end that the interval touches is none that was given."""

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), 95 %."""
        return self.low, self.high


@dataclass(frozen=True, eq=False)
class FitPosterior:
    """Draws of the posterior of a circuit's free parameters."""

    method: Literal["epithelial", "importance", "tempered"]
    marginals: tuple[FitMarginal, ...]
    """Quantities first, then parameters."""
    draws: Array
    """A row each, a column for each of the marginals."""
    weights: Array
    correlation: Array
    effective: float
    disagreement: float
    noise: float
    noise_dof: float
    notes: tuple[str, ...]


@dataclass(frozen=True, repr=False, eq=False)
class Fitted(Result):
    """A circuit fitted to a spectrum, or to several. str() of it is the command's page; fitted["R1"] one of its parameters."""

    circuit: str
    parameters: tuple[FitParameter, ...]
    quantities: tuple[FitQuantity, ...]
    verdict: Literal["open", "adequate", "systematic", "beyond", "noisy"]
    """Whether the circuit can have made the spectrum: adequate, if its misfit is that of the noise."""
    chi2: float
    """Reduced, against a noise that is known without the circuit; NaN: too few points."""
    noise: float
    noise_dof: float
    noise_source: str | None
    weights: Literal["modulus", "unit", "proportional", "statistical", "normalised"]
    area_cm2: float
    free_parameters: int
    objective: float
    reduced: float
    aic: float
    bic: float
    norms: dict[str, float]
    """Every residual norm of the fit."""
    correlation: Array
    minima: tuple[FitMinimum, ...]
    starts: int
    used: Array
    """The points that were fitted, 0-based, in the spectrum's order; of several spectra one after the other."""
    model: tuple[complex, ...]
    """Z of the circuit at those, ohm."""
    share: Array | None
    spectra: tuple[FitSpectrum, ...]
    """Of a fit of several; else none."""
    priors: tuple[FitPrior, ...]
    ranking: tuple[FitCandidate, ...]
    """Of "auto": what was tried."""
    posterior: FitPosterior | None
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> FitParameter | FitQuantity:
        every: dict[str, FitParameter | FitQuantity] = {p.name: p for p in self.parameters} | {q.name: q for q in self.quantities}
        if name in every:
            return every[name]
        raise KeyError(f"{name}: there are {', '.join(every)}")

    @property
    def values(self) -> list[float]:
        """Of the parameters, in the circuit's order."""
        return [p.value for p in self.parameters]

    @property
    def errors(self) -> list[float]:
        """Their standard errors."""
        return [p.error for p in self.parameters]

    def to_frame(self, kind: Kind = None) -> Any:
        """A row for each parameter, then each quantity."""
        rows: list[tuple[Any, ...]] = [(self.name, p.name, p.unit, p.value, p.error, p.low95, p.high95, p.state) for p in self.parameters]
        rows += [(self.name, q.name, q.unit, q.value, q.error, float("nan"), float("nan"), None) for q in self.quantities]
        return frame_of(columns_of(rows, ("spectrum", "parameter", "unit", "value", "error", "low95", "high95", "state")), kind)

    def __repr__(self) -> str:
        return f"<tidemill.eis.Fitted {self.circuit}, {self.verdict}: " + ", ".join(f"{p.name}={p.value:.4g} {p.unit}" for p in self.parameters) + ">"

    def _repr_html_(self) -> str:
        rows = [(p.name, p.unit, number(p.value), number(p.error), "" if p.state == "free" else p.state.replace("_", " ")) for p in self.parameters]
        rows += [(q.name, q.unit, number(q.value), number(q.error), "") for q in self.quantities]
        return (html_table(f"{self.name}: {self.circuit}, {self.verdict}", ("", "unit", "value", "standard error", ""), rows)
                + html_notes(self.warnings, self.notes) + self._drawn.or_nothing())


def fitted(told: dict[str, Any]) -> Fitted:
    of = told["posterior"]
    posterior = FitPosterior(**of | {"marginals": _rows(FitMarginal, of["marginals"])}) if of else None
    return made(Fitted, told, parameters=_rows(FitParameter, told["parameters"]), quantities=_rows(FitQuantity, told["quantities"]),
                minima=_rows(FitMinimum, told["minima"]), spectra=_rows(FitSpectrum, told["spectra"]), priors=_rows(FitPrior, told["priors"]),
                ranking=_rows(FitCandidate, told["ranking"]), posterior=posterior)


def checked(told: dict[str, Any]) -> Checked:
    return made(Checked, told, faults=_rows(Fault, told["faults"]))


# ---- distributions ----

@dataclass(frozen=True)
class Peak:
    """A maximum of a distribution of relaxation times."""

    tau_s: float
    frequency_hz: float
    gamma_ohm: float
    """Its height."""
    r_ohm: float
    """The area between the minima beside it."""
    c_farad: float
    """tau / R."""
    beyond: bool
    """tau is none that was measured: less is known of it."""


@dataclass(frozen=True, repr=False, eq=False)
class Relaxations(Result):
    """The distribution of relaxation times of a spectrum. str() of it is the command's page."""

    peaks: tuple[Peak, ...]
    """By tau."""
    tau: Array
    """s."""
    gamma: Array
    """ohm, at tau."""
    lambda_: float
    """Weight of the penalty on roughness."""
    lambda_by: Literal["gcv", "l-curve", "given"]
    penalty_order: int
    r_inf_ohm: float
    l_henry: float
    c_farad: float
    """In series; infinite: there is none."""
    area_ohm: float
    """Of gamma: the peaks' sum to it."""
    low_ohm: float
    freq: Array
    residual: tuple[complex, ...]
    """(Z - model) / |Z|."""
    rms: float
    rms_signed: float
    negative_arc: bool
    """There is what no positive gamma can have made."""
    notes: tuple[str, ...]

    def to_frame(self, kind: Kind = None) -> Any:
        """A row for each peak."""
        rows = [(self.name, p.tau_s, p.frequency_hz, p.gamma_ohm, p.r_ohm, p.c_farad, p.beyond) for p in self.peaks]
        return frame_of(columns_of(rows, ("spectrum", "tau_s", "frequency_hz", "gamma_ohm", "r_ohm", "c_farad", "beyond")), kind)

    def __repr__(self) -> str:
        return f"<tidemill.eis.Relaxations: {', '.join(f'{p.r_ohm:.4g} ohm at {p.tau_s:.3g} s' for p in self.peaks) or 'no peaks'}>"

    def _repr_html_(self) -> str:
        rows = [(number(p.tau_s), number(p.frequency_hz), number(p.r_ohm), number(p.c_farad), "beyond the frequencies" if p.beyond else "")
                for p in self.peaks]
        return (html_table(f"{self.name}: {len(rows)} peaks", ("tau, s", "frequency, Hz", "R, ohm", "C, F", ""), rows)
                + html_notes((), self.notes) + self._drawn.or_nothing())


def relaxations(told: dict[str, Any]) -> Relaxations:
    return made(Relaxations, told, peaks=_rows(Peak, told["peaks"]), notes=tuple((told["notes"] or "").splitlines()))

"""Fits the default utilisation to published runs; power is fitted in `power.py`.

The model is `performance.expected_utilisation`: ln u less the ln of the share of peak that a tuned
training can use is a constant, a slope on the age of the software, what a model of its size keeps
on the device, and steps for what is not a decoder and for fields.  docs/decisions/0018 compares it
with simpler and richer ones.

Families weigh one, sister runs sharing team, cluster and code.  Errors beyond 0.15 of a natural
log count less (Huber): the low tail is long, and one wrecked run must not move the rest.  All terms
but the constant are pulled, as by one family, towards where they start.  A utilisation that is a
ceiling or a floor counts only where the forecast is on its wrong side.

The width is the largest of what left-out families, device classes and years ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from joulecast import units
from joulecast.arrays import Array
from joulecast.resolve.shares import age_of, tuned_share
from joulecast.resolve.utilisation import ATTENTION_LEFT_OUT, DECODERS, FIELD_OF, LARGE_MODEL_PARAMS
from joulecast.uncertainty import T90, T95
from joulecast.validating.power import PowerFit, entry, fit_power
from joulecast.validating.scoring import family_weights

if TYPE_CHECKING:
    from joulecast.data.library import Library
    from joulecast.validating.runs import ReportedRun

HUBER = 0.15  # ln units within which an error counts in full
TYPICAL_AGE, OLDEST = 2.0, 3.0  # years, as in performance.expected_utilisation

#: Fields with a step of their own, beside language.
FIELDS = ("images", "biology", "other")

#: Coefficient -> where it starts and how far from there one family lets it go.  An age of 0.15 a
#: year is what one device gained in tuned runs.
START: dict[str, tuple[float, float]] = {
    "ln_of_tuned": (-1.0, math.inf),
    "age_slope": (0.15, 0.05),
    "ln_half_params": (math.log(3.2e-7), 1.0),
    "ln_exponent": (math.log(0.8), 0.3),
    "not_decoder": (0.0, 1.0),
    **dict.fromkeys(FIELDS, (0.0, 1.0)),
}

#: Families' worth of the common width that a group's own is pooled with.
POOL = 4.0

#: Fewest earlier runs that later years are forecast from.
EARLIER = 15

#: Fewer families than these leave room for what may be a class of device's own: added to the scale
#: below the forecast and above it.  First jobs on new platforms mostly fell far below.
FEW = 4
OWN_OF_CLASS = {"blackwell": (0.45, 0.30)}
OWN_OF_OTHERS = (0.60, 0.30)

#: A field without hours: a factor of 3 either way at 80 %.
NO_FIELD = math.log(3) / T90

#: Size at which the share of attention per token of sequence length is quoted.
REFERENCE_PARAMS = 7e9


class Case(NamedTuple):
    """A run as the fit sees it; `y` is ln(utilisation / share of peak a tuned training can use).

    `side` is 1 where that is a ceiling, -1 where it is a floor.
    """

    id: str
    family: str
    decoder: bool
    field: str
    device_class: str
    year: int
    age: float
    ln_speed: float  # ln of peak over active parameters [FLOP/s]
    y: float
    side: int = 0


class Fit(NamedTuple):
    """Coefficients of the default utilisation."""

    ln_of_tuned: float
    age_slope: float
    ln_half_params: float
    ln_exponent: float
    not_decoder: float
    images: float
    biology: float
    other: float


@dataclass(frozen=True)
class Calibration:
    """Coefficients of the default utilisation and the spread of runs around it.

    `scales` are of Student's t with 4 degrees of freedom: for decoders, and for the rest;
    `families` how many there are on each class of device, `families_on` on each generation.
    """

    fit: Fit
    scales: tuple[float, float]
    families: Mapping[str, int]
    families_on: Mapping[str, int]
    attention_share: float
    power: PowerFit

    def figures(self, notes: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The defaults as hardware_specs/calibration.toml holds them."""
        notes, fit = notes or {}, self.fit

        def exact(name: str, value: float) -> dict[str, Any]:
            return entry(notes.get(name, ""), value)

        def around_one(name: str, below: float, above: float, note: str = "") -> dict[str, Any]:
            ends = math.exp(-T95 * below), math.exp(T95 * above)
            return entry(note or notes.get(name, ""), 1.0, *ends)

        widths = {"decoder": self.scales[0], "other": self.scales[1]}
        widths |= {"no_field": NO_FIELD}
        fields = {"language": 0.0, **{name: getattr(fit, name) for name in FIELDS}}
        return {
            "utilisation": {
                "of_tuned": exact("of_tuned", math.exp(fit.ln_of_tuned)),
                "age_slope": exact("age_slope", fit.age_slope),
                "size": {
                    "half_params": exact("half_params", math.exp(fit.ln_half_params)),
                    "exponent": exact("exponent", math.exp(fit.ln_exponent)),
                },
                "kind": {
                    "decoder": exact("kind.decoder", 1.0),
                    "other": exact("kind.other", math.exp(fit.not_decoder)),
                },
                "field": {
                    name: exact(f"field.{name}", math.exp(step)) for name, step in fields.items()
                },
                "spread": {
                    name: around_one(f"spread.{name}", scale, scale)
                    for name, scale in widths.items()
                },
                "few_families": {
                    name: around_one(
                        "", *OWN_OF_CLASS.get(name, OWN_OF_OTHERS), _few_words(name, count)
                    )
                    for name, count in sorted(self.families.items())
                    if count < FEW
                },
                "families_on": {
                    name: exact("", count) | {"note": f"families of published runs on {name}"}
                    for name, count in sorted(self.families_on.items())
                },
            },
            "attention_share": exact("attention_share", self.attention_share),
            **self.power.figures(notes),
        }


def _few_words(device_class: str, count: int) -> str:
    devices = "such" if device_class == "other" else device_class
    many = {0: "no published run", 1: "published runs of one family"}
    of = many.get(count, f"published runs of {count} families")
    return f"{of} on {devices} devices with hours and FLOP"


def hours_runs(library: Library) -> list[ReportedRun]:
    """Published runs that test device-hours."""
    return [run for run in library.runs if "H" in run.tests]


def calibrate(runs: Iterable[ReportedRun], library: Library) -> Calibration:
    """Fit to runs that test device-hours, and power to those with a meter.

    The spread of utilisation is that of families, classes of device and years left out in turn.
    Deterministic: no random numbers.
    """
    runs = list(runs)
    power = fit_power(runs, library)
    runs = [run for run in runs if "H" in run.tests]
    share = _attention_share(runs)
    cases = [case_of(run, library, share) for run in runs]
    known: set[str] = {library.device(name).device.device_class for name in library.device_ids}
    families: dict[str, int] = {
        name: len({case.family for case in cases if case.device_class == name}) for name in known
    }
    met: dict[str, set[str]] = {}
    for run in runs:
        device = library.device(run.before.device or "").device
        met.setdefault(device.generation or device.id, set()).add(run.family)
    families_on = {name: len(found) for name, found in met.items()}
    return Calibration(fit(cases), scales(cases), families, families_on, share, power)


def fit(cases: Sequence[Case]) -> Fit:
    """Coefficients by least squares on shrunk errors and pulls (MINPACK's Levenberg-Marquardt)."""
    from scipy.optimize import least_squares

    table = _Table(cases)
    start, room = (np.array(column) for column in zip(*START.values(), strict=True))

    def residual(theta: Array) -> Array:
        error, _ = table.errors(theta)
        size = np.abs(error)
        far = np.sqrt(HUBER * (2 * np.maximum(size, HUBER) - HUBER))
        shrunk = np.where(size <= HUBER, size, far)
        return np.concatenate([table.root_weight * np.sign(error) * shrunk, (theta - start) / room])

    def slopes(theta: Array) -> Array:
        error, open_ = table.errors(theta)
        size = np.maximum(np.abs(error), HUBER)
        slope = HUBER / np.sqrt(HUBER * (2 * size - HUBER))
        rows = -table.slopes(theta) * (table.root_weight * slope * open_)[:, None]
        return np.concatenate([rows, np.diag(1 / room)])

    return Fit(*map(float, least_squares(residual, start, jac=slopes, method="lm").x))


class _Table:
    """Cases as arrays, and what coefficients forecast of them."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.y = np.array([case.y for case in cases])
        self.age = np.array([case.age - TYPICAL_AGE for case in cases])
        self.ln_speed = np.array([case.ln_speed for case in cases])
        self.flags = np.array(
            [[not c.decoder, *(c.field == field for field in FIELDS)] for c in cases], dtype=float
        )
        self.side = np.array([case.side for case in cases])
        self.root_weight = np.sqrt(family_weights([case.family for case in cases]))

    def forecast(self, theta: Array | Fit) -> Array:
        """ln(utilisation / tuned share)."""
        constant, age, ln_half, ln_exponent, *steps = theta
        small = np.log1p(np.exp(math.exp(ln_exponent) * (ln_half + self.ln_speed)))
        found: Array = constant + age * self.age + self.flags @ np.array(steps) - small
        return found

    def errors(self, theta: Array | Fit) -> tuple[Array, Array]:
        """True less forecast, 0 where the truth may lie beyond what was published; who counts."""
        error = self.y - self.forecast(theta)
        open_ = error * self.side <= 0
        return np.where(open_, error, 0.0), open_

    def slopes(self, theta: Array) -> Array:
        """Change of the forecast with each coefficient."""
        _, _, ln_half, ln_exponent, *_ = theta
        exponent, ratio = math.exp(ln_exponent), ln_half + self.ln_speed
        kept = 1 / (1 + np.exp(-exponent * ratio))
        ones = np.ones_like(self.y)
        size = (-exponent * kept, -exponent * ratio * kept)
        return np.column_stack([ones, self.age, *size, self.flags])


def left_out_errors(
    cases: Sequence[Case], group: Callable[[Case], object] = lambda case: case.family
) -> dict[str, float]:
    """ln(true / forecast utilisation) of each run by a fit that saw none of its group.

    Nor any run of the families in the group.
    """
    errors: dict[str, float] = {}
    for name in dict.fromkeys(map(group, cases)):
        mine = [case for case in cases if group(case) == name]
        families = {case.family for case in mine}
        others = [c for c in cases if group(c) != name and c.family not in families]
        errors |= _errors(mine, fit(others))
    return errors


def errors_from_the_past(cases: Sequence[Case]) -> dict[str, float]:
    """The same by a fit of earlier years alone, where there are enough of them."""
    errors: dict[str, float] = {}
    for year in sorted({case.year for case in cases}):
        mine = [case for case in cases if case.year == year]
        families = {case.family for case in mine}
        past = [c for c in cases if c.year < year and c.family not in families]
        if len(past) >= EARLIER:
            errors |= _errors(mine, fit(past))
    return errors


def _errors(cases: Sequence[Case], coefficients: Fit) -> dict[str, float]:
    found, _ = _Table(cases).errors(coefficients)
    return {case.id: float(error) for case, error in zip(cases, found, strict=True)}


def scales(cases: Sequence[Case]) -> tuple[float, float]:
    """Scales of Student's t with 4 degrees of freedom: decoders, the rest.

    For each the largest that left-out families, classes of device, years, or later years by
    earlier ones ask for, pooled with the common one.
    """
    ways = [
        left_out_errors(cases),
        left_out_errors(cases, lambda case: case.device_class),
        left_out_errors(cases, lambda case: case.year),
        errors_from_the_past(cases),
    ]
    found = []
    for decoder in (True, False):
        group = [case for case in cases if case.decoder == decoder]
        count = len({case.family for case in group})
        pooled = [
            (count * scale_of(group, errors) ** 2 + POOL * scale_of(cases, errors) ** 2)
            / (count + POOL)
            for errors in ways
        ]
        found.append(math.sqrt(max(pooled)))
    return found[0], found[1]


def scale_of(cases: Sequence[Case], errors: Mapping[str, float]) -> float:
    """Scale of Student's t with 4 degrees of freedom around 0 by the logarithmic score.

    Families weigh one; an outcome that may lie anywhere beyond what was published has
    probability one half, whatever the scale.
    """
    from scipy.optimize import minimize_scalar

    cases = [
        case for case in cases if case.id in errors and not (case.side and errors[case.id] == 0)
    ]
    squares = np.array([errors[case.id] ** 2 for case in cases])
    weight = family_weights([case.family for case in cases])

    def loss(ln_scale: float) -> float:
        return float(weight @ (2.5 * np.log1p(squares / (4 * math.exp(2 * ln_scale))) + ln_scale))

    return math.exp(minimize_scalar(loss, bounds=(-4, 1), method="bounded").x)


def case_of(run: ReportedRun, library: Library, attention_share: float) -> Case:
    """What the fit needs of a run: its utilisation by hours, FLOP and peak, and what was known."""
    before, hours = run.before, run.reported.device_hours
    assert before.device is not None and hours is not None
    device = library.device(before.device).device
    peak = device.peak("bf16")
    assert peak is not None
    speedup = 1.0
    if before.precision == "fp8":
        known = device.precision_speedup.get("fp8")
        speedup = (known or library.default("precision_speedup.fp8")).value
    reachable = hours.value * units.hour * peak.value * 1e12 * speedup
    share = tuned_share(library, device).value
    active = before.active_params or before.params
    size = active.value if active is not None else LARGE_MODEL_PARAMS
    return Case(
        run.id,
        run.family,
        before.arch in DECODERS,
        before.field or FIELD_OF.get(before.arch, "language"),
        device.device_class,
        before.year,
        min(age_of(library, device, before.year), OLDEST),
        math.log(peak.value * 1e12 / size),
        math.log(flop_of(run, library, attention_share) / reachable / share),
        run.one_sided,
    )


def flop_of(run: ReportedRun, library: Library, attention_share: float) -> float:
    """FLOP of a run, as exact as what is known of it allows.

    By layers and width where they are known; by the rule of thumb and the usual share of attention
    where they are not; as reported where counts do not give them.
    """
    before = run.before
    if before.needs_flop:
        assert before.flop is not None
        return before.flop.value
    active = before.active_params or before.params
    assert active is not None and before.tokens is not None
    rule = {"enc-dec": "enc-dec", "vision": "vision"}.get(before.arch, "decoder")
    plain = library.default(f"flop_per_param_token.{rule}").value
    share = 0.0
    positions = ATTENTION_LEFT_OUT.get(before.arch, 0.0)
    if positions and before.seq_len is not None:
        share = positions * before.seq_len.value * _per_token(run, attention_share)
    return plain * (1 + share) * active.value * before.tokens.value


def _per_token(run: ReportedRun, attention_share: float) -> float:
    """Attention per token of sequence length over 6 N: layers x width over parameters."""
    before = run.before
    active = before.active_params or before.params
    assert active is not None
    if before.shape is not None and before.shape.layers and before.shape.width:
        return before.shape.layers * before.shape.width / active.value
    return float(attention_share * (active.value / REFERENCE_PARAMS) ** (-1 / 3))


def _attention_share(runs: list[ReportedRun]) -> float:
    """Layers x width over active parameters at 7 billion, by the cube-root law: geometric mean."""
    logs = []
    for run in runs:
        before = run.before
        active = before.active_params or before.params
        if before.arch in DECODERS and active is not None and before.shape is not None:
            layers, width = before.shape.layers, before.shape.width
            if layers and width:
                shape = layers * width / active.value
                logs.append(math.log(shape) + math.log(active.value / REFERENCE_PARAMS) / 3)
    return math.exp(math.fsum(logs) / len(logs))

"""Fits the default utilisation to published runs; power is fitted in `power.py`.

The model is `performance.expected_utilisation`: ln u less the ln of the device's ceiling is a
constant, a slope on the age of the device, a slope on the size of a small model, and a step for
what is not a decoder.  docs/decisions/0008 compares it with simpler and richer ones.

Families weigh one, sister runs sharing team, cluster and code.  Errors beyond a quarter of a
natural log count less (Huber): the low tail is long, and one wrecked run must not move the rest.
All terms but the constant are pulled towards zero as by one family that shows none of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from joulecast import units
from joulecast.arrays import Array
from joulecast.resolve.utilisation import (
    ATTENTION_LEFT_OUT,
    DECODERS,
    LARGE_MODEL_PARAMS,
    age_of,
    ceiling_of,
)
from joulecast.uncertainty import T95
from joulecast.validating.power import PowerFit, entry, fit_power

if TYPE_CHECKING:
    from joulecast.data.library import Library
    from joulecast.validating.runs import ReportedRun

PULL = 1.0  # families' worth of weight on no effect at all
HUBER = 0.25  # ln units within which an error counts in full
SETTLED = 1e-10  # change of every coefficient below which the reweighting ends
TYPICAL_AGE, OLDEST = 2.0, 4.0  # years, as in performance.expected_utilisation

#: Size at which the share of attention per token of sequence length is quoted.
REFERENCE_PARAMS = 7e9


class Case(NamedTuple):
    """A run as the fit sees it; `y` is ln(utilisation / ceiling)."""

    id: str
    family: str
    decoder: bool
    age: float
    ln_small: float
    y: float

    @property
    def features(self) -> tuple[float, float, float]:
        """What the coefficients multiply: age, size, not a decoder."""
        return (self.age - TYPICAL_AGE, self.ln_small, 0.0 if self.decoder else 1.0)


@dataclass(frozen=True)
class Calibration:
    """Coefficients of the default utilisation and the spread of runs around it."""

    constant: float
    age_slope: float
    size_slope: float
    not_decoder: float
    spread_decoder: float
    spread_other: float
    attention_share: float
    power: PowerFit

    def ln_of_ceiling(self, case: Case) -> float:
        """Forecast ln(utilisation / ceiling)."""
        slopes = (self.age_slope, self.size_slope, self.not_decoder)
        return self.constant + math.fsum(s * x for s, x in zip(slopes, case.features, strict=True))

    def figures(self, notes: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The defaults as hardware_specs/calibration.toml holds them."""
        notes = notes or {}

        def exact(name: str, value: float) -> dict[str, Any]:
            return entry(notes.get(name, ""), value)

        def around_one(name: str, spread: float) -> dict[str, Any]:
            return entry(notes.get(name, ""), 1.0, math.exp(-spread), math.exp(spread))

        return {
            "utilisation": {
                "of_ceiling": exact("of_ceiling", math.exp(self.constant)),
                "age_slope": exact("age_slope", self.age_slope),
                "size_slope": exact("size_slope", self.size_slope),
                "kind": {
                    "decoder": exact("kind.decoder", 1.0),
                    "other": exact("kind.other", math.exp(self.not_decoder)),
                },
                "spread": {
                    "decoder": around_one("spread.decoder", self.spread_decoder),
                    "other": around_one("spread.other", self.spread_other),
                },
            },
            "attention_share": exact("attention_share", self.attention_share),
            **self.power.figures(notes),
        }


def hours_runs(library: Library) -> list[ReportedRun]:
    """Published runs that test device-hours."""
    return [run for run in library.runs if "H" in run.tests]


def calibrate(runs: Iterable[ReportedRun], library: Library) -> Calibration:
    """Fit to runs that test device-hours, and power to those with a meter.

    The spread of utilisation is that of families left out in turn.  Deterministic: no random
    numbers.
    """
    runs = list(runs)
    power = fit_power(runs, library)
    runs = [run for run in runs if "H" in run.tests]
    share = _attention_share(runs)
    cases = [case_of(run, library, share) for run in runs]
    errors = left_out_errors(cases)
    spread = {
        decoder: T95 * _scale([c for c in cases if c.decoder == decoder], errors)
        for decoder in (True, False)
    }
    return Calibration(*_fit(cases), spread[True], spread[False], share, power)


def left_out_errors(cases: list[Case]) -> dict[str, float]:
    """ln(true / forecast utilisation) of each run by a fit that never saw its family."""
    errors = {}
    for family in dict.fromkeys(case.family for case in cases):
        others = _fit([case for case in cases if case.family != family])
        for case in cases:
            if case.family == family:
                guess = others[0] + math.fsum(
                    s * x for s, x in zip(others[1:], case.features, strict=True)
                )
                errors[case.id] = case.y - guess
    return errors


def weights(cases: list[Case]) -> Array:
    """One over the number of a run's sisters, itself among them."""
    count: dict[str, int] = defaultdict(int)
    for case in cases:
        count[case.family] += 1
    return np.array([1 / count[case.family] for case in cases])


def case_of(run: ReportedRun, library: Library, attention_share: float) -> Case:
    """What the fit needs of a run: its utilisation by hours, FLOP and peak, and what was known."""
    before, hours = run.before, run.reported.device_hours
    assert before.device is not None and hours is not None
    device = library.device(before.device).device
    peak = device.peak("bf16")
    assert peak is not None
    speedup = library.default("precision_speedup.fp8").value if before.precision == "fp8" else 1.0
    reachable = hours.value * units.hour * peak.value * 1e12 * speedup
    ceiling = ceiling_of(library, device).value
    active = before.active_params or before.params
    size = active.value if active is not None else LARGE_MODEL_PARAMS
    return Case(
        run.id,
        run.family,
        before.arch in DECODERS,
        min(age_of(device, before.year), OLDEST),
        min(0.0, math.log(size / LARGE_MODEL_PARAMS)),
        math.log(flop_of(run, library, attention_share) / reachable / ceiling),
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


def _fit(cases: list[Case]) -> tuple[float, float, float, float]:
    """Constant, slopes and step: ridge regression, reweighted until the large errors settle."""
    x = np.array([(1.0, *case.features) for case in cases])
    y = np.array([case.y for case in cases])
    base = weights(cases)
    penalty = np.diag([0.0, PULL, PULL, PULL])
    found, weight = np.zeros(4), base
    for _ in range(60):
        last = found
        found = np.linalg.solve(x.T @ (x * weight[:, None]) + penalty, x.T @ (weight * y))
        if np.max(np.abs(found - last)) < SETTLED:
            break
        error = np.abs(y - x @ found)
        weight = base * np.minimum(1.0, HUBER / np.maximum(error, 1e-12))
    constant, age, size, other = (float(number) for number in found)
    return constant, age, size, other


def _scale(cases: list[Case], errors: Mapping[str, float]) -> float:
    """Scale of Student's t with 4 degrees of freedom around 0: maximum likelihood.

    Families weigh one.  With s the scale: s^2 = mean of (4 + 1) e^2 / (4 + e^2 / s^2), from the
    variance on until it settles (Lange, Little and Taylor 1989, J. Am. Stat. Assoc. 84).
    """
    squares = np.array([errors[case.id] ** 2 for case in cases])
    weight = weights(cases)
    found, last = float(np.average(squares, weights=weight)), 0.0
    while abs(found - last) > SETTLED:
        last = found
        found = float(np.average(5 * squares / (4 + squares / last), weights=weight))
    return math.sqrt(found)

"""Groups of a validation's rows, and the scores of each; families weigh one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from joulecast.answers.validation import BASELINES, Hits, Point, Row, Score
from joulecast.arrays import Array
from joulecast.resolve.utilisation import DECODERS, FIELD_OF
from joulecast.validating import scoring

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun


#: Shares of outcomes that the central ranges are meant to hold.
NOMINAL = (0.5, 0.8, 0.9)


def _dense_on(device_class: str) -> Callable[[Row], bool]:
    return lambda row: row.run.before.arch == "dense" and row.device_class == device_class


#: Groups of hours.
CLASSES: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "decoders": lambda row: row.run.before.arch in DECODERS,
    "dense on A100": _dense_on("ampere"),
    "dense on H100": _dense_on("hopper"),
    "mixtures of experts": lambda row: row.run.before.arch == "moe",
    "the rest": lambda row: row.run.before.arch not in DECODERS,
    "the first 74 runs": lambda row: not row.run.added,
    "of these, decoders": lambda row: not row.run.added and row.run.before.arch in DECODERS,
    "found in 2026": lambda row: bool(row.run.added),
    "images": lambda row: _field(row) == "images",
    "biology": lambda row: _field(row) == "biology",
    "below 0.5B parameters": lambda row: not _at_least(row, 5e8),
    "8 devices and fewer": lambda row: (row.run.before.device_count or 9) <= 8,
}


def _field(row: Row) -> str:
    before = row.run.before
    return before.field or FIELD_OF.get(before.arch, "language")


def _at_least(row: Row, params: float) -> bool:
    active = row.run.before.active_params or row.run.before.params
    return active is None or active.value >= params


def _bought(run: ReportedRun) -> bool:
    """Whether purchases of clean electricity were taken off the published emissions."""
    emitted = run.reported.operational_kgco2e
    return emitted is not None and emitted.accounting == "market"


#: Groups of energy and of emissions.
SIZES: dict[str, dict[str, Callable[[Row], bool]]] = {
    "energy": {
        "true hours given": lambda row: bool(row.known),
        "blind, 1B parameters and more": lambda row: not row.known and row.large,
        "blind, smaller": lambda row: not row.known and not row.large,
    },
    "co2": {
        "blind, 1B parameters and more": lambda row: not row.known and row.large,
        "of these, location-based": (
            lambda row: not row.known and row.large and not _bought(row.run)
        ),
        "blind, smaller": lambda row: not row.known and not row.large,
        "grid and PUE given, 1B parameters and more": lambda row: bool(row.known) and row.large,
    },
}


#: Runs whose sizes or data were derived: never fitted, they test the order of magnitude.
MAGNITUDE: dict[str, dict[str, Callable[[Row], bool]]] = {
    "magnitude": {
        "all": lambda row: True,
        "images": lambda row: _field(row) == "images",
        "biology": lambda row: _field(row) == "biology",
        "other fields": lambda row: _field(row) == "other",
    }
}


def scores_of(rows: Sequence[Row]) -> dict[str, dict[str, Score]]:
    """Scores by quantity and group; groups without a row are left out."""
    found: dict[str, dict[str, Score]] = {}
    for quantity, groups in ({"hours": CLASSES} | SIZES | MAGNITUDE).items():
        own = [row for row in rows if row.quantity == quantity]
        chosen = {name: [row for row in own if test(row)] for name, test in groups.items()}
        found[quantity] = {name: score(group) for name, group in chosen.items() if group}
    return found


def score(rows: Sequence[Row]) -> Score:
    """Score a group of rows, families weighing one."""
    families = [row.run.family for row in rows]
    weights, count = scoring.family_weights(families), len(set(families))
    errors = np.array([row.ln_ratio for row in rows])
    pits = np.array([row.pit for row in rows])
    mean_z, sd_z = scoring.mean_and_sd(np.array([row.z for row in rows]), weights)

    def mean(values: Iterable[float]) -> float:
        return float(np.average(list(values), weights=weights))

    hits = []
    for nominal in NOMINAL:
        held = count * mean(row.inside(nominal) for row in rows)
        hits.append(Hits(nominal, held, *scoring.window(count, nominal)))
    logs = [(np.log(row.draws), math.log(row.reported)) for row in rows]
    ranges = [tuple(math.log(end) for end in row.range(0.8)) for row in rows]
    shared = [name for name in BASELINES if all(name in row.baselines for row in rows)]
    return Score(
        runs=len(rows),
        families=count,
        median_ratio=math.exp(scoring.weighted_median(errors, weights)),
        median_ratio_by_row=math.exp(float(np.median(errors))),
        factor=scoring.typical_factor(errors, weights),
        factor_by_row=scoring.typical_factor(errors, np.ones(len(rows))),
        within_1_5=mean(np.abs(errors) <= math.log(1.5)),
        within_2=mean(np.abs(errors) <= math.log(2)),
        hits=tuple(hits),
        pit=tuple(scoring.histogram(pits, weights)),
        mean_z=mean_z,
        sd_z=sd_z,
        crps=mean(scoring.crps(draws, outcome) for draws, outcome in logs),
        interval_score_80=mean(
            scoring.interval_score(low, high, outcome, 0.8)
            for (low, high), (_, outcome) in zip(ranges, logs, strict=True)
        ),
        half_width_80=math.exp(mean((high - low) / 2 for low, high in ranges)),
        baselines={name: _point(rows, name, weights) for name in shared},
    )


def _point(rows: Sequence[Row], name: str, weights: Array) -> Point:
    errors = np.array([math.log(row.baselines[name] / row.reported) for row in rows])
    return Point(
        math.exp(scoring.weighted_median(errors, weights)),
        scoring.typical_factor(errors, weights),
        scoring.typical_factor(errors, np.ones(len(rows))),
    )

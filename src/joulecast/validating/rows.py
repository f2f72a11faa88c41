"""What a validation is made of: rows of published figures beside forecasts, and their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

from joulecast.arrays import Array
from joulecast.uncertainty import quantiles
from joulecast.validating import scoring

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun


#: Parameters from which a run counts as large where energy and emissions are scored.
LARGE = 1e9

BASELINES = ("naive", "pooled_constant", "class_medians")


@dataclass(frozen=True)
class Row:
    """One published figure of a run beside its forecast, both in `unit`.

    `known` says what of the run was given besides the allowed inputs; `baselines` are point
    forecasts of the same figure.
    """

    run: ReportedRun
    quantity: str
    known: tuple[str, ...]
    device_class: str
    unit: str
    predicted: float
    draws: Array
    reported: float
    baselines: Mapping[str, float]

    @property
    def ln_ratio(self) -> float:
        """ln(predicted / reported)."""
        return math.log(self.predicted / self.reported)

    @cached_property
    def pit(self) -> float:
        """Share of the draws below the reported figure."""
        return scoring.pit(self.draws, self.reported)

    @property
    def z(self) -> float:
        """Normal score of the PIT value."""
        return NormalDist().inv_cdf(self.pit)

    def range(self, nominal: float) -> tuple[float, float]:
        """Ends of the central range meant to hold a share of outcomes."""
        low, high = quantiles(self.draws, ((1 - nominal) / 2, (1 + nominal) / 2))
        return float(low), float(high)

    def inside(self, nominal: float) -> bool:
        """Whether the reported figure lies in that range."""
        low, high = self.range(nominal)
        return low <= self.reported <= high

    @property
    def large(self) -> bool:
        """Whether the model has a billion parameters or more."""
        params = self.run.before.params
        return params is not None and params.value >= LARGE

    def to_dict(self) -> dict[str, Any]:
        """Keys as in the JSON contract."""
        (low, high), before = self.range(0.8), self.run.before
        return {
            "run": self.run.id,
            "family": self.run.family,
            "quantity": self.quantity,
            "known": list(self.known),
            "arch": before.arch,
            "device": before.device,
            "device_class": self.device_class,
            "unit": self.unit,
            "predicted": self.predicted,
            "p10": low,
            "p90": high,
            "reported": self.reported,
            "ratio": self.predicted / self.reported,
            "inside_50": self.inside(0.5),
            "inside_80": self.inside(0.8),
            "inside_90": self.inside(0.9),
            "pit": self.pit,
            "baselines": {name: self.baselines.get(name) for name in BASELINES},
        }

    def flat(self) -> dict[str, Any]:
        """The same in one row of a table."""
        entries = self.to_dict()
        simpler: dict[str, Any] = entries.pop("baselines")
        return entries | {"known": " ".join(self.known)} | simpler


@dataclass(frozen=True)
class Hits:
    """Ranges that held, families weighing one, and how many to expect of honest ones."""

    nominal: float
    hits: float
    low: int
    high: int

    @property
    def within(self) -> bool:
        """Whether they are as many as honest ranges would hold."""
        return self.low <= self.hits <= self.high


@dataclass(frozen=True)
class Point:
    """How good a point forecast was: medians of predicted over reported, typical factors."""

    median_ratio: float
    factor: float
    factor_by_row: float


@dataclass(frozen=True)
class Score:
    """How good forecasts of a group of rows were; families weigh one unless it says by row."""

    runs: int
    families: int
    median_ratio: float
    median_ratio_by_row: float
    factor: float
    factor_by_row: float
    within_1_5: float
    within_2: float
    hits: tuple[Hits, ...]
    pit: tuple[float, ...]
    mean_z: float
    sd_z: float
    crps: float
    interval_score_80: float
    half_width_80: float
    baselines: Mapping[str, Point]

    @property
    def ln_median(self) -> float:
        """Ln of the median ratio, families weighing one."""
        return math.log(self.median_ratio)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers by name; null where there is too little to say."""
        made: dict[str, Any] = {**vars(self), "pit": list(self.pit)}
        made["sd_z"] = None if math.isnan(self.sd_z) else self.sd_z
        made["hits"] = [vars(hits) for hits in self.hits]
        points = {name: self.baselines.get(name) for name in BASELINES}
        made["baselines"] = {name: point and vars(point) for name, point in points.items()}
        return made


class Gain(NamedTuple):
    """Forecasts of the same runs with and without something known of them."""

    quantity: str
    known: str
    runs: int
    families: int
    factor: float
    half_width_80: float
    naive_factor: float

    def to_dict(self) -> dict[str, Any]:
        """Its fields by name."""
        return self._asdict()

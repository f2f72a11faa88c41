"""Published runs forecast again: rows, their scores, and the gates the numbers must pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from statistics import NormalDist
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

from joulecast.answers.base import Frozen, Noun, made_with
from joulecast.answers.shape import as_dict, shows, table
from joulecast.arrays import Array
from joulecast.uncertainty import quantiles
from joulecast.validating import scoring
from joulecast.validating.runs import ReportedRun

#: What of a run is compared.
Kind = Literal["hours", "energy", "co2", "magnitude"]

#: What comes of laying a published figure beside the run's others.
Settled = Literal["reproduced", "contradicts itself", "lacks inputs", "made by us"]

#: Parameters from which a run counts as large where energy and emissions are scored.
LARGE = 1e9

BASELINES = ("naive", "pooled_constant", "class_medians")

Guesses = table(
    "Guesses",
    "Point forecasts of the baselines; null where one says nothing of the figure.",
    dict.fromkeys(BASELINES, float | None),
)


@shows(
    "run", "family", "quantity", "known", "arch", "device", "device_class", "unit", "predicted",
    "p10", "p90", "reported", "ratio", "inside_50", "inside_80", "inside_90", "pit", "baselines",
    run=(str, lambda row: row.run.id),
    family=(str, lambda row: row.run.family),
    arch=(str, lambda row: row.run.before.arch),
    device=(str, lambda row: row.run.before.device),
    p10=(float, lambda row: row.range(0.8)[0]),
    p90=(float, lambda row: row.range(0.8)[1]),
    inside_50=(bool, lambda row: row.inside(0.5)),
    inside_80=(bool, lambda row: row.inside(0.8)),
    inside_90=(bool, lambda row: row.inside(0.9)),
    baselines=(Guesses, lambda row: {name: row.baselines.get(name) for name in BASELINES}),
)  # fmt: skip
class Row(Frozen):
    """A published figure of a run beside its forecast; `known` was given besides the inputs.

    Both figures are in `unit`; `baselines` are point forecasts of the same figure.  Where hours
    may lie on one side of the published ones, an error to that side is none.
    """

    run: ReportedRun
    quantity: Kind
    known: tuple[str, ...]
    device_class: str
    unit: str
    predicted: float
    draws: Array
    reported: float
    baselines: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """Predicted over reported."""
        return self.predicted / self.reported

    @property
    def ln_ratio(self) -> float:
        """ln(predicted / reported)."""
        error = math.log(self.ratio)
        return 0.0 if error * self._open > 0 else error

    @property
    def _open(self) -> int:
        """The side on which a forecast of the hours may lie, as in ReportedRun.one_sided."""
        return self.run.one_sided if self.unit == "h" else 0

    @cached_property
    def pit(self) -> float:
        """Share of the draws below the reported figure."""
        share = scoring.pit(self.draws, self.reported)
        return 0.5 if (0.5 - share) * self._open > 0 else share

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
        above, below = self._open > 0, self._open < 0
        return (low <= self.reported or above) and (self.reported <= high or below)

    @property
    def large(self) -> bool:
        """Whether the model has a billion parameters or more."""
        params = self.run.before.params
        return params is not None and params.value >= LARGE

    def flat(self) -> dict[str, Any]:
        """The same in one row of a table."""
        entries = as_dict(self)
        simpler: dict[str, Any] = entries.pop("baselines")
        return entries | {"known": " ".join(self.known)} | simpler


class Hits(Frozen):
    """Families inside a central range, and the 95 % window of honest ones."""

    nominal: float
    hits: float
    low: int
    high: int

    @property
    def within(self) -> bool:
        """Whether they are as many as honest ranges would hold."""
        return self.low <= self.hits <= self.high


class Point(Frozen):
    """How good a baseline's point forecasts were.

    Medians of predicted over reported, typical factors.
    """

    median_ratio: float
    factor: float
    factor_by_row: float


Points = table(
    "Points",
    "The baselines on the same rows; null where one does not forecast all of them.",
    dict.fromkeys(BASELINES, Point | None),
)


@shows(
    "runs", "families", "median_ratio", "median_ratio_by_row", "factor", "factor_by_row",
    "within_1_5", "within_2", "hits", "pit", "mean_z", "sd_z", "crps", "interval_score_80",
    "half_width_80", "baselines",
    sd_z=(float | None, lambda score: None if math.isnan(score.sd_z) else score.sd_z),
    baselines=(Points, lambda score: {name: score.baselines.get(name) for name in BASELINES}),
)  # fmt: skip
class Score(Frozen):
    """How good the forecasts of a group were; families weigh one unless it says by row."""

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


class Gain(NamedTuple):
    """The same runs forecast with something more known of them."""

    quantity: Kind
    known: str
    runs: int
    families: int
    factor: float
    half_width_80: float
    naive_factor: float


@shows("run", "figure", "unit", "published", "computed", "verdict", "why", "off")
class Account(NamedTuple):
    """A published figure beside what the run's own other figures come to."""

    run: str
    figure: Literal["energy", "co2"]
    unit: str
    published: float
    computed: float | None
    verdict: Settled
    why: str

    @property
    def off(self) -> float | None:
        """Computed over published, less one."""
        return None if self.computed is None else self.computed / self.published - 1

    @property
    def unexplained(self) -> bool:
        """Whether it fails to follow and the record does not say why."""
        return self.verdict == "contradicts itself" and not self.why


@shows("name", "value", "limit", "pass=passed", "declared", "note")
class Gate(Frozen):
    """A number, what it may be at most (or between), and whether it is.

    `worst` is the value up to which its failure is declared, `why` the reason.
    """

    name: str
    value: Annotated[float, float]  # or a count, which stays one
    limit: float | tuple[float, float]
    worst: float | None = None
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value keeps to its limit."""
        low, high = self.limit if isinstance(self.limit, tuple) else (-math.inf, self.limit)
        return low <= self.value <= high

    @property
    def declared(self) -> bool:
        """Whether its failure is a known one."""
        return self.worst is not None

    @property
    def note(self) -> str:
        """Why it fails, where that is known."""
        return "" if self.passed else self.why

    @property
    def ok(self) -> bool:
        """Whether it passes, or fails no worse than declared."""
        low = self.limit[0] if isinstance(self.limit, tuple) else -math.inf
        return self.passed or (self.worst is not None and low <= self.value <= self.worst)


class Summary(TypedDict):
    """Scores by quantity and group, what knowing more buys, and the accounting."""

    hours: Mapping[str, Score]
    energy: Mapping[str, Score]
    co2: Mapping[str, Score]
    magnitude: Mapping[str, Score]
    knowing_more: tuple[Gain, ...]
    accounting: tuple[Account, ...]


@shows(
    "schema_version", "fit", "rows", "summary", "gates", "provenance",
    fit=(
        Literal["family left out", "shipped"],
        lambda found: "shipped" if found.shipped else "family left out",
    ),
    summary=(
        Summary,
        lambda found: {
            **found.scores, "knowing_more": found.gains, "accounting": found.accounting
        },
    ),
    provenance=made_with(),
)  # fmt: skip
class Validation(Noun):
    """Rows, their summary by quantity and group, and the gates that the numbers must pass."""

    rows: tuple[Row, ...]
    scores: Mapping[str, Mapping[str, Score]]
    gains: tuple[Gain, ...]
    accounting: tuple[Account, ...]
    gates: tuple[Gate, ...]
    shipped: bool
    data_digest: str

    @property
    def ok(self) -> bool:
        """Whether every gate passes, or fails no worse than declared."""
        return all(gate.ok for gate in self.gates)

    def rows_flat(self) -> list[dict[str, Any]]:
        """The rows as those of a table: no lists, no objects inside."""
        return [row.flat() for row in self.rows]

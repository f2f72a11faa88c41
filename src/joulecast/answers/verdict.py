"""A forecast against its measurement: inside the range or not, and what would explain it."""

from __future__ import annotations

from typing import Any, NamedTuple

from joulecast.answers.base import Noun, made_with
from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity, cells
from joulecast.answers.shape import shows
from joulecast.data.codecarbon import Measurement
from joulecast.uncertainty import Z95


@shows("name", "unit", "assumed", "needed", "score", "flag", "within")
class Explanation(NamedTuple):
    """One input that alone would reproduce a measurement.

    `score` is the standard-normal score of the value needed: -1.64 and +1.64 are the ends of the
    input's range, its 5 % and 95 % points.
    """

    name: str
    unit: str
    assumed: float
    needed: float
    score: float
    flag: str

    @property
    def within(self) -> bool:
        """Whether the value lies within the input's range."""
        return abs(self.score) <= Z95


@shows("name", "of", "measured", "forecast", "inside", "level", "explanations")
class Compared(NamedTuple):
    """A result beside its measurement; `of` is the quantity of the forecast.

    `level` is where the measurement lies among the draws, from 0 to 1.  `explanations` are the
    inputs that alone would reproduce it, the most likely first.
    """

    name: str
    of: str
    measured: float
    forecast: Quantity
    level: float
    explanations: tuple[Explanation, ...]

    @property
    def inside(self) -> bool:
        """Whether the measurement lies within the 80 % range."""
        return self.forecast.p10 <= self.measured <= self.forecast.p90


class Told(NamedTuple):
    """An input that the measurement tells; `score` is null beyond its range or where exact."""

    name: str
    unit: str
    assumed: float
    measured: float
    score: float | None
    flag: str


@shows(
    "schema_version", "run", "inside", "results", "told", "provenance",
    run=(str, lambda verdict: verdict.run.name),
    provenance=made_with("footprint.data_digest"),
)  # fmt: skip
class Verdict(Noun):
    """A plan's forecast against one measured run."""

    run: Measurement
    footprint: Footprint
    results: tuple[Compared, ...]
    told: tuple[Told, ...]

    @property
    def inside(self) -> bool:
        """Whether every measurement lies within its 80 % range."""
        return all(one.inside for one in self.results)

    def rows(self) -> list[dict[str, Any]]:
        """One row a result: what was measured, what was forecast, where it lies among the draws."""
        return [
            {"name": one.name, "of": one.of, "unit": one.forecast.unit, "measured": one.measured}
            | cells("forecast", one.forecast)
            | {"inside": one.inside, "level": one.level}
            for one in self.results
        ]

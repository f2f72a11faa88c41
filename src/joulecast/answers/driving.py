"""What drives a range: one input at a time."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from joulecast.answers.shape import shows


@shows(
    "name", "unit", "share", "p10", "p90", "at_p10", "at_p90", "known_p10", "known_p90",
    "spread_if_known",
)  # fmt: skip
class Bar(NamedTuple):
    """What one input does to the outcome; all but its own P10 and P90 are over the nominal.

    `at_p10` and `at_p90` are the outcome over its nominal value with this input at its own P10 and
    P90 (given in its unit as `p10` and `p90`) and all others at their medians.  `share` is its
    share of the log-variance.  `known_p10` and `known_p90` are what the 80 % range of the outcome,
    again over its nominal value, becomes once this input is known to be its median.
    """

    name: str
    unit: str
    share: float
    p10: float
    p90: float
    at_p10: float
    at_p90: float
    known_p10: float
    known_p90: float

    @property
    def spread_if_known(self) -> float:
        """Half the range left, as a factor: the square root of its P90 over its P10."""
        return sqrt(self.known_p90 / self.known_p10)

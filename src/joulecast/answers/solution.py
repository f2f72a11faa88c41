"""What was solved for."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from joulecast.answers.base import Noun
from joulecast.answers.footprint import Footprint
from joulecast.answers.shape import shows
from joulecast.arrays import Array


class Solved(NamedTuple):
    """What was solved for."""

    name: Literal["params", "tokens", "device_count", "grid_gco2e_per_kwh", "pue"]
    value: float
    unit: str


class Budget(NamedTuple):
    """A limit, and what the outcome comes to at the answer, at the confidence asked for."""

    name: str
    limit: float
    reached: float
    unit: str
    binds: bool


@shows(
    "schema_version", "solution", "confidence", "budgets", "note", "at",
    exact=("solution", "confidence"),
    solution=(Solved, lambda found: Solved(found.name, found.value, found.unit)),
)  # fmt: skip
class Solution(Noun):
    """The answer to one question.

    `at` is the forecast at `value`; `note` says where a limit other than the budgets holds it.
    """

    name: str
    value: float
    unit: str
    confidence: float | None
    budgets: tuple[Budget, ...]
    note: str
    at: Footprint

    @property
    def binding(self) -> str | None:
        """The budget that binds; None where something else does."""
        return next((budget.name for budget in self.budgets if budget.binds), None)

    def rows(self) -> list[dict[str, Any]]:
        """One row a budget."""
        return [budget._asdict() for budget in self.budgets]


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in which what has no answer, or any, is None."""
    return {
        name: None if isinstance(cell, float) and not isfinite(cell) else cell
        for name, cell in row.items()
    }


@shows(
    "name", "unit", "solutions",
    solutions=(list[dict[str, Any]], lambda found: list(map(_known, found.rows()))),
)  # fmt: skip
class Solutions(Noun):
    """Answers to many questions [question]: values and the budget that binds each.

    A value is NaN where there is none, and infinite where the budgets allow any; `binding` is None
    where no budget binds.
    """

    name: str
    unit: str
    values: Array
    binding: NDArray[np.object_]
    limits: Mapping[str, Array]

    def rows(self) -> list[dict[str, Any]]:
        """One row a question: its limits, the answer and the budget that binds."""
        return [
            {f"max_{name}": float(limit[i]) for name, limit in self.limits.items()}
            | {self.name: float(value), "binding": self.binding[i]}
            for i, value in enumerate(self.values)
        ]

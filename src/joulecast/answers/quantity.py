"""A quantity with the levels of its prediction range."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.base import Answer
from joulecast.arrays import Array, Numbers
from joulecast.errors import UnitError


class _Levels(NamedTuple):
    value: float
    p5: float
    p10: float
    p50: float
    p90: float
    p95: float
    unit: str


class Quantity(_Levels, Answer):
    """A result with the levels of its prediction range.

    `value` is nominal, every input at its median; P10 to P90 is the 80 % prediction range.

    >>> q = Quantity(650_300.0, 350e3, 420e3, 640e3, 1.1e6, 1.3e6, "kgCO2e")
    >>> str(q), float(q)
    ('650 t (420 to 1,100)', 650300.0)
    """

    __slots__ = ()

    def __float__(self) -> float:
        """The nominal value, in its own unit."""
        return self.value

    def to(self, unit: str) -> Quantity:
        """The same quantity in another unit, such as ``t`` or ``MWh``.

        Raises UnitError for a unit of something else.
        """
        have, want = units.read_unit(self.unit), units.read_unit(unit)
        if have.dimension != want.dimension:
            raise UnitError("unit", unit, f"does not measure what {self.unit or 'a count'} does")
        ratio = have.factor / want.factor
        suffix = "CO2e" if "CO2e" in self.unit and "CO2e" not in unit else ""
        p5, p10, p50, p90, p95 = (level * ratio for level in self.levels[1:])
        return Quantity(self.value * ratio, p5, p10, p50, p90, p95, unit + suffix)

    @property
    def levels(self) -> tuple[float, float, float, float, float, float]:
        """Value, P5, P10, P50, P90 and P95."""
        return self[:6]

    def rows(self) -> list[dict[str, Any]]:
        """Its levels in one row."""
        return [self._asdict()]


def quantity_of(value: Numbers, draws: Numbers, unit: str) -> Quantity:
    """A result with its levels; value and draws are in base units."""
    size = units.factor(unit)
    points = np.full(len(uncertainty.LEVELS), value)
    if np.ndim(draws):
        points = uncertainty.quantiles(np.asarray(draws))
    p5, p10, p50, p90, p95 = (float(point) / size for point in points)
    return Quantity(float(value) / size, p5, p10, p50, p90, p95, unit)


def quantity_in(unit: str, value: float, draws: Array) -> Quantity:
    """A result with its levels; value and draws are in the unit already."""
    p5, p10, p50, p90, p95 = map(float, uncertainty.quantiles(draws))
    return Quantity(value, p5, p10, p50, p90, p95, unit)


def ratio_of(before: float, after: float, draws: Array) -> Quantity | None:
    """An outcome after a change over that before it, drawn in pairs [before, after].

    None where the first is nothing.
    """
    if before <= 0 or np.any(draws[0] <= 0):
        return None
    return quantity_in("", after / before, draws[1] / draws[0])


def exactly(value: float, unit: str) -> Quantity:
    """A quantity without a range."""
    return Quantity(value, value, value, value, value, value, unit)


def cells(prefix: str, quantity: Quantity | None) -> dict[str, Any]:
    """Columns ``<prefix>_value, _p10, _p50, _p90`` of a quantity; empty where it is unknown."""
    return {
        f"{prefix}_{level}": None if quantity is None else getattr(quantity, level)
        for level in ("value", "p10", "p50", "p90")
    }

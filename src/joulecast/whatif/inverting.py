"""Where a rising or falling outcome meets a limit, for any number of limits at once.

A stretch is an interval of x over which nothing jumps.  Most outcomes are a power of x there, draw
by draw, and so at every level of the range: that is inverted as it is.  Any other rising outcome
is bracketed in a table that narrows until the limits fill it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from joulecast import uncertainty
from joulecast.arrays import Array

#: Relative size of what rounding does to a chain of some thirty products.
ROUNDING = 1e-9

#: Nodes of a table; fewer where each has to be settled anew.
_NODES = 33
_SLOW_NODES = 9

_ROUNDS = 20

#: Ends so near that a line or a power between them is exact enough.
_NEAR = 1e-4


class Stretch:
    """One outcome over lo <= x <= hi.

    `draws` takes nodes [node] and gives the outcome [node, draw]; with one draw it is the nominal
    run.  `level` in (0, 1) is the level of the range the limits are for.
    """

    def __init__(
        self, lo: float, hi: float, draws: Callable[[Array], Array], level: float | None
    ) -> None:
        self.lo, self.hi = lo, hi
        self._draws = draws
        self._level = level

    def at(self, x: Array) -> Array:
        """The outcome [node] at the level asked for."""
        return self._at_level(self._draws(x))

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The outcome at lo and at hi."""
        low, _, high = self._at_level(self._probe[1])
        return float(low), float(high)

    @cached_property
    def exponent(self) -> float | None:
        """The power of x that the outcome is in every draw, or None; 0 where x changes nothing."""
        x, drawn = self._probe
        if np.all(drawn == drawn[0]):
            return 0.0
        if np.any(drawn <= 0):
            return None
        slopes = np.diff(np.log(drawn), axis=0) / np.diff(np.log(x))[:, None]
        power = float(slopes[0, 0])
        if not np.all(np.abs(slopes - power) < ROUNDING):
            return None
        return round(power, 9)

    @cached_property
    def _probe(self) -> tuple[Array, Array]:
        """Both ends and the middle of the stretch, and the outcome there [3, draw]."""
        x = np.array([self.lo, np.sqrt(self.lo * self.hi), self.hi])
        return x, self._draws(x)

    @cached_property
    def _line(self) -> Callable[[Array], Array] | None:
        """The outcome as a line in x, draw by draw, where it is one: far quicker to follow."""
        x, drawn = self._probe
        slope = (drawn[2] - drawn[0]) / (x[2] - x[0])
        start = drawn[0] - slope * x[0]
        if not np.allclose(drawn[1], start + slope * x[1], rtol=ROUNDING, atol=0.0):
            return None
        return lambda nodes: start + slope * nodes[:, None]

    def _at_level(self, drawn: Array) -> Array:
        if self._level is None or drawn.shape[-1] == 1:
            return drawn[..., 0]
        levels: Array = uncertainty.quantiles(drawn, (self._level,))[..., 0]
        return levels

    def largest(self, limits: Array) -> Array:
        """The largest x whose outcome is within each limit; NaN where none is.

        For outcomes that rise with x or do not change.
        """
        low, high = self.ends
        fits = low <= limits * (1 + ROUNDING)
        if self.exponent == 0:
            return np.where(fits, self.hi, np.nan)
        if self.exponent is None:
            found = self._in_table(limits)
        else:
            found = self.lo * (limits / low) ** (1 / self.exponent)
        found = np.where(limits >= high, self.hi, np.clip(found, self.lo, self.hi))
        return np.where(fits, found, np.nan)

    def least(self, limits: Array) -> Array:
        """The least x whose outcome is within each limit; NaN where none is.

        For outcomes that fall with x, rise with it or do not change.
        """
        low, high = self.ends
        if high > low or self.exponent == 0:
            return np.where(low <= limits * (1 + ROUNDING), self.lo, np.nan)
        fits = high <= limits * (1 + ROUNDING)
        if self.exponent is None:
            found = self._in_table(1 / limits, falling=True)
        else:
            found = self.lo * (limits / low) ** (1 / self.exponent)
        found = np.where(limits >= low, self.lo, np.clip(found, self.lo, self.hi))
        return np.where(fits, found, np.nan)

    def _in_table(self, limits: Array, falling: bool = False) -> Array:
        """Roots between nodes, which are drawn in until the limits fill them.

        Of an outcome that falls its inverse is followed, and `limits` are inverse too.
        """
        low, high = (1 / end for end in self.ends) if falling else self.ends
        inside = limits[(limits > low) & (limits < high)]
        if inside.size == 0:
            return np.full_like(limits, self.lo)
        draws = self._line or self._draws
        count = _NODES if self._line else _SLOW_NODES

        def rising(nodes: Array) -> Array:
            levels = self._at_level(draws(nodes))
            return np.maximum.accumulate(1 / levels if falling else levels)

        lo, hi = self.lo, self.hi
        for _ in range(_ROUNDS):
            nodes = np.geomspace(lo, hi, count)
            levels = rising(nodes)
            first = max(int(np.searchsorted(levels, inside.min(), "right")) - 1, 0)
            last = min(int(np.searchsorted(levels, inside.max(), "left")), count - 1)
            lo, hi = nodes[first], nodes[last]
            if last - first > count // 2 or hi <= lo * (1 + _NEAR):
                break
        if self._line:
            nodes = np.geomspace(lo, hi, 8 * count)
            return np.interp(limits, rising(nodes), nodes)
        # What is no line is near a power.
        nodes = np.geomspace(lo, hi, 4 * count if hi > lo * (1 + _NEAR) else 3)
        return np.exp(np.interp(np.log(limits), np.log(rising(nodes)), np.log(nodes)))

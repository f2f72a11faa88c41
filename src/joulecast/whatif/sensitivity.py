"""What each input does to the answer, and what knowing it would be worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast.arrays import Array, Numbers
from joulecast.chain import chain
from joulecast.errors import InputError
from joulecast.footprint import Footprint
from joulecast.uncertainty import Datum

#: Standard-normal quantile of 0.90.
Z90 = 1.2815515655446004


class Bar(NamedTuple):
    """One input of a tornado.

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
        return float(np.sqrt(self.known_p90 / self.known_p10))

    def to_dict(self) -> dict[str, Any]:
        """The fields and `spread_if_known`, ten significant figures."""
        said = {**self._asdict(), "spread_if_known": self.spread_if_known}
        return {
            name: float(f"{value:.10g}") if isinstance(value, float) else value
            for name, value in said.items()
        }


def tornado(footprint: Footprint) -> tuple[Bar, ...]:
    """The inputs behind a footprint's headline, the largest share of its variance first.

    Knowing an input shrinks the range by about sqrt(1 - share) on a log scale; here it is drawn
    again without that input's range.  Empty where nothing has a range.
    """
    if len(footprint.fleet) > 1:
        why = "is for one type of device"
        raise InputError("--drivers", None, why, ["the entries of the fleet as plans"])
    if not footprint.drivers:
        return ()
    outcome = "energy_kwh" if footprint.total is None else "total_kgco2e"
    entries = {entry.name: entry for entry in footprint.assumptions}
    data = {
        name: Datum(name, entry.value, entry.low, entry.high, entry.unknown)
        for name, entry in entries.items()
    }
    middle, drawn = uncertainty.nominal(data), uncertainty.sample(data)
    nominal = chain(middle).known[outcome]

    def over_nominal(numbers: Mapping[str, Numbers]) -> Array:
        return np.asarray(chain(numbers).known[outcome] / nominal)

    bars = []
    for name, share in footprint.drivers:
        unit = entries[name].unit
        ends = uncertainty.pick(data[name], np.array([-Z90, Z90]))
        known = over_nominal({**drawn, name: middle[name]})
        # The last input with a range leaves none behind.
        left = uncertainty.quantiles(known, (0.10, 0.90)) if known.ndim else [known, known]
        bars.append(
            Bar(
                name,
                unit,
                share,
                *(ends / units.factor(unit)).tolist(),
                *over_nominal({**middle, name: ends}).tolist(),
                *map(float, left),
            )
        )
    return tuple(bars)

"""What each input does to the answer, and what knowing it would be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from joulecast import uncertainty, units
from joulecast.arrays import Array, Numbers
from joulecast.footprint import Footprint
from joulecast.outcome import follow
from joulecast.resolve.parts import EXTENSIVE
from joulecast.uncertainty import Datum, causes_of, labels_of

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
    if not footprint.drivers:
        return ()
    outcome = "energy_kwh" if footprint.total is None else "total_kgco2e"
    ledgers = footprint.inputs
    middles, drawn = [uncertainty.nominal(data) for data in ledgers], uncertainty.paired(ledgers)
    nominal = np.asarray(follow(middles).base(outcome))

    def over_nominal(numbers: Sequence[Mapping[str, Numbers]]) -> Array:
        over: Array = np.asarray(follow(numbers).base(outcome)) / nominal
        return over

    named = {label: cause for cause, label in labels_of(causes_of(ledgers)).items()}
    units_of = {entry.name: entry.unit for entry in footprint.assumptions}
    bars = []
    for label, share in footprint.drivers:
        name, unknown = named[label]
        moved = [i for i, data in enumerate(ledgers) if _is_of(data.get(name), unknown)]
        ends = {i: uncertainty.pick(ledgers[i][name], np.array([-Z90, Z90])) for i in moved}
        known = over_nominal(
            [{**d, name: middles[i][name]} if i in moved else d for i, d in enumerate(drawn)]
        )
        at_ends = over_nominal(
            [{**m, name: ends[i]} if i in moved else m for i, m in enumerate(middles)]
        )
        # The last input with a range leaves none behind.
        left = uncertainty.quantiles(known, (0.10, 0.90)) if known.ndim else [known, known]
        # Of a quantity of the whole run each entry has its share.
        shown = sum(ends.values()) if name in EXTENSIVE else ends[moved[0]]
        bars.append(
            Bar(
                label,
                units_of[name],
                share,
                *np.asarray(shown / units.factor(units_of[name])).tolist(),
                *at_ends.tolist(),
                *map(float, left),
            )
        )
    return tuple(bars)


def _is_of(datum: Datum | None, unknown: str) -> bool:
    return datum is not None and not datum.exact and datum.unknown == unknown

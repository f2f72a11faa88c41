"""What each input does to the answer, and what knowing it would be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.driving import Bar
from joulecast.answers.footprint import Footprint
from joulecast.arrays import Array, Numbers
from joulecast.outcome import follow
from joulecast.resolve.parts import EXTENSIVE
from joulecast.uncertainty import Datum, causes_of, labels_of

#: Standard-normal quantile of 0.90.
Z90 = 1.2815515655446004


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

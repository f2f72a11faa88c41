"""What an answer says of the use: made of its ledger and of the outcome it is set against."""

from __future__ import annotations

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.footprint import USE_PARTS, USE_RESULTS, USE_SIZED
from joulecast.answers.quantity import Quantity, quantity_of
from joulecast.arrays import Array
from joulecast.chain import Run
from joulecast.outcome import AGAINST, follow_use
from joulecast.resolve.use import UseLedger

#: Outcomes whose range is explained: the first that is known.
DRIVEN = ("operational_per_year_kgco2e", "emissions_per_request_gco2e", "energy_per_request_wh")

#: Sizes for which the effect on use and training is shown, over the model's own.
SIZES = (0.5, 1.0, 2.0)


def results_of(middle: Run, drawn: Run) -> dict[str, Quantity | None]:
    """Every result; None where it rests on something not given."""
    return {
        name: quantity_of(middle.known[source], drawn.known[source], unit)
        if source in middle.known
        else None
        for name, (source, unit) in USE_RESULTS.items()
    }


def parts_of(middle: Run, drawn: Run) -> dict[str, Quantity]:
    """Energy of the devices per generated token, by what it is for."""
    sources = {part: f"{part}_energy_per_token" for part in USE_PARTS}
    return {
        part: quantity_of(middle.known[source], drawn.known[source], "J")
        for part, source in sources.items()
    }


def by_size(ledger: UseLedger, middle: Run) -> tuple[dict[str, float | None], ...]:
    """Use and training of a smaller and a larger model, on the same tokens, at the medians."""
    return tuple(_sized(ledger, middle, factor) for factor in SIZES)


def _sized(ledger: UseLedger, middle: Run, factor: float) -> dict[str, float | None]:
    given = {name: middle.known[name] for name in (*ledger.own, *ledger.of_the_run)}
    for name in ("params", "active_params", *AGAINST):
        if name in middle.known:
            given[name] = middle.known[name] * factor
    if ledger.fitted:
        weights = given["params"] * given["use_bytes_per_param"]
        memory = ledger.plan["device_memory_gb"] * units.factor("GB")
        given["use_device_count"] = np.ceil(weights / memory)
    found = follow_use(given).known
    return {
        name: float(found[source]) / units.factor(unit) if source in found else None
        for name, (source, unit) in USE_SIZED.items()
    }


def one_at_a_time(ledger: UseLedger, middle: Run) -> tuple[str, list[str], Array]:
    """The outcome to explain, its inputs with a range, and it with each of them moved."""
    outcome = next(name for name in DRIVEN if USE_RESULTS[name][0] in middle.known)
    source = USE_RESULTS[outcome][0]
    behind = middle.behind(source)
    live = {name: datum for name, datum in ledger.data.items() if name in behind}
    causes, (numbers,) = uncertainty.one_at_a_time([live])
    return outcome, [name for name, _ in causes], np.asarray(follow_use(numbers).known[source])

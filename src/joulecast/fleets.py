"""A run on several types of device: each entry of a fleet is settled by itself, then all are added.

Entries share their unknowns by name, as options of a comparison do (docs/decisions/0011): the
totals are sums of paired draws, so that what two entries have in common is not averaged away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from joulecast import uncertainty, units
from joulecast.answers.footprint import Assumption, Driver, FleetPart, Footprint, HandLine
from joulecast.answers.quantity import Quantity
from joulecast.arrays import Array, Numbers
from joulecast.by_hand import mass_unit
from joulecast.chain import Run, chain
from joulecast.data.library import Library
from joulecast.errors import InputError
from joulecast.estimation import (
    OF_USE,
    afterthoughts,
    assumption_of,
    citations_of,
    footprint_of,
    formulas_of,
    live_data,
    quantities_of,
    quantity_names,
    size_of,
    source_of,
    use_phase_of,
)
from joulecast.notices import Notice
from joulecast.plan import FleetEntry, Plan
from joulecast.resolve import Ledger
from joulecast.resolve.fleet import (
    EXTENSIVE,
    TRAINED_FIELDS,
    Entry,
    entries,
    settled_alone,
    times,
)
from joulecast.terms import TERMS
from joulecast.uncertainty import Datum
from joulecast.use.serving import AGAINST, Served, Training, serve

#: What the entries of a fleet say, and the plan does not.
OF_ENTRIES = ("device", "device_count", "wall_clock_days")

#: Results that do not add up over entries.
NOT_ADDED = ("utilisation", "wall_clock_days")


def estimate(plan: Plan, library: Library) -> Footprint:
    """Forecast a plan that has a fleet; raises JoulecastError where an entry cannot be settled."""
    return footprint_of_entries(plan, entries(plan, library), library)


def footprint_of_entries(plan: Plan, settled: Sequence[Entry], library: Library) -> Footprint:
    """Add up the entries of a fleet that are settled."""
    ledgers = [entry.ledger for entry in settled]
    if len(ledgers) == 1:
        alone = footprint_of(ledgers[0], library)
        part = _part(settled[0], alone.quantities, library)
        return replace(alone, asked=plan, fleet=(part,))
    lives = [live_data(ledger) for ledger in ledgers]
    drawn = [chain(numbers) for numbers in uncertainty.paired(lives)]
    middles = [ledger.middle for ledger in ledgers]
    runs = ledgers[0].resolved["runs"]
    parts = tuple(
        _part(entry, quantities_of(entry.ledger.middle, run, runs), library)
        for entry, run in zip(settled, drawn, strict=True)
    )
    totals = _totals(middles, drawn, runs)
    served = _served(plan, settled, lives, drawn, library)
    data = {f"{i}.{name}": datum for i, live in enumerate(lives) for name, datum in live.items()}
    formulas = dict.fromkeys(one for middle in middles for one in formulas_of(middle))
    used = formulas_of(served.middle, OF_USE) if served else ()
    return Footprint(
        asked=plan,
        plan=_resolved(ledgers),
        quantities=totals,
        assumptions=_assumptions(ledgers, lives, library),
        cross_checks=(),
        drivers=_drivers(ledgers, totals),
        warnings=(
            *warnings_of(ledgers),
            *(served.notices if served else ()),
            *afterthoughts(totals, ()),
        ),
        by_hand=_by_hand(parts),
        citations=citations_of(
            {**data, **(served.data if served else {})}, [*formulas, *used], library
        ),
        data_digest=library.digest,
        use_phase=None if served is None else use_phase_of(served, library),
        fleet=parts,
        inputs=tuple(lives),
    )


def totals_of(settled: Sequence[Ledger]) -> dict[str, Quantity | None]:
    """Every result of a fleet whose entries are settled, and nothing else."""
    drawn = [chain(numbers) for numbers in uncertainty.paired(list(map(live_data, settled)))]
    return _totals([ledger.middle for ledger in settled], drawn, settled[0].resolved["runs"])


def _served(
    plan: Plan,
    settled: Sequence[Entry],
    lives: Sequence[Mapping[str, Datum]],
    drawn: Sequence[Run],
    library: Library,
) -> Served | None:
    """What a plan says of the use, computed where and on what it is served."""
    if plan.use is None:
        return None
    middle = _added([entry.ledger.middle for entry in settled])
    ledger = _serving(plan, settled, library)
    return serve(
        ledger,
        library,
        Training(middle, _added(drawn), lambda also: uncertainty.paired(lives, also)[-1]),
    )


def _added(runs: Sequence[Run]) -> dict[str, Numbers]:
    """Outcomes of training that use is set against, over all entries; those that all have."""
    return {
        name: sum(run.known[name] for run in runs)
        for name in AGAINST
        if all(name in run.known for run in runs)
    }


def _serving(plan: Plan, settled: Sequence[Entry], library: Library) -> Ledger:
    """A ledger of the place and device that serve: said, or those that all entries have."""
    assert plan.use is not None
    said = [entry.said for entry in settled]
    devices = {entry.ledger.resolved["device"] for entry in settled}
    if plan.use.device is None and len(devices) > 1:
        why = "is missing: the entries of the fleet have several"
        raise InputError("use.device", None, why, sorted(filter(None, devices)))
    places = {(one.region or plan.region, one.provider or plan.provider) for one in said}
    region, provider = places.pop() if len(places) == 1 else (plan.region, plan.provider)
    if places and region is None:
        why = "the entries of the fleet are at several places: say where the model is served"
        raise InputError("use", None, why, ["region under [place]"])
    device = plan.use.device or said[0].device
    trained = any(entry.share is not None for entry in settled)
    # A count is asked for by hours and by what is bought; nothing of the use rests on it.
    one = FleetEntry(device=device, device_count=1, region=region, provider=provider, hours=1.0)
    return settled_alone(plan, one, 1.0 if trained else None, library)


def _part(entry: Entry, quantities: Mapping[str, Quantity | None], library: Library) -> FleetPart:
    ledger, plan = entry.ledger, entry.ledger.resolved
    assert plan["device"] is not None and plan["device_name"] is not None  # an entry has one
    return FleetPart(
        plan["device"],
        plan["device_name"],
        plan["device_count"],
        entry.share,
        entry.said.hours,
        plan["region"],
        plan["region_name"],
        quantities,
        plan,
        tuple(assumption_of(datum, library) for datum in live_data(ledger).values()),
    )


def draws_of(name: str, drawn: Sequence[Run], runs: int) -> Array:
    """A result over all entries, draw by draw, in its unit; one entry is a plain run."""
    if name == "utilisation":
        return np.asarray(_achieved(drawn))
    return np.asarray(_sum(drawn, source_of(name)) / size_of(name, runs))


def _totals(middles: Sequence[Run], drawn: Sequence[Run], runs: int) -> dict[str, Quantity | None]:
    """Sums over the entries, draw by draw; None where an entry's is unknown or none can be had."""
    totals: dict[str, Quantity | None] = {}
    for name in quantity_names():
        key = source_of(name)
        if name == "utilisation":
            totals[name] = _utilisation(middles, drawn)
            continue
        if name in NOT_ADDED or not all(key in middle.known for middle in middles):
            totals[name] = None
            continue
        size = size_of(name, runs)
        value = sum(float(middle.known[key]) for middle in middles) / size
        totals[name] = _quantity(value, _sum(drawn, key) / size, TERMS[name].unit)
    return totals


def _utilisation(middles: Sequence[Run], drawn: Sequence[Run]) -> Quantity | None:
    """FLOP of all over what all could have done in their hours."""
    needs = ("training_flop", "device_hours", "peak_flops")
    if not all(name in middle.known for middle in middles for name in needs):
        return None

    return _quantity(float(_achieved(middles)), np.atleast_1d(_achieved(drawn)), "")


def _achieved(runs: Sequence[Run]) -> Numbers:
    if len(runs) == 1:
        return runs[0].known[source_of("utilisation")]
    able = sum(run.known["device_hours"] * run.known["peak_flops"] for run in runs)
    done: Numbers = sum(run.known["training_flop"] for run in runs) / able
    return done


def _sum(drawn: Sequence[Run], key: str) -> Array:
    return np.atleast_1d(sum(run.known[key] for run in drawn))


def _quantity(value: float, draws: Array, unit: str) -> Quantity:
    if draws.size == 1:
        return Quantity(value, value, value, value, value, value, unit)
    p5, p10, p50, p90, p95 = (float(level) for level in uncertainty.quantiles(draws))
    return Quantity(value, p5, p10, p50, p90, p95, unit)


def _resolved(ledgers: Sequence[Ledger]) -> dict[str, object]:
    """What the entries have in common; None for what they differ in."""
    plans: list[Mapping[str, Any]] = [ledger.resolved for ledger in ledgers]
    first = plans[0]
    common = {
        name: value if all(plan[name] == value for plan in plans) else None
        for name, value in first.items()
    }
    # What is trained, only the entries that train it say.
    training = next((plan for plan in plans if plan["tokens"]), first)
    said = {name: training[name] for name in (*TRAINED_FIELDS, "phases") if name in first}
    return common | said | {"device_count": None, "year": first["year"]}


def _assumptions(
    ledgers: Sequence[Ledger], lives: Sequence[Mapping[str, Datum]], library: Library
) -> tuple[Assumption, ...]:
    """All that was assumed, once each; where entries differ the note says whose it is.

    A quantity of the run is shown whole, not as an entry's share of it.
    """
    found: dict[tuple[str, str], list[tuple[Datum, str]]] = {}
    roles: dict[str, set[str]] = {}
    for ledger, live in zip(ledgers, lives, strict=True):
        for name, datum in live.items():
            if datum.given and name in OF_ENTRIES:
                continue
            said = (datum, _entry_name(ledger, ledgers))
            found.setdefault((name, datum.unknown), []).append(said)
            roles.setdefault(name, set()).add(datum.unknown)
    shown = []
    for (name, _), those in sorted(found.items(), key=lambda item: list(TERMS).index(item[0][0])):
        datum = those[0][0]
        if name in EXTENSIVE and len(those) > 1:
            whole = sum(each.value for each, _ in those)
            datum = times(datum, whole / datum.value) if datum.value else datum
        whose = ", ".join(dict.fromkeys(entry for _, entry in those))
        if len(roles[name]) > 1:
            datum = datum._replace(note=f"{whose}: {datum.note}".removesuffix(": "))
        everyone = len(those) == len(ledgers)
        shown.append(assumption_of(datum, library)._replace(whose="" if everyone else whose))
    return tuple(shown)


def _entry_name(ledger: Ledger, ledgers: Sequence[Ledger]) -> str:
    """Device of an entry; with its place where another entry has the same device."""
    plan = ledger.resolved
    alike = sum(other.resolved["device_name"] == plan["device_name"] for other in ledgers)
    place = plan["region_name"] if alike > 1 else None
    return ", ".join(filter(None, [plan["device_name"], place]))


def warnings_of(ledgers: Sequence[Ledger]) -> list[Notice]:
    """Every warning once; with the device where it is not about all of them."""
    devices: dict[Notice, list[str | None]] = {}
    for ledger in ledgers:
        for notice in ledger.notices:
            devices.setdefault(notice, []).append(ledger.resolved["device_name"])
    return [
        notice
        if len(whose) == len(ledgers)
        else Notice(notice.code, f"{', '.join(map(str, dict.fromkeys(whose)))}: {notice.message}")
        for notice, whose in devices.items()
    ]


def _drivers(
    ledgers: Sequence[Ledger], totals: Mapping[str, Quantity | None]
) -> tuple[Driver, ...]:
    """Shares of the variance of ln(total), an unknown moving in all entries at once."""
    outcome = "total_kgco2e" if totals["total_kgco2e"] is not None else "energy_kwh"
    if totals[outcome] is None:
        return ()
    behind = [ledger.middle.behind(outcome) | {outcome} for ledger in ledgers]
    lives = [live_data(ledger) for ledger in ledgers]
    labels = uncertainty.labels_of(uncertainty.causes_of(lives))
    causes, numbers = uncertainty.one_cause_at_a_time(
        [
            {name: datum for name, datum in live.items() if name in names}
            for live, names in zip(lives, behind, strict=True)
        ]
    )
    draws = np.asarray(sum(chain(each).known[outcome] for each in numbers))
    if not causes or draws.ndim == 0 or np.any(draws <= 0):
        return ()
    shares = uncertainty.shares_of_variance(draws)
    found = [
        Driver(labels[cause], float(share)) for cause, share in zip(causes, shares, strict=True)
    ]
    return tuple(sorted(found, key=lambda driver: -driver.share))


def _by_hand(parts: Sequence[FleetPart]) -> tuple[HandLine, ...]:
    """The headline as a sum over the entries."""
    masses = [part.quantities["total_kgco2e"] for part in parts]
    energies = [part.quantities["energy_kwh"] for part in parts]
    known = [quantity for quantity in masses if quantity is not None]
    if len(known) == len(parts):
        total = sum(quantity.value for quantity in known)
        unit, size = mass_unit(total)
        values = [quantity.value * units.kilogram / size for quantity in known]
        label = f"{unit}CO2e"
    else:
        values = [quantity.value for quantity in energies if quantity is not None]
        label = "kWh"
    if len(values) < len(parts):
        return ()
    lines = [
        HandLine("+" if i else "", value, f"{label}, {part.label}")
        for i, (part, value) in enumerate(zip(parts, values, strict=True))
    ]
    last = lines[-1]
    return (*lines[:-1], last._replace(result=sum(values), result_unit=label))

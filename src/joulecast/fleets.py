"""A run on several types of device: each entry of a fleet is settled by itself, then all are added.

Entries share their unknowns by name, as options of a comparison do (docs/decisions/0011): the
totals are sums of paired draws, so that what two entries have in common is not averaged away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from joulecast import uncertainty, units
from joulecast.arrays import Array, Numbers
from joulecast.by_hand import HandLine, mass_unit
from joulecast.chain import Run, chain
from joulecast.data.library import Library
from joulecast.errors import InputError, brief
from joulecast.estimation import (
    afterthoughts,
    assumption_of,
    citations_of,
    footprint_of,
    live_data,
    quantities_of,
    quantity_names,
    size_of,
    source_of,
)
from joulecast.footprint import Assumption, Driver, FleetPart, Footprint, Quantity
from joulecast.notices import Notice
from joulecast.plan import FleetEntry, Plan
from joulecast.resolve import Ledger, resolve
from joulecast.resolve.model import LATER
from joulecast.terms import TERMS
from joulecast.uncertainty import Datum

#: Quantities of the whole run: an entry has its share of them.
EXTENSIVE = ("tokens", *LATER, "offsets_kgco2e", "storage_tb", "transfer_tb")

#: What says how much is trained: an entry reserved for hours has none of it.
TRAINED = (
    "tokens",
    "flop_per_param_token",
    "forward_flop_per_token",
    "training_flop",
    "executed_flop",
)

#: Fields of a plan that say the same.
TRAINED_FIELDS = (
    "tokens",
    "unique_tokens",
    "epochs",
    "samples",
    "flop",
    "hardware_flop",
)

#: What the entries of a fleet say, and the plan does not.
OF_ENTRIES = ("device", "device_count", "wall_clock_days")

#: Results that do not add up over entries.
NOT_ADDED = ("utilisation", "wall_clock_days")

#: Shares may be rounded by this much.
SLACK = 1e-6


def estimate(plan: Plan, library: Library) -> Footprint:
    """Forecast a plan that has a fleet; raises JoulecastError where an entry cannot be settled."""
    _check(plan)
    shares = _shares(plan.fleet)
    ledgers = [
        _settled(plan, entry, share, library)
        for entry, share in zip(plan.fleet, shares, strict=True)
    ]
    if len(ledgers) == 1:
        alone = footprint_of(ledgers[0], library)
        part = _part(ledgers[0], plan.fleet[0], shares[0], alone.quantities)
        return replace(alone, fleet=(part,))
    lives = [live_data(ledger) for ledger in ledgers]
    drawn = [chain(numbers) for numbers in uncertainty.paired(lives)]
    runs = ledgers[0].resolved["runs"]
    parts = tuple(
        _part(ledger, entry, share, quantities_of(ledger.middle, run, runs))
        for ledger, entry, share, run in zip(ledgers, plan.fleet, shares, drawn, strict=True)
    )
    totals = _totals([ledger.middle for ledger in ledgers], drawn, runs)
    return Footprint(
        asked=plan,
        plan=_resolved(ledgers),
        quantities=totals,
        assumptions=_assumptions(ledgers, lives, library),
        cross_checks=(),
        drivers=_drivers(ledgers, totals),
        warnings=(*_warnings(ledgers), *afterthoughts(totals, ())),
        by_hand=_by_hand(parts),
        citations=citations_of(
            {f"{i}.{name}": datum for i, live in enumerate(lives) for name, datum in live.items()},
            ledgers[0].middle,
            library,
        ),
        data_digest=library.digest,
        fleet=parts,
    )


def _check(plan: Plan) -> None:
    """Nothing may be said of the whole that the entries say."""
    if plan.use is not None:
        raise InputError("use", None, "cannot be combined with a fleet", ["leaving one out"])
    for field in ("device", "device_count"):
        value = getattr(plan, field)
        if value is not None:
            why = "belongs to the entries of the fleet"
            raise InputError(field, value, why, [f"{field} under [[fleet]]"])
    if any(entry.hours is not None for entry in plan.fleet):
        for name in EXTENSIVE:
            if name in plan.given and name not in TRAINED:
                why = "cannot be combined with the hours of a fleet"
                raise InputError(name, plan.given[name], why, ["giving one of the two"])


def _shares(fleet: Sequence[FleetEntry]) -> list[float | None]:
    """Share of the run that each entry does; None for one that is reserved for hours."""
    for entry in fleet:
        if entry.hours is not None and entry.share is not None:
            why = "cannot be combined with hours: an entry has one of the two"
            raise InputError("fleet.share", brief(entry.share), why)
    said = [entry.share for entry in fleet if entry.share is not None]
    timed = sum(entry.hours is not None for entry in fleet)
    unsaid = len(fleet) - len(said) - timed
    total = sum(said)
    rest = 1 - total
    if unsaid > 1:
        why = f"is missing in {unsaid} entries: one at most may be left to be the rest"
        raise InputError("fleet.share", None, why, ["share = 0.5", "hours = 100"])
    if total > 1 + SLACK or (unsaid and rest <= 0):
        raise InputError("fleet.share", brief(total), "is more than the whole run", ["less"])
    if not unsaid and not timed and abs(rest) > SLACK:
        raise InputError("fleet.share", brief(total), "is the sum of the shares, not 1")
    return [
        None if entry.hours is not None else rest if entry.share is None else entry.share
        for entry in fleet
    ]


def _settled(plan: Plan, entry: FleetEntry, share: float | None, library: Library) -> Ledger:
    """The ledger of an entry: a run of its own with its share of what is trained."""
    changes: dict[str, object] = {
        "fleet": (),
        "device": entry.device,
        "device_count": entry.device_count,
        "region": entry.region or plan.region,
        "provider": entry.provider or plan.provider,
    }
    if share is None:
        assert entry.hours is not None
        if entry.device_count is None and library.reservation(entry.device) is None:
            why = "is missing: hours are of one device"
            raise InputError("fleet.device_count", None, why, ["device_count = 8"])
        given = {name: value for name, value in plan.given.items() if name not in TRAINED}
        days = entry.hours * units.hour / units.day
        changes |= {**dict.fromkeys(TRAINED_FIELDS), "phases": ()}
        changes["given"] = given | {"wall_clock_days": days}
    ledger = resolve(plan.model_copy(update=changes), library)
    if share is None:
        kept = {name: datum for name, datum in ledger.data.items() if name not in TRAINED}
        if "utilisation" in kept and not kept["utilisation"].given:
            del kept["utilisation"]
        ledger.data = kept
    elif share < 1:
        ledger.data = {
            name: _times(datum, share) if name in EXTENSIVE else datum
            for name, datum in ledger.data.items()
        }
    ledger.middle = chain(uncertainty.nominal(ledger.ordered()))
    return ledger


def _times(datum: Datum, share: float) -> Datum:
    low, high = (None if end is None else end * share for end in (datum.low, datum.high))
    return datum._replace(value=datum.value * share, low=low, high=high)


def _part(
    ledger: Ledger,
    entry: FleetEntry,
    share: float | None,
    quantities: Mapping[str, Quantity | None],
) -> FleetPart:
    plan = ledger.resolved
    return FleetPart(
        plan["device"],
        plan["device_name"],
        plan["device_count"],
        share,
        entry.hours,
        plan["region"],
        plan["region_name"],
        quantities,
    )


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

    def over(runs: Sequence[Run]) -> Numbers:
        able = sum(run.known["device_hours"] * run.known["peak_flops"] for run in runs)
        done: Numbers = sum(run.known["training_flop"] for run in runs) / able
        return done

    return _quantity(float(over(middles)), np.atleast_1d(over(drawn)), "")


def _sum(drawn: Sequence[Run], key: str) -> Array:
    return np.atleast_1d(sum(run.known[key] for run in drawn))


def _quantity(value: float, draws: Array, unit: str) -> Quantity:
    if draws.size == 1:
        return Quantity(value, value, value, value, value, value, unit)
    p5, p10, p50, p90, p95 = (float(level) for level in uncertainty.quantiles(draws))
    return Quantity(value, p5, p10, p50, p90, p95, unit)


def _resolved(ledgers: Sequence[Ledger]) -> dict[str, object]:
    """What the entries have in common; None for what they differ in."""
    first = ledgers[0].resolved
    return {
        name: value if all(ledger.resolved[name] == value for ledger in ledgers) else None
        for name, value in first.items()
    } | {"device_count": None, "year": first["year"]}


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
            found.setdefault((name, datum.unknown), []).append(
                (datum, ledger.resolved["device_name"])
            )
            roles.setdefault(name, set()).add(datum.unknown)
    shown = []
    for (name, _), those in sorted(found.items(), key=lambda item: list(TERMS).index(item[0][0])):
        datum = those[0][0]
        if name in EXTENSIVE and len(those) > 1:
            whole = sum(each.value for each, _ in those)
            datum = _times(datum, whole / datum.value) if datum.value else datum
        if len(roles[name]) > 1:
            whose = ", ".join(dict.fromkeys(device for _, device in those))
            datum = datum._replace(note=f"{whose}: {datum.note}".removesuffix(": "))
        shown.append(assumption_of(datum, library))
    return tuple(shown)


def _warnings(ledgers: Sequence[Ledger]) -> list[Notice]:
    """Every warning once; with the device where it is not about all of them."""
    devices: dict[Notice, list[str]] = {}
    for ledger in ledgers:
        for notice in ledger.notices:
            devices.setdefault(notice, []).append(ledger.resolved["device_name"])
    return [
        notice
        if len(whose) == len(ledgers)
        else Notice(notice.code, f"{', '.join(dict.fromkeys(whose))}: {notice.message}")
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
    causes, numbers = uncertainty.one_cause_at_a_time(
        [
            {name: datum for name, datum in live_data(ledger).items() if name in names}
            for ledger, names in zip(ledgers, behind, strict=True)
        ]
    )
    draws = np.asarray(sum(chain(each).known[outcome] for each in numbers))
    if not causes or draws.ndim == 0 or np.any(draws <= 0):
        return ()
    names = [name for name, _ in causes]
    shares = uncertainty.shares_of_variance(draws)
    found = [
        Driver(name if names.count(name) == 1 else f"{name} ({unknown})", float(share))
        for (name, unknown), share in zip(causes, shares, strict=True)
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

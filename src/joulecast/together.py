"""What several parts of a run say together: what they share, whose a number is, their sum.

Entries of a fleet share their unknowns by name, as options of a comparison do
(docs/decisions/0011): totals are sums of paired draws, so that what two entries have in common is
not averaged away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from joulecast import units
from joulecast.answers.footprint import FleetPart, HandLine
from joulecast.by_hand import mass_unit
from joulecast.resolve import Ledger
from joulecast.resolve.parts import EXTENSIVE, TRAINED_FIELDS, times
from joulecast.terms import TERMS
from joulecast.uncertainty import Datum

#: What the entries of a fleet say, and the plan does not.
OF_ENTRIES = ("device", "device_count", "wall_clock_days")


def common(ledgers: Sequence[Ledger]) -> Mapping[str, Any]:
    """The plan as it was understood: what the parts have in common, None for what they differ in.

    What is trained, only the entries that train it say.
    """
    plans: list[Mapping[str, Any]] = [ledger.resolved for ledger in ledgers]
    first = plans[0]
    if len(plans) == 1:
        return first
    alike = {
        name: value if all(plan[name] == value for plan in plans) else None
        for name, value in first.items()
    }
    training = next((plan for plan in plans if plan["tokens"]), first)
    said = {name: training[name] for name in (*TRAINED_FIELDS, "phases") if name in first}
    return {**alike, **said, "device_count": None, "year": first["year"]}


def assumed(ledgers: Sequence[Ledger]) -> list[tuple[Datum, str]]:
    """All that was assumed, once each, and whose it is: "" where it is everybody's.

    Where entries differ the note says whose as well.  A quantity of the run is shown whole, not as
    an entry's share of it.
    """
    found: dict[tuple[str, str], list[tuple[Datum, str]]] = {}
    roles: dict[str, set[str]] = {}
    for ledger in ledgers:
        for name, datum in ledger.live.items():
            if datum.given and name in OF_ENTRIES:
                continue
            found.setdefault((name, datum.unknown), []).append((datum, _name(ledger, ledgers)))
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
        shown.append((datum, "" if len(those) == len(ledgers) else whose))
    return shown


def _name(ledger: Ledger, ledgers: Sequence[Ledger]) -> str:
    """Device of an entry; with its place where another entry has the same device."""
    plan = ledger.resolved
    alike = sum(other.resolved["device_name"] == plan["device_name"] for other in ledgers)
    place = plan["region_name"] if alike > 1 else None
    return ", ".join(filter(None, [plan["device_name"], place]))


def by_hand(parts: Sequence[FleetPart]) -> tuple[HandLine, ...]:
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
    return (*lines[:-1], lines[-1]._replace(result=sum(values), result_unit=label))

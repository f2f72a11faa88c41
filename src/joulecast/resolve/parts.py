"""The parts of a run: the plan itself, or each entry of its fleet as a run with its share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from joulecast import uncertainty, units
from joulecast.data.library import Library
from joulecast.errors import InputError, brief
from joulecast.outcome import follow
from joulecast.plan import FleetEntry, Plan
from joulecast.resolve.ledger import Ledger
from joulecast.resolve.model import LATER
from joulecast.resolve.part import resolve_part
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

#: Shares may be rounded by this much.
SLACK = 1e-6


class Part(NamedTuple):
    """A ledger, and of a fleet's entry how it was said and its share of the run.

    `share` is None for an entry that is reserved for hours; `said` for a plan without a fleet.
    """

    ledger: Ledger
    said: FleetEntry | None = None
    share: float | None = None


def parts_of(plan: Plan, library: Library, alike: bool = False) -> tuple[Part, ...]:
    """Settle each part of a plan; raises JoulecastError where one cannot be."""
    if not plan.fleet:
        return (Part(resolve_part(plan, library, alike)),)
    _check(plan)
    return tuple(
        Part(settled_alone(plan, said, share, library), said, share)
        for said, share in zip(plan.fleet, _shares(plan.fleet), strict=True)
    )


def _check(plan: Plan) -> None:
    """Nothing may be said of the whole that the entries say."""
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


def settled_alone(plan: Plan, entry: FleetEntry, share: float | None, library: Library) -> Ledger:
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
    ledger = resolve_part(plan.replace(**changes), library)
    if share is None:
        kept = {name: datum for name, datum in ledger.data.items() if name not in TRAINED}
        if "utilisation" in kept and not kept["utilisation"].given:
            del kept["utilisation"]
        ledger.data = kept
    elif share < 1:
        ledger.data = {
            name: times(datum, share) if name in EXTENSIVE else datum
            for name, datum in ledger.data.items()
        }
    ledger.middle = follow([uncertainty.nominal(ledger.ordered())]).parts[0]
    return ledger


def times(datum: Datum, share: float) -> Datum:
    """A datum and its range times a share."""
    low, high = (None if end is None else end * share for end in (datum.low, datum.high))
    return datum._replace(value=datum.value * share, low=low, high=high)

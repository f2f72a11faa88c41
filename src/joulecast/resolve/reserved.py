"""Cloud instances and TPU slices: how many of which devices their names stand for, and whose."""

from __future__ import annotations

from joulecast.data.instances import Reservation
from joulecast.data.places import Place
from joulecast.data.records import Figure
from joulecast.errors import InputError, brief
from joulecast.resolve.ledger import Ledger


def resolve(ledger: Ledger) -> None:
    """Enter the devices of the instance named, unless a number of devices was given."""
    typed = ledger.plan.device
    reserved = None if typed is None else ledger.library.reservation(typed)
    ledger.reserved = reserved
    ledger.resolved["instance"] = reserved.name if reserved else None
    if reserved is None:
        return
    if not ledger.given("device_count"):
        figure = Figure(
            value=float(reserved.total),
            basis="published",
            source=reserved.instance.source,
            note=reserved.meaning,
        )
        unknown = f"instance.{reserved.name}"
        ledger.assume("device_count", figure, unknown, essential=True)
        more = "" if reserved.times else f"; more of them: --device '4 x {reserved.name}'"
        ledger.warn("instance", f"{reserved.meaning}{more}")
        return
    _check_count(ledger, reserved)


def _check_count(ledger: Ledger, reserved: Reservation) -> None:
    """A number of devices given beside an instance counts devices, in whole instances."""
    given = int(ledger.data["device_count"].value)
    if reserved.times and given != reserved.total:
        raise InputError(
            "device_count", given, f"contradicts {reserved.meaning}", ["leaving it out"]
        )
    ledger.warn("instance", f"{reserved.meaning}; {given} devices in all, as given")
    if given % reserved.devices:
        ledger.warn(
            "instance_part",
            f"{given} devices are {brief(given / reserved.devices)} of {reserved.name}: what else "
            "it holds is not counted",
        )


def provider(ledger: Ledger, given: str | None, place: Place | None) -> str | None:
    """Whose data centre: as given, else the place's, else that of the instance or device, said."""
    reserved = ledger.reserved
    known = given or (place.provider if place else None) or None
    if reserved is None:
        return known or _only_operator(ledger, place)
    offered = reserved.instance.provider
    elsewhere = place is not None and place.kind == "site"
    if elsewhere or (known is not None and known != offered):
        where = known or (place.name if place else "")
        ledger.warn(
            "instance_elsewhere",
            f"{reserved.name} is an instance of {offered}, the run takes place at {where}: "
            f"PUE and water are those of {where}",
        )
        return known
    if known is None and not ledger.plan.only_given:
        ledger.warn(
            "provider_assumed",
            f"{reserved.name} is an instance of {offered}: its data centres assumed (--provider)",
        )
        return offered
    return known


def _only_operator(ledger: Ledger, place: Place | None) -> str | None:
    """Who alone runs the device in data centres, if anyone does: then its fleet is assumed."""
    device = ledger.device
    elsewhere = place is not None and place.kind == "site"
    if device is None or device.operator is None or elsewhere or ledger.plan.only_given:
        return None
    operator = ledger.library.provider(device.operator)
    ledger.warn(
        "provider_assumed",
        f"{device.name} runs in the data centres of {operator} alone: theirs assumed (--provider)",
    )
    return operator


def place(ledger: Ledger, given: str | None) -> Place | None:
    """The region typed; among namesakes that of the provider, be it given or the instance's."""
    region, library = ledger.plan.region, ledger.library
    if region is None:
        return None
    if given is None and ledger.reserved is not None:
        provider = ledger.reserved.instance.provider
        found = library.place_of(region, provider)
        if found is not None:
            return found
    return library.place(region, given)

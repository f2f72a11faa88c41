"""Where else the run could take place: another grid, or a better site on the same one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from joulecast.advice.opened import Candidate, NotOpenError, Opened
from joulecast.answers.advice import LIFETIME
from joulecast.data.library import Library
from joulecast.data.places import Place
from joulecast.errors import JoulecastError, brief
from joulecast.resolve import Ledger

#: Countries whose best place is drawn.
COUNTRIES = 3

#: In the ids of regions that are for governments alone.
FOR_STATES = ("gov", "dod")


class Spot(NamedTuple):
    """A place that could be taken, with the options that take it, and the nominal outcome there."""

    place: Place
    flags: dict[str, str]
    outcome: float


def places(now: Opened) -> list[Candidate]:
    """The lowest places of a few countries, of the country and of the provider the run is at."""
    ledger = now.ledger
    if ledger.at_a_desk:
        raise NotOpenError("it runs on a computer at a desk")
    if now.plan.fleet and all(entry.region is not None for entry in now.plan.fleet):
        raise NotOpenError("every entry of the fleet names a place of its own")
    if now.behind("grid_gco2e_per_kwh") and ledger.given("grid_gco2e_per_kwh"):
        raise NotOpenError("grid_gco2e_per_kwh was given, so no place changes it")
    if "country" in now.kept and now.known["country"] is None:
        raise NotOpenError("no place was given, so there is no country to keep")
    spots = sorted(_spots(now), key=lambda spot: spot.outcome)
    if not spots:
        raise NotOpenError("the tables hold no other place that would do")
    return _chosen(now, spots)


def _spots(now: Opened) -> Iterator[Spot]:
    """Every place that could be taken."""
    country, provider = _whose(now)
    regions = [one.resolved["region"] for one in now.ledgers]
    for place, flags in _pool(now):
        if "country" in now.kept and place.iso3 != country:
            continue
        if "provider" in now.kept and place.provider and place.provider != provider:
            continue
        try:
            there = now.after(Candidate("place", "", flags))
            if [one.resolved["region"] for one in there.ledgers] != regions:
                yield Spot(place, flags, there.screen)
        except JoulecastError:
            continue


def _whose(now: Opened) -> tuple[str | None, str | None]:
    """Country and provider of the run as it is."""
    return now.known["country"], now.known["provider"]


def _pool(now: Opened) -> Iterator[tuple[Place, dict[str, str]]]:
    """Cloud regions of those who rent the device out; for others the grids that clouds stand on."""
    _, provider = _whose(now)
    regions = cloud_regions(now.library)
    clouds = {place.provider for place in regions}
    renting = {cloud for cloud in clouds if rents(now, cloud)}
    elsewhere = provider is not None and provider not in clouds
    if elsewhere or not renting or ("provider" in now.kept and provider is None):
        for name in dict.fromkeys(place.zone.lower() or place.iso3 for place in regions):
            yield now.library.place(name), {"region": name}
        return
    for place in regions:
        if place.provider in renting:
            named = now.plan.provider is not None and place.provider != provider
            yield place, {"region": place.id} | ({"provider": place.provider} if named else {})


def cloud_regions(library: Library) -> list[Place]:
    """Every region of a cloud provider in the tables that is not for governments alone."""
    keys = (key for key in library.place_ids() if ":" in key)
    return [library.place(key) for key in keys if not any(word in key for word in FOR_STATES)]


def rents(now: Opened, provider: str) -> bool:
    """Whether a provider rents all devices out, as far as the table of instances knows."""
    return all(_rents_part(now, ledger, provider) for ledger in now.ledgers)


def _rents_part(now: Opened, ledger: Ledger, provider: str) -> bool:
    if ledger.reserved is not None:
        return ledger.reserved.instance.provider == provider
    device = ledger.resolved["device"]
    return device is None or provider in now.library.rented.get(device, ())


def _chosen(now: Opened, spots: list[Spot]) -> list[Candidate]:
    """The lowest few, each once, with the reasons for which each is named."""
    country, provider = _whose(now)
    why: dict[str, list[str]] = {}
    by_id = {spot.place.id: spot for spot in spots}

    def name(found: Iterable[Spot], reason: str) -> None:
        first = next(iter(found), None)
        if first is not None:
            why.setdefault(first.place.id, []).append(reason)

    countries = list(dict.fromkeys(spot.place.iso3 for spot in spots))
    for rank, iso3 in enumerate(countries[:COUNTRIES]):
        reason = f"the lowest of {len(spots)} places" if rank == 0 else "the lowest there"
        name((spot for spot in spots if spot.place.iso3 == iso3), reason)
    if country is not None and len(countries) > 1:
        inside = (spot for spot in spots if spot.place.iso3 == country)
        name(inside, f"the lowest in {now.library.country_name(country)}")
    if provider is not None:
        name(
            (spot for spot in spots if spot.place.provider == provider), f"the lowest of {provider}"
        )
    moved = ["the use moves with the run"] if now.on == LIFETIME else []
    if any(entry.region is not None for entry in now.plan.fleet):
        moved.append("entries of the fleet that name a place stay there")
    return [
        Candidate(
            "place",
            named(by_id[key].place, now.library),
            by_id[key].flags,
            detail="; ".join([", ".join(reasons), *moved]),
            caveat=_whether_had(now, by_id[key].place),
        )
        for key, reasons in why.items()
    ]


def named(place: Place, library: Library) -> str:
    """A place with its country and, of a cloud region, its provider."""
    country = library.country_name(place.iso3)
    name = place.name if country in place.name else f"{place.name}, {country}"
    return f"{place.provider} {name}".strip()


def _whether_had(now: Opened, place: Place) -> str:
    """What our tables do not know of a place."""
    what = now.known["device_name"] or "what it runs on"
    if not place.provider:
        what = "a data centre with " + what
    return f"whether {what} can be had there is not in our tables; nor what rules bind your data"


def sites(now: Opened) -> list[Candidate]:
    """Data centres on the same grid that use less energy around the computers."""
    ledger = now.ledger
    country, provider = _whose(now)
    if ledger.at_a_desk or now.plan.only_given:
        raise NotOpenError("no data centre is counted")
    if now.several and now.known["region"] is None:
        raise NotOpenError("the entries of the fleet are at several places")
    if country is None:
        raise NotOpenError("no place was given: see place")
    if "provider" in now.kept:
        raise NotOpenError("the provider is kept")
    place = now.library.place(now.known["region"])
    if place.kind == "site":
        raise NotOpenError(f"{place.name} is a site of its own")
    if place.kind == "cloud" and "place" in now.kept:
        raise NotOpenError("the place is kept, and with it the data centre")
    zone = place.zone or place.id.upper()
    found = []
    for region in cloud_regions(now.library):
        if region.zone != zone or region.provider == provider:
            continue
        if rents(now, region.provider):
            moved = {"region": region.id, "provider": region.provider}
            flags = moved if place.kind == "cloud" else {"provider": region.provider}
            found.append(_hosted(now, region, flags))
    if not found:
        raise NotOpenError("no other cloud in our tables has a region on this grid")
    return list({candidate.options: candidate for candidate in found}.values())


def _hosted(now: Opened, region: Place, flags: dict[str, str]) -> Candidate:
    """The same grid at another provider; its PUE in place of one that was given."""
    sets = {}
    if now.ledger.given("pue"):
        given = {name: raw for name, raw in now.plan.given.items() if name != "pue"}
        free = Opened(now.plan.replace(given=given), now.library, now.on)
        pue = free.after(Candidate("site", "", flags)).ledger.data["pue"]
        low, high = pue.low, pue.high
        assert low is not None and high is not None
        sets["pue"] = "..".join(brief(level) for level in (low, pue.value, high))
    fleet = f"{region.provider} {region.name}" if "region" in flags else region.provider
    return Candidate(
        "site",
        f"the data centres of {fleet}",
        flags,
        sets,
        detail="same grid, less energy around the computers",
        caveat=_whether_had(now, region),
    )

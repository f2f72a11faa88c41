"""Where and when: grid, PUE and water."""

from __future__ import annotations

from math import log, sqrt

from joulecast.errors import InputError
from joulecast.library import WORLD, GridYear, Place
from joulecast.records import Figure, validated
from joulecast.resolve.ledger import Ledger, spread
from joulecast.uncertainty import Z95, Basis

PROJECTION_LIMIT_YEARS = 10
OLD_YEARS = 3

#: Countries whose zones differ so widely that the national mean says little of a site.
SPLIT_COUNTRIES = ("USA", "CAN", "AUS", "IND", "JPN", "ITA", "SWE", "BRA")
CLEAN_GCO2E_PER_KWH = 150


def resolve(ledger: Ledger) -> None:
    """Enter grid intensity, PUE and water figures."""
    plan, library = ledger.plan, ledger.library
    year = _year(ledger)
    provider = None if plan.provider is None else library.provider(plan.provider)
    place = None if plan.region is None else library.place(plan.region, provider)
    provider = provider or (place.provider if place else None) or None
    ledger.resolved |= {
        "region": place.id if place else None,
        "region_name": place.name if place else None,
        "country": place.iso3 if place else None,
        "zone": (place.zone or None) if place else None,
        "provider": provider,
        "year": year,
        "grid_basis": plan.grid_basis or "life-cycle",
    }
    if not ledger.given("grid_gco2e_per_kwh") and not ledger.given("operational_kgco2e"):
        _grid(ledger, place, year)
    _pue(ledger, place, provider, year)
    _water(ledger, place, provider, year)
    if plan.only_given:
        ledger.settle("pue", 1.0, "nothing added that was not given")


def _year(ledger: Ledger) -> int:
    library, asked = ledger.library, ledger.plan.year
    latest, earliest = library.latest_year, library.earliest_year
    if asked is None:
        if not ledger.plan.only_given and not ledger.given("grid_gco2e_per_kwh"):
            ledger.warn("year_assumed", f"no year given: {latest}, the latest in the data (--year)")
        return latest
    year = int(asked)
    if not earliest <= year <= latest + PROJECTION_LIMIT_YEARS:
        raise InputError(
            "year",
            year,
            f"the data cover {earliest} to {latest} and are projected "
            f"{PROJECTION_LIMIT_YEARS} years on",
            [latest if year > latest else earliest],
        )
    return year


def _grid(ledger: Ledger, place: Place | None, year: int) -> None:
    plan, library = ledger.plan, ledger.library
    if place is None:
        if plan.only_given:
            return
        world = library.national_grid(WORLD, year)
        assert world is not None
        value = _carried(ledger, world, year, WORLD, "the world")
        span = library.default("grid_unknown")
        ledger.assume(
            "grid_gco2e_per_kwh",
            Figure(
                value=value,
                low=span.low,
                high=span.high,
                basis=span.basis,
                source=world.source,
                note=f"place not given: world mix of {world.year}, life-cycle",
            ),
            "place",
        )
        ledger.warn(
            "place_unknown",
            f"no place given: world mix of {world.year}, {value:.0f} g/kWh, "
            f"between {span.low:.0f} and {span.high:.0f} (--region)",
        )
        return
    if plan.grid_basis == "direct":
        figure = _direct(ledger, place, year)
    else:
        figure = _life_cycle(ledger, place, year)
    where = place.zone or place.iso3 if plan.grid_basis != "direct" else place.direct_area
    ledger.assume("grid_gco2e_per_kwh", figure, f"grid.{where.lower()}.{year}", essential=True)


def _life_cycle(ledger: Ledger, place: Place, year: int) -> Figure:
    """Zone where the place has one that is tabulated, else the country."""
    library = ledger.library
    found = library.zone_grid(place.zone, year) if place.zone else None
    local = found is not None
    found = found or library.national_grid(place.iso3, year)
    if found is None:
        raise InputError(
            "region",
            ledger.plan.region,
            f"no life-cycle grid figure for {place.name}",
            ["--set grid_gco2e_per_kwh="],
        )
    name = f"zone {place.zone}" if local else place.name
    value = _carried(ledger, found, year, place.iso3, name)
    sigma = _sigma(ledger, value, place.iso3, abs(year - found.year))
    mix = "consumption" if local else "production"
    note = f"{name} {found.year}, life-cycle, {mix} mix"
    if found.year != year:
        note += f", carried to {year}"
    basis: Basis = "published" if found.year == year else "derived"
    figure = spread(value, sigma, basis, found.source, note)
    if local or ledger.plan.national_average or place.iso3 not in SPLIT_COUNTRIES:
        return figure
    return _over_zones(ledger, place, year, figure)


def _over_zones(ledger: Ledger, place: Place, year: int, figure: Figure) -> Figure:
    """The national mean with the range of the country's zones."""
    library, value, note = ledger.library, figure.value, figure.note
    zones = library.zones_within(place.iso3, min(year, library.latest_year))
    if zones is None:
        sigma = library.default("grid_spread.split").value
        return spread(value, sigma, figure.basis, figure.source, f"{note}; zones differ widely")
    low, high, zone_year = zones
    national = library.national_grid(place.iso3, zone_year)
    ratio = value / national.value if national else 1.0
    low, high = min(low * ratio, value * 0.98), max(high * ratio, value * 1.02)
    ledger.warn(
        "grid_within_country",
        f"grids inside {place.name} lie between {low:.0f} and {high:.0f} g/kWh: name a state, zone "
        "or cloud region, or --national-average",
    )
    return figure.model_copy(
        update={"low": low, "high": high, "note": f"{note}; range over its zones, {zone_year}"}
    )


def _direct(ledger: Ledger, place: Place, year: int) -> Figure:
    library = ledger.library
    found = library.direct_grid(place.direct_area, year) if place.direct_area else None
    if found is None:
        raise InputError(
            "grid_basis",
            "direct",
            f"no direct factor for {place.name}",
            ["--grid-basis life-cycle", "--set grid_gco2e_per_kwh="],
        )
    if found.year != year:
        ledger.warn("grid_year", f"direct factor of {place.name} is of {found.year}, not {year}")
    _warn_old(ledger, found, year)
    sigma = _sigma(ledger, found.value, place.iso3, abs(year - found.year))
    note = f"{place.direct_area} {found.year}, direct (stack) emissions of generation"
    return spread(found.value, sigma, "published", found.source, note)


def _carried(ledger: Ledger, found: GridYear, year: int, iso3: str, name: str) -> float:
    """A tabulated intensity carried to the year asked, with a warning where it had to be."""
    library = ledger.library
    if found.year == year:
        return found.value
    trend = 1 + library.default("grid_trend").value
    national = {y: library.national_grid(iso3, y) for y in (found.year, year)}
    there, then = national[year], national[found.year]
    if year > library.latest_year:
        last = library.latest_year
        nearer = library.national_grid(iso3, last)
        step = year - found.year
        if nearer is not None and then is not None and nearer.year > found.year:
            value = found.value * nearer.value / then.value * trend ** (year - nearer.year)
        else:
            value = found.value * trend**step
        ledger.warn(
            "year_projected",
            f"{name}: {found.year} figure projected to {year} at {trend - 1:.1%} a year, "
            "range widened",
        )
        return value
    if there is not None and then is not None and there.year == year and then.year == found.year:
        value = found.value * there.value / then.value
        how = "with the national trend"
    else:
        value = found.value * trend ** (year - found.year)
        how = f"at {trend - 1:.1%} a year"
    ledger.warn("grid_year", f"{name} has no figure for {year}: {found.year} carried over {how}")
    _warn_old(ledger, found, year)
    return value


def _warn_old(ledger: Ledger, found: GridYear, year: int) -> None:
    if year - found.year > OLD_YEARS:
        ledger.warn("grid_old", f"the grid figure is of {found.year}, the run of {year}")


def _sigma(ledger: Ledger, value: float, iso3: str, years: int) -> float:
    """Standard deviation of the log of a yearly mean, carried over some years."""
    library = ledger.library
    kind = "clean" if value < CLEAN_GCO2E_PER_KWH else "dirty"
    if not library.has_cloud_region(iso3):
        kind = "sparse"
    base = library.default(f"grid_spread.{kind}").value
    step = library.default("grid_spread.year_step").value
    return sqrt(base**2 + years * step**2)


def _pue(ledger: Ledger, place: Place | None, provider: str | None, year: int) -> None:
    library = ledger.library
    if place is not None and place.kind == "site" and "pue" in place.row:
        figure = validated(Figure, place.row["pue"], f"sites.toml: {place.id}.pue")
        ledger.assume("pue", figure, f"pue.{place.id}")
    if place is not None and place.kind == "cloud":
        years = {
            y: float(place.row[f"pue_{y}"]) for y in range(2022, 2026) if place.row.get(f"pue_{y}")
        }
        if years:
            near = min(years, key=lambda other: (abs(other - year), -other))
            value = years[near]
            sd = 0.02 + 0.01 * min(abs(near - year), 4)
            ledger.assume(
                "pue",
                Figure(
                    value=value,
                    low=max(1.01, value - Z95 * sd),
                    high=value + Z95 * sd,
                    basis="published",
                    source=place.row["source_pue"],
                    note=f"{place.provider} {place.id.split(':')[1]} {near}",
                ),
                f"pue.{place.id}",
            )
    row = None if provider is None else library.provider_row(provider, year, "pue")
    if row is not None:
        ledger.assume(
            "pue",
            Figure(
                value=float(row["pue"]),
                low=float(row["pue_low"]),
                high=float(row["pue_high"]),
                basis="published",
                source=row["source"],
                note=f"{row['name']} fleet {row['year']}",
            ),
            f"pue.{provider}",
        )
    ledger.assume("pue", library.default("pue"), "pue.unknown")


def _water(ledger: Ledger, place: Place | None, provider: str | None, year: int) -> None:
    """On-site and off-site water; unknown without a place."""
    if place is None:
        return
    library = ledger.library
    sigma_wue = log(2.5)
    if place.kind == "cloud":
        years = {
            y: float(place.row[f"wue_{y}"]) for y in (2022, 2024, 2025) if place.row.get(f"wue_{y}")
        }
        if years:
            near = min(years, key=lambda other: (abs(other - year), -other))
            note = f"{place.id} {near}, withdrawal per IT energy"
            figure = spread(years[near], 0.25, "published", place.row["source_pue"], note)
            ledger.assume("wue_l_per_kwh", figure, f"wue.{place.id}")
    row = None if provider is None else library.provider_row(provider, year, "wue_l_per_kwh")
    if row is not None:
        note = f"{row['name']} fleet {row['year']}, {row['wue_kind']}"
        value = float(row["wue_l_per_kwh"])
        figure = spread(value, sigma_wue / 2, "published", row["source"], note)
        ledger.assume("wue_l_per_kwh", figure, f"wue.{provider}")
    ledger.assume("wue_l_per_kwh", library.default("wue_l_per_kwh"), "wue.unknown")
    factor, note = library.water_factor(place.iso3), place.name
    if factor is None:
        factor, note = library.water_factor(WORLD), f"{place.name} not tabulated: world mean"
    sigma = library.default("water_factor_spread").value
    assert factor is not None
    note += ", consumption with all reservoir evaporation"
    figure = spread(factor, sigma, "published", "wri-2020", note)
    ledger.assume("water_factor_l_per_kwh", figure, f"water.{place.iso3.lower()}")

"""Where and when: grid, PUE and water."""

from __future__ import annotations

from math import exp, sqrt

from joulecast.data.library import Library
from joulecast.data.places import UNION, WORLD, Cited, Place
from joulecast.data.records import Figure
from joulecast.data.tables import GENERATION
from joulecast.errors import InputError
from joulecast.resolve import reserved
from joulecast.resolve.ledger import Ledger, spread
from joulecast.uncertainty import Z95, Basis

PROJECTION_LIMIT_YEARS = 10

#: Countries whose zones differ so widely that the national mean says little of a site.
SPLIT_COUNTRIES = ("USA", "CAN", "AUS", "IND", "JPN", "ITA", "SWE", "BRA")


def resolve(ledger: Ledger) -> None:
    """Enter grid intensity, PUE and water figures."""
    plan, library = ledger.plan, ledger.library
    year: int = ledger.resolved["year"]
    provider = None if plan.provider is None else library.provider(plan.provider)
    place = reserved.place(ledger, provider)
    if provider is not None and place is not None and place.kind == "site":
        raise InputError(
            "provider", plan.provider, f"{place.name} is a site of its own", ["leaving it out"]
        )
    provider = reserved.provider(ledger, provider, place)
    state = library.namesake(plan.region, place) if plan.region and place else None
    if state is not None and place is not None:
        ledger.warn(
            "country_code", f"{plan.region} is the country {place.name}; {state.name} is {state.id}"
        )
    ledger.resolved |= {
        "region": place.id if place else None,
        "region_name": place.name if place else None,
        "country": place.iso3 if place else None,
        "zone": (place.zone or None) if place else None,
        "provider": provider,
        "grid_basis": plan.grid_basis or "life-cycle",
        "hydro_evaporation": plan.hydro_evaporation or "include",
    }
    if not ledger.given("grid_gco2e_per_kwh") and not ledger.given("operational_kgco2e"):
        _grid(ledger, place, year)
    _pue(ledger, place, provider, year)
    _water(ledger, place, provider, year)
    if plan.only_given:
        ledger.settle("pue", 1.0, "nothing added that was not given")


def settle_year(ledger: Ledger) -> None:
    """Enter the year of the run: the one given, or the latest in the data."""
    ledger.resolved["year"] = _year(ledger)


def _year(ledger: Ledger) -> int:
    library, asked = ledger.library, ledger.plan.year
    latest, earliest = library.latest_year, library.earliest_year
    if asked is None:
        if not ledger.plan.only_given or ledger.plan.region is not None:
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
        if plan.grid_basis == "direct":
            raise InputError("grid_basis", "direct", "needs a place (--region)")
        if plan.only_given:
            return
        world = library.national_grid(WORLD, year)
        assert world is not None
        value = _carried(ledger, world, year, WORLD, "the world")
        span = library.default("grid_unknown")
        assert span.low is not None and span.high is not None
        step = library.default("grid_spread.year_step").value
        wider = exp(Z95 * step * sqrt(max(0, year - world.year)))
        low, high = span.low / wider, span.high * wider
        carried = "" if world.year == year else f" carried to {year}"
        note = f"place not given: world mix of {world.year}{carried}, life-cycle"
        figure = Figure(
            value=value, low=low, high=high, basis=span.basis, source=world.source, note=note
        )
        ledger.assume("grid_gco2e_per_kwh", figure, "place")
        ledger.warn(
            "place_unknown",
            f"no place given: world mix of {world.year}{carried}, {value:.0f} g/kWh, "
            f"between {low:.0f} and {high:.0f} (--region)",
        )
        return
    if plan.grid_basis == "direct":
        figure = _direct(ledger, place, year)
    else:
        figure = _life_cycle(ledger, place, year)
    where = place.direct_area
    if plan.grid_basis != "direct":
        where = place.zone or (place.id if place.kind == "state" else place.iso3)
    ledger.assume("grid_gco2e_per_kwh", figure, f"grid.{where.lower()}.{year}", essential=True)


def _life_cycle(ledger: Ledger, place: Place, year: int) -> Figure:
    """Zone where the place has one that is tabulated, else the country."""
    library = ledger.library
    local = library.zone_grid(place.zone, year) if place.zone else None
    found = local or library.national_grid(place.iso3, year)
    if found is None:
        raise InputError(
            "region",
            ledger.plan.region,
            f"no life-cycle grid figure for {place.name}",
            ["--set grid_gco2e_per_kwh="],
        )
    name = f"zone {place.zone}" if local else library.country_name(place.iso3)
    value = _carried(ledger, found, year, place.iso3, name)
    sigma = _sigma(ledger, value, place.iso3, abs(year - found.year))
    mix = "consumption" if local else "production"
    note = f"{name} {found.year}"
    if not local and place.kind != "country":
        note += f" (no figure for {_missing(place)})"
    note += f", life-cycle, {mix} mix"
    if found.year != year:
        note += f", carried to {year}"
    basis: Basis = "published" if found.year == year else "derived"
    figure = spread(value, sigma, basis, found.source, note)
    if local or ledger.plan.national_average:
        return figure
    if place.kind != "country" and ("-" in place.zone or not place.zone):
        ledger.warn(
            "grid_national", f"no grid figure for {_missing(place)}: that of {name} is used"
        )
    if place.iso3 in SPLIT_COUNTRIES:
        return _over_zones(ledger, place, year, figure)
    if place.iso3 == UNION:
        ledger.warn(
            "grid_within_country",
            f"grids inside {place.name} differ by more than a factor ten: name the country, or "
            "--national-average",
        )
        sigma = sqrt(sigma**2 + library.default("grid_spread.union").value ** 2)
        return spread(value, sigma, basis, found.source, f"{note}; its countries differ widely")
    if place.kind == "state":
        sigma = sqrt(sigma**2 + library.default("grid_spread.province").value ** 2)
        return spread(value, sigma, basis, found.source, f"{note}; provinces differ widely")
    return figure


def _missing(place: Place) -> str:
    """What the table of zones has no figure for."""
    if place.kind == "state":
        return f"{place.name}'s zone" if place.zone else place.name
    return f"zone {place.zone}"


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
    margin = library.default("zone_range_margin").value
    low = min(low * ratio, value * (1 - margin))
    high = max(high * ratio, value * (1 + margin))
    ledger.warn(
        "grid_within_country",
        f"grids inside {library.country_name(place.iso3)} lie between {low:.0f} and {high:.0f} "
        "g/kWh: name a state, zone or cloud region, or --national-average",
    )
    return figure.replace(low=low, high=high, note=f"{note}; range over its zones, {zone_year}")


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


def _carried(ledger: Ledger, found: Cited, year: int, iso3: str, name: str) -> float:
    """A tabulated intensity carried to the year asked, with a warning where it had to be.

    It follows the country's own figures as far as they go, then the usual trend.
    """
    library = ledger.library
    if found.year == year:
        return found.value
    nearest = library.national_grid(iso3, year) or found
    change = _national_change(library, iso3, found.year, nearest.year)
    known = found.year if change is None else nearest.year
    trend = library.default(f"grid_trend.{'world' if iso3 == WORLD else 'country'}").value
    value = found.value * (change or 1.0) * (1 + trend) ** (year - known)
    ways = ["with the national trend"] if known != found.year else []
    ways += [f"at {trend:.1%} a year"] if known != year else []
    how = ", then ".join(ways)
    if year > library.latest_year:
        text = f"{name}: {found.year} figure projected to {year} {how}, range widened"
        ledger.warn("year_projected", text)
        return value
    ledger.warn("grid_year", f"{name} has no figure for {year}: {found.year} carried over {how}")
    _warn_old(ledger, found, year)
    return value


def _national_change(library: Library, iso3: str, start: int, end: int) -> float | None:
    """Ratio of a country's figures of two years, where both are tabulated."""
    one, two = library.national_grid(iso3, start), library.national_grid(iso3, end)
    if one is None or two is None or (one.year, two.year) != (start, end) or not one.value:
        return None
    return two.value / one.value


def _warn_old(ledger: Ledger, found: Cited, year: int) -> None:
    if year - found.year > ledger.library.default("grid_old_after_years").value:
        ledger.warn("grid_old", f"the grid figure is of {found.year}, the run of {year}")


def _sigma(ledger: Ledger, value: float, iso3: str, years: int) -> float:
    """Standard deviation of the log of a yearly mean, carried over some years."""
    library = ledger.library
    kind = "clean" if value < library.default("grid_clean_below").value else "dirty"
    if iso3 != UNION and not library.has_cloud_region(iso3):
        kind = "sparse"
    base = library.default(f"grid_spread.{kind}").value
    step = library.default("grid_spread.year_step").value
    return sqrt(base**2 + years * step**2)


def _pue(ledger: Ledger, place: Place | None, provider: str | None, year: int) -> None:
    library = ledger.library
    if place is not None and place.kind == "site" and "pue" in place.row:
        figure = Figure.made_of(place.row["pue"])
        ledger.assume("pue", figure, f"pue.{place.id}")
    found = None if place is None else place.figure_of("pue", year)
    if place is not None and found is not None:
        years = min(abs(found.year - year), library.default("pue_spread.most_years").value)
        sigma = library.default("pue_spread.region").value
        off = Z95 * (sigma + years * library.default("pue_spread.year_step").value)
        ends = (found.value - off, found.value, found.value + off)
        note = f"{place.provider} {place.id.split(':')[1]} {found.year}"
        ledger.assume("pue", _published_pue(ledger, ends, found.source, note), f"pue.{place.id}")
    row = None if provider is None else library.provider_row(provider, year, "pue")
    if row is not None:
        low, value, high = (float(row[name]) for name in ("pue_low", "pue", "pue_high"))
        note = f"{row['name']} fleet {row['year']}"
        figure = _published_pue(ledger, (low, value, high), row["source"], note)
        ledger.assume("pue", figure, f"pue.{provider}")
    if ledger.at_a_desk and (place is None or place.kind not in ("cloud", "site")):
        ledger.assume("pue", library.default("pue_at_a_desk"), "pue.desk")
    ledger.assume("pue", library.default("pue"), "pue.unknown")


def _published_pue(
    ledger: Ledger, ends: tuple[float, float, float], source: str, note: str
) -> Figure:
    """A PUE whose range stays above 1; at 1 itself there is no room for one."""
    low, value, high = ends
    least = ledger.library.default("pue_spread.least").value
    room = value > least
    return Figure(
        value=value,
        low=max(least, low) if room else None,
        high=high if room else None,
        basis="published",
        source=source,
        note=note,
    )


def _water(ledger: Ledger, place: Place | None, provider: str | None, year: int) -> None:
    """On-site and off-site water; unknown without a place."""
    _check_water(ledger, place)
    if place is None:
        return
    library = ledger.library
    row = None if provider is None else library.provider_row(provider, year, "wue_l_per_kwh")
    counted = "kind not stated"
    if row is not None and row.get("wue_kind") in ("withdrawal", "consumption"):
        counted = row["wue_kind"]
    found = place.figure_of("wue", year)
    if found is not None:
        note = f"{place.id} {found.year}, {counted}, per IT energy"
        sigma = library.default("wue_spread.region").value
        figure = spread(found.value, sigma, "published", found.source, note)
        ledger.assume("wue_l_per_kwh", figure, f"wue.{place.id}")
    if row is not None:
        note = f"{row['name']} fleet {row['year']}, {counted}, per IT energy"
        source = row.get("wue_source") or row["source"]
        value = float(row["wue_l_per_kwh"])
        sigma = library.default("wue_spread.fleet").value
        figure = spread(value, sigma, "published", source, note)
        ledger.assume("wue_l_per_kwh", figure, f"wue.{provider}")
    if ledger.at_a_desk and place.kind not in ("cloud", "site"):
        ledger.settle("wue_l_per_kwh", 0.0, "no cooling water at a desk", "assumed")
    ledger.assume("wue_l_per_kwh", library.default("wue_l_per_kwh"), "wue.unknown")
    unknown = f"water.{place.iso3.lower()}"
    if ledger.plan.hydro_evaporation == "exclude":
        figure = _water_sans_reservoirs(library, place)
        ledger.assume("water_factor_l_per_kwh", figure, f"{unknown}.sans_reservoirs")
        return
    cited, note = library.water_factor(place.iso3), place.name
    if cited is None:
        cited, note = library.water_factor(WORLD), f"{place.name} not tabulated: world mean"
    assert cited is not None
    factor, source = cited
    sigma = library.default("water_factor_spread.table").value
    note += ", consumption with all reservoir evaporation (--hydro-evaporation exclude)"
    figure = spread(factor, sigma, "published", source, note)
    ledger.assume("water_factor_l_per_kwh", figure, unknown)


def _water_sans_reservoirs(library: Library, place: Place) -> Figure:
    """Water of a country's other power plants over all it generates: hydropower counts as none."""
    mix, whose = library.generation(place.iso3), place.name
    if mix is None:
        mix, whose = library.generation(WORLD), f"{place.name} not tabulated: world"
    assert mix is not None
    made = {name: float(mix[name]) for name in GENERATION}
    factors = {name: library.default(f"water_of.{name}") for name in GENERATION if name != "hydro"}
    total = sum(made.values())
    value = sum(made[name] * figure.value for name, figure in factors.items()) / total
    note = (
        f"{whose}, mix of {mix['year']} ({mix['source']}) x consumption by kind of plant, "
        f"reservoir evaporation left out: {made['hydro'] / total:.0%} hydropower at zero"
    )
    sigma = library.default("water_factor_spread.mix").value
    return spread(value, sigma, "derived", factors["coal"].source, note)


def _check_water(ledger: Ledger, place: Place | None) -> None:
    """A convention for hydropower needs a factor to apply to."""
    said = ledger.plan.hydro_evaporation
    if said is None:
        return
    if place is None:
        raise InputError("hydro_evaporation", said, "needs a place (--region)")
    for name in ("water_factor_l_per_kwh", "water_offsite_l", "water_l"):
        if ledger.given(name):
            why = f"cannot be combined with {name}, which follows a convention of its own"
            raise InputError("hydro_evaporation", said, why, ["giving one of the two"])

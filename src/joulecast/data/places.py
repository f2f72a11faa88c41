"""Places: found by the names people type, and what the tables say of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from joulecast.data import specs
from joulecast.errors import UnknownNameError, nearest

WORLD = "WLD"

#: The European Union, which Ember tabulates among the countries.
UNION = "EUU"

#: What people type for no place at all.
EVERYWHERE = ("world", "theworld", "global", "worldwide", "earth")

#: Sources of tables whose rows do not name one.
EMBER = "ember-2026"
ELECTRICITYMAPS = "electricitymaps-2026"
WRI = "wri-2020"
MIX = "owid-mix-2021"
OWN_FIGURES = "users-own-figures"

Names = Mapping[str, Mapping[str, list[str]]]


class Place(NamedTuple):
    """Where a run takes place, as far as it is known."""

    id: str
    kind: Literal["country", "state", "zone", "cloud", "site"]
    name: str
    iso3: str
    zone: str = ""
    direct_area: str = ""
    provider: str = ""
    row: Mapping[str, Any] = MappingProxyType({})

    def figure_of(self, quantity: Literal["pue", "wue"], year: int) -> Cited | None:
        """The cloud region's own PUE or WUE [L/kWh] of the year nearest to the one asked."""
        columns = {name.removeprefix(f"{quantity}_"): cell for name, cell in self.row.items()}
        years = {name: cell for name, cell in columns.items() if name.isdigit() and cell}
        if self.kind != "cloud" or not years:
            return None
        near, value = _nearest_year(years, year)
        return Cited(float(value), int(near), self.row["source_pue"])


class Cited(NamedTuple):
    """A tabulated figure with the source it comes from, and the year it belongs to."""

    value: float
    year: int
    source: str


class Places:
    """The tables of places: the core ones, and those that are read only when a zone is asked for.

    `own` are the tables of a user's folder as they were read, to tell whose a figure is.
    """

    def __init__(
        self,
        core: Mapping[str, Any],
        folder: Path,
        zones: Mapping[str, Any] | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        self._core = core
        self._folder = folder
        self._zones_given = zones
        self._own = own or {}
        self._made: dict[tuple[type, str], Any] = {}

    @cached_property
    def _zones(self) -> Mapping[str, Any]:
        """Share-alike tables; empty where they were removed."""
        given = self._zones_given
        return specs.load(self._folder, specs.ODBL) if given is None else given

    # Names.

    def place_ids(self) -> list[str]:
        """Ids of all places: countries, states, cloud regions, sites and zones."""
        tables = (self._core["names_of_places"], self._zone_names())
        return sorted({key for names in tables for keys in names["exact"].values() for key in keys})

    def place(self, name: str, provider: str | None = None) -> Place:
        """Find a place by id, alias or the same without punctuation, in this order.

        A provider narrows cloud regions to its own.  Raises UnknownNameError listing the
        candidates where the name could mean several places.
        """
        if specs.bare(name) in EVERYWHERE:
            why = "no run is everywhere; the mix of the world is assumed where no place is given"
            raise UnknownNameError("region", name, why, ["leaving it out"])
        if provider is not None:
            name = name.removeprefix(f"{provider}:")
        for meanings in self._meanings(name):
            found = _narrow(meanings, provider)
            if len(found) == 1:
                return self._place(found[0])
            if found:
                named = [self._named(key) for key in sorted(found)]
                raise UnknownNameError("region", name, "could be several places", named)
            if meanings:
                whose = meanings[0].partition(":")[0]
                near = self._near_places(name, provider)
                why = f"is a region of {whose}, not of {provider}"
                raise UnknownNameError("region", name, why, near)
        raise UnknownNameError("region", name, "unknown place", self._near_places(name, provider))

    def place_of(self, name: str, provider: str) -> Place | None:
        """The place a name means to a provider's customer; None where it means none to them."""
        try:
            return self.place(name, provider)
        except UnknownNameError:
            return None

    def namesake(self, name: str, place: Place) -> Place | None:
        """The state whose code was typed where two letters are read as a country: ca, de, in."""
        code = f"us-{name.strip().casefold()}"
        if place.kind != "country" or code not in self._core["states"]:
            return None
        return self._place(code)

    def _meanings(self, name: str) -> Iterator[list[str]]:
        """Ids a name may mean, the surest reading first; zones are read when they are reached."""
        core, exact, loose = self._core["names_of_places"], specs.fold(name), specs.bare(name)
        for form in ("exact", "alias"):
            yield core[form].get(exact, [])
            yield self._zone_names()[form].get(exact, [])
        zones = self._zone_names()["loose"].get(loose, [])
        yield list(dict.fromkeys([*core["loose"].get(loose, []), *zones]))

    def _zone_names(self) -> Names:
        empty: Names = {"exact": {}, "alias": {}, "loose": {}}
        return self._zones.get("names_of_zones", empty)  # type: ignore[no-any-return]

    def _named(self, key: str) -> str:
        """An id and its name; the id alone of a zone whose tables were removed."""
        try:
            return f"{key} ({self._place(key).name})"
        except KeyError:
            return key

    def _near_places(self, name: str, provider: str | None) -> list[str]:
        core, zones = self._core["names_of_places"], self._zone_names()
        tables = (core["exact"], core["alias"], zones["exact"], zones["alias"])
        pool = [choice for table in tables for choice in table]
        found: dict[str, None] = {}
        for choice in nearest(name, pool, count=6):
            for table in tables:
                found |= dict.fromkeys(_narrow(table.get(choice, []), provider))
        return [self._shown(key) for key in list(found)[:3]]

    def _shown(self, key: str) -> str:
        """An id, with the name beside it where the id alone says little: al (Albania)."""
        place = self._place(key)
        return key if place.kind in ("cloud", "site") else f"{key} ({place.name})"

    def _place(self, key: str) -> Place:
        core = self._core
        if ":" in key:
            provider, region = key.split(":", 1)
            row = core["regions"][provider][region]
            area = row.get("direct_area", "")
            if row.get("egrid_subregion"):
                area = f"egrid:{row['egrid_subregion']}"
            return Place(key, "cloud", row["name"], row["iso3"], row["zone"], area, provider, row)
        if key in core["states"]:
            row = core["states"][key]
            return Place(key, "state", row["name"], row["iso3"], row["zone"], key.upper(), "", row)
        if key in core["sites"]:
            row = core["sites"][key]
            return Place(key, "site", row["name"], row["iso3"], row.get("zone", ""), "", "", row)
        if iso3 := core["iso3_of"].get(key):
            row = core["countries"][iso3]
            return Place(key, "country", row["name"], iso3, "", row["iso2"], "", row)
        row = self._zones["zones"][key.upper()]
        return Place(key, "zone", row["name"], row["iso3"], key.upper(), key.upper(), "", row)

    def country_name(self, iso3: str) -> str:
        """Name of a country, or its code where it is not tabulated."""
        return str(self._core["countries"].get(iso3, {}).get("name", iso3))

    # Grids.

    @property
    def latest_year(self) -> int:
        """Latest year of the grid table."""
        return max(int(year) for year in self._core["grids_ember"][WORLD])

    @property
    def earliest_year(self) -> int:
        """Earliest year of the grid table."""
        return min(int(year) for year in self._core["grids_ember"][WORLD])

    def national_grid(self, iso3: str, year: int) -> Cited | None:
        """Life-cycle intensity of a country: that year, else the nearest earlier one."""
        years = self._core["grids_ember"].get(iso3, {})
        return self._at_or_before(years, year, "grids_ember", iso3, EMBER)

    def zone_grid(self, zone: str, year: int) -> Cited | None:
        """Life-cycle intensity of a zone: that year, else the nearest earlier, else the first."""
        years = self._zones.get("grids_electricitymaps", {}).get(zone, {})
        first = min(map(int, years), default=year)
        last = max(year, first)
        return self._at_or_before(years, last, "grids_electricitymaps", zone, ELECTRICITYMAPS)

    def _at_or_before(
        self, years: Mapping[str, Any], year: int, table: str, key: str, ours: str
    ) -> Cited | None:
        found = max((int(other) for other in years if int(other) <= year), default=None)
        if found is None:
            return None
        source = self._source_of(table, self._own.get(table, {}).get(key, {}), str(found), ours)
        return Cited(float(years[str(found)]), found, source)

    def _source_of(self, table: str, own: Mapping[str, Any], key: str, ours: str) -> str:
        """Source of a row of a table whose rows name none: ours, or that of a user's own rows."""
        said = self._own.get("said_sources", {}).get(table) or OWN_FIGURES
        return str(said) if key in own else ours

    def direct_grid(self, area: str, year: int) -> Cited | None:
        """Direct (stack) intensity of an area: the nearest year tabulated."""
        near, row = _nearest_year(self._core.get("grids_direct", {}).get(area, {}), year)
        if row is None:
            return None
        return Cited(float(row["gco2e_per_kwh"]), int(near), row["source"])

    def zones_within(self, iso3: str, year: int) -> tuple[float, float, int] | None:
        """5 % and 95 % point over a country's zones [g/kWh], and the year they are of."""
        near, row = _nearest_year(self._zones.get("grids_within_country", {}).get(iso3, {}), year)
        return None if row is None else (float(row["p5"]), float(row["p95"]), int(near))

    def has_cloud_region(self, iso3: str) -> bool:
        """Whether a large cloud provider has a region in the country."""
        return iso3 in self._core["iso3_with_cloud"]

    # Providers and water.

    @property
    def provider_ids(self) -> list[str]:
        """Providers and classes of site whose PUE is tabulated."""
        return list(self._core["providers"])

    def provider(self, name: str) -> str:
        """Find a provider by id or name."""
        aliases = {"google": "gcp", "googlecloud": "gcp", "microsoft": "azure", "amazon": "aws"}
        known = {specs.bare(key): key for key in self._core["providers"]} | aliases
        if specs.bare(name) not in known:
            near = nearest(name, known) or self.provider_ids[:3]
            raise UnknownNameError("provider", name, "unknown provider", near)
        return str(known[specs.bare(name)])

    def provider_row(self, provider: str, year: int, column: str) -> Mapping[str, str] | None:
        """Fleet figures of a provider for the year nearest to the one asked that has `column`."""
        rows = self._core["providers"].get(provider, {})
        near, row = _nearest_year({key: row for key, row in rows.items() if row.get(column)}, year)
        return None if row is None else {"year": near, **row}

    def water_factor(self, iso3: str) -> tuple[float, str] | None:
        """Water consumed by a country's power plants [L/kWh], and its source."""
        value = self._core["water"].get(iso3)
        source = self._source_of("water", self._own.get("water", {}), iso3, WRI)
        return None if value is None else (float(value), source)

    def generation(self, iso3: str) -> Mapping[str, Any] | None:
        """Year, source, and a country's electricity by what it was made from [TWh]."""
        row = self._core["mix"].get(iso3)
        source = self._source_of("mix", self._own.get("mix", {}), iso3, MIX)
        return None if row is None else {**row, "source": source}


def _narrow(found: list[str], provider: str | None) -> list[str]:
    """Cloud regions of other providers do not count once the provider is said."""
    if provider is None:
        return found
    return [key for key in found if ":" not in key or key.startswith(f"{provider}:")]


def _nearest_year(rows: Mapping[str, Any], year: int) -> tuple[str, Any]:
    """The year nearest to the one asked, the later of two, and its row; None without any row."""
    near = min(rows, key=lambda other: (abs(int(other) - year), -int(other)), default="")
    return near, rows.get(near)

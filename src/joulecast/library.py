"""Look-up of devices, places, grids and defaults by the names people type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from joulecast import specs
from joulecast.errors import InputError, SpecsError, UnknownNameError, nearest
from joulecast.records import Device, Figure, Source, validated

#: Sources a place's figures come from, by table.
EMBER = "ember-2026"
ELECTRICITYMAPS = "electricitymaps-2026"
WORLD = "WLD"


class DeviceMatch(NamedTuple):
    """A device found, and the others the typed name could have meant."""

    device: Device
    variants: tuple[str, ...] = ()


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


class GridYear(NamedTuple):
    """An intensity [g/kWh] as tabulated, with the year it belongs to."""

    value: float
    year: int
    source: str


class Library:
    """All tables of hardware_specs, read once; records are checked when they are used.

    `Library.bundled()` is the one that ships with the package; `Library.with_folder(path)`
    lays a user's own records over it.
    """

    def __init__(self, core: Mapping[str, Any], folder: Path) -> None:
        self._core = core
        self._folder = folder

    @staticmethod
    def bundled() -> Library:
        """The tables of the package."""
        return _bundled()

    @staticmethod
    def with_folder(folder: Path) -> Library:
        """The tables of the package with a user's records laid over them."""
        return _with_folder(folder.resolve())

    @property
    def digest(self) -> str:
        """Version of the data: the same digits, the same tables."""
        return str(self._core["digest"])

    @cached_property
    def _zones(self) -> Mapping[str, Any]:
        """Share-alike tables, read only when a zone is asked for; empty where removed."""
        return specs.load_odbl(self._folder)

    # Names in the tables.

    @property
    def device_ids(self) -> list[str]:
        """Ids of all devices."""
        return list(self._core["devices"])

    @property
    def source_keys(self) -> list[str]:
        """Keys of all sources."""
        return list(self._core["sources"])

    @property
    def provider_ids(self) -> list[str]:
        """Providers and classes of site whose PUE is tabulated."""
        return list(self._core["providers"])

    def place_ids(self) -> list[str]:
        """Ids of all places: countries, states, cloud regions, sites and zones."""
        places = {key for keys in self._core["names_of_places"]["exact"].values() for key in keys}
        zones = self._zone_names()["exact"]
        return sorted(places | {key for keys in zones.values() for key in keys})

    # Sources and defaults.

    def source(self, key: str) -> Source:
        """Look up a source by its key."""
        try:
            data = self._core["sources"][key]
        except KeyError:
            raise SpecsError(
                "source", key, "is not in sources.toml", nearest(key, self._core["sources"])
            ) from None
        return validated(Source, {"key": key, **data}, f"sources.toml: {key}")

    def read_of(self, key: str) -> str:
        """How a source is known: primary, secondary or recalled."""
        return str(self._core["sources"].get(key, {}).get("read", "primary"))

    def default(self, name: str) -> Figure:
        """Look up a default, such as ``network_share.cluster``."""
        for table in ("defaults", "calibration"):
            entry: Any = self._core.get(table, {})
            for part in name.split("."):
                entry = entry.get(part) if isinstance(entry, Mapping) else None
            if isinstance(entry, Mapping) and "value" in entry:
                return validated(Figure, entry, f"{table}.toml: {name}")
        raise SpecsError("defaults.toml", name, "is missing")

    def has_default(self, name: str) -> bool:
        """Whether a default of this name exists."""
        try:
            self.default(name)
        except SpecsError:
            return False
        return True

    def defaults_of(self, name: str) -> dict[str, Any]:
        """All defaults of a quantity, as the tables hold them."""
        found = {}
        for table in ("defaults", "calibration"):
            if name in self._core.get(table, {}):
                found.update(self._core[table][name])
        return found

    # Devices.

    def device(self, name: str) -> DeviceMatch:
        """Find a device by id, alias or the same without punctuation.

        Raises UnknownNameError with the nearest names.
        """
        names = self._core["names_of_devices"]
        found = _find(names, name)
        if not found:
            choices = nearest(name, [*self._core["devices"], *names["alias"]])
            choices = list(dict.fromkeys(_find(names, choice)[0] for choice in choices))
            raise UnknownNameError("device", name, "unknown device", choices or self.device_ids[:3])
        if len(found) > 1:
            raise UnknownNameError("device", name, "could be several devices", sorted(found))
        return DeviceMatch(self._device(found[0]), self._variants(name, found[0]))

    def _device(self, key: str) -> Device:
        return validated(Device, self._core["devices"][key], f"devices/{key}.toml")

    def _variants(self, name: str, key: str) -> tuple[str, ...]:
        """Other members of the family where the name typed names the family alone."""
        record = self._core["devices"][key]
        if specs.bare(name) != specs.bare(record["family"]):
            return ()
        return tuple(
            other
            for other, data in self._core["devices"].items()
            if data["family"] == record["family"] and other != key
        )

    # Places.

    def place(self, name: str, provider: str | None = None) -> Place:
        """Find a place by id, alias or the same without punctuation, in this order.

        A provider narrows cloud regions to its own.  Raises UnknownNameError listing the
        candidates where the name could mean several places.
        """
        if provider is not None:
            name = name.removeprefix(f"{provider}:")
        for names in (self._core["names_of_places"], self._zone_names()):
            for table, form in _forms(names, name):
                found = self._narrow(table.get(form, []), provider)
                if len(found) == 1:
                    return self._place(found[0])
                if found:
                    named = [f"{key} ({self._place(key).name})" for key in sorted(found)]
                    raise UnknownNameError("region", name, "could be several places", named)
        raise UnknownNameError("region", name, "unknown place", self._near_places(name, provider))

    def _zone_names(self) -> dict[str, dict[str, list[str]]]:
        empty: dict[str, dict[str, list[str]]] = {"exact": {}, "alias": {}, "loose": {}}
        return self._zones.get("names_of_zones", empty)  # type: ignore[no-any-return]

    @staticmethod
    def _narrow(found: list[str], provider: str | None) -> list[str]:
        """Cloud regions of other providers do not count once the provider is said."""
        if provider is None:
            return found
        return [key for key in found if ":" not in key or key.startswith(f"{provider}:")]

    def _near_places(self, name: str, provider: str | None) -> list[str]:
        names = self._core["names_of_places"]
        pool = [*names["exact"], *names["alias"], *self._zone_names()["exact"]]
        found: dict[str, None] = {}
        for choice in nearest(name, pool, count=6):
            for table in (names["exact"], names["alias"], self._zone_names()["exact"]):
                for key in self._narrow(table.get(choice, []), provider):
                    found[key] = None
        return list(found)[:3]

    def _place(self, key: str) -> Place:
        core = self._core
        if ":" in key:
            provider, region = key.split(":", 1)
            row = core["regions"][provider][region]
            area = f"egrid:{row['egrid_subregion']}" if row["egrid_subregion"] else ""
            return Place(key, "cloud", row["name"], row["iso3"], row["zone"], area, provider, row)
        if key in core["states"]:
            row = core["states"][key]
            return Place(key, "state", row["name"], row["iso3"], row["zone"], key.upper(), "", row)
        if key in core["sites"]:
            row = core["sites"][key]
            return Place(key, "site", row["name"], row["iso3"], row.get("zone", ""), "", "", row)
        for iso3, row in core["countries"].items():
            if row["iso2"].lower() == key:
                return Place(key, "country", row["name"], iso3, "", row["iso2"], "", row)
        row = self._zones["zones"][key.upper()]
        return Place(key, "zone", row["name"], row["iso3"], key.upper(), key.upper(), "", row)

    # Figures of places.

    @property
    def latest_year(self) -> int:
        """Latest year of the grid table."""
        return max(int(year) for year in self._core["grids_ember"][WORLD])

    @property
    def earliest_year(self) -> int:
        """Earliest year of the grid table."""
        return min(int(year) for year in self._core["grids_ember"][WORLD])

    def national_grid(self, iso3: str, year: int) -> GridYear | None:
        """Life-cycle intensity of a country: that year, else the nearest earlier one."""
        return _at_or_before(self._core["grids_ember"].get(iso3, {}), year, EMBER)

    def zone_grid(self, zone: str, year: int) -> GridYear | None:
        """Life-cycle intensity of a zone: that year, else the nearest earlier, else the first."""
        years = self._zones.get("grids_electricitymaps", {}).get(zone, {})
        return _at_or_before(years, year, ELECTRICITYMAPS) or _first(years, ELECTRICITYMAPS)

    def direct_grid(self, area: str, year: int) -> GridYear | None:
        """Direct (stack) intensity of an area: the nearest year tabulated."""
        rows = self._core.get("grids_direct", {}).get(area, {})
        if not rows:
            return None
        near = min(rows, key=lambda other: (abs(int(other) - year), -int(other)))
        return GridYear(float(rows[near]["gco2e_per_kwh"]), int(near), rows[near]["source"])

    def zones_within(self, iso3: str, year: int) -> tuple[float, float, int] | None:
        """5 % and 95 % point over a country's zones [g/kWh], and the year they are of."""
        rows = self._zones.get("grids_within_country", {}).get(iso3, {})
        if not rows:
            return None
        near = min(rows, key=lambda other: (abs(int(other) - year), -int(other)))
        return float(rows[near]["p5"]), float(rows[near]["p95"]), int(near)

    def has_cloud_region(self, iso3: str) -> bool:
        """Whether a large cloud provider has a region in the country."""
        regions = self._core["regions"].values()
        return any(row["iso3"] == iso3 for provider in regions for row in provider.values())

    def provider(self, name: str) -> str:
        """Find a provider by id or name."""
        aliases = {"google": "gcp", "googlecloud": "gcp", "microsoft": "azure", "amazon": "aws"}
        known = {specs.bare(key): key for key in self._core["providers"]} | aliases
        try:
            return str(known[specs.bare(name)])
        except KeyError:
            raise UnknownNameError(
                "provider", name, "unknown provider", nearest(name, known) or self.provider_ids[:3]
            ) from None

    def provider_row(self, provider: str, year: int, column: str) -> Mapping[str, str] | None:
        """Fleet figures of a provider for the year nearest to the one asked that has `column`."""
        rows = {y: r for y, r in self._core["providers"].get(provider, {}).items() if r[column]}
        if not rows:
            return None
        near = min(rows, key=lambda other: (abs(int(other) - year), -int(other)))
        return {"year": near, **rows[near]}

    def water_factor(self, iso3: str) -> float | None:
        """Water consumed by a country's power plants [L/kWh]."""
        value = self._core["water"].get(iso3)
        return None if value is None else float(value)


@cache
def _bundled() -> Library:
    folder = specs.bundled_folder()
    try:
        return Library(specs.load(folder), folder)
    except specs.BrokenTableError as broken:
        raise SpecsError(str(broken.args[0]), None, str(broken.args[1])) from None


@cache
def _with_folder(folder: Path) -> Library:
    if not folder.is_dir():
        raise InputError("--specs", str(folder), "is not a folder")
    base_folder = specs.bundled_folder()
    try:
        own, _ = specs.read_folder(folder)
    except specs.BrokenTableError as broken:
        raise SpecsError(str(broken.args[0]), None, str(broken.args[1])) from None
    merged = _overlay(specs.load(base_folder), own)
    merged["digest"] = f"{specs.load(base_folder)['digest']}+{own['digest']}"
    merged |= {f"names_of_{kind}": names for kind, names in specs.all_names(merged).items()}
    return Library(merged, base_folder)


def _overlay(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` over `base`, key by key; a record is replaced whole."""
    merged = dict(base)
    for key, value in own.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = {**old, **value} if both else value  # type: ignore[dict-item]
    return merged


def _forms(
    names: Mapping[str, dict[str, list[str]]], name: str
) -> list[tuple[dict[str, list[str]], str]]:
    """The three ways to look a name up, in order."""
    exact = specs.fold(name)
    return [
        (names["exact"], exact),
        (names["alias"], exact),
        (names["loose"], specs.bare(name)),
    ]


def _find(names: Mapping[str, dict[str, list[str]]], name: str) -> list[str]:
    for table, form in _forms(names, name):
        if table.get(form):
            return table[form]
    return []


def _at_or_before(years: Mapping[str, Any], year: int, source: str) -> GridYear | None:
    known = [int(key) for key in years if int(key) <= year]
    if not known:
        return None
    return GridYear(float(years[str(max(known))]), max(known), source)


def _first(years: Mapping[str, Any], source: str) -> GridYear | None:
    if not years:
        return None
    first = min(int(key) for key in years)
    return GridYear(float(years[str(first)]), first, source)

"""A user's own folder of records: read, checked, and laid over the tables of the package.

Tables are checked here, at once; devices, models and runs when they are used, so that one that is
broken leaves the others alone.  Our own folder is checked whole when the package is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from joulecast.data import instances, specs, tables
from joulecast.data.places import WORLD
from joulecast.data.reading import span
from joulecast.data.records import Device, Figure, Instance, Model, Record, Source, figures_of
from joulecast.data.tables import DEFAULT_TABLES, check_listed
from joulecast.data.validation import R, validated
from joulecast.errors import InputError, SpecsError, nearest
from joulecast.laws.records import KINDS, LossLaw
from joulecast.terms import ASKED, INPUTS, USED

#: Tables whose rows name no source: a comment "# source: KEY" may name one for all.
UNSOURCED = ("grids_ember", "grids_electricitymaps", "grids_within_country", "water", "mix")

#: Columns that name a source.
SOURCE_COLUMNS = {
    "grids_direct": ("source",),
    "instances": ("source",),
    "providers": ("source", "wue_source"),
    "regions": ("source_pue",),
}


#: What own runs may say -> of which kinds of model.
OWN_RUNS = {"utilisation": ("decoder", "other"), "device_power_w": ("",)}


class Site(Record):
    """A computing centre; its PUE is a figure of its own."""

    name: str
    iso3: str
    operator: str = ""
    zone: str = ""
    aliases: tuple[str, ...] = ()
    note: str = ""


class Overlay(NamedTuple):
    """Core and share-alike tables with a user's own over them, and the user's own alone.

    Published runs stay among the user's own: they are laid over ours when a run is asked for.
    """

    core: dict[str, Any]
    odbl: dict[str, Any]
    own: dict[str, Any]


def read(folder: Path, core: Mapping[str, Any], odbl: Mapping[str, Any]) -> Overlay:
    """Lay a user's folder over our tables.

    Raises InputError where there is no folder, SpecsError for what cannot be used.
    """
    if not folder.is_dir():
        raise InputError("--specs", str(folder), "is not a folder")
    own = specs.parse_folder(folder)
    shared = {name: own[name] for name in specs.ODBL_TABLES if name in own}
    ours = {k: own[k] for k in own if k not in shared and k != specs.RUNS_TABLE}
    merged = tables.overlaid(core, ours)
    zones = tables.overlaid(odbl, shared)
    paths = {name: folder / f"{name}.csv" for name in UNSOURCED if name in own}
    own["said_sources"] = {name: tables.said_source(path) for name, path in paths.items()}
    check(own, merged, zones, known_defaults(core))
    digest = f"{core['digest']}+{specs.digest(folder)}"
    names = {"names_of_zones": specs.zone_names(zones, merged)}
    return Overlay({**merged, "digest": digest, **specs.derived(merged)}, {**zones, **names}, own)


def check_ours(folder: Path) -> None:
    """Raise SpecsError for the first thing in our own folder that breaks a rule."""
    from joulecast.validating.runs import ReportedRun  # nobody else here needs a run

    core, odbl = specs.read_folder(folder)
    check({**core, **odbl}, core, odbl, known_defaults(core))
    runs = specs.parse_folder(folder, lambda name: name == specs.RUNS_TABLE)
    kinds: dict[str, type[Device | Model | ReportedRun]] = {
        "devices": Device,
        "models": Model,
        specs.RUNS_TABLE: ReportedRun,
    }
    for table, kind in kinds.items():
        for key, data in {**core, **runs}[table].items():
            checked(kind, table, key, data, core)


def checked(
    kind: type[R], table: str, key: str, data: Mapping[str, Any], core: Mapping[str, Any]
) -> R:
    """A device, a model or a run: valid, its id that of its file, its sources listed."""
    where = f"{table}/{key}.toml"
    record: Any = validated(kind, data, where)
    if record.id != key:
        raise SpecsError(f"{where}: id", record.id, "must be the name of the file", [key])
    said = {"source": record.source}
    said |= {f"{path}.source": figure.source for path, figure in figures_of(record).items()}
    for path, source in said.items():
        check_listed(f"{where}: {path}", source, core["sources"], "sources.toml")
    return record  # type: ignore[no-any-return]


def check(
    own: Mapping[str, Any], core: Mapping[str, Any], odbl: Mapping[str, Any], known: set[str]
) -> None:
    """Raise SpecsError for the first thing in `own` that breaks a rule.

    `core` and `odbl` are all tables there are, `known` the names a default may have.
    """
    rules = _Rules(own, core, odbl)
    for key, entry in own.get("sources", {}).items():
        where = f"sources.toml: {key}"
        validated(Source, {**_table(where, entry), "key": key}, where)
    for table in DEFAULT_TABLES:
        for name, entry in leaves(own.get(table, {})):
            where = f"{table}.toml: {name}"
            if name not in known:
                raise SpecsError(where, None, "unknown key", nearest(name, known))
            rules.default(where, name, entry)
    for key, site in own.get("sites", {}).items():
        rules.site(f"sites.toml: {key}", site)
    rules.own_runs()
    rules.laws()
    rules.places()
    rules.instances()
    rules.sources()


class _Rules(NamedTuple):
    """What a user's `own` tables must keep, with them laid over ours: `core` and `odbl`."""

    own: Mapping[str, Any]
    core: Mapping[str, Any]
    odbl: Mapping[str, Any]

    def default(self, where: str, name: str, entry: Any) -> None:
        """A figure, inside the limits of what it is a default of."""
        if not isinstance(entry, Mapping):
            raise SpecsError(where, None, "needs value, basis and source")
        self._figure(where, entry)
        if not name.startswith("utilisation."):  # these are factors and slopes
            _check_limits(where, name.split(".", 1)[0], entry)

    def site(self, where: str, site: Any) -> None:
        """A site lies in a known country and zone; its PUE is a figure."""
        fields = {name: value for name, value in _table(where, site).items() if name != "pue"}
        record = validated(Site, fields, where)
        self._country(where, record.iso3)
        self._zone(where, record.zone)
        if "pue" in site:
            self._figure(f"{where}.pue", _table(f"{where}.pue", site["pue"]))
            _check_limits(f"{where}.pue", "pue", site["pue"])

    def own_runs(self) -> None:
        """Factors of known devices on what we expect of them, all above 0."""
        for name, entry in leaves(self.own.get("own_runs", {})):
            where = f"own_runs.toml: {name}"
            quantity, _, rest = name.partition(".")
            device, _, kind = rest.partition(".")
            kinds = OWN_RUNS.get(quantity)
            if kinds is None:
                raise SpecsError(where, None, "unknown key", OWN_RUNS)
            if kind not in kinds:
                raise SpecsError(where, kind, "is no kind of model here", kinds)
            if device != "any":
                check_listed(where, device, self.core["devices"], "devices/")
            self._figure(where, _table(where, entry))
            if min(entry["value"], entry.get("low", 1.0)) <= 0:
                raise SpecsError(where, None, "must be above 0")

    def laws(self) -> None:
        """Laws are of a known kind, their sources listed."""
        for table, laws in self.own.get("scaling_laws", {}).items():
            if table not in KINDS:
                raise SpecsError(f"scaling_laws.toml: {table}", None, "unknown key", KINDS)
            for key, entry in laws.items():
                where = f"scaling_laws.toml: {table}.{key}"
                law = validated(KINDS[table], _table(where, entry), where)
                self._cited(f"{where}: source", law.source)
                if isinstance(law, LossLaw) and law.uncertainty is not None:
                    self._cited(f"{where}.uncertainty: source", law.uncertainty.source)

    def places(self) -> None:
        """Countries, zones and places that rows name must be listed."""
        for table in ("states", "regions"):
            for where, row in self._rows(table):
                self._country(where, row["iso3"])
                self._zone(where, row["zone"])
        for table in ("grids_ember", "grids_within_country", "water", "mix"):
            for iso3 in self.own.get(table, {}):
                self._country(f"{table}.csv", iso3)
        self._names()
        for zone in self.own.get("zones", {}):
            if zone != zone.upper():
                raise SpecsError("zones.csv: zone", zone, "must be in capitals", [zone.upper()])
        for zone in self.own.get("grids_electricitymaps", {}):
            self._zone("grids_electricitymaps.csv", zone)

    def _names(self) -> None:
        """Every place a name may mean must be there, unless the tables of zones were removed."""
        places = specs.derived(self.core)["names_of_places"]["exact"]
        known = {*places, *map(str.lower, self.odbl.get("zones", ()))}
        for name, row in self.own.get("place_names", {}).items():
            for key in (part.strip() for part in row["places"].split(";")):
                if self.odbl.get("zones") and key not in known:
                    near = nearest(key, known)
                    raise SpecsError(f"place_names.csv: {name}", key, "is no place", near)

    def instances(self) -> None:
        """Instances are of a device and a provider we know, and go by no device's name."""
        devices, providers = self.core["devices"], self.core["providers"]
        taken = specs.derived(self.core)["names_of_devices"]
        for key in self.own.get("instances", {}):
            where = f"instances.csv: {key}"
            row = validated(Instance, instances.row(self.core, key), where)
            check_listed(f"{where}: device", row.device, devices, "devices/")
            at, file = f"{where}: provider", "providers.csv"
            check_listed(at, row.provider, providers, file, sorted(providers))
            for names in taken.values():
                for named in names.get(specs.fold(key), ()):
                    raise SpecsError(where, None, f"is the name of a device: {named}")

    def sources(self) -> None:
        """Sources that rows or whole tables name must be listed."""
        for table, columns in SOURCE_COLUMNS.items():
            for where, row in self._rows(table):
                for column in columns:
                    if row.get(column):
                        self._cited(f"{where}: {column}", row[column])
        for table, key in self.own.get("said_sources", {}).items():
            if key:
                self._cited(f"{table}.csv: source", key)

    def _figure(self, where: str, entry: Mapping[str, Any]) -> None:
        self._cited(f"{where}: source", validated(Figure, entry, where).source)

    def _cited(self, where: str, key: str) -> None:
        check_listed(where, key, self.core["sources"], "sources.toml")

    def _country(self, where: str, iso3: str) -> None:
        if iso3 != WORLD:
            check_listed(f"{where}: iso3", iso3, self.core["countries"], "countries.csv")

    def _zone(self, where: str, zone: str) -> None:
        """A zone must be listed, unless the tables of zones were removed."""
        zones = self.odbl.get("zones", {})
        if zone and zones:
            check_listed(f"{where}: zone", zone, zones, "zones.csv")

    def _rows(self, table: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """(file and keys, row) of a table of one or two keys."""
        for key, entry in self.own.get(table, {}).items():
            nested = len(tables.SHAPES[table].keys) > 1
            rows = {f"{key} {last}": row for last, row in entry.items()} if nested else {key: entry}
            yield from ((f"{table}.csv: {keys}", row) for keys, row in rows.items())


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, entry) of every default in a nested table."""
    for name, entry in table.items():
        inner = isinstance(entry, Mapping) and "value" not in entry
        if inner and all(isinstance(part, Mapping) for part in entry.values()):
            yield from leaves(entry, f"{prefix}{name}.")
        else:
            yield prefix + name, entry


def known_defaults(core: Mapping[str, Any]) -> set[str]:
    """Names a default may have: those there are."""
    return {name for table in DEFAULT_TABLES for name, _ in leaves(core[table])}


def _check_limits(where: str, quantity: str, entry: Mapping[str, Any]) -> None:
    """What holds for a quantity that is given holds for a default of it."""
    terms = INPUTS | ASKED | USED
    if quantity in terms:
        numbers = [entry[name] for name in ("low", "value", "high") if entry.get(name) is not None]
        try:
            span(terms[quantity], numbers)
        except InputError as problem:
            raise SpecsError(where, None, problem.why) from None


def _table(where: str, entry: Any) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise SpecsError(where, entry, "must be a table")
    return entry

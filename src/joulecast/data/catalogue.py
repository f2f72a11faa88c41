"""What the tables hold, as rows and records to print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypedDict

from joulecast.answers.shape import as_dict
from joulecast.data.library import Library
from joulecast.data.places import Cited
from joulecast.data.specs import bare
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.notices import CODES, Notice
from joulecast.terms import INPUTS, input_term
from joulecast.validating.runs import TESTS, ReportedRun


def listing(
    what: str,
    library: Library,
    contains: str = "",
    where: Mapping[str, str | None] | None = None,
    tests: str | None = None,
) -> list[dict[str, Any]]:
    """Rows of one table, for people and for JSON alike.

    `contains` keeps the rows that hold a text in any cell, `where` those whose column has a value;
    case and punctuation do not count.  `tests` leaves of the published runs those that test all of
    its letters.  Raises InputError for a column the table does not have.
    """
    if what not in LISTS:
        raise UnknownNameError("list", what, "no such list", nearest(what, LISTS) or LISTS)
    rows = _ROWS[what](library) if tests is None else _runs_that_test(what, tests, library)
    for flag, said in (where or {}).items():
        if said is None:
            continue
        column = FILTERS[flag]
        columns = _ROWS[what](library)[0]
        if column not in columns:
            mine = [f"--{other}" for other, name in FILTERS.items() if name in columns]
            why = f"is not a filter of list {what}"
            raise InputError(f"--{flag}", said, why, [*mine, "--contains"])
        wanted = {bare(said), bare(library.place(said).iso3) if flag == "country" else bare(said)}
        rows = [row for row in rows if bare(str(row[column])) in wanted]
    text = contains.casefold()
    return [row for row in rows if any(text in str(cell).casefold() for cell in row.values())]


def _runs_that_test(what: str, tests: str, library: Library) -> list[dict[str, Any]]:
    """Rows of the published runs that test all of some letters."""
    if what != "runs":
        raise InputError("--tests", tests, f"{what} test nothing", ["joulecast list runs"])
    letters = tests.replace(",", " ").split()
    for letter in letters:
        if letter not in TESTS:
            known = [f"{known} ({meaning})" for known, meaning in TESTS.items()]
            raise UnknownNameError("--tests", letter, "is nothing a run tests", known)
    return [_run_row(run) for run in library.runs if set(letters) <= set(run.tests)]


#: Filter of a list -> the column it looks at.
FILTERS = {
    "vendor": "vendor",
    "class": "device_class",
    "provider": "provider",
    "country": "country",
    "kind": "kind",
}


def details(
    what: str, name: str | None, library: Library, year: str | None = None
) -> dict[str, Any]:
    """One record in full, with its sources.

    A name alone is looked for among all kinds, first among those where it is an id.

    `year` is that of a place's figures; raises InputError beside any other record.
    """
    if name is not None:
        if what not in RECORDS:
            raise UnknownNameError(
                "show", what, "no such record", nearest(what, RECORDS) or RECORDS
            )
        if what == "region":
            return _region_record(name, library, year)
        _no_year(year)
        return RECORDS[what](name, library)
    for kind in sorted(RECORDS, key=lambda kind: what not in _ids(kind, library)):
        try:
            found = RECORDS[kind](what, library)
        except JoulecastError:
            continue
        if kind == "region":
            return _region_record(what, library, year)
        _no_year(year)
        return found
    known = [
        key
        for kind in ("device", "instance", "model", "region", "run")
        for key in _ids(kind, library)
    ]
    known += INPUTS
    raise UnknownNameError("show", what, "no such record", nearest(what, known) or list(RECORDS))


def _ids(kind: str, library: Library) -> list[str]:
    """Ids of a kind of record, where it has its own."""
    ids = {
        "device": library.device_ids,
        "instance": library.instance_ids,
        "model": library.model_ids,
        "run": library.run_ids,
    }
    return library.place_ids() if kind == "region" else ids.get(kind, [])


def _instance_record(name: str, library: Library) -> dict[str, Any]:
    reserved = library.reservation(name)
    if reserved is None:
        near = nearest(name, library.instance_ids) or library.instance_ids[:3]
        raise UnknownNameError("instance", name, "unknown instance", near)
    instance = reserved.instance
    return {
        "id": reserved.name,
        "device": instance.device,
        "devices": reserved.total,
        "provider": instance.provider,
        "source": instance.source,
        "note": instance.note,
    }


def _no_year(year: str | None) -> None:
    if year is not None:
        raise InputError("--year", year, "goes with a place alone", ["show us-va --year 2023"])


def _device_record(name: str, library: Library) -> dict[str, Any]:
    return library.device(name).device.model_dump(mode="json", exclude_none=True)


def _model_record(name: str, library: Library) -> dict[str, Any]:
    return library.model(name).model_dump(mode="json", exclude_none=True)


def _run_record(name: str, library: Library) -> dict[str, Any]:
    return library.run(name).model_dump(mode="json", exclude_none=True)


def _source_record(name: str, library: Library) -> dict[str, Any]:
    return library.source(name).model_dump(mode="json")


def _assumption_record(name: str, library: Library) -> dict[str, Any]:
    if name not in INPUTS and library.defaults_of(name):
        return {
            "name": name,
            "unit": "",
            "meaning": "a default that shapes others: how wide, how fast, from where on",
            "scale": "",
            "flag": "--specs",
            "defaults": library.defaults_of(name),
        }
    term = input_term(name)
    return {
        "name": term.name,
        "unit": term.unit,
        "meaning": term.meaning,
        "scale": term.scale,
        "flag": term.override,
        "defaults": library.defaults_of(name),
    }


def _device_row(library: Library, key: str) -> dict[str, Any]:
    device = library.device(key).device
    peak = device.peak("bf16")
    return {
        "id": key,
        "name": device.name,
        "dense_16bit_tflops": peak.value if peak else None,
        "memory_gb": device.memory_gb.value,
        "tdp_w": device.tdp_w.value if device.tdp_w else None,
        "released": device.release_date.isoformat(),
        "vendor": device.vendor,
        "device_class": device.device_class,
        "kind": device.kind,
    }


def _instance_row(library: Library, key: str) -> dict[str, Any]:
    instance = library.instance(key)
    return {
        "id": key,
        "device": instance.device,
        "devices": instance.devices,
        "per_device": instance.per_device,
        "provider": instance.provider,
    }


def _model_row(library: Library, key: str) -> dict[str, Any]:
    model = library.model(key)
    return {
        "id": key,
        "name": model.name,
        "arch": model.arch,
        "params": model.params.value,
        "active_params": model.active_params.value if model.active_params else None,
        "tokens": model.tokens.value if model.tokens else None,
        "released": model.release_year,
    }


def _run_row(run: ReportedRun) -> dict[str, Any]:
    after = run.reported
    return {
        "id": run.id,
        "name": run.name,
        "arch": run.before.arch,
        "device": run.before.device,
        "year": run.before.year,
        "tests": ",".join(run.tests),
        "device_hours": after.device_hours.value if after.device_hours else None,
        "energy_kwh": after.energy_kwh.value if after.energy_kwh else None,
        "operational_kgco2e": (
            after.operational_kgco2e.value if after.operational_kgco2e else None
        ),
    }


def _region_row(library: Library, key: str) -> dict[str, Any]:
    place = library.place(key)
    return {
        "id": key,
        "name": place.name,
        "kind": place.kind,
        "country": place.iso3,
        "zone": place.zone or None,
        "provider": place.provider or None,
    }


#: What a place decides, each a figure of its own.
PLACE_FIGURES = ("grid_gco2e_per_kwh", "pue", "wue_l_per_kwh", "water_factor_l_per_kwh")


def _region_record(name: str, library: Library, year: str | None = None) -> dict[str, Any]:
    """A place with the figures an answer would take for a year (the latest where none is said)."""
    from joulecast.estimation import estimate  # a list need not load NumPy
    from joulecast.plan import Plan

    place = library.place(name)
    plan = {"region": place.id, "year": year or library.latest_year}
    footprint = estimate(Plan(**plan, given={"it_energy_kwh": 1}), library)
    when = footprint.plan["year"]
    local = library.zone_grid(place.zone, when) if place.zone else None
    direct = library.direct_grid(place.direct_area, when) if place.direct_area else None
    found = {entry.name: as_dict(entry) for entry in footprint.assumptions}
    shown = ("value", "low", "high", "unit", "basis", "source", "read", "note", "flag")
    return {
        **_region_row(library, place.id),
        "year": when,
        "grid": _grid(local or library.national_grid(place.iso3, when)),
        "grid_direct": _grid(direct),
        "figures": {key: {part: found[key][part] for part in shown} for key in PLACE_FIGURES},
        "warnings": [
            {"code": n.code, "message": n.message} for n in footprint.warnings if "grid" in n.code
        ],
    }


def _provider_row(library: Library, key: str) -> dict[str, Any]:
    """A fleet's latest figures."""
    pue = library.provider_row(key, library.latest_year, "pue") or {}
    wue = library.provider_row(key, library.latest_year, "wue_l_per_kwh") or {}
    named = pue or wue
    return {
        "id": key,
        "name": named.get("name"),
        **{column: _number(pue.get(column)) for column in ("pue", "pue_low", "pue_high")},
        "pue_year": int(pue["year"]) if pue else None,
        "wue_l_per_kwh": _number(wue.get("wue_l_per_kwh")),
        "wue_year": int(wue["year"]) if wue else None,
    }


def _number(cell: str | None) -> float | None:
    return float(cell) if cell else None


def _grid(found: Cited | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"gco2e_per_kwh": found.value, "year": found.year, "source": found.source}


def _source_row(library: Library, key: str) -> dict[str, Any]:
    source = library.source(key)
    names = ("key", "read", "year", "authors", "title", "entry")
    return {name: getattr(source, name) for name in names}


#: List -> its rows.
_ROWS: dict[str, Callable[[Library], list[dict[str, Any]]]] = {
    "devices": lambda library: [_device_row(library, key) for key in library.device_ids],
    "instances": lambda library: [_instance_row(library, key) for key in library.instance_ids],
    "models": lambda library: [_model_row(library, key) for key in library.model_ids],
    "runs": lambda library: [_run_row(run) for run in library.runs],
    "regions": lambda library: [_region_row(library, key) for key in library.place_ids()],
    "providers": lambda library: [_provider_row(library, key) for key in library.provider_ids],
    "assumptions": lambda _: [
        {"name": t.name, "unit": t.unit or "-", "flag": t.override, "meaning": t.meaning}
        for t in INPUTS.values()
    ],
    "sources": lambda library: [_source_row(library, key) for key in library.source_keys],
    "warnings": lambda _: [{"code": code, "meaning": text} for code, text in CODES.items()],
}
LISTS = tuple(_ROWS)


#: Kind of record -> how to show one, in the order a name alone is looked for.
RECORDS: dict[str, Callable[[str, Library], dict[str, Any]]] = {
    "instance": _instance_record,
    "device": _device_record,
    "model": _model_record,
    "region": _region_record,
    "run": _run_record,
    "assumption": _assumption_record,
    "source": _source_record,
}


class DeviceRow(TypedDict):
    """A row of `list devices`."""

    id: str
    name: str
    dense_16bit_tflops: float | None
    memory_gb: float
    tdp_w: float | None
    released: str
    vendor: str
    device_class: str
    kind: Literal["gpu", "tpu", "npu", "cpu", "soc"]


class InstanceRow(TypedDict):
    """A row of `list instances`; a slice (v4-*) counts cores or chips, so many to a device."""

    id: str
    device: str
    devices: int | None
    per_device: int | None
    provider: str


class InstanceRecord(TypedDict):
    """What `show instance` prints."""

    id: str
    device: str
    devices: int
    provider: str
    source: str
    note: str


class ModelRow(TypedDict):
    """A row of `list models`."""

    id: str
    name: str
    arch: str
    params: float
    active_params: float | None
    tokens: float | None
    released: int


class RunRow(TypedDict):
    """A row of `list runs`; `tests` are letters with commas between them."""

    id: str
    name: str
    arch: str
    device: str | None
    year: int
    tests: str
    device_hours: float | None
    energy_kwh: float | None
    operational_kgco2e: float | None


class RegionRow(TypedDict):
    """A row of `list regions`."""

    id: str
    name: str
    kind: Literal["country", "state", "zone", "cloud", "site"]
    country: str
    zone: str | None
    provider: str | None


class GridObject(TypedDict):
    """A place's latest intensity."""

    gco2e_per_kwh: float
    year: int
    source: str


class FigureObject(TypedDict):
    """A number an answer would take, how far it may be off, and why."""

    value: float
    low: float | None
    high: float | None
    unit: str
    basis: str
    source: str
    read: str
    note: str
    flag: str


class RegionRecord(RegionRow):
    """What `show region` prints."""

    year: int
    grid: GridObject | None
    grid_direct: GridObject | None
    figures: dict[str, FigureObject]
    warnings: Annotated[list[dict[str, str]], list[Notice]]


class ProviderRow(TypedDict):
    """A row of `list providers`: the fleet's latest figures."""

    id: str
    name: str | None
    pue: float | None
    pue_low: float | None
    pue_high: float | None
    pue_year: int | None
    wue_l_per_kwh: float | None
    wue_year: int | None


class AssumptionRow(TypedDict):
    """A row of `list assumptions`."""

    name: str
    unit: str
    flag: str
    meaning: str


class AssumptionRecord(TypedDict):
    """What `show assumption` prints."""

    name: str
    unit: str
    meaning: str
    scale: str
    flag: str
    defaults: dict[str, Any]


class SourceRow(TypedDict):
    """A row of `list sources`."""

    key: str
    read: str
    year: int
    authors: str
    title: str
    entry: str


class CodeRow(TypedDict):
    """A row of `list warnings`."""

    code: str
    meaning: str

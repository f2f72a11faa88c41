"""What the tables hold, as rows and records to print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypedDict, TypeVar, cast

from joulecast.answers.shape import as_dict
from joulecast.data.library import Library
from joulecast.data.places import Cited
from joulecast.data.records import Device, Figure, plain
from joulecast.data.specs import bare
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.notices import CODES, Notice
from joulecast.terms import INPUTS, input_term
from joulecast.validating.runs import TESTS, ReportedRun

Row = TypeVar("Row")


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
    if what == "runs" and (where or {}).get("kind") == "benchmark":
        what, where = "benchmarks", {**(where or {}), "kind": None}
    shape, made = LISTS[what]
    rows = made(library) if tests is None else _runs_that_test(what, tests, library)
    for flag, said in (where or {}).items():
        if said is None:
            continue
        column, columns = FILTERS[flag], shape.__annotations__
        if column not in columns:
            mine = [f"--{other}" for other, name in FILTERS.items() if name in columns]
            why = f"is not a filter of list {what}"
            raise InputError(f"--{flag}", said, why, [*mine, "--contains"])
        wanted = {bare(said), bare(library.place(said).iso3) if flag == "country" else bare(said)}
        rows = [row for row in rows if bare(str(row[column])) in wanted]
    text = contains.casefold()
    return [row for row in rows if any(text in str(cell).casefold() for cell in row.values())]


def _runs_that_test(what: str, tests: str, library: Library) -> list[Any]:
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
) -> Mapping[str, Any]:
    """One record in full, with its sources.

    A name alone is looked for among all kinds, first among those where it is an id.

    `year` is that of a place's figures; raises InputError beside any other record.
    """
    if name is not None:
        if what not in RECORDS:
            near = nearest(what, RECORDS) or RECORDS
            raise UnknownNameError("show", what, "no such record", near)
        return _record(what, name, library, year)
    for kind in sorted(RECORDS, key=lambda kind: what not in _ids(kind, library)):
        try:
            RECORDS[kind](what, library)
        except JoulecastError:
            continue
        return _record(kind, what, library, year)
    kinds = ("device", "instance", "model", "region", "run")
    known = [*(key for kind in kinds for key in _ids(kind, library)), *INPUTS]
    raise UnknownNameError("show", what, "no such record", nearest(what, known) or list(RECORDS))


def _record(kind: str, name: str, library: Library, year: str | None) -> Mapping[str, Any]:
    if kind == "region":
        return _region_record(name, library, year)
    if year is not None:
        raise InputError("--year", year, "goes with a place alone", ["show us-va --year 2023"])
    return RECORDS[kind](name, library)


def _ids(kind: str, library: Library) -> list[str]:
    """Ids of a kind of record, where it has its own."""
    found: list[str] = getattr(library, f"{kind}_ids", [])
    if kind == "run":
        return [*found, *library.benchmark("benchmark_runs")]
    return library.place_ids() if kind == "region" else found


def _row(shape: type[Row], *records: object, **own: Any) -> Row:
    """A row of a shape: each key as in `own`, else that field of the first record that has it.

    Of a figure the value alone is shown.
    """
    row = {}
    for name in shape.__annotations__:
        has = (record for record in records if hasattr(record, name))
        found = own[name] if name in own else getattr(next(has), name)
        row[name] = found.value if isinstance(found, Figure) else found
    return cast("Row", row)


class DeviceRow(TypedDict):
    """A row of `list devices`."""

    id: str
    name: str
    dense_16bit_tflops: float | None
    memory_gb: float | None
    tdp_w: float | None
    released: str | None
    vendor: str
    device_class: str
    kind: Literal["gpu", "tpu", "npu", "cpu", "soc"]


def _device_row(library: Library, key: str) -> DeviceRow:
    device = library.device(key).device
    released = device.release_date.isoformat() if device.release_date else None
    return _row(DeviceRow, device, dense_16bit_tflops=device.peak("bf16"), released=released)


class InstanceRow(TypedDict):
    """A row of `list instances`; a slice (v4-*) counts cores or chips, so many to a device."""

    id: str
    device: str
    devices: int | None
    per_device: int | None
    provider: str


class Evidence(TypedDict):
    """How much is known of training on a device: counts of what was published, and of meters.

    Runs are whole jobs with hours and FLOP; entries tuned benchmark runs; speeds rows of tables.
    """

    runs: int
    families_of_runs: int
    families_of_runs_of_its_generation: int
    benchmark_entries: int
    benchmark_submitters: int
    speeds: int
    families_of_speeds: int
    metered_runs_and_nodes: int


def _device_record(name: str, library: Library) -> Mapping[str, Any]:
    """A device as its record has it, and how much is known of training on it."""
    device = library.device(name).device
    return {**plain(device), "evidence": evidence_of(device, library)}


def evidence_of(device: Device, library: Library) -> Evidence:
    """Count what was published of training on a device."""
    root = device.generation or device.id

    def trained(run: ReportedRun) -> Device:
        return library.device(run.before.device or "").device

    timed = [run for run in library.runs if "H" in run.tests]
    mine = [run for run in timed if trained(run).id == device.id]
    kin = [run for run in timed if (trained(run).generation or trained(run).id) == root]
    tables = {
        name: [row for row in library.benchmark(name).values() if row["device"] == device.id]
        for name in ("benchmark_runs", "benchmark_nodes", "throughput")
    }
    metered = [run for run in library.runs if set(run.tests) & set("EP")]
    return {
        "runs": len(mine),
        "families_of_runs": len({run.family for run in mine}),
        "families_of_runs_of_its_generation": len({run.family for run in kin}),
        "benchmark_entries": len(tables["benchmark_runs"]),
        "benchmark_submitters": len({row["submitter"] for row in tables["benchmark_runs"]}),
        "speeds": len(tables["throughput"]),
        "families_of_speeds": len({row["family"] for row in tables["throughput"]}),
        "metered_runs_and_nodes": len(tables["benchmark_nodes"])
        + sum(run.before.device is not None and trained(run).id == device.id for run in metered),
    }


class InstanceRecord(TypedDict):
    """What `show instance` prints."""

    id: str
    device: str
    devices: int
    provider: str
    source: str
    note: str


def _instance_record(name: str, library: Library) -> InstanceRecord:
    reserved = library.reservation(name)
    if reserved is None:
        near = nearest(name, library.instance_ids) or library.instance_ids[:3]
        raise UnknownNameError("instance", name, "unknown instance", near)
    return _row(InstanceRecord, reserved.instance, id=reserved.name, devices=reserved.total)


class ModelRow(TypedDict):
    """A row of `list models`."""

    id: str
    name: str
    arch: str
    params: float
    active_params: float | None
    tokens: float | None
    released: int


def _model_row(library: Library, key: str) -> ModelRow:
    model = library.model(key)
    return _row(ModelRow, model, released=model.release_year)


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


def _run_row(run: ReportedRun) -> RunRow:
    return _row(RunRow, run, run.before, run.reported, tests=",".join(run.tests))


class BenchmarkRow(TypedDict):
    """A row of `list benchmarks`: a tuned run, which no whole job compares with."""

    id: str
    task: str
    round: str
    submitter: str
    device: str
    device_count: int
    precision: str
    device_hours: float
    utilisation: float


def _benchmark_rows(library: Library) -> list[BenchmarkRow]:
    from joulecast.validating.entries import entry_of

    ids = library.benchmark("benchmark_runs")
    return [
        _row(
            BenchmarkRow,
            entry,
            device_hours=entry.hours,
            utilisation=float(f"{entry.utilisation:.3g}"),
        )
        for entry in (entry_of(name, library) for name in ids)
    ]


def _run_record(name: str, library: Library) -> Mapping[str, Any]:
    """A published run, or one of the benchmark by its id."""
    row = library.benchmark("benchmark_runs").get(name)
    if row is None:
        return cast("Mapping[str, Any]", plain(library.run(name)))
    task = library.benchmark("benchmark_tasks")[row["task"]]
    said = {"id": name, **row, **{f"task_{key}": cell for key, cell in task.items()}}
    return {key: cell for key, cell in said.items() if cell}


class RegionRow(TypedDict):
    """A row of `list regions`."""

    id: str
    name: str
    kind: Literal["country", "state", "zone", "cloud", "site"]
    country: str
    zone: str | None
    provider: str | None


def _region_row(library: Library, key: str) -> RegionRow:
    place = library.place(key)
    zone, provider = place.zone or None, place.provider or None
    return _row(RegionRow, place, country=place.iso3, zone=zone, provider=provider)


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


#: What a place decides, each a figure of its own.
PLACE_FIGURES = ("grid_gco2e_per_kwh", "pue", "wue_l_per_kwh", "water_factor_l_per_kwh")


def _region_record(name: str, library: Library, year: str | None = None) -> RegionRecord:
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
    figures = {
        key: cast("FigureObject", {part: found[key][part] for part in FigureObject.__annotations__})
        for key in PLACE_FIGURES
    }
    return {
        **_region_row(library, place.id),
        "year": when,
        "grid": _grid(local or library.national_grid(place.iso3, when)),
        "grid_direct": _grid(direct),
        "figures": figures,
        "warnings": [
            {"code": n.code, "message": n.message} for n in footprint.warnings if "grid" in n.code
        ],
    }


def _grid(found: Cited | None) -> GridObject | None:
    return None if found is None else _row(GridObject, found, gco2e_per_kwh=found.value)


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


def _provider_row(library: Library, key: str) -> ProviderRow:
    pue = library.provider_row(key, library.latest_year, "pue") or {}
    wue = library.provider_row(key, library.latest_year, "wue_l_per_kwh") or {}
    both = {"pue": pue, "wue": wue}

    def number(row: Mapping[str, str], column: str) -> float | None:
        return float(row[column]) if row.get(column) else None

    figures = {column: number(pue, column) for column in ("pue", "pue_low", "pue_high")}
    figures["wue_l_per_kwh"] = number(wue, "wue_l_per_kwh")
    years = {f"{of}_year": int(row["year"]) if row else None for of, row in both.items()}
    return _row(ProviderRow, id=key, name=(pue or wue).get("name"), **figures, **years)


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


def _assumption_record(name: str, library: Library) -> AssumptionRecord:
    defaults = library.defaults_of(name)
    if name not in INPUTS and defaults:
        return {
            "name": name,
            "unit": "",
            "meaning": "a default that shapes others: how wide, how fast, from where on",
            "scale": "",
            "flag": "--specs",
            "defaults": defaults,
        }
    term = input_term(name)
    return _row(AssumptionRecord, term, flag=term.override, defaults=defaults)


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


#: List -> the shape of a row, and what makes the rows.
LISTS: dict[str, tuple[type, Callable[[Library], list[Any]]]] = {
    "devices": (DeviceRow, lambda lib: [_device_row(lib, key) for key in lib.device_ids]),
    "instances": (
        InstanceRow,
        lambda lib: [_row(InstanceRow, lib.instance(key)) for key in lib.instance_ids],
    ),
    "models": (ModelRow, lambda lib: [_model_row(lib, key) for key in lib.model_ids]),
    "runs": (RunRow, lambda lib: [_run_row(run) for run in lib.runs]),
    "benchmarks": (BenchmarkRow, _benchmark_rows),
    "regions": (RegionRow, lambda lib: [_region_row(lib, key) for key in lib.place_ids()]),
    "providers": (ProviderRow, lambda lib: [_provider_row(lib, key) for key in lib.provider_ids]),
    "assumptions": (
        AssumptionRow,
        lambda _: [
            _row(AssumptionRow, term, unit=term.unit or "-", flag=term.override)
            for term in INPUTS.values()
        ],
    ),
    "sources": (SourceRow, lambda lib: [_row(SourceRow, lib.source(k)) for k in lib.source_keys]),
    "warnings": (CodeRow, lambda _: [CodeRow(code=code, meaning=CODES[code]) for code in CODES]),
}

#: Kind of record -> how to show one, in the order a name alone is looked for.
RECORDS: dict[str, Callable[[str, Library], Mapping[str, Any]]] = {
    "instance": _instance_record,
    "device": _device_record,
    "model": lambda name, lib: plain(lib.model(name)),
    "region": _region_record,
    "run": _run_record,
    "assumption": _assumption_record,
    "source": lambda name, lib: plain(lib.source(name)),
}

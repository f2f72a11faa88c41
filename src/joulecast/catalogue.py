"""What the tables hold, as rows and records to print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.library import Library
from joulecast.notices import CODES
from joulecast.places import Cited
from joulecast.specs import bare
from joulecast.terms import INPUTS, input_term


def listing(
    what: str, library: Library, contains: str = "", where: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """Rows of one table, for people and for JSON alike.

    `contains` keeps the rows that hold a text in any cell, `where` those whose column has a value;
    case and punctuation do not count.  Raises InputError for a column the table does not have.
    """
    if what not in LISTS:
        raise UnknownNameError("list", what, "no such list", nearest(what, LISTS) or LISTS)
    rows = _ROWS[what](library)
    for flag, said in (where or {}).items():
        if said is None:
            continue
        column = FILTERS[flag]
        if column not in rows[0]:
            mine = [f"--{other}" for other, name in FILTERS.items() if name in rows[0]]
            why = f"is not a filter of list {what}"
            raise InputError(f"--{flag}", said, why, [*mine, "--contains"])
        wanted = {bare(said), bare(library.place(said).iso3) if flag == "country" else bare(said)}
        rows = [row for row in rows if bare(str(row[column])) in wanted]
    text = contains.casefold()
    return [row for row in rows if any(text in str(cell).casefold() for cell in row.values())]


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
    """One record in full, with its sources; a name alone is looked for among all kinds.

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
    for kind, record in RECORDS.items():
        try:
            found = record(what, library)
        except JoulecastError:
            continue
        if kind == "region":
            return _region_record(what, library, year)
        _no_year(year)
        return found
    known = [*library.device_ids, *library.model_ids, *library.place_ids(), *INPUTS]
    raise UnknownNameError("show", what, "no such record", nearest(what, known) or list(RECORDS))


def _no_year(year: str | None) -> None:
    if year is not None:
        raise InputError("--year", year, "goes with a place alone", ["show us-va --year 2023"])


def _device_record(name: str, library: Library) -> dict[str, Any]:
    return library.device(name).device.model_dump(mode="json", exclude_none=True)


def _model_record(name: str, library: Library) -> dict[str, Any]:
    return library.model(name).model_dump(mode="json", exclude_none=True)


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
    found = {entry.name: entry.to_dict() for entry in footprint.assumptions}
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
    names = ("key", "read", "year", "authors", "title")
    return {name: getattr(source, name) for name in names}


#: List -> its rows.
_ROWS: dict[str, Callable[[Library], list[dict[str, Any]]]] = {
    "devices": lambda library: [_device_row(library, key) for key in library.device_ids],
    "models": lambda library: [_model_row(library, key) for key in library.model_ids],
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
    "device": _device_record,
    "model": _model_record,
    "region": _region_record,
    "assumption": _assumption_record,
    "source": _source_record,
}

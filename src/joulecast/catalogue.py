"""What the tables hold, as rows and records to print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joulecast.errors import JoulecastError, UnknownNameError, nearest
from joulecast.library import Library
from joulecast.notices import CODES
from joulecast.places import Cited
from joulecast.terms import INPUTS, input_term


def listing(what: str, library: Library) -> list[dict[str, Any]]:
    """Rows of one table, for people and for JSON alike."""
    if what not in LISTS:
        raise UnknownNameError("list", what, "no such list", nearest(what, LISTS) or LISTS)
    return _ROWS[what](library)


def details(what: str, name: str | None, library: Library) -> dict[str, Any]:
    """One record in full, with its sources; a name alone is looked for among all kinds."""
    if name is not None:
        if what not in RECORDS:
            raise UnknownNameError(
                "show", what, "no such record", nearest(what, RECORDS) or RECORDS
            )
        return RECORDS[what](name, library)
    for record in RECORDS.values():
        try:
            return record(what, library)
        except JoulecastError:
            continue
    known = [*library.device_ids, *library.model_ids, *library.place_ids(), *INPUTS]
    raise UnknownNameError("show", what, "no such record", nearest(what, known) or list(RECORDS))


def _device_record(name: str, library: Library) -> dict[str, Any]:
    return library.device(name).device.model_dump(mode="json", exclude_none=True)


def _model_record(name: str, library: Library) -> dict[str, Any]:
    return library.model(name).model_dump(mode="json", exclude_none=True)


def _source_record(name: str, library: Library) -> dict[str, Any]:
    return library.source(name).model_dump(mode="json")


def _assumption_record(name: str, library: Library) -> dict[str, Any]:
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
    }


def _region_record(name: str, library: Library) -> dict[str, Any]:
    place = library.place(name)
    year = library.latest_year
    local = library.zone_grid(place.zone, year) if place.zone else None
    direct = library.direct_grid(place.direct_area, year) if place.direct_area else None
    return {
        **_region_row(library, place.id),
        "provider": place.provider or None,
        "grid": _grid(local or library.national_grid(place.iso3, year)),
        "grid_direct": _grid(direct),
    }


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
    "providers": lambda library: [{"id": key} for key in library.provider_ids],
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

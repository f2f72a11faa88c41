"""What the tables hold, as rows and records to print."""

from __future__ import annotations

from typing import Any

from joulecast.errors import UnknownNameError, nearest
from joulecast.library import Library
from joulecast.notices import CODES
from joulecast.terms import INPUTS, input_term

LISTS = ("devices", "regions", "providers", "assumptions", "sources", "warnings")
RECORDS = ("device", "region", "source", "assumption")


def listing(what: str, library: Library) -> list[dict[str, Any]]:
    """Rows of one table, for people and for JSON alike."""
    if what == "devices":
        return [_device_row(library, key) for key in library.device_ids]
    if what == "regions":
        return [_region_row(library, key) for key in library.place_ids()]
    if what == "providers":
        return [{"id": key} for key in library.provider_ids]
    if what == "assumptions":
        return [
            {"name": t.name, "unit": t.unit or "-", "flag": t.override, "meaning": t.meaning}
            for t in INPUTS.values()
        ]
    if what == "sources":
        sources = [library.source(key) for key in library.source_keys]
        return [
            {"key": s.key, "read": s.read, "year": s.year, "authors": s.authors, "title": s.title}
            for s in sources
        ]
    if what == "warnings":
        return [{"code": code, "meaning": meaning} for code, meaning in CODES.items()]
    raise UnknownNameError("list", what, "no such list", nearest(what, LISTS) or LISTS)


def details(what: str, name: str, library: Library) -> dict[str, Any]:
    """One record in full, with its sources."""
    if what == "device":
        return library.device(name).device.model_dump(mode="json", exclude_none=True)
    if what == "region":
        return _region_record(library, name)
    if what == "source":
        return library.source(name).model_dump(mode="json")
    if what == "assumption":
        term = input_term(name)
        return {
            "name": term.name,
            "unit": term.unit,
            "meaning": term.meaning,
            "scale": term.scale,
            "flag": term.override,
            "defaults": library.defaults_of(name),
        }
    raise UnknownNameError("show", what, "no such record", nearest(what, RECORDS) or RECORDS)


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


def _region_row(library: Library, key: str) -> dict[str, Any]:
    place = library.place(key)
    return {
        "id": key,
        "name": place.name,
        "kind": place.kind,
        "country": place.iso3,
        "zone": place.zone or None,
    }


def _region_record(library: Library, name: str) -> dict[str, Any]:
    place = library.place(name)
    year = library.latest_year
    local = library.zone_grid(place.zone, year) if place.zone else None
    found = local or library.national_grid(place.iso3, year)
    grid = None
    if found is not None:
        grid = {"gco2e_per_kwh": found.value, "year": found.year, "source": found.source}
    return {**_region_row(library, place.id), "provider": place.provider or None, "grid": grid}

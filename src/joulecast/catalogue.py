"""What the tables hold, as rows and records to print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.library import Library
from joulecast.notices import CODES
from joulecast.places import Cited
from joulecast.runs import TESTS, ReportedRun
from joulecast.terms import INPUTS, input_term


def listing(what: str, library: Library, tests: str | None = None) -> list[dict[str, Any]]:
    """Rows of one table, for people and for JSON alike.

    `tests` leaves of the published runs those that test all of its letters.
    """
    if what not in LISTS:
        raise UnknownNameError("list", what, "no such list", nearest(what, LISTS) or LISTS)
    if tests is None:
        return _ROWS[what](library)
    if what != "runs":
        raise InputError("--tests", tests, f"{what} test nothing", ["joulecast list runs"])
    letters = tests.replace(",", " ").split()
    for letter in letters:
        if letter not in TESTS:
            known = [f"{known} ({meaning})" for known, meaning in TESTS.items()]
            raise UnknownNameError("--tests", letter, "is nothing a run tests", known)
    return [_run_row(run) for run in library.runs if set(letters) <= set(run.tests)]


def details(what: str, name: str | None, library: Library) -> dict[str, Any]:
    """One record in full, with its sources.

    A name alone is looked for among all kinds, first among those where it is an id.
    """
    if name is not None:
        if what not in RECORDS:
            raise UnknownNameError(
                "show", what, "no such record", nearest(what, RECORDS) or RECORDS
            )
        return RECORDS[what](name, library)
    for kind in sorted(RECORDS, key=lambda kind: what not in _ids(kind, library)):
        try:
            return RECORDS[kind](what, library)
        except JoulecastError:
            continue
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


def _device_record(name: str, library: Library) -> dict[str, Any]:
    return library.device(name).device.model_dump(mode="json", exclude_none=True)


def _model_record(name: str, library: Library) -> dict[str, Any]:
    return library.model(name).model_dump(mode="json", exclude_none=True)


def _run_record(name: str, library: Library) -> dict[str, Any]:
    return library.run(name).model_dump(mode="json", exclude_none=True)


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
    "instances": lambda library: [_instance_row(library, key) for key in library.instance_ids],
    "models": lambda library: [_model_row(library, key) for key in library.model_ids],
    "runs": lambda library: [_run_row(run) for run in library.runs],
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
    "instance": _instance_record,
    "device": _device_record,
    "model": _model_record,
    "region": _region_record,
    "run": _run_record,
    "assumption": _assumption_record,
    "source": _source_record,
}

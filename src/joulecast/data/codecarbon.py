"""Reads the emissions.csv that CodeCarbon writes: one row a run, what it measured and where.

Columns and units as in its documentation (https://mlco2.github.io/codecarbon/output.html): energy
in kWh, emissions in kg, duration in s, power in W.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from joulecast.data.reading import number
from joulecast.errors import InputError, brief

#: Without these a file is none of CodeCarbon's.
NEEDED = ("duration", "emissions", "energy_consumed")

_ENERGIES = ("cpu_energy", "gpu_energy", "ram_energy")

#: Columns that hold numbers; a column that is not there, or is empty, is not known.
NUMBERS = (*NEEDED, "emissions_rate", *_ENERGIES, "gpu_count", "pue", "water_consumed")


class Measurement(NamedTuple):
    """A run as CodeCarbon measured it; None where the file does not say."""

    name: str
    line: int
    duration_s: float
    emissions_kg: float
    energy_kwh: float
    emissions_rate_kg_per_s: float | None
    cpu_energy_kwh: float | None
    gpu_energy_kwh: float | None
    ram_energy_kwh: float | None
    gpu_count: int | None
    pue: float
    gpu_model: str
    country: str
    cloud_region: str

    @property
    def facility(self) -> bool:
        """Whether its energy was multiplied by a PUE; else it is that of the machine alone."""
        return self.pue > 1


def read_emissions(path: Path) -> list[Measurement]:
    """Every run of a file, the last row of each: a run that goes on is written again.

    Raises InputError for a file that cannot be read, is not CodeCarbon's, or holds no number
    where one belongs.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "is not text"
        raise InputError("file", path, f"cannot be read: {why}") from None
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        why = f"has no column {missing[0]}, so it is no emissions.csv of CodeCarbon"
        raise InputError("file", path, why)
    found: dict[str, Measurement] = {}
    for row in rows:
        one = _measurement(row, rows.line_num)
        found[one.name] = one
    if not found:
        raise InputError("file", path, "has no row")
    return list(found.values())


def one_run(path: Path, name: str | None = None) -> Measurement:
    """The run of a file; of several the one named.

    Raises InputError where the file holds several and none is named, or none of that name.
    """
    runs = read_emissions(path)
    if name is None and len(runs) > 1:
        choices = [f"--run {run.name}" for run in runs[:3]]
        raise InputError("file", path, f"holds {len(runs)} runs", choices)
    chosen = [run for run in runs if name in (None, run.name)]
    if not chosen:
        raise InputError("--run", name, f"is not in {path}", [run.name for run in runs[:3]])
    return chosen[0]


def _measurement(row: Mapping[str, str | None], line: int) -> Measurement:
    said = {name: (row.get(name) or "").strip() for name in row if name}
    known = {name: _number(name, said.get(name, ""), line) for name in NUMBERS}
    for name in NEEDED:
        if known[name] is None:
            raise InputError(f"line {line}: {name}", None, "is empty")
    count = known["gpu_count"]
    return Measurement(
        name=said.get("run_id") or said.get("project_name") or f"line {line}",
        line=line,
        duration_s=known["duration"] or 0.0,
        emissions_kg=known["emissions"] or 0.0,
        energy_kwh=known["energy_consumed"] or 0.0,
        emissions_rate_kg_per_s=known["emissions_rate"],
        cpu_energy_kwh=known["cpu_energy"],
        gpu_energy_kwh=known["gpu_energy"],
        ram_energy_kwh=known["ram_energy"],
        gpu_count=int(count) if count else None,
        pue=known["pue"] or 1.0,
        gpu_model=said.get("gpu_model", ""),
        country=said.get("country_iso_code", ""),
        cloud_region=said.get("cloud_region", ""),
    )


def _number(name: str, text: str, line: int) -> float | None:
    if not text:
        return None
    value = number(f"line {line}: {name}", text)
    if value < 0:
        raise InputError(f"line {line}: {name}", brief(value), "must not be negative")
    return value

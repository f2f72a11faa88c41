"""The rules for CodeCarbon's emissions.csv: parts, rates, power and grid of each run."""

from __future__ import annotations

from collections.abc import Iterator

from joulecast import units
from joulecast.answers.check import Finding, Reading
from joulecast.checks.findings import (
    GRID_MARGIN,
    GRIDS,
    first_found,
    grids_of,
    near,
    phrases,
    two_digits,
)
from joulecast.data.codecarbon import Measurement
from joulecast.data.library import Library
from joulecast.errors import brief


def readings_of(run: Measurement) -> list[Reading]:
    """The figures that are checked."""
    said = (
        ("emissions", run.emissions_kg, "kg"),
        ("energy", run.energy_kwh, "kWh"),
        ("hours", run.duration_s / (units.hour / units.second), "h"),
        ("devices", float(run.gpu_count or 0), ""),
    )
    return [
        Reading(name, value, f"{brief(value)} {unit}".strip(), run.line, 0.0)
        for name, value, unit in said
        if value
    ]


def findings_of_run(run: Measurement, library: Library) -> Iterator[Finding]:
    """A measured run: its parts, its rates, its power, its grid."""
    parts = [
        e for e in (run.cpu_energy_kwh, run.gpu_energy_kwh, run.ram_energy_kwh) if e is not None
    ]
    if len(parts) == 3 and sum(parts) > 0 and run.energy_kwh > 0:
        ratio = run.energy_kwh / sum(parts)
        if not (near(ratio, 1, 0.02) or near(ratio, run.pue, 0.02)):
            yield Finding(
                "energy",
                run.line,
                f"energy_consumed {brief(run.energy_kwh)} kWh",
                f"CPU, GPU and RAM come to {brief(sum(parts))} kWh",
                _file_cause(ratio),
            )
    if run.pue < 1:
        cause = "a PUE is facility over IT energy"
        yield Finding("pue", run.line, f"pue {run.pue:g}", "it is never below 1", cause)
    rate = run.emissions_rate_kg_per_s
    if rate and run.duration_s > 0 and run.emissions_kg > 0:
        follows = rate * run.duration_s
        if not near(run.emissions_kg / follows, 1, 0.05):
            yield Finding(
                "emissions",
                run.line,
                f"emissions {brief(run.emissions_kg)} kg",
                f"emissions_rate x duration is {brief(follows)} kg",
                _file_cause(run.emissions_kg / follows),
            )
    yield from _power_of(run, library)
    yield from _grid_of(run, library)


def _file_cause(ratio: float) -> str:
    if any(near(ratio, size) for size in (1e3, 1e-3, 1e6, 1e-6)):
        return "a unit is off by k or M: emissions are kg, energies kWh, durations s"
    return f"{two_digits(max(ratio, 1 / ratio))} times {'more' if ratio > 1 else 'less'}"


def _power_of(run: Measurement, library: Library) -> Iterator[Finding]:
    """Mean power of a GPU against what it is rated; CodeCarbon multiplies its energy by the PUE."""
    found = first_found(phrases([run.gpu_model]), library.device)
    energy, count = run.gpu_energy_kwh, run.gpu_count
    if found is None or found.device.tdp_w is None or not energy or not count or not run.duration_s:
        return
    hours = run.duration_s / (units.hour / units.second) * count
    watts, tdp = energy * 1000 / hours / max(run.pue, 1.0), found.device.tdp_w.value
    if watts > 1.15 * tdp:
        yield Finding(
            "power",
            run.line,
            f"gpu_energy {brief(energy)} kWh in {brief(hours)} GPU-hours",
            f"that is {watts:,.0f} W a GPU, and {found.device.name} is rated {tdp:g} W",
            "more GPUs were measured than gpu_count says" if watts < 20 * tdp else "a unit is off",
        )


def _grid_of(run: Measurement, library: Library) -> Iterator[Finding]:
    """Emissions over energy against the grid of the place."""
    if run.energy_kwh <= 0 or run.emissions_kg <= 0:
        return
    grid = run.emissions_kg * 1000 / run.energy_kwh
    place = first_found([name for name in (run.cloud_region, run.country) if name], library.place)
    low, high = GRIDS if place is None else grids_of(place, library)
    if low / GRID_MARGIN <= grid <= high * GRID_MARGIN:
        return
    where = "any grid" if place is None else f"the grid of {place.name}"
    yield Finding(
        "grid_place",
        run.line,
        f"emissions over energy is {grid:.3g} gCO2e/kWh",
        f"{where} has had {low:.0f} to {high:.0f}",
        "a unit is off" if grid < low / 300 or grid > 300 * high else "the grid of another place",
    )

"""CSV with the columns of CodeCarbon's emissions.csv, to lay plan and measurement side by side.

As CodeCarbon counts: `emissions` [kg] is the operation alone, power and energy of the GPUs hold
the PUE, `water_consumed` [L] is that of the site, `wue` [L/kWh] times `energy_consumed`.  What that
table has no column for stands in further columns whose names begin with joulecast.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from joulecast import units
from joulecast._version import __version__
from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.answers.shape import ten
from joulecast.citing.methods import name_of
from joulecast.exporting.facts import needed, provider, values_of
from joulecast.plan import as_said

#: Columns of CodeCarbon 3.3, in its order; before 3.2.1 it had none of load, before 3.0.8 no water.
CODECARBON = (
    "timestamp", "project_name", "run_id", "experiment_id", "duration", "emissions",
    "emissions_rate", "cpu_power", "gpu_power", "ram_power", "cpu_energy", "gpu_energy",
    "ram_energy", "energy_consumed", "water_consumed", "country_name", "country_iso_code",
    "region", "cloud_provider", "cloud_region", "os", "python_version", "codecarbon_version",
    "cpu_count", "cpu_model", "gpu_count", "gpu_model", "longitude", "latitude",
    "ram_total_size", "tracking_mode", "cpu_utilization_percent", "gpu_utilization_percent",
    "ram_utilization_percent", "ram_used_gb", "on_cloud", "pue", "wue",
)  # fmt: skip

#: Our own columns; the last one holds the plan as JSON.
OWN = (
    "joulecast_total_kgco2e",
    "joulecast_total_kgco2e_p10",
    "joulecast_total_kgco2e_p90",
    "joulecast_embodied_kgco2e",
    "joulecast_device_hours",
    "joulecast_version",
    "joulecast_data",
    "joulecast_plan",
)


def write(footprints: Sequence[Footprint]) -> str:
    """A header and a row to each run; cells that a forecast cannot know are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (*CODECARBON, *OWN), lineterminator="\n")
    writer.writeheader()
    for footprint in footprints:
        writer.writerow(_row(footprint))
    return text.getvalue()


def _row(footprint: Footprint) -> dict[str, object]:
    plan, known = footprint.plan, footprint.quantities
    inputs = _common(footprint)
    energy = needed(footprint, "energy_kwh", "csv").value
    water = _value(known["water_onsite_l"])
    days = known["wall_clock_days"]
    seconds = None if days is None else days.value * units.day / units.second
    emissions = _value(footprint.operational)
    total = footprint.total
    cells = {
        "project_name": name_of(footprint),
        "duration": seconds,
        "emissions": emissions,
        "emissions_rate": emissions / seconds if seconds and emissions is not None else None,
        "gpu_power": _power(footprint),
        "gpu_energy": _gpu_energy(footprint),
        "energy_consumed": ten(energy),
        "water_consumed": water,
        "country_name": plan.get("region_name"),
        "country_iso_code": plan.get("country"),
        "region": plan.get("region"),
        "cloud_provider": provider(footprint),
        "gpu_count": _count(footprint),
        "gpu_model": _models(footprint),
        "tracking_mode": "forecast",
        "on_cloud": "Y" if provider(footprint) else None,
        "pue": inputs.get("pue"),
        "wue": None if water is None or not energy else ten(water / energy),
        "joulecast_total_kgco2e": _value(total),
        "joulecast_total_kgco2e_p10": None if total is None else ten(total.p10),
        "joulecast_total_kgco2e_p90": None if total is None else ten(total.p90),
        "joulecast_embodied_kgco2e": _value(footprint.embodied),
        "joulecast_device_hours": _value(footprint.device_hours),
        "joulecast_version": __version__,
        "joulecast_data": footprint.data_digest,
        "joulecast_plan": json.dumps(as_said(footprint.asked), ensure_ascii=False),
    }
    return {name: "" if value is None else value for name, value in cells.items()}


def _common(footprint: Footprint) -> dict[str, float]:
    """Inputs of one value; those in which the entries of a fleet differ are left out."""
    values: dict[str, set[float]] = {}
    for entry in footprint.assumptions:
        values.setdefault(entry.name, set()).add(entry.value)
    return {name: min(those) for name, those in values.items() if len(those) == 1}


def _power(footprint: Footprint) -> float | None:
    """Power of all devices at once with PUE; None where it is not known of every entry."""
    total = 0.0
    for entry in footprint.entries:
        inputs, count = values_of(entry), entry.plan.get("device_count")
        if not count or "device_power_w" not in inputs:
            return None
        total += inputs["device_power_w"] * count * inputs.get("pue", 1.0)
    return ten(total)


def _gpu_energy(footprint: Footprint) -> float | None:
    """Energy of the devices with PUE; None where it is not known of every entry."""
    total = 0.0
    for entry in footprint.entries:
        energy = entry.quantities["device_energy_kwh"]
        if energy is None:
            return None
        total += energy.value * values_of(entry).get("pue", 1.0)
    return ten(total)


def _count(footprint: Footprint) -> int | None:
    counts = [entry.plan.get("device_count") or 0 for entry in footprint.entries]
    return sum(counts) if all(counts) else None


def _models(footprint: Footprint) -> str:
    """Number and name of each type, as CodeCarbon writes one."""
    said = []
    for entry in footprint.entries:
        count, device = entry.plan.get("device_count"), entry.plan.get("device_name")
        said.append(f"{count} x {device}" if count and device else device)
    return "; ".join(one for one in said if one)


def _value(quantity: Quantity | None) -> float | None:
    return None if quantity is None else ten(quantity.value)

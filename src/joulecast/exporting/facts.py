"""What several formats say of a run: where, on what, whose, and what they cannot do without."""

from __future__ import annotations

from joulecast._version import __version__
from joulecast.answers.footprint import Assumption, Footprint
from joulecast.answers.quantity import Quantity
from joulecast.errors import InputError

_WAYS = {
    "total_kgco2e": ["--region us-va", "--set grid_gco2e_per_kwh=400"],
    "energy_kwh": ["--device h100-sxm", "--set energy_kwh="],
    "eu_training_compute_flop": ["--params 7B --tokens 2T", "--flop 1e23"],
    "training_flop": ["--params 7B --tokens 2T", "--flop 1e23"],
}


def needed(footprint: Footprint, name: str, format_: str) -> Quantity:
    """A result that a format must state; raises InputError where the answer does not hold it."""
    quantity = footprint.quantities[name]
    if quantity is None:
        why = f"is unknown, and the {format_} format must state it"
        timed = any(part.hours is not None for part in footprint.fleet)
        ways = ["share in place of hours under [[fleet]]"] if timed else _WAYS[name]
        raise InputError(name, None, why, ways)
    return quantity


def made_with(footprint: Footprint) -> str:
    """What made the forecast: joulecast with its version, and that of its data."""
    return f"joulecast {__version__}, data {footprint.data_digest}"


def is_fine_tuning(footprint: Footprint) -> bool:
    """Whether part of the weights is frozen."""
    return (
        footprint.asked.trainable_params is not None or "trainable_params" in footprint.asked.given
    )


def where(footprint: Footprint) -> str:
    """Place of the run in words; of a fleet every place."""
    return "; ".join(dict.fromkeys(_place(entry) for entry in footprint.entries))


def _place(entry: Footprint) -> str:
    plan = entry.plan
    if not plan.get("region_name"):
        assumed = any(one.code == "place_unknown" for one in entry.warnings)
        return (
            "place not stated; the mean grid of the world is assumed" if assumed else "not stated"
        )
    country = f" ({plan['country']})" if plan.get("country") else ""
    return f"{plan['region_name']}{country}"


def hardware(footprint: Footprint) -> str:
    """Devices of the run in words; of a fleet every type."""
    return "; ".join(dict.fromkeys(_devices(entry) for entry in footprint.entries))


def _devices(entry: Footprint) -> str:
    name, count = entry.plan.get("device_name"), entry.plan.get("device_count")
    if not name:
        return f"{count:,} devices" if count else "not stated"
    return f"{count:,} x {name}" if count else str(name)


def provider(footprint: Footprint) -> str:
    """Whose data centre, or data centres; empty where nobody said."""
    said = (entry.plan.get("provider") for entry in footprint.entries)
    return ", ".join(dict.fromkeys(name for name in said if name))


def grids(footprint: Footprint) -> list[Assumption]:
    """Intensity of the grid; of a fleet that of every place."""
    return [one for one in footprint.assumptions if one.name == "grid_gco2e_per_kwh"]


def values_of(entry: Footprint) -> dict[str, float]:
    """Inputs of one run by name, each in its unit; the power of devices that wait among them."""
    values = {one.name: one.value for one in entry.assumptions}
    energy, hours = (entry.quantities[name] for name in ("device_energy_kwh", "device_hours"))
    if "device_power_full_w" in values and energy is not None and hours is not None:
        values["device_power_w"] = 1000 * energy.value / hours.value
    return values

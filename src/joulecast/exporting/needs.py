"""What a format cannot do without, with the way to supply it."""

from __future__ import annotations

from joulecast.answers.footprint import Footprint
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


def is_fine_tuning(footprint: Footprint) -> bool:
    """Whether part of the weights is frozen."""
    return (
        footprint.asked.trainable_params is not None or "trainable_params" in footprint.asked.given
    )

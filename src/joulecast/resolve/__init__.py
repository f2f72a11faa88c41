"""From a plan and the library to a ledger: the only room where strings choose and defaults apply.

What is given is taken; what is not is looked up or assumed, and every such choice is a Datum with
its source, or a warning, or both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joulecast.errors import InputError
from joulecast.library import Library
from joulecast.plan import Plan
from joulecast.resolve import hardware, model, place
from joulecast.resolve.ledger import Ledger

__all__ = ["Ledger", "resolve"]

#: Quantities from which an answer can start, latest first.
STAGES = (
    "operational_kgco2e",
    "energy_kwh",
    "it_energy_kwh",
    "device_energy_kwh",
    "device_hours",
    "wall_clock_days",
    "training_flop",
)


def resolve(plan: Plan, library: Library) -> Ledger:
    """Settle every number, name and source of a plan.

    Raises JoulecastError where the plan contradicts itself or says too little.
    """
    ledger = Ledger(plan, library)
    _take_given(ledger)
    size = model.resolve(ledger)
    _check_entry(ledger)
    device = hardware.resolve(ledger, size)
    place.resolve(ledger)
    hardware.check(ledger, device, size)
    return ledger


def _take_given(ledger: Ledger) -> None:
    """Quantities given by name, then those given by a flag of their own, which win."""
    plan = ledger.plan
    flags: Mapping[str, Any] = {
        "params": plan.params,
        "active_params": plan.active_params,
        "tokens": plan.tokens,
        "training_flop": plan.flop,
        "device_count": plan.device_count,
    }
    for name, raw in {**plan.given, **{k: v for k, v in flags.items() if v is not None}}.items():
        ledger.give(name, raw)


def _check_entry(ledger: Ledger) -> None:
    """There must be something to start from."""
    if any(name in ledger.data for name in STAGES) or "tokens" in ledger.data:
        return
    if ledger.plan.params is None and "params" not in ledger.data:
        raise InputError(
            "plan",
            None,
            "nothing to estimate from",
            ["--params 7B --tokens 2T", "--flop 1e23", "--set device_hours=10000"],
        )
    if "active_params" in ledger.data or "params" in ledger.data:
        size = ledger.data["params" if "params" in ledger.data else "active_params"].value
        raise InputError(
            "tokens",
            None,
            "params without tokens; about 20 tokens per parameter is compute-optimal",
            [f"--tokens {20 * size:.3g}"],
        )

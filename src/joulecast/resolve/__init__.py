"""From a plan and the library to a ledger: the only room where strings choose and defaults apply.

What is given is taken; what is not is looked up or assumed, and every such choice is a Datum with
its source, or a warning, or both.
"""

from __future__ import annotations

from typing import Any

from joulecast.errors import InputError, brief
from joulecast.library import Library
from joulecast.plan import FIELDS_OF_QUANTITIES, Plan
from joulecast.resolve import hardware, model, place
from joulecast.resolve.ledger import Ledger

__all__ = ["Ledger", "resolve"]


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
    ledger.resolved |= {"runs": int(plan.runs or 1), "only_given": plan.only_given}
    return ledger


def _take_given(ledger: Ledger) -> None:
    """Quantities given by name, then those given by a field of their own, which win."""
    plan = ledger.plan
    given: dict[str, Any] = dict(plan.given)
    for name, field in FIELDS_OF_QUANTITIES.items():
        if getattr(plan, field) is not None:
            given[name] = getattr(plan, field)
    for name, raw in given.items():
        ledger.give(name, raw)
    if ledger.has("training_flop", "executed_flop"):
        factor = ledger.data["executed_flop"].value / ledger.data["training_flop"].value
        if factor < 0.999:
            raise InputError(
                "executed_flop",
                brief(ledger.data["executed_flop"].value),
                "cannot be below training_flop, which it contains",
                ["giving one of the two"],
            )


def _check_entry(ledger: Ledger) -> None:
    """There must be something to start from."""
    sized = ledger.has("params") or ledger.has("active_params")
    if ledger.given("wall_clock_days") and not ledger.has("device_count"):
        days = brief(ledger.data["wall_clock_days"].value)
        raise InputError(
            "wall_clock_days", days, "needs the number of devices", ["--device-count 64"]
        )
    if any(ledger.has(name) for name in model.LATER) or (sized and ledger.has("tokens")):
        return
    if sized:
        size = ledger.data["active_params" if ledger.has("active_params") else "params"].value
        why = "params without tokens"
        if ledger.resolved["model"] is not None:
            why = f"those of {ledger.resolved['model']} were not published"
        raise InputError(
            "tokens",
            None,
            f"{why}; about 20 tokens per parameter is compute-optimal",
            [f"--tokens {brief(20 * size)}"],
        )
    if ledger.has("tokens"):
        raise InputError("params", None, "tokens without params", ["--params 7B", "--flop 1e23"])
    raise InputError(
        "plan",
        None,
        "nothing to estimate from",
        ["--params 7B --tokens 2T", "--flop 1e23", "--set device_hours=10000"],
    )

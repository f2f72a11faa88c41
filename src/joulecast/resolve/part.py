"""From a plan of one part to its ledger, step by step."""

from __future__ import annotations

from typing import Any

from joulecast import units
from joulecast.chain import ONSITE
from joulecast.data.library import Library
from joulecast.errors import InputError, brief
from joulecast.outcome import follow
from joulecast.plan import FIELDS_OF_QUANTITIES, PROJECTS, Plan
from joulecast.resolve import around, hardware, model, place, reserved, tuning, utilisation
from joulecast.resolve.finetune import ROLLOUTS
from joulecast.resolve.ledger import Ledger
from joulecast.uncertainty import nominal


def resolve_part(plan: Plan, library: Library, alike: bool = False) -> Ledger:
    """Settle every number, name and source of a plan without a fleet.

    Raises JoulecastError where the plan contradicts itself or says too little.
    """
    plan, adapter = tuning.opened(plan)
    ledger = Ledger(plan, library)
    ledger.alike, ledger.adapter = alike, adapter
    ledger.tuning = tuning.of_plan(plan, adapter)
    _take_given(ledger)
    place.settle_year(ledger)
    reserved.resolve(ledger)
    size = model.resolve(ledger)
    _check_entry(ledger)
    device = hardware.resolve(ledger, size)
    hardware.charged(ledger)
    hardware.building(ledger)
    place.resolve(ledger)
    around.resolve(ledger)
    around.check_project(ledger)
    _check_together(ledger)
    if plan.only_given and ledger.given("device_energy_kwh") and not ledger.has("device_hours"):
        ledger.settle("host_energy_kwh", 0.0, "nothing added that was not given")
    ledger.middle = follow([nominal(ledger.ordered())]).parts[0]
    hardware.check(ledger, device, size)
    _check_switches(ledger)
    _check_answer(ledger)
    ledger.resolved |= {
        "runs": int(plan.runs or 1),
        "include_building": plan.include_building,
        "embodied_mode": plan.embodied_mode or "amortised",
        "currency": plan.currency,
        "only_given": plan.only_given,
    }
    return ledger


def _take_given(ledger: Ledger) -> None:
    """Quantities given by name, then those given by a field of their own, which win."""
    plan = ledger.plan
    given: dict[str, Any] = dict(plan.given)
    for name, field in FIELDS_OF_QUANTITIES.items():
        if getattr(plan, field) is not None:
            given[name] = getattr(plan, field)
    for name, raw in given.items():
        if name == "project_factor" and raw in PROJECTS:
            figure = ledger.library.default(f"project_factor.{raw}")
            ledger.assume(name, figure, f"assumption.project.{raw}", essential=True)
        elif not around.take_share(ledger, name, raw):
            ledger.give(name, raw)


#: What to try of each: half of the energy, by gas turbines (IPCC 2014, annex III, median).
ONSITE_HINT = {"onsite_share": "0.5", "onsite_gco2e_per_kwh": "490"}


def _check_together(ledger: Ledger) -> None:
    """Given quantities that cannot hold at once."""
    data = ledger.data

    def clash(name: str, why: str) -> InputError:
        return InputError(name, brief(data[name].value), why, ["giving one of the two"])

    if ledger.given("training_flop") and ledger.given("executed_flop"):
        factor = data["executed_flop"].value / data["training_flop"].value
        if factor < 0.999:
            raise clash("executed_flop", "cannot be below training_flop, which it contains")
        said = data["recompute_factor"].value if "recompute_factor" in data else factor
        if ledger.plan.recompute is not None and abs(factor / said - 1) > 0.05:
            why = f"is {brief(factor)} x training_flop, but {ledger.plan.recompute} recomputation "
            raise clash("executed_flop", f"{why}is {brief(said)} x")
    both = ledger.given("energy_kwh") and ledger.given("it_energy_kwh")
    if both and data["energy_kwh"].value < data["it_energy_kwh"].value * 0.999:
        raise clash("energy_kwh", "cannot be below it_energy_kwh: PUE is never below 1")
    if all(ledger.given(name) for name in ("device_hours", "wall_clock_days", "device_count")):
        hours = data["wall_clock_days"].value * data["device_count"].value * units.day / units.hour
        if abs(hours / data["device_hours"].value - 1) > 0.01:
            raise clash("device_hours", f"contradicts days x devices = {brief(hours)} h")
    onsite = [name for name in ONSITE if ledger.given(name)]
    if len(onsite) == 1:
        other = ONSITE[1 - ONSITE.index(onsite[0])]
        value = brief(data[onsite[0]].value)
        raise InputError(
            onsite[0], value, f"needs {other}", [f"--set {other}={ONSITE_HINT[other]}"]
        )
    named = [name for name in utilisation.AS_IT_IS if ledger.given(name)]
    if named and ledger.given("precision_speedup"):
        why = f"cannot be combined with {named[0]}, which holds the gain already"
        raise clash("precision_speedup", why)


def _check_switches(ledger: Ledger) -> None:
    """Say of a switch that was set and changed nothing that it did not."""
    rests_on = {
        "include_building": "building_making_kgco2e",
        "hydro_evaporation": "water_offsite_l",
        "storage_medium": "storage_energy_kwh",
    }
    for name, result in rests_on.items():
        if getattr(ledger.plan, name) and result not in ledger.middle.known:
            ledger.warn("given_unused", f"{name} was given, but nothing in the answer rests on it")


#: An answer has at least one of these.
ANSWERS = (
    "total_kgco2e",
    "embodied_kgco2e",
    "energy_kwh",
    "device_hours",
    "training_flop",
    "water_l",
    "water_onsite_l",
    "water_offsite_l",
)


def _check_answer(ledger: Ledger) -> None:
    """Never an answer without an answer."""
    run = ledger.middle
    if "energy_kwh" not in run.known and ledger.given("device_energy_kwh"):
        raise InputError(
            "device_energy_kwh",
            brief(ledger.data["device_energy_kwh"].value),
            "is the devices' alone; the hosts' needs the hours or their energy",
            ["--set host_energy_kwh=", "--set device_hours=", "--only-given"],
        )
    if not any(name in run.known for name in ANSWERS):
        raise InputError(
            "plan",
            None,
            "nothing follows from what was given",
            ["--flop 1e23", "--set energy_kwh="],
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
    if sized and ledger.resolved["arch"] not in model.RULES and ledger.plan.model is not None:
        why = f"those of {ledger.resolved['model']} do not follow from its size"
        raise InputError("flop", None, why, ["--flop FLOP"])
    if sized and ledger.tuning is not None:
        rolls = ledger.tuning.method in ROLLOUTS
        hints = ["--samples 10k" if rolls else "--samples 10k --sample-tokens 500", "--tokens 10M"]
        raise InputError("tokens", None, "those of the fine-tune are not said", hints)
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

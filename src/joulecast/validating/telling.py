"""What a forecast is told of a published run, and the figure it is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun


#: Grid intensity and PUE as published with the run, where they are given.
GRID = "grid and PUE"

#: What may be told of a run beside its inputs -> the reported figures that say it.
TOLD = {
    "hours": ("device_hours",),
    "mfu": ("mfu",),
    "power": ("power_w",),
    GRID: ("grid_gco2e_per_kwh", "pue"),
}


def inputs(run: ReportedRun, with_flop: bool = True) -> dict[str, Any]:
    """Fields of a plan that were known before the run; nothing of what was reported after it."""
    before = run.before
    plan: dict[str, Any] = {
        "arch": before.arch,
        "field": before.field,
        "params": before.params,
        "active_params": before.active_params,
        "seq_len": before.seq_len and int(before.seq_len.value),
        "device": before.device,
        "device_count": before.device_count,
        "year": before.year,
        "precision": before.precision,
        "region": before.place,
    }
    if with_flop:
        plan |= {"flop": before.flop} if before.needs_flop else {"tokens": before.tokens}
    plain = {name: getattr(value, "value", value) for name, value in plan.items()}
    return {name: value for name, value in plain.items() if value is not None}


def boundary(run: ReportedRun, quantity: str) -> dict[str, float]:
    """What the meter left out is left out of the forecast too."""
    energy = run.reported.energy_kwh
    if quantity in ("hours", "magnitude") or energy is None:
        return {}
    left_out = {"network_share": 0.0}
    if energy.scope == "device":
        left_out["host_power_w"] = 0.0
    return left_out


def told(run: ReportedRun) -> set[str]:
    """What was reported of a run that a forecast could be given."""
    return {
        name
        for name, figures in TOLD.items()
        if all(getattr(run.reported, figure) is not None for figure in figures)
    }


def given(run: ReportedRun, known: Iterable[str]) -> dict[str, float]:
    """Reported figures that the forecast is told, as quantities of the chain."""
    figures = {figure: getattr(run.reported, figure) for name in known for figure in TOLD[name]}
    found = {name: figure.value for name, figure in figures.items() if name != "power_w"}
    if "power_w" in figures:
        found["device_power_w"] = figures["power_w"].value
        if figures["power_w"].scope == "system":
            found["host_power_w"] = 0.0
    return found


def reported(run: ReportedRun, quantity: str) -> float:
    """The published figure; energy without cooling, which no meter here read."""
    after = run.reported
    if quantity in ("hours", "magnitude"):
        assert after.device_hours is not None
        return after.device_hours.value
    if quantity == "co2":
        assert after.operational_kgco2e is not None
        return after.operational_kgco2e.value
    assert after.energy_kwh is not None
    cooling = after.pue.value if after.energy_kwh.includes_pue and after.pue else 1.0
    return after.energy_kwh.value / cooling


def plain_flop(run: ReportedRun) -> float:
    """6 N D with the weights a token uses; as reported where counts do not give them."""
    before = run.before
    if before.needs_flop:
        assert before.flop is not None
        return before.flop.value
    active = before.active_params or before.params
    assert active is not None and before.tokens is not None
    return 6 * active.value * before.tokens.value

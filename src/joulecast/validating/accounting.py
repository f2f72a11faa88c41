"""Published energies and emissions beside what the hours and powers published with them come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from joulecast.answers.validation import Account, Settled
from joulecast.data.library import Library
from joulecast.estimation import estimate
from joulecast.plan import Plan

if TYPE_CHECKING:
    from joulecast.validating.runs import Reported, ReportedRun

#: Relative difference that is put down to rounding of what was published.
TOLERANCE = 0.02


def accounts(library: Library) -> Iterator[Account]:
    """Every published energy and emissions of a run, checked against what stands beside it."""
    for run in library.runs:
        yield from _energy(run, library)
        yield from _co2(run, library)


def _energy(run: ReportedRun, library: Library) -> Iterator[Account]:
    after = run.reported
    if after.energy_kwh is None:
        return
    missing = [name for name in ("device_hours", "power_w") if getattr(after, name) is None]
    if after.energy_kwh.includes_pue and after.pue is None:
        missing.append("pue")
    computed = None
    if not missing:
        given = _up_to_energy(run, after.energy_kwh.includes_pue)
        computed = _computed(given, "energy_kwh", library)
    yield _judged(run, "energy", after.energy_kwh, computed, missing)


def _co2(run: ReportedRun, library: Library) -> Iterator[Account]:
    after = run.reported
    emitted = after.operational_kgco2e
    if emitted is None:
        return
    missing = [] if after.grid_gco2e_per_kwh else ["grid_gco2e_per_kwh"]
    given: dict[str, float] = {}
    if after.energy_kwh is not None:
        given["it_energy_kwh"] = after.energy_kwh.value
        if emitted.includes_pue and not after.energy_kwh.includes_pue:
            if after.pue is None:
                missing.append("pue")
            else:
                given["pue"] = after.pue.value
    elif after.device_hours is None or after.power_w is None:
        missing += [name for name in ("device_hours", "power_w") if not getattr(after, name)]
    else:
        given = _up_to_energy(run, bool(emitted.includes_pue))
    computed = None
    if not missing and after.grid_gco2e_per_kwh:
        given["grid_gco2e_per_kwh"] = after.grid_gco2e_per_kwh.value
        computed = _computed(given, "operational_kgco2e", library)
    yield _judged(run, "co2", emitted, computed, missing)


def _up_to_energy(run: ReportedRun, includes_pue: bool) -> dict[str, float]:
    """Hours, power and PUE as published."""
    after = run.reported
    assert after.device_hours is not None and after.power_w is not None
    given = {"device_hours": after.device_hours.value, "device_power_w": after.power_w.value}
    if includes_pue and after.pue is not None:
        given["pue"] = after.pue.value
    return given


def _computed(given: dict[str, float], name: str, library: Library) -> float:
    quantity = estimate(Plan(given=given, only_given=True), library).quantities[name]
    assert quantity is not None
    return quantity.value


def _judged(
    run: ReportedRun,
    figure: Literal["energy", "co2"],
    published: Reported,
    computed: float | None,
    missing: list[str],
) -> Account:
    verdict: Settled = "lacks inputs"
    why = ", ".join(missing)
    if published.by == "joulecast":
        verdict, why = "made by us", published.note
    elif computed is not None:
        slack = max(published.last_digit / 2, TOLERANCE * published.value)
        close = abs(computed - published.value) <= slack
        verdict = "reproduced" if close else "contradicts itself"
        why = "" if close else published.note or run.note
    unit = "kWh" if figure == "energy" else "kg"
    return Account(run.id, figure, unit, published.value, computed, verdict, why)

"""What most often makes a figure so many times too large or small, and findings that say so."""

from __future__ import annotations

from collections.abc import Iterable
from math import isclose

from joulecast.answers.check import Finding, Reading
from joulecast.checks.findings import near
from joulecast.checks.known import Known
from joulecast.checks.products import Facts, Product
from joulecast.errors import brief

PUE_LEFT_OUT = "the PUE was left out"

#: How many times as large -> why.
Causes = Iterable[tuple[float, str]]


def either_way(size: float, why: str) -> list[tuple[float, str]]:
    """A cause that makes a figure as many times too large as too small."""
    return [(size, why), (1 / size, why)]


def first_near(ratio: float, causes: Causes, slack: float) -> str:
    """The first cause whose factor is about this ratio."""
    return next((why for size, why in causes if near(ratio, size, slack)), "")


def cause_of(ratio: float, known: Known, facts: Facts, slack: float = 0.04) -> str:
    """The likely cause of a figure so many times what follows from the others."""
    pue, count, power = facts.any("pue"), facts.any("devices"), facts.any("power", "tdp")
    causes: list[tuple[float, str]] = []
    if pue is not None and pue.value > 1:
        causes += [
            (1 / pue.value, PUE_LEFT_OUT),
            (pue.value, "the PUE was applied twice"),
            (1 / pue.value**2, "it was divided by the PUE"),
        ]
    if count is not None and count.value > 1:
        causes += [
            (count.value, f"the {count.value:g} devices were multiplied in twice: the hours "
                          "are device-hours already"),
            (1 / count.value, f"the {count.value:g} devices were left out"),
        ]  # fmt: skip
    for size in (1e3, 1e6):
        causes += either_way(size, f"a factor of {size:,.0f}: a unit is off (k or M)")
    causes += either_way(24.0, "a factor of 24: hours and days were mixed up")
    device = known.device
    if power is not None and device is not None and device.tdp_w is not None:
        tdp = device.tdp_w.value
        why = f"it was computed with {tdp:g} W, the TDP of {device.id}"
        causes.append((tdp / power.value, why))
    return first_near(ratio, (cause for cause in causes if not isclose(cause[0], 1)), slack)


def differ(code: str, stated: Reading, follows: Product, amount: str, cause: str) -> Finding:
    """A figure that is not what follows; without a likely cause, by how much."""
    ratio = stated.value / follows.value
    times = brief(float(f"{max(ratio, 1 / ratio):.3g}"))
    more = "more" if ratio > 1 else "less"
    why = cause or f"{times} times {more} than follows"
    return Finding(code, stated.line, as_stated(stated), f"{follows.shown} is {amount}", why)


def as_stated(one: Reading) -> str:
    """A figure with what it is."""
    label = one.label or one.name.replace("_", "-")
    return one.shown if f"({label})" in one.shown else f"{label} {one.shown}"


def mass(kilograms: float) -> str:
    """Emissions in the unit that suits them."""
    for size, unit in ((1e3, "t"), (1.0, "kg"), (1e-3, "g")):
        if kilograms >= size:
            return f"{brief(float(f'{kilograms / size:.4g}'))} {unit}CO2e"
    return f"{kilograms * 1e3:.3g} gCO2e"


def energy(kilowatt_hours: float) -> str:
    """An energy in the unit that suits it."""
    for size, unit in ((1e6, "GWh"), (1e3, "MWh"), (1.0, "kWh")):
        if kilowatt_hours >= size:
            return f"{brief(float(f'{kilowatt_hours / size:.4g}'))} {unit}"
    return f"{kilowatt_hours * 1e3:.3g} Wh"


def hours(number: float) -> str:
    """Device-hours in whole ones."""
    return f"{number:,.0f} h"

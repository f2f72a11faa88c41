"""Numbers and quantities as people read them: two significant figures, units that read well."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import islice
from math import floor, isfinite, log10

from joulecast.answers.quantity import Quantity
from joulecast.by_hand import mass_unit
from joulecast.plan.file import compact

#: Columns of a terminal.
WIDTH = 80

#: Lines of a first screen.
SCREEN = 25

#: Smaller shares of the variance are summed up.
LEAST_SHARE = 0.01

#: Results as a sentence says them.
NAMES = {
    "total_kgco2e": "total emissions",
    "operational_kgco2e": "operational emissions",
    "embodied_kgco2e": "embodied emissions",
    "project_kgco2e": "emissions of the project",
    "energy_kwh": "energy",
    "device_hours": "device-hours",
    "wall_clock_days": "days",
    "water_l": "water",
    "training_flop": "training FLOP",
}

_WORDS = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def two(value: float) -> str:
    """Two significant figures as people read them: 1,300, 0.053, 1.3 million.

    >>> two(1287), two(0.0534), two(1.327e6), two(99.6)
    ('1,300', '0.053', '1.3 million', '100')
    """
    if value == 0 or not isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.1e}")
    for size, word in _WORDS:
        if abs(rounded) >= size:
            if abs(rounded) >= 1000 * size:
                break
            return f"{two(rounded / size)} {word}"
    if abs(rounded) >= 1e18 or abs(rounded) < 1e-4:
        return f"{value:.1e}".replace("e+", "e").replace("e-0", "e-")
    digits = max(0, 1 - floor(log10(abs(rounded))))
    return f"{rounded:,.{digits}f}"


def plain(value: float, digits: int = 5) -> str:
    """A number with a given number of significant figures that a calculator takes: 3.22e10.

    >>> plain(3.22e10), plain(0.26512), plain(43830.0)
    ('3.22e10', '0.26512', '43830')
    """
    if value != 0 and (abs(value) >= 1e6 or abs(value) < 1e-4):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}"
    return f"{float(f'{value:.{digits}g}'):.10g}"


def readable(quantity: Quantity) -> tuple[Quantity, str]:
    """A mass in mg, g, kg or t; an energy in mWh to GWh; whichever reads best."""
    if quantity.unit.startswith("kg"):
        unit, _ = mass_unit(quantity.value)
        return quantity.to(unit), unit + quantity.unit.removeprefix("kg")
    if quantity.unit == "kWh":
        ladder = ((1e6, "GWh"), (1e3, "MWh"), (1.0, "kWh"), (1e-4, "Wh"))
        unit = next((unit for size, unit in ladder if quantity.value >= size), "mWh")
        return quantity.to(unit), unit
    if quantity.unit == "L":
        unit = "m3" if quantity.value >= 1e4 else "L" if quantity.value >= 0.1 else "mL"
        return quantity.to(unit), unit
    return quantity, quantity.unit


def readable_of_use(quantity: Quantity) -> tuple[Quantity, str]:
    """The same of any result, of training or of use."""
    if quantity.unit == "gCO2e":
        unit, _ = mass_unit(quantity.to("kg").value)
        return quantity.to(unit), f"{unit}CO2e"
    if quantity.unit == "d":
        return quantity, "days"
    if quantity.unit == "1/y":
        return quantity, ""
    return readable(quantity)


def in_unit(quantity: Quantity, unit: str) -> Quantity:
    """A quantity in a unit that `readable` gave for another of its kind."""
    return quantity.to(unit.removesuffix("CO2e")) if unit != quantity.unit else quantity


def amount(quantity: Quantity) -> str:
    """Two significant figures in the unit that reads best."""
    shown, unit = readable_of_use(quantity)
    return f"{two(shown.value)} {unit}".rstrip()


def is_exact(quantity: Quantity) -> bool:
    """Whether the 80 % range of a quantity is rounding."""
    return quantity.p90 - quantity.p10 <= 1e-9 * abs(quantity.p90)


def interval(quantity: Quantity, exact: str = "exact") -> str:
    """The 80 % range of a quantity, in figures alone."""
    return exact if is_exact(quantity) else f"{two(quantity.p10)} to {two(quantity.p90)}"


def percent(probability: float) -> str:
    """A probability in whole percent, never rounded to certainty."""
    if 0 < probability < 0.005:
        return "< 1 %"
    if 0.995 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


def short(unit: str) -> str:
    """A unit without what it is of."""
    return unit.replace("CO2e", "")


def outcome(name: str) -> str:
    """A result as a sentence says it."""
    return NAMES.get(name, name.replace("_", " "))


def heading(result: str, unit: str) -> str:
    """A result and its unit as the head of a column: ``total [tCO2e]``."""
    word = result
    for ending in ("_kgco2e", "_kwh", "_l", "_days"):
        word = word.removesuffix(ending)
    word = word.replace("_", " ").replace("device hours", "device-hours")
    return f"{word} [{unit}]" if unit and word != "device-hours" else word


def axis_label(value: object) -> str:
    """A value that was varied as people write it."""
    if isinstance(value, float):
        return str(compact(value)) if value >= 1e6 else f"{value:.6g}"
    return str(value)


def wrapped(line: str, indent: int = 2, hanging: int = 4) -> list[str]:
    """An entry, indented, its further lines more so."""
    return textwrap.wrap(line, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * hanging)


def first_screen(lines: Iterable[str], name: str = "answer") -> list[str]:
    """What there is, or as much of it as stands on a screen, and how to see the rest."""
    shown = list(islice(lines, SCREEN + 1))
    return shown if len(shown) <= SCREEN else [*shown[: SCREEN - 2], "", rest_of(name)]


def rest_of(name: str) -> str:
    """How to see all of an answer that somebody called `name`."""
    return f"All of it: print({name}.explain())"

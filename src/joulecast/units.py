"""Units are floats: multiply a number in, divide it out.

Inside the package every physical number is in base units (second, joule, kg of
CO2e, litre, byte; FLOP and tokens are counts).  A unit is the float that takes
a number there::

    power = 700 * units.watt
    power / units.kilowatt          # 0.7

Always write ``units.watt``, never import the name: a test swaps the base units
for random ones and expects every answer to stay the same, which is dimensional
analysis of the whole package in one test.
"""

from __future__ import annotations

import re
from functools import cache
from math import log2
from typing import NamedTuple

from joulecast.errors import UnitError, nearest

# Every unit by name, for type checkers; `make` gives them their sizes below.
second = minute = hour = day = week = month = year = 0.0
joule = kilojoule = megajoule = gigajoule = 0.0
watt = kilowatt = megawatt = gigawatt = 0.0
watt_hour = milliwatt_hour = kilowatt_hour = megawatt_hour = gigawatt_hour = terawatt_hour = 0.0
milligram = gram = kilogram = tonne = kilotonne = megatonne = pound = 0.0
litre = millilitre = kilolitre = megalitre = 0.0
byte = megabyte = gigabyte = terabyte = petabyte = 0.0
one = kilo = mega = giga = tera = peta = exa = zetta = percent = 0.0


def make(
    second: float = 1.0,
    joule: float = 1.0,
    kilogram: float = 1.0,
    litre: float = 1.0,
    byte: float = 1.0,
) -> dict[str, float]:
    """Return every unit as a float, for the given sizes of the base units."""
    minute = 60 * second
    hour = 60 * minute
    day = 24 * hour
    week = 7 * day
    year = 365.25 * day
    month = year / 12
    kilojoule, megajoule, gigajoule = 1e3 * joule, 1e6 * joule, 1e9 * joule
    watt = joule / second
    kilowatt, megawatt, gigawatt = 1e3 * watt, 1e6 * watt, 1e9 * watt
    watt_hour = watt * hour
    milliwatt_hour = watt_hour / 1000
    kilowatt_hour, megawatt_hour = 1e3 * watt_hour, 1e6 * watt_hour
    gigawatt_hour, terawatt_hour = 1e9 * watt_hour, 1e12 * watt_hour
    gram = kilogram / 1000
    milligram = gram / 1000
    tonne, kilotonne, megatonne = 1e3 * kilogram, 1e6 * kilogram, 1e9 * kilogram
    pound = 0.45359237 * kilogram  # exact: international yard and pound agreement, 1959
    millilitre = litre / 1000
    kilolitre, megalitre = 1e3 * litre, 1e6 * litre
    megabyte, gigabyte = 1e6 * byte, 1e9 * byte
    terabyte, petabyte = 1e12 * byte, 1e15 * byte
    one, percent = 1.0, 0.01
    kilo, mega, giga, tera, peta, exa, zetta = 1e3, 1e6, 1e9, 1e12, 1e15, 1e18, 1e21
    return dict(locals())


globals().update(make())

#: What people write -> the name of the unit above.  Case counts (mW is not MW).
SYMBOLS: dict[str, str] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("GPU-hours", "gpu-hours", "GPU-h", "TPU-hours", "chip-hours"), "hour"),
    **dict.fromkeys(("device-hours", "GPUh", "GPU hours", "gpu hours"), "hour"),
    **dict.fromkeys(("GPU-hour", "gpu-hour", "TPU-hour", "chip-hour", "device-hour"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "wk", "week", "weeks"), "week"),
    **dict.fromkeys(("mo", "month", "months"), "month"),
    **dict.fromkeys(("y", "yr", "year", "years", "a"), "year"),
    **dict.fromkeys(("J", "joule", "joules"), "joule"),
    "kJ": "kilojoule", "MJ": "megajoule", "GJ": "gigajoule",
    **dict.fromkeys(("W", "watt", "watts"), "watt"),
    "kW": "kilowatt", "KW": "kilowatt", "MW": "megawatt", "GW": "gigawatt",
    "Wh": "watt_hour", "kWh": "kilowatt_hour", "kwh": "kilowatt_hour", "KWh": "kilowatt_hour",
    "MWh": "megawatt_hour", "GWh": "gigawatt_hour", "TWh": "terawatt_hour",
    "mWh": "milliwatt_hour", "mL": "millilitre", "ml": "millilitre",
    "mg": "milligram",
    **dict.fromkeys(("g", "gram", "grams"), "gram"),
    **dict.fromkeys(("kg", "kilogram", "kilograms"), "kilogram"),
    **dict.fromkeys(("t", "tonne", "tonnes"), "tonne"),
    "kt": "kilotonne", "Mt": "megatonne",
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), "pound"),
    **dict.fromkeys(("L", "l", "litre", "litres", "liter", "liters"), "litre"),
    "kL": "kilolitre", "m3": "kilolitre", "ML": "megalitre",
    "B": "byte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte",
    "%": "percent",
    **dict.fromkeys(
        ("1", "FLOP", "FLOPs", "token", "tokens", "param", "params", "device", "devices"), "one"
    ),
    "kFLOP": "kilo", "MFLOP": "mega", "GFLOP": "giga", "TFLOP": "tera", "PFLOP": "peta",
    "EFLOP": "exa", "ZFLOP": "zetta",
}  # fmt: skip

#: Rates people write as one word.  TFLOPS and TFLOPs stand for TFLOP/s wherever a rate is meant.
RATES: dict[str, str] = {f"{prefix}FLOPS": f"{prefix}FLOP/s" for prefix in ("", "G", "T", "P", "E")}

BASES = ("second", "joule", "kilogram", "litre", "byte")


class Unit(NamedTuple):
    """A unit somebody wrote: its factor to base units and the powers of BASES in it."""

    factor: float
    dimension: tuple[int, ...]


def factor(unit: str) -> float:
    """Return the float that takes a number in `unit` ("gCO2e/kWh", "W", "") to base units.

    >>> factor("kWh") / factor("Wh")
    1000.0
    """
    size = 1.0
    for position, part in enumerate(_parts(unit)):
        value = float(globals()[SYMBOLS[part]])
        size = size * value if position == 0 else size / value
    return size


def read_unit(text: str) -> Unit:
    """Read a unit as people write it: ``kWh``, ``t/MWh``, ``kgCO2e/kWh``, ``FLOP/s``.

    Raises UnitError for a symbol that is not known.
    """
    dimension = [0] * len(BASES)
    for position, part in enumerate(_parts(text)):
        if part not in SYMBOLS:
            raise UnitError("unit", text, "is not a unit known here", nearest(part, SYMBOLS))
        for axis, power in enumerate(_dimension(SYMBOLS[part])):
            dimension[axis] += power if position == 0 else -power
    return Unit(factor(text), tuple(dimension))


@cache
def _parts(unit: str) -> tuple[str, ...]:
    """Split "gCO2e/kWh" into its symbols, dropping what only says which gas it is."""
    parts = tuple(part.strip().removesuffix("CO2e").strip() for part in unit.split("/"))
    if not unit or all(part in SYMBOLS for part in parts):
        return parts if unit else ()  # as our own tables write them
    text = re.sub(r"\s*(CO2-?eq?|CO2)\b", "", unit, flags=re.IGNORECASE).strip()
    text = RATES.get(text, text)
    return tuple(part.strip() for part in text.split("/")) if text else ()


def _dimension(name: str) -> tuple[int, ...]:
    """Powers of each base unit in a unit, read off its own definition by doubling that base."""
    plain = make()[name]
    return tuple(round(log2(make(**{base: 2.0})[name] / plain)) for base in BASES)

"""Budgets as people give them: ``total=50t``, ``energy=200MWh``, ``days=30``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from joulecast.arrays import Array
from joulecast.data.reading import number, quantity
from joulecast.errors import InputError, UnknownNameError, brief, nearest
from joulecast.terms import RESULTS, TERMS

#: Short names of budgets; the results themselves are names too.
BUDGETS: dict[str, str] = {
    "total": "total_kgco2e",
    "operational": "operational_kgco2e",
    "embodied": "embodied_kgco2e",
    "energy": "energy_kwh",
    "hours": "device_hours",
    "days": "wall_clock_days",
    "water": "water_l",
    "flop": "training_flop",
}

#: Counts, and units people do not mistake, may stand without one.
BARE = ("hours", "days", "flop")

#: Units to offer beside a bare number.
UNITS = {"kgCO2e": ("t", "kg"), "kWh": ("MWh", "kWh"), "L": ("ML", "L")}

#: Results that nobody can run out of.
NO_BUDGET = ("utilisation",)


def read(budgets: Mapping[str, Any]) -> dict[str, Array]:
    """Read budgets: result -> limit in its unit, a number or a row of numbers.

    A number without text is in the unit of the result.  Raises JoulecastError on a name that is no
    budget, one limited twice, and a limit that is none.
    """
    limits: dict[str, Array] = {}
    for said, raw in budgets.items():
        key = str(said).strip().replace("-", "_")
        name = BUDGETS.get(key, key)
        if name not in RESULTS or name in NO_BUDGET:
            choices = nearest(key, [*BUDGETS, *BUDGETS.values()]) or list(BUDGETS)
            raise UnknownNameError("--max", said, "is not a budget", choices)
        if name in limits:
            raise InputError("--max", said, "is limited twice", ["one limit for each outcome"])
        limits[name] = _limit(key, name, raw)
    return limits


def _limit(key: str, name: str, raw: Any) -> Array:
    unit = TERMS[name].unit
    if isinstance(raw, str):
        if ".." in raw:
            raise InputError("--max", f"{key}={raw}", "must be one number", [f"--max {key}=LIMIT"])
        if key in BUDGETS and key not in BARE and re.fullmatch(r"[\d.,_eE+-]+", raw.strip()):
            hints = [f"{key}={raw.strip()}{suffix}" for suffix in UNITS[unit]]
            raise InputError("--max", f"{key}={raw}", "needs a unit", hints)
        limit = np.asarray(quantity(key, raw, unit))
    else:
        limit = np.asarray(raw, dtype=np.float64)
    if limit.ndim > 1 or limit.size == 0 or not np.all(np.isfinite(limit) & (limit > 0)):
        why = "must be above 0" if limit.ndim == 0 else "must be a row of numbers above 0"
        raise InputError("--max", f"{key}={raw}" if limit.ndim == 0 else key, why)
    return limit


def percent(raw: object) -> float:
    """A level of the range in percent."""
    text = raw.strip().removesuffix("%") if isinstance(raw, str) else raw
    value = number("--confidence", text, ["90", "95"])
    if 0 < value < 1:
        why = "is in percent"
        raise InputError("--confidence", raw, why, [brief(100 * value)])
    if not 1 <= value <= 99:
        raise InputError("--confidence", raw, "must lie between 1 and 99 percent", ["90", "95"])
    return value

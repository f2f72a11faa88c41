"""What is varied: ``device=h100-sxm,b200-sxm`` from text, and plans with it filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from joulecast.errors import InputError, UnknownNameError, nearest
from joulecast.plan import Plan, merged
from joulecast.terms import INPUTS

#: Fields of a plan that hold several things and cannot be varied as a list of values.
WHOLE = ("given", "phases", "fleet")


class Axis(NamedTuple):
    """A field of a plan, or the name of a quantity, and the values it takes in turn."""

    field: str
    values: tuple[object, ...]


def read(pairs: Iterable[str]) -> list[Axis]:
    """Axes from ``FIELD=A,B,C``; raises JoulecastError on one that cannot be used."""
    found: list[Axis] = []
    for pair in pairs:
        field, equals, rest = pair.partition("=")
        if not equals or not field.strip():
            raise InputError("--vary", pair, "is not FIELD=A,B,C", ["device=h100-sxm,b200-sxm"])
        found.append(_checked(field, [value.strip() for value in rest.split(",")], pair, found))
    return found


def of(vary: Mapping[str, Iterable[object]]) -> list[Axis]:
    """Axes from a mapping of fields to their values."""
    found: list[Axis] = []
    for field, values in vary.items():
        listed = [values] if isinstance(values, str) else list(values)
        found.append(_checked(str(field), listed, field, found))
    return found


def settings(axes: Sequence[Axis]) -> list[dict[str, object]]:
    """Every combination of the values, the last axis running fastest."""
    names = [axis.field for axis in axes]
    combinations = product(*(axis.values for axis in axes))
    return [dict(zip(names, values, strict=True)) for values in combinations]


def varied(plan: Plan, setting: Mapping[str, object]) -> Plan:
    """The plan with these fields and quantities in place of its own."""
    fields = {name: value for name, value in setting.items() if name in Plan.model_fields}
    sets = {name: value for name, value in setting.items() if name not in fields}
    return merged(plan.model_dump(exclude_defaults=True), sets, fields)


def _checked(field: str, values: Sequence[object], said: str, before: Sequence[Axis]) -> Axis:
    name = field.strip().removeprefix("--").replace("-", "_")
    if name not in INPUTS and (name not in Plan.model_fields or name in WHOLE):
        known = [field for field in Plan.model_fields if field not in WHOLE]
        why = "is not a field of a plan nor a quantity"
        raise UnknownNameError("--vary", field.strip(), why, nearest(name, [*known, *INPUTS]))
    if any(axis.field == name for axis in before):
        raise InputError("--vary", said, f"{name} is varied twice", [f"{name}=A,B,C"])
    if not values or any(value in ("", None) for value in values):
        raise InputError("--vary", said, "holds an empty value", [f"{name}=A,B,C"])
    return Axis(name, tuple(values))

"""A plan made of another: with flags over it, with other values, with a use, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joulecast.data.reading import span
from joulecast.plan.parts import PROJECTS, PUBLISHED, Use
from joulecast.plan.plan import Plan
from joulecast.terms import INPUTS, input_term

#: Ways to say the same thing: a flag for one replaces a plan file's word for another.
GROUPS = (
    ("tokens", "unique_tokens", "samples", "phases"),
    ("flop", "hardware_flop"),
    ("model", "params"),
    ("device", "fleet"),
)

#: Quantities that have a field of their own in a plan.
FIELDS_OF_QUANTITIES = {
    "params": "params",
    "active_params": "active_params",
    "trainable_params": "trainable_params",
    "tokens": "tokens",
    "training_flop": "flop",
    "executed_flop": "hardware_flop",
    "device_count": "device_count",
    "global_batch_tokens": "global_batch_tokens",
    "project_factor": "project_factor",
}


def with_use(plan: Plan, said: Mapping[str, Any], asked: bool = False) -> Plan:
    """The plan with what was said of the use over its own; `asked` for it where nothing was."""
    own = {} if plan.use is None else plan.use.said()
    newer = {name: value for name, value in said.items() if value is not None}
    if not newer and not asked:
        return plan
    if "tokens" in newer or "requests" in newer:
        own = {name: value for name, value in own.items() if name not in ("tokens", "requests")}
    return plan.replace(use=Use(**own | newer))


def as_said(plan: Plan) -> dict[str, Any]:
    """What was asked, and nothing else, in words that JSON has: Plan(**it) gives the same answer.

    Quantities are numbers in their own units, a range [low, high] or [low, median, high].
    """
    said = plan.said()
    if "given" in said:
        said["given"] = {name: _numbers(name, raw) for name, raw in said["given"].items()}
    if said.get("project_factor", PROJECTS[0]) not in PROJECTS:
        said["project_factor"] = _numbers("project_factor", said["project_factor"])
    if plan.phases:
        said["phases"] = list(said["phases"])
    return said


def _numbers(name: str, raw: object) -> float | list[float] | str:
    """A quantity as somebody wrote it, in numbers; a word for one as it is."""
    if isinstance(raw, str) and raw.strip().casefold() in (*PROJECTS, PUBLISHED):
        return raw.strip().casefold()
    low, value, high = span(input_term(name), raw)
    known = [number for number in (low, value, high) if number is not None]
    return known[0] if len(known) == 1 else known


def merged(base: Mapping[str, Any], sets: Mapping[str, Any], flags: Mapping[str, Any]) -> Plan:
    """A plan from a plan file, ``--set`` and flags; the later wins over the earlier."""
    values = {name: value for name, value in base.items() if value is not None}
    given = dict(values.pop("given", {}))
    said = {
        name: value
        for name, value in flags.items()
        if value is not None and (value is not False or Plan.fields[name].default is None)
    }
    newer = {*said, *(FIELDS_OF_QUANTITIES.get(name, name) for name in sets)}
    for group in GROUPS:
        if newer.intersection(group):
            for name in group:
                values.pop(name, None)
    if "params" in newer:
        for name in ("active_params", "trainable_params", "arch", "mtp_depth"):
            values.pop(name, None)
    for name in newer:
        values.pop(name, None)
    given |= sets
    return Plan(**values | said, given=given)


def varied(plan: Plan, values: Mapping[str, Any]) -> Plan:
    """The plan with other values for some of its fields and quantities, by name.

    A new value takes the place of every other way the plan said the same thing.
    """
    fields = {name: value for name, value in vars(plan).items() if value is not None}
    given = dict(fields.pop("given"))
    new = {FIELDS_OF_QUANTITIES.get(name, name) for name in values}
    for group in GROUPS[:2]:
        if new.intersection(group):
            fields = {name: value for name, value in fields.items() if name not in group}
    if "model" in new:
        for name in {"params", "active_params", "trainable_params", "arch"} - new:
            fields.pop(name, None)
    for name, value in values.items():
        field = FIELDS_OF_QUANTITIES.get(name, name)
        fields.pop(field, None)
        given.pop(name, None)
        if field in Plan.fields and not (name in INPUTS and _is_range(value)):
            fields[field] = value
        else:
            given[name] = value
    return Plan(**fields, given=given)


def _is_range(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and ".." in value)

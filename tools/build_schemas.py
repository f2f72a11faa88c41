"""Make src/joulecast/schemas/*.json: JSON Schemas of all that joulecast prints, and of its records.

Those of answers are read off the nouns: what each shows, and the types of these fields.

python tools/build_schemas.py
"""

from __future__ import annotations

import inspect
import json
import types
import typing
from pathlib import Path
from typing import Any, NamedTuple

import typer

from joulecast.answers import (
    advice,
    calibration,
    check,
    comparison,
    count,
    driving,
    footprint,
    optimum,
    resolved,
    shape,
    solution,
    validation,
    verdict,
)
from joulecast.answers import (
    runs as table,
)
from joulecast.data import catalogue, records
from joulecast.data.validation import adapter
from joulecast.validating import runs

OUT = Path(__file__).parents[1] / "src" / "joulecast" / "schemas"

#: A row of a sweep, whose keys are what was varied, then the columns of each result.
SWEEP_ROW = {
    "additionalProperties": {"type": ["number", "string", "boolean"]},
    "description": "What was varied, and each result's value and prediction range.",
    "patternProperties": {"_(value|p10|p50|p90)$": {"type": ["number", "null"]}},
    "title": "SweepRow",
    "type": "object",
}

#: Schema -> the noun, row or record it is made from, and whether the output is an array of it.
SHAPES: dict[str, tuple[Any, bool]] = {
    "estimate": (footprint.Footprint, False),
    "check": (check.Check, False),
    "advise": (advice.Advice, False),
    "compare": (comparison.Comparison, False),
    "compare-measured": (verdict.Verdict, False),
    "solve": (solution.Solution, False),
    "model": (count.ModelCount, False),
    "optimum": (optimum.Optimum, False),
    "calibrate": (calibration.Calibration, False),
    "sweep": (SWEEP_ROW, True),
    "runs": (table.Runs, False),
    "validate": (validation.Validation, False),
    "validate-accounting": (validation.Account, True),
    "list-devices": (catalogue.DeviceRow, True),
    "list-instances": (catalogue.InstanceRow, True),
    "list-models": (catalogue.ModelRow, True),
    "list-runs": (catalogue.RunRow, True),
    "list-regions": (catalogue.RegionRow, True),
    "list-providers": (catalogue.ProviderRow, True),
    "list-assumptions": (catalogue.AssumptionRow, True),
    "list-sources": (catalogue.SourceRow, True),
    "list-warnings": (catalogue.CodeRow, True),
    "show-device": (records.Device, False),
    "show-instance": (catalogue.InstanceRecord, False),
    "show-model": (records.Model, False),
    "show-run": (runs.ReportedRun, False),
    "show-region": (catalogue.RegionRecord, False),
    "show-source": (records.Source, False),
    "show-assumption": (catalogue.AssumptionRecord, False),
}

#: Ends of names that stand for themselves; others were published with Object behind them.
WHOLE_NAMES = ("Row", "Record", "Part", "Object")

#: Class -> the name its schema was published under, where it is another.
PUBLISHED = {
    "Citation": "SourceObject",
    "Closed": "NotOpenObject",
    "FleetPart": "FleetEntryObject",
    "Footprint": "EstimateObject",
    "HandLine": "HandObject",
    "Notice": "WarningObject",
    "Resolved": "PlanObject",
    "ResolvedUse": "UsePlanObject",
    "Row": "ValidationRow",
    "UsePhase": "UseObject",
}

#: Class -> what its schema was published to be, where that is not the first line it says of itself.
MEANINGS = {
    "Advice": (
        "What `joulecast advise --json` prints; `together` is null where fewer than two kinds help."
    ),
    "Advised": (
        "One change: `options` make it, `value` is the nominal outcome with it, in the unit of "
        "`on`.\n\n`saving` is drawn in pairs with the plan as it is; changes are ranked by "
        "`expected_saving`, its\nmean.  `ratio` is null where the outcome is zero."
    ),
    "Check": "What `joulecast check --json` prints.",
    "Citation": "A source of a target or a caveat.",
    "Comparison": "What `joulecast compare --json` prints.",
    "Footprint": "What `joulecast estimate --json` prints.",
    "Gate": "",
    "ModelCount": "What `joulecast model --json` prints.",
    "Calibration": "What `joulecast calibrate --json` prints.",
    "Optimum": "What `joulecast optimum --json` prints.",
    "Solution": "What `joulecast solve --json` prints.",
    "Validation": "What `joulecast validate` prints.",
    "Verdict": "What `joulecast compare PLAN emissions.csv --json` prints.",
}


def main(out: Path = OUT) -> None:
    """Write every schema."""
    out.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (out / f"{name}.json").write_text(text, encoding="utf-8")


def schemas() -> dict[str, str]:
    """Name -> text of each schema."""
    made = {name: _schema(name, kind, many) for name, (kind, many) in SHAPES.items()}
    return made | {f"record-{name}": _record(name, kind) for name, kind in RECORDS.items()}


#: Records as they are written in TOML, for editors that complete and check.
RECORDS: dict[str, type[records.Record]] = {"device": records.Device, "model": records.Model}


def _record(name: str, kind: type[records.Record]) -> str:
    """A file of hardware_specs: figures may be bare numbers, covered by the file's own source."""
    made = adapter(kind).json_schema(mode="validation")
    figure = made["$defs"]["Figure"]
    figure["required"] = ["value"]
    made["$defs"]["Figure"] = {"anyOf": [{"type": "number"}, figure]}
    return _text(made, f"record of a {name}")


def _schema(name: str, kind: Any, many: bool) -> str:
    if isinstance(kind, type) and issubclass(kind, records.Record):
        made = adapter(kind).json_schema(mode="serialization")
        if name == "show-device":
            made["properties"]["evidence"] = _Schema().object_of(catalogue.Evidence)
            made["required"] = [*made["required"], "evidence"]
    else:
        made = _Schema().whole(kind, many)
    return _text(made, name.replace("-", " "))


def _text(schema: dict[str, Any], title: str) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"joulecast {title}",
    }
    return json.dumps({**schema, **head}, indent=2, ensure_ascii=False) + "\n"


class _Key(NamedTuple):
    """A key of an object: its name, the type of what it holds, and whether it is always there."""

    name: str
    hint: Any
    needed: bool


class _Schema:
    """One schema being made, with the definitions it refers to."""

    def __init__(self) -> None:
        self.defs: dict[str, Any] = {}

    def whole(self, kind: Any, many: bool) -> dict[str, Any]:
        """The schema of what a command prints."""
        if many:
            row = kind if isinstance(kind, dict) else self.of(kind)
            made = {"items": row, "type": "array"}
        else:
            made = self.object_of(kind)
        return {"$defs": dict(sorted(self.defs.items())), **made} if self.defs else made

    def of(self, hint: Any) -> dict[str, Any]:
        """The schema of a type."""
        origin, inside = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:  # what JSON has of it, where that says more
            return self.of(inside[1])
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.of(one) for one in inside]}
        if origin is typing.Literal:
            return _choice(inside)
        if origin in (list, tuple):
            return {"items": self.of(inside[0]), "type": "array"}
        if origin is not None:
            values = True if inside[1] is Any else self.of(inside[1])
            return {"additionalProperties": values, "type": "object"}
        return {"type": SIMPLE[hint]} if hint in SIMPLE else self.reference(hint)

    def reference(self, kind: type) -> dict[str, Any]:
        """A definition, made once however often it is referred to."""
        name = _name(kind)
        if name not in self.defs:
            self.defs[name] = self.object_of(kind)
        return {"$ref": f"#/$defs/{name}"}

    def object_of(self, kind: type) -> dict[str, Any]:
        """A noun or a row: its keys, and no others."""
        keys = _keys(kind)
        return {
            "additionalProperties": False,
            **({"description": meaning} if (meaning := _meaning(kind)) else {}),
            "properties": {key.name: self.property(key) for key in keys},
            "required": [key.name for key in keys if key.needed],
            "title": _name(kind),
            "type": "object",
        }

    def property(self, key: _Key) -> dict[str, Any]:
        """The schema of a key; a title where it is not an object of its own."""
        made = self.of(key.hint)
        if any("$ref" in one for one in made.get("anyOf", [made])):
            return made
        return dict(sorted({**made, "title": key.name.replace("_", " ").title()}.items()))


SIMPLE: dict[Any, str] = {
    float: "number",
    int: "integer",
    str: "string",
    bool: "boolean",
    type(None): "null",
}


def _choice(values: tuple[Any, ...]) -> dict[str, Any]:
    """One of a few words; a single value is that and no other."""
    kind = SIMPLE[type(values[0])]
    if len(values) == 1:
        return {"const": values[0], "type": kind}
    return {"enum": list(values), "type": kind}


def _keys(kind: Any) -> list[_Key]:
    """What the JSON of a class shows, those that may be left out last."""
    if typing.is_typeddict(kind):
        hints = _hints(kind)
        return [_Key(name, hint, name in kind.__required_keys__) for name, hint in hints.items()]
    declared = shape.shape_of(kind)
    assert declared is not None, kind
    keys = []
    for name, how in declared.keys.items():
        hint = _hint(kind, how) if isinstance(how, str) else how[0]
        optional = name in declared.optional
        keys.append(_Key(name, _there(hint) if optional else hint, not optional))
    if kind is footprint.Footprint:  # --drivers adds what it computes anew
        keys.insert(-1, _Key("tornado", list[driving.Bar], False))
    if kind is validation.Validation:  # published as any version
        keys[0] = _Key("schema_version", int, True)
    return sorted(keys, key=lambda key: not key.needed)


def _hints(of: Any) -> dict[str, Any]:
    """Types of the fields of a class or of a function, those imported for typing alone too."""
    return typing.get_type_hints(of, localns=vars(resolved), include_extras=True)


def _there(hint: Any) -> Any:
    """A type without None: what may be left out is not null."""
    inside = [one for one in typing.get_args(hint) if one is not type(None)]
    return inside[0] if len(inside) == 1 else hint


def _hint(kind: type, attribute: str) -> Any:
    """The type of a field or of what a property returns."""
    found = inspect.getattr_static(kind, attribute, None)
    if isinstance(found, property):
        return _hints(found.fget)["return"]
    if hasattr(found, "func"):  # a property that keeps its value
        return _hints(found.func)["return"]
    hint = _hints(kind)[attribute]
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.ClassVar else hint


def _name(kind: type) -> str:
    """What the schema of a class is called."""
    name = kind.__name__
    return PUBLISHED.get(name, name if name.endswith(WHOLE_NAMES) else f"{name}Object")


def _meaning(kind: type) -> str:
    """What a class says of itself on its first lines."""
    if kind.__name__ in MEANINGS:
        return MEANINGS[kind.__name__]
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    typer.run(main)

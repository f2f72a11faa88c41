"""Make src/joulecast/schemas/*.json: JSON Schemas of all that joulecast prints, and of its records.

python tools/build_schemas.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from pydantic import ConfigDict, TypeAdapter, with_config
from pydantic._internal import _generate_schema
from typing_extensions import TypedDict, is_typeddict

from joulecast import answers
from joulecast.data import catalogue, records
from joulecast.data.validation import adapter
from joulecast.validating import runs

# The shapes of rows and records are plain TypedDicts, which pydantic refuses below Python 3.12 for
# fear of missing what it does not need here.
_generate_schema._SUPPORTS_TYPEDDICT = True

OUT = Path(__file__).parents[1] / "src" / "joulecast" / "schemas"

#: Schema -> the shape it is made from, and whether the output is an array of it.
SHAPES: dict[str, tuple[Any, bool]] = {
    "estimate": (answers.EstimateObject, False),
    "check": (answers.CheckObject, False),
    "advise": (answers.AdviceObject, False),
    "compare": (answers.CompareObject, False),
    "compare-measured": (answers.MeasuredObject, False),
    "solve": (answers.SolveObject, False),
    "model": (answers.ModelObject, False),
    "optimum": (answers.OptimumObject, False),
    "sweep": (answers.SweepRow, True),
    "validate": (answers.ValidationObject, False),
    "validate-accounting": (answers.AccountObject, True),
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


def main(out: Path = OUT) -> None:
    """Write every schema."""
    out.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (out / f"{name}.json").write_text(text, encoding="utf-8")


def schemas() -> dict[str, str]:
    """Name -> text of each schema."""
    made = {name: _schema(name, shape, many) for name, (shape, many) in SHAPES.items()}
    return made | {f"record-{name}": _record(name, kind) for name, kind in RECORDS.items()}


#: Records as they are written in TOML, for editors that complete and check.
RECORDS: dict[str, type[records.Record]] = {"device": records.Device, "model": records.Model}


def _record(name: str, kind: type[records.Record]) -> str:
    """A file of hardware_specs: figures may be bare numbers, covered by the file's own source."""
    made = adapter(kind).json_schema(mode="validation")
    figure = made["$defs"]["Figure"]
    figure["required"] = ["value"]
    made["$defs"]["Figure"] = {"anyOf": [{"type": "number"}, figure]}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"joulecast record of a {name}",
    }
    return _text({**made, **head})


def _schema(name: str, shape: Any, many: bool) -> str:
    _forbid_other_keys()
    is_record = isinstance(shape, type) and issubclass(shape, records.Record)
    whole = adapter(shape) if is_record else TypeAdapter(list[shape] if many else shape)
    made = whole.json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"joulecast {name.replace('-', ' ')}",
    }
    return _text({**made, **head})


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _forbid_other_keys() -> None:
    """A schema that lets any key pass proves nothing."""
    closed = with_config(ConfigDict(extra="forbid"))
    for shape in (*vars(answers).values(), *vars(catalogue).values()):
        if is_typeddict(shape):
            shape.__orig_bases__ = (TypedDict,)  # a plain one has none
            closed(shape)


if __name__ == "__main__":
    typer.run(main)

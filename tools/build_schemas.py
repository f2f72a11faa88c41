"""Make src/joulecast/schemas/*.json: JSON Schemas of all that joulecast prints, and of its records.

python tools/build_schemas.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import is_typeddict

from joulecast import answers
from joulecast.data import records
from joulecast.validating import runs

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
    "list-devices": (answers.DeviceRow, True),
    "list-instances": (answers.InstanceRow, True),
    "list-models": (answers.ModelRow, True),
    "list-runs": (answers.RunRow, True),
    "list-regions": (answers.RegionRow, True),
    "list-providers": (answers.ProviderRow, True),
    "list-assumptions": (answers.AssumptionRow, True),
    "list-sources": (answers.SourceRow, True),
    "list-warnings": (answers.CodeRow, True),
    "show-device": (records.Device, False),
    "show-instance": (answers.InstanceRecord, False),
    "show-model": (records.Model, False),
    "show-run": (runs.ReportedRun, False),
    "show-region": (answers.RegionRecord, False),
    "show-source": (records.Source, False),
    "show-assumption": (answers.AssumptionRecord, False),
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
    made = kind.model_json_schema(mode="validation")
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
    made = TypeAdapter(list[shape] if many else shape).json_schema(mode="serialization")
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
    for shape in vars(answers).values():
        if is_typeddict(shape):
            closed(shape)


if __name__ == "__main__":
    typer.run(main)

"""Write the defaults of absent config keys from the installed transformers library.

    pip install 'transformers==5.23.0' && python tools/build_config_defaults.py

Reads nothing but the configuration classes: no weights, no network.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

OUT = ROOT / "src/joulecast/architectures/config_defaults.json"


def plain(value: Any) -> Any:
    """The value as JSON has it; None where it has no such thing (infinity, objects)."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return None


def entry(config_class: Any, common: set[str]) -> dict[str, Any]:
    """Fields with their defaults, before the class works out what depends on others."""
    fields, aliases = {}, dict(config_class.attribute_map)
    for field in dataclasses.fields(config_class):
        if field.name in common:
            continue
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        # A few classes alias their own field to the name that the checkpoints use (Kimi Linear).
        name = aliases.get(field.name, field.name)
        fields[name] = None if default is dataclasses.MISSING else plain(default)
    return {"fields": fields, "aliases": aliases}


def main() -> None:
    transformers = import_module("transformers")
    mapping = import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING
    from joulecast.architectures.families import BUILDERS

    common = {field.name for field in dataclasses.fields(transformers.PretrainedConfig)}
    models = {}
    for name in sorted(BUILDERS):
        if name in mapping:
            models[name] = entry(mapping[name], common)
    table = {"transformers": transformers.__version__, "models": models}
    lines = json.dumps(table, indent=None, sort_keys=True, separators=(",", ":"))
    OUT.write_text(lines.replace('},"', '},\n"') + "\n", "utf-8")
    missing = sorted(set(BUILDERS) - set(models))
    print(f"{OUT.name}: {len(models)} model types; not in the library: {', '.join(missing)}")


if __name__ == "__main__":
    main()

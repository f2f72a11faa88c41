"""Make src/joulecast/architectures/keys_read.json: which keys of a config each class reads.

    python tools/build_keys_read.py

Needs transformers, which the package does not.  For every model type that we count the sources of
the library's model and of its config are searched for attributes of a config; a key that is not
among them changes nothing in that class.  Names alone: no line of the sources is kept.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

from joulecast.architectures.families import BUILDERS

OUT = Path(__file__).parents[1] / "src" / "joulecast" / "architectures" / "keys_read.json"
READ = (
    r"config\.([A-Za-z_]\w*)", r"getattr\(\s*(?:self\.)?\w*config\w*,\s*[\"'](\w+)",
    r"kwargs\.(?:pop|get)\(\s*[\"'](\w+)", r"^    (\w+)\s*:\s*[^=\n]+=", r"self\.([A-Za-z_]\w*)",
    r"[\"'](\w+)[\"']\s*:",
)  # fmt: skip


def main() -> None:
    """Write the table."""
    transformers = importlib.import_module("transformers")
    auto = importlib.import_module("transformers.models.auto.configuration_auto")
    root = Path(str(transformers.__file__)).parent / "models"
    found: dict[str, list[str]] = {}
    for kind in sorted(BUILDERS):
        module = auto.model_type_to_module_name(kind)
        folder = root / module
        names: set[str] = set()
        for path in [*folder.glob("modeling_*.py"), *folder.glob("configuration_*.py")]:
            if re.search(r"_(tf|flax)_", path.name):
                continue
            text = path.read_text(encoding="utf-8")
            patterns = READ if path.name.startswith("configuration") else READ[:2]
            for pattern in patterns:
                names |= set(re.findall(pattern, text, re.MULTILINE))
        if names:
            found[kind] = sorted(names)
    table = {"transformers": transformers.__version__, "read": found}
    OUT.write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"wrote {len(found)} types of {transformers.__version__}")


if __name__ == "__main__":
    main()

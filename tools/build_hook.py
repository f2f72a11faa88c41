"""Build hook: compile hardware_specs before it is packed, so that an installed copy loads fast."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileSpecs(BuildHookInterface):  # type: ignore[type-arg]
    """Runs joulecast.specs, which needs the standard library alone."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write hardware_specs/compiled/*.json and have them packed though git ignores them."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        if version == "standard":
            build_data["artifacts"].append("hardware_specs/compiled/*.json")
        compile_specs(root)


def compile_specs(root: Path) -> None:
    """Compile the tables of a checkout."""
    path = root / "src" / "joulecast" / "specs.py"
    spec = importlib.util.spec_from_file_location("joulecast_specs", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.compile_folder(root / "hardware_specs")


if __name__ == "__main__":
    compile_specs(Path(__file__).resolve().parents[1])

"""Build hook: compile hardware_specs before it is packed, so that an installed copy loads fast."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileSpecs(BuildHookInterface):  # type: ignore[type-arg]
    """Runs joulecast.data.overlay, which needs pydantic, .data.specs, and .cli.compiling: Typer."""

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
    """Check and compile the tables of a checkout by the package's own code, without what it needs.

    Raises SpecsError naming file and field: what is compiled is never validated again.
    """
    package = ModuleType("joulecast")
    package.__path__ = [str(root / "src" / "joulecast")]
    sys.modules.setdefault("joulecast", package)
    folder = root / "hardware_specs"
    importlib.import_module("joulecast.data.overlay").check_ours(folder)
    importlib.import_module("joulecast.data.specs").compile_folder(folder)
    importlib.import_module("joulecast.cli.compiling").write(folder / "compiled" / "flags.json")


if __name__ == "__main__":
    compile_specs(Path(__file__).resolve().parents[1])

"""Fit what is fitted to published fine-tunes, and write it where the package reads it.

    python tools/calibrate_finetunes.py

Writes hardware_specs/fine_tuning.toml; the fit: joulecast/validating/finetunes.py.
"""

from __future__ import annotations

from pathlib import Path

import typer

from joulecast.data.library import Library
from joulecast.validating.finetunes import figures

OUT = Path(__file__).parents[1] / "hardware_specs" / "fine_tuning.toml"


def main() -> None:
    """Fit and write."""
    OUT.write_text(fine_tuning_text(Library.bundled()), encoding="utf-8")
    print(f"wrote {OUT.name}")


def fine_tuning_text(library: Library) -> str:
    """Text of fine_tuning.toml; a test compares it with the file."""
    lines = ["# Fitted by tools/calibrate_finetunes.py; edit the script, not this file.", ""]
    for name, entry in figures(library).items():
        lines.append(f"[{name}]")
        for key, value in entry.items():
            shown = f'"{value}"' if isinstance(value, str) else f"{value:.4g}"
            lines.append(f"{key} = {shown}")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)

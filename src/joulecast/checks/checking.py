"""The verb `check`: whether a model card or a CodeCarbon file agrees with itself and physics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulecast._version import __version__
from joulecast.checks.card_rules import findings_of_card
from joulecast.checks.cards import Card, read_card
from joulecast.checks.field_rules import as_number
from joulecast.checks.findings import UNIT, Finding, Reading
from joulecast.checks.run_rules import findings_of_run, readings_of
from joulecast.data.codecarbon import read_emissions
from joulecast.data.library import Library
from joulecast.errors import InputError
from joulecast.footprint import SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Check:
    """What was read of a file, and what in it contradicts."""

    path: str
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]
    data_digest: str

    @property
    def passed(self) -> bool:
        """Whether nothing contradicts."""
        return not self.findings

    def explain(self, quiet: bool = False) -> str:
        """One line a finding, then what was read."""
        lines = [f"{self.path}:{one.line}: {one}" for one in self.findings]
        if self.passed:
            lines = [f"{self.path}: nothing contradicts"]
        if not quiet:
            lines += ["", f"Read ({len(self.readings)})"]
            wide = max((len(one.name) for one in self.readings), default=0) + 2
            lines += [f"  line {one.line:<5}{one.name:<{wide}}{one.shown}" for one in self.readings]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Keys schema_version, path, pass, findings, readings, provenance."""
        return {
            "schema_version": SCHEMA_VERSION,
            "path": self.path,
            "pass": self.passed,
            "findings": [one._asdict() for one in self.findings],
            "readings": [
                {
                    "name": one.name,
                    "value": float(f"{one.value:.10g}"),
                    "unit": UNIT.get(one.name, ""),
                    "shown": one.shown,
                    "line": one.line,
                }
                for one in self.readings
            ],
            "provenance": {"joulecast": __version__, "data": self.data_digest},
        }

    def to_json(self) -> str:
        """The same as JSON text."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def check(path: str | Path, library: Library | None = None) -> Check:
    """Read a model card (Markdown) or a CodeCarbon file (.csv) and list its contradictions.

    Raises
    ------
    JoulecastError
        For a file that cannot be read, or holds no figure that can be checked.
    """
    path, library = Path(path), library or Library.bundled()
    if path.suffix.lower() == ".csv":
        runs = read_emissions(path)
        readings = [reading for run in runs for reading in readings_of(run)]
        findings = [finding for run in runs for finding in findings_of_run(run, library)]
    else:
        card = read_card(_text(path))
        readings = [*_fields(card), *card.readings]
        if not readings:
            why = "holds no figure of energy, hours or emissions"
            raise InputError("card", path, why, ["the README.md of a model"])
        findings = list(findings_of_card(card, library))
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: finding.line)
    return Check(str(path), tuple(readings), tuple(ordered), library.digest)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("card", path, "is not text") from None
    except OSError as problem:
        raise InputError("card", path, f"cannot be read: {problem.strerror}") from None


def _fields(card: Card) -> list[Reading]:
    return [
        Reading(f"field {name}", as_number(raw) or 0.0, raw, line, 0.0)
        for name, (raw, line) in card.field.items()
        if name in ("emissions", "geographical_location", "hardware_used")
    ]

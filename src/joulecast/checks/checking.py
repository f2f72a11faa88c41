"""The verb `check`: whether a model card or a CodeCarbon file agrees with itself and physics."""

from __future__ import annotations

from pathlib import Path

from joulecast.answers.check import Check, Reading
from joulecast.checks.card_rules import findings_of_card
from joulecast.checks.cards import Card, read_card
from joulecast.checks.field_rules import as_number
from joulecast.checks.run_rules import findings_of_run, readings_of
from joulecast.data.codecarbon import read_emissions
from joulecast.data.library import Library
from joulecast.errors import InputError


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

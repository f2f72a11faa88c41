"""The door of this room: any answer in, what a person looks at out.

A table from the kind of an answer to the module that shows it, so that only what is asked for is
loaded.  A module has ``text(answer, bold, quiet)`` and ``table(answer)``; one that has a first
screen or a page of its own has ``screen(answer)`` or ``fragment(answer)``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from joulecast.answers.base import Answer
from joulecast.answers.driving import Bar
from joulecast.answers.footprint import Footprint
from joulecast.answers.sweep import Sweep
from joulecast.errors import InputError
from joulecast.report import files, tags
from joulecast.report.words import WIDTH, first_screen

#: Kind of answer -> the module that shows it.
ROOMS = {
    "Advice": "report.advice",
    "Calibration": "report.calibration",
    "Check": "report.check",
    "Comparison": "report.comparison",
    "Footprint": "report.forecast",
    "ModelCount": "report.model",
    "Optimum": "report.optimum",
    "Quantity": "report.quantity",
    "Runs": "report.runs",
    "Solution": "report.solution",
    "Solutions": "report.solutions",
    "Sweep": "report.sweep",
    "Validation": "validating.text",
    "Verdict": "report.verdict",
}


def _room(answer: Answer) -> ModuleType:
    return import_module(f"joulecast.{ROOMS[type(answer).__name__]}")


def text(answer: Answer, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The whole answer in words and figures, or its headline alone."""
    return str(_room(answer).text(answer, bold, quiet))


def line(answer: Answer) -> str:
    """The headline on one line: its first paragraph."""
    first = text(answer, quiet=True).strip("\n").split("\n\n")[0]
    return textwrap.shorten(first, WIDTH - len(type(answer).__name__) - 4)


def screen(answer: Answer) -> str:
    """What a person needs first, on one screen, and how to see the rest."""
    room = _room(answer)
    if hasattr(room, "screen"):
        return "\n".join(room.screen(answer))
    return "\n".join(first_screen(text(answer).splitlines()))


def html(answer: Answer) -> str:
    """The answer in a cell of a notebook."""
    if isinstance(answer, Footprint):
        from joulecast.report.html import fragment

        return fragment(answer)
    head, rows, right, note = _room(answer).table(answer)
    cells = [[tags.text(cell) for cell in row] for row in rows]
    title = f"<strong>{tags.text(line(answer))}</strong>"
    note = f'<p class="note">{tags.text(note)}</p>' if note else ""
    return tags.in_cell(title, tags.table(head, cells, right=right), note)


def plot(answer: Answer, path: str | Path, picture: str | None, force: bool) -> None:
    """Draw an answer to a file; raises InputError where there is no picture of its kind."""
    from joulecast.report import pictures

    pictures.plot(answer, path, picture, force=force)


def frame(answer: Any, package: str) -> Any:
    """A DataFrame of pandas or polars; raises InputError where it is not installed."""
    try:
        library = import_module(package)
    except ImportError:
        raise InputError(package, None, "is not installed", [f"pip install {package}"]) from None
    if not isinstance(answer, Sweep):
        rows = getattr(answer, "rows_flat", None) or answer.rows
        return library.DataFrame(rows())
    columns = answer.columns
    if package == "polars":  # which takes no array of objects
        columns = {n: c.tolist() if c.dtype == object else c for n, c in columns.items()}
    return library.DataFrame(columns)


def save(table: Sweep, path: str | Path, force: bool) -> None:
    """Write a sweep to the file its ending names."""
    files.save(table, Path(path), force)


def written(table: Sweep, kind: str) -> Iterator[str]:
    """The text of such a file, a block of rows at a time."""
    return files.written(table, kind)


def tornado(footprint: Footprint) -> tuple[Bar, ...]:
    """What each input does to the headline."""
    from joulecast.whatif.sensitivity import tornado as bars

    return bars(footprint)

"""A table in words, whoever shows it: on a terminal, on a page, in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from joulecast.report.words import WIDTH, wrapped

#: More rows than this are left out of a first screen.
MOST_ROWS = 20


class Table(NamedTuple):
    """Heads of columns and cells of rows; `right` are the columns of figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()
    note: str = ""


def columns(label: str, cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Figures in columns to the right edge; a long label stands on a line of its own."""
    figures = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    if len(label) > WIDTH - 2 - sum(widths):
        return [*wrapped(label), f"{figures:>{WIDTH}}"]
    return [f"  {label:<{WIDTH - 2 - sum(widths)}}{figures}"]


def lines(table: Table) -> list[str]:
    """Columns as wide as their widest cell, figures to the right."""
    rows = [table.head, *table.rows]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i in table.right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, wide, strict=True))
        ).rstrip()
        for row in rows
    ]

"""A sweep as a table of text; the first result with its range, each in one unit that reads well."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from joulecast.answers.quantity import exactly
from joulecast.answers.sweep import Sweep
from joulecast.report.tables import MOST_ROWS, Table
from joulecast.report.words import axis_label, first_screen, heading, readable, two
from joulecast.terms import TERMS


def text(table_: Sweep, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The whole table, or what it is of."""
    del bold
    if quiet:
        varied = " x ".join(axis.name for axis in table_.axes)
        return f"  {len(table_):,} rows: {varied}; {', '.join(table_.results)}"
    return "\n".join(lines(table_))


def lines(table_: Sweep) -> Iterator[str]:
    """The table line by line."""
    heads, rows = _cells(table_)
    axes = [[axis_label(value) for value in axis.values.tolist()] for axis in table_.axes]
    widths = [
        max(map(len, (axis.name, *labels))) for axis, labels in zip(table_.axes, axes, strict=True)
    ]
    wide = [max(12, len(head)) for head in heads[len(axes) :]]
    for cells in itertools.chain([heads], rows):
        left = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        right = [cell.rjust(width) for cell, width in zip(cells[len(axes) :], wide, strict=True)]
        yield "  ".join(left + right).rstrip()


def screen(table_: Sweep) -> list[str]:
    """The first rows."""
    return first_screen(lines(table_), "table")


def table(table_: Sweep) -> Table:
    """The first rows."""
    heads, rows = _cells(table_)
    shown = list(itertools.islice(rows, MOST_ROWS))
    left_out = len(table_) - len(shown)
    note = f"{left_out:,} further rows: to_pandas(), save()" if left_out else ""
    return Table(heads, shown, range(len(table_.axes), len(heads)), note)


def _cells(table_: Sweep) -> tuple[list[str], Iterator[list[str]]]:
    """Heads of the columns, and the cells of each row."""
    heads, sizes = [axis.name for axis in table_.axes], []
    for number, result in enumerate(table_.results):
        shown, unit = column_unit(table_, result)
        heads.append(heading(result, unit))
        sizes.append(shown)
        if number == 0 and table_.ranges:
            heads.append("80 % prediction range")
    return heads, _rows(table_, sizes)


def _rows(table_: Sweep, sizes: list[float]) -> Iterator[list[str]]:
    for row in table_.rows():
        cells = [axis_label(row[axis.name]) for axis in table_.axes]
        for number, (result, size) in enumerate(zip(table_.results, sizes, strict=True)):
            cells.append(_cell(row[f"{result}_value"], size))
            if number == 0 and table_.ranges:
                low, high = (_cell(row[f"{result}_{level}"], size) for level in ("p10", "p90"))
                cells.append(low if low == high else f"{low} to {high}")
        yield cells


def column_unit(table_: Sweep, result: str) -> tuple[float, str]:
    """What to multiply a column by, and the unit it is then in: that of its middle value."""
    values = table_.grid(f"{result}_value")
    known = values[np.isfinite(values) & (values > 0)]
    unit = TERMS[result].unit
    if not known.size:
        return 1.0, unit
    middle = float(np.median(known))
    shown, unit_shown = readable(exactly(middle, unit))
    return shown.value / middle, unit_shown


def _cell(value: float | None, size: float) -> str:
    return "-" if value is None else two(value * size)

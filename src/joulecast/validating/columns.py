"""Tables of aligned columns that fit a terminal of 80 columns."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping

from joulecast.report.words import WIDTH

#: A table: heads, then rows of as many cells.
Table = list[list[str]]

#: Columns stand so far apart.
APART = 2

#: A label is not broken into lines shorter than this.
SHORTEST_LABEL = 16


def aligned(
    table: Table, above: Mapping[int, list[str]] = {}, below: Mapping[int, list[str]] = {}
) -> str:
    """Columns as wide as their widest cell; numbers to the right.

    Heads stand on several lines where that makes a column narrower, and so do labels (the first
    column).  Columns that do not fit beside the others follow in a further table.  `above` and
    `below` are lines to put before and after a row of the table, by its position.
    """
    labels, *columns = ([row[k] for row in table] for k in range(len(table[0])))
    widths = [_width(column) for column in columns]
    room = WIDTH - sum(APART + width for width in widths)
    label = min(max(map(len, labels)), max(room, SHORTEST_LABEL))
    parts: list[list[int]] = [[]]
    left = WIDTH - label
    for k, width in enumerate(widths):
        if parts[-1] and width + APART > left:
            parts.append([])
            left = WIDTH - label
        parts[-1].append(k)
        left -= width + APART
    blocks = [_part(labels, [columns[k] for k in part], label) for part in parts]
    told = [[*above.get(i, []), *row, *below.get(i, [])] for i, row in enumerate(blocks[0])]
    return "\n\n".join("\n".join(itertools.chain(*rows)) for rows in [told, *blocks[1:]])


def _width(column: list[str]) -> int:
    head, *cells = column
    return max(map(len, [*_words(head), *cells]))


def _words(head: str) -> list[str]:
    """What a head may be broken between; a number and its percent sign stay together."""
    return head.replace(" %", "\u00a0%").split(" ")


def _stack(head: str, width: int) -> list[str]:
    wrapped = textwrap.wrap(" ".join(_words(head)), width)
    return [line.replace("\u00a0", " ") for line in wrapped]


def _part(labels: list[str], columns: list[list[str]], label: int) -> list[list[str]]:
    """Lines of each row."""
    widths = [_width(column) for column in columns]
    right = [_is_number(column[-1]) for column in columns]
    rows = []
    for i, first in enumerate(labels):
        stacks = [textwrap.wrap(first, label, subsequent_indent="  " if i else "")]
        stacks += [
            [column[i]] if i else _stack(column[i], width)
            for column, width in zip(columns, widths, strict=True)
        ]
        height = max(map(len, stacks))
        # Heads and labels of several lines end on the line of the rest.
        lines = []
        filled = [[""] * (height - len(stack)) + stack for stack in stacks]
        for first_cell, *cells in zip(*filled, strict=True):
            line = first_cell.ljust(label)
            for cell, width, is_right in zip(cells, widths, right, strict=True):
                line += " " * APART + (cell.rjust(width) if is_right else cell.ljust(width))
            lines.append(line.rstrip())
        rows.append(lines)
    return rows


def _is_number(cell: str) -> bool:
    return cell == "-" or (cell[:1].isdigit() and " to " not in cell and "-" not in cell)

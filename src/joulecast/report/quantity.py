"""A quantity as people say it."""

from __future__ import annotations

from collections.abc import Callable

from joulecast.answers.quantity import Quantity
from joulecast.report.tables import Table
from joulecast.report.words import interval, is_exact, readable_of_use, short, two


def text(quantity: Quantity, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """Value and 80 % range in the unit that reads best: ``650 t (420 to 1,100)``."""
    del quiet
    shown, unit = readable_of_use(quantity)
    said = bold(f"{two(shown.value)} {short(unit)}".rstrip())
    return said if is_exact(shown) else f"{said} ({interval(shown)})"


def table(quantity: Quantity) -> Table:
    """The levels in the unit that reads best."""
    shown, unit = readable_of_use(quantity)
    head = ("", "value", "P5", "P10", "P50", "P90", "P95")
    return Table(head, [(unit, *map(two, shown.levels))], range(1, len(head)))

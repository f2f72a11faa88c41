"""Answers to many questions as a table of text."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from joulecast.answers.solution import Solutions
from joulecast.report.tables import MOST_ROWS, Table, lines
from joulecast.report.words import axis_label, outcome, two


def text(solutions: Solutions, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """A line for each question, or how many there are."""
    del bold
    if quiet:
        budgets = " and ".join(outcome(name) for name in solutions.limits)
        return f"  {outcome(solutions.name)} within {len(solutions.values):,} budgets of {budgets}"
    return "\n".join(lines(_table(solutions, len(solutions.values))))


def table(solutions: Solutions) -> Table:
    """The first questions."""
    return _table(solutions, MOST_ROWS)


def _table(solutions: Solutions, most: int) -> Table:
    name = solutions.name
    head = (*(f"max {outcome(one)}" for one in solutions.limits), outcome(name), "binds")
    rows = [
        (*(axis_label(row[f"max_{one}"]) for one in solutions.limits), _cell(row[name]),
         outcome(row["binding"] or "nothing"))
        for row in islice(solutions.rows(), most)
    ]  # fmt: skip
    left_out = len(solutions.values) - len(rows)
    note = f"{left_out:,} further questions: to_pandas()" if left_out else ""
    return Table(head, rows, range(len(head) - 1), note)


def _cell(value: float) -> str:
    return {"nan": "none", "inf": "any"}.get(f"{value}", two(value))

"""A table of runs, row by row, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from joulecast.answers.base import Frozen, Noun, made_with
from joulecast.answers.footprint import Results, results_of
from joulecast.answers.quantity import Quantity, cells
from joulecast.answers.shape import shows
from joulecast.notices import Notice
from joulecast.terms import RESULTS


@shows(
    "name", "results", "line",
    results=(Results, lambda run: results_of(run.quantities)),
)  # fmt: skip
class TableRun(Frozen):
    """One row of a table: its name, its line there, and what `estimate` says of it."""

    name: str
    line: int
    quantities: Mapping[str, Quantity | None]

    def row(self) -> dict[str, Any]:
        """One line of a table: name, then value and range of every result."""
        made: dict[str, Any] = {"name": self.name}
        for name in RESULTS:
            made |= cells(name, self.quantities[name])
        return made


class LeftOut(NamedTuple):
    """A row that could not be forecast: its line, its name, and why in one line."""

    line: int
    name: str
    problem: str


@shows(
    "schema_version", "rows=runs", "total", "columns", "passed_over", "left_out", "warnings",
    "provenance",
    total=(Results, lambda table: results_of(table.total)),
    provenance=made_with(),
)  # fmt: skip
class Runs(Noun):
    """The runs of a table, and their sum, what they have in common drawn once for all of them.

    `columns` says by header what each column was taken for, `passed_over` which were not read;
    days of several runs, and a utilisation of all, are not added up and null.
    """

    runs: tuple[TableRun, ...]
    total: Mapping[str, Quantity | None]
    columns: Mapping[str, str]
    passed_over: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[Notice, ...]
    data_digest: str

    def rows(self) -> list[dict[str, Any]]:
        """One row a run, and the last for all of them."""
        last = TableRun("total", 0, self.total)
        return [one.row() for one in (*self.runs, last)]

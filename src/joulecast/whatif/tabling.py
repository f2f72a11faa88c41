"""The verb `runs`: a table in, a forecast of each row and of all of them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from joulecast import uncertainty
from joulecast.answers.quantity import Quantity
from joulecast.answers.runs import LeftOut, Runs, TableRun
from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.errors import InputError, JoulecastError
from joulecast.estimation import quantities_of
from joulecast.inputs.columns import Columns, columns_of
from joulecast.inputs.tables import Row, rows_of
from joulecast.notices import Notice
from joulecast.outcome import INTENSIVE, Outcome, follow, result_names
from joulecast.plan import Plan, merged
from joulecast.resolve import Settled, resolve
from joulecast.resolve.config import is_config
from joulecast.terms import TERMS

#: So many rows are kept settled between the two readings of a table; of more each is settled twice.
KEPT = 2000

#: Results that are no sum of those of several runs.
NOT_ADDED = (*(name for name in INTENSIVE if not name.endswith(("kwh", "kgco2e"))),
             "wall_clock_days")  # fmt: skip

#: Columns that say how large a model is.
SIZES = ("params", "active_params", "flop")

#: Called with the number of rows done so far.
Progress = Callable[[int], None]


def estimate_table(
    table: Any,
    *,
    plan: Plan | None = None,
    keep_going: bool = False,
    library: Library | None = None,
) -> Runs:
    """Forecast each row of a table, and all of them together.

    Parameters
    ----------
    table
        A path to CSV, TSV, JSON Lines or Parquet, a list of mappings, or a DataFrame of pandas or
        polars.  Columns are named as the fields of a plan, as quantities, or as people write them.
    plan
        What holds for all rows; a cell of a row wins over it.
    keep_going
        Whether rows that cannot be forecast are left out and listed.
    library
        The data to look things up in; the package's own where none is given.

    Returns
    -------
    Runs, named as the table names them.

    Raises
    ------
    JoulecastError
        For a column that means nothing, and for the first row that cannot be forecast, unless
        `keep_going`: it names line, row and column.

    >>> rows = [{"run": "small", "params": "1B", "tokens": "20B"},
    ...     {"run": "large", "params": "7B", "tokens": "140B"}]
    >>> found = estimate_table(rows, plan=Plan(device="h100-sxm", region="fr"))
    >>> [run.name for run in found.runs], found.columns["run"]
    (['small', 'large'], 'name')
    """
    reading = Reading(table, plan, keep_going, library or Library.bundled())
    return Runs(
        runs=tuple(reading.runs()),
        total=reading.total(),
        columns=reading.meaning,
        passed_over=reading.columns.passed_over,
        left_out=tuple(reading.left_out),
        warnings=reading.warnings(),
        data_digest=reading.library.digest,
    )


class Named(NamedTuple):
    """A row as a plan, under a name that no other row has."""

    line: int
    name: str
    plan: Plan


class Reading:
    """A table being read: twice, first to learn what its rows have in common."""

    def __init__(self, table: Any, plan: Plan | None, keep_going: bool, library: Library) -> None:
        # What is read once only is kept.
        once = hasattr(table, "__next__")
        self.table = list(table) if once else table
        self.common = {} if plan is None else plan.said()
        self.keep_going, self.library = keep_going, library
        self.left_out: list[LeftOut] = []
        self.notices: dict[Notice, list[str]] = {}
        self.causes = uncertainty.Shared()
        self.columns = self._columns()
        self._used = self.columns.used.items()
        self._model = next((head for head, one in self._used if one.name == "model"), None)
        #: What stands in the column of models and is none that is known.
        self.labels: list[str] = []
        self.count = 0
        self._kept: dict[int, Settled] = {}
        self._bad: set[int] = set()
        self._sums: dict[str, Array] = {}
        self._middle: dict[str, float] = {}
        self._unknown: set[str] = set()
        self._meet()

    @property
    def meaning(self) -> dict[str, str]:
        """What each column was taken for, by its header."""
        used = {
            head: f"{one.name} [{one.unit}]" if one.unit else one.name
            for head, one in self.columns.used.items()
        }
        return ({self.columns.name: "name"} if self.columns.name else {}) | used

    def plans(self) -> Iterator[Named]:
        """Each row as a plan that can be forecast."""
        for row, name in self._named():
            if row.line not in self._bad:
                yield Named(row.line, name, self._plan(row, name))

    def runs(self, progress: Progress | None = None) -> Iterator[TableRun]:
        """Each row's forecast, added to the total as it comes."""
        for done, one in enumerate(self.plans(), start=1):
            settled = self._kept.get(one.line) or resolve(one.plan, self.library)
            middle = settled.middle
            numbers = [self.causes.numbers(live) for live in settled.lives]
            sampled = follow(numbers, settled.runs)
            self._add(middle, sampled)
            yield TableRun(one.name, one.line, quantities_of(middle, sampled))
            if progress is not None:
                progress(done)

    def total(self) -> dict[str, Quantity | None]:
        """The sum of all rows so far: of their draws, from causes in common."""
        known = [name for name in self._sums if name not in self._unknown]
        found: dict[str, Quantity | None] = dict.fromkeys(result_names())
        if known:
            draws = [np.broadcast_to(self._sums[name], uncertainty.DRAWS) for name in known]
            levels = uncertainty.quantiles(draws).tolist()
            for name, (p5, p10, p50, p90, p95) in zip(known, levels, strict=True):
                value = self._middle[name]
                found[name] = Quantity(value, p5, p10, p50, p90, p95, TERMS[name].unit)
        return found

    def warnings(self) -> tuple[Notice, ...]:
        """What there is to say of rows, each once, with the rows it is said of."""
        said = []
        for notice, names in self.notices.items():
            whose = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            every = len(names) == self.count
            of = "all rows" if every and self.count > 1 else whose
            said.append(Notice(notice.code, f"{notice.message} [{of}]"))
        if self.labels:
            shown = ", ".join(dict.fromkeys(self.labels))
            message = f"no known models, taken as names beside their sizes: {shown}"
            said.append(Notice("given_unused", message))
        return tuple(said)

    def _columns(self) -> Columns:
        heads: dict[str, None] = {}
        for row in rows_of(self.table):
            heads |= dict.fromkeys(row.cells)
        if not heads:
            raise InputError("table", None, "has no rows with anything in them")
        return columns_of(heads)

    def _meet(self) -> None:
        """Settle all rows once: errors come before any answer, and causes in common are known."""
        for row, name in self._named():
            try:
                settled = resolve(self._plan(row, name), self.library)
            except JoulecastError as problem:
                if not self.keep_going:
                    raise self._of_row(row, name, problem) from None
                self._bad.add(row.line)
                told = self._of_row(row, name, problem)
                self.left_out.append(LeftOut(row.line, name, str(told)))
                continue
            self.count += 1
            for live in settled.lives:
                self.causes.meet(live)
            for notice in settled.notices:
                self.notices.setdefault(notice, []).append(name)
            if len(self._kept) < KEPT:
                self._kept[row.line] = settled
        if not self.count:
            raise InputError("table", None, "has no row that can be forecast")

    def _named(self) -> Iterator[tuple[Row, str]]:
        """Rows with their names; a name that was there gets the number of its line."""
        seen: set[str] = set()
        for row in rows_of(self.table):
            said = row.cells.get(self.columns.name) if self.columns.name else None
            if said is None and self._model is not None:
                said = row.cells.get(self._model)
            name = f"row {row.line}" if said is None else str(said).strip()
            if name in seen:
                name = f"{name} (line {row.line})"
            seen.add(name)
            yield row, name

    def _plan(self, row: Row, name: str) -> Plan:
        fields: dict[str, Any] = {}
        given: dict[str, Any] = {}
        for head, cell in row.cells.items():
            column = self.columns.used.get(head)
            if column is None:
                continue
            value = _of_numpy(column.value(cell))
            if head == self._model and self._is_label(row, value):
                self.labels.append(f"{value} (line {row.line})")
                continue
            (fields if column.name in Plan.fields else given)[column.name] = value
        try:
            return merged(self.common, given, fields)
        except JoulecastError as problem:
            raise self._of_row(row, name, problem) from None

    def _is_label(self, row: Row, value: Any) -> bool:
        """Whether a model that nobody knows stands beside its own size: a name, and no more."""
        sized = any(one.name in SIZES and head in row.cells for head, one in self._used)
        if not sized or not isinstance(value, str):
            return False
        if is_config(value):
            return False
        try:
            self.library.model(value)
        except JoulecastError:
            return True
        return False

    def _of_row(self, row: Row, name: str, problem: JoulecastError) -> JoulecastError:
        """The problem, saying which row and column has it."""
        if "(line " in problem.why:
            return problem
        field = problem.field.removeprefix("--").replace("-", "_")
        heads = [head for head, one in self.columns.used.items() if one.name == field]
        column = f", column {heads[0]}" if heads and heads[0] in row.cells else ""
        why = f"{problem.why} (line {row.line}, {name}{column})"
        return type(problem)(problem.field, problem.value, why, problem.choices)

    def _add(self, middle: Outcome, sampled: Outcome) -> None:
        """Add a row to the sums; one that lacks a result leaves that of all unknown."""
        for name in result_names():
            draws, value = sampled.result(name), middle.result(name)
            if name in NOT_ADDED or draws is None or value is None:
                self._unknown.add(name)
                continue
            self._sums[name] = self._sums.get(name, np.zeros(1)) + draws
            self._middle[name] = self._middle.get(name, 0.0) + float(value)


def _of_numpy(value: Any) -> Any:
    """A number of numpy, as frames have them, as one of Python."""
    return value.item() if isinstance(value, np.generic) else value

"""The verb `sweep`: a plan and what is varied in, a table of results out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from joulecast import units
from joulecast.arrays import Array, Numbers
from joulecast.chain import repeat
from joulecast.data.library import Library
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.estimation import drawn, quantities_of
from joulecast.notices import Notice
from joulecast.outcome import INTENSIVE, source_of
from joulecast.plan import Plan, varied
from joulecast.resolve import resolve
from joulecast.terms import PARTS, RESULTS, TERMS
from joulecast.whatif import axes as reading
from joulecast.whatif import drawing, frames, scenarios
from joulecast.whatif.axes import MAX_ROWS, Axis
from joulecast.whatif.drawing import RANGE, Range
from joulecast.whatif.rows import Block, Part, Scenarios, nominal, proportional, tiles

if TYPE_CHECKING:
    import pandas
    import polars

#: What a sweep shows unless it is asked for something else.
USUAL = ("total_kgco2e", "energy_kwh", "device_hours")

#: Rows of a fleet: each takes some milliseconds.
MOST_OF_FLEET = 2000

#: Rows made at once: what fits in the processor's cache.
ROWS_AT_ONCE = 65_536


def sweep(
    plan: Plan,
    vary: Mapping[str, Any],
    results: Sequence[str] = USUAL,
    ranges: bool = True,
    library: Library | None = None,
    max_rows: int = MAX_ROWS,
) -> Sweep:
    """Forecast a plan over all combinations of what is varied.

    Row i is what `estimate` says of plan i: to nine digits in its value, within 0.5 % in its range.

    Parameters
    ----------
    plan
        What stays the same.
    vary
        Name of a field of the plan or of a quantity -> its values: a list, an array, or text as
        on the command line (``"1B,7B,70B"``, ``"log:1B:1T:31"``, ``"all"``, ``"@file"``).
    results
        Which results (docs/glossary.md); the emissions, energy and device-hours unless said.
    ranges
        Whether to give the 80 % prediction range (p10, p90) and the median beside each value.
    library
        The data to look things up in; the package's own where none is given.
    max_rows
        More rows than this are an error.

    Returns
    -------
    Sweep, its first varied name changing slowest.

    Raises
    ------
    JoulecastError
        Where nothing can be varied so, or where a row cannot be forecast: it says which.

    >>> plan = Plan(tokens=2e12, device="h100-sxm", year=2024)
    >>> table = sweep(plan, {"params": [1e9, 2e9], "region": "fr,pl"})
    >>> len(table), table.names[:3]
    (4, ('params', 'region', 'total_kgco2e_value'))
    """
    if not isinstance(plan, Plan):
        raise InputError("plan", type(plan).__name__, "must be a Plan", ["Plan(params=7e9, ...)"])
    chosen = _chosen(results)
    library = library or Library.bundled()
    columns = len(chosen) * (1 + len(RANGE) if ranges else 1)
    columns += len(vary) if isinstance(vary, Mapping) else 0
    axes, optional = reading.read(vary, library, reading.at_most(max_rows, columns))
    if plan.fleet:
        return _of_fleet(
            plan, *scenarios.usable(plan, axes, optional, library), chosen, ranges, library
        )
    settled = scenarios.settle(plan, axes, optional, library)
    return Sweep(settled, chosen, ranges)


def _of_fleet(
    plan: Plan,
    axes: tuple[Axis, ...],
    notices: list[Notice],
    chosen: tuple[str, ...],
    ranges: bool,
    library: Library,
) -> Sweep:
    """A sweep of a fleet, whose rows are settled one by one: sums have no short cut."""
    rows = reading.combinations(axes)
    if len(rows) > MOST_OF_FLEET:
        why = f"are more rows than a sweep of a fleet takes ({MOST_OF_FLEET:,})"
        raise InputError("fleet", f"{len(rows):,}", why, ["fewer values", "one plan per entry"])
    made = {name: np.full((len(RANGE) + 1, len(rows)), np.nan) for name in chosen}
    said = dict.fromkeys(notices)
    for i, row in enumerate(rows):
        try:
            settled = resolve(varied(plan, row), library)
        except JoulecastError as problem:
            raise scenarios.of_row(row, problem) from None
        said |= dict.fromkeys(settled.notices)
        totals = quantities_of(settled.middle, *drawn([settled]))
        for name, levels in made.items():
            found = totals[name]
            if found is not None:
                levels[:, i] = [found.value, *(getattr(found, level) for level in RANGE)]
    shape = tuple(axis.values.size for axis in axes)
    table = Scenarios(axes, (), tuple(() for _ in axes), tuple(said), 1.0)
    grids = {name: levels.reshape(-1, *shape) for name, levels in made.items()}
    return Sweep(table, chosen, ranges, grids)


def _chosen(results: Sequence[str]) -> tuple[str, ...]:
    names = [results] if isinstance(results, str) else list(results)
    known = [*RESULTS, *PARTS.values()]
    for name in names:
        if name not in known:
            close = nearest(name, known) or list(USUAL)
            raise UnknownNameError("results", name, "is not a result", close)
    if not names:
        raise InputError("results", None, "names none", list(USUAL))
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Sweep:
    """A table of forecasts: one row for each combination of what was varied.

    Columns are made when they are asked for.  `names` lists them: the varied names, then
    ``<result>_value``, ``_p10``, ``_p50`` and ``_p90`` of each result; a result that cannot be
    known is NaN.
    """

    scenarios: Scenarios = field(repr=False)
    results: tuple[str, ...]
    ranges: bool = True
    grids: Mapping[str, Array] | None = field(default=None, repr=False)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What was varied, the slowest first."""
        return self.scenarios.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Values on each axis."""
        return self.scenarios.shape

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """What there is to say of the rows that were settled, each thing once."""
        return self.scenarios.notices

    @property
    def levels(self) -> tuple[str, ...]:
        """Endings of a result's columns."""
        return ("value", *RANGE) if self.ranges else ("value",)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        made = (f"{result}_{level}" for result in self.results for level in self.levels)
        return (*(axis.name for axis in self.axes), *made)

    def __len__(self) -> int:
        return prod(self.shape)

    def __getitem__(self, name: str) -> Any:
        """One column: float64, or the words that were varied."""
        return self.grid(name).ravel()

    def grid(self, name: str) -> Any:
        """One column as an array over the axes."""
        if name not in self.names:
            raise UnknownNameError(
                "column", name, "is not in this sweep", nearest(name, self.names)
            )
        for k, axis in enumerate(self.axes):
            if axis.name == name:
                sides = [-1 if j == k else 1 for j in range(len(self.axes))]
                return np.broadcast_to(axis.values.reshape(sides), self.shape)
        result, _, level = name.rpartition("_")
        column = self._columns[result]
        out = np.empty(self.shape)
        for block in tiles(self.shape, ROWS_AT_ONCE):
            column.fill(out[block], block, level)
        return out

    @property
    def columns(self) -> dict[str, Any]:
        """All columns by name."""
        return {name: self[name] for name in self.names}

    def blocks(self) -> Iterator[dict[str, Any]]:
        """All columns, some ten thousand rows at a time."""
        for block in tiles(self.shape, ROWS_AT_ONCE):
            made = dict(zip(self.names, self.positions(block), strict=False))
            columns = {axis.name: axis.values[made[axis.name]] for axis in self.axes}
            yield columns | self.results_of(block)

    def positions(self, block: Block) -> list[Any]:
        """For each axis, which of its values the rows of a block are at."""
        at = np.ix_(*(np.arange(n)[part] for n, part in zip(self.shape, block, strict=True)))
        return [one.ravel() for one in np.broadcast_arrays(*at)]

    def results_of(self, block: Block) -> dict[str, Array]:
        """The columns of results in the rows of a block."""
        shape = [len(range(n)[part]) for n, part in zip(self.shape, block, strict=True)]
        found = {}
        for result in self.results:
            for level in self.levels:
                out = np.empty(shape)
                self._columns[result].fill(out, block, level)
                found[f"{result}_{level}"] = out.ravel()
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows as plain values; what cannot be known is None."""
        for block in self.blocks():
            lists = [
                [None if is_unknown(x) else x for x in column.tolist()] for column in block.values()
            ]
            for values in zip(*lists, strict=True):
                yield dict(zip(block, values, strict=True))

    def unit(self, name: str) -> str:
        """Unit of a column; empty for counts, ratios and words."""
        result = name.rpartition("_")[0]
        return TERMS[result].unit if result in self.results else _unit_of_axis(name)

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame; raises InputError where pandas is not installed."""
        return cast("pandas.DataFrame", frames.to_pandas(self.columns))

    def to_polars(self) -> polars.DataFrame:
        """The table as a polars DataFrame; raises InputError where polars is not installed."""
        columns = self.columns.items()
        plain = {name: c.tolist() if c.dtype == object else c for name, c in columns}
        return cast("polars.DataFrame", frames.to_polars(plain))

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the table to a .csv, .jsonl or .parquet file, in constant memory.

        The file appears under its name when it is whole.  Raises JoulecastError for a file that is
        there already (unless `force`) or that cannot be written.
        """
        from joulecast.whatif.writing import save

        save(self, Path(path), force)

    def plot(self, path: str | Path, result: str | None = None, force: bool = False) -> None:
        """Draw one result (the first unless said) to an .svg, .png or .pdf file."""
        from joulecast.report.plotting import save_sweep

        save_sweep(self, Path(path), result, force)

    @cached_property
    def _columns(self) -> Mapping[str, _Column | _Made]:
        """Each result, ready to be made for any block."""
        if self.grids is not None:
            return {result: _Made(levels) for result, levels in self.grids.items()}
        found = {result: _Column(self.scenarios, result) for result in self.results}
        if self.ranges:
            for number, part in enumerate(self.scenarios.parts):
                known = [column for column in found.values() if column.source in part.run.known]
                wanted = {column.source: column.held for column in known}
                drawn = drawing.ranges(self.scenarios, part, wanted)
                for column in known:
                    column.ranges[number] = drawn[column.source]
        return found


def is_unknown(value: object) -> bool:
    """Whether a value of a column stands for what cannot be known."""
    return isinstance(value, float) and isnan(value)


def _unit_of_axis(name: str) -> str:
    return TERMS[name].unit if name in TERMS else ""


class _Made:
    """One result in all rows, made beforehand [level, axis, axis, ...]."""

    def __init__(self, levels: Array) -> None:
        self.levels = dict(zip(("value", *RANGE), levels, strict=True))

    def fill(self, out: Array, block: Block, level: str) -> None:
        """Write the rows of a block into `out`."""
        out[...] = self.levels[level][block]


class _Column:
    """One result in all rows: its nominal value and, by part, its range over it.

    Along some axes the result is proportional to `factors`; the chain is followed at the largest
    number of each (`held`) alone.
    """

    def __init__(self, settled: Scenarios, result: str) -> None:
        self.settled, self.result = settled, result
        self.source = source_of(result)
        runs = 1.0 if result in INTENSIVE else settled.runs
        self.size = units.factor(TERMS[result].unit) / runs
        self.factors = _factors(settled, result)
        own = settled.parts[0].own
        self.held = {own[k]: float(settled.axes[k].values.max()) for k in self.factors if k in own}
        self.ranges: dict[int, Range] = {}

    def fill(self, out: Array, block: Block, level: str) -> None:
        """Write the rows of a block into `out`, whose axes are those of the sweep."""
        for number, part in enumerate(self.settled.parts):
            inside = _inside(part.where, block, self.settled.shape)
            if inside is None:
                continue
            target = out[inside]
            if self.source not in part.run.known:
                target[...] = np.nan
                continue
            spread = self.ranges.get(number) if level in RANGE else None
            if spread is not None and spread.absolute:
                made = spread.level(level, block) / self.size
            else:
                made = np.asarray(self.value(part, block)) / self.size
                if spread is not None:
                    made = made * spread.level(level, block)
            self.scale(target, made, block)

    def scale(self, target: Array, made: Array, block: Block) -> None:
        """Multiply by the factors of this block, short ones first, straight into the target."""
        for k, factors in sorted(self.factors.items(), reverse=True):
            sides = [1] * target.ndim
            sides[k] = -1
            made = made * factors[block[k]].reshape(sides)
        target[...] = made

    def value(self, part: Part, block: Sequence[Any]) -> Numbers:
        """The nominal value, in base units, with the numbers of the scaled axes held."""
        numbers = nominal(part, block, self.held)
        return repeat(part.run, numbers, [self.source])[self.source]


def _inside(
    where: Sequence[int | None], block: Block, shape: Sequence[int]
) -> tuple[slice, ...] | None:
    """Rows of a part within a block; None where it has none there."""
    found = []
    for at, part, count in zip(where, block, shape, strict=True):
        if at is None:
            found.append(slice(None))
            continue
        positions = range(count)[part]
        if at not in positions:
            return None
        found.append(slice(positions.index(at), positions.index(at) + 1))
    return tuple(found)


def _factors(settled: Scenarios, result: str) -> dict[int, Array]:
    """Axes along which a result is proportional to a function of the numbers.

    For each, the result along it over that at the largest number.
    """
    source = source_of(result)
    parts = [part for part in settled.parts if source in part.run.known]
    found = {}
    for k, axis in enumerate(settled.axes):
        if axis.name == "runs":
            found[k] = np.ones_like(axis.values) if result in INTENSIVE else axis.values
        elif axis.numeric and parts and axis.values.max() > 0:
            tried = [proportional(part, source, k, axis.values) for part in parts]
            first = tried[0]
            if first is not None and all(
                one is not None and np.allclose(one, first, rtol=1e-12, atol=0) for one in tried
            ):
                found[k] = first
    return found

"""The verb `sweep`: a plan and what is varied in, a table of results out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, isnan, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from joulecast import fleets, uncertainty, units
from joulecast.arrays import Array, Numbers
from joulecast.chain import repeat
from joulecast.data.library import Library
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.estimation import INTENSIVE, source_of
from joulecast.notices import Notice
from joulecast.plan import Plan, varied
from joulecast.resolve.fleet import ledgers_of
from joulecast.terms import PARTS, RESULTS, TERMS
from joulecast.whatif import axes as reading
from joulecast.whatif import frames, scenarios
from joulecast.whatif.axes import MAX_ROWS, Axis
from joulecast.whatif.scenarios import Part, Scenarios

if TYPE_CHECKING:
    import pandas
    import polars

#: What a sweep shows unless it is asked for something else.
USUAL = ("total_kgco2e", "energy_kwh", "device_hours")

#: Column of a range -> its place in uncertainty.LEVELS.
RANGE = {"p10": 1, "p50": 2, "p90": 3}

#: Values of an axis at which ranges are drawn; between them the log of the range over the value
#: is a line.  So many at the most, and so many for each e-fold a quantity moves along it.
NODES = 17
NODES_PER_E_FOLD = 16
FEWEST_NODES = 5

#: Rows of a fleet: each takes some milliseconds.
MOST_OF_FLEET = 2000

#: Rows drawn at once, and rows made at once: what fits in the processor's cache.
DRAWN_AT_ONCE = 16

#: Values of a quantity whose draws are kept while the rows that use them are gone through.
KEPT = 128
ROWS_AT_ONCE = 65_536

Block = tuple[slice, ...]


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
            settled = ledgers_of(varied(plan, row), library)
        except JoulecastError as problem:
            raise scenarios.of_row(row, problem) from None
        said |= dict.fromkeys(fleets.warnings_of(settled))
        totals = fleets.totals_of(settled)
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
            raise UnknownNameError("results", name, "is not a result", nearest(name, known))
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
                _draw(self.scenarios, part, number, found)
        return found


def is_unknown(value: object) -> bool:
    """Whether a value of a column stands for what cannot be known."""
    return isinstance(value, float) and isnan(value)


def _unit_of_axis(name: str) -> str:
    return TERMS[name].unit if name in TERMS else ""


def tiles(shape: Sequence[int], most: int) -> Iterator[Block]:
    """Blocks of at most so many rows, in the order of the rows."""
    inner, k = 1, len(shape)
    while k > 0 and inner * shape[k - 1] <= most:
        k -= 1
        inner *= shape[k]
    if k == 0:
        yield (slice(None),) * len(shape)
        return
    step = max(1, most // inner)
    rest = (slice(None),) * (len(shape) - k)
    for lead in np.ndindex(*shape[: k - 1]):
        for start in range(0, shape[k - 1], step):
            here = slice(start, min(start + step, shape[k - 1]))
            yield (*(slice(i, i + 1) for i in lead), here, *rest)


class _Along(NamedTuple):
    """How ranges drawn at some values of an axis serve all of them.

    A value at position i lies between the drawn ones `left[i]` and `right[i]`, at `share[i]`.
    """

    drawn: Any
    left: Any
    right: Any
    share: Array


class _Range(NamedTuple):
    """Levels of a result over its nominal value [level, axis, axis, ...], at the drawn rows.

    Where `absolute`, the levels themselves: a median of nothing has no ratios.
    """

    ratios: Array
    along: tuple[_Along | None, ...]
    absolute: bool


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
        self.ranges: dict[int, _Range] = {}

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
                made = _levels(spread, RANGE[level] - 1, block) / self.size
            else:
                made = np.asarray(self.value(part, block)) / self.size
                if spread is not None:
                    made = made * _levels(spread, RANGE[level] - 1, block)
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
        numbers = scenarios.nominal(part, block, self.held)
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
            tried = [scenarios.proportional(part, source, k, axis.values) for part in parts]
            first = tried[0]
            if first is not None and all(
                one is not None and np.allclose(one, first, rtol=1e-12, atol=0) for one in tried
            ):
                found[k] = first
    return found


def _draw(settled: Scenarios, part: Part, number: int, columns: Mapping[str, _Column]) -> None:
    """Draw the ranges of all results in a part; those that vary alike are drawn together."""
    together: dict[Any, tuple[tuple[_Along | None, ...], list[_Column]]] = {}
    for column in columns.values():
        if column.source in part.run.known:
            along = _along(settled, part, column)
            key = (
                tuple(None if one is None else one.drawn.tobytes() for one in along),
                tuple(column.held),
            )
            together.setdefault(key, (along, []))[1].append(column)
    for along, alike in together.values():
        levels = _drawn(part, along, alike[0].held, [column.source for column in alike])
        for column, found in zip(alike, levels, strict=True):
            value = np.asarray(column.value(part, _picked(along)))
            lost = bool(((value == 0) & (found != 0).any(axis=0)).any())
            if lost:
                column.ranges[number] = _absolute(settled, part, column)
            else:
                ratios = np.divide(found, value, out=np.ones_like(found), where=value != 0)
                column.ranges[number] = _Range(ratios, along, False)


def _absolute(settled: Scenarios, part: Part, column: _Column) -> _Range:
    """Levels where the nominal value is nothing, drawn at every value of every axis."""
    along = _along(settled, part, column, everywhere=True)
    (levels,) = _drawn(part, along, column.held, [column.source])
    return _Range(levels, along, True)


def _along(
    settled: Scenarios, part: Part, column: _Column, everywhere: bool = False
) -> tuple[_Along | None, ...]:
    """Where to draw: on each axis that a result's range depends on, all values or enough."""
    behind = part.run.behind(column.source) | {column.source}
    found: list[_Along | None] = []
    for k, axis in enumerate(settled.axes):
        varying = [
            np.moveaxis(levels, 1 + k, 0).reshape(axis.values.size, -1)
            for name, levels in part.levels.items()
            if name in behind and name not in column.held and levels.shape[1 + k] > 1
        ]
        found.append(_picks(axis, varying, settled.breaks[k], everywhere) if varying else None)
    return tuple(found)


def _picks(axis: Axis, varying: list[Array], breaks: Sequence[float], everywhere: bool) -> _Along:
    count = axis.values.size
    everything = np.arange(count)
    most = min(NODES, max(FEWEST_NODES, ceil(NODES_PER_E_FOLD * _span(varying))))
    if everywhere or not axis.numeric or count <= most:
        return _Along(everything, everything, everything, np.zeros(count))
    order = np.argsort(axis.values, kind="stable")
    changes = np.zeros(count, dtype=int)
    for values in varying:
        rising = values[order]
        changes[1:] |= (rising[1:] != rising[:-1]).any(axis=1)
    if changes.sum() < most:  # steps: one draw for each of them
        step = np.empty(count, dtype=int)
        step[order] = np.cumsum(changes)
        starts = order[np.r_[0, np.flatnonzero(changes)]]
        return _Along(starts, step, step, np.zeros(count))
    x = axis.values[order]
    at = np.log(x) if axis.logarithmic else x
    near = np.searchsorted(at, np.linspace(at[0], at[-1], most))
    edges = np.searchsorted(x, np.array(breaks))
    chosen = np.unique(np.clip(np.r_[0, near, edges - 1, edges, count - 1], 0, count - 1))
    place = np.clip(np.searchsorted(chosen, everything, side="right") - 1, 0, chosen.size - 2)
    width = at[chosen[place + 1]] - at[chosen[place]]
    share = np.divide(at - at[chosen[place]], width, out=np.zeros(count), where=width > 0)
    left, shares = np.empty(count, dtype=int), np.empty(count)
    left[order], shares[order] = place, share
    return _Along(order[chosen], left, left + 1, shares)


def _span(varying: list[Array]) -> float:
    """The e-folds that the quantity which moves most does along an axis; many where it meets 0."""
    ends = [(values.min(axis=0), values.max(axis=0)) for values in varying]
    if any((low <= 0).any() for low, _ in ends):
        return NODES
    return max(float(np.log(high / low).max()) for low, high in ends)


def _picked(along: Sequence[_Along | None]) -> list[Any]:
    return [None if one is None else one.drawn for one in along]


def _drawn(
    part: Part, along: Sequence[_Along | None], held: Mapping[str, float], sources: list[str]
) -> list[Array]:
    """Levels of results at the drawn rows, in base units [level, axis, axis, ...]."""
    table = uncertainty.scores()
    needed = set(sources).union(*(part.run.behind(source) for source in sources))
    shape = [1 if one is None else len(one.drawn) for one in along]
    levels = {
        name: scenarios.cut(found, _picked(along))
        for name, found in part.levels.items()
        if name in needed and name not in held
    }
    fixed = {name: np.float64(value * _size(name)) for name, value in held.items()}

    def drawn(name: str, found: Array) -> Array:
        exact = (found[0] == found[1]) & (found[0] == found[2])
        if exact.all():
            return np.asarray(found[0] * _size(name))[..., None]
        scores = table[part.columns[name]].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):  # an exact 0 among ranges
            picked = uncertainty.pick_each(TERMS[name], found[..., None], scores)
        return np.where(exact[..., None], found[0][..., None] * _size(name), picked)

    # What few rows need is drawn once and cut to each block; the rest where it is needed.
    kept = {name: drawn(name, found) for name, found in levels.items() if found[0].size <= KEPT}
    out = [np.empty((len(RANGE), *shape)) for _ in sources]
    for block in tiles(shape, DRAWN_AT_ONCE):
        here = {
            name: scenarios.cut(kept[name], (*block, slice(None)))
            if name in kept
            else drawn(name, scenarios.cut(found, block))
            for name, found in levels.items()
        }
        made = repeat(part.run, {**fixed, **here}, sources)
        for target, source in zip(out, sources, strict=True):
            draws = np.asarray(made[source])
            spread = draws if draws.ndim else draws.reshape((1,) * (len(shape) + 1))
            points = uncertainty.quantiles(spread)[..., list(RANGE.values())]
            target[(slice(None), *block)] = np.moveaxis(points, -1, 0)
    return out


def _size(name: str) -> float:
    return units.factor(TERMS[name].unit)


def _levels(spread: _Range, level: int, block: Block) -> Array:
    """One level over a block, in a line between the values at which it was drawn."""
    found: Array = spread.ratios[level]
    between = any(
        one is not None and one.share[part].any()
        for one, part in zip(spread.along, block, strict=True)
    )
    # A ratio runs straight on the scale of its logarithm, as the ranges of most inputs do.
    bent = between and not spread.absolute and bool((found > 0).all())
    if bent:
        found = np.log(found)
    for k, (one, part) in enumerate(zip(spread.along, block, strict=True)):
        if one is None:
            continue
        left = found.take(one.left[part], axis=k)
        share = one.share[part]
        if share.any():
            sides = [1] * found.ndim
            sides[k] = -1
            right = found.take(one.right[part], axis=k)
            left = left + (right - left) * share.reshape(sides)
        found = left
    return np.exp(found) if bent else found

"""The verb `sweep`: a plan and what is varied in, a table of results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from joulecast import units
from joulecast.answers.sweep import RANGE, Axis, Block, Sweep
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
from joulecast.whatif import drawing, scenarios
from joulecast.whatif.axes import MAX_ROWS
from joulecast.whatif.drawing import Range
from joulecast.whatif.rows import Part, Scenarios, nominal, proportional

#: What a sweep shows unless it is asked for something else.
USUAL = ("total_kgco2e", "energy_kwh", "device_hours")

#: Rows of a fleet: each takes some milliseconds.
MOST_OF_FLEET = 2000


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
        axes, notices = scenarios.usable(plan, axes, optional, library)
        return _of_fleet(plan, axes, notices, chosen, ranges, library)
    settled = scenarios.settle(plan, axes, optional, library)
    make = partial(_columns, settled, chosen, ranges)
    return Sweep(settled.axes, chosen, ranges, settled.notices, make)


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
    columns = {name: _Made(levels.reshape(-1, *shape)) for name, levels in made.items()}
    return Sweep(axes, chosen, ranges, tuple(said), partial(dict, columns))


def _columns(settled: Scenarios, results: Sequence[str], ranges: bool) -> dict[str, _Column]:
    """Each result, ready to be made for any block."""
    found = {result: _Column(settled, result) for result in results}
    if ranges:
        for number, part in enumerate(settled.parts):
            known = [column for column in found.values() if column.source in part.run.known]
            wanted = {column.source: column.held for column in known}
            drawn = drawing.ranges(settled, part, wanted)
            for column in known:
                column.ranges[number] = drawn[column.source]
    return found


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

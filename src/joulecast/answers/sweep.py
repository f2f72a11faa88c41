"""A table of forecasts: one row for each combination of what was varied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import isnan, prod
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from joulecast.answers.base import Noun, door
from joulecast.arrays import Array
from joulecast.errors import UnknownNameError, nearest
from joulecast.notices import Notice
from joulecast.terms import TERMS

#: Levels of a range, as the columns are called.
RANGE = ("p10", "p50", "p90")

#: Rows made at once: what fits in the processor's cache.
ROWS_AT_ONCE = 65_536

#: Rows of a table as slices of its axes.
Block = tuple[slice, ...]


class Axis(NamedTuple):
    """One thing that is varied.

    `values` are numbers, in the unit of the quantity, or an object array of what was said.
    `numeric` marks numbers that the answer may be scaled or interpolated by.
    """

    name: str
    values: NDArray[Any]
    numeric: bool

    @property
    def logarithmic(self) -> bool:
        """Whether equal ratios rather than equal steps are the natural spacing."""
        return self.numeric and self.name != "pue" and bool(self.values.min() > 0)


class Column(Protocol):
    """One result, made for any rows when it is asked for."""

    def fill(self, out: Array, block: Block, level: str) -> None:
        """Write the rows of a block into `out`, whose axes are those of the table."""


class Sweep(Noun):
    """A table of forecasts: one row for each combination of what was varied.

    Columns are made when they are asked for.  `names` lists them: the varied names, then
    ``<result>_value``, ``_p10``, ``_p50`` and ``_p90`` of each result; a result that cannot be
    known is NaN.  `axes` are what was varied, the slowest first; `warnings` what there is to say of
    the rows that were settled, each thing once; `make` makes the columns of results ready.
    """

    axes: tuple[Axis, ...]
    results: tuple[str, ...]
    ranges: bool
    warnings: tuple[Notice, ...]
    make: Callable[[], Mapping[str, Column]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Values on each axis."""
        return tuple(axis.values.size for axis in self.axes)

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
            near = nearest(name, self.names)
            raise UnknownNameError("column", name, "is not in this sweep", near)
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
            lists = map(_plain, block.values())
            for values in zip(*lists, strict=True):
                yield dict(zip(block, values, strict=True))

    def unit(self, name: str) -> str:
        """Unit of a column; empty for counts, ratios and words."""
        result = name.rpartition("_")[0]
        known = TERMS.get(result if result in self.results else name)
        return "" if known is None else known.unit

    def to_dict(self) -> dict[str, Any]:
        """The columns by name, as plain values."""
        return {name: _plain(self[name]) for name in self.names}

    def to_json(self) -> str:
        """The rows as an array, as the command line prints them."""
        return "".join(door().written(self, "json"))

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the table to a .csv, .jsonl or .parquet file, in constant memory.

        The file appears under its name when it is whole.  Raises JoulecastError for a file that is
        there already (unless `force`) or that cannot be written.
        """
        door().save(self, path, force)

    def plot(self, path: str | Path, result: str | None = None, force: bool = False) -> None:
        """Draw one result (the first unless said) to an .svg, .png or .pdf file."""
        door().plot(self, path, result, force)

    @cached_property
    def _columns(self) -> Mapping[str, Column]:
        return self.make()


def _plain(column: NDArray[Any]) -> list[Any]:
    """The values of a column, None for what cannot be known."""
    return [None if isinstance(x, float) and isnan(x) else x for x in column.tolist()]


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

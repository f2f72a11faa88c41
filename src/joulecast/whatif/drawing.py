"""Ranges of the rows of a sweep: drawn at enough of them, in a line between.

A range over its nominal value changes smoothly along most axes, so few values of a long axis need
draws of their own.  Which, the draws say themselves: an interval is halved until its middle lies
on the line through its ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from joulecast import uncertainty, units
from joulecast.answers.sweep import RANGE, Axis, Block, tiles
from joulecast.arrays import Array, Numbers
from joulecast.terms import TERMS
from joulecast.whatif.rows import Part, Scenarios, cut

#: Levels of a range (RANGE is what they are called).
LEVELS = (0.10, 0.50, 0.90)

#: An axis of so few different values has its ranges drawn at each.
SHORT = 16

#: How far the middle of an interval may lie off the line; a row may be 0.5 % off.
OFF = 0.002

#: Rows drawn at once: what fits in the processor's cache.
ROWS_AT_ONCE = 10

#: Values of a quantity whose draws are kept while the rows that use them are gone through.
KEPT = 128

Index = NDArray[np.intp]


class Along(NamedTuple):
    """How ranges drawn at some values of an axis serve all of them.

    A value at position i lies between the drawn ones `left[i]` and `right[i]`, at `share[i]`.
    """

    left: Index
    right: Index
    share: Array


class Range(NamedTuple):
    """Levels of a result over its nominal value [level, axis, axis, ...], at the drawn rows.

    Where `absolute`, the levels themselves, in base units: a median of nothing has no ratios.
    """

    ratios: Array
    along: tuple[Along | None, ...]
    absolute: bool

    def level(self, name: str, block: Block) -> Array:
        """One level over a block, in a line between the rows at which it was drawn."""
        found: Array = self.ratios[RANGE.index(name)]
        places = [
            None if one is None else Along(one.left[rows], one.right[rows], one.share[rows])
            for one, rows in zip(self.along, block, strict=True)
        ]
        between = any(place is not None and place.share.any() for place in places)
        straight = _Scale(found, between and not self.absolute)
        found = straight.to(found)
        for k, place in enumerate(places):
            if place is not None:
                found = _in_line(found, k, place)
        return straight.back(found)


class _Scale:
    """A ratio runs straight on the scale of its logarithm, as the ranges of most inputs do."""

    def __init__(self, values: Array, logarithmic: bool = True) -> None:
        self.logarithmic = logarithmic and bool((values > 0).all())

    def to(self, values: Array) -> Array:
        return np.log(values) if self.logarithmic else values

    def back(self, values: Array) -> Array:
        return np.exp(values) if self.logarithmic else values


def _in_line(found: Array, axis: int, place: Along) -> Array:
    left = found.take(place.left, axis=axis)
    if not place.share.any():
        return left
    sides = [1] * found.ndim
    sides[axis] = -1
    right = found.take(place.right, axis=axis)
    line: Array = left + (right - left) * place.share.reshape(sides)
    return line


def ranges(
    settled: Scenarios, part: Part, wanted: Mapping[str, Mapping[str, float]]
) -> dict[str, Range]:
    """Ranges of results in a part, by source; those that vary along the same axes together.

    `wanted` holds, for each source, the numbers that are held at one value, as the result is
    proportional to them.
    """
    together: dict[Any, tuple[list[_Nodes | None], list[str]]] = {}
    for source, held in wanted.items():
        nodes = _nodes(settled, part, source, held)
        key = tuple(None if one is None else one.starts.tobytes() for one in nodes), tuple(held)
        together.setdefault(key, (nodes, []))[1].append(source)
    found: dict[str, Range] = {}
    for nodes, sources in together.values():
        draws = _Draws(part, wanted[sources[0]], sources)
        levels = _enough(draws, nodes)
        along = tuple(None if one is None else one.along() for one in nodes)
        found |= {source: Range(one, along, False) for source, one in levels.items()}
        for source in draws.without_ratio:
            found[source] = _absolute(settled, part, source, wanted[source])
    return found


def _absolute(settled: Scenarios, part: Part, source: str, held: Mapping[str, float]) -> Range:
    """Levels where the nominal value is nothing, drawn at every value of every axis."""
    nodes = _nodes(settled, part, source, held, everywhere=True)
    starts = [None if one is None else one.starts for one in nodes]
    levels = _Draws(part, held, [source]).levels(starts)
    along = tuple(None if one is None else one.along() for one in nodes)
    return Range(levels[source][0], along, True)


class _Interval(NamedTuple):
    """From one step of an axis to another."""

    low: int
    high: int

    @property
    def middle(self) -> int:
        return (self.low + self.high) // 2


class _Nodes:
    """The values of an axis at which ranges are drawn.

    Values between which nothing differs make one step; `starts` are the positions of the first of
    each.  `chosen` are the steps drawn; `open` are the intervals of them that a line may not do
    for.
    """

    def __init__(
        self, axis: Axis, varying: Sequence[Array], breaks: Sequence[float], everywhere: bool
    ) -> None:
        count = axis.values.size
        self.step = np.arange(count)
        self.starts = self.step
        if axis.numeric and not everywhere:
            order = np.argsort(axis.values, kind="stable")
            new = np.zeros(count, dtype=np.bool_)
            for values in varying:
                rising = values[order]
                new[1:] |= (rising[1:] != rising[:-1]).any(axis=1)
            self.step[order] = np.cumsum(new)
            self.starts = order[np.r_[0, np.flatnonzero(new)]]
        last = self.starts.size - 1
        self.chosen = np.arange(last + 1)
        self.open: list[_Interval] = []
        if axis.numeric and not everywhere and last >= SHORT:
            x = axis.values[self.starts]
            self.x = np.log(x) if axis.logarithmic else x
            edges = np.searchsorted(x, np.array(breaks))
            ends = np.unique(np.clip(np.r_[0, last // 2, last, edges - 1, edges], 0, last))
            self.open = _wide(itertools.pairwise(ends.tolist()))
            self.chosen = np.union1d(ends, self.middles)

    @property
    def middles(self) -> Index:
        """Steps in the middle of what is open."""
        return np.array([one.middle for one in self.open], dtype=np.intp)

    def chords(self) -> Along:
        """Where the middles lie between their ends."""
        low, middle, high = np.array([(one.low, one.middle, one.high) for one in self.open]).T
        share = (self.x[middle] - self.x[low]) / (self.x[high] - self.x[low])
        return Along(np.searchsorted(self.chosen, low), np.searchsorted(self.chosen, high), share)

    def halve(self, off: NDArray[np.bool_]) -> Index:
        """Close what is not off.  Returns the order that the steps have with the new middles."""
        bad = [one for one, is_off in zip(self.open, off.tolist(), strict=True) if is_off]
        self.open = _wide(
            half for one in bad for half in ((one.low, one.middle), (one.middle, one.high))
        )
        steps = np.r_[self.chosen, self.middles]
        order: Index = np.argsort(steps)
        self.chosen = steps[order]
        return order

    def along(self) -> Along:
        """How the drawn steps serve every value of the axis."""
        if self.chosen.size == self.starts.size:
            return Along(self.step, self.step, np.zeros(self.step.size))
        left = np.searchsorted(self.chosen, self.step, side="right") - 1
        left = np.minimum(left, self.chosen.size - 2)
        start, end = self.x[self.chosen[left]], self.x[self.chosen[left + 1]]
        return Along(left, left + 1, (self.x[self.step] - start) / (end - start))


def _wide(intervals: Iterable[tuple[int, int]]) -> list[_Interval]:
    """Those with something inside."""
    return [_Interval(low, high) for low, high in intervals if high - low > 1]


def _nodes(
    settled: Scenarios, part: Part, source: str, held: Mapping[str, float], everywhere: bool = False
) -> list[_Nodes | None]:
    """Where to draw a result: on each axis that its range depends on, to begin with."""
    behind = part.run.behind(source) | {source}
    found: list[_Nodes | None] = []
    for k, axis in enumerate(settled.axes):
        varying = [
            np.moveaxis(levels, 1 + k, 0).reshape(axis.values.size, -1)
            for name, levels in part.levels.items()
            if name in behind and name not in held and levels.shape[1 + k] > 1
        ]
        found.append(_Nodes(axis, varying, settled.breaks[k], everywhere) if varying else None)
    return found


def _enough(draws: _Draws, nodes: Sequence[_Nodes | None]) -> dict[str, Array]:
    """Ratios [level, axis, axis, ...] at as many values of each axis as it takes."""

    def picks(k: int = -1, steps: Index | None = None) -> list[Index | None]:
        return [
            None if one is None else one.starts[steps if j == k else one.chosen]
            for j, one in enumerate(nodes)
        ]

    found = draws.ratios(picks())
    while any(one is not None and one.open for one in nodes):
        for k, one in enumerate(nodes):
            if one is None or not one.open:
                continue
            off = np.any([_off(ratios, 1 + k, one) for ratios in found.values()], axis=0)
            order = one.halve(off)
            if one.open:
                for source, new in draws.ratios(picks(k, one.middles)).items():
                    joined = np.concatenate([found[source], new], axis=1 + k)
                    found[source] = joined.take(order, axis=1 + k)
    return found


def _off(ratios: Array, axis: int, nodes: _Nodes) -> NDArray[np.bool_]:
    """Which of the middles lie off the line through their ends."""
    scale = _Scale(ratios)
    line = scale.back(_in_line(scale.to(ratios), axis, nodes.chords()))
    drawn = ratios.take(np.searchsorted(nodes.chosen, nodes.middles), axis=axis)
    far = np.abs(line - drawn) > OFF * np.abs(drawn)
    return np.asarray(np.moveaxis(far, axis, 0).reshape(line.shape[axis], -1).any(axis=1))


class _Draws:
    """Draws of some results of a part, and of nothing they do not rest on.

    One more draw, the last, has every score at zero: the nominal run.
    """

    def __init__(self, part: Part, held: Mapping[str, float], sources: Sequence[str]) -> None:
        self.part, self.sources = part, sources
        #: Results that are nothing in the nominal run of some row, and not in its draws.
        self.without_ratio: set[str] = set()
        needed = set(sources).union(*(part.run.behind(source) for source in sources))
        levels = {name: found for name, found in part.levels.items() if name in needed}
        self.known: dict[str, Numbers] = {
            name: np.float64(value * units.factor(TERMS[name].unit)) for name, value in held.items()
        }
        self.varying: dict[str, Array] = {}
        for name, found in levels.items():
            if name in held:
                continue
            if found[0].size == 1:
                self.known[name] = self._drawn(name, found)
            else:
                self.varying[name] = found
        self.steps = part.run.steps_to(sources)

    def ratios(self, picks: Sequence[Index | None]) -> dict[str, Array]:
        """Levels of each result over its nominal value [level, axis, ...], at rows picked."""
        ratios = {}
        for source, (levels, nominal) in self.levels(picks).items():
            if ((nominal == 0) & (levels != 0)).any():
                self.without_ratio.add(source)
            out = np.ones_like(levels)
            ratios[source] = np.divide(levels, nominal, out=out, where=nominal != 0)
        return ratios

    def levels(self, picks: Sequence[Index | None]) -> dict[str, tuple[Array, Array]]:
        """Levels [level, axis, ...] and nominal value [axis, ...], in base units."""
        shape = [1 if one is None else one.size for one in picks]
        varying = {name: cut(found, picks) for name, found in self.varying.items()}
        # What few rows need is drawn once and cut to each block; the rest where it is needed.
        kept = {
            name: self._drawn(name, found)
            for name, found in varying.items()
            if found[0].size < min(KEPT, prod(shape))
        }
        out = {source: (np.empty((len(RANGE), *shape)), np.empty(shape)) for source in self.sources}
        known = self.known
        for block in tiles(shape, ROWS_AT_ONCE):
            for name, found in varying.items():
                known[name] = (
                    cut(kept[name], (*block, slice(None)))
                    if name in kept
                    else self._drawn(name, cut(found, block))
                )
            for name, formula, inputs in self.steps:
                known[name] = formula(*(known[one] for one in inputs))
            for source, (levels, nominal) in out.items():
                draws = np.asarray(known[source])
                draws = draws.reshape((1,) * (len(shape) + 1 - draws.ndim) + draws.shape)
                nominal[block] = draws[..., -1]
                drawn = draws[..., :-1] if draws.shape[-1] > 1 else draws
                points = uncertainty.quantiles(drawn, LEVELS)
                levels[(slice(None), *block)] = np.moveaxis(points, -1, 0)
        return out

    def _drawn(self, name: str, levels: Array) -> Array:
        """Draws of a quantity [axis, ..., draw]; a single one where it is exact."""
        exact = (levels[0] == levels[1]) & (levels[0] == levels[2])
        value = levels[0][..., None] * units.factor(TERMS[name].unit)
        if exact.all():
            return np.asarray(value)
        scores = np.append(uncertainty.scores()[self.part.columns[name]], 0.0).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):  # an exact 0 among ranges
            picked = uncertainty.pick_each(TERMS[name], levels[..., None], scores)
        return np.where(exact[..., None], value, picked) if exact.any() else picked

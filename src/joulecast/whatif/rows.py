"""The rows of a sweep as numbers: held in parts, cut into blocks, put into the chain.

A part holds each quantity over the axes it depends on and no others, so NumPy does the multiplying
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from joulecast import units
from joulecast.answers.sweep import Axis
from joulecast.arrays import Array, Numbers
from joulecast.chain import Run, repeat
from joulecast.notices import Notice
from joulecast.terms import TERMS

#: value, low and high of a quantity; all three the same where it is exact.
Levels = Array


class Part(NamedTuple):
    """Rows whose ledgers hold the same quantities.

    `where` says which value of each axis these rows are at (None: all of them); `levels` holds
    value, low and high of each quantity [level, axis, axis, ...], an axis on which it is the same
    having length 1; `own` the quantity that an axis of numbers is; `columns` whose scores each
    quantity reads; `run` the steps of the chain.
    """

    where: tuple[int | None, ...]
    levels: dict[str, Levels]
    own: dict[int, str]
    columns: dict[str, int]
    run: Run


class Scenarios(NamedTuple):
    """All rows of a sweep: its axes, its numbers, and what there is to say about them.

    `breaks` holds, for each axis, the numbers at which a quantity that follows it jumps or bends.
    """

    axes: tuple[Axis, ...]
    parts: tuple[Part, ...]
    breaks: tuple[tuple[float, ...], ...]
    notices: tuple[Notice, ...]
    runs: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Values on each axis."""
        return tuple(axis.values.size for axis in self.axes)


def proportional(part: Part, result: str, k: int, values: Array) -> Array | None:
    """A result at the numbers of an axis over that at the largest of them.

    None where that depends on the other inputs.  Tried on the chain itself with arbitrary numbers:
    where it does not, three values on the axis stand in the same ratio whatever the others are.
    """
    if k not in part.own:
        return None
    name = part.own[k]
    others = _arbitrary(tuple(sorted(part.levels)))
    base = 1.1 if TERMS[name].lower >= 1 else 0.2
    steps = base * np.array([1.0, 1.7, 2.9])[:, None]
    tried = np.asarray(repeat(part.run, {**others, name: steps}, [result])[result])
    ratios = tried / tried[0]
    if tried.ndim > 1 and (np.abs(ratios / ratios[:, :1] - 1) > 1e-9).any():
        return None
    one = {other: numbers[0] for other, numbers in others.items()}
    at = np.append(values, values.max()) * units.factor(TERMS[name].unit)
    found = np.asarray(repeat(part.run, {**one, name: at}, [result])[result])
    found = np.broadcast_to(found, at.shape)
    return np.asarray(found[:-1] / found[-1])


@cache
def _arbitrary(names: tuple[str, ...]) -> dict[str, Array]:
    """Sixteen unrelated numbers for each quantity, inside its limits.

    All are near 1 in base units, so that no part of a sum hides another.
    """
    count = np.arange(1, 17)
    numbers = {}
    for position, name in enumerate(names):
        term = TERMS[name]
        shares = np.abs(np.modf(1e4 * np.sin(count + 17.3 * position))[0]) * 0.9 + 0.05
        start = term.lower if term.lower >= 1 else 0.0
        numbers[name] = start + shares
    return numbers


def nominal(part: Part, index: Sequence[Any], held: Mapping[str, float]) -> dict[str, Numbers]:
    """Numbers of a block at their medians, in base units; `held` keeps some at one value."""
    return {
        name: np.asarray(held[name]) * units.factor(TERMS[name].unit)
        if name in held
        else cut(levels[0], index) * units.factor(TERMS[name].unit)
        for name, levels in part.levels.items()
    }


def cut(values: Array, index: Sequence[Any]) -> Array:
    """The block of an array over the axes, its last ones, that lies at an index of each."""
    leading = values.ndim - len(index)
    for k, at in enumerate(index):
        if at is not None and values.shape[leading + k] > 1:
            values = values.take(at, axis=leading + k) if not isinstance(at, slice) else values[
                (slice(None),) * (leading + k) + (at,)
            ]  # fmt: skip
    return values

"""Figures of one scope of a card, and the products that follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import NamedTuple

from joulecast.answers.check import Reading
from joulecast.checks.cards import Scope

#: Beyond the rounding of the figures, products agree within this.
LEAST_DIFFERENCE = 0.01


class Facts:
    """The figures of one scope, with those of the whole card behind them."""

    def __init__(self, scope: Scope, behind: Scope | None = None) -> None:
        self.name = scope.name
        self._own = scope.readings
        self._behind = behind.readings if behind else ()

    def all(self, name: str) -> list[Reading]:
        """The figures of this scope that are this quantity."""
        return [one for one in self._own if one.name == name]

    def own(self, name: str) -> Reading | None:
        """The first of them."""
        return next(iter(self.all(name)), None)

    def any(self, *names: str) -> Reading | None:
        """The first of these figures, of this scope or else of the card."""
        for name in names:
            for one in (*self._own, *self._behind):
                if one.name == name:
                    return one
        return None

    def with_unit(self, name: str) -> list[Reading]:
        """The figures of this scope that are this quantity and say in which unit."""
        return [one for one in self.all(name) if one.word != "bare"]


class Product(NamedTuple):
    """A figure that follows from others: how far their rounding may put it off, how it came."""

    value: float
    slack: float
    shown: str

    def times(self, other: Product | None, word: str = "") -> Product:
        """With one more factor, if there is one."""
        if other is None:
            return self
        shown = f"{self.shown} x {word}{other.shown}"
        return Product(self.value * other.value, self.slack + other.slack, shown)

    def apart(self, stated: Reading) -> bool:
        """Whether a figure differs by more than the rounding of both."""
        return abs(log(stated.value / self.value)) > stated.slack + self.slack + LEAST_DIFFERENCE


def of(one: Reading, per: float = 1.0) -> Product:
    """A figure by itself, in a unit `per` times as large."""
    return Product(one.value / per, one.slack, one.shown)


def by_line(one: Reading) -> Product:
    """A figure by itself, named by where it stands."""
    return Product(one.value, one.slack, f"line {one.line} ({one.shown})")


def product(*factors: Reading | None) -> Product | None:
    """Figures multiplied; None where one is missing."""
    value, slack = 1.0, 0.0
    parts: list[str] = []
    for reading in factors:
        if reading is None or reading.value <= 0:
            return None
        value *= reading.value
        slack += reading.slack
        parts.append(reading.shown)
    return Product(value, slack, " x ".join(parts))


def agrees(stated: Reading, choices: Iterable[Product]) -> bool:
    """Whether a figure is one of those that may follow."""
    return any(not one.apart(stated) for one in choices)

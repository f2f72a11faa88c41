"""Phrases that sentences are made of: a number with its unit, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.citing.markup import Plain
from joulecast.report.words import readable, readable_of_use


def listed(parts: Sequence[str]) -> str:
    """Parts as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', '')
    """
    *first, last = parts or ("",)
    return f"{', '.join(first)} and {last}" if first else last


class Phrases:
    """Inputs and results of an answer in some markup, inputs by their name."""

    def __init__(self, footprint: Footprint, markup: Plain) -> None:
        self.footprint = footprint
        self.markup = markup
        used = footprint.use_phase.assumptions if footprint.use_phase else ()
        self.held = {entry.name: entry for entry in (*footprint.assumptions, *used)}
        self.sources = {one.key: one for one in footprint.citations}

    def has(self, *names: str) -> bool:
        """Whether these are all inputs."""
        return all(name in self.held for name in names)

    def counts(self, name: str) -> bool:
        """Whether an input is there and above zero."""
        return name in self.held and self.held[name].value > 0

    def origin(self, name: str) -> str:
        """Where an input comes from: given, a source, unchecked, or our own judgement."""
        entry = self.held.get(name)
        if entry is None:
            return ""
        source = self.sources.get(entry.source)
        given = " (given)" if entry.given else ""
        if entry.read == "recalled":
            return f"{given} (from a source not checked)"
        own = source is None and not entry.given
        return self.markup.cite([source] if source else [], own) + given

    def value(self, name: str, unit: str = "") -> str:
        """An input with its unit, or other words that belong to it, and its origin."""
        shown = self.markup.exactly(self.held[name].value)
        return self.markup.amount(shown, unit) + self.origin(name)

    def share(self, name: str, words: str) -> str:
        """A share as a percentage with what it is a share for, and its origin."""
        shown = f"{self.markup.percent(self.held[name].value)} {words}".rstrip()
        return f"{shown}{self.origin(name)}"

    def result(self, quantity: Quantity) -> str:
        """A result with its unit: two significant figures."""
        return self._shown(*readable(quantity))

    def ranged(self, quantity: Quantity) -> str:
        """A result of the use with its range."""
        best, unit = readable_of_use(quantity)
        if best.p10 == best.p90:
            return self._shown(best, unit)
        m = self.markup
        low, high = m.number(best.p10), m.number(best.p90)
        return f"{self._shown(best, unit)} ({m.amount(f'{low} to {high}', m.unit(unit))})"

    def _shown(self, quantity: Quantity, unit: str) -> str:
        return self.markup.amount(self.markup.number(quantity.value), self.markup.unit(unit))

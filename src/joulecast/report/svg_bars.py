"""Bars of a report, as SVG that scales with the page: no letters in it, those stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log
from typing import NamedTuple

#: Drawing height of a row, in units of which the width has 100.
HEIGHT = 8


class Piece(NamedTuple):
    """A bar from `start` to `end`, both shares of the width, `thick` a share of the height."""

    start: float
    end: float
    colour: str
    thick: float = 0.8


def row(pieces: Sequence[Piece], said: str, marks: Sequence[float] = ()) -> str:
    """One row of bars with thin upright marks; `said` is what a screen reader says."""
    drawn = [_rectangle(piece) for piece in pieces]
    drawn += [
        f'<line x1="{_x(at)}" x2="{_x(at)}" y1="0" y2="{HEIGHT}" stroke="#555" '
        'stroke-width="1" vector-effect="non-scaling-stroke"/>'
        for at in marks
    ]
    return (
        f'<svg class="bar" viewBox="0 0 100 {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(said, quote=True)}">{"".join(drawn)}</svg>'
    )


def _rectangle(piece: Piece) -> str:
    low, high = sorted((piece.start, piece.end))
    height = HEIGHT * piece.thick
    return (
        f'<rect x="{_x(low)}" y="{(HEIGHT - height) / 2:.3g}" width="{_x(max(high - low, 0.004))}" '
        f'height="{height:.3g}" fill="{piece.colour}"/>'
    )


def _x(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.5g}"


class RatioScale(NamedTuple):
    """Places ratios evenly by their logarithm, from `low` to `high`."""

    low: float
    high: float

    @staticmethod
    def around(ends: Sequence[float]) -> RatioScale:
        """A scale that holds all of some ratios, and 1 with room beside it."""
        return RatioScale(min(*ends, 0.7) / 1.03, max(*ends, 1.4) * 1.03)

    def at(self, ratio: float) -> float:
        """Share of the width at which a ratio stands."""
        return log(ratio / self.low) / log(self.high / self.low)

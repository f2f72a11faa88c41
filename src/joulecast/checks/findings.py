"""What a check reads and what it finds, and what its rules share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from math import log
from typing import Any

from joulecast.data.library import Library
from joulecast.data.places import Place
from joulecast.errors import JoulecastError, brief

#: A grid's intensity may lie so far outside what the tables hold for the place.
GRID_MARGIN = 1.5

#: Grid intensities that exist [g/kWh].
GRIDS = (2.0, 2000.0)


def near(ratio: float, other: float, slack: float = 0.05) -> bool:
    """Whether two factors are the same, but for a share of them."""
    return ratio > 0 and other > 0 and abs(log(ratio / other)) < slack


def two_digits(value: float) -> str:
    """Two significant figures, three below 10."""
    return brief(float(f"{value:.{2 if value >= 10 else 3}g}"))


def phrases(texts: Iterable[str]) -> Iterator[str]:
    """Runs of one to five words, the longest first, without counts and the word GPU."""
    for text in texts:
        named = re.sub(r"\b(TPU[\s-]?v\d\w?)-\d+", r"\1", text)  # a slice is named by its size
        words = re.sub(r"\b\d+\s?x\s|[(),;|'\"]|\bGPUs?\b", " ", named).split()
        for length in range(min(5, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                phrase = " ".join(words[start : start + length])
                if re.search(r"\d", phrase) and re.search(r"[A-Za-z]", phrase):
                    yield phrase.strip(".")


def first_found(names: Iterable[str], look: Callable[[str], Any]) -> Any:
    """What the first of the names that means anything stands for; None where none does."""
    for name in names:
        try:
            return look(name)
        except JoulecastError:
            continue
    return None


def grids_of(place: Place, library: Library) -> tuple[float, float]:
    """Least and most intensity the tables hold for a place and its country, any year and basis."""
    years = range(library.earliest_year + 10, library.latest_year + 1)
    found = []
    for year in years:
        national = library.national_grid(place.iso3, year) if not place.zone else None
        zone = library.zone_grid(place.zone, year) if place.zone else None
        direct = library.direct_grid(place.direct_area, year) if place.direct_area else None
        found += [cited.value for cited in (national, zone, direct) if cited is not None]
        within = library.zones_within(place.iso3, year) if place.kind == "country" else None
        found += list(within[:2]) if within else []
    if not found:
        return GRIDS
    return min(found), max(found)

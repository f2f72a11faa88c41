"""What a forecast must beat: simple guesses of a run's utilisation, and the naive chain."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

#: Utilisation and PUE of the naive chain: 6 N D over 0.40 of the peak, at the rated power.
NAIVE_UTILISATION = 0.40
NAIVE_PUE = 1.1


class Seen(NamedTuple):
    """A run that a baseline learns from: ln of its utilisation, and what class it is of."""

    family: str
    arch: str
    device_class: str
    ln_utilisation: float


def pooled_constant(seen: Sequence[Seen]) -> float:
    """One ln of utilisation for all: median over families of their medians.

    >>> pooled_constant([Seen("a", "dense", "tpu", -1.0), Seen("b", "moe", "tpu", -2.0)])
    -1.5
    """
    return _median([(run.family, run.ln_utilisation) for run in seen])[0]


def class_median(seen: Sequence[Seen], arch: str, device_class: str) -> float:
    """Ln of utilisation of a class: dense runs on its devices, and a step for its kind.

    Both are medians over families, pulled as by one more family towards the dense runs on all
    devices, and towards no step.
    """
    level = {
        name: _device_level(seen, name) for name in {device_class, *(r.device_class for r in seen)}
    }
    if arch == "dense":
        return level[device_class]
    steps = [(r.family, r.ln_utilisation - level[r.device_class]) for r in seen if r.arch == arch]
    step, count = _median(steps)
    return level[device_class] + count / (count + 1) * step


def _device_level(seen: Sequence[Seen], device_class: str) -> float:
    dense = [run for run in seen if run.arch == "dense"]
    pooled = pooled_constant(dense)
    own = [(run.family, run.ln_utilisation) for run in dense if run.device_class == device_class]
    value, count = _median(own)
    return pooled + count / (count + 1) * (value - pooled)


def _median(values: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Median over families of their medians, and how many there are."""
    groups: dict[str, list[float]] = {}
    for family, value in values:
        groups.setdefault(family, []).append(value)
    medians = [median(group) for group in groups.values()]
    return (median(medians) if medians else 0.0), len(medians)

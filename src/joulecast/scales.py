"""The scales on which ranges are even, there and back: log, logit, log of x - 1, linear."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from joulecast.arrays import Array
from joulecast.terms import Scale


def _logit(x: Array) -> Array:
    return np.log(x / (1 - x))


def _expit(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _same(x: Array) -> Array:
    return x


_SCALES: dict[Scale, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "log": (np.log, np.exp),
    "logit": (_logit, _expit),
    "log_excess": (lambda x: np.log(x - 1), lambda x: 1 + np.exp(x)),
    "linear": (_same, _same),
}


def midpoint(scale: Scale, low: float, high: float) -> float:
    """The median of a range given by its ends alone: midway on the scale."""
    to, back = _SCALES[scale]
    return float(back(to(np.array([low, high])).mean()))


def scaled(scale: Scale, x: Array) -> Array:
    """Numbers on the scale of a quantity."""
    return _SCALES[scale][0](x)


def unscaled(scale: Scale, x: Array) -> Array:
    """Numbers back from the scale of a quantity."""
    return _SCALES[scale][1](x)

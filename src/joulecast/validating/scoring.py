"""How good forecasts with ranges were: plain numbers in, plain numbers out.

A forecast is an array of equally likely draws.  Runs of one family share their luck, so rows carry
weights: one over the number of sisters.  Scores are those of Gneiting and Raftery 2007, "Strictly
Proper Scoring Rules, Prediction, and Estimation", doi:10.1198/016214506000001437.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from joulecast.arrays import Array

#: Bins of the histogram of PIT values.
PIT_BINS = 10


def family_weights(families: Sequence[str]) -> Array:
    """One over the number of a row's sisters, itself among them.

    >>> family_weights(["a", "a", "b"])
    array([0.5, 0.5, 1. ])
    """
    count = Counter(families)
    return np.array([1 / count[family] for family in families])


def typical_factor(ln_ratios: Array, weights: Array) -> float:
    """Exp of the weighted mean of abs(ln(predicted / reported)): 1 is perfect.

    >>> round(typical_factor(np.log([2.0, 0.5, 1.0]), np.array([0.5, 0.5, 1.0])), 6)
    1.414214
    """
    return math.exp(float(np.average(np.abs(ln_ratios), weights=weights)))


def weighted_median(values: Array, weights: Array) -> float:
    """The value with half of the weight on either side; midway where the half falls between two.

    >>> weighted_median(np.array([1.0, 5.0, 2.0]), np.array([1.0, 1.0, 2.0]))
    2.0
    """
    order = np.argsort(values)
    ordered, reached = values[order], np.cumsum(weights[order]) / np.sum(weights)
    first = int(np.searchsorted(reached, 0.5 - 1e-12))
    if abs(reached[first] - 0.5) < 1e-12 and first + 1 < ordered.size:
        return float((ordered[first] + ordered[first + 1]) / 2)
    return float(ordered[first])


def pit(draws: Array, outcome: float) -> float:
    """Share of the draws below the outcome: uniform on 0..1 where ranges are honest.

    Half a draw is kept free at both ends, so that its normal score stays finite.

    >>> pit(np.array([1.0, 2.0, 3.0, 4.0]), 2.5), pit(np.array([1.0, 2.0]), 9.0)
    (0.5, 0.75)
    """
    below = float(np.mean(draws < outcome) + np.mean(draws == outcome) / 2)
    free = 0.5 / draws.size
    return min(max(below, free), 1 - free)


def crps(draws: Array, outcome: float) -> float:
    """Continuous ranked probability score of a sample, in the unit of the outcome; 0 is perfect.

    mean abs(X - y) - mean abs(X - X') / 2 with X' an independent copy of X; Gneiting and Raftery
    2007, equation 21.  For a point forecast it is the absolute error.

    >>> crps(np.array([0.0, 1.0]), 0.0)
    0.25
    """
    ordered = np.sort(draws)
    n = ordered.size
    rank = np.arange(1, n + 1)
    gap = 2 * float(np.sum((2 * rank - n - 1) * ordered)) / n**2
    return float(np.mean(np.abs(ordered - outcome))) - gap / 2


def interval_score(low: float, high: float, outcome: float, nominal: float) -> float:
    """Score of a central range meant to hold a share `nominal` of outcomes; small is good.

    Width plus 2 / (1 - nominal) times the miss; Gneiting and Raftery 2007, equation 43.

    >>> interval_score(1.0, 3.0, 3.5, 0.5)
    4.0
    """
    miss = max(0.0, low - outcome) + max(0.0, outcome - high)
    return high - low + 2 / (1 - nominal) * miss


def window(count: int, nominal: float, level: float = 0.95) -> tuple[int, int]:
    """Hits to expect of `count` honest ranges: from the lower to the upper tail of the binomial.

    Each tail holds at most half of 1 - level.

    >>> window(60, 0.5), window(60, 0.8), window(60, 0.9)
    ((22, 38), (42, 54), (49, 58))
    """
    tail = (1 - level) / 2
    return _quantile(count, nominal, tail), _quantile(count, nominal, 1 - tail)


def _quantile(count: int, nominal: float, probability: float) -> int:
    """Least number of hits whose cumulative binomial probability reaches `probability`."""
    reached = 0.0
    for hits in range(count + 1):
        reached += math.comb(count, hits) * nominal**hits * (1 - nominal) ** (count - hits)
        if reached >= probability:
            return hits
    return count


def histogram(values: Array, weights: Array) -> list[float]:
    """Weight of PIT values in each tenth of 0..1, the last one closed.

    >>> histogram(np.array([0.05, 0.95, 1.0]), np.array([1.0, 0.5, 0.5]))
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """
    counts, _ = np.histogram(values, bins=PIT_BINS, range=(0, 1), weights=weights)
    return [float(count) for count in counts]


def mean_and_sd(values: Array, weights: Array) -> tuple[float, float]:
    """Weighted mean, and standard deviation around it.

    The weights sum to the number of families n; the sum of squares is over n - 1.

    >>> mean_and_sd(np.array([-1.0, 1.0]), np.array([1.0, 1.0]))
    (0.0, 1.4142135623730951)
    """
    mean = float(np.average(values, weights=weights))
    families = float(np.sum(weights))
    if families <= 1:
        return mean, math.nan
    return mean, math.sqrt(float(np.sum(weights * (values - mean) ** 2)) / (families - 1))

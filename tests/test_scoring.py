"""Scores by hand, by other code, and the laws they keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from joulecast.validating import scoring
from joulecast.validating.baselines import Seen, class_median, pooled_constant

numbers = st.floats(-5, 5)


@given(st.lists(numbers, min_size=1, max_size=30), numbers)
def test_crps_is_the_integral_of_its_definition(draws: list[float], outcome: float) -> None:
    """The squared distance of the step function of the draws from that of the outcome."""
    steps = np.sort(np.array([*draws, outcome]))
    middles, widths = (steps[1:] + steps[:-1]) / 2, np.diff(steps)
    below = np.mean(np.array(draws)[:, None] <= middles, axis=0)
    integral = float(np.sum(widths * (below - (middles >= outcome)) ** 2))
    assert scoring.crps(np.array(draws), outcome) == pytest.approx(integral, abs=1e-9)


def test_crps_of_a_normal_sample_is_that_of_the_normal() -> None:
    """Gneiting and Raftery 2007, equation 20."""
    draws, outcome = norm.ppf((np.arange(20_000) + 0.5) / 20_000), 0.7
    closed = outcome * (2 * norm.cdf(outcome) - 1) + 2 * norm.pdf(outcome) - 1 / np.sqrt(np.pi)
    assert scoring.crps(draws, outcome) == pytest.approx(closed, abs=1e-3)


@given(numbers, numbers)
def test_crps_of_a_point_forecast_is_its_error(point: float, outcome: float) -> None:
    assert scoring.crps(np.array([point, point]), outcome) == pytest.approx(abs(point - outcome))


@pytest.mark.parametrize(
    ("outcome", "score"),
    [(1.5, 2.0), (3.0, 2.0), (3.25, 2.0 + 10 * 0.25), (0.0, 2.0 + 10 * 1.0)],
)
def test_interval_score_is_width_and_ten_times_the_miss(outcome: float, score: float) -> None:
    assert scoring.interval_score(1.0, 3.0, outcome, 0.8) == pytest.approx(score)


@given(st.integers(1, 150), st.sampled_from([0.1, 0.5, 0.8, 0.9]))
def test_windows_are_those_of_the_binomial(count: int, nominal: float) -> None:
    assert scoring.window(count, nominal) == tuple(binom.ppf([0.025, 0.975], count, nominal))


@given(st.lists(numbers, min_size=1, max_size=40), numbers)
def test_pit_counts_the_draws_below_and_stays_inside(draws: list[float], outcome: float) -> None:
    share, sample = scoring.pit(np.array(draws), outcome), np.array(draws)
    assert 0 < share < 1
    free = np.mean(sample == outcome) / 2 + 0.5 / len(draws)
    assert abs(share - np.mean(sample < outcome)) <= free + 1e-12


def test_a_family_of_three_counts_as_much_as_a_family_of_one() -> None:
    """Errors ln 2, 0, ln 2 of one family and ln 4 of another: mean of 2/3 ln 2 and 2 ln 2."""
    weights = scoring.family_weights(["a", "a", "a", "b"])
    errors = np.log([2.0, 1.0, 0.5, 0.25])
    assert scoring.typical_factor(errors, weights) == pytest.approx(2 ** (4 / 3))
    assert scoring.weighted_median(errors, weights) == pytest.approx(
        (np.log(0.25) + np.log(0.5)) / 2
    )
    mean, sd = scoring.mean_and_sd(np.array([3.0, 3.0, 3.0, 1.0]), weights)
    assert (mean, sd) == pytest.approx((2.0, np.sqrt(2)))


def test_class_medians_by_hand() -> None:
    """Pooled median of dense runs -1.2; two families on A100 pull two thirds of the way to -1.0."""
    seen = [
        Seen("a", "dense", "ampere", -0.9), Seen("b", "dense", "ampere", -1.1),
        Seen("c", "dense", "hopper", -1.4), Seen("d", "dense", "tpu", -1.3),
        Seen("e", "moe", "ampere", -2.0),
    ]  # fmt: skip
    ampere = -1.2 + 2 / 3 * (-1.0 + 1.2)
    assert class_median(seen, "dense", "ampere") == pytest.approx(ampere)
    assert class_median(seen, "dense", "cdna") == pytest.approx(-1.2)
    assert class_median(seen, "moe", "ampere") == pytest.approx((ampere - 2.0) / 2)
    assert class_median(seen, "vision", "ampere") == pytest.approx(ampere)
    assert pooled_constant(seen) == pytest.approx(-1.3)

"""The best model where distinct tokens are few: repeat them, or train a larger model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from joulecast import allocation, scaling_law
from joulecast.arrays import Array, Numbers
from joulecast.laws.law import Constants
from joulecast.laws.records import RepetitionLaw

#: Steps of the search: 0.618^70 of the interval is below 1e-13 of it.
STEPS = 70
GOLDEN = (5**0.5 - 1) / 2

#: The search spans so many times the size it starts from, each way.
REACH = 1e4

#: Weights that drive the search out of where a loss cannot be reached.
STEEP = 1e3
STEEPER = 1e6


class Shelf(NamedTuple):
    """Distinct tokens, and the law of what repeats of them are worth."""

    unique_tokens: float
    law: RepetitionLaw

    def suffices_for(self, constants: Constants) -> Numbers:
        """Parameters for which the distinct tokens are compute-optimal."""
        return allocation.params_for_tokens(self.unique_tokens, *constants.split)

    def worth(
        self, constants: Constants, params: Numbers, tokens: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Parameters and fresh tokens that would do as well."""
        enough = self.suffices_for(constants)
        return (
            scaling_law.worth_of_repeats(params, enough, self.law.params_decay),
            scaling_law.worth_of_repeats(tokens, self.unique_tokens, self.law.tokens_decay),
        )

    def gap(self, constants: Constants, params: Numbers, tokens: Numbers) -> Numbers:
        """Loss above the irreducible one [nats]."""
        return constants.gap(*self.worth(constants, params, tokens))

    def lowest_gap(self, constants: Constants) -> Numbers:
        """What is left of it however large the model and long the training."""
        return constants.gap(
            self.suffices_for(constants) * (1 + self.law.params_decay),
            np.float64(self.unique_tokens * (1 + self.law.tokens_decay)),
        )

    def at_flop(
        self, constants: Constants, flop: Numbers, served: Numbers = 0.0
    ) -> tuple[Numbers, Numbers]:
        """Parameters and tokens of the lowest loss for a compute, of training and serving."""

        def left(log_params: Array) -> Numbers:
            params = np.exp(log_params)
            tokens = allocation.tokens_under_cap(flop, served, params)
            return self.gap(constants, params, tokens)

        start = np.log(np.asarray(constants.at_flop(flop)[0]))
        # Larger models would leave no compute to train them.
        end = np.log(flop / np.maximum(2 * np.asarray(served), flop * 1e-200)) + np.log1p(-1e-9)
        params = np.exp(
            _lowest(left, start - np.log(REACH), np.minimum(start + np.log(REACH), end))
        )
        return params, allocation.tokens_under_cap(flop, served, params)

    def at_gap(
        self, constants: Constants, gap: Numbers, served: Numbers = 0.0
    ) -> tuple[Numbers, Numbers]:
        """Parameters and tokens that reach a loss with the least compute, or carbon with use.

        Where a loss lies below `lowest_gap` the answer is a size without end.
        """
        enough = self.suffices_for(constants)
        most = self.unique_tokens * (1 + self.law.tokens_decay)

        def need(params: Array) -> tuple[Numbers, Numbers]:
            """Fresh tokens needed, and the share of the gap that the size alone takes."""
            worth = scaling_law.worth_of_repeats(params, enough, self.law.params_decay)
            part = scaling_law.loss_part(
                worth, constants.params_coefficient, constants.params_exponent
            )
            rest = np.maximum(gap - part, 1e-6 * gap)
            tokens = scaling_law.size_of_part(
                rest, constants.tokens_coefficient, constants.tokens_exponent
            )
            return tokens, part / gap

        def cost(log_params: Array) -> Numbers:
            params = np.exp(log_params)
            fresh, share = need(params)
            tokens = self._processed(fresh)
            beyond = np.maximum(np.log(fresh / most), 0.0)
            out = np.maximum(share - (1 - 1e-6), 0.0)
            spent = allocation.lifetime_flop(params, tokens, served)
            return np.log(spent) + STEEP * beyond + STEEPER * out

        start = np.log(np.asarray(constants.at_gap(gap)[0]))
        params = np.exp(_lowest(cost, start - np.log(REACH), start + np.log(REACH)))
        return params, self._processed(need(params)[0])

    def _processed(self, fresh: Numbers) -> Numbers:
        return scaling_law.repeats_for_worth(fresh, self.unique_tokens, self.law.tokens_decay)


def _lowest(function: Callable[[Array], Numbers], low: Array, high: Array) -> Array:
    """Where a function that falls and then rises is lowest, by golden section, element by element.

    Kiefer 1953, doi:10.1090/S0002-9939-1953-0055639-3.
    """
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = np.asarray(function(left)), np.asarray(function(right))
    for _ in range(STEPS):
        keep = at_left < at_right
        low, high = np.where(keep, low, left), np.where(keep, right, high)
        fresh = np.where(keep, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        value = np.asarray(function(fresh))
        left, right = np.where(keep, fresh, right), np.where(keep, left, fresh)
        at_left, at_right = np.where(keep, value, at_right), np.where(keep, at_left, value)
    middle: Array = (low + high) / 2
    return middle

"""Scaling laws as numbers: constants at their best or drawn jointly, and how far laws lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log
from typing import NamedTuple

import numpy as np

from joulecast import allocation, compute, scaling_law
from joulecast.arrays import Array, Numbers
from joulecast.data.library import Library
from joulecast.errors import InputError, UnknownNameError
from joulecast.laws.records import AllocationLaw, ExpertsLaw, LossLaw, RepetitionLaw
from joulecast.uncertainty import COLUMNS, Z95, scores

FLOP_PER_PARAM_TOKEN = 6.0


class Constants(NamedTuple):
    """The five constants of a loss law: numbers, or draws of them."""

    irreducible_loss: Numbers
    params_coefficient: Numbers
    tokens_coefficient: Numbers
    params_exponent: Numbers
    tokens_exponent: Numbers

    @property
    def split(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """All but the irreducible loss, which does not touch the optimum."""
        return self[1:]

    def gap(self, params: Numbers, tokens: Numbers) -> Numbers:
        """Loss above the irreducible one [nats]."""
        return scaling_law.loss(params, tokens, 0.0, *self.split)

    def sizes(self, gap: Numbers, tokens_part: Numbers) -> tuple[Numbers, Numbers]:
        """Parameters and tokens that leave `gap`, `tokens_part` of it to the data."""
        size = scaling_law.size_of_part
        params = size(gap - tokens_part, self.params_coefficient, self.params_exponent)
        return params, size(tokens_part, self.tokens_coefficient, self.tokens_exponent)

    def tokens_for(self, params: float, gap: float) -> float | None:
        """Tokens with which so many parameters leave `gap`; None where no number does."""
        taken = scaling_law.loss_part(params, self.params_coefficient, self.params_exponent)
        part = gap - float(taken)
        return float(self.sizes(gap, part)[1]) if part > 0 else None

    def params_for(self, tokens: float, gap: float) -> float | None:
        """Parameters that leave `gap` on so many tokens; None where no number does."""
        part = float(scaling_law.loss_part(tokens, self.tokens_coefficient, self.tokens_exponent))
        return float(self.sizes(gap, part)[0]) if part < gap else None

    def at_flop(self, flop: Numbers) -> tuple[Numbers, Numbers]:
        """Compute-optimal parameters and tokens for a training compute."""
        params = allocation.optimal_params(flop, *self.split)
        return params, allocation.tokens_for_flop(flop, params)

    def at_gap(self, gap: Numbers, served: Numbers = 0.0) -> tuple[Numbers, Numbers]:
        """Parameters and tokens that reach a loss with least compute, or least carbon in all."""
        exponents = (self.params_exponent, self.tokens_exponent)
        if np.all(np.asarray(served) == 0):
            part = allocation.tokens_part_of_least_compute(gap, *exponents)
        else:
            part = allocation.tokens_part_of_least_carbon(
                gap, served, self.tokens_coefficient, *exponents
            )
        return self.sizes(gap, part)


def flop_of(params: Numbers, tokens: Numbers) -> Numbers:
    """Training compute as scaling laws count it: 6 N D."""
    return compute.training_flop(FLOP_PER_PARAM_TOKEN, params, tokens)


def constants_of(law: LossLaw) -> Constants:
    """The published constants."""
    return Constants(*(getattr(law, name) for name in Constants._fields))


def drawn_constants(law: LossLaw) -> Constants:
    """Draws of the five constants together, from the shipped scores.

    Drawn apart they would allow laws that no run of the fit allows: the range of the compute to
    reach a loss would be tens of times too wide.  Without an uncertainty, the constants.
    """
    middle, joint = constants_of(law), law.uncertainty
    if joint is None:
        return middle
    centre = np.array(
        [
            log(law.params_coefficient) - law.params_exponent * log(joint.params),
            log(law.tokens_coefficient) - law.tokens_exponent * log(joint.tokens),
            log(law.irreducible_loss),
            law.params_exponent,
            law.tokens_exponent,
        ]
    )
    first = COLUMNS.index("scaling_law_1")
    independent = scores()[first : first + centre.size].astype(np.float64)
    together = np.linalg.cholesky(np.array(joint.correlation)) @ independent
    size, data, floor, alpha, beta = centre[:, None] + np.array(joint.sd)[:, None] * together
    return Constants(
        np.exp(floor),
        scaling_law.coefficient_from_centred(size, alpha, joint.params),
        scaling_law.coefficient_from_centred(data, beta, joint.tokens),
        alpha,
        beta,
    )


class Laws(NamedTuple):
    """All laws of a library; the first loss law answers, the others show the spread."""

    loss: Mapping[str, LossLaw]
    allocation: Mapping[str, AllocationLaw]
    repetition: RepetitionLaw
    experts: ExpertsLaw

    @property
    def key(self) -> str:
        """Key of the law that answers."""
        return next(iter(self.loss))

    @property
    def main(self) -> LossLaw:
        """The law that answers."""
        return self.loss[self.key]

    def tokens_per_param(self, flop: float) -> dict[str, float]:
        """Compute-optimal tokens per parameter by each law."""
        found = {}
        for key, law in self.loss.items():
            params, tokens = constants_of(law).at_flop(flop)
            found[key] = float(tokens / params)
        for key, split in self.allocation.items():
            tokens = allocation.allocated_tokens(flop / split.flop, split.tokens, split.exponent)
            found[key] = float(FLOP_PER_PARAM_TOKEN * tokens**2 / flop)
        return found

    def split_spread(self, flop: float) -> float:
        """How far tokens per parameter of the laws lie from the main one's, at most [ln]."""
        by_law = self.tokens_per_param(flop)
        return max(abs(log(ratio / by_law[self.key])) for ratio in by_law.values())

    def level_spread(self, flop: float) -> float:
        """How far the losses of the laws lie apart at a compute beyond the runs, at most [nats].

        Laws of other texts and tokenisers differ everywhere; what counts is what they add to the
        difference there is at the edge of the main law's runs.
        """
        edge = self._edge
        losses = [constants_of(law) for law in self.loss.values()]
        drops = [float(_gap_at(law, edge) - _gap_at(law, flop)) for law in losses]
        return max(abs(drop - drops[0]) for drop in drops)

    def compute_spread(self, flop: float) -> float:
        """How far the computes lie apart that gain what `flop` gains on the edge, at most [ln]."""
        edge = self._edge
        main = constants_of(self.main)
        drop = _gap_at(main, edge) - _gap_at(main, flop)
        found = []
        for law in map(constants_of, self.loss.values()):
            left = _gap_at(law, edge) - drop
            if left > 0:
                found.append(abs(log(float(flop_of(*law.at_gap(left))) / flop)))
        return max(found)

    def mixture_at(self, experts: float, flop: float) -> tuple[Numbers, Numbers]:
        """Compute-optimal active parameters and tokens of a mixture of experts."""
        return constants_with_experts(self.experts, experts).at_flop(flop)

    @property
    def runs(self) -> tuple[float, float]:
        """Least and most compute of the runs that the law that answers was fitted on [FLOP]."""
        fitted = self.main.fitted
        if fitted.flop is not None:
            return fitted.flop
        if fitted.params is None or fitted.tokens is None:
            return 0.0, inf
        ends = zip(fitted.params, fitted.tokens, strict=True)
        low, high = (float(flop_of(params, tokens)) for params, tokens in ends)
        return low, high

    @property
    def _edge(self) -> float:
        return self.runs[1]


def _gap_at(law: Constants, flop: float) -> Numbers:
    return law.gap(*law.at_flop(flop))


def laws_of(library: Library, answering: str | None = None) -> Laws:
    """The laws of a library; raises JoulecastError where the one to answer gives no loss."""
    loss = library.laws("loss", LossLaw)
    if answering is not None:
        key = answering.strip().casefold()
        if key in library.laws("allocation", AllocationLaw):
            raise InputError("law", answering, "gives the split alone, not the loss", list(loss))
        if key not in loss:
            raise UnknownNameError("law", answering, "is not a loss law", list(loss))
        loss = {key: loss[key], **loss}
    return Laws(
        loss,
        library.laws("allocation", AllocationLaw),
        next(iter(library.laws("repetition", RepetitionLaw).values())),
        next(iter(library.laws("experts", ExpertsLaw).values())),
    )


def score(column: str) -> Array:
    """Scores of one column, in units of the distance from the median to the 95 % point."""
    scaled: Array = scores()[COLUMNS.index(column)].astype(np.float64) / Z95
    return scaled


def constants_with_experts(law: ExpertsLaw, experts: Numbers) -> Constants:
    """Constants of the Chinchilla form for so many experts, one of them active; 1 is dense."""
    counted = scaling_law.effective_experts(experts, law.experts_start, law.experts_limit)
    coefficient, exponent = scaling_law.coefficient_with_experts, scaling_law.exponent_with_experts
    return Constants(
        law.irreducible_loss,
        coefficient(law.params_coefficient, counted, law.params_coefficient_power),
        coefficient(law.tokens_coefficient, counted, law.tokens_coefficient_power),
        exponent(law.params_exponent, counted, law.params_exponent_slope),
        exponent(law.tokens_exponent, counted, law.tokens_exponent_slope),
    )


def experts_saving(law: ExpertsLaw, experts: float, flop: float) -> float:
    """Compute a dense model needs for the loss of a mixture trained with `flop`, over `flop`."""
    mixture, dense = constants_with_experts(law, experts), constants_with_experts(law, 1.0)
    return float(flop_of(*dense.at_gap(mixture.gap(*mixture.at_flop(flop)))) / flop)


def cost_of_ratio(law: Constants, gap: float, factor: float) -> float:
    """Compute over the least, at equal loss, with `factor` times the optimal tokens per parameter.

    >>> round(cost_of_ratio(Constants(1.8172, 482.01, 2085.43, 0.3478, 0.3658), 0.2, 10.0), 2)
    1.59
    """
    best_params, best_tokens = law.at_gap(gap)

    def too_much_data(share: float) -> bool:
        params, tokens = law.sizes(gap, gap * share)
        return bool(tokens / params > factor * best_tokens / best_params)

    # The more of the loss is left to the data, the fewer the tokens per parameter.
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if too_much_data(middle) else (low, middle)
    return float(flop_of(*law.sizes(gap, gap * high)) / flop_of(best_params, best_tokens))

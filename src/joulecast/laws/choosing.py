"""Choices of a size and its data: what they rest on, and the loss they leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from joulecast import allocation
from joulecast.arrays import Numbers
from joulecast.laws.asking import Asked
from joulecast.laws.law import Constants, flop_of
from joulecast.laws.repeats import Shelf


class Grounds(NamedTuple):
    """What a choice rests on, at its medians or drawn: the law, the hardware, the use.

    `per_flop` are results of the chain for one FLOP of 6 N D, in base units; `served` are tokens
    served times the emissions of their FLOP over those of training, 0 where nothing is asked;
    `allowed` is the compute that the budgets leave room for, without end where there are none.
    """

    constants: Constants
    per_flop: Mapping[str, Numbers]
    served: Numbers
    allowed: Numbers


class Found(NamedTuple):
    """A size, its tokens, and the loss they leave above the irreducible one."""

    params: Numbers
    tokens: Numbers
    gap: Numbers

    @property
    def flop(self) -> Numbers:
        """Training compute, 6 N D."""
        return flop_of(self.params, self.tokens)


def choose(asked: Asked, shelf: Shelf | None, grounds: Grounds) -> Found:
    """What is asked for: the size and data, and the loss they reach."""
    law = grounds.constants
    if asked.kind in ("flop", "max"):
        flop = grounds.allowed if asked.flop is None else asked.flop
        # A budget is for training and use; a compute names the loss that training alone reaches.
        served = grounds.served if asked.kind == "max" else 0.0
        if shelf is not None:
            sizes = shelf.at_flop(law, flop, served)
            gap = shelf.gap(law, *sizes)
            if asked.kind == "max" or not asked.served:
                return Found(*sizes, gap)
        elif asked.kind == "max" and asked.served:
            tokens = allocation.optimal_tokens_under_cap(flop, served, *law.split)
            params = allocation.params_under_cap(flop, served, tokens)
            return Found(params, tokens, law.gap(params, tokens))
        else:
            gap = law.gap(*law.at_flop(flop))
    elif asked.loss is not None:
        gap = asked.loss - law.irreducible_loss
    else:
        assert asked.params is not None and asked.tokens is not None
        gap = law.gap(asked.params, asked.tokens)
    return Found(*_at_gap(law, shelf, gap, grounds.served), gap)


def _at_gap(
    law: Constants, shelf: Shelf | None, gap: Numbers, served: Numbers
) -> tuple[Numbers, Numbers]:
    return law.at_gap(gap, served) if shelf is None else shelf.at_gap(law, gap, served)


def least(found: Found, shelf: Shelf | None, grounds: Grounds) -> Found:
    """The same loss with the least training compute."""
    return Found(*_at_gap(grounds.constants, shelf, found.gap, 0.0), found.gap)


def saving(found: Found, least: Found, grounds: Grounds) -> Numbers:
    """Share of the lifetime emissions that the choice saves."""
    ours, theirs = (
        allocation.lifetime_flop(one.params, one.tokens, grounds.served) for one in (found, least)
    )
    return 1 - ours / theirs

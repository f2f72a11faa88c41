"""Tables of docs/method/scaling-laws.md, computed from the laws as shipped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from joulecast import Library, allocation, scaling_law
from joulecast.laws.law import (
    constants_of,
    constants_with_experts,
    cost_of_ratio,
    drawn_constants,
    experts_saving,
    flop_of,
    laws_of,
)
from joulecast.report.words import two

LAWS = laws_of(Library.bundled())
LAW = constants_of(LAWS.main)
DRAWN = drawn_constants(LAWS.main)


def tables() -> str:
    """All tables, each under a line that says what it holds."""
    parts = [_optima(), _losses(), _flat(), _served(), _repeats(), _mixtures()]
    return "\n\n".join(parts)


def _table(says: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]
    return "\n".join([f"{says}\n", *lines])


def _optima() -> str:
    rows = []
    for flop in (1e21, 1e22, 1e23, 1e24, 1e26):
        params, tokens = LAW.at_flop(flop)
        drawn = DRAWN.at_flop(flop)
        low, high = np.quantile(drawn[1] / drawn[0], [0.1, 0.9])
        by_law = LAWS.tokens_per_param(flop).values()
        rows.append(
            (
                f"{flop:.0e}",
                two(float(params)),
                two(float(tokens)),
                f"{tokens / params:.0f}",
                f"{low:.0f} to {high:.0f}",
                f"{min(by_law):.0f} to {max(by_law):.0f}",
            )
        )
    head = ("FLOP", "parameters", "tokens", "D/N", "D/N by data, 80 %", "D/N by law")
    return _table("Lowest loss for a training compute:", head, rows)


def _losses() -> str:
    rows = []
    for loss in (2.2, 2.1, 2.0, 1.95):
        params, tokens = LAW.at_gap(loss - LAW.irreducible_loss)
        drawn = flop_of(*DRAWN.at_gap(loss - DRAWN.irreducible_loss))
        low, high = np.quantile(drawn, [0.1, 0.9]) / np.median(drawn)
        rows.append(
            (
                f"{loss:g}",
                f"{float(scaling_law.perplexity(loss)):.1f}",
                two(float(params)),
                two(float(tokens)),
                f"{flop_of(params, tokens):.1e}",
                f"x{low:.2f} to x{high:.2f}",
            )
        )
    head = ("loss", "perplexity", "parameters", "tokens", "FLOP", "80 % range of FLOP")
    return _table("Least compute for a loss:", head, rows)


def _flat() -> str:
    factors = (2.0, 5.0, 10.0, 30.0, 100.0)
    costs = tuple(f"x{cost_of_ratio(LAW, 0.2, factor):.2f}" for factor in factors)
    head = ("D/N over the best", *(f"{factor:g}" for factor in factors))
    return _table("Compute over the least, at equal loss:", head, [("compute", *costs)])


def _served() -> str:
    rows = []
    for params, tokens in ((7e9, 0.14e12), (70e9, 1.29e12)):
        gap = LAW.gap(params, tokens)
        least = LAW.at_gap(gap)
        for served in (1e12, 1e13, 1e14):
            best = LAW.at_gap(gap, served)
            ours = allocation.lifetime_flop(best[0], best[1], served)
            theirs = allocation.lifetime_flop(least[0], least[1], served)
            rows.append(
                (
                    f"{two(params)} on {two(tokens)}",
                    f"{served:.0e}",
                    f"{best[0] / least[0]:.2f}",
                    two(float(best[1] / best[0])),
                    f"{1 - ours / theirs:.0%}",
                )
            )
    head = ("loss of", "S = rho T", "N over the least-compute N", "D/N", "lifetime saving")
    return _table("Least carbon of training and serving together:", head, rows)


def _repeats() -> str:
    epochs = (2.0, 4.0, 8.0, 16.0, 40.0)
    decay = LAWS.repetition.tokens_decay
    worth = tuple(f"{float(scaling_law.worth_of_repeats(e, 1.0, decay)):.2f}" for e in epochs)
    head = ("epochs", *(f"{number:g}" for number in epochs))
    return _table("Epochs of fresh data that repeats are worth:", head, [("worth", *worth)])


def _mixtures() -> str:
    rows = []
    for experts in (8, 32):
        dense = constants_with_experts(LAWS.experts, 1)
        mixture = constants_with_experts(LAWS.experts, experts)
        savings = []
        for flop in (1e20, 1e21, 1e22):
            same = float(flop_of(*mixture.at_gap(dense.gap(*dense.at_flop(flop)))))
            savings.append(f"x{experts_saving(LAWS.experts, experts, same):.2f}")
        rows.append((str(experts), *savings))
    head = ("experts", "1e20", "1e21", "1e22")
    return _table("Dense FLOP (columns) over those of a mixture of equal loss:", head, rows)

"""The verb `optimum`: which size and how much data reach a loss, or use a budget, best.

A scaling law says what loss a size and a number of tokens reach; the chain of `estimate` says what
a FLOP of training emits on this hardware, at this place.  Both are drawn from the same table of
scores, so the range of an answer holds the ignorance of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite

import numpy as np

from joulecast import estimation, uncertainty, units
from joulecast.answers.footprint import Footprint
from joulecast.answers.optimum import Flatness, Optimum
from joulecast.answers.quantity import quantity_of
from joulecast.arrays import Numbers
from joulecast.data.library import Library
from joulecast.errors import InputError, brief
from joulecast.estimation import footprint_of
from joulecast.laws import choosing, saying
from joulecast.laws.asking import Asked, read_question
from joulecast.laws.choosing import Found, Grounds
from joulecast.laws.law import (
    Laws,
    constants_of,
    cost_of_ratio,
    drawn_constants,
    flop_of,
    laws_of,
    score,
)
from joulecast.laws.repeats import Shelf
from joulecast.plan import Plan
from joulecast.resolve import Settled, resolve
from joulecast.terms import TERMS

#: How far beyond the fitted range of compute a law is still asked.
FARTHEST = 1e5

#: Multiples of the optimal tokens per parameter for which the cost is shown.
MULTIPLES = (2.0, 5.0, 10.0)

#: The hardware's figures depend a little on the size, so the two are settled together, from here.
FIRST_PARAMS, FIRST_TOKENS = 1e10, 2e11
ROUNDS = 20

#: Draws that may fail to reach a loss with the distinct tokens before there is no answer.
UNREACHED = 0.05


def optimum(
    plan: Plan | None = None,
    *,
    loss: float | str | None = None,
    max: Mapping[str, object] | None = None,
    demand: object = None,
    serving_ratio: object = None,
    experts: float | str | None = None,
    confidence: float | str | None = None,
    law: str | None = None,
    library: Library | None = None,
) -> Optimum:
    """Find the size and the data that use a budget, or reach a loss, best.

    One of these says what is asked: `plan.flop`, a training compute; `loss`, a loss to reach;
    `max`, budgets such as ``{"total": "50t"}``; or the size and tokens of a plan, whose loss is to
    be reached.

    Parameters
    ----------
    plan
        Device, place and what is known of them, as for `estimate`; `unique_tokens` are the
        distinct tokens there are.
    loss
        Loss to reach [nats per token].
    max
        Budgets: total, operational, embodied, energy, hours, days, water, flop, with their unit.
    demand
        Tokens generated in use over the model's life: a number, or a range as in `Plan.given`.
    serving_ratio
        Emissions of a FLOP of serving over those of a FLOP of training; a default where None.
    experts
        Also say what a mixture of so many experts would save.
    confidence
        In percent: each budget of `max` holds at this level of its range.  Without it, for the
        nominal run.
    law
        Key of the loss law that answers (hardware_specs/scaling_laws.toml); the first where None.
    library
        The data to look things up in; the package's own where none is given.

    Returns
    -------
    Optimum with 80 % prediction ranges, all that was assumed and what to mind.

    Raises
    ------
    JoulecastError
        Where nothing or too much is asked, and where the law has no answer.

    >>> answer = optimum(Plan(region="fr", year=2024), loss=2.1)
    >>> f"{answer.best['training_flop'].value:.2g}"
    '2.1e+22'
    """
    library = library or Library.bundled()
    laws = laws_of(library, law)
    asked = read_question(
        plan or Plan(), library, laws.main, loss, max, demand, serving_ratio, experts, confidence
    )
    shelf = None if asked.unique_tokens is None else Shelf(asked.unique_tokens, laws.repetition)
    footprint, middle, drawn = _settled(asked, laws, shelf, library)
    best, drawn_best = choosing.choose(asked, shelf, middle), choosing.choose(asked, shelf, drawn)
    _check_reached(asked, shelf, drawn, drawn_best)
    # Beside the choice stands one without what sets it apart: the use, or else the repeats.
    data = shelf if asked.served else None
    other = asked if asked.served else asked._replace(unique_tokens=None)
    least, drawn_least = choosing.least(best, data, middle), choosing.least(drawn_best, data, drawn)
    flop = float(least.flop)
    outside = _outside(laws, best, least)
    saving = (choosing.saving(best, least, middle), choosing.saving(drawn_best, drawn_least, drawn))
    dearer = (best.flop / least.flop, drawn_best.flop / drawn_least.flop)
    by_data = quantity_of(least.tokens / least.params, drawn_least.tokens / drawn_least.params, "")
    if outside:
        drawn_best = _widened(drawn_best, asked, laws, flop)
        drawn_least = _widened(drawn_least, asked, laws, flop)
    said = [
        saying.said((best, middle), (drawn_best, drawn), asked, laws),
        saying.said((least, middle), (drawn_least, drawn), other, laws),
    ]
    another = bool(asked.served) or shelf is not None
    return Optimum(
        question=asked.as_question(laws.key),
        plan={**footprint.plan, "tokens": float(best.tokens)},
        best=said[0],
        compute_optimal=said[1] if another else None,
        lifetime_saving=quantity_of(*saving, "") if asked.served else None,
        training_flop_ratio=quantity_of(*dearer, "") if another else None,
        tokens_per_param_by_law=laws.tokens_per_param(flop),
        tokens_per_param_by_data=by_data,
        flatness=tuple(
            Flatness(factor, cost_of_ratio(middle.constants, float(best.gap), factor))
            for factor in MULTIPLES
        ),
        mixture=saying.mixture(asked, laws, flop),
        assumptions=(*saying.of_hardware(footprint), *saying.of_laws(asked, laws, drawn, library)),
        warnings=(*footprint.warnings, *saying.notices(asked, laws, best, outside, middle)),
        citations=saying.citations(footprint, asked, laws, library),
        data_digest=library.digest,
    )


def _settled(
    asked: Asked, laws: Laws, shelf: Shelf | None, library: Library
) -> tuple[Footprint, Grounds, Grounds]:
    """The hardware's figures for the size chosen with them: footprint, medians, draws."""
    served = asked.served
    use = _served(uncertainty.nominal(served))
    # With a demand the compute asked for is that of the loss to reach, not of the choice.
    flop = None if served else asked.flop
    params, tokens = FIRST_PARAMS, FIRST_TOKENS
    for _ in range(ROUNDS):
        sized = {"params": params, "tokens": tokens if flop is None else None, "flop": flop}
        settled = resolve(asked.plan.replace(**sized), library)
        size = float(flop_of(params, tokens)) if flop is None else flop
        per_flop = _per_flop(settled.only.middle.known, size)
        _check_budget(asked, per_flop)
        allowed = _allowed(asked, per_flop)
        if asked.confidence is not None:
            allowed = _allowed_surely(asked, _drawn_per_flop(settled, size), asked.confidence / 100)
        middle = Grounds(constants_of(laws.main), per_flop, use, allowed)
        found = choosing.choose(asked, shelf, middle)
        _check_reach(asked, laws, shelf, middle, found)
        before, params, tokens = params, float(found.params), float(found.tokens)
        if abs(params / before - 1) < 1e-9:
            break
    drawn_per_flop = _drawn_per_flop(settled, size)
    drawn = Grounds(
        drawn_constants(laws.main),
        drawn_per_flop,
        _served(uncertainty.sample(served)),
        _allowed(asked, drawn_per_flop) if asked.confidence is None else allowed,
    )
    return footprint_of(settled), middle, drawn


def _drawn_per_flop(settled: Settled, flop: float) -> dict[str, Numbers]:
    (drawn,) = estimation.drawn([settled])
    return _per_flop(drawn.parts[0].known, flop)


def _per_flop(known: Mapping[str, Numbers], flop: float) -> dict[str, Numbers]:
    return {name: number / flop for name, number in known.items() if name in TERMS}


def _served(use: Mapping[str, Numbers]) -> Numbers:
    return use["demand_tokens"] * use["serving_ratio"] if use else 0.0


def _allowed(asked: Asked, per_flop: Mapping[str, Numbers]) -> Numbers:
    """Compute that the tightest of the budgets allows."""
    allowed = [
        limit * units.factor(TERMS[name].unit) / per_flop[name]
        for name, limit in asked.limits.items()
    ]
    tightest: Numbers = np.minimum.reduce(np.broadcast_arrays(inf, *allowed))
    return tightest


def _allowed_surely(asked: Asked, drawn: Mapping[str, Numbers], share: float) -> Numbers:
    """Compute for which each of the budgets holds in this share of the draws."""
    level = {
        name: uncertainty.quantiles(np.atleast_1d(drawn[name]), (share,))[0]
        for name in asked.limits
    }
    return _allowed(asked, level)


# Limits of what can be said.


def _check_budget(asked: Asked, per_flop: Mapping[str, Numbers]) -> None:
    for name, limit in asked.limits.items():
        if name not in per_flop:
            way_on = "--device-count 512" if name == "wall_clock_days" else "--region fr"
            why = "does not follow from what was said of the run"
            raise InputError(name, brief(limit), why, [way_on])
        if not per_flop[name] > 0:
            raise InputError(name, brief(limit), "no budget is spent: it is 0", ["--flop 1e23"])


def _check_reach(
    asked: Asked, laws: Laws, shelf: Shelf | None, grounds: Grounds, found: Found
) -> None:
    """Refuse what lies so far out that a law is no guide."""
    if asked.loss is not None and shelf is not None:
        lowest = float(shelf.lowest_gap(grounds.constants) + grounds.constants.irreducible_loss)
        if asked.loss <= lowest:
            raise _out_of_reach(asked, f"their loss never falls below {lowest:.3f}")
    fitted = laws.runs
    flop = float(choosing.least(found, shelf if asked.served else None, grounds).flop)
    if fitted[0] / FARTHEST <= flop <= fitted[1] * FARTHEST:
        return
    field, value = {
        "flop": ("flop", asked.flop),
        "max": (next(iter(asked.limits), "max"), next(iter(asked.limits.values()), None)),
        "loss": ("loss", asked.loss),
        "size": ("params", asked.params),
    }[asked.kind]
    amount = f"{flop:.1e} FLOP" if isfinite(flop) else "a compute beyond all bounds"
    why = (
        (
            f"comes to {amount}, more than {FARTHEST:.0e} times beyond the runs of the law "
            f"({fitted[0]:.1e} to {fitted[1]:.1e} FLOP)"
        )
        .replace("e+0", "e")
        .replace("e+", "e")
    )
    raise InputError(field, None if value is None else brief(value), why, ["--flop 1e23"])


def _check_reached(asked: Asked, shelf: Shelf | None, grounds: Grounds, found: Found) -> None:
    """A loss too near what the distinct tokens allow has no range."""
    if asked.loss is None or shelf is None:
        return
    share = float(np.mean(found.gap <= shelf.lowest_gap(grounds.constants)))
    if share > UNREACHED:
        raise _out_of_reach(asked, f"in {share:.0%} of the draws they never reach it")


def _out_of_reach(asked: Asked, why: str) -> InputError:
    assert asked.unique_tokens is not None and asked.loss is not None
    return InputError(
        "unique_tokens",
        brief(asked.unique_tokens),
        f"cannot be relied on to reach a loss of {asked.loss:g}: {why}",
        ["more data", "a higher --loss"],
    )


def _outside(laws: Laws, *found: Found) -> list[str]:
    """What of the choices lies outside the runs the law was fitted on."""
    fitted = laws.main.fitted
    said: dict[str, str] = {}
    for one in found:
        for name, span, value in (
            ("parameters", fitted.params, one.params),
            ("tokens", fitted.tokens, one.tokens),
            ("FLOP", fitted.flop, one.flop),
        ):
            if span is not None and not span[0] <= value <= span[1]:
                runs = f"{brief(span[0])} to {brief(span[1])}"
                said.setdefault(name, f"{brief(float(f'{value:.2g}'))} {name} (runs: {runs})")
    return list(said.values())


def _widened(found: Found, asked: Asked, laws: Laws, flop: float) -> Found:
    """Draws widened by what laws differ in: the split, and how fast the loss falls."""
    split = np.exp(laws.split_spread(flop) * score("scaling_law_split") / 2)
    level = score("scaling_law_level")
    pace, gap = np.ones_like(level), found.gap
    if asked.kind in ("loss", "size"):
        pace = np.exp(laws.compute_spread(flop) * level / 2)
    if asked.kind != "loss":
        gap = found.gap + laws.level_spread(flop) * level
    return Found(found.params * pace / split, found.tokens * pace * split, gap)

"""The verb `solve`: the largest model, the most tokens, the fewest devices within a budget.

Between the sizes at which a default jumps or bends, an outcome is a power of what is solved for, or
at least rises with it.  A power is inverted as it is, for any number of budgets at once; anything
else is bracketed in a table that narrows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np

from joulecast.answers.solution import Budget, Solution, Solutions
from joulecast.arrays import Array
from joulecast.data.library import Library
from joulecast.errors import InputError, brief
from joulecast.estimation import footprint_of
from joulecast.plan import Plan
from joulecast.terms import TERMS
from joulecast.whatif import budgets
from joulecast.whatif.inverting import Stretch
from joulecast.whatif.question import Found, Question, above_zero, check_ways, goal_named

#: Budgets that depend on what not every budget does.
DEPENDING = {
    "device_count": ["--max days=30"],
    "grid_gco2e_per_kwh": ["--max total=50t"],
    "pue": ["--max energy=200MWh"],
}

#: What is said where a limit other than the budgets holds the answer.
JUMP = "a default changes at this size: beyond it the budget would not be met"


@overload
def solve(
    plan: Plan,
    for_: str,
    max: Mapping[str, float | str],
    *,
    ratio: float | str | None = None,
    confidence: float | str | None = None,
    library: Library | None = None,
) -> Solution: ...


@overload
def solve(
    plan: Plan,
    for_: str,
    max: Mapping[str, Array],
    *,
    ratio: float | str | None = None,
    confidence: float | str | None = None,
    library: Library | None = None,
) -> Solutions: ...


def solve(
    plan: Plan,
    for_: str,
    max: Mapping[str, float | str] | Mapping[str, Array],
    *,
    ratio: float | str | None = None,
    confidence: float | str | None = None,
    library: Library | None = None,
) -> Solution | Solutions:
    """Find how large one quantity of a plan may be within budgets.

    Parameters
    ----------
    plan
        All that is settled; its own value of what is solved for is not used.
    for_
        ``params``, ``tokens``, ``grid`` or ``pue`` (the largest), ``devices`` (the fewest).
    max
        Budget -> limit: ``total``, ``operational``, ``embodied``, ``energy``, ``hours``, ``days``,
        ``water``, ``flop`` or any result.  Text has a unit (``"50t"``); a number is in the unit of
        the result (kgCO2e, kWh, h, d, L).  Arrays of limits [question] ask many questions at once.
    ratio
        Tokens per active parameter, where `for_` is ``params`` and the plan has no tokens.
    confidence
        In percent: the budget holds at this level of the range.  Without it, for the nominal run.
    library
        The data to look things up in; the package's own where none is given.

    Returns
    -------
    Solution, or Solutions where the limits are arrays.

    Raises
    ------
    JoulecastError
        Where the question contradicts itself or one question has no answer, saying why.

    >>> plan = Plan(device="h100-sxm", region="us-va", year=2024)
    >>> found = solve(plan, "params", {"total": "50t"}, ratio=20, confidence=90)
    >>> round(found.at.total.p90)
    50000
    """
    library = library or Library.bundled()
    goal = goal_named(for_)
    limits = budgets.read(max)
    if not limits:
        raise InputError("--max", None, "needs a budget", ["--max total=50t", "--max days=30"])
    check_ways(plan, goal, ratio)
    share = None if confidence is None else budgets.percent(confidence)
    question = Question(
        plan,
        goal,
        None if ratio is None else above_zero("--ratio", ratio),
        None if share is None else share / 100,
        library,
    )
    stretches = question.stretches(list(limits))
    table = np.stack(np.broadcast_arrays(*map(np.atleast_1d, limits.values())))
    found = (question.least if goal.least else question.largest)(stretches, table)
    if any(limit.ndim for limit in limits.values()):
        unlimited = found.x >= stretches[-1][0].hi
        return Solutions(
            goal.name,
            TERMS[goal.name].unit,
            np.where(unlimited, np.inf, found.x),
            np.array([*limits, None], dtype=np.object_)[found.binding],
            limits,
        )
    _check_found(question, stretches, limits, float(found.x[0]))
    return _solution(question, stretches, limits, found, share)


def _solution(
    question: Question,
    stretches: Sequence[Sequence[Stretch]],
    limits: Mapping[str, Array],
    found: Found,
    confidence: float | None,
) -> Solution:
    goal, x = question.goal, float(found.x[0])
    row = next(row for row in stretches if row[0].lo <= x <= row[0].hi)
    held = tuple(
        Budget(
            name,
            float(limit),
            float(one.at(np.array([x]))[0]),
            TERMS[name].unit,
            bool(found.binding[0] == i),
        )
        for i, ((name, limit), one) in enumerate(zip(limits.items(), row, strict=True))
    )
    note = ""
    if found.jump[0] and goal.least:
        note = "one device is enough" if x == stretches[0][0].lo else JUMP
    elif found.jump[0]:
        note = JUMP
    footprint = footprint_of(question.settled(x))
    return Solution(goal.name, x, TERMS[goal.name].unit, confidence, held, note, footprint)


def _check_found(
    question: Question,
    stretches: Sequence[Sequence[Stretch]],
    limits: Mapping[str, Array],
    x: float,
) -> None:
    """One question needs an answer, or the reason why there is none."""
    goal = question.goal
    moving = any(one.exponent != 0 for row in stretches for one in row)
    said = ", ".join(f"{name}={_amount(float(limit), name)}" for name, limit in limits.items())
    if np.isnan(x):
        end = stretches[-1] if goal.least else stretches[0]
        over = [
            (name, one)
            for (name, limit), one in zip(limits.items(), end, strict=True)
            if one.ends[goal.least] > float(limit)
        ]
        why = "no value meets all of them at once"
        if over:
            name, one = over[0]
            amount = _amount(one.ends[goal.least], name)
            where = (
                "whatever it is"
                if one.exponent == 0
                else f"even at {goal.name} {brief(end[-1].hi if goal.least else end[0].lo)}"
            )
            if one.exponent != 0 and goal.name == "grid_gco2e_per_kwh":
                where = "from making the hardware alone"
            why = f"{name} is {amount} {where}"
        raise InputError("--max", said, f"no solution for {goal.name} because {why}")
    if not moving:
        why = f"does not depend on {goal.name} in this plan"
        raise InputError("--max", said, why, DEPENDING.get(goal.name, ()))
    if not goal.least and x >= stretches[-1][0].hi:
        why = f"allows any {goal.name}, up to {brief(x)}"
        if question.end:
            why = f"allows any {goal.name} up to {brief(x)}; {question.end}"
        raise InputError("--max", said, why)


def _amount(value: float, name: str) -> str:
    """A limit as people write it."""
    unit = TERMS[name].unit
    if unit == "kgCO2e":
        return f"{brief(value / 1000)} tCO2e" if value >= 1000 else f"{brief(value)} kgCO2e"
    return f"{brief(value)} {unit}".rstrip()

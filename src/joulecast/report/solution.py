"""What was solved for as text, at most 80 columns wide, two significant figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from math import floor, log10

from joulecast.answers.quantity import exactly
from joulecast.answers.solution import Solution
from joulecast.report.forecast import subject
from joulecast.report.tables import Table
from joulecast.report.words import WIDTH, outcome, plain, readable, two, wrapped
from joulecast.whatif.inverting import ROUNDING

#: What was solved for as a sentence says it, and its word behind a number.
_GOALS = {
    "params": ("Largest model", "parameters"),
    "tokens": ("Most tokens", "tokens"),
    "device_count": ("Fewest devices", "devices"),
    "grid_gco2e_per_kwh": ("Dirtiest grid", "gCO2e/kWh"),
    "pue": ("Highest PUE", ""),
}


def text(solution: Solution, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The answer first, then what each budget comes to there."""
    what, word = _GOALS[solution.name]
    exact = f"{solution.value:,.0f}" if solution.value >= 100 else f"{solution.value:.4g}"
    rounded = exact if solution.name == "device_count" else two(_rounded_down(solution.value))
    answer = f"  {bold(f'{rounded} {word}'.rstrip())}"
    if rounded != exact:
        answer += f"    ({exact})"
    if quiet:
        return answer
    sure = "in the nominal run"
    if solution.confidence is not None:
        sure = f"with {solution.confidence:g} % confidence"
    lines = [f"{what} within the budget, {sure}", "", answer, ""]
    lines.append(f"  {'budget':<26}{'limit':>20}{'at the answer':>20}")
    lines += [
        f"  {name:<26}{limit:>20}{reached:>20}{'  ' if binds else ''}{binds}"
        for name, limit, reached, binds in _rows(solution)
    ]
    if solution.note:
        lines += ["", *wrapped(solution.note)]
    at = f"{subject(solution.at)}. The whole forecast: --json, or estimate with it."
    return "\n".join([*lines, "", *textwrap.wrap(at, WIDTH)])


def table(solution: Solution) -> Table:
    """Each budget, and what it comes to at the answer."""
    return Table(("Budget", "Limit", "At the answer", ""), list(_rows(solution)), (1, 2))


def _rows(solution: Solution) -> Iterator[tuple[str, str, str, str]]:
    for budget in solution.budgets:
        limit, reached = (_amount(one, budget.unit) for one in (budget.limit, budget.reached))
        yield outcome(budget.name), limit, reached, "binds" if budget.binds else ""


def _rounded_down(value: float) -> float:
    """Two significant figures that are still within the budget."""
    size = 10.0 ** (floor(log10(value)) - 1)
    return floor(value / size * (1 + ROUNDING)) * size


def _amount(value: float, unit: str) -> str:
    shown, unit = readable(exactly(value, unit))
    return f"{plain(shown.value, 3)} {unit}".rstrip()

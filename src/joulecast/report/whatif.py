"""Comparisons and solutions as text, at most 80 columns wide, two significant figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from math import floor, log10

from joulecast.footprint import Quantity
from joulecast.report.forecast import WIDTH, plain, readable, subject, two, wrapped
from joulecast.whatif.comparing import Comparison, Option, shown
from joulecast.whatif.inverting import ROUNDING
from joulecast.whatif.solving import Solution

#: Results as a sentence says them.
NAMES = {
    "total_kgco2e": "total emissions",
    "operational_kgco2e": "operational emissions",
    "embodied_kgco2e": "embodied emissions",
    "project_kgco2e": "emissions of the project",
    "energy_kwh": "energy",
    "device_hours": "device-hours",
    "wall_clock_days": "days",
    "water_l": "water",
    "training_flop": "training FLOP",
}

_COLUMNS = (9, 17, 8, 15, 8)
_LABEL = WIDTH - 2 - sum(_COLUMNS)


def comparison_text(
    comparison: Comparison, bold: Callable[[str], str] = str, quiet: bool = False
) -> str:
    """The answer first, then a row for each option."""
    on, options = comparison.on, comparison.options
    known = [option.footprint.quantities[on] for option in options]
    largest = max((one for one in known if one is not None), key=lambda one: one.value)
    unit = readable(largest)[1]
    answer = _lowest(comparison, bold)
    if quiet:
        return answer
    head = f"{len(options)} options by {outcome(on)}{f' in {unit}' if unit else ''}"
    lines = [head, "", answer, *_change(comparison), ""]
    lines += _row("", ("value", "80 % range", "ratio", "80 % range", "lowest"))
    for option, quantity in zip(options, known, strict=True):
        if quantity is not None:
            lines += _row(option.label, _cells(option, quantity.to(unit) if unit else quantity))
    why = (
        "Ratios are to the first option. What options have in common is drawn once for all of "
        "them, so a ratio is surer than the values it comes from."
    )
    lines += ["", *textwrap.wrap(why, WIDTH), *_mind(comparison)]
    return "\n".join(lines)


def _lowest(comparison: Comparison, bold: Callable[[str], str]) -> str:
    """Which option is lowest; of several that are alike, all."""
    lowest = comparison.lowest
    alike = [option.label for option in comparison.options if _level(option, lowest, comparison.on)]
    if len(alike) == len(comparison.options):
        return f"  lowest: {bold('none')}, all are alike"
    sure = f"with probability {percent(lowest.probability_lowest)}"
    if len(alike) == 1:
        return f"  lowest: {bold(lowest.label)}, {sure}"
    return "\n".join(wrapped(f"lowest: {' = '.join(alike)}, {sure} each"))


def _level(one: Option, other: Option, on: str) -> bool:
    """Whether two options cannot be told apart: equal in value and in every draw's rank."""
    return (
        one.footprint.quantities[on] == other.footprint.quantities[on]
        and one.probability_lowest == other.probability_lowest
    )


#: What was solved for as a sentence says it, and its word behind a number.
_GOALS = {
    "params": ("Largest model", "parameters"),
    "tokens": ("Most tokens", "tokens"),
    "device_count": ("Fewest devices", "devices"),
    "grid_gco2e_per_kwh": ("Dirtiest grid", "gCO2e/kWh"),
    "pue": ("Highest PUE", ""),
}


def solution_text(solution: Solution, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
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
    for budget in solution.budgets:
        limit, reached = (_amount(one, budget.unit) for one in (budget.limit, budget.reached))
        mark = "  binds" if budget.binds else ""
        lines.append(f"  {outcome(budget.name):<26}{limit:>20}{reached:>20}{mark}")
    if solution.note:
        lines += ["", *wrapped(solution.note)]
    at = f"{subject(solution.at)}. The whole forecast: --json, or estimate with it."
    return "\n".join([*lines, "", *textwrap.wrap(at, WIDTH)])


def _rounded_down(value: float) -> float:
    """Two significant figures that are still within the budget."""
    size = 10.0 ** (floor(log10(value)) - 1)
    return floor(value / size * (1 + ROUNDING)) * size


def _amount(value: float, unit: str) -> str:
    shown, unit = readable(Quantity(value, *(value,) * 5, unit))
    return f"{plain(shown.value, 3)} {unit}".rstrip()


def outcome(name: str) -> str:
    """A result as a sentence says it."""
    return NAMES.get(name, name.replace("_", " "))


def _row(label: str, cells: tuple[str, ...]) -> list[str]:
    """A line of the table; a label too long for its column stands on a line of its own."""
    figures = "".join(f"{cell:>{width}}" for cell, width in zip(cells, _COLUMNS, strict=True))
    if len(label) > _LABEL:
        return [*wrapped(label), f"{figures:>{WIDTH}}"]
    return [f"  {label:<{_LABEL}}{figures}"]


def _cells(option: Option, quantity: Quantity) -> tuple[str, ...]:
    ratio = option.ratio_to_first
    return (
        two(quantity.value),
        interval(quantity),
        "-" if ratio is None else two(ratio.value),
        "-" if ratio is None else interval(ratio),
        percent(option.probability_lowest),
    )


def interval(quantity: Quantity) -> str:
    """The 80 % range of a quantity, in figures alone."""
    if quantity.p90 - quantity.p10 <= 1e-9 * abs(quantity.p90):
        return "exact"
    return f"{two(quantity.p10)} to {two(quantity.p90)}"


def percent(probability: float) -> str:
    """A probability in whole percent, never rounded to certainty."""
    if 0 < probability < 0.005:
        return "< 1 %"
    if 0.995 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


def _change(comparison: Comparison) -> list[str]:
    change = comparison.best_change
    if change is None:
        return []
    saving, unit = readable(change.saving)
    to = f"{change.field} to {shown(change.value)}"
    line = f"best single change: {to} saves {two(saving.value)} {unit}"
    if saving.p10 != saving.p90:
        line += f" (80 % range {two(saving.p10)} to {two(saving.p90)})"
    return wrapped(f"{line}; lower with probability {percent(change.probability_lower)}")


def _mind(comparison: Comparison) -> list[str]:
    """Each warning once, with the options it is about where not all have it."""
    about: dict[str, list[str]] = {}
    for option in comparison.options:
        for notice in option.footprint.warnings:
            if notice.code == "skewed":
                continue  # how to quote one estimate; its figure differs in every option
            about.setdefault(f"{notice.code}: {notice.message}", []).append(option.label)
    lines = [
        line
        for notice in comparison.warnings
        for line in wrapped(f"{notice.code}: {notice.message}")
    ]
    for message, labels in about.items():
        whose = "" if len(labels) == len(comparison.options) else f" [{'; '.join(labels)}]"
        lines += wrapped(message + whose)
    return ["", "Mind", *lines] if lines else []

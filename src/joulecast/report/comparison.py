"""Comparisons as text, at most 80 columns wide, two significant figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from math import log

from joulecast.answers.comparison import Comparison, Option, shown
from joulecast.answers.quantity import Quantity
from joulecast.report.grounds import warning_lines
from joulecast.report.tables import Table, columns
from joulecast.report.words import (
    WIDTH,
    interval,
    is_exact,
    outcome,
    percent,
    readable,
    two,
    wrapped,
)

#: Heads of the columns behind the label.
HEADS = ("value", "80 % range", "ratio", "80 % range", "lowest")

_COLUMNS = (9, 17, 8, 15, 8)


def text(comparison: Comparison, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The answer first, then a row for each option."""
    answer = _lowest(comparison, bold)
    if quiet:
        return answer
    unit, rows = _rows(comparison)
    head = f"{len(rows)} options by {outcome(comparison.on)}{f' in {unit}' if unit else ''}"
    lines = [head, "", answer, *_unmeasured(comparison), *_change(comparison), *_why(comparison)]
    lines += ["", *columns("", HEADS, _COLUMNS)]
    for label, *cells in rows:
        lines += columns(label, cells, _COLUMNS)
    why = (
        "Ratios are to the first option. What options have in common is drawn once for all of "
        "them, so a ratio is surer than the values it comes from."
    )
    lines += ["", *textwrap.wrap(why, WIDTH), *_split(comparison), *_mind(comparison)]
    return "\n".join(lines)


#: Part of a ratio -> how it is called.
PARTS = {
    "work": "work",
    "hours": "hours per work",
    "power": "power",
    "pue": "PUE",
    "grid": "grid",
    "making": "making",
}

#: A factor nearer to 1 than this changes nothing that anybody reads.
ALIKE = 0.005


def _unmeasured(comparison: Comparison) -> list[str]:
    """What the comparison rests on and nobody measured: on the first screen."""
    found = dict.fromkeys(one for option in comparison.options for one in option.never_measured)
    return wrapped(f"never measured: {'; '.join(found)}") if found else []


def _why(comparison: Comparison) -> list[str]:
    """In a sentence, what makes the lowest differ from the first, or the next lowest from it."""
    first, lowest = comparison.first, comparison.lowest
    if lowest is first:
        others = comparison.options[1:]
        lowest = max(others, key=lambda one: (one.probability_lowest, one.lower_than[first.label]))
    if lowest.ratio_parts is None or lowest.ratio_to_first is None:
        return []
    parts = {PARTS[name]: factor for name, factor in lowest.ratio_parts.items()}
    moved = {name: factor for name, factor in parts.items() if abs(log(factor)) > ALIKE}
    if not moved:
        return []
    said = ", ".join(f"{name} x {factor:.2g}" for name, factor in _largest_first(moved))
    alike = [name for name in parts if name not in moved]
    rest = f"; {' and '.join(', '.join(alike).rsplit(', ', 1))} alike" if alike else ""
    ratio = two(lowest.ratio_to_first.value)
    return wrapped(f"why: {lowest.label} comes to {ratio} of {first.label}: {said}{rest}")


def _largest_first(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(parts.items(), key=lambda part: -abs(log(part[1])))


def _split(comparison: Comparison) -> list[str]:
    """The factors of each option's ratio to the first, those that differ."""
    split = [(option, option.ratio_parts) for option in comparison.options[1:]]
    known = [(option, parts) for option, parts in split if parts is not None]
    names = [
        name for name in PARTS if any(abs(log(parts.get(name, 1.0))) > ALIKE for _, parts in known)
    ]
    if not names or len(known) < len(split):
        return []
    widths = [max(8, len(PARTS[name]) + 2) for name in names]
    lines = ["", "Ratios to the first as factors"]
    lines += columns("", [PARTS[name] for name in names], widths)
    for option, parts in known:
        cells = [two(parts[name]) if name in parts else "-" for name in names]
        lines += columns(option.label, cells, widths)
    return lines


def matrix(comparison: Comparison) -> str:
    """How probably each option is lower than each other one, by number of the row."""
    options = comparison.options
    lines = ["How probably an option [row] is lower than another [column]", ""]
    widths = [6] * len(options)
    lines += columns("", [str(i + 1) for i in range(len(options))], widths)
    for i, option in enumerate(options):
        cells = [
            "" if other is option else percent(option.lower_than[other.label]) for other in options
        ]
        lines += columns(f"{i + 1} {option.label}", cells, widths)
    return "\n".join(lines)


def table(comparison: Comparison) -> Table:
    """A row for each option."""
    unit, rows = _rows(comparison)
    head = (f"{outcome(comparison.on)}{f' [{unit}]' if unit else ''}", *HEADS)
    return Table(head, rows, range(1, len(head)))


def _rows(comparison: Comparison) -> tuple[str, list[tuple[str, ...]]]:
    """The unit that reads best, then label and figures of each option."""
    pairs = [(option, option.footprint.quantities[comparison.on]) for option in comparison.options]
    known = [(option, quantity) for option, quantity in pairs if quantity is not None]
    unit = readable(max((quantity for _, quantity in known), key=lambda one: one.value))[1]
    return unit, [
        (option.label, *_cells(option, quantity.to(unit) if unit else quantity))
        for option, quantity in known
    ]


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


def _cells(option: Option, quantity: Quantity) -> tuple[str, ...]:
    ratio = option.ratio_to_first
    return (
        two(quantity.value),
        interval(quantity),
        "-" if ratio is None else two(ratio.value),
        "-" if ratio is None else interval(ratio),
        percent(option.probability_lowest),
    )


def _change(comparison: Comparison) -> list[str]:
    change = comparison.best_change
    if change is None:
        return []
    saving, unit = readable(change.saving)
    to = f"{change.field} to {shown(change.value)}"
    line = f"best single change: {to} saves {two(saving.value)} {unit}"
    if not is_exact(saving):
        line += f" (80 % range {interval(saving)})"
    return wrapped(f"{line}; lower with probability {percent(change.probability_lower)}")


def _mind(comparison: Comparison) -> list[str]:
    """Each warning once, with the options it is about where not all have it."""
    about: dict[str, list[str]] = {}
    for option in comparison.options:
        for notice in option.footprint.warnings:
            if notice.code == "skewed":
                continue  # how to quote one estimate; its figure differs in every option
            about.setdefault(f"{notice.code}: {notice.message}", []).append(option.label)
    lines = warning_lines(comparison.warnings)[1:]
    for message, labels in about.items():
        whose = "" if len(labels) == len(comparison.options) else f" [{'; '.join(labels)}]"
        lines += wrapped(message + whose)
    return ["", "Mind", *lines] if lines else []

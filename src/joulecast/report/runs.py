"""A table of runs as text, at most 80 columns wide, two significant figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

from joulecast.answers.quantity import Quantity
from joulecast.answers.runs import Runs
from joulecast.report.grounds import warning_lines
from joulecast.report.tables import MOST_ROWS, Table, columns
from joulecast.report.words import WIDTH, interval, readable, two, wrapped

#: More rows than this are left out of a first screen of a terminal.
MOST_IN_TEXT = 60

#: Result -> head of its column.
SHOWN = {"device_hours": "hours", "energy_kwh": "kWh"}

_COLUMNS = (10, 10, 12, 20)


def text(runs: Runs, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """All runs together first, then a line for each."""
    head = _headline(runs, bold)
    if quiet:
        return head
    name, unit, size = _unit(runs)
    lines = [f"{len(runs.runs)} runs of a table", "", head, "", *_together(runs)]
    heads = (*SHOWN.values(), unit, "80 % range")
    lines += ["", *columns("", heads, _COLUMNS)]
    for one in runs.runs[:MOST_IN_TEXT]:
        lines += columns(one.name, _cells(one.quantities, name, size), _COLUMNS)
    if len(runs.runs) > MOST_IN_TEXT:
        rest = len(runs.runs) - MOST_IN_TEXT
        lines += wrapped(f"and {rest:,} more: --format csv, or --output runs.csv, has all of them")
    lines += columns("total", _cells(runs.total, name, size), _COLUMNS)
    why = (
        "What runs have in common (the device, the place, the rule for FLOP) is drawn once for "
        "all of them; the total's range is that of the sum."
    )
    lines += ["", *textwrap.wrap(why, WIDTH), "", "Columns"]
    lines += [f"  {head} -> {meant}" for head, meant in runs.columns.items() if head != meant]
    same = [head for head, meant in runs.columns.items() if head == meant]
    lines += wrapped(f"as they are: {', '.join(same)}") if same else []
    if runs.passed_over:
        lines += wrapped(f"not read: {', '.join(runs.passed_over)}")
    if runs.left_out:
        lines += ["", f"Left out ({len(runs.left_out)})"]
        for left in runs.left_out:
            lines += wrapped(left.problem)
    if runs.warnings:
        lines += ["", *warning_lines(runs.warnings)]
    return "\n".join(lines)


def table(runs: Runs) -> Table:
    """A row for each run, and the total."""
    name, unit, size = _unit(runs)
    rows = [[one.name, *_cells(one.quantities, name, size)] for one in runs.runs[:MOST_ROWS]]
    rows.append(["total", *_cells(runs.total, name, size)])
    more = len(runs.runs) - MOST_ROWS
    note = f"and {more:,} more runs" if more > 0 else ""
    return Table(["run", *SHOWN.values(), unit, "80 % range"], rows, (1, 2, 3, 4), note)


def _main(runs: Runs) -> str:
    """What the runs come to: emissions, or energy where one has no grid."""
    known = ("total_kgco2e", "energy_kwh", "device_hours", "training_flop")
    return next((name for name in known if runs.total[name] is not None), known[0])


def _unit(runs: Runs) -> tuple[str, str, float]:
    """The result of the last columns, the unit that suits all rows, and its size."""
    name = _main(runs)
    values = sorted(
        quantity.value for one in runs.runs if (quantity := one.quantities[name]) is not None
    )
    middle = next((q for one in runs.runs if (q := one.quantities[name]) is not None
                   and q.value == values[len(values) // 2]), None)  # fmt: skip
    if middle is None:
        return name, "", 1.0
    shown, unit = readable(middle)
    return name, unit, middle.value / shown.value if shown.value else 1.0


def _cells(quantities: Mapping[str, Quantity | None], name: str, size: float) -> list[str]:
    made = [two(q.value) if (q := quantities[one]) is not None else "-" for one in SHOWN]
    last = quantities[name]
    if last is None:
        return [*made, "-", "-"]
    value, p5, p10, p50, p90, p95 = (level / size for level in last.levels)
    scaled = Quantity(value, p5, p10, p50, p90, p95, last.unit)
    return [*made, two(scaled.value), interval(scaled)]


def _headline(runs: Runs, bold: Callable[[str], str]) -> str:
    whole = runs.total[_main(runs)]
    if whole is None:
        return "  nothing that can be added up"
    shown, unit = readable(whole)
    said = bold(f"{two(shown.value)} {unit}")
    return f"  {said}    80 % prediction range {interval(shown)} {unit}"


def _together(runs: Runs) -> list[str]:
    """Hours, energy and water of all of them."""
    lines = []
    for label, name in (("Hardware", "device_hours"), ("Energy", "energy_kwh"),
                        ("Embodied", "embodied_kgco2e"), ("Water", "water_l"),
                        ("Projects", "project_kgco2e")):  # fmt: skip
        quantity = runs.total[name]
        if quantity is not None:
            shown, unit = readable(quantity)
            said = f"{two(shown.value)} {'device-hours' if name == 'device_hours' else unit}"
            lines.append(f"  {label:<10} {said:<29}{interval(shown)}")
    return lines

"""A counted architecture as text: totals, then its parts."""

from __future__ import annotations

from collections.abc import Callable

from joulecast.answers.count import ModelCount
from joulecast.report.grounds import warning_lines
from joulecast.report.tables import Table
from joulecast.report.words import plain


def text(
    count: ModelCount, bold: Callable[[str], str] = str, quiet: bool = False, name: str = ""
) -> str:
    """Totals, then the parts; `name` is what was counted."""
    del bold
    length = ":".join(f"{part:,}" for part in count.seq_len)
    unit = count.flop_unit.replace("_", " ")
    rows = [
        ("Parameters", f"{count.params_total:,.0f}"),
        ("Active", f"{count.params_active:,.0f} per {unit}"),
        ("Forward", f"{plain(count.forward_flop_per_token)} FLOP per {unit}"),
        ("Training", f"{plain(count.train_flop_per_token)} FLOP per {unit}"),
        ("Over 6N", f"{count.flop_per_6n:.3f} times 6 x active parameters"),
    ]
    if quiet:
        return f"  {rows[0][1]} parameters, {rows[3][1]}"
    lines = [f"{name or 'A model'}: {length} tokens, {count.attention} attention", ""]
    lines += [f"  {label:<12}{value}" for label, value in rows]
    lines += ["", f"  {'part':<26}{'parameters':>18}{'forward FLOP':>16}{'share':>8}"]
    lines += ["  {:<26}{:>18}{:>16}{:>8}".format(*cells) for cells in _parts(count)]
    mind = warning_lines(count.warnings)
    return "\n".join([*lines, *([""] if mind else []), *mind])


def table(count: ModelCount) -> Table:
    """Each part with its share of the FLOP."""
    return Table(("Part", "Parameters", "Forward FLOP", "Share"), _parts(count), (1, 2, 3))


def _parts(count: ModelCount) -> list[tuple[str, str, str, str]]:
    whole = count.forward_flop_per_token
    return [
        (part, f"{params:,.0f}", plain(flop, 4), f"{flop / whole if whole else 0.0:.1%}")
        for part, (params, flop) in count.breakdown.items()
    ]

"""A validation in words and tables, for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from joulecast.answers.validation import Account, Row, Validation
from joulecast.report.tables import Table
from joulecast.report.words import first_screen, wrapped
from joulecast.validating import tables
from joulecast.validating.columns import aligned


def text(validation: Validation, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """Everything, in tables of aligned columns, or how many gates pass."""
    if quiet:
        return f"  {bold(tables.verdict(validation))}"
    parts = []
    for (name, known), rows in tables.by_known(validation):
        parts += [tables.title(name, known), _runs(rows)]
    parts.append("F: the FLOP are those reported, since parameters and tokens do not give them.")
    for name in validation.scores:
        parts += [
            f"{tables.QUANTITY[name]}: summary",
            aligned(tables.points(validation, name)),
            aligned(tables.ranges(validation, name)),
            aligned(tables.baselines(validation, name)),
        ]
    parts += ["What knowing more buys", aligned(tables.gains(validation))]
    parts += ["Gates", aligned(tables.gates(validation.gates)), tables.verdict(validation)]
    return "\n\n".join(parts)


def screen(validation: Validation) -> list[str]:
    """The verdict and the gates it counts, those that fail first."""
    gates = sorted(validation.gates, key=lambda gate: gate.passed)
    lines = aligned(tables.gates(gates)).splitlines()
    return first_screen([f"{tables.verdict(validation)}.", "", *lines])


def table(validation: Validation) -> Table:
    """Each gate with its value and limit."""
    head, *rows = tables.gates(validation.gates)
    return Table(head, rows, (1, 2))


def accounting_text(accounting: Sequence[Account]) -> str:
    """The accounting alone."""
    count = {
        verdict: sum(account.verdict == verdict for account in accounting)
        for verdict in dict.fromkeys(account.verdict for account in accounting)
    }
    tally = ", ".join(f"{number} {verdict}" for verdict, number in count.items())
    head, *rows = tables.accounts(accounting)
    told = {
        i: wrapped(f"{verdict}: {why}" if why else verdict)
        for i, (*_, verdict, why) in enumerate(rows, 1)
        if why or verdict != "reproduced"
    }
    figures = [[*row[:-2], "" if i in told else row[-2]] for i, row in enumerate(rows, 1)]
    return f"{aligned([head[:-1], *figures], below=told)}\n\n{len(accounting)} figures: {tally}"


def _runs(rows: Sequence[Row]) -> str:
    """The runs, under a line for each kind of model and device."""
    head, *body = tables.rows(rows)
    kinds = [row[1:3] for row in body]
    narrow = [[row[0], *(cell.replace(" million", "M") for cell in row[3:])] for row in body]
    heads = {
        i: ["", ", ".join(kind)]
        for i, kind in enumerate(kinds, 1)
        if i == 1 or kind != kinds[i - 2]
    }
    return aligned([[head[0], *head[3:]], *narrow], above=heads)

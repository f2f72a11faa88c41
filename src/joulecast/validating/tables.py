"""The tables of a validation, as the terminal and the page show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from joulecast.answers.validation import Account, Gain, Gate, Hits, Point, Row, Score, Validation
from joulecast.report.words import two
from joulecast.validating.columns import Table

Entry = TypeVar("Entry")

#: Heads, and what stands below each of them.
Columns = Sequence[tuple[str, Callable[[Entry], str]]]


QUANTITY = {
    "hours": "Device-hours",
    "magnitude": "Device-hours of runs whose sizes or data were derived",
    "energy": "Metered energy at the scope of the meter, without cooling",
    "co2": "Emissions from metered energy",
}

BASELINE = {
    "naive": "naive",
    "pooled_constant": "pooled constant",
    "class_medians": "class medians",
}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _hits(hits: Hits) -> str:
    return f"{hits.hits:.1f} ({hits.low}-{hits.high})"


def limit(gate: Gate) -> str:
    """What the number may be at most, or between."""
    if isinstance(gate.limit, tuple):
        return f"{gate.limit[0]:g} to {gate.limit[1]:g}"
    return f"{gate.limit:.3g}"


def _outcome(gate: Gate) -> str:
    if gate.passed:
        return "pass"
    return "FAILS, as declared" if gate.ok else "FAILS"


def _or_dash(number: float | None, form: str, size: float) -> str:
    return "-" if number is None else form.format(size * number)


#: How good the point forecasts of a group were.
POINTS: Columns[Score] = (
    ("runs", lambda score: str(score.runs)),
    ("families", lambda score: str(score.families)),
    ("median ratio", lambda score: f"{score.median_ratio:.2f}"),
    ("by row", lambda score: f"{score.median_ratio_by_row:.2f}"),
    ("typical factor", lambda score: f"{score.factor:.2f}"),
    ("by row", lambda score: f"{score.factor_by_row:.2f}"),
    ("within 1.5x", lambda score: _percent(score.within_1_5)),
    ("within 2x", lambda score: _percent(score.within_2)),
)

#: How well the ranges of a group held.
RANGES: Columns[Score] = (
    ("in 50 %", lambda score: _hits(score.hits[0])),
    ("in 80 %", lambda score: _hits(score.hits[1])),
    ("in 90 %", lambda score: _hits(score.hits[2])),
    ("mean z", lambda score: f"{score.mean_z:.2f}"),
    ("sd z", lambda score: "-" if score.families == 1 else f"{score.sd_z:.2f}"),
    ("CRPS", lambda score: f"{score.crps:.3f}"),
    ("score of 80 %", lambda score: f"{score.interval_score_80:.2f}"),
    ("x/÷ of 80 %", lambda score: f"{score.half_width_80:.2f}"),
    ("PIT in tenths", lambda score: " ".join(f"{share:.1f}" for share in score.pit)),
)

#: The same runs with more of them given.
GAINS: Columns[Gain] = (
    ("given", lambda gain: gain.known),
    ("runs", lambda gain: str(gain.runs)),
    ("families", lambda gain: str(gain.families)),
    ("typical factor", lambda gain: f"{gain.factor:.2f}"),
    ("x/÷ of 80 %", lambda gain: f"{gain.half_width_80:.2f}"),
    ("naive", lambda gain: f"{gain.naive_factor:.2f}"),
)

#: A number, its limit and whether it passes.
GATES: Columns[Gate] = (
    ("value", lambda gate: f"{gate.value:.3g}"),
    ("limit", limit),
    ("", _outcome),
)

#: A published figure beside what the run's own figures come to.
ACCOUNTS: Columns[Account] = (
    ("figure", lambda account: account.figure),
    ("published", lambda account: f"{account.published:,g} {account.unit}"),
    ("computed", lambda account: _or_dash(account.computed, "{:,.4g}", 1)),
    ("off", lambda account: _or_dash(account.off, "{:+.1f} %", 100)),
    ("verdict", lambda account: account.verdict),
    ("why", lambda account: account.why),
)


def _table(label: str, columns: Columns[Entry], entries: Iterable[tuple[str, Entry]]) -> Table:
    """A row for each named entry."""
    return [[label, *(head for head, _ in columns)]] + [
        [name, *(cell(entry) for _, cell in columns)] for name, entry in entries
    ]


def by_known(validation: Validation) -> list[tuple[tuple[str, tuple[str, ...]], list[Row]]]:
    """Rows by quantity and what was given."""
    groups = groupby(validation.rows, lambda row: (row.quantity, row.known))
    return [(key, list(rows)) for key, rows in groups]


def title(quantity: str, known: tuple[str, ...]) -> str:
    """What is forecast, and what was given."""
    return f"{QUANTITY[quantity]}{', with ' + ' and '.join(known) + ' given' if known else ''}"


def verdict(validation: Validation) -> str:
    """How many gates pass, and how many fail."""
    failed = [gate for gate in validation.gates if not gate.passed]
    declared = sum(gate.ok for gate in failed)
    words = f"{len(validation.gates) - len(failed)} of {len(validation.gates)} gates pass"
    return f"{words}, {len(failed)} fail ({declared} as declared)" if failed else words


def rows(those: Sequence[Row]) -> Table:
    """Each run: forecast, range, reported, ratio, inside or not."""
    columns: Columns[Row] = (
        ("kind", lambda row: row.run.before.arch),
        ("device", lambda row: row.run.before.device or ""),
        (f"forecast, {those[0].unit}", lambda row: two(row.predicted)),
        ("80 % range", lambda row: " to ".join(map(two, row.range(0.8)))),
        ("reported", lambda row: two(row.reported)),
        ("ratio", lambda row: f"{row.predicted / row.reported:.2f}"),
        ("inside", lambda row: "yes" if row.inside(0.8) else "no"),
    )

    def label(row: Row) -> str:
        return row.run.id + (" F" if row.run.before.needs_flop and not row.known else "")

    def place(row: Row) -> tuple[str, str, str]:
        return row.run.before.arch, row.run.before.device or "", row.run.id

    return _table("run", columns, ((label(row), row) for row in sorted(those, key=place)))


def points(validation: Validation, quantity: str) -> Table:
    """Median ratio and typical factor of each group."""
    return _table("group", POINTS, validation.scores[quantity].items())


def ranges(validation: Validation, quantity: str) -> Table:
    """How well the ranges of each group held."""
    return _table("group", RANGES, validation.scores[quantity].items())


def baselines(validation: Validation, quantity: str) -> Table:
    """Typical factors, with median ratios in brackets, beside those of the baselines."""

    def cell(point: Score | Point | None) -> str:
        return "-" if point is None else f"{point.factor:.2f} ({point.median_ratio:.2f})"

    return [["group", "joulecast", *BASELINE.values()]] + [
        [name, cell(score), *(cell(score.baselines.get(baseline)) for baseline in BASELINE)]
        for name, score in validation.scores[quantity].items()
    ]


def gains(validation: Validation) -> Table:
    """Typical factors of the same runs with more and more given."""
    words = {"hours": "device-hours", "energy": "energy", "co2": "emissions"}
    return _table("forecast of", GAINS, ((words[gain.quantity], gain) for gain in validation.gains))


def gates(those: Sequence[Gate]) -> Table:
    """Each gate, its number, its limit and whether it passes."""
    return _table("gate", GATES, ((gate.name, gate) for gate in those))


def accounts(those: Sequence[Account]) -> Table:
    """Published energies and emissions beside what the run's own figures come to."""
    return _table("run", ACCOUNTS, ((account.run, account) for account in those))

"""How well devices compare, in tables: for the terminal and for docs/validation.md."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from joulecast.answers.transfer import (
    DeviceValidation,
    Example,
    FineTunes,
    PairRow,
    Platform,
    Transfer,
)
from joulecast.report.words import two
from joulecast.validating import tables
from joulecast.validating.columns import Table, aligned

#: Way of forecasting -> how it is called.
WAYS = {
    "forecast": "submitters left out",
    "with_batch": "the same, batch given",
    "shipped": "as shipped",
    "version_0_1_0": "version 0.1.0",
    "families": "families left out",
    "without steps": "the same without the cost of steps",
}


def text(validation: DeviceValidation) -> str:
    """Summary, worked examples, pairs, watts, gates."""
    parts = [
        "Hours of the newer device over the older at equal work: forecast over measured",
        aligned(summary(validation.summary)),
        "Speeds of tables by platform, each family of models left out",
        aligned(platforms(validation.platforms)),
        "Hours of published fine-tunes, each family of tables left out",
        aligned(fine_tunes(validation.fine_tunes)),
        "Worked examples",
        aligned(examples(validation.examples)),
        "Pairs, by the devices",
        aligned(pairs(validation.pairs)),
        "Watts of a device with its share of the node",
        aligned(nodes(validation)),
        "Gates",
        aligned(tables.gates(validation.gates)),
    ]
    return "\n\n".join(parts)


def summary(rows: Sequence[Transfer]) -> Table:
    """How well each way does in each group."""
    head = ["of", "by", "rows", "typical factor", "median"]
    return [
        head,
        *(
            [
                one.group,
                WAYS[one.way],
                str(one.rows),
                f"{one.factor:.3f}",
                f"{one.median_ratio:.2f}",
            ]
            for one in rows
        ),
    ]


def platforms(rows: Sequence[Platform]) -> Table:
    """How well speeds of tables are forecast, by platform."""
    head = ["platform", "rows", "families", "typical factor", "median", "in 80 % range", "honest"]
    return [
        head,
        *(
            [
                one.platform,
                str(one.rows),
                str(one.families),
                f"{one.factor:.2f}",
                f"{one.median_ratio:.2f}",
                f"{one.inside:.1f} of {one.families}",
                f"{one.lowest} to {one.highest}",
            ]
            for one in rows
        ),
    ]


def fine_tunes(rows: Sequence[FineTunes]) -> Table:
    """How well fine-tunes are forecast, by method."""
    head = [
        "method", "rows", "families", "typical factor", "median", "in 80 % range",
        "framework, batch not said", "one step measured",
    ]  # fmt: skip
    return [
        head,
        *(
            [
                one.method,
                str(one.rows),
                str(one.families),
                f"{one.factor:.2f}",
                f"{one.median_ratio:.2f}",
                f"{one.inside:.0%}",
                f"{one.untold_factor:.2f}",
                f"{one.measured_factor:.2f}",
            ]
            for one in rows
        ),
    ]


def examples(rows: Sequence[Example]) -> Table:
    """The measured ratio beside ours."""
    made = [["newer over older", "task", "rows", "measured", "from", "to", "fit", "shipped"]]
    for one in rows:
        figures = (one.measured, one.measured_low, one.measured_high, one.forecast, one.shipped)
        names = [f"{one.newer} / {one.older}", one.task, str(one.rows)]
        made.append([*names, *(f"{figure:.2f}" for figure in figures)])
    return made


def pairs(rows: Sequence[PairRow]) -> Table:
    """Means of the pairs of two devices, by task."""

    def key(row: PairRow) -> tuple[str, str, str]:
        return row.newer, row.older, row.task

    made = [["newer / older", "task", "rows", "measured", "left out", "batch", "shipped", "0.1.0"]]
    for (newer, older, task), group in groupby(sorted(rows, key=key), key):
        own = [*group]
        means = [
            f"{sum(getattr(row, name) for row in own) / len(own):.2f}"
            for name in ("measured", "forecast", "with_batch", "shipped", "version_0_1_0")
        ]
        made.append([f"{newer} / {older}", task, str(len(own)), *means])
    return made


def nodes(validation: DeviceValidation) -> Table:
    """Watts as metered and as forecast."""
    made = [["task", "devices", "side", "busy", "metered W", "forecast W"]]
    for row in validation.nodes:
        figures = [f"{row.busy_share:.2f}", two(row.measured_w), two(row.forecast_w)]
        made.append([row.task, f"{row.device_count} x {row.device}", row.side, *figures])
    return made

"""Pictures of a validation: forecast against reported, and how well the ranges held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from joulecast.report.plotting import COLOURS, figure
from joulecast.resolve.utilisation import DECODERS
from joulecast.validating import scoring

if TYPE_CHECKING:
    from joulecast.answers.validation import Row, Validation

#: Class in the legend -> marker; colours in their order.
CLASSES = {
    "dense, A100": "o",
    "dense, H100": "s",
    "dense, other": "^",
    "mixture of experts": "D",
    "the rest": "v",
}

#: Bands of ratios around y = x -> shade, the narrow one darker and drawn last.
BANDS = {2.0: "0.91", 1.5: "0.80"}


def save_all(validation: Validation, folder: Path, endings: Sequence[str]) -> None:
    """Draw both pictures into a folder, over those that are there."""
    for ending in endings:
        save_forecasts(validation, folder / f"validation-forecasts{ending}")
        save_calibration(validation, folder / f"validation-calibration{ending}")


def save_forecasts(validation: Validation, path: Path) -> None:
    """Forecast against reported with 80 % ranges as bars: hours by class, metered energy."""
    blind = [row for row in validation.rows if not row.known]
    with figure(path, force=True, height=3.9) as axes:
        left, right = _panels(axes, 2)
        _against(left, [row for row in blind if row.quantity == "hours"], "device-hours")
        _against(right, [row for row in blind if row.quantity == "energy"], "metered energy, kWh")
        handles, labels = left.get_legend_handles_labels()
        left.figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _panels(axes: Any, count: int) -> list[Any]:
    """Replace one pair of axes by several beside each other."""
    canvas = axes.figure
    axes.remove()
    return list(canvas.subplots(1, count))


def _against(axes: Any, rows: Sequence[Row], name: str) -> None:
    numbers = [number for row in rows for number in (*row.range(0.8), row.reported)]
    ends = np.array([min(numbers) / 1.6, max(numbers) * 1.6])
    for ratio, shade in BANDS.items():
        axes.fill_between(
            ends, ends / ratio, ends * ratio, color=shade, linewidth=0, label=f"within {ratio:g}x"
        )
    axes.plot(ends, ends, color="black", linewidth=0.8)
    for (kind, marker), colour in zip(CLASSES.items(), COLOURS, strict=False):
        own = [row for row in rows if _class(row) == kind]
        reported = np.array([row.reported for row in own])
        predicted = np.array([row.predicted for row in own])
        low, high = (np.array([row.range(0.8)[end] for row in own]) for end in (0, 1))
        axes.vlines(reported, low, high, color=colour, linewidth=0.9, alpha=0.6)
        axes.plot(
            reported, predicted, marker, color=colour, markersize=4, linestyle="none", label=kind,
            markeredgecolor="white", markeredgewidth=0.4,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel(f"reported {name}")
    axes.set_ylabel(f"forecast {name}")
    axes.set_title(f"{len(rows)} runs, with 80 % prediction ranges")


def _class(row: Row) -> str:
    arch = row.run.before.arch
    if arch == "dense":
        return {"ampere": "dense, A100", "hopper": "dense, H100"}.get(
            row.device_class, "dense, other"
        )
    return "mixture of experts" if arch in DECODERS else "the rest"


def save_calibration(validation: Validation, path: Path) -> None:
    """Nominal against observed coverage with what is to be expected, and the PIT histogram."""
    rows = [row for row in validation.rows if row.quantity == "hours"]
    families = [row.run.family for row in rows]
    weights, count = scoring.family_weights(families), len(set(families))
    with figure(path, force=True, height=3.1) as axes:
        left, right = _panels(axes, 2)
        _coverage(left, rows, weights, count)
        _histogram(right, validation.scores["hours"]["all"].pit, count)


def _coverage(axes: Any, rows: Sequence[Row], weights: Any, count: int) -> None:
    nominal = np.linspace(0.02, 0.98, 49)
    windows = np.array([scoring.window(count, share) for share in nominal]) / count
    # A reported figure lies inside a central range when its PIT is that near to the middle.
    reached = 2 * np.abs(np.array([row.pit for row in rows]) - 0.5)
    axes.fill_between(
        nominal, *windows.T, color="black", alpha=0.12, linewidth=0,
        label=f"95 % binomial window, {count} families",
    )  # fmt: skip
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    decoder = np.array([row.run.before.arch in DECODERS for row in rows])
    kinds = {"all": np.ones(len(rows), bool), "decoders": decoder}
    for (name, keep), colour in zip(kinds.items(), COLOURS, strict=False):
        own = weights[keep] / weights[keep].sum()
        observed = [float(own @ (reached[keep] <= share)) for share in nominal]
        axes.plot(nominal, observed, color=colour, linewidth=1.6, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xlabel("nominal share of a central range")
    axes.set_ylabel("share of families inside")
    axes.set_title("Coverage of device-hours")
    axes.legend(loc="upper left", fontsize=8)


def _histogram(axes: Any, shares: Sequence[float], count: int) -> None:
    bins = len(shares)
    low, high = scoring.window(count, 1 / bins)
    axes.axhspan(low, high, color="black", alpha=0.12, linewidth=0)
    axes.axhline(count / bins, color="black", linewidth=0.8)
    axes.bar((np.arange(bins) + 0.5) / bins, shares, 0.9 / bins, color=COLOURS[0])
    axes.set(xlim=(0, 1))
    axes.set_xlabel("PIT: share of draws below the reported hours")
    axes.set_ylabel("families")
    axes.set_title("PIT of device-hours")

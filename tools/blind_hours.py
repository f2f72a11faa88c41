"""Forecast the device-hours of published runs from what was known before each, and write the table.

    python tools/blind_hours.py

Inputs of a row: parameters, active parameters, kind of model, tokens, device, device count, year,
and FP8 where the run announced it; eight rows whose FLOP do not follow from counts get the FLOP
reported for them.  Never the run's own hours, utilisation or power.  The default utilisation was
fitted to these rows, so the table also gives the error with a family's own rows left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import typer
from fit_defaults import hours_runs, left_out_errors

from joulecast import Library, Plan, estimate
from joulecast.report import two
from joulecast.runs import ReportedRun

OUT = Path(__file__).parents[1] / "docs" / "validation" / "blind-hours.md"

HEAD = """\
# Blind forecasts of device-hours

<!-- Made by tools/blind_hours.py; edit the script, not this file. -->

Each row is a published training run, forecast from what was known before it started: parameters,
tokens, kind of model, device, count and year. Never its hours, utilisation or power. Rows marked F
take the FLOP reported for the run, because they do not follow from parameters and tokens.

| | runs | families | median ratio | typical factor | inside 80 % range |
|---|---|---|---|---|---|
"""


def main(out: Path = OUT) -> None:
    """Forecast every row and write the page; prints the summary."""
    library = Library.bundled()
    rows = hours_runs(library)
    lines, results = [], []
    for row in sorted(rows, key=lambda row: (row.before.arch, row.before.device or "", row.id)):
        footprint = estimate(Plan(**inputs(row)), library)
        hours, reported = footprint.device_hours, row.reported.device_hours
        assert hours is not None and reported is not None
        ratio = hours.value / reported.value
        inside = hours.p10 <= reported.value <= hours.p90
        results.append((row, math.log(ratio), inside))
        mark = " F" if row.before.needs_flop else ""
        lines.append(
            f"| {row.id}{mark} | {row.before.arch} | {row.before.device} | {two(hours.value)} | "
            f"{two(hours.p10)} to {two(hours.p90)} | {two(reported.value)} | {ratio:.2f} |"
        )
    left_out = left_out_errors(rows, library)
    groups: dict[str, list[tuple[ReportedRun, float, bool]]] = {
        "all": results,
        "dense decoders": [r for r in results if r[0].before.arch == "dense"],
        "mixtures of experts": [r for r in results if r[0].before.arch == "moe"],
        "the rest": [r for r in results if r[0].before.arch not in ("dense", "moe")],
    }
    summary = [f"| {name} | {_summary(group)} |" for name, group in groups.items()]
    outside = [(row, -error, True) for row in rows for error in [left_out[row.id]]]
    median, factor = _median_and_factor(outside)
    text = HEAD + "\n".join(summary)
    text += (
        "\n\nRatio is forecast over reported; the typical factor is exp(mean |ln ratio|), each "
        "family of runs\nweighing one. The default utilisation was fitted to these same rows, so "
        "this table flatters it:\nwith each family forecast by a fit that never saw it, the median "
        f"ratio is {median:.2f} and the typical\nfactor {factor:.2f}.\n\n"
        "| run | kind | device | forecast, h | 80 % range, h | reported, h | ratio |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {out}")
    print("\n".join([*summary, f"left out: median {median:.2f}, typical factor {factor:.2f}"]))


def inputs(row: ReportedRun) -> dict[str, Any]:
    """What was known before the run."""
    before = row.before
    plan: dict[str, Any] = {
        "arch": before.arch,
        "params": before.params,
        "active_params": before.active_params,
        "device": before.device,
        "device_count": before.device_count,
        "year": before.year,
        "precision": before.precision,
    }
    plan |= {"flop": before.flop} if before.needs_flop else {"tokens": before.tokens}
    plain = {name: getattr(value, "value", value) for name, value in plan.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _summary(group: list[tuple[ReportedRun, float, bool]]) -> str:
    median, factor = _median_and_factor(group)
    hits = sum(inside for _, _, inside in group)
    families = len({row.family for row, _, _ in group})
    return f"{len(group)} | {families} | {median:.2f} | {factor:.2f} | {hits} of {len(group)}"


def _median_and_factor(group: list[tuple[ReportedRun, float, bool]]) -> tuple[float, float]:
    """Median ratio over runs, typical factor over families."""
    families: dict[str, list[float]] = defaultdict(list)
    for row, error, _ in group:
        families[row.family].append(abs(error))
    factor = math.exp(float(np.mean([np.mean(errors) for errors in families.values()])))
    return math.exp(float(np.median([error for _, error, _ in group]))), factor


if __name__ == "__main__":
    typer.run(main)

"""Fit the default utilisation to published runs and write hardware_specs/calibration.toml.

    python tools/fit_defaults.py RUNS.csv

Whole-run utilisation of a row is FLOP by the rules of docs/method/compute.md over (reported
device-hours x dense 16-bit peak).  Model: ln u = class of device + kind of model.  Each class is
the median over families of its dense decoders, pulled towards the median of all by one family's
weight; each kind is the median over families of what is left, pulled towards zero likewise.
Medians, because the low tail is long; families count once, because sister runs share a team.
The range is the 5 % and 95 % point of the error when a family is forecast without its own rows.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).parent))
from reported_runs import FP8_RUNS, ReportedRun, read_hours_rows

from joulecast.library import Library

OUT = Path(__file__).parents[1] / "hardware_specs" / "calibration.toml"
PULL = 1.0  # families' worth of weight on the pooled value


def main(runs: Path, out: Path = OUT) -> None:
    """Fit and write; prints what the leave-one-family-out errors were."""
    library = Library.bundled()
    rows = read_hours_rows(runs)
    ln_u = {row.id: math.log(_utilisation(row, library)) for row in rows}
    device_class: dict[str, str] = {
        row.id: library.device(row.device).device.device_class for row in rows
    }

    def model(known: list[ReportedRun]) -> tuple[dict[str, float], dict[str, float], float]:
        dense = [row for row in known if row.arch == "dense"]
        pooled = _median(_by_family(dense, lambda row: ln_u[row.id]).values())
        classes = {}
        for name in sorted({device_class[row.id] for row in dense}):
            mine = [row for row in dense if device_class[row.id] == name]
            values = _by_family(mine, lambda row: ln_u[row.id])
            weight = len(values) / (len(values) + PULL)
            classes[name] = pooled + weight * (_median(values.values()) - pooled)
        kinds = {}
        for name in sorted({row.arch for row in known if row.arch != "dense"}):
            mine = [row for row in known if row.arch == name]
            left = _by_family(
                mine, lambda row: ln_u[row.id] - classes.get(device_class[row.id], pooled)
            )
            kinds[name] = len(left) / (len(left) + PULL) * _median(left.values())
        return classes, kinds, pooled

    errors: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        classes, kinds, pooled = model([other for other in rows if other.family != row.family])
        guess = classes.get(device_class[row.id], pooled) + kinds.get(row.arch, 0.0)
        errors[row.family].append(ln_u[row.id] - guess)
    low, high = _weighted_quantiles(errors, (0.05, 0.95))
    classes, kinds, pooled = model(rows)

    lines = [
        "# Fitted by tools/fit_defaults.py on published runs; edit the script, not this file.",
        f"# {len(rows)} runs of {len(errors)} families with published device-hours.",
        "",
    ]
    for name, value in {**classes, "pooled": pooled}.items():
        mine = {row.family for row in rows if row.arch == "dense"}
        if name != "pooled":
            mine = {r.family for r in rows if r.arch == "dense" and device_class[r.id] == name}
        count = len(mine)
        lines += _entry(
            f"utilisation.device_class.{name}",
            math.exp(value),
            f"dense decoders of {_families(count)}",
        )
    for name, value in {"dense": 0.0, **kinds}.items():
        count = len({row.family for row in rows if row.arch == name})
        lines += _entry(
            f"utilisation.arch.{name}",
            math.exp(value),
            f"relative to dense decoders on the same class of device; {_families(count)}",
        )
    note = f"factors on the default: a family forecast without its rows, {len(errors)} families"
    lines += _entry("utilisation.spread", 1.0, note, math.exp(low), math.exp(high))
    out.write_text("\n".join(lines), encoding="utf-8")
    typical = math.exp(float(np.mean([np.mean(np.abs(e)) for e in errors.values()])))
    print(f"wrote {out}: {len(rows)} runs, leave-one-family-out typical factor {typical:.2f}")


def _families(count: int) -> str:
    return f"{count} {'family' if count == 1 else 'families'}"


def _utilisation(row: ReportedRun, library: Library) -> float:
    peak = library.device(row.device).device.peak("bf16")
    assert peak is not None
    rule = {"enc-dec": "enc-dec", "vision": "vision"}.get(row.arch, "decoder")
    if row.needs_flop:
        assert row.flop is not None
        flop = row.flop
    else:
        size = row.active_params or row.params
        assert size is not None and row.tokens is not None
        flop = library.default(f"flop_per_param_token.{rule}").value * size * row.tokens
    speedup = library.default("precision_speedup.fp8").value if row.id in FP8_RUNS else 1.0
    return flop / (row.device_hours * 3600 * peak.value * 1e12) / speedup


def _by_family(
    rows: Iterable[ReportedRun], value: Callable[[ReportedRun], float]
) -> dict[str, float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        groups[row.family].append(value(row))
    return {family: _median(values) for family, values in groups.items()}


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))


def _weighted_quantiles(
    errors: dict[str, list[float]], levels: tuple[float, ...]
) -> tuple[float, ...]:
    """Quantiles with each family weighing one."""
    pairs = sorted((e, 1 / len(group)) for group in errors.values() for e in group)
    weights = np.cumsum([weight for _, weight in pairs]) - 0.5 * np.array([w for _, w in pairs])
    return tuple(
        float(np.interp(level * len(errors), weights, [error for error, _ in pairs]))
        for level in levels
    )


def _entry(
    name: str, value: float, note: str, low: float | None = None, high: float | None = None
) -> list[str]:
    lines = [f"[{name}]", f"value = {value:.3g}"]
    if low is not None and high is not None:
        lines += [f"low = {low:.3g}", f"high = {high:.3g}"]
    return [*lines, 'basis = "derived"', 'source = "joulecast-runs"', f'note = "{note}"', ""]


if __name__ == "__main__":
    typer.run(main)

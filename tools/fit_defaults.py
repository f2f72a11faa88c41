"""Fit the default utilisation to published runs and write hardware_specs/calibration.toml.

    python tools/fit_defaults.py

Whole-run utilisation of a row is FLOP by the rules of docs/method/compute.md over (reported
device-hours x dense 16-bit peak).  Model: ln u = class of device + kind of model.  Each class is
the median over families of its dense decoders, pulled towards the median of all by one family's
weight; each kind is the median over families of what is left, pulled towards zero likewise.
Medians, because the low tail is long; families count once, because sister runs share a team.
The range is the 5 % and 95 % point of the error when a family is forecast without its own rows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from joulecast.library import Library
from joulecast.records import Device
from joulecast.runs import ReportedRun

OUT = Path(__file__).parents[1] / "hardware_specs" / "calibration.toml"
PULL = 1.0  # families' worth of weight on the pooled value


@dataclass(frozen=True)
class Fit:
    """ln u of a run = its class of device + its kind of model."""

    classes: dict[str, float]
    kinds: dict[str, float]
    pooled: float

    def __call__(self, row: ReportedRun, device_class: str) -> float:
        """Forecast ln(utilisation) of a row."""
        return self.classes.get(device_class, self.pooled) + self.kinds.get(row.before.arch, 0.0)


def main(out: Path = OUT) -> None:
    """Fit and write; prints what the leave-one-family-out errors were."""
    library = Library.bundled()
    rows = hours_runs(library)
    whole = fit(rows, library)
    errors: dict[str, list[float]] = defaultdict(list)
    left_out = left_out_errors(rows, library)
    for row in rows:
        errors[row.family].append(left_out[row.id])
    low, high = _weighted_quantiles(errors, (0.05, 0.95))
    lines = [
        "# Fitted by tools/fit_defaults.py on published runs; edit the script, not this file.",
        f"# {len(rows)} runs of {len(errors)} families with published device-hours.",
        "",
    ]
    dense = [row for row in rows if row.before.arch == "dense"]
    for name, value in {**whole.classes, "pooled": whole.pooled}.items():
        mine = [row for row in dense if name in ("pooled", _class(row, library))]
        note = f"dense decoders of {_families(mine)}"
        lines += _entry(f"utilisation.device_class.{name}", math.exp(value), note)
    for name, value in {"dense": 0.0, **whole.kinds}.items():
        mine = [row for row in rows if row.before.arch == name]
        note = f"relative to dense decoders on the same class of device; {_families(mine)}"
        lines += _entry(f"utilisation.arch.{name}", math.exp(value), note)
    note = f"factors on the default: a family forecast without its rows, {len(errors)} families"
    lines += _entry("utilisation.spread", 1.0, note, math.exp(low), math.exp(high))
    out.write_text("\n".join(lines), encoding="utf-8")
    typical = math.exp(float(np.mean([np.mean(np.abs(e)) for e in errors.values()])))
    print(f"wrote {out}: {len(rows)} runs, leave-one-family-out typical factor {typical:.2f}")


def hours_runs(library: Library) -> list[ReportedRun]:
    """Runs that test device-hours."""
    return [run for run in library.runs if "H" in run.tests]


def fit(rows: list[ReportedRun], library: Library) -> Fit:
    """Medians over families, pulled towards the pooled value."""
    ln_u = {row.id: math.log(_utilisation(row, library)) for row in rows}
    dense = [row for row in rows if row.before.arch == "dense"]
    pooled = _median(_by_family(dense, lambda row: ln_u[row.id]).values())
    classes = {}
    for name in sorted({_class(row, library) for row in dense}):
        mine = [row for row in dense if _class(row, library) == name]
        values = _by_family(mine, lambda row: ln_u[row.id])
        classes[name] = pooled + _weight(values) * (_median(values.values()) - pooled)
    kinds: dict[str, float] = {}
    for name in sorted({row.before.arch for row in rows if row.before.arch != "dense"}):
        mine = [row for row in rows if row.before.arch == name]
        left = _by_family(
            mine, lambda row: ln_u[row.id] - classes.get(_class(row, library), pooled)
        )
        kinds[name] = _weight(left) * _median(left.values())
    return Fit(classes, kinds, pooled)


def left_out_errors(rows: list[ReportedRun], library: Library) -> dict[str, float]:
    """ln(true / fitted utilisation) of each row by a fit that never saw its family."""
    errors = {}
    for family in {row.family for row in rows}:
        others = fit([row for row in rows if row.family != family], library)
        for row in rows:
            if row.family == family:
                guess = others(row, _class(row, library))
                errors[row.id] = math.log(_utilisation(row, library)) - guess
    return errors


def _class(row: ReportedRun, library: Library) -> str:
    return _device(row, library).device_class


def _device(row: ReportedRun, library: Library) -> Device:
    assert row.before.device is not None
    return library.device(row.before.device).device


def _weight(families: dict[str, float]) -> float:
    return len(families) / (len(families) + PULL)


def _families(rows: list[ReportedRun]) -> str:
    count = len({row.family for row in rows})
    return f"{count} {'family' if count == 1 else 'families'}"


def _utilisation(row: ReportedRun, library: Library) -> float:
    before, hours = row.before, row.reported.device_hours
    peak = _device(row, library).peak("bf16")
    assert peak is not None and hours is not None
    rule = {"enc-dec": "enc-dec", "vision": "vision"}.get(before.arch, "decoder")
    if before.needs_flop:
        assert before.flop is not None
        flop = before.flop.value
    else:
        size = before.active_params or before.params
        assert size is not None and before.tokens is not None
        factor = library.default(f"flop_per_param_token.{rule}").value
        flop = factor * size.value * before.tokens.value
    fp8 = before.precision == "fp8"
    speedup = library.default("precision_speedup.fp8").value if fp8 else 1.0
    return flop / (hours.value * 3600 * peak.value * 1e12) / speedup


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

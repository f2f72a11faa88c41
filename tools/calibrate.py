"""Fit everything that is fitted to published runs, and write it where the package reads it.

    python tools/calibrate.py

Writes hardware_specs/calibration.toml (the fit: joulecast/validating/calibration.py) and the
table of docs/decisions/0008, which compares the fit with simpler and richer ones on the same runs,
each family forecast by a fit that never saw it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import typer
from build_docs import between

from joulecast.data.library import Library
from joulecast.resolve.utilisation import DECODERS, ceiling_of
from joulecast.validating.baselines import Seen, class_median
from joulecast.validating.calibration import (
    HUBER,
    Calibration,
    Case,
    calibrate,
    case_of,
    hours_runs,
    left_out_errors,
    weights,
)
from joulecast.validating.runs import ReportedRun

ROOT = Path(__file__).parents[1]
OUT = ROOT / "hardware_specs" / "calibration.toml"
DECISION = ROOT / "docs" / "decisions" / "0008-default-utilisation.md"

NOTES = {
    "of_ceiling": "share of the best matrix product that a decoder of 10 billion parameters and "
    "more reaches over a whole run, two years after the device came out",
    "age_slope": "ln of utilisation per year of age of the device, up to four years",
    "size_slope": "ln of utilisation per ln of active parameters, below 10 billion",
    "kind.decoder": "dense decoders and mixtures of experts",
    "kind.other": "any other kind, relative to decoders",
    "spread.decoder": "factors on the default, 5 % and 95 % points: Student's t with 4 degrees of "
    "freedom, fitted to families forecast without their own runs",
    "spread.other": "the same for other kinds",
    "device_power_share.hopper.large": "metered devices of published runs, pulled by one family "
    "towards the share before any meter; ends moved along",
    "device_power_share.pre-ampere.small": "metered machines of published runs less the host's "
    "default, pulled by one family towards the share before any meter; ends moved along",
    "host_power_share.tpu": "metered machines of published runs less the chip's mean power, over "
    "it: mean of the families; ends from families forecast by the others",
    "host_power_share.tpu-v2": "as for all TPUs, the generation's own families pulled towards it",
    "host_power_share.tpu-v3": "as for all TPUs, the generation's own families pulled towards it",
    "host_power_share.tpu-v4": "as for all TPUs, the generation's own families pulled towards it",
    "attention_share": "attention FLOP over 6 per parameter, per token of sequence length at 7 "
    "billion parameters: geometric mean of the published architectures",
}


def main() -> None:
    """Fit, write, and print what moved."""
    library = Library.bundled()
    runs = hours_runs(library)
    fitted = calibrate(library.runs, library)
    OUT.write_text(calibration_text(fitted, runs), encoding="utf-8")
    table = comparison(runs, library, fitted)
    spreads = spread_table([case_of(run, library, fitted.attention_share) for run in runs])
    page = between(DECISION, "comparison", table, ("spread", spreads))
    DECISION.write_text(page, encoding="utf-8")
    print(f"wrote {OUT.name} and {DECISION.name}\n{table}\n{spreads}")


def calibration_text(fitted: Calibration, runs: Sequence[ReportedRun]) -> str:
    """Text of calibration.toml; a test compares it with the file."""
    families = len({run.family for run in runs})
    lines = [
        "# Fitted by tools/calibrate.py on published runs; edit the script, not this file.",
        f"# {len(runs)} runs of {families} families with published device-hours.",
        "",
    ]
    for name, entry in _leaves(fitted.figures(NOTES)):
        lines.append(f"[{name}]")
        for key, value in entry.items():
            shown = f'"{value}"' if isinstance(value, str) else f"{value:.4g}"
            lines.append(f"{key} = {shown}")
        lines.append("")
    return "\n".join(lines)


def _leaves(table: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, entry in table.items():
        if "value" in entry:
            found.append((prefix + name, entry))
        else:
            found += _leaves(entry, f"{prefix}{name}.")
    return found


def spread_table(cases: Sequence[Case]) -> str:
    """How distributions of the left-out errors do on families they were not fitted to."""
    from scipy import optimize, stats

    errors = left_out_errors(list(cases))
    lines = [
        "| distribution | log score | in 50 % | in 80 % | in 90 % | x/÷ of 80 %, decoders |",
        "|---|---|---|---|---|---|",
    ]
    families = len({case.family for case in cases})

    def scale_of(mine: Sequence[Case], freedom: float) -> float:
        found = np.array([errors[case.id] for case in mine])
        weight = weights(list(mine))

        def loss(log_scale: float) -> float:
            return -float(weight @ stats.t.logpdf(found, freedom, scale=math.exp(log_scale)))

        return math.exp(optimize.minimize_scalar(loss, bounds=(-4, 1), method="bounded").x)

    for name, freedom in (
        ("normal", math.inf), ("t, 10 degrees of freedom", 10), ("t, 6", 6),
        ("**t, 4** (shipped)", 4), ("t, 3", 3),
    ):  # fmt: skip
        score, hits, width = 0.0, dict.fromkeys((0.5, 0.8, 0.9), 0.0), 0.0
        for decoder in (True, False):
            kind = [case for case in cases if case.decoder == decoder]
            for family in dict.fromkeys(case.family for case in kind):
                scale = scale_of([case for case in kind if case.family != family], freedom)
                left = [errors[case.id] for case in kind if case.family == family]
                score += float(np.mean(stats.t.logpdf(left, freedom, scale=scale)))
                for nominal in hits:
                    end = stats.t.ppf(0.5 + nominal / 2, freedom) * scale
                    hits[nominal] += float(np.mean(np.abs(left) <= end))
            if decoder:
                width = math.exp(stats.t.ppf(0.9, freedom) * scale_of(kind, freedom))
        held = " | ".join(f"{count:.1f}" for count in hits.values())
        lines.append(f"| {name} | {score / families:.3f} | {held} | {width:.2f} |")
    honest = " | ".join(f"{share * families:.1f}" for share in (0.5, 0.8, 0.9))
    return "\n".join([*lines, f"| as many as honest ranges hold | | {honest} | |"])


class Row(NamedTuple):
    """What the rival fits see of a run."""

    family: str
    arch: str
    device_class: str
    y: float  # ln of utilisation, not over the ceiling
    ceiling: float
    age: float
    ln_small: float
    ln_count: float
    seq_len: float
    peak: float


def comparison(runs: Sequence[ReportedRun], library: Library, fitted: Calibration) -> str:
    """Typical factors of rival fits with families left out, as a Markdown table."""
    cases = [case_of(run, library, fitted.attention_share) for run in runs]
    rows = [_row(run, library, fitted.attention_share) for run in runs]
    ours = left_out_errors(cases)
    shipped = [ours[run.id] for run in runs]
    rivals: list[tuple[str, int, list[float]]] = [
        ("one constant for all", 1, _linear(rows, lambda row: [])),
        ("one constant, of the ceiling", 1, _linear(rows, lambda row: [], ceiling=True)),
        ("class medians, pulled together", 8, _class_medians(rows)),
        ("**ceiling, age, size, not a decoder** (shipped)", 4, shipped),
        ("the same without age", 3, _linear(rows, lambda r: [r.ln_small, _other(r)], True)),
        ("the same without size", 3, _linear(rows, lambda r: [r.age - 2, _other(r)], True)),
        (
            "the same with a flag for mixtures",
            5,
            _linear(rows, lambda r: [r.age - 2, r.ln_small, _other(r), _is(r, "moe")], True),
        ),
        (
            "the same with device count and sequence length",
            6,
            _linear(
                rows,
                lambda r: [
                    r.age - 2, r.ln_small, _other(r), r.ln_count, math.log(r.seq_len / 2048),
                ],
                True,
            ),
        ),
        (
            "ridge on age, size and eight flags",
            11,
            _linear(
                rows,
                lambda r: [
                    r.age - 2, r.ln_small, *(
                        float(r.device_class == name)
                        for name in ("hopper", "pre-ampere", "tpu", "cdna")
                    ), *(_is(r, kind) for kind in ("moe", "encoder", "enc-dec", "vision")),
                ],
            ),
        ),
        ("roofline: losses add up", 4, _roofline(rows)),
    ]  # fmt: skip
    weight = weights(cases)
    lines = [
        "| fit | numbers | all | decoders | dense, Ampere | dense, Hopper | mixtures | the rest | "
        "worse by | on decoders |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, numbers, errors in rivals:
        cells = [
            _factor(errors, weight, [test(row) for row in rows])
            for test in (
                lambda r: True,
                lambda r: r.arch in DECODERS,
                lambda r: r.arch == "dense" and r.device_class == "ampere",
                lambda r: r.arch == "dense" and r.device_class == "hopper",
                lambda r: r.arch == "moe",
                lambda r: r.arch not in DECODERS,
            )
        ]
        worse = ["", ""]
        if errors is not shipped:
            worse = [
                _difference(errors, shipped, rows, kinds)
                for kinds in ({row.arch for row in rows}, set(DECODERS))
            ]
        lines.append(
            f"| {name} | {numbers} | {' | '.join(f'{c:.2f}' for c in cells)} | "
            f"{' | '.join(worse)} |"
        )
    return "\n".join(lines)


def _row(run: ReportedRun, library: Library, share: float) -> Row:
    before = run.before
    assert before.device is not None
    device = library.device(before.device).device
    peak = device.peak("bf16")
    assert peak is not None
    case = case_of(run, library, share)
    ceiling = math.log(ceiling_of(library, device).value)
    return Row(
        run.family,
        before.arch,
        device.device_class,
        case.y + ceiling,
        ceiling,
        case.age,
        case.ln_small,
        math.log(before.device_count / 512) if before.device_count else 0.0,
        before.seq_len.value if before.seq_len else 2048.0,
        peak.value,
    )


def _is(row: Row, arch: str) -> float:
    return float(row.arch == arch)


def _other(row: Row) -> float:
    return float(row.arch not in DECODERS)


def _linear(
    rows: Sequence[Row], features: Callable[[Row], list[float]], ceiling: bool = False
) -> list[float]:
    """Left-out errors of a Huber ridge on any features, pulled as the shipped fit is."""
    x = np.array([[1.0, *features(row)] for row in rows])
    y = np.array([row.y - (row.ceiling if ceiling else 0.0) for row in rows])

    def fit(keep: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        base = _weights([rows[int(i)] for i in np.flatnonzero(keep)])
        penalty = np.diag([0.0] + [1.0] * (x.shape[1] - 1))
        weight, found = base, np.zeros(x.shape[1])
        for _ in range(60):
            inside = x[keep]
            found = np.linalg.solve(
                inside.T @ (inside * weight[:, None]) + penalty, inside.T @ (weight * y[keep])
            )
            error = np.abs(y[keep] - inside @ found)
            weight = base * np.minimum(1.0, HUBER / np.maximum(error, 1e-12))
        return found

    return _left_out(rows, y, lambda keep: np.asarray(x @ fit(keep)))


def _class_medians(rows: Sequence[Row]) -> list[float]:
    """Left-out errors of the class medians that `joulecast validate` shows too."""
    errors = []
    for row in rows:
        seen = [Seen(r.family, r.arch, r.device_class, r.y) for r in rows if r.family != row.family]
        errors.append(row.y - class_median(seen, row.arch, row.device_class))
    return errors


def _roofline(rows: Sequence[Row]) -> list[float]:
    """Left-out errors of 1/u = a/ceiling + b ln(count/4) peak + c small + d other, b, c, d >= 0."""
    from scipy.optimize import minimize

    y = np.array([row.y for row in rows])
    parts = np.array(
        [
            [
                math.exp(-row.ceiling),
                max(0.0, row.ln_count + math.log(128)) * row.peak / 312,
                math.exp(-row.ln_small / 3),
                _other(row),
            ]
            for row in rows
        ]
    )

    def fit(keep: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        weight = _weights([rows[int(i)] for i in np.flatnonzero(keep)])

        def loss(logs: np.ndarray[Any, Any]) -> float:
            error = y[keep] + np.log(parts[keep] @ np.exp(logs))
            size = np.abs(error)
            huber = np.where(size < HUBER, 0.5 * size**2, HUBER * (size - 0.5 * HUBER))
            return float(weight @ huber)

        start = np.log([2.0, 0.05, 0.5, 0.3])
        found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000})
        return np.asarray(-np.log(parts @ np.exp(found.x)))

    return _left_out(rows, y, fit)


def _left_out(
    rows: Sequence[Row],
    y: np.ndarray[Any, Any],
    fit: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]],
) -> list[float]:
    errors = np.zeros(len(rows))
    families = np.array([row.family for row in rows])
    for family in dict.fromkeys(row.family for row in rows):
        mine = families == family
        errors[mine] = (y - fit(~mine))[mine]
    return [float(error) for error in errors]


def _weights(rows: Sequence[Row]) -> np.ndarray[Any, Any]:
    families = [row.family for row in rows]
    return np.array([1 / families.count(family) for family in families])


def _factor(errors: Sequence[float], weight: np.ndarray[Any, Any], keep: Sequence[bool]) -> float:
    chosen = np.array(keep)
    return math.exp(float(np.average(np.abs(errors)[chosen], weights=weight[chosen])))


def _difference(
    errors: Sequence[float], shipped: Sequence[float], rows: Sequence[Row], kinds: set[str]
) -> str:
    """Mean difference of |ln error| over families with its standard error, in per cent."""
    gaps: dict[str, list[float]] = {}
    for error, ours, row in zip(errors, shipped, rows, strict=True):
        if row.arch in kinds:
            gaps.setdefault(row.family, []).append(abs(error) - abs(ours))
    means = np.array([np.mean(values) for values in gaps.values()])
    standard_error = means.std(ddof=1) / math.sqrt(len(means))
    return f"{100 * means.mean():+.1f} +- {100 * standard_error:.1f} %"


if __name__ == "__main__":
    typer.run(main)

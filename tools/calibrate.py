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
from joulecast.resolve.shares import ceiling_of, released, tuned_share
from joulecast.resolve.utilisation import DECODERS
from joulecast.validating.baselines import Seen, class_median
from joulecast.validating.calibration import (
    HUBER,
    Calibration,
    Case,
    calibrate,
    case_of,
    hours_runs,
    left_out_errors,
)
from joulecast.validating.runs import ReportedRun
from joulecast.validating.scoring import family_weights

ROOT = Path(__file__).parents[1]
OUT = ROOT / "hardware_specs" / "calibration.toml"
DECISION = ROOT / "docs" / "decisions" / "0018-devices-by-pairs.md"

NOTES = {
    "of_tuned": "share of what a tuned training can use that a large decoder reaches over a whole "
    "run, its software two years old",
    "age_slope": "ln of utilisation per year of age of the software, up to three years",
    "half_params": "active parameters per FLOP/s of peak at which a model keeps half",
    "exponent": "how sharply small models on fast devices lose",
    "kind.decoder": "dense decoders and mixtures of experts",
    "kind.other": "any other kind, relative to decoders",
    "field.language": "language models, code among it",
    "field.images": "vision, image and text, diffusion; relative to language",
    "field.biology": "proteins, genes, cells; relative to language",
    "field.other": "no published run has both hours and FLOP",
    "spread.decoder": "factors on the default, 5 % and 95 % points: Student's t with 4 degrees of "
    "freedom, the widest that left-out families, classes of device, years, or later years by "
    "earlier ones ask for",
    "spread.other": "the same for other kinds",
    "spread.no_field": "a factor of 3 either way at 80 %, where no run of the field has hours",
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

    errors = left_out_errors(cases)
    cases = [case for case in cases if not case.side]
    lines = [
        "| distribution | log score | in 50 % | in 80 % | in 90 % | x/÷ of 80 %, decoders |",
        "|---|---|---|---|---|---|",
    ]
    families = len({case.family for case in cases})

    def scale_of(mine: Sequence[Case], freedom: float) -> float:
        found = np.array([errors[case.id] for case in mine])
        weight = family_weights([case.family for case in mine])

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
    field: str
    new: bool
    y: float  # ln of utilisation, over the speed-up of its precision
    share: float  # ln of what a tuned training can use
    ceiling: float  # ln of the best matrix product
    age: float
    own_age: float
    ln_small: float
    ln_count: float
    side: int


#: A change of what the shipped fit reads of a case.
Change = Callable[[Case, Row], Case]


def comparison(runs: Sequence[ReportedRun], library: Library, fitted: Calibration) -> str:
    """Typical factors of rival fits with families left out, as a Markdown table."""
    share = fitted.attention_share
    cases = [case_of(run, library, share) for run in runs]
    rows = [_row(run, library, share) for run in runs]
    ours = left_out_errors(cases)
    shipped = [ours[run.id] for run in runs]

    def changed(change: Change) -> list[float]:
        errors = left_out_errors([change(case, row) for case, row in zip(cases, rows, strict=True)])
        return [errors[run.id] for run in runs]

    def old_form(row: Row) -> list[float]:
        return [min(row.own_age, 4) - 2, row.ln_small, float(row.arch not in DECODERS)]

    rivals: list[tuple[str, int, list[float]]] = [
        ("one constant for all", 1, _linear(rows, lambda row: [])),
        ("class medians, pulled together", 8, _class_medians(rows)),
        (
            "version 0.1.0: best matrix product, age of the device, size below 10 billion, kind",
            4,
            _linear(rows, old_form, True),
        ),
        ("**tuned share, age of the software, size on the device, kind, field** (shipped)", 8,
         shipped),
        ("the same over the best matrix product", 8,
         changed(lambda case, row: case._replace(y=case.y + row.share - row.ceiling))),
        ("the same, each device by its own age", 8,
         changed(lambda case, row: case._replace(age=min(row.own_age, 3.0)))),
        ("the same without age", 7, changed(lambda case, row: case._replace(age=2.0))),
        ("the same without size", 6, changed(lambda case, row: case._replace(ln_speed=0.0))),
        ("the same without fields", 6, changed(lambda case, row: case._replace(field="language"))),
    ]  # fmt: skip
    weight = family_weights([case.family for case in cases])
    groups: dict[str, Callable[[Row], bool]] = {
        "all": lambda r: True,
        "known before": lambda r: not r.new,
        "found since": lambda r: r.new,
        "decoders": lambda r: r.arch in DECODERS,
        "dense, Ampere": lambda r: r.arch == "dense" and r.device_class == "ampere",
        "dense, Hopper": lambda r: r.arch == "dense" and r.device_class == "hopper",
        "the rest": lambda r: r.arch not in DECODERS,
    }
    lines = [
        f"| fit | numbers | {' | '.join(groups)} | worse by |",
        "|---" * (len(groups) + 3) + "|",
    ]
    for name, numbers, errors in rivals:
        cells = [_factor(errors, weight, [test(row) for row in rows]) for test in groups.values()]
        worse = "" if errors is shipped else _difference(errors, shipped, rows)
        shown = " | ".join(f"{cell:.2f}" for cell in cells)
        lines.append(f"| {name} | {numbers} | {shown} | {worse} |")
    return "\n".join(lines)


def _row(run: ReportedRun, library: Library, share: float) -> Row:
    before, case = run.before, case_of(run, library, share)
    assert before.device is not None
    device = library.device(before.device).device
    active = before.active_params or before.params
    size = active.value if active is not None else 1e10
    tuned = math.log(tuned_share(library, device).value)
    return Row(
        run.family,
        before.arch,
        device.device_class,
        case.field,
        before.field is not None and not run.id.startswith("esm2"),
        case.y + tuned,
        tuned,
        math.log(ceiling_of(library, device).value),
        case.age,
        max(0.0, before.year + 0.5 - released(device)),
        min(0.0, math.log(size / 1e10)),
        math.log(before.device_count / 512) if before.device_count else 0.0,
        case.side,
    )


def _linear(
    rows: Sequence[Row], features: Callable[[Row], list[float]], ceiling: bool = False
) -> list[float]:
    """Left-out errors of a Huber ridge on any features, pulled as the shipped fit is."""
    x = np.array([[1.0, *features(row)] for row in rows])
    y = np.array([row.y - (row.ceiling if ceiling else 0.0) for row in rows])

    def fit(keep: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        base = family_weights([rows[int(i)].family for i in np.flatnonzero(keep)])
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

    errors = np.zeros(len(rows))
    families = np.array([row.family for row in rows])
    for family in dict.fromkeys(row.family for row in rows):
        mine = families == family
        errors[mine] = (y - x @ fit(~mine))[mine]
    return _one_sided(errors.tolist(), rows)


def _class_medians(rows: Sequence[Row]) -> list[float]:
    """Left-out errors of the class medians that `joulecast validate` shows too."""
    errors = []
    for row in rows:
        seen = [Seen(r.family, r.arch, r.device_class, r.y) for r in rows if r.family != row.family]
        errors.append(row.y - class_median(seen, row.arch, row.device_class))
    return _one_sided(errors, rows)


def _one_sided(errors: Sequence[float], rows: Sequence[Row]) -> list[float]:
    """No error where the truth may lie beyond what was published."""
    return [
        0.0 if error * row.side > 0 else float(error)
        for error, row in zip(errors, rows, strict=True)
    ]


def _factor(errors: Sequence[float], weight: np.ndarray[Any, Any], keep: Sequence[bool]) -> float:
    chosen = np.array(keep)
    return math.exp(float(np.average(np.abs(errors)[chosen], weights=weight[chosen])))


def _difference(errors: Sequence[float], shipped: Sequence[float], rows: Sequence[Row]) -> str:
    """Mean difference of |ln error| over families with its standard error, in per cent."""
    gaps: dict[str, list[float]] = {}
    for error, ours, row in zip(errors, shipped, rows, strict=True):
        gaps.setdefault(row.family, []).append(abs(error) - abs(ours))
    means = np.array([np.mean(values) for values in gaps.values()])
    standard_error = means.std(ddof=1) / math.sqrt(len(means))
    return f"{100 * means.mean():+.1f} +- {100 * standard_error:.1f} %"


if __name__ == "__main__":
    typer.run(main)

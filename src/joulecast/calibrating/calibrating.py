"""The verb `calibrate`: a table of one's own past runs in, what they say of the next out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from joulecast.answers.calibration import Calibration, Fittable, Fitted, PastRun, Score
from joulecast.calibrating.fitting import Case, Expected, Fit, LeftOut, left_out, typical_factor
from joulecast.calibrating.telling import (
    PUE_OF_FIGURE,
    Kind,
    Told,
    Widths,
    of_device,
    pue_cases,
    pue_scale,
    told_of,
    widths,
)
from joulecast.calibrating.writing import write
from joulecast.data.library import Library
from joulecast.errors import InputError
from joulecast.inputs import past_runs

#: Kinds of model that have a range of their own.
KINDS: tuple[Kind, ...] = ("decoder", "other")

#: Runs scatter so many times as much as published ones do: said.
SCATTERED = 1.6

#: All runs beyond the 98 % range of the default on one side: said.
FAR_OFF = 3.75

#: Fewest runs on a device, or of a kind, without a word that they are few.
FEW = 5


def calibrate(
    table: str | Path | Iterable[Mapping[str, Any]],
    name: str = "mycluster",
    output: str | Path | None = None,
    *,
    force: bool = False,
    library: Library | None = None,
) -> Calibration:
    """Fit utilisation, and power and PUE where they are told, to one's own past runs.

    Parameters
    ----------
    table
        A .csv, .tsv or .jsonl file, or rows that map columns to what they hold: a row a run, with
        device, year, what was trained (params and tokens, model and tokens, or training_flop) and
        how long (device_hours, wall_clock_days and device_count, or tokens_per_second_per_device).
        Runs that share luck may share a `family`.
    name
        What the cluster is called in answers and in the records.
    output
        Folder to write the records to, for ``--specs``; None writes none.
    force
        Write over what `calibrate` wrote to that folder before.
    library
        The data to forecast by; the package's own where none is given.

    Returns
    -------
    Calibration with what was fitted, how well runs forecast each other, and what is to be minded.

    Raises
    ------
    JoulecastError
        Where the table misses a column or is empty, a row cannot be used or is impossible, there
        is one run alone, or the folder is there already.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError("name", name, "must be letters, digits, - and _", ["mycluster"])
    library = library or Library.bundled()
    if library.own_runs("utilisation.any.decoder") is not None:
        why = "holds an earlier calibration, which would count twice"
        raise InputError("specs", None, why, ["a folder without own_runs.toml"])
    rows = past_runs.read(table)
    _check_columns(rows)
    told, remarks = told_of(rows, library)
    cases = [one.case for one in told]
    if len({case.family for case in cases}) < 2:
        many = "one run" if len(told) == 1 else "runs of one family"
        why = f"{many} alone cannot be told from luck: leaving it out leaves nothing"
        raise InputError(rows.where, None, why, ["two runs or more", "--set mfu= in its place"])
    apart = widths(library)
    util = _Fitting.of("utilisation", cases)
    powers = [one.power for one in told if one.power is not None]
    power = _Fitting.of("device_power_w", powers) if powers else None
    figures = pue_cases(told, library)
    pue = _Fitting.of("pue", figures) if figures else None
    fitted = [*_utilisations(told, util.fit, apart, library)]
    fitted += _powers(told, power.fit) if power else []
    fitted += [_pue(pue.fit, library)] if pue else []
    fittings = [fitting for fitting in (util, power, pue) if fitting is not None]
    remarks += [*_remarks(told, util, power, apart)]
    for fitting in fittings:
        remarks += _worth(fitting)
    answer = Calibration(
        name,
        None if output is None else str(output),
        tuple(fitted),
        tuple(fitting.score for fitting in fittings),
        tuple(_past(one, left) for one, left in zip(told, util.left, strict=True)),
        tuple(remarks),
        rows.unused,
        library.digest,
    )
    if output is not None:
        write(answer, Path(output), rows.where, force, library)
    return answer


def _check_columns(rows: past_runs.PastRuns) -> None:
    past_runs.require(rows, "device")
    past_runs.require(rows, "year")
    spent = (("wall_clock_days", "device_count"), ("wall_clock_hours", "device_count"),
             ("tokens_per_second_per_device",))  # fmt: skip
    past_runs.require(rows, "device_hours", spent)
    with_speed = ("params", "tokens_per_second_per_device")
    trained = (("params", "tokens"), ("active_params", "tokens"), ("model", "tokens"), with_speed,
               ("model", "tokens_per_second_per_device"))  # fmt: skip
    past_runs.require(rows, "training_flop", trained)


class _Fitting(NamedTuple):
    """A quantity fitted, and its cases each left out; nothing is left out of one family."""

    quantity: Fittable
    cases: Sequence[Case]
    fit: Fit
    left: Sequence[LeftOut]
    score: Score

    @classmethod
    def of(cls, quantity: Fittable, cases: Sequence[Case]) -> _Fitting:
        fit, families = Fit(cases), [case.family for case in cases]
        default = typical_factor([case.y for case in cases], families)
        if fit.families < 2:
            score = Score(quantity, len(cases), fit.families, None, default, None, None)
            return cls(quantity, cases, fit, (), score)
        left = left_out(cases)
        typical = typical_factor([one.error for one in left], families)
        inside = sum(one.inside for one in left)
        score = Score(
            quantity, len(cases), fit.families, typical, default, inside, typical < default
        )
        return cls(quantity, cases, fit, left, score)


def _utilisations(
    told: Sequence[Told], fit: Fit, apart: Widths, library: Library
) -> Iterable[Fitted]:
    """For each device of the table and for any other, for each kind of model."""
    nothing = Fit([])
    used = {one.device.id: of_device(library, one.device) for one in told}
    for device in (*sorted(used), None):
        for kind in KINDS:
            parts = apart.parts(device or "any", kind, used.get(device or "", 0.0))
            count = sum(one.device.id == device for one in told)
            yield _fitted(
                "utilisation",
                (device, kind, count),
                math.exp,
                fit.expected(parts, apart.noise[kind]),
                nothing.expected(parts, apart.noise[kind]),
            )


def _powers(told: Sequence[Told], fit: Fit) -> Iterable[Fitted]:
    metered = {one.device.id: one.power for one in told if one.power is not None}
    for device, case in sorted(metered.items()):
        count = sum(one.power is not None and one.device.id == device for one in told)
        yield _fitted(
            "device_power_w",
            (device, None, count),
            math.exp,
            fit.expected(case.parts, case.noise),
            Fit([]).expected(case.parts, case.noise),
        )


def _pue(fit: Fit, library: Library) -> Fitted:
    default = library.default("pue").value
    parts = {"site": math.sqrt(pue_scale(library) ** 2 - PUE_OF_FIGURE**2)}

    def shown(ln_ratio: float) -> float:
        return 1 + (default - 1) * math.exp(ln_ratio)

    both = (one.expected(parts, PUE_OF_FIGURE) for one in (fit, Fit([])))
    return _fitted("pue", (None, None, len(fit.cases)), shown, *both)


def _fitted(
    quantity: Fittable,
    whose: tuple[str | None, Kind | None, int],
    shown: Callable[[float], float],
    now: Expected,
    before: Expected,
) -> Fitted:
    device, kind, count = whose
    value, p10, p90 = (shown(now.median + side * now.half_width) for side in (0, -1, 1))
    old, old_p10, old_p90 = (shown(before.median + s * before.half_width) for s in (0, -1, 1))
    return Fitted(quantity, device, kind, value, p10, p90, old, old_p10, old_p90, count)


def _past(one: Told, left: LeftOut) -> PastRun:
    """Hours shrink as utilisation grows: the high end of the one is the low end of the other."""
    median, half = left.expected.median, left.expected.half_width
    hours = [one.default_hours * math.exp(-(median + side * half)) for side in (0, 1, -1)]
    return PastRun(
        one.row,
        one.run,
        one.device.id,
        one.kind,
        one.utilisation,
        one.device_hours,
        one.default_hours,
        *hours,
    )


def _remarks(
    told: Sequence[Told], util: _Fitting, power: _Fitting | None, apart: Widths
) -> Iterable[str]:
    """Where the table contradicts itself, lies far outside or tells little."""
    for one, left in zip(told, util.left, strict=True):
        if left.far:
            ratio = one.device_hours / one.default_hours * math.exp(left.expected.median)
            yield (
                f"row {one.row}: {ratio:.2g} times the hours that the other runs say: outside "
                "their 99 % range; counted less (is it of another cluster, or mistyped?)"
            )
    middle = sorted(one.case.y for one in told)[len(told) // 2]
    if abs(middle) > FAR_OFF * math.hypot(apart.cluster, apart.device):
        yield (
            f"half of the runs took {math.exp(-middle):.2g} times the hours of the default and "
            "more: farther off than any published cluster; check units, devices counted, tokens"
            if middle < 0
            else f"half of the runs took {math.exp(-middle):.2g} times the hours of the default "
            "and less: farther off than any published cluster; check units, devices counted, tokens"
        )
    if util.fit.stretch > SCATTERED:
        yield (
            f"the runs scatter {util.fit.stretch:.2g} times as much as published ones: the range "
            "is widened; they may be of several clusters, or the table contradicts itself"
        )
    if util.fit.families < FEW:
        yield f"{util.fit.families} runs are few: most of the default's range remains"
    if power is not None and power.fit.families < 2:
        yield "power of one run alone: nothing could be left out; pulled towards the default"


def _worth(fitting: _Fitting) -> Iterable[str]:
    score = fitting.score
    if score.better is False and score.typical_factor is not None:
        yield (
            f"{_WORDS[fitting.quantity]}: the default does as well (typical factor "
            f"{score.default_typical_factor:.3g}, by the other runs {score.typical_factor:.3g}): "
            "what is written is pulled towards it"
        )


_WORDS = {"utilisation": "utilisation", "device_power_w": "device power", "pue": "PUE"}

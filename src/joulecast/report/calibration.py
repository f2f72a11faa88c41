"""The answer of `calibrate` as text, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from joulecast.answers.calibration import Calibration, Fitted, Score
from joulecast.report.tables import Table, columns
from joulecast.report.words import WIDTH, two, wrapped

#: What was fitted, as the text calls it.
LABELS = {"utilisation": "Utilisation", "device_power_w": "Device power", "pue": "PUE"}


#: Columns of what was fitted, and how wide they are.
HEAD, WIDTHS = ("fitted", "80 % of next run", "without runs"), (8, 19, 15)

#: More runs than these are left to the JSON.
MOST_RUNS = 30


def text(answer: Calibration, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """The whole answer, or its headline alone."""
    headline = [f"  {bold(f'{answer.factor:.2f} of the default utilisation')}", *_scores(answer)]
    if quiet:
        return "\n".join(headline)
    subject = f"{len(answer.runs)} past runs of {answer.name}, beside what we expect of such runs"
    blocks = [
        [*textwrap.wrap(subject, WIDTH), "", *headline],
        [
            *columns("", HEAD, WIDTHS),
            *(line for label, *cells in _fitted(answer) for line in columns(label, cells, WIDTHS)),
        ],
        _runs(answer),
        ["Mind", *(line for one in _remarks(answer) for line in wrapped(one))]
        if [*_remarks(answer)]
        else [],
        _folder(answer),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def table(answer: Calibration) -> Table:
    """What was fitted, with the 80 % prediction range of the next run."""
    return Table(("", *HEAD), list(_fitted(answer)), (1, 2, 3))


def _scores(answer: Calibration) -> list[str]:
    return [line for score in answer.scores for line in wrapped(_score(score))]


def _score(score: Score) -> str:
    what = "PUE - 1" if score.quantity == "pue" else LABELS[score.quantity]
    if score.typical_factor is None:
        return f"{what}: too few runs to leave one out; pulled towards the default"
    figures = "figures" if score.quantity == "pue" else "runs"
    said = (
        f"{what}: typical error of a run left out x/÷ {score.typical_factor:.2f}, by the default "
        f"{score.default_typical_factor:.2f}; {score.inside} of {score.runs} {figures} in their "
        "80 % range"
    )
    return said if score.better else f"{said}; the default does as well"


def _fitted(answer: Calibration) -> Iterator[tuple[str, str, str, str]]:
    met = {run.kind for run in answer.runs}
    for one in answer.fitted:
        if one.kind is not None and one.kind not in met:
            continue  # in the records and in the JSON: the same factor, a wider range
        unit = "" if one.quantity == "pue" else "x "
        spread = f"{one.p10:.2f} to {one.p90:.2f}"
        before = f"{one.default_p10:.2f} to {one.default_p90:.2f}"
        yield _label(one), f"{unit}{one.value:.2f}", spread, before


def _label(one: Fitted) -> str:
    of = [one.device] if one.device else ["any other device"] * (one.quantity == "utilisation")
    of += ["not a decoder"] if one.kind == "other" else []
    return ", ".join([LABELS[one.quantity], *of])


def _runs(answer: Calibration) -> list[str]:
    shown = answer.runs[:MOST_RUNS]
    lines = [f"  {'Run':<24}{'device-hours':>16}{'default':>14}{'by the others':>22}"]
    for run in shown:
        name = textwrap.shorten(run.run, 23, placeholder="…")
        spread = f"{two(run.left_out_p10)} to {two(run.left_out_p90)}"
        hours, default = two(run.device_hours), two(run.default_hours)
        lines.append(f"  {name:<24}{hours:>16}{default:>14}  {spread:>20}")
    more = len(answer.runs) - len(shown)
    return [*lines, *([f"  and {more} more (--json)"] if more else [])]


def _remarks(answer: Calibration) -> Iterator[str]:
    yield from answer.remarks
    if answer.unused_columns:
        yield f"columns not used: {', '.join(answer.unused_columns)}"


def _folder(answer: Calibration) -> list[str]:
    if answer.folder is None:
        return []
    use = f"Written to {answer.folder}. To forecast with it: estimate ... --specs {answer.folder}"
    return textwrap.wrap(use, WIDTH)

"""A forecast against its measurement as text, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from joulecast.answers.quantity import Quantity, exactly
from joulecast.answers.verdict import Compared, Told, Verdict
from joulecast.report.forecast import subject
from joulecast.report.tables import Table
from joulecast.report.words import WIDTH, plain, readable, short, two, wrapped

#: Explanations printed for a result; the rest are less likely.
SHOWN = 3


def text(verdict: Verdict, bold: Callable[[str], str] = str, quiet: bool = False) -> str:
    """Inside or outside first, then each result, then what would explain it."""
    inside = sum(one.inside for one in verdict.results)
    count = len(verdict.results)
    answer = f"{inside} of {count} measurements inside the 80 % prediction range"
    if quiet:
        return f"  {bold(answer)}"
    lines = textwrap.wrap(f"{subject(verdict.footprint)}; measured: {verdict.run.name}", WIDTH)
    lines += ["", f"  {bold(answer)}", ""]
    lines.append(f"  {'':<33}{'measured':>10}{'forecast':>10}  80 % range")
    lines += [_row(one) for one in verdict.results]
    if verdict.told:
        lines += ["", "What the measurement tells of the inputs"]
        lines += [_told(one) for one in verdict.told]
    outside = [one for one in verdict.results if not one.inside]
    for at, one in enumerate(outside):
        # Days and device-hours are off by the same factor where the devices are those planned.
        if not any(_same(one, other) for other in outside[:at]):
            lines += ["", *_why(one)]
    if not verdict.run.facility:
        why = (
            "The file has no PUE, so energy and emissions are those of the machines; they are "
            "compared with the forecast before its PUE, network and storage included."
        )
        lines += ["", *textwrap.wrap(why, WIDTH)]
    return "\n".join(lines)


def _same(one: Compared, other: Compared) -> bool:
    """Whether two results are explained by the same values of the same inputs."""
    pairs = zip(one.explanations, other.explanations, strict=False)
    return bool(one.explanations) and all(
        a.name == b.name and abs(a.score - b.score) < 1e-6 for a, b in pairs
    )


def table(verdict: Verdict) -> Table:
    """Each result beside its measurement."""
    head = ("", "measured", "forecast", "80 % range", "")
    return Table(head, [_cells(one) for one in verdict.results], (1, 2))


def _row(one: Compared) -> str:
    label, measured, forecast, span, verdict = _cells(one)
    return f"  {label:<33}{measured:>10}{forecast:>10}  {span:<17}{verdict}"


def _cells(one: Compared) -> tuple[str, str, str, str, str]:
    forecast, unit = readable(one.forecast)
    measured = readable_as(one.measured, one.forecast)
    verdict = "inside" if one.inside else ("above" if one.level > 0.5 else "below")
    span = f"{two(forecast.p10)} to {two(forecast.p90)}"
    return f"{one.name} [{unit}]", two(measured), two(forecast.value), span, verdict


def readable_as(value: float, quantity: Quantity) -> float:
    """A value in the unit in which a quantity reads best."""
    same = exactly(value, quantity.unit)
    shown, unit = readable(quantity)
    return same.value if unit == quantity.unit else same.to(shown.unit).value


def _told(one: Told) -> str:
    unit = f" {short(one.unit)}".rstrip()
    score = "far outside its range" if one.score is None else f"score {one.score:+.1f}"
    if one.score is None and one.measured == one.assumed:
        score = "as given"
    return (
        f"  {one.name:<24}{plain(one.measured, 3)}{unit}, assumed {plain(one.assumed, 3)} ({score})"
    )


def _why(one: Compared) -> list[str]:
    """Describe the single inputs that would reproduce a measurement outside its range."""
    percent = f"{100 * one.level:.0f} %" if 0.005 < one.level < 0.995 else "hardly any"
    if 0.5 < one.level < 0.995:
        percent = f"{100 - 100 * one.level:.0f} %"
    side = "below" if one.level <= 0.5 else "above"
    lines = [f"What would explain the {one.name} ({percent} of the draws are as far {side})"]
    within = [why for why in one.explanations if why.within]
    if not within:
        none = "no single input within its range does"
        lines += wrapped(f"{none}; beyond its range:" if one.explanations else none)
    for why in (within or one.explanations)[:SHOWN]:
        unit = short(why.unit)
        lines += wrapped(
            f"{why.name} of {plain(why.needed, 3)} {unit}".rstrip()
            + f" instead of {plain(why.assumed, 3)} (score {why.score:+.2f}); {why.flag}"
        )
    return lines

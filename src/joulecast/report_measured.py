"""A forecast against its measurement as text, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from joulecast.footprint import Quantity
from joulecast.measured import Compared, Told, Verdict
from joulecast.report import WIDTH, plain, readable, subject, two, wrapped

#: Explanations printed for a result; the rest are less likely.
SHOWN = 3


def verdict_text(
    verdict: Verdict, bold: Callable[[str], str] = str, quiet: bool = False
) -> str:
    """Inside or outside first, then each result, then what would explain it."""
    inside = sum(one.inside for one in verdict.results)
    count = len(verdict.results)
    answer = f"{inside} of {count} measurements inside the 80 % prediction range"
    if quiet:
        return f"  {bold(answer)}"
    lines = textwrap.wrap(f"{subject(verdict.footprint)}; measured: {verdict.run.name}", WIDTH)
    lines += ["", f"  {bold(answer)}", ""]
    lines.append(f"  {'':<24}{'measured':>13}{'forecast':>13}   {'80 % range':<18}")
    for one in verdict.results:
        lines += _row(one)
    if verdict.told:
        lines += ["", "What the measurement tells of the inputs"]
        lines += [_told(one) for one in verdict.told]
    for one in verdict.results:
        if not one.inside:
            lines += ["", *_why(one)]
    if not verdict.run.facility:
        why = (
            "The file has no PUE, so energy and emissions are those of the machines; they are "
            "compared with the forecast before its PUE, network and storage included."
        )
        lines += ["", *textwrap.wrap(why, WIDTH)]
    return "\n".join(lines)


def _row(one: Compared) -> list[str]:
    forecast, unit = readable(one.forecast)
    measured = readable_as(one.measured, one.forecast)
    verdict = "inside" if one.inside else ("above" if one.level > 0.5 else "below")
    span = f"{two(forecast.p10)} to {two(forecast.p90)}"
    entry = f"  {one.name:<24}{two(measured):>13}{two(forecast.value):>13}   {span:<18}{verdict}"
    if len(entry) > WIDTH:
        entry = f"  {one.name}\n{'':<26}{two(measured):>13}{two(forecast.value):>13}   {span}"
        entry += f"  {verdict}"
    return entry.replace(one.name, f"{one.name} [{unit}]", 1).splitlines()


def readable_as(value: float, quantity: Quantity) -> float:
    """A value in the unit in which a quantity reads best."""
    same = Quantity(value, *(value,) * 5, quantity.unit)
    shown, unit = readable(quantity)
    return same.value if unit == quantity.unit else same.to(shown.unit).value


def _told(one: Told) -> str:
    unit = f" {one.unit.replace('CO2e', '')}".rstrip()
    score = "outside its range" if one.score is None else f"score {one.score:+.1f}"
    if one.score is None and one.measured == one.assumed:
        score = "as given"
    return (
        f"  {one.name:<24}{plain(one.measured, 3)}{unit}, assumed {plain(one.assumed, 3)}"
        f" ({score})"
    )


def _why(one: Compared) -> list[str]:
    """The single inputs that would reproduce a measurement outside its range."""
    percent = f"{100 * one.level:.0f} %" if 0.005 < one.level < 0.995 else "hardly any"
    share = percent if one.level <= 0.5 or percent.startswith("h") else f"{100 - 100 * one.level:.0f} %"
    side = "below" if one.level <= 0.5 else "above"
    head = f"What would explain the {one.name} ({share} of the draws are as far {side})"
    if not one.explanations:
        none = "no single input within its range does; several are off, or the plan was another"
        return [head, *wrapped(none)]
    lines = [head]
    for why in one.explanations[:SHOWN]:
        unit = why.unit.replace("CO2e", "")
        lines += wrapped(
            f"{why.name} of {plain(why.needed, 3)} {unit}".rstrip()
            + f" instead of {plain(why.assumed, 3)} (score {why.score:+.2f}); {why.flag}"
        )
    return lines

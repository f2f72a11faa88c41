"""Rules for hours, energy and emissions: against their products, and between places of a card."""

from __future__ import annotations

import re
from collections.abc import Iterator

from joulecast.answers.check import Finding, Reading
from joulecast.checks.causes import PUE_LEFT_OUT, as_stated, cause_of, differ, energy, hours, mass
from joulecast.checks.findings import near
from joulecast.checks.known import MOST_POWER, Known, is_total, overhead
from joulecast.checks.products import Facts, Product, agrees, by_line, product

#: Words for parts of a whole: figures of different parts do not contradict.
_PARTS = {
    "energy": re.compile(
        r"\b(idle|dynamic|gpu|cpu|ram|dram|card|node|host|network|storage|cooling|machine|"
        r"overhead|building|site|facility|data cent(?:er|re)|grid|plug|meter|everything)s?\b",
        re.IGNORECASE,
    ),
    "emissions": re.compile(
        r"\b(idle|dynamic|embodied|manufacturing|making|equipment|operation|operational|"
        r"scope [123])\b",
        re.IGNORECASE,
    ),
}

#: How amounts are shown.
_SHOWN = {"emissions": mass, "energy": energy, "device_hours": hours}


def no_unit(_: Known, facts: Facts) -> Iterator[Finding]:
    """Emissions without a unit."""
    for one in facts.all("emissions"):
        if one.word == "bare" and one.value > 0:
            why = "write g, kg or t of CO2e"
            yield Finding("no_unit", one.line, as_stated(one), "it has no unit", why)


def hours_of_devices(_: Known, facts: Facts) -> Iterator[Finding]:
    """Device-hours against devices x hours."""
    stated, count = facts.own("device_hours"), facts.any("devices")
    follows = product(count, facts.own("hours"))
    if stated is None or follows is None or count is None:
        return
    if stated.value <= 0 or not follows.apart(stated):
        return
    ratio = stated.value / follows.value
    cause = ""
    if near(ratio, count.value):
        cause = f"the hours were multiplied by {count.value:g} devices twice"
    elif near(ratio, 1 / count.value):
        cause = "the hours were not multiplied by the devices"
    yield differ("device_hours", stated, follows, hours(follows.value), cause)


def energy_of_hours(known: Known, facts: Facts) -> Iterator[Finding]:
    """Energy against device-hours x power, with or without PUE."""
    stated, bases = facts.own("energy"), known.it_energies(facts)
    if stated is None or stated.value <= 0:
        return
    if not bases:
        yield from _energy_without_power(known, facts, stated)
        return
    pue = overhead(facts)
    at_site = [base.times(pue, "PUE ") for base in bases]
    if not agrees(stated, [*bases, *at_site]):
        follows = at_site[0]
        cause = cause_of(stated.value / follows.value, known, facts)
        yield differ("energy", stated, follows, energy(follows.value), cause)


def _energy_without_power(known: Known, facts: Facts, stated: Reading) -> Iterator[Finding]:
    """The mean power that energy and hours imply, against the device's."""
    times, tdp = known.device_hours(facts), known.tdps
    if not times or not tdp:
        return
    watts = [stated.value / one.value * 1000 for one in times]
    if any(0.1 * min(tdp) <= one <= MOST_POWER * max(tdp) for one in watts):
        return
    yield Finding(
        "energy",
        stated.line,
        f"{stated.shown} in {times[0].shown}",
        f"that is {watts[0]:,.0f} W a device, whose TDP is {max(tdp):g} W",
        cause_of(watts[0] / (0.8 * max(tdp)), known, facts, 0.7),
    )


def emissions_of_energy(known: Known, facts: Facts) -> Iterator[Finding]:
    """Emissions against energy x intensity."""
    stated = next(iter(facts.with_unit("emissions")), None)
    choices = known.emitted(facts)
    if stated is None or stated.value <= 0 or not choices or agrees(stated, choices):
        return
    cause = cause_of(stated.value / choices[0].value, known, facts)
    code = "pue_left_out" if cause == PUE_LEFT_OUT else "emissions"
    yield differ(code, stated, choices[0], mass(choices[0].value), cause)


def stated_twice(known: Known) -> Iterator[Finding]:
    """The whole's emissions and energy stated in several places."""
    for name in ("emissions", "energy"):
        stated = [one for one in known.whole.with_unit(name) if one.value > 0]
        for one in stated[1:]:
            follows = by_line(stated[0])
            if not _of_the_same(one, stated[0]) or _by_pue(known, one, stated[0]):
                continue
            if follows.apart(one):
                cause = cause_of(one.value / follows.value, known, known.whole)
                yield differ(f"{name}_twice", one, follows, _SHOWN[name](follows.value), cause)


def _of_the_same(one: Reading, other: Reading) -> bool:
    """Whether the words around two figures name the same parts of the whole, or none."""
    pattern = _PARTS[one.name]
    mine, theirs = (
        {found.lower() for found in pattern.findall(f"{each.label} {each.context}")}
        for each in (one, other)
    )
    return mine == theirs


def _by_pue(known: Known, one: Reading, other: Reading) -> bool:
    """Whether two energies, or emissions, are with and without PUE."""
    pue = known.whole.any("pue")
    ratio = max(one.value / other.value, other.value / one.value)
    return pue is not None and pue.value > 1 and near(ratio, pue.value, 0.03)


def total_of_table(known: Known) -> Iterator[Finding]:
    """The row named total against the sum of those above it."""
    rows = known.card.rows
    for at, row in enumerate(rows):
        parts = [Facts(part) for part in rows[:at] if not is_total(part)]
        if not is_total(row) or len(parts) < 2:
            continue
        for one in row.readings:
            values = [part.own(one.name) for part in parts]
            found = [value for value in values if value is not None]
            if one.name not in _SHOWN or len(found) < len(parts) or one.value <= 0:
                continue
            value = sum(part.value for part in found)
            if value <= 0:
                continue
            slack = sum(part.slack * part.value for part in found) / value
            follows = Product(value, slack, "the sum of the rows above it")
            if follows.apart(one):
                yield differ("table_total", one, follows, _SHOWN[one.name](value), "")

"""The answer as text, at most 80 columns wide.

Two significant figures everywhere but in the By-hand block, which has five.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import floor, isfinite, log10, sqrt
from typing import TYPE_CHECKING, Protocol

import numpy as np

from joulecast import units
from joulecast._version import __version__
from joulecast.by_hand import HandLine, mass_unit
from joulecast.data.prices import PRICES
from joulecast.footprint import Assumption, Citation, Footprint, Quantity
from joulecast.notices import Notice
from joulecast.plan.file import compact
from joulecast.terms import PROJECT_PARTS, TERMS

if TYPE_CHECKING:
    from joulecast.architectures import ModelCount
    from joulecast.whatif.sweeping import Sweep

WIDTH = 80

_WORDS = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))

#: Kind of model as a reader says it.
KINDS = {
    "dense": "a dense model",
    "moe": "a mixture of experts",
    "enc-dec": "an encoder-decoder",
    "vision": "a vision transformer",
    "diffusion": "a diffusion model",
    "speech": "a speech model",
    "recurrent": "a recurrent net",
    "ssm": "a state-space model",
    "encoder": "an encoder",
    "other": "a model",
}

#: Device counts for which days are shown when none was given.
SHOWN_COUNTS = (64, 512, 4096)


class Answer(Protocol):
    """What every answer carries, whatever was asked."""

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Numbers it rests on."""

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """What to mind."""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Sources used."""

    @property
    def data_digest(self) -> str:
        """Version of the data."""


#: Label -> quantity with a line of its own, whatever is the headline.
BESIDE = {"Energy": "energy_kwh", "Water": "water_l", "E-waste": "ewaste_kg"}

#: Quantity -> label and what to say of it.
REMARKS = {
    "market_kgco2e": ("Contract", "market-based"),
    "offsets_kgco2e": ("Offsets", "not subtracted"),
    "storage_kgco2e": ("Storage", "beside the run"),
    "transfer_kgco2e": ("Transfer", "beside the run"),
}

#: Energies shown where the emissions of the same cannot be known.
OR_ELSE = {"storage_kgco2e": "storage_energy_kwh", "transfer_kgco2e": "transfer_energy_kwh"}

COSTS = {"device_cost": "Hire", "electricity_cost": "Power bill"}

#: Parts below this share of the total are rounding.
LEAST_PART = 1e-9

#: Smaller shares of the variance are summed up.
LEAST_SHARE = 0.01


def text(
    footprint: Footprint,
    bold: Callable[[str], str] = str,
    quiet: bool = False,
    drivers: bool = False,
) -> str:
    """The whole answer, or its headline alone; with `drivers` also what each input does."""
    headline = _headline(footprint, bold)
    if quiet:
        return "\n".join(headline)
    blocks = [
        [*textwrap.wrap(subject(footprint), WIDTH), "", *headline],
        _figures(footprint),
        _parts(footprint),
        _fleet(footprint),
        _use(footprint),
        _by_hand(footprint),
        _entries(shown_assumptions(footprint)),
        _assumed_of_use(footprint),
        _cross_checks(footprint),
        _tornado(footprint) if drivers else _drivers(footprint),
        warning_lines(footprint),
        citation_lines(footprint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def model_text(count: ModelCount, name: str) -> str:
    """A counted architecture: totals, then its parts."""
    length = ":".join(f"{part:,}" for part in count.seq_len)
    unit = count.flop_unit.replace("_", " ")
    rows = [
        ("Parameters", f"{count.params_total:,.0f}"),
        ("Active", f"{count.params_active:,.0f} per {unit}"),
        ("Forward", f"{plain(count.forward_flop_per_token)} FLOP per {unit}"),
        ("Training", f"{plain(count.train_flop_per_token)} FLOP per {unit}"),
        ("Over 6N", f"{count.flop_per_6n:.3f} times 6 x active parameters"),
    ]
    lines = [f"{name}: {length} tokens, {count.attention} attention", ""]
    lines += [f"  {label:<12}{value}" for label, value in rows]
    lines += ["", f"  {'part':<26}{'parameters':>18}{'forward FLOP':>16}{'share':>8}"]
    for part, (params, flop) in count.breakdown.items():
        share = flop / count.forward_flop_per_token if count.forward_flop_per_token else 0.0
        lines.append(f"  {part:<26}{params:>18,.0f}{plain(flop, 4):>16}{share:>8.1%}")
    if count.warnings:
        lines += ["", "Mind"]
        for notice in count.warnings:
            lines += wrapped(f"{notice.code}: {notice.message}")
    return "\n".join(lines)


def sweep_text(table: Sweep) -> Iterator[str]:
    """A sweep as a table; the first result with its range, each in one unit that reads well."""
    heads, sizes = [], []
    for number, result in enumerate(table.results):
        shown, unit = column_unit(table, result)
        heads.append(heading(result, unit))
        sizes.append(shown)
        if number == 0 and table.ranges:
            heads.append("80 % prediction range")
    axes = [[axis_label(value) for value in axis.values.tolist()] for axis in table.axes]
    widths = [
        max(len(axis.name), *map(len, labels))
        for axis, labels in zip(table.axes, axes, strict=True)
    ]
    wide = [max(12, len(head)) for head in heads]
    names = [axis.name.ljust(width) for axis, width in zip(table.axes, widths, strict=True)]
    yield "  ".join(names + [h.rjust(w) for h, w in zip(heads, wide, strict=True)]).rstrip()
    positions = np.ndindex(*table.shape)
    for row in table.rows():
        cells = [
            labels[i].ljust(width)
            for i, labels, width in zip(next(positions), axes, widths, strict=True)
        ]
        figures = []
        for number, (result, size) in enumerate(zip(table.results, sizes, strict=True)):
            figures.append(_cell(row[f"{result}_value"], size))
            if number == 0 and table.ranges:
                low, high = (_cell(row[f"{result}_{level}"], size) for level in ("p10", "p90"))
                figures.append(low if low == high else f"{low} to {high}")
        yield "  ".join(cells + [f.rjust(w) for f, w in zip(figures, wide, strict=True)]).rstrip()


def heading(result: str, unit: str) -> str:
    """A result and its unit as the head of a column: ``total [tCO2e]``."""
    word = result
    for ending in ("_kgco2e", "_kwh", "_l", "_days"):
        word = word.removesuffix(ending)
    word = word.replace("_", " ").replace("device hours", "device-hours")
    return f"{word} [{unit}]" if unit and word != "device-hours" else word


def column_unit(table: Sweep, result: str) -> tuple[float, str]:
    """What to multiply a column by, and the unit it is then in: that of its middle value."""
    values = table.grid(f"{result}_value")
    known = values[np.isfinite(values) & (values > 0)]
    unit = TERMS[result].unit
    if not known.size:
        return 1.0, unit
    middle = float(np.median(known))
    shown, unit_shown = readable(Quantity(middle, middle, middle, middle, middle, middle, unit))
    return shown.value / middle, unit_shown


def axis_label(value: object) -> str:
    """A value that was varied as people write it."""
    if isinstance(value, float):
        return str(compact(value)) if value >= 1e6 else f"{value:.6g}"
    return str(value)


def _cell(value: float | None, size: float) -> str:
    return "-" if value is None else two(value * size)


def two(value: float) -> str:
    """Two significant figures as people read them: 1,300, 0.053, 1.3 million.

    >>> two(1287), two(0.0534), two(1.327e6), two(99.6)
    ('1,300', '0.053', '1.3 million', '100')
    """
    if value == 0 or not isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.1e}")
    for size, word in _WORDS:
        if abs(rounded) >= size:
            if abs(rounded) >= 1000 * size:
                break
            return f"{two(rounded / size)} {word}"
    if abs(rounded) >= 1e18 or abs(rounded) < 1e-4:
        return f"{value:.1e}".replace("e+", "e").replace("e-0", "e-")
    digits = max(0, 1 - floor(log10(abs(rounded))))
    return f"{rounded:,.{digits}f}"


def plain(value: float, digits: int = 5) -> str:
    """A number with a given number of significant figures that a calculator takes: 3.22e10.

    >>> plain(3.22e10), plain(0.26512), plain(43830.0)
    ('3.22e10', '0.26512', '43830')
    """
    if value != 0 and (abs(value) >= 1e6 or abs(value) < 1e-4):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}"
    return f"{float(f'{value:.{digits}g}'):.10g}"


def _headline(footprint: Footprint, bold: Callable[[str], str]) -> list[str]:
    headline = footprint.headline
    if headline is None:
        hours = footprint.device_hours
        if hours is not None:
            return [f"  {bold(two(hours.value) + ' device-hours')}{_range(hours, 'h')}"]
        flop = footprint.training_flop
        return (
            [] if flop is None else [f"  {bold(two(flop.value) + ' FLOP')}{_range(flop, 'FLOP')}"]
        )
    shown, unit = readable(headline)
    lines = [f"  {bold(f'{two(shown.value)} {unit}')}{_range(shown, unit)}"]
    if any(notice.code == "skewed" for notice in footprint.warnings):
        lines.append(
            f"  {'':{len(two(shown.value)) + len(unit) + 1}}    median {two(shown.p50)} {unit}"
        )
    return lines


def _range(quantity: Quantity, unit: str) -> str:
    if quantity.p10 == quantity.p90:
        return "    exactly, from exact inputs"
    return f"    80 % prediction range {two(quantity.p10)} to {two(quantity.p90)} {unit}"


def readable(quantity: Quantity) -> tuple[Quantity, str]:
    """A mass in mg, g, kg or t; an energy in mWh to GWh; whichever reads best."""
    if quantity.unit.startswith("kg"):
        unit, _ = mass_unit(quantity.value)
        return quantity.to(unit), unit + quantity.unit.removeprefix("kg")
    if quantity.unit == "kWh":
        ladder = ((1e6, "GWh"), (1e3, "MWh"), (1.0, "kWh"), (1e-4, "Wh"))
        unit = next((unit for size, unit in ladder if quantity.value >= size), "mWh")
        return quantity.to(unit), unit
    if quantity.unit == "L":
        unit = "m3" if quantity.value >= 1e4 else "L" if quantity.value >= 0.1 else "mL"
        return quantity.to(unit), unit
    return quantity, quantity.unit


def subject(footprint: Footprint) -> str:
    """What is trained, on what, where and when."""
    plan = footprint.plan
    what = []
    if plan.get("params"):
        size = plan["params"]
        active = plan.get("active_params")
        inside = "" if active in (None, size) else f", {two(active)} active"
        kind = plan["model"] or KINDS[plan["arch"]]
        what.append(f"{kind} of {two(size)} parameters{inside}")
    if plan.get("tokens"):
        what.append(f"{two(plan['tokens'])} tokens")
    training = " on ".join(what) or "a run"
    if plan.get("runs", 1) > 1:
        training += f", {plan['runs']:,} runs"
    where = []
    if plan.get("device_name"):
        count = plan.get("device_count")
        where.append(f"{count:,} x {plan['device_name']}" if count else plan["device_name"])
    elif len(footprint.fleet) > 1:
        where.append(f"a fleet of {len(footprint.fleet)} kinds")
    if plan.get("region_name"):
        where.append(plan["region_name"])
    if plan.get("region") or not plan.get("only_given"):
        where.append(str(plan["year"]))
    return f"Training {': '.join(filter(None, [training, ', '.join(where)]))}"


def figure_rows(footprint: Footprint) -> list[tuple[str, str, Quantity | None]]:
    """Results beside the headline: label, value as people read it, range in the same unit."""
    rows: list[tuple[str, str, Quantity | None]] = []
    flop = footprint.training_flop
    if flop is not None:
        rows.append(("Training", f"{two(flop.value)} FLOP", flop))
    executed = footprint.quantities["executed_flop"]
    if flop is not None and executed is not None and executed.value > flop.value:
        rows.append(("Executed", f"{two(executed.value)} FLOP, recomputed too", executed))
    compute = footprint.quantities["eu_training_compute_flop"]
    if compute is not None and (flop is None or compute.value != flop.value):
        rows.append(("EU compute", f"{two(compute.value)} FLOP, one run", compute))
    hours = footprint.device_hours
    if hours is not None:
        rows.append(("Hardware", f"{two(hours.value)} device-hours", hours))
        if len(footprint.fleet) <= 1:
            rows.append(("Duration", _days(footprint, hours), None))
    for label, name in BESIDE.items():
        quantity = footprint.quantities[name]
        if quantity is not None and quantity is not footprint.headline:
            shown, unit = readable(quantity)
            rows.append((label, f"{two(shown.value)} {unit}", shown))
    rows += _beside(footprint)
    project = footprint.quantities["project_kgco2e"]
    if project is not None and footprint.total is not None and footprint.total.value:
        shown, unit = readable(project)
        factor = project.value / footprint.total.value
        rows.append(("Project", f"{two(shown.value)} {unit}, run x {factor:.3g}", shown))
        for part, name in PROJECT_PARTS.items():
            quantity = footprint.quantities[name]
            if quantity is not None:
                inside = quantity.to(unit.removesuffix("CO2e"))
                label = part.replace("_", " ")
                rows.append(("", f"+ {label} {two(inside.value)} {inside.unit}", inside))
    return rows


def _figures(footprint: Footprint) -> list[str]:
    return [
        f"  {label:<11}{value:<29} {_interval(spread)}".rstrip()
        for label, value, spread in figure_rows(footprint)
    ]


def _beside(footprint: Footprint) -> list[tuple[str, str, Quantity | None]]:
    """What stands beside the emissions and is never added to them or taken off."""
    rows: list[tuple[str, str, Quantity | None]] = []
    for name, (label, remark) in REMARKS.items():
        quantity = footprint.quantities[name]
        if quantity is None and name in OR_ELSE:
            quantity = footprint.quantities[OR_ELSE[name]]
        if quantity is not None:
            shown, unit = readable(quantity)
            rows.append((label, f"{two(shown.value)} {unit}, {remark}", shown))
    currency = footprint.plan.get("currency") or ""
    for name, label in COSTS.items():
        quantity = footprint.quantities[name]
        if quantity is not None:
            rows.append((label, f"{two(quantity.value)} {currency}".rstrip(), quantity))
    return rows


def _interval(quantity: Quantity | None) -> str:
    if quantity is None or quantity.p10 == quantity.p90:
        return ""
    unit = "" if quantity.unit in ("FLOP", "h", "") else f" {quantity.unit}"
    return f"{two(quantity.p10)} to {two(quantity.p90)}{unit}"


def _days(footprint: Footprint, hours: Quantity) -> str:
    days = footprint.quantities["wall_clock_days"]
    count = footprint.plan.get("device_count")
    if days is not None and count:
        return f"{_elapsed(days.value)} on {count:,} device{'s' if count > 1 else ''}"
    if hours.value < units.day / units.hour:
        return f"{_elapsed(hours.value * units.hour / units.day)} on 1 device"
    shown = ", ".join(f"{two(hours.value / 24 / n)} on {n:,}" for n in SHOWN_COUNTS)
    return f"days by device count: {shown}"


def _elapsed(days: float) -> str:
    """A time as people say it.

    >>> _elapsed(3.0), _elapsed(0.5), _elapsed(0.01), _elapsed(1e-4)
    ('3.0 days', '12 hours', '14 minutes', '8.6 seconds')
    """
    steps = (("days", units.day), ("hours", units.hour), ("minutes", units.minute))
    last = ("seconds", units.second)
    name, size = next((step for step in steps if days * units.day >= step[1]), last)
    return f"{two(days * units.day / size)} {name}"


#: Parts of the total as a reader says them.
PART_NAMES = {
    "device_kgco2e": "devices",
    "host_kgco2e": "hosts",
    "network_kgco2e": "network",
    "cooling_kgco2e": "cooling",
    "embodied_kgco2e": "embodied",
}


def parts_of(footprint: Footprint) -> dict[str, Quantity]:
    """Parts of the total that are known and not zero, by the name a reader knows."""
    if footprint.total is None or footprint.total.value == 0:
        return {}
    parts = {label: footprint.quantities[name] for name, label in PART_NAMES.items()}
    return {
        label: part
        for label, part in parts.items()
        if part is not None and part.value > LEAST_PART * footprint.total.value
    }


def _parts(footprint: Footprint) -> list[str]:
    parts, total = parts_of(footprint), footprint.total
    if not parts or total is None:
        return []
    unit, _ = mass_unit(total.value)
    rows = [
        f"  {label:<11}{two(part.to(unit).value) + ' ' + unit:<12}{part.value / total.value:>5.0%}"
        for label, part in parts.items()
    ]
    building = footprint.quantities["building_making_kgco2e"]
    if building is not None and building.value > 0:
        rows[-1] += f", of which the building {two(building.to(unit).value)} {unit}"
    return [f"Parts ({unit}CO2e)", *rows]


def _fleet(footprint: Footprint) -> list[str]:
    """Operation and making of each type of device, and of all."""
    if not footprint.fleet or footprint.total is None:
        return []
    unit, rows = fleet_rows(footprint)
    head = "".join(f"{word:>10}" for word in FLEET_COLUMNS)
    lines = [f"Fleet ({unit}CO2e)", f"  {'devices':<38}{'of it':<9}{head}"]
    for name, much, cells in rows:
        label, *more = textwrap.wrap(name, 37)
        lines.append(f"  {label:<38}{much:<9}" + "".join(f"{cell:>10}" for cell in cells))
        lines += [f"    {line}" for line in more]
    return lines


#: What is told of each type of device -> its quantity.
FLEET_COLUMNS = {
    "use": "operational_kgco2e",
    "making": "embodied_kgco2e",
    "total": "total_kgco2e",
}


def fleet_rows(footprint: Footprint) -> tuple[str, list[tuple[str, str, list[str]]]]:
    """A unit of mass, and for each entry and all together: name, share or hours, figures."""
    assert footprint.total is not None
    unit, _ = mass_unit(footprint.total.value)

    def cells(quantities: Mapping[str, Quantity | None]) -> list[str]:
        found = [quantities[name] for name in FLEET_COLUMNS.values()]
        return ["-" if one is None else two(one.to(unit).value) for one in found]

    rows = []
    for part in footprint.fleet:
        much = f"{part.share:.3g}" if part.share is not None else f"{two(part.hours or 0)} h"
        rows.append((part.label, much, cells(part.quantities)))
    return unit, [*rows, ("together", "", cells(footprint.quantities))]


def _by_hand(footprint: Footprint) -> list[str]:
    if not footprint.by_hand:
        return []
    lines = ["By hand (every input at its median; key it in from top to bottom)"]
    return lines + [_hand_line(line) for line in footprint.by_hand]


def _hand_line(line: HandLine) -> str:
    entry = f"  {line.operator:1} {plain(line.factor):<12}{line.meaning}"
    if line.result is None:
        return entry
    result = f"= {plain(line.result)} {line.result_unit}"
    if len(entry) + len(result) + 2 > WIDTH:
        return f"{entry}\n{result:>{WIDTH}}"
    return f"{entry}{result:>{WIDTH - len(entry)}}"


def assumption_lines(answer: Answer) -> list[str]:
    """Given and assumed numbers, each with its range, source and flag."""
    return _entries(answer.assumptions)


def shown_assumptions(footprint: Footprint) -> list[Assumption]:
    """Given and assumed numbers as a reader sees them: prices in their currency."""
    currency = footprint.plan.get("currency")
    return [
        entry._replace(unit=f"{currency}{entry.unit[1:]}")
        if currency and entry.name in PRICES
        else entry
        for entry in footprint.assumptions
    ]


def _entries(entries: Sequence[Assumption]) -> list[str]:
    given = [entry for entry in entries if entry.given]
    assumed = [entry for entry in entries if not entry.given]
    lines = []
    if given:
        lines.append("Given")
        lines += [
            f"  {entry.name:<23} {_value(entry):<13} {_span(entry)}".rstrip() for entry in given
        ]
    if assumed:
        lines += [""] if given else []
        lines.append("Assumed (change with the flag)")
        for entry in assumed:
            lines += _assumed(entry)
    return lines


def _assumed(entry: Assumption) -> list[str]:
    first = f"  {entry.name:<23} {_value(entry):<13} {_span(entry):<19} {entry.basis}"
    unchecked = " (unchecked)" if entry.read == "recalled" else ""
    note = f": {entry.note}" if entry.note else ""
    why = f"{entry.flag}  {entry.source}{unchecked}{note}"
    return [first, *textwrap.wrap(why, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)]


def _value(entry: Assumption) -> str:
    whole = entry.value == int(entry.value) and abs(entry.value) < 1e6
    digits = 10 if entry.given or whole else 3
    return f"{plain(entry.value, digits)} {_short(entry.unit)}".rstrip()


def _span(entry: Assumption) -> str:
    if entry.low is None or entry.high is None:
        return "exact"
    return f"{plain(entry.low, 2)} to {plain(entry.high, 2)}"


def _short(unit: str) -> str:
    return unit.replace("CO2e", "")


def _use(footprint: Footprint) -> list[str]:
    if footprint.use_phase is None:
        return []
    from joulecast.report.use import use_lines

    use = footprint.use_phase
    several = len(footprint.fleet) > 1
    return use_lines(use, place=f"in {use.plan['region']}" if several else "")


def _assumed_of_use(footprint: Footprint) -> list[str]:
    if footprint.use_phase is None:
        return []
    return ["The same of its use", *_entries(footprint.use_phase.assumptions)]


def _cross_checks(footprint: Footprint) -> list[str]:
    if not footprint.cross_checks:
        return []
    lines = ["Cross-checks (given against what the other inputs imply)"]
    lines += [
        f"  {check.name:<24}{two(check.given)} {_short(check.unit)} given, "
        f"{two(check.implied)} implied: ratio {two(check.ratio)}"
        for check in footprint.cross_checks
    ]
    return lines


def _drivers(footprint: Footprint) -> list[str]:
    if not footprint.drivers:
        return []
    shown = [driver for driver in footprint.drivers if driver.share >= LEAST_SHARE][:6]
    rest = 1 - sum(driver.share for driver in shown)
    parts = [f"{driver.name} {driver.share:.0%}" for driver in shown]
    if rest >= 0.01:
        parts.append(f"others {rest:.0%}")
    return ["What drives the range (shares of its log-variance)", *wrapped(", ".join(parts))]


def _tornado(footprint: Footprint) -> list[str]:
    bars, headline = footprint.tornado(), footprint.headline
    if not bars or headline is None:
        return []
    shown, unit = readable(headline)
    spread = sqrt(headline.p90 / headline.p10)
    lines = [
        "What drives the range (one input at its P10 and P90, others at their medians)",
        f"  {'input':<24}{'its P10':>9}{'its P90':>9}   {'answer times':<16}{'share':>5}",
    ]
    for bar in bars:
        if bar.share >= LEAST_SHARE:
            effect = f"{f'{bar.at_p10:.2f} to {bar.at_p90:.2f}':<16}{bar.share:>5.0%}"
            cells = f"{plain(bar.p10, 2):>9}{plain(bar.p90, 2):>9}   {effect}"
            lines += _labelled(bar.name, cells)
    best = sorted(bars, key=lambda bar: bar.spread_if_known)[:3]
    lines += [
        "",
        "What to measure next (the 80 % range once an input is known to be its median)",
        f"  {'as it is':<24}{_ends(shown.p10, shown.p90, unit):<28}x/÷ {spread:.2f}",
    ]
    for bar in best:
        ends = _ends(bar.known_p10 * shown.value, bar.known_p90 * shown.value, unit)
        lines += _labelled(bar.name, f"{ends:<28}x/÷ {bar.spread_if_known:.2f}")
    return lines


def _labelled(name: str, cells: str) -> list[str]:
    """A row; a name too long for its column stands on a line of its own."""
    if len(name) < 24:
        return [f"  {name:<24}{cells}"]
    return [f"  {name}", f"  {'':<24}{cells}"]


def _ends(low: float, high: float, unit: str) -> str:
    return f"{two(low)} to {two(high)} {unit}"


def warning_lines(answer: Answer) -> list[str]:
    """What to mind."""
    if not answer.warnings:
        return []
    lines = ["Mind"]
    for notice in answer.warnings:
        lines += wrapped(f"{notice.code}: {notice.message}")
    return lines


def citation_lines(answer: Answer) -> list[str]:
    """What to cite."""
    lines = ["Cite", *wrapped(f"joulecast {__version__}, data {answer.data_digest}, with")]
    for citation in answer.citations:
        if citation.of_formula:
            continue
        mark = " (unchecked)" if citation.read == "recalled" else ""
        lines += textwrap.wrap(
            f"{citation.text}{mark}",
            WIDTH,
            initial_indent=" " * 4,
            subsequent_indent=" " * 6,
            break_long_words=False,
            break_on_hyphens=False,
        )
    formulas = [
        one.source.label + (" (unchecked)" if one.read == "recalled" else "")
        for one in answer.citations
        if one.of_formula
    ]
    if formulas:
        lines += wrapped(f"and, for formulas, {'; '.join(formulas)}")
        lines += wrapped("`joulecast cite` with the same words prints all of it in full")
    return lines


def wrapped(line: str) -> list[str]:
    """An entry, indented, its further lines more so."""
    return textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ")

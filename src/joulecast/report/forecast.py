"""A forecast as text, at most 80 columns wide.

Two significant figures everywhere but in the By-hand block, which has five.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from math import sqrt

from joulecast import units
from joulecast.answers.footprint import Assumption, Footprint, HandLine
from joulecast.answers.quantity import Quantity
from joulecast.by_hand import mass_unit
from joulecast.data.prices import PRICES
from joulecast.report.grounds import assumption_lines, citation_lines, warning_lines
from joulecast.report.use import use_lines
from joulecast.report.words import (
    LEAST_SHARE,
    SCREEN,
    WIDTH,
    interval,
    is_exact,
    plain,
    readable,
    rest_of,
    short,
    two,
    wrapped,
)
from joulecast.terms import PROJECT_PARTS

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
        assumption_lines(shown_assumptions(footprint)),
        _assumed_of_use(footprint),
        _cross_checks(footprint),
        _tornado(footprint) if drivers else _drivers(footprint),
        warning_lines(footprint.warnings),
        citation_lines(footprint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def screen(footprint: Footprint) -> list[str]:
    """What a person needs first: subject, headline, figures, parts, what to mind."""
    subject_lines = textwrap.wrap(subject(footprint), WIDTH, max_lines=3)
    blocks = [[*subject_lines, "", *_headline(footprint, str)], _figures(footprint)]
    codes = ", ".join(dict.fromkeys(notice.code for notice in footprint.warnings))
    rest = [_parts(footprint), wrapped(f"Mind: {codes}", 0, 2) if codes else []]
    # Of many figures the last give way, so that parts and warnings stand on the screen.
    room = SCREEN - 2 - sum(len(block) + 1 for block in (blocks[0], *filter(None, rest)))
    blocks[1] = blocks[1][:room]
    lines = [line for block in (*blocks, *rest) if block for line in (*block, "")]
    return [*lines, rest_of("fp")]


def headline_of(footprint: Footprint) -> tuple[Quantity, str, str] | None:
    """The answer in the unit that reads best, that unit, and the unit of its range.

    Device-hours or FLOP stand in where neither emissions nor energy are known.
    """
    headline = footprint.headline
    if headline is not None:
        shown, unit = readable(headline)
        return shown, unit, unit
    if footprint.device_hours is not None:
        return footprint.device_hours, "device-hours", "h"
    return None if footprint.training_flop is None else (footprint.training_flop, "FLOP", "FLOP")


def spread_of(quantity: Quantity, unit: str) -> str:
    """The range of a headline in words."""
    if is_exact(quantity):
        return "exactly, from exact inputs"
    return f"80 % prediction range {interval(quantity)} {unit}"


def is_skewed(footprint: Footprint) -> bool:
    """Whether the median is to be told beside the headline."""
    return footprint.headline is not None and any(n.code == "skewed" for n in footprint.warnings)


def _headline(footprint: Footprint, bold: Callable[[str], str]) -> list[str]:
    found = headline_of(footprint)
    if found is None:
        return []
    shown, word, unit = found
    said = f"{two(shown.value)} {word}"
    lines = [f"  {bold(said)}    {spread_of(shown, unit)}"]
    if is_skewed(footprint):
        lines.append(f"  {'':{len(said)}}    median {two(shown.p50)} {unit}")
    return lines


#: Method of fine-tuning -> what the first line begins with.
METHODS = {
    "full": "Fine-tuning",
    "lora": "LoRA of",
    "qlora": "QLoRA of",
    "prefix": "A prefix for",
    "head": "A new head on",
    "dpo": "DPO of",
    "grpo": "GRPO of",
    "ppo": "PPO of",
}


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
        real = plan.get("real_tokens")
        inside = ""
        if real is not None and real < 0.999 * plan["tokens"]:
            inside = f" ({two(real)} real, the rest padding)"
        what.append(f"{two(plan['tokens'])} tokens{inside}")
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
    verb = METHODS.get(plan.get("method") or "", "Training")
    return f"{verb} {': '.join(filter(None, [training, ', '.join(where)]))}"


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
        f"  {label:<11}{value:<29} {_spread(spread)}".rstrip()
        for label, value, spread in figure_rows(footprint)
    ]


def _spread(quantity: Quantity | None) -> str:
    if quantity is None or is_exact(quantity):
        return ""
    unit = "" if quantity.unit in ("FLOP", "h", "") else f" {quantity.unit}"
    return f"{interval(quantity)}{unit}"


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


def shown_assumptions(footprint: Footprint) -> list[Assumption]:
    """Given and assumed numbers as a reader sees them: prices in their currency."""
    currency = footprint.plan.get("currency")
    return [
        entry._replace(unit=f"{currency}{entry.unit[1:]}")
        if currency and entry.name in PRICES
        else entry
        for entry in footprint.assumptions
    ]


def _use(footprint: Footprint) -> list[str]:
    if footprint.use_phase is None:
        return []
    use = footprint.use_phase
    several = len(footprint.fleet) > 1
    return use_lines(use, place=f"in {use.plan['region']}" if several else "")


def _assumed_of_use(footprint: Footprint) -> list[str]:
    if footprint.use_phase is None:
        return []
    return ["The same of its use", *assumption_lines(footprint.use_phase.assumptions)]


def _cross_checks(footprint: Footprint) -> list[str]:
    if not footprint.cross_checks:
        return []
    lines = ["Cross-checks (given against what the other inputs imply)"]
    lines += [
        f"  {check.name:<24}{two(check.given)} {short(check.unit)} given, "
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

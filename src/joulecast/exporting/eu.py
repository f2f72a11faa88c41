"""EU Model Documentation Form: compute, time, energy and how they were come to.

What the form asks stands in templates/, one file to an edition.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from pathlib import Path
from typing import Any

from joulecast import units
from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.citing.markup import MARKDOWN
from joulecast.citing.methods import name_of
from joulecast.errors import brief
from joulecast.estimation import EU_THRESHOLDS
from joulecast.exporting import md
from joulecast.exporting.facts import made_with, needed, values_of
from joulecast.exporting.tables import interval

#: Edition of the form that is answered.
EDITION = "eu-model-documentation-form-2025-07"

COUNTED = (
    "Counted are the forward and backward passes of the run forecast here. Recomputed activations "
    "are not, as the guidelines ask. To be added by the provider, if they are not in this run: "
    "other pre-training, fine-tuning, synthetic data that is not public, discarded samples "
    "included, and models merged in or started from. Not to be added: evaluations, red-teaming, "
    "failed or exploratory runs, public synthetic data, teachers and reward models. This is the "
    "cumulative computation, which 10²⁵ FLOP is compared with; for the indicative 10²³ FLOP the "
    "guidelines count only what directly updates the weights."
)


def write(footprint: Footprint) -> str:
    """The items of the form that a forecast can answer, the thresholds, and the inputs."""
    template = _template()
    rows = [
        (item["label"], ENTRIES[item["entry"]](footprint, template), f"{item['asks']}")
        for item in template["item"]
    ]
    return md.joined(
        f"# Model Documentation Form: {MARKDOWN.text(name_of(footprint))}",
        f"Entries for the EU's form of {template['edition']}, as read in {template['read']}. "
        "All are estimates made before training.",
        md.table(("Item", "Entry", "The form asks for"), rows),
        "## Boundary of the computation",
        COUNTED,
        "## Thresholds",
        "\n".join(f"- {line}" for line in thresholds(footprint, template)),
        *md.grounds(footprint, (template["source"], template["guidelines"])),
    )


def _template() -> dict[str, Any]:
    path = Path(__file__).parent / "templates" / f"{EDITION}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _band(value: float, bands: Sequence[tuple[float, str]], last: str) -> str:
    return next((name for end, name in bands if value < end), last)


def _size(footprint: Footprint, template: dict[str, Any]) -> str:
    size = footprint.plan.get("params")
    if not size:
        return "to be stated by the provider: the forecast did not start from a size"
    band = _band(size, template["size_bands"], template["largest_size"])
    return f"{_powers(size)} parameters; band: {band}"


def _elapsed(footprint: Footprint) -> list[Quantity]:
    """Days of the run; of a fleet those of its parts at once, and in turn, where these differ."""
    parts = [entry.quantities["wall_clock_days"] for entry in footprint.entries]
    known = [days for days in parts if days is not None]
    if len(known) < len(parts):
        return []
    longest = max(known, key=lambda days: days.value)
    total = sum(days.value for days in known)
    in_turn = Quantity(*(total,) * 6, "d")
    return [longest] if len(known) == 1 else [longest, in_turn]


def _time_band(footprint: Footprint, template: dict[str, Any]) -> str:
    elapsed = _elapsed(footprint)
    if not elapsed:
        return "unknown: say how many devices (`--device-count`)"
    months = (days.value * units.day / units.month for days in elapsed)
    bands = (_band(each, template["time_bands"], template["longest_time"]) for each in months)
    return " or ".join(dict.fromkeys(bands))


def _time(footprint: Footprint, template: dict[str, Any]) -> str:
    hours, days = footprint.device_hours, _elapsed(footprint)
    elapsed = f"{MARKDOWN.number(days[0].value)} days" if days else "unknown"
    if len(days) > 1:
        elapsed += f" if the fleet runs at once, {MARKDOWN.number(days[1].value)} if in turn,"
    if hours is None:
        return f"{elapsed} elapsed"
    used = MARKDOWN.number(hours.value * units.hour / units.day)
    return f"{elapsed} elapsed; {used} hardware-days"


def _compute_order(footprint: Footprint, template: dict[str, Any]) -> str:
    compute = needed(footprint, "eu_training_compute_flop", "eu")
    return f"{MARKDOWN.power('1', str(floor(log10(compute.value)))).removeprefix('1 × ')} FLOP"


def _compute(footprint: Footprint, template: dict[str, Any]) -> str:
    compute = needed(footprint, "eu_training_compute_flop", "eu")
    span = interval(compute, MARKDOWN)
    return f"{_powers(compute.value)} FLOP" + (f" (80 % prediction range {span})" if span else "")


def _compute_method(footprint: Footprint, template: dict[str, Any]) -> str:
    names = {entry.name for entry in footprint.assumptions}
    if "forward_flop_per_token" in names:
        how = "Architecture-based: FLOP per token counted from the architecture, times tokens"
    elif "flop_per_param_token" in names:
        how = "Architecture-based: FLOP per parameter and token, times parameters, times tokens"
    elif footprint.training_flop is not None:
        how = "As given by the provider"
    else:
        how = "Hardware-based: device-hours, times dense peak, times utilisation"
    compute = needed(footprint, "eu_training_compute_flop", "eu")
    off = max(compute.p90 / compute.value - 1, 1 - compute.p10 / compute.value)
    limit = f"{template['accuracy']:.0%}".replace("%", " %")
    inside = "lies within" if off <= template["accuracy"] else "goes beyond"
    return f"{how}. The 80 % prediction range {inside} {limit} of the estimate."


def _energy(footprint: Footprint, template: dict[str, Any]) -> str:
    energy = needed(footprint, "energy_kwh", "eu").to("MWh")
    amount = f"{_powers(energy.value)} MWh, estimated"
    if energy.p10 == energy.p90:
        return amount
    low, high = MARKDOWN.number(energy.p10), MARKDOWN.number(energy.p90)
    return f"{amount} (80 % prediction range {low} to {high} MWh)"


def _energy_method(footprint: Footprint, template: dict[str, Any]) -> str:
    entries = [(entry, values_of(entry)) for entry in footprint.entries]
    said = [f"Forecast with {made_with(footprint)}."]
    powers = [_powers_of(entry, inputs) for entry, inputs in entries if "device_power_w" in inputs]
    if powers and footprint.device_hours is not None:
        said.append(f"Device-hours times the mean power of a device, {'; '.join(powers)}.")
    networks = [inputs["network_share"] for _, inputs in entries if inputs.get("network_share")]
    if networks:
        shown = " or ".join(dict.fromkeys(map(MARKDOWN.percent, networks)))
        said.append(f"Network and storage add {shown}.")
    pues = dict.fromkeys(
        MARKDOWN.exactly(inputs["pue"]) for _, inputs in entries if "pue" in inputs
    )
    if pues:
        said.append(f"Times a PUE of {' or '.join(pues)}.")
    if any(one.name == "energy_kwh" for one in footprint.assumptions):
        said.append("The energy itself was given.")
    said.append(
        "Boundary: electricity of the facility for this run, from accelerators to cooling; "
        "not included are failed runs, data preparation, evaluation, staff and inference."
    )
    said.append("The range is where 80 % of outcomes lie when every input varies in its own range.")
    return " ".join(said)


def _powers_of(entry: Footprint, inputs: Mapping[str, float]) -> str:
    power = f"{MARKDOWN.exactly(inputs['device_power_w'])} W"
    host = inputs.get("host_power_w", 0.0)
    with_host = f" and {MARKDOWN.exactly(host)} W of its host" if host else ""
    named = f" ({MARKDOWN.text(entry.plan['device_name'])})" if entry.fleet else ""
    return f"{power}{with_host}{named}"


def _inference(footprint: Footprint, template: dict[str, Any]) -> str:
    return "to be measured by the provider: a forecast of training does not hold it"


#: Entry of the template -> what fills it.
ENTRIES: dict[str, Callable[[Footprint, dict[str, Any]], str]] = {
    "size": _size,
    "time_band": _time_band,
    "time": _time,
    "compute_order": _compute_order,
    "compute": _compute,
    "compute_method": _compute_method,
    "energy": _energy,
    "energy_method": _energy_method,
    "inference": _inference,
}


def thresholds(footprint: Footprint, template: dict[str, Any]) -> list[str]:
    """Where the compute stands to each threshold of the EU, weakest first."""
    compute = needed(footprint, "eu_training_compute_flop", "eu")
    lines = []
    for threshold, (_, meaning) in sorted(EU_THRESHOLDS.items()):
        stands = "below"
        if compute.value > threshold:
            stands = "**above**"
        elif compute.p90 > threshold:
            stands = "below, but within the range possibly **above**"
        shown = MARKDOWN.power("1", brief(threshold).partition("e")[2]).removeprefix("1 × ")
        lines.append(f"{shown} FLOP: {stands}. Above it, {meaning.replace(' then ', ' ', 1)}.")
    return lines


def _powers(value: float) -> str:
    """Two significant figures with a power of ten, as the form writes them."""
    mantissa, exponent = f"{value:.1e}".split("e")
    if -1 < int(exponent) < 4:
        return MARKDOWN.number(value)
    return MARKDOWN.power(mantissa, str(int(exponent)))

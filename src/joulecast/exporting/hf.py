"""Hugging Face model card: front matter `co2_eq_emissions` and the Environmental Impact section.

The Hub filters by the first plain number in `emissions` and takes it for grams; YAML reads 1e9 as
text and NO as false.  So the number is a whole one without exponent or separators, and every text
stands in quotes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from joulecast._version import __version__
from joulecast.answers.footprint import Footprint
from joulecast.citing.markup import MARKDOWN, PLAIN
from joulecast.citing.methods import paragraph
from joulecast.exporting import md
from joulecast.exporting.needs import is_fine_tuning, needed
from joulecast.exporting.tables import amount, interval


def write(footprints: Sequence[Footprint]) -> str:
    """Front matter and section of a card; the rest of the card is the author's."""
    (footprint,) = footprints
    return f"---\n{front_matter(footprint)}\n---\n\n{section(footprint)}"


def grams(footprint: Footprint) -> int:
    """Total emissions as the Hub wants them: whole grams."""
    return round(needed(footprint, "total_kgco2e", "hf").to("g").value)


def front_matter(footprint: Footprint) -> str:
    """The metadata as YAML."""
    fields = {
        "source": _source(footprint),
        "training_type": "fine-tuning" if is_fine_tuning(footprint) else "pre-training",
        "geographical_location": where(footprint),
        "hardware_used": hardware(footprint),
    }
    rows = [f"  {name}: {_quoted(text)}" for name, text in fields.items()]
    return "\n".join(["co2_eq_emissions:", f"  emissions: {grams(footprint)}", *rows])


def _quoted(text: str) -> str:
    """Text in double quotes: what JSON quotes, YAML reads."""
    return json.dumps(text, ensure_ascii=False)


def _source(footprint: Footprint) -> str:
    """Method, boundary and range, for which the metadata has no field."""
    total = needed(footprint, "total_kgco2e", "hf")
    span = interval(total, PLAIN)
    parts = [
        f"forecast with joulecast {__version__}, data {footprint.data_digest}",
        f"{amount(total, PLAIN)}, 80 % prediction range {span}" if span else amount(total, PLAIN),
        f"energy {amount(footprint.energy, PLAIN)}" if footprint.energy else "",
        "operation (location-based) and making of the hardware"
        if footprint.embodied
        else "operation alone (location-based)",
    ]
    return "; ".join(part for part in parts if part)


def where(footprint: Footprint) -> str:
    """Place of the run in words; of a fleet every place."""
    return "; ".join(dict.fromkeys(_place(entry) for entry in footprint.entries))


def _place(entry: Footprint) -> str:
    plan = entry.plan
    if not plan.get("region_name"):
        assumed = any(one.code == "place_unknown" for one in entry.warnings)
        return (
            "place not stated; the mean grid of the world is assumed" if assumed else "not stated"
        )
    country = f" ({plan['country']})" if plan.get("country") else ""
    return f"{plan['region_name']}{country}"


def hardware(footprint: Footprint) -> str:
    """Devices of the run in words; of a fleet every type."""
    return "; ".join(dict.fromkeys(_devices(entry) for entry in footprint.entries))


def _devices(entry: Footprint) -> str:
    name, count = entry.plan.get("device_name"), entry.plan.get("device_count")
    if not name:
        return f"{count:,} devices" if count else "not stated"
    return f"{count:,} x {name}" if count else str(name)


def provider(footprint: Footprint) -> str:
    """Whose data centre, or data centres; empty where nobody said."""
    said = (entry.plan.get("provider") for entry in footprint.entries)
    return ", ".join(dict.fromkeys(name for name in said if name))


def section(footprint: Footprint) -> str:
    """The card's section, with the labels of the Hub's template."""
    plan, hours, energy = footprint.plan, footprint.device_hours, footprint.energy
    days = footprint.quantities["wall_clock_days"]
    used = "not known"
    if hours is not None:
        used = f"{amount(hours, MARKDOWN).removesuffix(' h')} device-hours"
        if days is not None:
            used += f" ({MARKDOWN.number(days.value)} days on {plan['device_count']:,} devices)"
    total = needed(footprint, "total_kgco2e", "hf")
    span = interval(total, MARKDOWN)
    carbon = amount(total, MARKDOWN) + (f", 80 % prediction range {span}" if span else "")
    rows = [
        ("Hardware Type", MARKDOWN.text(hardware(footprint))),
        ("Hours used", used),
        ("Cloud Provider", MARKDOWN.text(provider(footprint) or "not stated")),
        ("Compute Region", MARKDOWN.text(where(footprint))),
        ("Carbon Emitted", f"{carbon} ({grams(footprint):,} g)"),
    ]
    if energy is not None:
        rows.append(("Energy Used", amount(energy, MARKDOWN)))
    facts = "\n".join(f"- **{label}:** {value}" for label, value in rows)
    blocks = [
        "## Environmental Impact",
        facts,
        "Forecast before training, not measured.",
        paragraph(footprint, MARKDOWN),
        *(f"#{block}" if block.startswith("##") else block for block in md.beside(footprint)),
        "### Inputs",
        md.inputs(footprint),
        "### Sources",
        md.sources(footprint),
    ]
    plan_lines = md.plan_block(footprint)
    return "\n\n".join([*blocks, f"##{plan_lines[0][1:]}", *plan_lines[1:]])

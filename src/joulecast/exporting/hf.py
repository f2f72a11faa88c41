"""Hugging Face model card: front matter `co2_eq_emissions` and the Environmental Impact section.

The Hub filters by the first plain number in `emissions` and takes it for grams; YAML reads 1e9 as
text and NO as false.  So the number is a whole one without exponent or separators, and every text
stands in quotes.
"""

from __future__ import annotations

import json

from joulecast.answers.footprint import Footprint
from joulecast.citing.markup import MARKDOWN, PLAIN
from joulecast.citing.methods import paragraph
from joulecast.exporting import md
from joulecast.exporting.facts import hardware, is_fine_tuning, made_with, needed, provider, where
from joulecast.exporting.tables import amount, ranged


def write(footprint: Footprint) -> str:
    """Front matter and section of a card; the rest of the card is the author's."""
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
    parts = [
        f"forecast with {made_with(footprint)}",
        ranged(needed(footprint, "total_kgco2e", "hf"), PLAIN),
        f"energy {amount(footprint.energy, PLAIN)}" if footprint.energy else "",
        "operation (location-based) and making of the hardware"
        if footprint.embodied
        else "operation alone (location-based)",
    ]
    return "; ".join(part for part in parts if part)


def section(footprint: Footprint) -> str:
    """The card's section, with the labels of the Hub's template."""
    plan, hours, energy = footprint.plan, footprint.device_hours, footprint.energy
    days = footprint.quantities["wall_clock_days"]
    used = "not known"
    if hours is not None:
        used = f"{amount(hours, MARKDOWN).removesuffix(' h')} device-hours"
        if days is not None:
            used += f" ({MARKDOWN.number(days.value)} days on {plan['device_count']:,} devices)"
    carbon = ranged(needed(footprint, "total_kgco2e", "hf"), MARKDOWN)
    rows = [
        ("Hardware Type", MARKDOWN.text(hardware(footprint))),
        ("Hours used", used),
        ("Cloud Provider", MARKDOWN.text(provider(footprint) or "not stated")),
        ("Compute Region", MARKDOWN.text(where(footprint))),
        ("Carbon Emitted", f"{carbon} ({grams(footprint):,} g)"),
    ]
    if energy is not None:
        rows.append(("Energy Used", amount(energy, MARKDOWN)))
    below = (*md.beside(footprint), *md.grounds(footprint), *md.plan_block(footprint))
    return md.joined(
        "## Environmental Impact",
        md.bullets(*rows),
        "Forecast before training, not measured.",
        paragraph(footprint, MARKDOWN),
        *(f"#{block}" if block.startswith("##") else block for block in below),
    )

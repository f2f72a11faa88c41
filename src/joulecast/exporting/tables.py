"""Rows that several formats print: results, and assumptions with their sources."""

from __future__ import annotations

from typing import NamedTuple

from joulecast.answers.footprint import Assumption, Footprint
from joulecast.answers.quantity import Quantity
from joulecast.citing.markup import Plain
from joulecast.report.use import LABELS as USE_LABELS
from joulecast.report.words import readable_of_use as worded

#: Result -> what a reader calls it.
LABELS = {
    "total_kgco2e": "Total emissions",
    "operational_kgco2e": "of which operation (location-based)",
    "embodied_kgco2e": "of which making of the hardware",
    "project_kgco2e": "Whole project",
    "energy_kwh": "Energy of the facility",
    "device_energy_kwh": "of which the devices",
    "training_flop": "Training compute",
    "device_hours": "Device-hours",
    "wall_clock_days": "Elapsed time",
    "utilisation": "Utilisation of the whole run",
    "water_l": "Water, on site and at power plants",
    "market_kgco2e": "Operation by contract (market-based), not in the total",
}


class Row(NamedTuple):
    """A result in words: two significant figures, its range empty where it is exact."""

    label: str
    value: str
    interval: str


def results(footprint: Footprint, markup: Plain) -> list[Row]:
    """Every result that is known."""
    known = ((label, footprint.quantities[name]) for name, label in LABELS.items())
    return [
        Row(label, amount(quantity, markup), interval(quantity, markup))
        for label, quantity in known
        if quantity is not None
    ]


def of_use(footprint: Footprint, markup: Plain) -> list[Row]:
    """Every result of the use that is known; none where nothing was said of it."""
    use = footprint.use_phase
    known = {} if use is None else use.results
    rows = ((label, known.get(name)) for name, label in USE_LABELS.items())
    return [Row(label, amount(one, markup), interval(one, markup)) for label, one in rows if one]


def inputs_of(footprint: Footprint) -> tuple[Assumption, ...]:
    """Inputs of the run, then those of the use."""
    used = footprint.use_phase.assumptions if footprint.use_phase else ()
    return (*footprint.assumptions, *used)


def amount(quantity: Quantity, markup: Plain) -> str:
    """A quantity with its unit."""
    shown, word = worded(quantity)
    return markup.amount(markup.number(shown.value), markup.unit(word))


def known(quantity: Quantity | None, markup: Plain) -> str:
    """A quantity with its unit, or that nobody knows it."""
    return "not known" if quantity is None else amount(quantity, markup)


def ranged(quantity: Quantity, markup: Plain) -> str:
    """A quantity with its unit, and its range where it is not exact."""
    span = interval(quantity, markup)
    return amount(quantity, markup) + (f", 80 % prediction range {span}" if span else "")


def interval(quantity: Quantity, markup: Plain) -> str:
    """P10 to P90 with the unit; empty for what is exact."""
    if quantity.p10 == quantity.p90:
        return ""
    shown, word = worded(quantity)
    low, high = markup.number(shown.p10), markup.number(shown.p90)
    return markup.amount(f"{low} to {high}", markup.unit(word))


def source_of(entry: Assumption, footprint: Footprint, markup: Plain) -> str:
    """Where an input comes from, for the cell of a table."""
    if entry.given:
        return "given"
    found = next((one for one in footprint.citations if one.key == entry.source), None)
    if entry.read == "recalled":
        return f"{markup.name(found) if found else markup.text(entry.source)} (unchecked)"
    return markup.name(found) if found else "joulecast"


def span(entry: Assumption, markup: Plain) -> str:
    """The 5 % and 95 % points of an input; empty for an exact one."""
    if entry.low is None or entry.high is None:
        return ""
    return f"{markup.exactly(entry.low, 2)} to {markup.exactly(entry.high, 2)}"


def input_value(entry: Assumption, markup: Plain) -> str:
    """An input with its unit."""
    return markup.amount(markup.exactly(entry.value), markup.unit(entry.unit))

"""Answers to the compute questions of NeurIPS' and ARR's checklists, to be pasted.

NeurIPS' item 8 asks for type of compute workers, memory, storage, compute of each run and of the
project; ARR's C1 for number of parameters, total computational budget and infrastructure.
"""

from __future__ import annotations

from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.citing.markup import MARKDOWN
from joulecast.citing.methods import name_of
from joulecast.exporting import md
from joulecast.exporting.facts import grids, hardware, made_with, provider, where
from joulecast.exporting.tables import amount, interval, known

ERROR_BARS = (
    "80 % prediction ranges (P10 to P90): one in ten outcomes is expected below the lower "
    "figure, one in ten above the upper. They come from the uncertainty of the inputs, not "
    "from repeated runs, and are not symmetric about the value"
)


def write(footprint: Footprint) -> str:
    """NeurIPS, experiments compute resources and error bars; ARR, C1; sources."""
    return md.joined(
        f"# Checklist answers: {MARKDOWN.text(name_of(footprint))}",
        "## NeurIPS, item 8: experiments compute resources",
        md.bullets(
            ("Compute workers", _workers(footprint)),
            ("Compute of the run", _compute(footprint)),
            ("Compute of the project", _project(footprint)),
            ("Storage", "not forecast: to be stated by the authors"),
        ),
        "## NeurIPS, on error bars",
        md.bullets(("What the ranges are", ERROR_BARS)),
        "## ARR Responsible NLP Research, C1: parameters, budget, infrastructure",
        md.bullets(
            ("Parameters", _count(footprint.plan.get("params"))),
            ("Computational budget", _compute(footprint)),
            ("Computing infrastructure", _workers(footprint)),
        ),
        "## Energy and emissions, for either",
        md.bullets(
            ("Energy", _amount(footprint.energy)),
            ("Emissions", _amount(footprint.total)),
            ("Grid", _grid(footprint)),
        ),
        f"Forecast with {made_with(footprint)}; not measured.",
        *md.beside(footprint),
        *md.grounds(footprint),
    )


def _workers(footprint: Footprint) -> str:
    cloud = provider(footprint)
    site = f"; {MARKDOWN.text(cloud)} cloud" if cloud else ""
    return f"{MARKDOWN.text(hardware(footprint))}{site}; {MARKDOWN.text(where(footprint))}"


def _compute(footprint: Footprint) -> str:
    parts = []
    hours, days = footprint.device_hours, footprint.quantities["wall_clock_days"]
    if hours is not None:
        parts.append(f"{MARKDOWN.number(hours.value)} device-hours{_range(hours)}")
    if days is not None:
        parts.append(f"{MARKDOWN.number(days.value)} days elapsed")
    if footprint.training_flop is not None:
        parts.append(f"{MARKDOWN.number(footprint.training_flop.value)} FLOP")
    return "; ".join(parts) or "not known"


def _project(footprint: Footprint) -> str:
    project = footprint.quantities["project_kgco2e"]
    if project is None:
        return (
            "preliminary, failed and exploratory runs are **not included** above "
            "(`--project-factor` adds a line for them)"
        )
    total = footprint.total
    times = f"{project.value / total.value:.3g} times the run: " if total and total.value else ""
    return f"with preliminary and failed runs, {times}{amount(project, MARKDOWN)}"


def _grid(footprint: Footprint) -> str:
    said = [
        f"{MARKDOWN.exactly(grid.value)} gCO2e/kWh "
        f"({'given' if grid.given else MARKDOWN.text(grid.note)})"
        for grid in grids(footprint)
    ]
    return f"{'; '.join(said)}; location-based" if said else "not used"


def _count(value: float | None) -> str:
    return "not known" if value is None else MARKDOWN.number(value)


def _range(quantity: Quantity) -> str:
    span = interval(quantity, MARKDOWN)
    return f" ({span})" if span else ""


def _amount(quantity: Quantity | None) -> str:
    return known(quantity, MARKDOWN) + ("" if quantity is None else _range(quantity))

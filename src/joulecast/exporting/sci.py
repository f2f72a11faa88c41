"""Software Carbon Intensity for AI: training in the Provider score, per functional unit."""

from __future__ import annotations

from typing import NamedTuple

from joulecast.answers.footprint import Footprint
from joulecast.answers.quantity import Quantity
from joulecast.citing.markup import MARKDOWN
from joulecast.citing.methods import name_of
from joulecast.exporting import md
from joulecast.exporting.facts import grids, made_with, needed
from joulecast.exporting.tables import amount, known

SCOPE = (
    "This is the model training of the Provider boundary, for one forecast. The Provider score "
    "also takes preparation, data engineering, other, stopped and intermediate runs, evaluation, "
    "integration and end of life: add them before publishing a score. Use belongs to the score of "
    "the Consumer and is not in it. Electricity is counted by "
    "location; contracts, certificates and offsets lower nothing."
)

RANGES = (
    "Ranges are those of the emissions; the number of functional units is taken at its value "
    "of the plan. All three units are given because each hides something the others show: a "
    "score per parameter falls with a larger model, a score per token with more data."
)


class Score(NamedTuple):
    """Grams of CO2e over so many functional units, shown in a multiple that reads well."""

    unit: str
    units: float
    per: float
    per_name: str
    why: str

    def grams(self, total_g: float) -> float:
        """Score [g CO2e per `per_name`].

        >>> round(Score("FLOP", 5e22, 1e18, "10¹⁸ FLOP", "").grams(200_000e3), 6)
        4000.0
        """
        return total_g / self.units * self.per


def write(footprint: Footprint) -> str:
    """O, M, R and the score in each of the three functional units."""
    total = needed(footprint, "total_kgco2e", "sci")
    return md.joined(
        f"# Software Carbon Intensity of training: {MARKDOWN.text(name_of(footprint))}",
        "SCI = (O + M) per R, with O = E x I (ISO/IEC 21031:2024; functional units of SCI for AI).",
        _terms(footprint),
        "## Score",
        _scores(footprint, total),
        RANGES,
        *md.beside(footprint),
        "## Boundary",
        SCOPE,
        *md.grounds(footprint, ("iso-21031-2024", "sci-for-ai-2026")),
        f"Made with {made_with(footprint)}; a forecast, not a measurement, which the specification "
        "allows if it is said.",
    )


def _terms(footprint: Footprint) -> str:
    intensities = [
        f"{MARKDOWN.exactly(one.value)} gCO2e/kWh"
        + (f" ({MARKDOWN.text(one.whose)})" if one.whose else "")
        for one in grids(footprint)
    ]
    grid = "; ".join(intensities) or "not used: emissions given"
    making = known(footprint.embodied, MARKDOWN)
    making += ", left out" if footprint.embodied is None else ""
    rows = [
        ("E", "energy of the facility", known(footprint.energy, MARKDOWN)),
        ("I", "location-based grid intensity", grid),
        ("O", "operation, E x I", known(footprint.operational, MARKDOWN)),
        ("M", "making of the hardware, by time reserved over its service life", making),
        ("C", "O + M", known(footprint.total, MARKDOWN)),
    ]
    return md.table(("Term", "Meaning", "Value"), rows)


def units_of(footprint: Footprint) -> list[Score]:
    """The functional units that the answer knows, gross: all weights, all tokens, all FLOP."""
    plan, flop = footprint.plan, footprint.training_flop
    runs = plan.get("runs", 1)
    found = []
    if flop is not None:
        why = "tracks the work done; gross and effective are the same, recomputation not counted"
        found.append(Score("FLOP", flop.value, 1e18, "10¹⁸ FLOP", why))
    if plan.get("tokens"):
        why = "tracks the data; gross, repeats counted"
        found.append(
            Score("training token", plan["tokens"] * runs, 1e6, "million training tokens", why)
        )
    if plan.get("params"):
        why = "tracks the size; gross, all weights"
        found.append(Score("parameter", plan["params"], 1e9, "billion parameters", why))
    return found


def effective_units_of(footprint: Footprint) -> list[Score]:
    """The same units without repeated tokens and idle weights, where they differ."""
    plan = footprint.plan
    active, unique = plan.get("active_params"), plan.get("unique_tokens")
    found = []
    if unique and unique != plan.get("tokens"):
        runs = plan.get("runs", 1)
        why = "effective, repeats left out"
        found.append(Score("distinct token", unique * runs, 1e6, "million distinct tokens", why))
    if active and active != plan.get("params"):
        why = "effective, weights used per token"
        found.append(Score("active parameter", active, 1e9, "billion active parameters", why))
    return found


def _scores(footprint: Footprint, total: Quantity) -> str:
    grams = total.to("g")
    rows = []
    for score in [*units_of(footprint), *effective_units_of(footprint)]:
        value, low, high = (score.grams(g) for g in (grams.value, grams.p10, grams.p90))
        span = "exact" if low == high else f"{_mass(low)} to {_mass(high)}"
        rows.append((f"per {score.unit}", f"{_mass(value)} per {score.per_name}", span, score.why))
    if not rows:
        return "No functional unit is known: give parameters and tokens, or FLOP."
    return md.table(("R", "Score", "80 % prediction range", "Why, and what is counted"), rows)


def _mass(grams: float) -> str:
    """A mass in the unit that reads best."""
    quantity = Quantity(*(grams / 1000,) * 6, "kgCO2e")
    return amount(quantity, MARKDOWN)

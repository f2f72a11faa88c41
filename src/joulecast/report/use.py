"""The use of a model as text: beside the footprint of its training, never in it."""

from __future__ import annotations

from collections.abc import Mapping

from joulecast import units
from joulecast.answers.footprint import UsePhase
from joulecast.answers.quantity import Quantity
from joulecast.by_hand import mass_unit
from joulecast.report.words import LEAST_SHARE, readable_of_use, two, wrapped

#: Result -> what a reader of a table calls it.
LABELS = {
    "energy_per_output_token_j": "A generated token",
    "energy_per_request_wh": "A request",
    "emissions_per_request_gco2e": "Emissions of a request",
    "requests_per_year": "Requests in a year",
    "energy_per_year_kwh": "A year of use",
    "operational_per_year_kgco2e": "Emissions of a year of use",
    "operational_over_years_kgco2e": "Emissions of all years of use",
    "break_even_days": "As much as training after",
}


def use_lines(use: UsePhase, place: str = "") -> list[str]:
    """What a token, a request and a year of use take, and when use exceeds training.

    `place` is named where training may have been elsewhere.
    """
    plan, found = use.plan, use.results
    devices = f"{plan['device_count']} x {plan['device']}, weights at {plan['precision']}"
    where = f", {place}" if place else ""
    lines = [f"Use, once trained (on {devices}{where}; in no figure above)"]
    rows = [
        ("A token", found["energy_per_output_token_j"]),
        ("A request", found["energy_per_request_wh"]),
        ("", found["emissions_per_request_gco2e"]),
        ("A year", found["energy_per_year_kwh"]),
        ("", found["operational_per_year_kgco2e"]),
        ("All years", found["operational_over_years_kgco2e"]),
        ("Break-even", found["break_even_days"]),
    ]
    lines += [_line(label, quantity) for label, quantity in rows if quantity is not None]
    if found["break_even_days"] is None:
        lines += wrapped("no demand given, so no year and no break-even: --use-tokens 1T/year")
    whole = sum(part.value for part in use.parts.values())
    parts = ", ".join(f"{name} {q.value / whole:.0%}" for name, q in use.parts.items())
    alone = found["device_energy_per_output_token_j"]
    assert alone is not None
    lines += wrapped(f"devices alone {two(alone.value)} J a token: {parts}")
    ratio = found["serving_ratio"]
    if ratio is not None:
        lines += wrapped(
            f"a FLOP of generating emits {two(ratio.value)} times one of training "
            f"({two(ratio.p10)} to {two(ratio.p90)}): --serving-ratio of optimum"
        )
    lines += [*_sizes(use), *_drivers(use)]
    return lines


def _line(label: str, quantity: Quantity) -> str:
    best, unit = readable_of_use(quantity)
    value = f"{two(best.value)} {unit}"
    return f"  {label:<11}{value:<30}{two(best.p10)} to {two(best.p90)} {unit}"


def _sizes(use: UsePhase) -> list[str]:
    """Effect of the size of the model, on the same training tokens, as a small table."""
    head = ("parameters", "J a token", "training", "a year of use", "break-even")
    rows = [head, *(_sized(row) for row in use.by_size)]
    lines = ["  by size of the model, on the same training tokens and the same demand"]
    lines += ["    " + "".join(f"{cell:<15}" for cell in row).rstrip() for row in rows]
    return lines


def _sized(row: Mapping[str, float | None]) -> tuple[str, ...]:
    params, energy = row["params"], row["energy_per_output_token_j"]
    days = row["break_even_days"]
    assert params is not None and energy is not None
    masses = (row["training_total_kgco2e"], row["operational_per_year_kgco2e"])
    after = "-" if days is None else f"{two(days)} days"
    return (two(params), two(energy), *map(_mass, masses), after)


def _mass(kgco2e: float | None) -> str:
    if kgco2e is None:
        return "-"
    unit, size = mass_unit(kgco2e)
    return f"{two(kgco2e * units.kilogram / size)} {unit}"


def _drivers(use: UsePhase) -> list[str]:
    main = [driver for driver in use.drivers if driver.share >= LEAST_SHARE][:5]
    if not main:
        return []
    return wrapped(f"range from {', '.join(f'{d.name} {d.share:.0%}' for d in main)}")

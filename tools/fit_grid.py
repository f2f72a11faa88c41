"""Work out the trends and spreads of grid intensity that defaults.toml states, from our own tables.

    python tools/fit_grid.py [hardware_specs]

Prints each default with its number and how it arose; a test compares them with defaults.toml.
The share-alike tables are needed for the spreads.  Logs are natural throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, log, sqrt
from pathlib import Path
from statistics import mean, pstdev
from typing import Any, NamedTuple

import typer

from joulecast.data import specs
from joulecast.data.places import UNION
from joulecast.resolve.place import SPLIT_COUNTRIES

SPECS = Path(__file__).parents[1] / "hardware_specs"
FIRST, LAST = 2015, 2024
PAIRS_YEAR = "2024"
PROVINCES_YEAR = "2023"

#: Members of the European Union since 2020.
MEMBERS = (
    "AUT", "BEL", "BGR", "HRV", "CYP", "CZE", "DNK", "EST", "FIN",
    "FRA", "DEU", "GRC", "HUN", "IRL", "ITA", "LVA", "LTU", "LUX",
    "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "ESP", "SWE",
)  # fmt: skip

#: Countries that would say more of one data set's slip than of how well two sources agree.
LEFT_OUT = {"BHR": "902 g/kWh in Ember, 488 in Electricity Maps, for a grid fed by gas alone"}


class Found(NamedTuple):
    """A default as it comes out of the tables."""

    name: str
    value: float
    how: str


def main(folder: Path = SPECS) -> None:
    """Print every default that rests on the grid tables."""
    for found in fit(folder):
        print(f"{found.name} = {found.value:.2g}  # {found.how}")


def fit(folder: Path) -> list[Found]:
    """Trends of Ember's series and spreads between and within the tables of a folder."""
    tables = specs.parse_folder(folder)
    ember: Mapping[str, Mapping[str, float]] = tables["grids_ember"]
    cloud = sorted({row["iso3"] for rows in tables["regions"].values() for row in rows.values()})
    steps = {iso3: _steps(ember[iso3]) for iso3 in cloud if iso3 in ember}
    world = _steps(ember["WLD"])
    span = f"{FIRST} to {LAST}"
    pairs = _pairs(ember, tables["countries"], tables["grids_electricitymaps"])
    groups: dict[str, list[str]] = {"clean": [], "dirty": [], "sparse": []}
    limit = tables["defaults"]["grid_clean_below"]["value"]
    for iso3 in pairs:
        clean = ember[iso3][PAIRS_YEAR] < limit
        groups["sparse" if iso3 not in cloud else "clean" if clean else "dirty"].append(iso3)
    return [
        Found(
            "grid_trend.country",
            exp(mean(mean(years) for years in steps.values())) - 1,
            f"mean yearly change, {len(steps)} countries with a cloud region, {span}",
        ),
        Found("grid_trend.world", exp(mean(world)) - 1, f"mean yearly change, world, {span}"),
        Found(
            "grid_spread.year_step",
            pstdev([step for years in steps.values() for step in years]),
            f"yearly change of the log, {len(steps)} countries with a cloud region, {span}",
        ),
        *(
            Found(
                f"grid_spread.{name}",
                _root_mean_square(pairs[iso3] for iso3 in group),
                f"log of Electricity Maps over Ember, {PAIRS_YEAR}, {len(group)} countries, mean "
                f"{mean(pairs[iso3] for iso3 in group):+.2f}"
                + (f": {' '.join(group)}" if name != "sparse" else ""),
            )
            for name, group in groups.items()
        ),
        _split(ember, tables),
        _union(ember),
        _province(tables["grids_direct"]),
    ]


def _steps(years: Mapping[str, float]) -> list[float]:
    """Change of the log from each year to the next."""
    pairs = ((str(year), str(year + 1)) for year in range(FIRST, LAST))
    return [log(years[after] / years[before]) for before, after in pairs]


def _pairs(
    ember: Mapping[str, Mapping[str, float]],
    countries: Mapping[str, Mapping[str, str]],
    zones: Mapping[str, Mapping[str, float]],
) -> dict[str, float]:
    """Country -> log of Electricity Maps over Ember, where both have the whole country."""
    found = {}
    for iso3, row in countries.items():
        ours, theirs = ember.get(iso3, {}), zones.get(row["iso2"], {})
        if PAIRS_YEAR in ours and PAIRS_YEAR in theirs and iso3 not in LEFT_OUT:
            found[iso3] = log(theirs[PAIRS_YEAR] / ours[PAIRS_YEAR])
    return found


def _split(ember: Mapping[str, Mapping[str, float]], tables: Mapping[str, Any]) -> Found:
    """How far zones lie from the mean of their country."""
    off = [
        log(tables["grids_electricitymaps"][zone][PAIRS_YEAR] / ember[row["iso3"]][PAIRS_YEAR])
        for zone, row in tables["zones"].items()
        if row["iso3"] in SPLIT_COUNTRIES and "-" in zone
        if PAIRS_YEAR in tables["grids_electricitymaps"].get(zone, {})
    ]
    how = f"log of zone over country, {PAIRS_YEAR}, {len(off)} zones of {len(SPLIT_COUNTRIES)}"
    return Found("grid_spread.split", _root_mean_square(off), f"{how} countries")


def _union(ember: Mapping[str, Mapping[str, float]]) -> Found:
    """How far the members of the European Union lie from its mean."""
    off = [log(ember[iso3][PAIRS_YEAR] / ember[UNION][PAIRS_YEAR]) for iso3 in MEMBERS]
    how = f"log of member over European Union, {PAIRS_YEAR}, {len(off)} countries"
    return Found("grid_spread.union", _root_mean_square(off), how)


def _province(direct: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Found:
    """How far the provinces of China lie apart, by their direct factors."""
    logs = [
        log(float(years[PROVINCES_YEAR]["gco2e_per_kwh"]))
        for area, years in direct.items()
        if area.startswith("CN-")
    ]
    how = f"log of the direct factors of {len(logs)} provinces of China, {PROVINCES_YEAR}"
    return Found("grid_spread.province", pstdev(logs), how)


def _root_mean_square(values: Iterable[float]) -> float:
    """About zero, not about their mean: no correction is made for one source reading lower."""
    return sqrt(mean(value**2 for value in values))


if __name__ == "__main__":
    typer.run(main)

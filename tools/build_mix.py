"""Builds mix.csv, what a country's electricity is made from, from Our World in Data's table.

    python tools/build_mix.py owid-energy-data.csv [--year 2021] [--out hardware_specs]

Keeps countries of countries.csv that have coal, gas, oil, nuclear, hydro and the rest for the year
[TWh]; the world is the sum of those kept, which the file says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from tables import number, read_rows, write_table

#: Our column -> column of Our World in Data.
COLUMNS = {
    "coal": "coal_electricity",
    "gas": "gas_electricity",
    "oil": "oil_electricity",
    "nuclear": "nuclear_electricity",
    "hydro": "hydro_electricity",
    "bioenergy": "biofuel_electricity",
    "geothermal": "other_renewable_exc_biofuel_electricity",
    "solar": "solar_electricity",
    "wind": "wind_electricity",
}


def main(
    table: Path,
    year: Annotated[int, typer.Option(help="Year of the mix.")] = 2021,
    out: Path = Path("hardware_specs"),
) -> None:
    """Write mix.csv and print how many countries it holds."""
    known = {row["iso3"] for row in read_rows(out / "countries.csv", ("iso3",))}
    rows = mixes(table, year, known)
    count = write_table(
        out / "mix.csv",
        (
            "Electricity generated in a country, by what it was made from.",
            "Source: owid-mix-2021 (Our World in Data, Ember and the Energy Institute).",
            "Licence: CC BY 4.0: attribute Ember and Our World in Data.",
            "iso3: country, WLD is the sum of those listed. year. Others: TWh; geothermal holds"
            " all renewables without a column. Countries with a factor in water.csv or a large"
            " cloud region.",
        ),
        ("iso3", "year", *COLUMNS),
        [[iso3, str(year), *(number(cell, 6) for cell in cells)] for iso3, cells in rows],
    )
    print(f"mix.csv: {count} rows")


def mixes(path: Path, year: int, known: set[str]) -> list[tuple[str, list[float]]]:
    """(iso3, TWh by column) of each known country, then their sum as WLD; no figure counts as 0."""
    found = [
        (row["iso_code"], [float(row[column] or 0) for column in COLUMNS.values()])
        for row in read_rows(path, ("iso_code", "year", *COLUMNS.values()))
        if row["year"] == str(year) and row["iso_code"] in known
    ]
    found = [(iso3, cells) for iso3, cells in sorted(found) if sum(cells) > 0]
    world = [sum(column) for column in zip(*(cells for _, cells in found), strict=True)]
    return [*found, ("WLD", world)]


if __name__ == "__main__":
    typer.run(main)

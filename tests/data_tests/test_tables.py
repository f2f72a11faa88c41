"""The tables of places: every number plausible, every code known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import bundled_tables, each

from joulecast import Library, Plan, estimate

CORE, ODBL = bundled_tables()
REGIONS = {
    f"{provider}:{name}": row
    for provider, rows in CORE["regions"].items()
    for name, row in rows.items()
}
YEARLY = ("grids_ember", "grids_direct", "providers")
YEARLY_ODBL = ("grids_electricitymaps", "grids_within_country")


def intensities() -> Iterator[tuple[str, float]]:
    """(where, g/kWh) of every grid figure."""
    for table in (CORE["grids_ember"], ODBL["grids_electricitymaps"]):
        for place, years in table.items():
            yield from ((f"{place} {year}", value) for year, value in years.items())
    for place, years in CORE["grids_direct"].items():
        yield from ((f"{place} {y} direct", float(r["gco2e_per_kwh"])) for y, r in years.items())
    for place, years in ODBL["grids_within_country"].items():
        for year, row in years.items():
            yield from ((f"{place} {year} {end}", float(row[end])) for end in ("p5", "p95"))


def pues() -> Iterator[tuple[str, float]]:
    """(where, PUE) of every table that has one."""
    for name, years in CORE["providers"].items():
        for year, row in years.items():
            for column in ("pue", "pue_low", "pue_high"):
                if row[column]:
                    yield f"{name} {year} {column}", float(row[column])
    for name, row in REGIONS.items():
        for column, cell in row.items():
            if column.startswith("pue_2") and cell:
                yield f"{name} {column}", float(cell)
    figures = {key: site["pue"] for key, site in CORE["sites"].items() if "pue" in site}
    for name, figure in {**figures, "default": CORE["defaults"]["pue"]}.items():
        yield from ((f"{name} {end}", figure[end]) for end in ("low", "value", "high"))


def test_grid_intensities_lie_between_1_and_1500() -> None:
    found = list(intensities())
    assert len(found) > 5000
    assert not [(where, value) for where, value in found if not 1 <= value <= 1500]


def test_pue_is_never_below_one() -> None:
    found = list(pues())
    assert len(found) > 300
    assert not [(where, value) for where, value in found if not 1 <= value < 3]


def test_provider_ranges_are_ordered() -> None:
    for name, years in CORE["providers"].items():
        for year, row in years.items():
            if row["pue"]:
                ends = [float(row[column]) for column in ("pue_low", "pue", "pue_high")]
                assert ends == sorted(ends), f"{name} {year}"


def test_zone_ranges_are_ordered() -> None:
    for iso3, years in ODBL["grids_within_country"].items():
        assert iso3 in CORE["countries"]
        for year, row in years.items():
            assert float(row["p5"]) < float(row["p95"]), f"{iso3} {year}"


@pytest.mark.parametrize("table", [*YEARLY, *YEARLY_ODBL])
def test_years_are_years(table: str) -> None:
    rows = (ODBL if table in YEARLY_ODBL else CORE)[table]
    years = {int(year) for place in rows.values() for year in place}
    assert min(years) >= 2000
    assert max(years) <= 2026


def test_region_columns_are_years_the_code_reads() -> None:
    columns = set(next(iter(REGIONS.values())))
    assert {c for c in columns if c.startswith("pue_2")} == {f"pue_{y}" for y in range(2022, 2026)}
    assert {c for c in columns if c.startswith("wue_")} == {f"wue_{y}" for y in (2022, 2024, 2025)}


def test_country_codes_are_unique_and_well_formed() -> None:
    two = [row["iso2"] for row in CORE["countries"].values()]
    assert len(set(two)) == len(two) > 200
    assert all(len(code) == 2 and code.isupper() for code in two)
    assert all(len(code) == 3 and code.isupper() for code in CORE["countries"])


def test_every_place_lies_in_a_known_country() -> None:
    zones = {key: row for key, row in ODBL["zones"].items() if "-" in key}
    rows = {**REGIONS, **CORE["states"], **CORE["sites"], **zones}
    unknown = {
        key: row["iso3"] for key, row in rows.items() if row["iso3"] not in CORE["countries"]
    }
    assert not unknown
    assert set(CORE["grids_ember"]) - set(CORE["countries"]) <= {"WLD"}
    assert set(CORE["water"]) - set(CORE["countries"]) <= {"WLD"}


def test_every_zone_named_exists_in_the_same_country() -> None:
    rows = {**REGIONS, **CORE["states"], **CORE["sites"]}
    for key, row in rows.items():
        if row.get("zone"):
            assert row["zone"] in ODBL["zones"], key
            assert ODBL["zones"][row["zone"]]["iso3"] == row["iso3"], key
    assert set(ODBL["grids_electricitymaps"]) <= set(ODBL["zones"])


def test_every_egrid_subregion_has_a_direct_factor() -> None:
    rows = {**REGIONS, **CORE["states"]}
    areas = {f"egrid:{row['egrid_subregion']}" for row in rows.values() if row["egrid_subregion"]}
    assert areas <= set(CORE["grids_direct"])


@each("key", [*REGIONS, *CORE["states"], *CORE["sites"]])
def test_every_cloud_region_state_and_site_can_be_estimated(key: str) -> None:
    plan = Plan(params=1e9, tokens=2e10, device="a100-sxm-80", region=key, year=2024)
    footprint = estimate(plan, Library.bundled())
    assert footprint.plan["region"] == key
    assert footprint.total is not None
    assert 0 < footprint.total.p10 <= footprint.total.p50 <= footprint.total.p90


@pytest.mark.parametrize(
    ("iso3", "year", "grams"),
    [
        # Ember, Yearly Electricity Data, life-cycle, g/kWh.
        ("USA", 2024, 384),
        ("USA", 2020, 412),
        ("FRA", 2024, 40),
        ("FRA", 2022, 79),
        ("DEU", 2024, 336),
        ("SWE", 2022, 41),
        ("CHN", 2024, 555),
        ("TWN", 2024, 635),
        ("WLD", 2024, 471),
    ],
)
def test_grid_table_holds_the_published_figures(iso3: str, year: int, grams: float) -> None:
    found = Library.bundled().national_grid(iso3, year)
    assert found is not None
    assert found.year == year
    assert found.value == pytest.approx(grams, abs=0.6)


@pytest.mark.parametrize(
    ("area", "grams"),
    # EPA eGRID2024, direct, g/kWh.
    [
        ("egrid:SRVC", 291),
        ("egrid:RFCW", 406),
        ("egrid:ERCT", 319),
        ("egrid:CAMX", 184),
        ("egrid:SRTV", 429),
    ],
)
def test_egrid_table_holds_the_published_figures(area: str, grams: float) -> None:
    found = Library.bundled().direct_grid(area, 2024)
    assert found is not None
    assert (found.year, round(found.value)) == (2024, grams)

"""Two conventions that are switches: reservoirs in off-site water, the building in the making."""

from __future__ import annotations

import pytest
from conftest import bundled_tables
from pytest import approx

from joulecast import Footprint, Library, Plan, estimate
from joulecast.errors import InputError

RUN = {"params": 7e9, "tokens": 2e12, "device": "h100-sxm", "year": 2024}
CORE, _ = bundled_tables()
BOTH = sorted((set(CORE["mix"]) & set(CORE["water"])) - {"WLD"})


def factor(footprint: Footprint) -> tuple[float, str, str]:
    """Off-site water per kWh: value, source and note."""
    found = next(a for a in footprint.assumptions if a.name == "water_factor_l_per_kwh")
    return found.value, found.source, found.note


@pytest.mark.parametrize("iso3", BOTH)
def test_leaving_reservoirs_out_never_adds_water(iso3: str) -> None:
    (all_in, _, _), (without, source, note) = (
        factor(estimate(Plan(**RUN, region=iso3, hydro_evaporation=convention)))
        for convention in ("include", "exclude")
    )
    assert 0 < without < all_in
    assert source == "macknick-2012"
    assert "reservoir evaporation left out" in note


def test_the_convention_is_said_with_the_flag_that_changes_it() -> None:
    value, source, note = factor(estimate(Plan(**RUN, region="us")))
    assert value == approx(3.13, abs=0.005)  # World Resources Institute 2020
    assert source == "wri-2020"
    assert "all reservoir evaporation (--hydro-evaporation exclude)" in note


def test_without_reservoirs_a_grid_of_hydropower_needs_next_to_no_water() -> None:
    norway, _, _ = factor(estimate(Plan(**RUN, region="no", hydro_evaporation="exclude")))
    assert norway < 0.05


def test_factor_of_one_kind_of_plant_is_that_of_the_kind() -> None:
    """Qatar burns gas alone: 287 gal/MWh (Macknick et al. 2012)."""
    qatar, _, _ = factor(estimate(Plan(**RUN, region="qa", hydro_evaporation="exclude")))
    assert qatar == approx(287 * 3.785412 / 1000, rel=2e-3)


def test_country_without_a_mix_takes_that_of_the_world_and_says_so() -> None:
    _, _, note = factor(estimate(Plan(**RUN, region="ke", hydro_evaporation="exclude")))
    assert note.startswith("Kenya not tabulated: world, mix of 2021")


def test_a_given_factor_follows_a_convention_of_its_own() -> None:
    plan = Plan(
        **RUN, region="us", hydro_evaporation="exclude", given={"water_factor_l_per_kwh": 2}
    )
    with pytest.raises(InputError, match="hydro_evaporation: exclude: cannot be combined with"):
        estimate(plan)


def test_building_is_left_out_unless_it_is_asked_for() -> None:
    without = estimate(Plan(**RUN, region="fr"))
    whole = estimate(Plan(**RUN, region="fr", include_building=True))
    made = {name: q.value for name, q in whole.quantities.items() if q and "making" in name}
    assert without.quantities["building_making_kgco2e"] == (0.0,) * 6 + ("kgCO2e",)
    assert made["building_making_kgco2e"] > 0
    assert without.embodied and whole.embodied and without.total and whole.total
    assert whole.embodied.value == approx(sum(made.values()))
    assert whole.embodied.value - without.embodied.value == approx(made["building_making_kgco2e"])
    assert whole.total.value - without.total.value == approx(made["building_making_kgco2e"])
    share = next(a for a in whole.assumptions if a.name == "building_embodied_share")
    assert (share.source, share.flag) == ("schneider-2025", "--include-building")


def test_parts_of_the_making_sum_to_it_in_the_json() -> None:
    results = estimate(Plan(**RUN, region="fr", include_building=True)).to_dict()["results"]
    parts = results["embodied_parts_kgco2e"]
    assert set(parts) == {"device", "host", "network", "building"}
    assert sum(part["value"] for part in parts.values()) == approx(
        results["embodied_kgco2e"]["value"]
    )
    assert (
        "of which the building"
        in estimate(Plan(**RUN, region="fr", include_building=True)).explain()
    )


def test_a_system_figure_has_no_host_of_its_own() -> None:
    tpu = estimate(Plan(**RUN | {"device": "tpu-v6e"}, region="fr"))
    assert tpu.quantities["host_making_kgco2e"] is not None
    assert tpu.quantities["host_making_kgco2e"].value == 0


def test_a_switch_that_changes_nothing_says_so() -> None:
    given = {"energy_kwh": 1000}
    found = estimate(Plan(region="fr", year=2024, given=given, include_building=True))
    assert "include_building was given, but" in " ".join(n.message for n in found.warnings)


def test_mix_of_the_world_is_the_sum_of_its_rows() -> None:
    for column in ("coal", "hydro", "wind"):
        rows = {iso3: float(row[column]) for iso3, row in CORE["mix"].items()}
        world = rows.pop("WLD")
        assert world == approx(sum(rows.values()), rel=1e-5)
    assert Library.bundled().generation("WLD") is not None

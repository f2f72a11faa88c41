"""Fleets, and what stands beside the emissions: laws, numbers and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import Footprint, JoulecastError, Plan, estimate
from joulecast.terms import EMBODIED_PARTS, PARTS, RESULTS
from joulecast.whatif.solving import solve

RUN: dict[str, Any] = {"params": 7e9, "tokens": 1e12, "year": 2024, "region": "fr"}
ENTRIES = (
    {"device": "h100-sxm", "device_count": 64, "share": 0.5},
    {"device": "tpu-v5p", "device_count": 128, "share": 0.3, "region": "us-ia"},
    {"device": "a100-sxm-80", "share": 0.2, "region": "pl"},
)
LEVELS = ("value", "p5", "p10", "p50", "p90", "p95")
ADDED = [name for name in (*RESULTS, *PARTS.values()) if name != "utilisation"]


def fleet(*entries: dict[str, Any], **more: Any) -> Footprint:
    return estimate(Plan(**RUN | more, fleet=entries))


def same(one: Footprint, other: Footprint, without: tuple[str, ...] = ()) -> None:
    for name, quantity in one.quantities.items():
        if name in without:
            continue
        twin = other.quantities[name]
        if quantity is None or twin is None:
            assert quantity is twin, name
            continue
        for level in LEVELS:
            expected = pytest.approx(getattr(twin, level), rel=1e-9, abs=1e-9)
            assert getattr(quantity, level) == expected, (name, level)


def test_a_fleet_of_one_type_is_the_plain_estimate() -> None:
    plain = estimate(Plan(**RUN, device="h100-sxm", device_count=64))
    one = fleet({"device": "h100-sxm", "device_count": 64})
    own = {name: one.to_dict()[name] for name in ("asked", "fleet")}
    assert one.to_dict() == plain.to_dict() | own


@settings(max_examples=10)
@given(share=st.floats(0.01, 0.99))
def test_splitting_a_run_in_two_changes_nothing(share: float) -> None:
    entry = {"device": "h100-sxm", "device_count": 64}
    around = {
        "storage_tb": 500,
        "storage_months": 12,
        "transfer_tb": [10, 40],
        "project_ablations": "published",
        "project_search": 0.1,
    }
    two = fleet({**entry, "share": share}, entry, given=around)
    plain = estimate(Plan(**RUN, device="h100-sxm", device_count=64, given=around))
    same(two, plain, without=("wall_clock_days",))
    assert dict(two.drivers) == pytest.approx(dict(plain.drivers), abs=1e-6)


def test_splitting_hours_in_two_changes_nothing() -> None:
    entry = {"device": "h100-sxm", "device_count": 8}
    nothing: dict[str, Any] = {"params": None, "tokens": None}
    whole = fleet({**entry, "hours": 100}, **nothing)
    parts = fleet({**entry, "hours": 30}, {**entry, "hours": "70 h"}, **nothing)
    same(parts, whole, without=("wall_clock_days",))
    plain = estimate(Plan(year=2024, region="fr", device="h100-sxm", device_count=8,
                          given={"device_hours": 800}))  # fmt: skip
    same(whole, plain, without=("wall_clock_days",))


@given(order=st.permutations(range(3)))
@settings(max_examples=6)
def test_the_order_of_entries_never_matters(order: list[int]) -> None:
    same(fleet(*(ENTRIES[i] for i in order)), fleet(*ENTRIES))


def test_entries_sum_to_the_total_and_parts_to_each_entry() -> None:
    footprint = fleet(*ENTRIES)
    for name in ADDED:
        total = footprint.quantities[name]
        if total is not None:
            parts = [part.quantities[name] for part in footprint.fleet]
            assert sum(part.value for part in parts if part) == pytest.approx(total.value)
    for quantities in (footprint.quantities, *(part.quantities for part in footprint.fleet)):
        for names, whole in ((PARTS, "total_kgco2e"), (EMBODIED_PARTS, "embodied_kgco2e")):
            found = [quantities[name] for name in names.values()]
            total = quantities[whole]
            assert total is not None
            assert sum(part.value for part in found if part) == pytest.approx(total.value)
    assert footprint.by_hand[-1].result == pytest.approx(footprint.total.to("t").value)  # type: ignore[union-attr]


def test_what_entries_share_is_not_averaged_away() -> None:
    """Two halves in one country have one grid; halves in two countries have two."""
    half = {"device": "h100-sxm", "share": 0.5}
    given = {"utilisation": 0.4, "device_power_w": 600, "host_power_w": 300, "pue": 1.1}
    together = fleet(half, half, given=given).total
    apart = fleet(half, {**half, "region": "be"}, region="nl", given=given).total
    assert together is not None and apart is not None
    assert apart.p90 / apart.p10 < together.p90 / together.p10


def test_the_answer_says_each_type_and_fits_its_schema() -> None:

    footprint = fleet(*ENTRIES)
    answer = footprint.to_dict()
    fits(answer, "estimate")
    assert [part["device"] for part in answer["fleet"]] == ["h100-sxm", "tpu-v5p", "a100-sxm-80"]
    assert [part["share"] for part in answer["fleet"]] == [0.5, 0.3, 0.2]
    text = footprint.explain()
    assert "64 x NVIDIA H100 SXM5 80 GB, France" in text and "together" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_plan_file_holds_a_fleet_both_ways(tmp_path: Path) -> None:
    plan = Plan(**RUN, fleet=ENTRIES, embodied_mode="amortised", currency="EUR")
    plan.save(tmp_path / "plan.toml")
    assert Plan.read(tmp_path / "plan.toml") == plan


WRONG: tuple[tuple[tuple[dict[str, Any], ...], dict[str, Any], str], ...] = (
    (({"device": "h100-sxm", "share": 0.5},), {}, "fleet.share: 0.5: is the sum of the shares, not 1"),
    (({"device": "h100-sxm", "share": 0.7}, {"device": "b200-sxm", "share": 0.7}), {}, "fleet.share: 1.4: is more than the whole run; try less"),
    (({"device": "h100-sxm"}, {"device": "b200-sxm"}), {}, "fleet.share: is missing in 2 entries: one at most may be left to be the rest; try share = 0.5, hours = 100"),
    (({"device": "h100-sxm", "share": 0.5, "hours": 5},), {}, "fleet.share: 0.5: cannot be combined with hours: an entry has one of the two"),
    (({"device": "h100-sxm", "share": 2},), {}, "fleet.share: 2: must be above 0 and at most 1; try 0.5"),
    (({"device": "h100-sxm", "hours": 5},), {}, "fleet.device_count: is missing: hours are of one device; try device_count = 8"),
    (({"share": 1},), {}, "fleet.device: is missing"),
    (({"device": "h100-sxm", "count": 8},), {}, "fleet.count: is not a key of [[fleet]]; try device_count"),
    (({"device": "h100-sxm"},), {"device_count": 8}, "device_count: 8: belongs to the entries of the fleet; try device_count under [[fleet]]"),
    (({"device": "h100-sxm", "device_count": 8, "hours": 5},), {"given": {"energy_kwh": 5}}, "energy_kwh: 5: cannot be combined with the hours of a fleet; try giving one of the two"),
    (({"device": "h100-sxm"},), {"embodied_mode": "purchase"}, "embodied_mode: purchase: needs the number of devices bought; try --device-count 64"),
)  # fmt: skip


@pytest.mark.parametrize(("entries", "more", "message"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_in_a_fleet_gets_one_line(
    entries: tuple[dict[str, Any], ...], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(JoulecastError) as error:
        fleet(*entries, **more)
    assert str(error.value) == message


def test_a_tornado_moves_an_unknown_in_all_entries_that_share_it() -> None:
    halves = ({"device": "h100-sxm", "device_count": 32, "share": 0.5},) * 2
    whole = {bar.name: bar for bar in fleet(ENTRIES[0] | {"share": 1}).tornado()}
    split = {bar.name: bar for bar in fleet(*halves).tornado()}
    assert split.keys() == whole.keys()
    for name, bar in split.items():
        assert bar[2:] == pytest.approx(whole[name][2:], rel=1e-6), name
    bars = {bar.name: bar for bar in fleet(*ENTRIES).tornado()}
    assert sum(bar.share for bar in bars.values()) == pytest.approx(1)
    # One entry's grid moves less than the grid of all would; a factor of all moves all.
    assert bars["flop_per_param_token"].at_p90 == pytest.approx(
        whole["flop_per_param_token"].at_p90, rel=1e-6
    )
    poland = bars["grid_gco2e_per_kwh (grid.pol.2024)"]
    assert 1 < poland.at_p90 < poland.p90 / poland.p10


def plain(**more: Any) -> dict[str, float]:
    footprint = estimate(Plan(**RUN | {"device": "a100-sxm-80", "device_count": 256} | more))
    return {name: q.value for name, q in footprint.quantities.items() if q is not None}


def test_a_purchase_charges_every_device_whole() -> None:
    given = {"device_embodied_kgco2e": 150, "host_embodied_kgco2e": 350, "hardware_mass_kg": 10}
    bought = plain(embodied_mode="purchase", given=given)
    assert bought["embodied_kgco2e"] == pytest.approx(256 * 500 * 1.1)
    assert bought["ewaste_kg"] == pytest.approx(2560)
    # Three runs on the same devices buy them once.
    assert plain(embodied_mode="purchase", runs=3, given=given)["embodied_kgco2e"] == pytest.approx(
        bought["embodied_kgco2e"]
    )
    with pytest.raises(JoulecastError, match="fewer are always better"):
        solve(Plan(**RUN, device="a100-sxm-80", embodied_mode="purchase"), "devices", {"days": 9})


@given(busy=st.floats(0.1, 1.0))
@settings(max_examples=10)
def test_idle_hours_of_the_fleet_are_shared_out(busy: float) -> None:
    some, all_ = plain(given={"fleet_utilisation": busy}), plain()
    assert some["embodied_kgco2e"] * busy == pytest.approx(all_["embodied_kgco2e"])
    assert some["operational_kgco2e"] == all_["operational_kgco2e"]


@given(share=st.floats(0.01, 1.0), site=st.floats(1.0, 900.0))
@settings(max_examples=10)
def test_what_the_site_makes_counts_at_its_own_factor(share: float, site: float) -> None:
    base = plain(given={"grid_gco2e_per_kwh": 400})
    given = {"grid_gco2e_per_kwh": 400, "onsite_share": share, "onsite_gco2e_per_kwh": site}
    mixed = plain(given=given)
    ratio = ((1 - share) * 400 + share * site) / 400
    expected = base["operational_kgco2e"] * ratio
    assert mixed["operational_kgco2e"] == pytest.approx(expected, abs=1e-9)
    named = (mixed[name] for key, name in PARTS.items() if key != "embodied")
    assert sum(named) == pytest.approx(mixed["operational_kgco2e"], abs=1e-6)


def test_contracts_and_offsets_change_nothing_but_their_own_lines() -> None:
    base = plain()
    more = plain(given={"market_gco2e_per_kwh": 0, "offsets_kgco2e": "1000 t"})
    assert {name: more[name] for name in base} == base
    assert more["market_kgco2e"] == 0 and more["offsets_kgco2e"] == pytest.approx(1e6)
    # By contract the site's own generation still emits.
    owned = plain(
        given={"market_gco2e_per_kwh": 0, "onsite_share": 0.5, "onsite_gco2e_per_kwh": 490}
    )
    assert owned["market_kgco2e"] == pytest.approx(owned["energy_kwh"] * 0.5 * 0.49)


def test_prices_are_multiplied_and_never_mixed() -> None:
    found = plain(given={"price_per_device_hour": 2, "price_per_kwh": "0.15"}, currency="EUR")
    assert found["device_cost"] == pytest.approx(2 * found["device_hours"])
    assert found["electricity_cost"] == pytest.approx(0.15 * found["energy_kwh"])
    text = estimate(Plan(**RUN, device="a100-sxm-80", currency="EUR",
                         given={"price_per_device_hour": 2})).explain()  # fmt: skip
    assert "Hire" in text and "EUR" in text and "Power bill" not in text


PRESETS = {"lab": (1.25, 3.53), "frontier": (2.26, 13.6), "unknown": (1.41, 16.3)}


@pytest.mark.parametrize("kind", PRESETS)
def test_a_kind_of_project_has_a_factor_beside_the_run(kind: str) -> None:
    """5 % and 95 % points of 1 + a log-normal that spans the published cases (docs/method/life-cycle.md)."""
    exact = {"total_kgco2e": 1000}
    footprint = estimate(Plan(project_factor=kind, given=exact, only_given=True))
    project = footprint.quantities["project_kgco2e"]
    assert project is not None and footprint.total is not None
    assert footprint.total.value == 1000
    low, high = PRESETS[kind]
    assert project.p5 / 1000 == pytest.approx(low, rel=0.02)
    assert project.p95 / 1000 == pytest.approx(high, rel=0.02)


def test_no_project_is_counted_unless_asked_for() -> None:
    assert "project_kgco2e" not in plain()


def test_a_tiny_model_is_told_in_small_units_and_with_a_wider_range() -> None:
    tiny = {"params": 670_000, "arch": "lstm", "tokens": 5e6, "year": 2024, "region": "fr"}
    small = estimate(Plan(**tiny, device="cpu-laptop"))
    assert "mgCO2e" in small.explain() and "minutes on 1 device" in small.explain()
    assert "utilisation_extrapolated" in {notice.code for notice in small.warnings}
    known = {entry.name: entry for entry in small.assumptions}
    # A laptop stands in no data centre and on no scale-out network.
    assert known["pue"].value == 1 and known["network_share"].value == 0
    assert known["utilisation"].basis == "assumed"
    large = estimate(Plan(**tiny | {"params": 1e8}, device="cpu-laptop"))
    assert "utilisation_extrapolated" not in {notice.code for notice in large.warnings}
    assert small.device_hours is not None and large.device_hours is not None
    spread = [q.p90 / q.p10 for q in (small.device_hours, large.device_hours)]
    assert spread[0] > 1.9 * spread[1]
    hosted = estimate(Plan(**tiny | {"region": "aws:eu-west-3"}, device="cpu-desktop"))
    assert {entry.name: entry.value for entry in hosted.assumptions}["pue"] > 1

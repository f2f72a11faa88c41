"""Fleets in compare, sweep, solve, advise, drivers and use: a fleet is a run, however it is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import (
    Comparison,
    Footprint,
    JoulecastError,
    Plan,
    advise,
    compare,
    estimate,
    solve,
    sweep,
)
from joulecast.answers.footprint import UsePhase
from joulecast.answers.quantity import Quantity
from joulecast.plan import varied

RUN: dict[str, Any] = {"params": 7e9, "tokens": 1e12, "year": 2024, "region": "fr"}
H100: dict[str, Any] = {"device": "h100-sxm", "device_count": 64}
MIXED: tuple[dict[str, Any], ...] = (
    {**H100, "share": 0.5},
    {"device": "tpu-v5p", "device_count": 128, "share": 0.3, "region": "us-ia"},
    {"device": "a100-sxm-80", "share": 0.2, "region": "pl"},
)
USE: dict[str, Any] = {"requests": "2M/day", "batch": [16, 64, 256]}
PLAIN = Plan(**RUN, **H100)
ONE = Plan(**RUN, fleet=[H100])
TWO = Plan(**RUN, fleet=[{**H100, "share": 0.3}, H100])


def mixed(order: list[int], **more: Any) -> Plan:
    return Plan(**RUN | more, fleet=[MIXED[i] for i in order])


def levels(quantity: Quantity | None) -> tuple[float, ...]:
    assert quantity is not None
    return quantity[:6]


def told(comparison: Comparison) -> list[Any]:
    """What a comparison says of its options, but not what they are called."""
    return [
        (*levels(option.ratio_to_first), option.probability_lowest) for option in comparison.options
    ]


# Compare.


@pytest.mark.parametrize("fleet", [ONE, TWO], ids=["one type", "cut in two"])
def test_a_run_and_the_same_as_a_fleet_are_level(fleet: Plan) -> None:
    found = compare([PLAIN, fleet])
    assert levels(found.options[1].ratio_to_first) == pytest.approx((1.0,) * 6)
    assert [option.probability_lowest for option in found.options] == [0.5, 0.5]


@pytest.mark.parametrize("fleet", [ONE, TWO], ids=["one type", "cut in two"])
def test_what_is_varied_does_to_a_fleet_what_it_does_to_the_run(fleet: Plan) -> None:
    vary = {"region": ["fr", "pl"], "tokens": [1e12, 2e12]}
    for one, other in zip(told(compare(fleet, vary)), told(compare(PLAIN, vary)), strict=True):
        assert one == pytest.approx(other, rel=1e-9)


@settings(max_examples=6)
@given(order=st.permutations(range(3)))
def test_the_order_of_entries_does_not_matter_to_a_comparison(order: list[int]) -> None:
    for on in ("total_kgco2e", "utilisation"):
        here = told(compare([PLAIN, mixed(order)], on=on))
        there = told(compare([PLAIN, mixed([0, 1, 2])], on=on))
        for one, other in zip(here, there, strict=True):
            assert one == pytest.approx(other, rel=1e-9)


def test_what_two_fleets_share_is_drawn_once() -> None:
    """The same fleet twice as long is twice as much, whatever else is unknown."""
    found = compare(mixed([0, 1, 2]), vary={"tokens": [1e12, 2e12]})
    ratio = levels(found.options[1].ratio_to_first)
    assert ratio == pytest.approx((2.0,) * 6)


def test_fleets_are_told_apart_by_what_they_hold() -> None:
    found = compare([mixed([0, 1, 2]), PLAIN])
    assert found.options[0].label == (
        "64 x h100-sxm share 0.5 + 128 x tpu-v5p in us-ia share 0.3 + a100-sxm-80 in pl share 0.2"
    )
    assert found.to_dict()["options"][0]["differs"]["fleet"] == found.options[0].label
    assert max(map(len, found.explain().splitlines())) <= 80
    hours = Plan(year=2024, region="fr", fleet=[{**H100, "hours": 9}])
    assert compare([hours, PLAIN]).options[0].label.startswith("64 x h100-sxm 9 h")


def test_elapsed_days_of_a_fleet_are_not_compared() -> None:
    with pytest.raises(JoulecastError, match="wall_clock_days: cannot be known for"):
        compare([PLAIN, mixed([0, 1, 2])], on="wall_clock_days")


# Drivers.


def bars(footprint: Footprint) -> dict[str, tuple[float, ...]]:
    return {bar.name: bar[2:] for bar in footprint.tornado()}


@pytest.mark.parametrize("fleet", [ONE, TWO], ids=["one type", "cut in two"])
def test_a_run_and_the_same_as_a_fleet_have_the_same_drivers(fleet: Plan) -> None:
    ranged = {"tokens": "0.8T..1.2T", "offsets_kgco2e": 5}
    expected = bars(estimate(PLAIN.replace(given=ranged, tokens=None)))
    found = bars(estimate(fleet.replace(given=ranged, tokens=None)))
    assert found.keys() == expected.keys() and "tokens" in found
    for name, bar in expected.items():
        assert found[name] == pytest.approx(bar, rel=1e-6, abs=1e-6), name


@settings(max_examples=6)
@given(order=st.permutations(range(3)))
def test_the_order_of_entries_does_not_matter_to_drivers(order: list[int]) -> None:
    here, there = bars(estimate(mixed(order))), bars(estimate(mixed([0, 1, 2])))
    assert here.keys() == there.keys()
    for name, bar in there.items():
        assert here[name] == pytest.approx(bar, rel=1e-6, abs=1e-6), name


def test_a_bar_of_a_fleet_is_its_forecast_with_that_input_at_its_ends() -> None:
    plan = mixed([0, 1, 2], given={"pue": "1.1..1.2..1.4"})
    footprint = estimate(plan)
    assert footprint.total is not None
    shared = {bar.name: bar for bar in footprint.tornado()}["pue"]
    for end, wanted in ((shared.p10, shared.at_p10), (shared.p90, shared.at_p90)):
        moved = estimate(varied(plan, {"pue": end})).total
        assert moved is not None
        assert moved.value / footprint.total.value == pytest.approx(wanted, rel=1e-6)
    known = estimate(varied(plan, {"pue": 1.2})).total
    assert known is not None
    assert known.p90 / footprint.total.value == pytest.approx(shared.known_p90, rel=1e-6)


def test_an_unknown_of_one_entry_moves_that_entry_alone() -> None:
    footprint = estimate(mixed([0, 1, 2]))
    found = {bar.name: bar for bar in footprint.tornado()}
    power, total = found["device_power_w (h100-sxm.power)"], footprint.total
    assert total is not None
    median = next(a.value for a in footprint.assumptions if a.unknown == "h100-sxm.power")
    entry = {name: q.value for name, q in footprint.fleet[0].quantities.items() if q is not None}
    # The devices of this entry draw more, its network and cooling with them.
    drawn = entry["device_kgco2e"] / (entry["device_kgco2e"] + entry["host_kgco2e"])
    more = (power.p90 / median - 1) * entry["operational_kgco2e"] * drawn
    expected = 1 + more / total.value
    assert power.at_p90 == pytest.approx(expected, rel=1e-6)
    assert sum(bar.share for bar in found.values()) == pytest.approx(1)


def test_long_names_of_drivers_stand_on_lines_of_their_own(joulecast: Any, tmp_path: Any) -> None:
    mixed([0, 1, 2]).save(tmp_path / "fleet.toml")
    text = joulecast("estimate", str(tmp_path / "fleet.toml"), "--drivers").stdout
    assert "\n  device_power_w (tpu-v5p.power)\n" in text
    assert max(map(len, text.splitlines())) <= 80


# Use.


def used(plan: Plan, **more: Any) -> Plan:
    return Plan(**vars(plan) | {"use": USE | more})


def alike(one: UsePhase | None, other: UsePhase | None) -> None:
    assert one is not None and other is not None
    assert one.results["operational_per_year_kgco2e"] is not None
    for name, quantity in other.results.items():
        found = one.results[name]
        if quantity is None or found is None:
            assert found is quantity, name
        else:
            assert found[:6] == pytest.approx(quantity[:6], rel=1e-9), name


@pytest.mark.parametrize("fleet", [ONE, TWO], ids=["one type", "cut in two"])
def test_a_run_and_the_same_as_a_fleet_are_used_alike(fleet: Plan) -> None:
    expected = estimate(used(PLAIN)).use_phase
    found = estimate(used(fleet)).use_phase
    assert expected is not None and found is not None
    assert found.plan == expected.plan and found.assumptions == expected.assumptions
    alike(found, expected)
    for one, other in zip(found.by_size, expected.by_size, strict=True):
        assert one == pytest.approx(other)


def test_use_never_changes_training() -> None:
    plan = mixed([0, 1, 2])
    for region in ("fr", "de"):  # where an entry is; where none is
        with_use = estimate(used(plan.replace(region=region), device="h100-sxm"))
        without = estimate(plan.replace(region=region))
        assert with_use.quantities == without.quantities
        assert with_use.drivers == without.drivers


@settings(max_examples=6)
@given(order=st.permutations(range(3)))
def test_the_order_of_entries_does_not_matter_to_use(order: list[int]) -> None:
    here = estimate(used(mixed(order), device="h100-sxm")).use_phase
    there = estimate(used(mixed([0, 1, 2]), device="h100-sxm")).use_phase
    alike(here, there)


def test_break_even_is_of_all_entries() -> None:
    footprint = estimate(used(mixed([0, 1, 2]), device="h100-sxm"))
    use = footprint.use_phase
    assert use is not None and footprint.total is not None
    days, yearly = use.results["break_even_days"], use.results["operational_per_year_kgco2e"]
    assert days is not None and yearly is not None
    assert days.value == pytest.approx(365.25 * footprint.total.value / yearly.value)
    assert "in fr" in footprint.explain()


def test_the_place_and_device_that_serve_are_never_guessed() -> None:
    with pytest.raises(JoulecastError) as error:
        estimate(used(mixed([0, 1, 2])))
    assert str(error.value) == (
        "use.device: is missing: the entries of the fleet have several; "
        "try a100-sxm-80, h100-sxm, tpu-v5p"
    )
    apart = Plan(**RUN | {"region": None}, fleet=[{**H100, "region": "fr", "share": 0.5},
                                                  {**H100, "region": "pl"}])  # fmt: skip
    with pytest.raises(JoulecastError) as error:
        estimate(used(apart))
    assert str(error.value) == (
        "use: the entries of the fleet are at several places: say where the model is served; "
        "try region under [place]"
    )
    together = Plan(**RUN | {"region": None}, fleet=[{**H100, "region": "fr", "share": 0.5},
                                                     {**H100, "region": "fr"}])  # fmt: skip
    found = estimate(used(together)).use_phase
    assert found is not None and found.plan["region"] == "fr"


def test_what_was_bought_can_be_set_against_use() -> None:
    fleet = [{**H100, "share": 0.3}, H100]
    bought = estimate(Plan(**RUN, fleet=fleet, embodied_mode="purchase", use=USE)).use_phase
    shared = estimate(Plan(**RUN, fleet=fleet, use=USE)).use_phase
    assert bought is not None and shared is not None
    days = [use.results["break_even_days"] for use in (bought, shared)]
    assert days[0] is not None and days[1] is not None and days[0].value > days[1].value


def test_hours_of_a_fleet_can_be_set_against_use() -> None:
    hours = [{**H100, "hours": 30}, {**H100, "hours": 70}]
    split = estimate(used(Plan(params=7e9, year=2024, region="fr", fleet=hours))).use_phase
    whole = estimate(
        used(Plan(params=7e9, year=2024, region="fr", **H100, given={"device_hours": 6400}))
    ).use_phase
    alike(split, whole)


# Sweep and solve.


def test_each_row_of_a_swept_fleet_is_its_estimate() -> None:
    plan = mixed([0, 1, 2], region=None)
    vary = {"region": ["fr", "pl"], "pue": [1.1, 1.3], "tokens": "1T,2T"}
    names = ("total_kgco2e", "utilisation", "wall_clock_days")
    rows = list(sweep(plan, vary, results=names).rows())
    assert len(rows) == 8
    for row in rows:
        row_plan = varied(plan, {name: row[name] for name in vary})
        total = estimate(row_plan).quantities
        for name in names[:2]:
            assert (row[f"{name}_value"], row[f"{name}_p10"], row[f"{name}_p90"]) == pytest.approx(
                (total[name].value, total[name].p10, total[name].p90)  # type: ignore[union-attr]
            )
        assert row["wall_clock_days_value"] is None


def test_a_swept_fleet_of_one_type_is_the_swept_run() -> None:
    vary = {"params": "log:1B:64B:7", "region": "fr,pl"}
    fleet, plain = sweep(TWO, vary), sweep(PLAIN, vary)
    for name in plain.names:
        if name != "region":
            assert fleet[name] == pytest.approx(plain[name], rel=5e-3), name
    assert sweep(TWO, vary, ranges=False).names == sweep(PLAIN, vary, ranges=False).names


def test_what_a_sweep_of_a_fleet_cannot_do_is_said() -> None:
    with pytest.raises(JoulecastError, match="fleet: 2,001: are more rows than a sweep of a fleet"):
        sweep(TWO, {"params": "lin:1B:2B:2001"})
    with pytest.raises(
        JoulecastError, match=r"device: .* belongs to the entries .*row device=h100"
    ):
        sweep(TWO, {"device": ["h100-sxm", "b200-sxm"]})


# Solve.


@pytest.mark.parametrize("fleet", [ONE, TWO], ids=["one type", "cut in two"])
@pytest.mark.parametrize("confidence", [None, 90])
@pytest.mark.parametrize("goal", ["params", "tokens", "grid", "pue"])
def test_what_is_solved_for_a_fleet_is_what_is_for_the_run(
    goal: str, confidence: float | None, fleet: Plan
) -> None:
    total = estimate(PLAIN).total
    assert total is not None
    limit = {"total": 1.5 * total.p90}
    without = {"tokens": None} if goal == "params" else {}
    ratio = 20 if goal == "params" else None
    one, other = (
        solve(plan.replace(**without), goal, limit, ratio=ratio, confidence=confidence)
        for plan in (fleet, PLAIN)
    )
    assert one.value == pytest.approx(other.value, rel=1e-6)
    assert one.budgets[0].reached == pytest.approx(limit["total"], rel=1e-6)


@pytest.mark.parametrize("confidence", [None, 80])
def test_a_solution_of_a_mixed_fleet_meets_its_budget_and_is_the_estimate_there(
    confidence: float | None,
) -> None:
    found = solve(mixed([0, 1, 2]), "tokens", {"total": "40 t"}, confidence=confidence)
    there = estimate(mixed([0, 1, 2], tokens=found.value))
    assert found.at.to_dict()["results"] == there.to_dict()["results"]
    assert there.total is not None
    (budget,) = found.budgets
    assert budget.binds and budget.reached == pytest.approx(40e3, rel=1e-6)
    if confidence is None:
        assert there.total.value == pytest.approx(40e3, rel=1e-6)
    many = solve(mixed([0, 1, 2]), "tokens", {"total": np.array([20e3, 40e3])})
    assert np.all(np.diff(many.values) > 0)


def test_what_cannot_be_solved_for_a_fleet_is_said() -> None:
    with pytest.raises(JoulecastError, match="--for: devices: are counted by each entry"):
        solve(TWO, "devices", {"total": "40 t"})
    with pytest.raises(JoulecastError, match="wall_clock_days: of a fleet are not known"):
        solve(TWO, "tokens", {"days": 30})


# Advise.


def test_advice_for_a_run_cut_in_two_is_that_for_the_run() -> None:
    whole, cut = (advise(plan, keep="device,reserving") for plan in (PLAIN, TWO))
    assert [change.options for change in cut.changes] == [c.options for c in whole.changes]
    for one, other in zip(cut.changes, whole.changes, strict=True):
        assert levels(one.saving) == pytest.approx(levels(other.saving), rel=1e-9)
        assert one.probability_lower == pytest.approx(other.probability_lower)


@pytest.mark.parametrize("use", [None, {"tokens": "1T/year", "years": 2, "device": "h100-sxm"}])
def test_every_change_of_a_mixed_fleet_is_what_estimate_says_of_it(use: Any) -> None:
    plan = mixed([0, 1, 2], use=use)
    advice = advise(plan)
    assert {"place", "goodput"} <= {change.kind for change in advice.changes}
    closed = {one.kind: one.why for one in advice.not_open}
    assert "several places" in closed["device"] and "several places" in closed["site"]
    assert "several classes" in closed["tuning"]
    for change in advice.best_of_each:
        there = estimate(change.plan)
        assert change.footprint.to_dict() == there.to_dict()
        if use is None:
            assert there.total is not None and change.value == there.total.value
    moved = next(change for change in advice.changes if change.kind == "place")
    assert "entries of the fleet that name a place stay there" in moved.detail
    regions = [part.region for part in moved.footprint.fleet]
    assert regions[1:] == ["us-ia", "pl"] and regions[0] != "fr"


def test_one_device_in_place_of_a_fleet_keeps_its_number_and_its_place() -> None:
    entries = [{**one, "region": "pl"} for one in ({**H100, "share": 0.5}, {"device": "a100-sxm-80", "device_count": 32})]  # fmt: skip
    run = {name: value for name, value in RUN.items() if name != "region"}
    advice = advise(Plan(**run, fleet=entries), only="device")
    for change in advice.changes:
        assert change.plan.device_count == 96 and change.plan.region == "pl"
        assert not change.plan.fleet
    timed = Plan(**RUN, fleet=[{**H100, "hours": 10}, {"device": "a100-sxm-80"}])
    assert "reserved for hours" in advise(timed, only="device").not_open[0].why

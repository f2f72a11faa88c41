"""Inverse questions: the forecast at the answer meets the budget, and more budget buys more."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate, solve
from joulecast.whatif.inverting import Stretch

PLACE = Plan(device="h100-sxm", region="us-va", year=2024)
RUN = Plan(params="7B", tokens="2T", device="h100-sxm", region="us-va", year=2024)

#: What is solved for -> the plan, the ratio, and budgets from tight to loose.
QUESTIONS = {
    "params": (PLACE, 20, (0.02, 1e7)),
    "tokens": (Plan(params="7B", device="h100-sxm", region="us-va", year=2024), None, (1.0, 1e7)),
    "grid": (RUN, None, (2e4, 1e6)),
    "pue": (RUN, None, (1.7e5, 3e5)),
}


@pytest.mark.parametrize("confidence", [None, 50, 77.5, 90, 95])
@pytest.mark.parametrize("goal", QUESTIONS)
@settings(max_examples=8)
@given(share=st.floats(0, 1))
def test_the_forecast_at_the_answer_meets_the_budget(
    goal: str, confidence: float | None, share: float
) -> None:
    plan, ratio, (tight, loose) = QUESTIONS[goal]
    limit = tight * (loose / tight) ** share
    found = solve(plan, goal, {"total": limit}, ratio=ratio, confidence=confidence)
    total = found.at.total
    assert total is not None
    if found.note:  # held by a jump of a default: one more breaks the budget
        assert goal == "params" and found.binding is None
        assert found.budgets[0].reached <= limit * (1 + 1e-6)
        return
    assert found.budgets[0].reached == pytest.approx(limit, rel=1e-3)
    levels: dict[float | None, float] = {
        None: total.value,
        50: total.p50,
        90: total.p90,
        95: total.p95,
    }
    if confidence in levels:
        assert levels[confidence] == pytest.approx(limit, rel=1e-3)
    assert found.binding == "total_kgco2e"


@pytest.mark.parametrize("goal", QUESTIONS)
@pytest.mark.parametrize("confidence", [None, 90])
def test_more_budget_never_buys_less_and_many_answers_are_those_of_one(
    goal: str, confidence: float | None
) -> None:
    plan, ratio, (tight, loose) = QUESTIONS[goal]
    limits = np.geomspace(tight, loose, 2001)
    many = solve(plan, goal, {"total": limits}, ratio=ratio, confidence=confidence)
    assert np.all(np.diff(many.values) >= 0)
    for i in (0, 700, 1500, 2000):
        one = solve(plan, goal, {"total": float(limits[i])}, ratio=ratio, confidence=confidence)
        assert many.values[i] == pytest.approx(one.value, rel=3e-4)
        assert many.binding[i] == one.binding


@pytest.mark.parametrize("size", [9e7, 1e8, 3e8, 9.9e8, 1e9, 1.1e9])
def test_parameters_are_found_on_either_side_of_where_power_bends(size: float) -> None:
    """Power follows the size between 1e8 and 1e9 parameters, so the total has no jump there."""
    told = PLACE.replace(given={"mfu": 0.4})
    for plan in (PLACE, told):
        total = estimate(plan.replace(params=size, tokens=20 * size)).total
        assert total is not None
        found = solve(plan, "params", {"total": total.value}, ratio=20)
        assert found.value == pytest.approx(size, rel=1e-6) and not found.note


def test_devices_stop_where_a_default_jumps_and_say_so() -> None:
    """Up to 8 devices are one node without a network; a ninth brings one."""
    days = estimate(RUN.replace(device_count=8)).quantities["wall_clock_days"]
    assert days is not None
    found = solve(RUN, "device_count", {"wall_clock_days": 0.999 * days.value})
    assert found.value == 9
    assert found.note.startswith("a default changes at this size") and found.binding is None
    assert found.note.split(":")[0] in " ".join(found.explain().split())


@pytest.mark.parametrize(("ratio", "budget"), [(20, 50e3), (200, 50e3), (20, 1e6)])
def test_the_closed_form_of_a_fixed_ratio(ratio: float, budget: float) -> None:
    """Emissions are kappa x 6 r N^2, so N = sqrt(budget / (6 r kappa)), where utilisation does not
    depend on size."""
    plan = PLACE.replace(given={"mfu": "0.3..0.4..0.5"})
    reference = estimate(plan.replace(params=1e10, tokens=1e11))
    assert reference.total is not None
    kappa = reference.total.p90 / (6 * 1e10 * 1e11)
    found = solve(plan, "params", {"total": budget}, ratio=ratio, confidence=90)
    assert found.value == pytest.approx(math.sqrt(budget / (6 * ratio * kappa)), rel=1e-6)


def test_the_fewest_devices_meet_the_deadline_and_one_less_does_not() -> None:
    for days in (3, 30, 5000, 1e6):
        found = solve(RUN, "devices", {"days": days})
        assert found.value == int(found.value)
        for count, meets in ((found.value, True), (found.value - 1, False)):
            if count < 1:
                assert found.note == "one device is enough"
                continue
            reached = estimate(RUN.replace(device_count=count)).quantities
            assert reached["wall_clock_days"] is not None
            assert (reached["wall_clock_days"].value <= days * (1 + 1e-9)) == meets


def test_the_tightest_of_several_budgets_binds_and_is_named() -> None:
    plan = PLACE.replace(device_count=64)
    for days, binding in ((10, "wall_clock_days"), (1000, "total_kgco2e")):
        found = solve(plan, "params", {"total": "500t", "days": days}, ratio=20, confidence=90)
        assert found.binding == binding
        assert [budget.binds for budget in found.budgets] == [binding != "wall_clock_days", binding == "wall_clock_days"]  # fmt: skip
        assert all(budget.reached <= budget.limit * (1 + 1e-9) for budget in found.budgets)


def test_fewest_devices_keep_to_every_budget() -> None:
    """Emissions do not depend on how many devices share the work: the deadline alone decides."""
    alone = solve(RUN, "device_count", {"days": 30})
    both = solve(RUN, "device_count", {"total": "1000t", "days": 30})
    assert both.value == alone.value > 8
    assert both.binding == "wall_clock_days"
    assert all(budget.reached <= budget.limit for budget in both.budgets)


def test_sizes_of_a_mixture_grow_together() -> None:
    plan = Plan(params="100B", active_params="10B", arch="moe", device="h100-sxm", region="fr")
    found = solve(plan, "params", {"energy": "1 GWh"}, ratio=20)
    assert found.at.plan["active_params"] == pytest.approx(found.value / 10)
    assert found.at.plan["tokens"] == pytest.approx(20 * found.at.plan["active_params"])
    assert found.at.energy is not None and found.at.energy.value == pytest.approx(1e6, rel=1e-6)


def test_many_runs_share_the_budget() -> None:
    one, ten = (solve(RUN.replace(runs=n), "tokens", {"total": "100t"}) for n in (1, 10))  # fmt: skip
    assert ten.value == pytest.approx(one.value / 10, rel=1e-6)


def test_where_no_model_is_small_enough_the_array_says_nan_and_where_all_are_infinity() -> None:
    found = solve(RUN, "grid", {"total": np.array([1e2, 3e4, 1e15])})
    assert math.isnan(found.values[0]) and math.isinf(found.values[2])
    assert list(found.binding) == [None, "total_kgco2e", None]
    assert found.rows()[1]["max_total_kgco2e"] == 3e4


def test_a_plan_that_contradicts_itself_from_some_size_on_stops_there() -> None:
    plan = Plan(device="h100-sxm", tokens="1T", given={"tokens_per_second_per_device": 3000})
    largest = solve(plan, "params", {"flop": "1e20"})
    assert largest.at.training_flop is not None
    assert largest.at.training_flop.value == pytest.approx(1e20, rel=1e-6)
    with pytest.raises(
        JoulecastError, match=r"allows any params up to .*; beyond it tokens_per_sec"
    ):
        solve(plan, "params", {"flop": "1e27"})


def test_a_rising_outcome_that_is_no_power_is_bracketed() -> None:
    """x + x^3 against its root, over thirty decades, one limit and many."""
    stretch = Stretch(1e-15, 1e15, lambda x: (x + x**3)[:, None], None)
    assert stretch.exponent is None
    x = np.array([1e-9, 1e-3, 0.7, 5.0, 1e6])
    for one in x:
        assert stretch.largest(np.array([one + one**3])) == pytest.approx([one], rel=1e-6)
    near = np.linspace(0.5, 2, 50)
    assert stretch.largest(near + near**3) == pytest.approx(near, rel=3e-4)


def test_the_command_says_what_python_says(joulecast: Run) -> None:
    args = ("--device", "h100-sxm", "--region", "us-va", "--year", "2024", "--ratio", "20")
    done = joulecast("solve", "--for", "params", "--max", "total=50t", "--confidence", "90", *args, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    fits(answer, "solve")
    found = solve(PLACE, "params", {"total": "50t"}, ratio=20, confidence=90)
    assert done.stdout.strip() == found.to_json()
    assert answer["at"] == found.at.to_dict()
    assert answer["at"]["results"]["total_kgco2e"]["p90"] == pytest.approx(50e3, rel=1e-3)


def test_the_text_never_rounds_past_the_budget(joulecast: Run) -> None:
    args = ("--device", "h100-sxm", "--device-count", "64", "--region", "fr", "--year", "2025")
    done = joulecast("solve", "--ratio", "20", "--max", "days=30", *args)
    lines = done.stdout.splitlines()
    assert lines[0] == "Largest model within the budget, in the nominal run"
    said, _, exact = lines[2].strip().partition(" billion parameters    (")
    assert float(said) * 1e9 <= float(exact.rstrip(")").replace(",", ""))
    assert all(len(line) <= 80 for line in lines)
    quiet = joulecast("solve", "--ratio", "20", "--max", "days=30", *args, "--quiet")
    assert quiet.stdout.splitlines() == [lines[2]]

"""Comparisons: paired ranges, and the laws they keep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import Comparison, JoulecastError, Plan, Quantity, compare, estimate

PLAN = Plan(params="7B", tokens="2T", device="h100-sxm", region="fr", year=2024)

options = st.fixed_dictionaries(
    {
        "params": st.sampled_from(["7B", "70B"]),
        "tokens": st.sampled_from(["1T", "2T"]),
        "device": st.sampled_from(["h100-sxm", "h200-sxm", "a100-sxm-80", "tpu-v4", "mi300x"]),
        "region": st.sampled_from(["fr", "pl", "us-va", "se", "in"]),
        "year": st.just(2024),
    },
    optional={
        "precision": st.just("bf16"),
        "given": st.sampled_from([{"pue": "1.1..1.2"}, {"mfu": "0.3..0.4..0.5"}]),
    },
).map(lambda fields: Plan(**fields))


def ratio(comparison: Comparison, option: int = 1) -> Quantity:
    found = comparison.options[option].ratio_to_first
    assert found is not None
    return found


@settings(max_examples=25)
@given(options, options)
def test_the_ratio_of_b_to_a_is_the_inverse_of_a_to_b(one: Plan, two: Plan) -> None:
    # A level is a mean over sorted draws around it, whose inverse is not the mean of the inverses.
    there, back = ratio(compare([one, two])), ratio(compare([two, one]))
    assert there.value == pytest.approx(1 / back.value, rel=1e-12)
    assert [there.p5, there.p10, there.p50, there.p90, there.p95] == pytest.approx(
        [1 / back.p95, 1 / back.p90, 1 / back.p50, 1 / back.p10, 1 / back.p5], rel=4e-3
    )


@settings(max_examples=25)
@given(st.lists(options, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_probabilities_sum_to_1_and_do_not_depend_on_the_order(
    plans: list[Plan], mixer: Any
) -> None:
    found = [option.probability_lowest for option in compare(plans).options]
    assert sum(found) == pytest.approx(1, abs=1e-12)
    order = list(range(len(plans)))
    mixer.shuffle(order)
    again = [option.probability_lowest for option in compare([plans[i] for i in order]).options]
    assert again == pytest.approx([found[i] for i in order], abs=1e-12)


@given(options)
@settings(max_examples=10)
def test_identical_options_have_a_ratio_of_exactly_1_and_share_the_first_place(plan: Plan) -> None:
    found = compare([plan, plan])
    assert ratio(found) == Quantity(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, "")
    assert [option.probability_lowest for option in found.options] == [0.5, 0.5]
    assert found.best_change is None
    assert "lowest: none, all are alike" in found.explain()


def test_options_that_are_the_same_by_other_names_share_their_place_evenly() -> None:
    found = compare(PLAN, {"region": ["pl", "fr", "France", "se"], "device": ["h100-sxm"]})
    likely = {option.label: option.probability_lowest for option in found.options}
    assert likely["fr"] == likely["France"] and sum(likely.values()) == pytest.approx(1, abs=1e-12)
    alone = compare(PLAN, {"region": ["pl", "fr", "se"]})
    assert 2 * likely["fr"] == pytest.approx(alone.options[1].probability_lowest, abs=1e-12)
    three = compare(PLAN, {"pue": [1.1, 1.2, 1.3]}, on="device_hours")  # it changes nothing of them
    assert [one.probability_lowest for one in three.options] == pytest.approx([1 / 3] * 3)
    two = compare(PLAN, {"region": ["pl", "fr", "France"]})
    assert "lowest: fr = France, with probability 50 % each" in two.explain()


@pytest.mark.parametrize(
    "name", ["device_power_w", "utilisation", "energy_kwh", "grid_gco2e_per_kwh"]
)
def test_an_option_15_percent_better_in_all_that_differs_is_surely_better(name: str) -> None:
    """Each input unsure by a factor 2 and more; the two share what is unknown, so it cancels."""
    better = 1 / 0.85 if name == "utilisation" else 0.85
    spans = [[0.1 * size, 0.2 * size, 0.4 * size] for size in (1, better)]
    flop = {} if name == "energy_kwh" else {"flop": "1e22"}
    plans = [Plan(device="h100-sxm", region="us-va", given={name: span}, **flop) for span in spans]
    found = compare(plans, on="energy_kwh" if name != "grid_gco2e_per_kwh" else None)
    assert found.options[1].probability_lowest > 0.999


def test_results_of_each_option_are_those_of_estimate() -> None:
    found = compare(PLAN, vary={"region": ["fr", "pl"], "device": ["h100-sxm", "b200-sxm"]})
    plan = Plan(params="7B", tokens="2T", device="b200-sxm", region="pl", year=2024)
    assert found.options[3].footprint == estimate(plan)
    assert found.to_dict()["options"][3]["results"] == estimate(plan).to_dict()["results"]


def test_a_place_cancels_between_devices_and_a_device_between_places() -> None:
    """Only what differs is left in a ratio: two precisions of one peak differ in nothing."""
    same = ratio(compare(PLAN, vary={"tokens": ["2T", "1T"]}))
    assert same.p5 == pytest.approx(0.5) and same.p95 == pytest.approx(0.5)
    places = ratio(compare(PLAN, vary={"region": ["fr", "pl"]}))
    own = estimate(PLAN).total
    assert own is not None
    assert places.p90 / places.p10 < own.p90 / own.p10


def test_the_best_single_change_is_the_field_that_saves_most() -> None:
    plan = Plan(params="7B", tokens="2T", device="h100-sxm", region="pl", year=2024)
    found = compare(
        plan, vary={"device": ["h100-sxm", "b200-sxm"], "region": ["pl", "us-va", "fr"]}
    )
    change = found.best_change
    assert change is not None
    assert (change.field, change.value, change.option) == ("region", "fr", "h100-sxm, fr")
    first, other = (estimate(p).total for p in (plan, PLAN))
    assert first is not None and other is not None
    assert change.saving.value == pytest.approx(first.value - other.value)
    assert found.lowest.label == "b200-sxm, fr"


def test_energy_is_compared_where_no_grid_is_known() -> None:
    plans = [
        Plan(only_given=True, given={"device_hours": h, "device_power_w": 200}) for h in (2, 3)
    ]
    found = compare(plans)
    assert found.on == "energy_kwh"
    assert ratio(found).value == pytest.approx(1.5)


def test_no_ratio_to_nothing() -> None:
    plan = Plan(only_given=True, given={"energy_kwh": 5, "grid_gco2e_per_kwh": 0})
    found = compare(plan, vary={"grid_gco2e_per_kwh": [0, 10]})
    assert found.options[1].ratio_to_first is None
    assert "-" in found.explain()


def test_labels_are_short_and_made_from_what_differs() -> None:
    assert [o.label for o in compare(PLAN, vary={"tokens": ["1T", 2e12]}).options] == [
        "tokens 1T",
        "tokens 2T",
    ]
    assert [o.label for o in compare(PLAN, vary={"pue": [1.1, [1.1, 1.3]]}).options] == [
        "pue 1.1",
        "pue 1.1..1.3",
    ]
    named = compare([PLAN, PLAN], vary={"region": ["fr", "pl"]}, names=["a", "b"])
    assert [o.label for o in named.options] == ["a, fr", "a, pl", "b, fr", "b, pl"]
    assert [o.label for o in compare([PLAN, PLAN]).options] == ["as given", "as given (2)"]


def test_the_command_says_what_python_says(joulecast: Run, tmp_path: Path) -> None:
    files = [tmp_path / "near.toml", tmp_path / "far.toml"]
    for file, region in zip(files, ("fr", "pl"), strict=True):
        Plan(params="7B", tokens="2T", device="h100-sxm", region=region, year=2024).save(file)
    done = joulecast("compare", *map(str, files), "--vary", "device-count=64,512", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    fits(answer, "compare")
    plans = [Plan.read(file) for file in files]
    expected = compare(plans, vary={"device_count": ["64", "512"]}, names=["near", "far"])
    assert done.stdout.strip() == expected.to_json()
    assert answer["options"][3]["label"] == "far, device_count 512"


def test_the_first_screen_answers_and_fits(joulecast: Run) -> None:
    args = ("--params", "7B", "--tokens", "2T", "--vary", "device=h100-sxm,b200-sxm", "--vary", "region=fr,aws:us-east-1,pl")  # fmt: skip
    done = joulecast("compare", *args)
    lines = done.stdout.splitlines()
    assert lines[2].startswith("  lowest: b200-sxm, fr, with probability ")
    assert lines[3].startswith("  best single change: ")
    assert any(line.startswith("  why: b200-sxm, fr comes to ") for line in lines[4:8])
    assert all(len(line) <= 80 for line in lines)
    assert joulecast("compare", *args, "--quiet").stdout.splitlines() == [lines[2]]


def test_rows_have_every_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = compare(PLAN, vary={"region": ["fr", "pl"]}).rows()
    assert rows[1]["region"] == "pl" and rows[0]["ratio_to_first_p90"] == 1
    assert rows[1]["total_kgco2e_p10"] < rows[1]["total_kgco2e_value"]
    assert list(rows[0]) == list(rows[1])


def test_a_missing_data_frame_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compare(PLAN, vary={"region": ["fr", "pl"]})
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(JoulecastError) as error:
        found.to_pandas()
    assert str(error.value) == "pandas: is not installed; try pip install pandas"


def test_an_option_that_fails_is_named() -> None:
    with pytest.raises(JoulecastError) as error:
        compare([PLAN, Plan(params="7B")], names=["full", "bare"])
    assert str(error.value).startswith("bare: tokens: params without tokens")
    with pytest.raises(JoulecastError, match=r"^tokens: params without tokens"):
        compare([PLAN, Plan(params="7B")])


def test_options_may_be_a_range_or_all_there_is() -> None:
    found = compare(PLAN, vary={"params": "log:1B:100B:3"})
    assert [option.label for option in found.options] == ["params 1B", "params 10B", "params 100B"]
    every = compare(PLAN.replace(device="v100-sxm2-32"), vary={"precision": "all"})
    assert [option.differs["precision"] for option in every.options] == ["fp32", "fp16"]
    assert every.to_dict()["warnings"][0]["code"] == "values_skipped"
    assert "values_skipped" in every.explain()


def test_a_switch_can_be_varied_off() -> None:
    plan = PLAN.replace(include_building=True)
    with_it, without = compare(plan, vary={"include_building": "true,false"}).options
    assert with_it.footprint == estimate(plan)
    assert without.footprint == estimate(PLAN)

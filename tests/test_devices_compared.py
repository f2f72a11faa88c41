"""Devices compared at equal work, steps, watts that follow, and what an answer says of them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from conftest import Run, remembered
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Library, Plan, compare, estimate, export, solve
from joulecast.answers.footprint import Footprint
from joulecast.answers.transfer import DeviceValidation
from joulecast.energy import device_power_waiting
from joulecast.errors import JoulecastError
from joulecast.performance import size_factor, utilisation_of_steps
from joulecast.resolve.shares import age_of, tuned_share
from joulecast.validating.entries import entries_of
from joulecast.validating.transfer import validate_devices
from joulecast.validating.tuned import Tuned

BUNDLED = Library.bundled()
RUN = {"params": 70e9, "tokens": 2e12, "region": "us-va", "year": 2025}


def of(footprint: Footprint, name: str) -> float:
    return next(one.value for one in footprint.assumptions if one.name == name)


def codes(footprint: Footprint) -> set[str]:
    return {notice.code for notice in footprint.warnings}


def hours(**plan: object) -> float:
    found = estimate(Plan(**{**RUN, **plan})).device_hours
    assert found is not None
    return found.value


@pytest.fixture(scope="module")
def devices() -> DeviceValidation:
    return remembered(validate_devices)(BUNDLED)


# The benchmark.


def test_pairs_steps_and_watts_keep_to_their_gates(devices: DeviceValidation) -> None:
    assert devices.ok and len(devices.gates) == 10
    assert len(devices.pairs) == 145 and sum(row.precision_settled for row in devices.pairs) == 87
    found = {(one.group, one.way): one for one in devices.summary}
    settled = "pairs, precision settled"
    assert found[settled, "forecast"].factor < found[settled, "version_0_1_0"].factor - 0.1
    assert found["pairs", "with_batch"].factor < found["pairs", "forecast"].factor
    steps = "hours of pre-training, batch given"
    assert found[steps, "forecast"].factor < found[steps, "without steps"].factor - 0.2


def test_benchmark_runs_say_where_they_come_from_and_are_no_whole_jobs() -> None:
    rows = BUNDLED.benchmark("benchmark_runs")
    assert len(rows) == 346
    assert {row["mark"] for row in rows.values()} == {"derived, not verified by MLCommons"}
    assert all(row["path"] and row["round"] and row["submitter"] for row in rows.values())
    assert not set(rows) & set(BUNDLED.run_ids)
    reached = np.median([one.utilisation for one in entries_of(BUNDLED) if not one.adapters])
    assert reached > 0.4  # tuned stacks: no whole job of 70 billion parameters comes near


def test_shipped_shares_are_those_of_the_fit() -> None:
    """The records hold rounded results of the fit, but for those made from watts or judged."""
    fit = Tuned(entries_of(BUNDLED), BUNDLED)
    for name in ("h200-sxm", "b200-sxm", "gb200", "b300-sxm", "gb300", "mi300x", "mi325x",
                 "mi355x", "h100-pcie", "l40s", "tpu-v5p"):  # fmt: skip
        share = BUNDLED.device(name).device.tuned_share
        assert share is not None
        assert share.value == pytest.approx(math.exp(fit[f"m:{name}"]), rel=0.02), name


def test_a_submitter_left_out_changes_the_fit_it_was_in() -> None:
    entries = entries_of(BUNDLED)
    whole, without = Tuned(entries, BUNDLED), Tuned(entries, BUNDLED, ["NVIDIA"])
    assert whole["m:gb200"] != without["m:gb200"]
    assert whole.at.keys() == without.at.keys()


def test_the_command_lists_shows_and_scores_the_benchmark(joulecast: Run) -> None:
    listed = json.loads(joulecast("list", "runs", "--kind", "benchmark", "--format", "json").stdout)
    assert len(listed) == 346
    assert joulecast("list", "benchmarks", "--format", "json").stdout.count('"id"') == 346
    shown = json.loads(joulecast("show", "run", listed[0]["id"], "--format", "json").stdout)
    assert shown["mark"] == "derived, not verified by MLCommons" and shown["source"]
    done = joulecast("validate", "--benchmark")
    assert done.returncode == 0 and "h200-sxm / h100-sxm" in done.stdout
    wrong = joulecast("validate", "--benchmark", "--accounting")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: --benchmark: ")


# Age, shares, size.


@pytest.mark.parametrize(
    ("newer", "older", "low", "high"),
    [
        ("h200-sxm", "h100-sxm", 0.84, 1.0),  # MLPerf Training 4.0 to 5.1, Llama 2 70B LoRA
        ("mi325x", "mi300x", 0.70, 0.95),
        ("mi355x", "h200-sxm", 0.42, 0.50),
        ("b200-sxm", "h200-sxm", 0.41, 0.54),
        ("gb200", "h100-sxm", 0.37, 0.47),
        ("h100-pcie", "h100-sxm", 1.55, 2.1),
    ],
)
def test_hours_of_a_whole_job_compare_as_tuned_runs_do(
    newer: str, older: str, low: float, high: float
) -> None:
    assert low <= hours(device=newer) / hours(device=older) <= high


def test_variants_of_a_generation_are_of_one_age() -> None:
    def age(name: str, year: int = 2025) -> float:
        return age_of(BUNDLED, BUNDLED.device(name).device, year)

    assert age("h200-sxm") == age("h100-nvl") == age("gh200") == age("h100-sxm") == age("gb200")
    assert age("a100-sxm-80") == age("a100-sxm-40")
    assert age("mi250") == age("mi250x") != age("h100-sxm")
    for name in BUNDLED.device_ids:
        device = BUNDLED.device(name).device
        for other in (device.generation, device.software_since):
            assert other is None or BUNDLED.device(other).device.id == other


def test_a_power_limited_card_keeps_less_of_its_peak_than_its_chip() -> None:
    def share(name: str) -> float:
        return tuned_share(BUNDLED, BUNDLED.device(name).device).value

    assert share("h100-nvl") < 0.65 and share("h100-sxm") > 0.8
    assert share("l40s") < share("l40")


@given(st.floats(1e6, 1e12), st.floats(1.01, 100), st.floats(1e12, 1e16), st.floats(1.01, 100))
def test_larger_models_and_slower_devices_keep_more(
    params: float, more: float, peak: float, faster: float
) -> None:
    half, exponent = (
        BUNDLED.default(f"utilisation.size.{name}").value for name in ("half_params", "exponent")
    )
    kept = float(size_factor(params, peak, half, exponent))
    assert 0 < kept <= float(size_factor(params * more, peak, half, exponent)) <= 1
    assert float(size_factor(params, peak * faster, half, exponent)) <= kept
    assert float(size_factor(half * peak, peak, half, exponent)) == pytest.approx(0.5)


def test_the_factors_of_utilisation_can_be_keyed_in() -> None:
    """By hand, from the peak to the hours, each factor on a line of its own."""
    footprint = estimate(Plan(**RUN, device="h100-sxm"))
    lines = list(footprint.by_hand)
    first = next(i for i, line in enumerate(lines) if line.meaning.startswith("FLOP/s"))
    last = next(i for i, line in enumerate(lines) if line.meaning == "seconds per hour")
    factors = lines[first + 1 : last]
    assert len(factors) == 5 and all(line.operator == "/" for line in factors)
    product = math.prod(float(f"{line.factor:.5g}") for line in factors)
    assert product == pytest.approx(of(footprint, "utilisation"), rel=1e-4)
    assert factors[-1].result == pytest.approx(of(footprint, "utilisation"))


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ({"device": "b200-sxm"}, "utilisation_by_analogy"),
        ({"device": "trainium2"}, "utilisation_by_analogy"),
        ({"device": "h100-sxm", "arch": "speech", "flop": 1e23}, "field_without_runs"),
        ({"device": "h100-sxm", "field": "other"}, "field_without_runs"),
        ({"device": "h100-sxm", "trainable_params": 1e8}, "utilisation_of_fine_tunes"),
    ],
)
def test_what_the_fit_has_not_seen_widens_the_range_and_says_so(
    plan: dict[str, object], code: str
) -> None:
    plain = estimate(Plan(**RUN, device="h100-sxm"))
    found = estimate(Plan(**{**RUN, **plan}))
    assert code in codes(found) and code not in codes(plain)
    for one in (found, plain):
        assert one.device_hours is not None
    assert found.device_hours is not None and plain.device_hours is not None
    wide, usual = (one.p90 / one.p10 for one in (found.device_hours, plain.device_hours))
    assert wide > 1.1 * usual


# Steps.


@given(
    st.floats(0.05, 0.6), st.floats(1, 126), st.floats(1e-4, 1e-2), st.floats(1e4, 1e8),
    st.integers(8, 100_000),
)  # fmt: skip
def test_more_devices_on_one_batch_cost_hours_and_never_time(
    large: float, layers: float, overhead: float, batch: float, count: int
) -> None:
    def reached(n: int) -> float:
        flop = 6 * 8e9 * 1e12
        return float(
            utilisation_of_steps(large, 1.0, layers, overhead, flop, 1e12, batch, n, 989.4e12)
        )

    assert reached(2 * count) <= reached(count) <= large
    assert 1 / (2 * count * reached(2 * count)) <= 1 / (count * reached(count)) * (1 + 1e-12)


def test_without_a_batch_count_costs_nothing_and_a_warning_says_where_it_would() -> None:
    plan = {"params": 8e9, "tokens": 15e12, "device": "h100-sxm"}
    assert hours(**plan, device_count=512) == hours(**plan, device_count=16384)
    many = estimate(Plan(**plan, device_count=16384))
    message = next(one.message for one in many.warnings if one.code == "small_steps")
    assert "16,384 NVIDIA H100" in message and "million in all" in message
    assert "small_steps" not in codes(estimate(Plan(**plan, device_count=512)))


def test_with_a_batch_more_devices_cost_hours_and_draw_less() -> None:
    plan = {"params": 8e9, "tokens": 15e12, "device": "h100-sxm", "global_batch_tokens": 16e6}
    few, many = (estimate(Plan(**plan, device_count=n, region="fr")) for n in (512, 16384))
    assert few.device_hours is not None and many.device_hours is not None
    assert many.device_hours.value > 1.4 * few.device_hours.value
    days = [one.quantities["wall_clock_days"].value for one in (few, many)]  # type: ignore[union-attr]
    assert days[1] < days[0] / 15
    watts = [
        one.quantities["device_energy_kwh"].value / one.device_hours.value  # type: ignore[union-attr]
        for one in (few, many)
    ]
    assert watts[1] < 0.75 * watts[0]
    assert {"layers", "layer_overhead_s", "large_step_utilisation"} <= {
        one.name for one in many.assumptions
    }


def test_a_batch_needs_devices_and_of_adapters_bounds_a_pass() -> None:
    with pytest.raises(JoulecastError, match="global_batch_tokens: 4e6: needs the number"):
        estimate(Plan(params=8e9, tokens=1e12, global_batch_tokens=4e6))
    lora = estimate(
        Plan(params=8e9, trainable_params=4e7, tokens=1e9, global_batch_tokens=4e6, device_count=8)
    )
    small = estimate(
        Plan(params=8e9, trainable_params=4e7, tokens=1e9, global_batch_tokens=8e3, device_count=8)
    )
    assert "given_unused" not in codes(lora) | codes(small)
    passes = [
        next(one.value for one in found.assumptions if one.name == "pass_tokens")
        for found in (lora, small)
    ]
    assert passes == [8192, 1000]
    vision = estimate(
        Plan(arch="vision", params=3e8, tokens=1e11, global_batch_tokens=1e6, device_count=8)
    )
    assert "step_law_by_analogy" in codes(vision)


def test_solve_counts_what_more_devices_cost() -> None:
    plan = Plan(params=7e9, tokens=1e12, device="h100-sxm", global_batch_tokens=4e6)
    found = solve(plan, "devices", {"days": 3})
    for count, meets in ((found.value, True), (found.value - 1, False)):
        days = estimate(plan.replace(device_count=count)).quantities["wall_clock_days"]
        assert days is not None and (days.value <= 3) == meets
    flat = solve(plan.replace(global_batch_tokens=None), "devices", {"days": 3})
    assert found.value > flat.value
    with pytest.raises(JoulecastError, match="no solution for device_count"):
        solve(plan, "devices", {"days": 0.01})
    with pytest.raises(JoulecastError):  # many enough for the deadline draw more than the budget
        solve(plan, "devices", {"days": 0.5, "hours": 60_000})


# Precision.


def test_precision_gains_by_device_and_int8_where_somebody_trained_so() -> None:
    def gain(device: str, precision: str) -> float:
        return of(estimate(Plan(**RUN, device=device, precision=precision)), "precision_speedup")

    assert gain("gb300", "fp4") == 2.1 and gain("gb200", "fp4") == 1.65
    assert gain("h100-sxm", "fp8") == 1.22 and gain("gb200", "fp8") == 1.25  # the common figure
    assert gain("tpu-v5p", "int8") == 1.23
    with pytest.raises(JoulecastError, match="no training at this precision on NVIDIA H200"):
        gain("h200-sxm", "int8")


# Power.


@given(st.floats(50, 1500), st.floats(0, 600), st.floats(0, 1), st.floats(0.1, 0.9))
def test_a_node_draws_linearly_in_the_time_it_works(
    device: float, host: float, busy: float, idle: float
) -> None:
    watts = float(device_power_waiting(device, host, busy, idle))
    assert device / 10 <= watts <= device
    assert float(device_power_waiting(device, host, 1.0, idle)) == pytest.approx(device)
    line = (device + host) * (idle + (1 - idle) * busy)
    assert watts + host >= line * (1 - 1e-12)
    if watts > device / 10 * (1 + 1e-9):
        assert watts + host == pytest.approx(line)


def test_a_utilisation_said_to_be_low_draws_less_and_a_power_given_stays() -> None:
    def watts(**given: float) -> float:
        found = estimate(Plan(**RUN, device="h100-sxm", given=given)).quantities
        energy, time = found["device_energy_kwh"], found["device_hours"]
        assert energy is not None and time is not None
        return 1000 * energy.value / time.value

    default = watts()
    assert watts(utilisation=0.1) < 0.6 * default
    assert watts(utilisation=0.5) == pytest.approx(default)
    assert watts(utilisation=0.1, device_power_w=600.0) == pytest.approx(600)


@pytest.mark.parametrize(
    ("device", "cooling", "watts"),
    [
        ("h100-sxm", None, 300), ("h100-sxm", "air", 360), ("h100-sxm", "evaporative", 360),
        ("h100-sxm", "dry", 360), ("h100-sxm", "liquid", 240), ("h100-sxm", "closed", 240),
        ("b200-sxm", "air", 475), ("b200-sxm", "liquid", 300), ("gb200", "liquid", 470),
        ("mi300x", "liquid", 350 * 0.67), ("mi300x", None, 350),
    ],
)  # fmt: skip
def test_hosts_follow_the_cooling(device: str, cooling: str | None, watts: float) -> None:
    footprint = estimate(Plan(**RUN, device=device, cooling=cooling))
    assert of(footprint, "host_power_w") == pytest.approx(watts)
    assert footprint.plan["cooling"] == cooling


@pytest.mark.parametrize(
    ("device", "share"),
    [("a100-sxm-80", 0.84), ("b200-sxm", 0.89), ("mi300x", 0.89), ("rtx4090", 0.75)],
)
def test_servers_without_a_meter_draw_by_release_consumer_cards_by_class(
    device: str, share: float
) -> None:
    found = BUNDLED.device(device).device
    assert found.tdp_w is not None
    power = of(estimate(Plan(**RUN, device=device)), "device_power_w")
    assert power / found.tdp_w.value == pytest.approx(share, abs=0.011)


# What a comparison says.


@pytest.mark.parametrize("on", ["total_kgco2e", "energy_kwh", "device_hours"])
def test_parts_of_a_ratio_multiply_to_it(on: str) -> None:
    plan = Plan(**RUN, device="h100-sxm")
    options = {"device": ["h100-sxm", "tpu-v5p", "mi355x"], "region": ["us-va", "fr"]}
    for option in compare(plan, vary=options, on=on).options:
        assert option.ratio_parts is not None and option.ratio_to_first is not None
        product = math.prod(option.ratio_parts.values())
        assert product == pytest.approx(option.ratio_to_first.value, rel=1e-9)


def test_who_is_lower_than_whom_is_whole_and_agrees_with_itself() -> None:
    found = compare(Plan(**RUN), vary={"device": ["h100-sxm", "h200-sxm", "b200-sxm", "h100-sxm"]})
    labels = [option.label for option in found.options]
    for one in found.options:
        assert list(one.lower_than) == labels and one.lower_than[one.label] == 0.5
        for other in found.options:
            both = one.lower_than[other.label] + other.lower_than[one.label]
            assert both == pytest.approx(1)
    assert found.options[0].lower_than[labels[3]] == 0.5  # the same device twice


def test_an_unmeasured_device_is_named_on_the_first_screen(joulecast: Run) -> None:
    args = ("compare", "--params", "70B", "--tokens", "2T", "--region", "us-va", "--year", "2025")
    done = joulecast(*args, "--vary", "device=h100-sxm,h100-nvl,h200-sxm", "--matrix").stdout
    head = "\n".join(done.splitlines()[:8])
    assert "never measured: NVIDIA H100 NVL 94 GB: power never metered" in head
    assert "share of peak assumed" in " ".join(head.split()) and "H200" not in head.split("why")[0]
    assert "How probably an option [row] is lower than another [column]" in done
    given = joulecast(*args, "--set", "device_power_w=400", "--set", "mfu=0.3", "--vary",
                      "device=h100-sxm,h100-nvl").stdout  # fmt: skip
    assert "never measured" not in given


def test_advice_on_a_device_says_in_its_line_what_nobody_measured(joulecast: Run) -> None:
    args = (
        "advise",
        "--params",
        "7B",
        "--tokens",
        "1T",
        "--device",
        "a100-sxm-80",
        "--year",
        "2025",
    )
    found = json.loads(joulecast(*args, "--only", "device", "--json").stdout)
    assert found["changes"]
    for change in found["changes"]:
        device = BUNDLED.device(change["options"][-1]).device
        assumed = device.device_power_w is not None and device.device_power_w.basis == "assumed"
        if assumed or (device.device_power_w is None and not device.metered):
            assert "power never metered" in change["change"]


@pytest.mark.parametrize("form", ["hf", "eu", "md", "methods", "latex", "csv", "json", "html"])
@pytest.mark.parametrize("given", [{}, {"goodput": 0.95}, {"mfu": 0.1}])
def test_steps_and_waiting_devices_are_told_in_every_export(
    form: str, given: dict[str, float]
) -> None:
    plan = Plan(**RUN, device="h100-sxm", device_count=512, given=given)
    footprint = estimate(plan.replace(global_batch_tokens=None if "mfu" in given else 4e6))
    text = " ".join(export(footprint, form).split())
    if form == "methods":
        assert ("at large steps" in text) == ("mfu" not in given)
        assert "while it works and less while it waits" in text
    if form == "csv":
        energy = footprint.quantities["device_energy_kwh"]
        assert energy is not None and str(energy.value * of(footprint, "pue"))[:6] in text

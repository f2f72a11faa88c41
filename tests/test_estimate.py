"""What a user may rely on, whatever the plan."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Footprint, JoulecastError, Library, Plan, Quantity, estimate

DEVICES = ("h100-sxm", "a100-sxm-80", "tpu-v4", "v100-sxm2-32", "mi300x", "b200-sxm", "rtx4090")
PLACES = ("fr", "us", "us-va", "pl", "cn", "aws:us-east-1", "jean-zay", None)

plans = st.builds(
    lambda **kw: {key: value for key, value in kw.items() if value is not None},
    params=st.floats(1e8, 1e12),
    tokens=st.floats(1e10, 2e13),
    device=st.sampled_from(DEVICES),
    device_count=st.sampled_from((None, 1, 8, 64, 4096)),
    region=st.sampled_from(PLACES),
    year=st.sampled_from((None, 2020, 2023, 2025, 2028)),
    precision=st.sampled_from((None, "bf16", "fp8")),
).map(
    # FP8 only where the device has it.
    lambda plan: (
        plan
        if plan["device"] in ("h100-sxm", "b200-sxm", "mi300x")
        else {name: value for name, value in plan.items() if name != "precision"}
    )
)
LEVELS = ("value", "p5", "p10", "p50", "p90", "p95")


def run(**plan: Any) -> Footprint:
    return estimate(Plan(**plan))


def known(quantity: Quantity | None) -> Quantity:
    assert quantity is not None
    return quantity


@given(plans)
def test_levels_are_ordered_and_parts_sum_to_the_total(plan: dict[str, Any]) -> None:
    footprint = run(**plan)
    for quantity in footprint.quantities.values():
        if quantity is not None:
            q = quantity
            assert q.p5 <= q.p10 <= q.p50 <= q.p90 <= q.p95
            assert q.value >= 0
    parts = footprint.to_dict()["results"]["parts_kgco2e"]
    total = known(footprint.total)
    assert sum(part["value"] for part in parts.values()) == pytest.approx(total.value, rel=1e-9)
    whole = known(footprint.operational).value + known(footprint.embodied).value
    assert total.value == pytest.approx(whole)
    assert sum(driver.share for driver in footprint.drivers) == pytest.approx(1)


@given(plans, st.floats(1.01, 50))
def test_more_tokens_scale_everything_in_proportion(plan: dict[str, Any], factor: float) -> None:
    small, large = run(**plan), run(**{**plan, "tokens": plan["tokens"] * factor})
    for name in ("training_flop", "device_hours", "energy_kwh", "total_kgco2e"):
        for level in LEVELS:
            one, two = known(small.quantities[name]), known(large.quantities[name])
            assert getattr(two, level) == pytest.approx(getattr(one, level) * factor, rel=1e-9)


@given(plans, st.floats(1.05, 3))
def test_more_parameters_never_emit_less(plan: dict[str, Any], factor: float) -> None:
    small, large = run(**plan), run(**{**plan, "params": plan["params"] * factor})
    assert known(large.total).value > known(small.total).value
    assert known(large.total).p90 > known(small.total).p90


@given(plans, st.floats(10, 900), st.floats(1.01, 3))
def test_a_dirtier_grid_never_emits_less(plan: dict[str, Any], grid: float, factor: float) -> None:
    clean = run(**plan, given={"grid_gco2e_per_kwh": grid})
    dirty = run(**plan, given={"grid_gco2e_per_kwh": grid * factor})
    for level in LEVELS:
        assert getattr(known(dirty.total), level) > getattr(known(clean.total), level)
    ratio = known(dirty.operational).value / known(clean.operational).value
    assert ratio == pytest.approx(factor)
    assert dirty.energy == clean.energy


@given(plans, st.floats(1.0, 2.0), st.floats(1.01, 2))
def test_a_higher_pue_never_emits_less(plan: dict[str, Any], pue: float, factor: float) -> None:
    lean, fat = (run(**plan, given={"pue": value}) for value in (pue, pue * factor))
    assert known(fat.total).value > known(lean.total).value
    assert fat.quantities["it_energy_kwh"] == lean.quantities["it_energy_kwh"]


@given(plans, st.floats(0.05, 0.25), st.floats(1.01, 2))
def test_hours_go_with_the_inverse_of_utilisation(
    plan: dict[str, Any], utilisation: float, factor: float
) -> None:
    slow = run(**plan, given={"utilisation": utilisation})
    fast = run(**plan, given={"utilisation": utilisation * factor})
    ratio = known(slow.device_hours).value / known(fast.device_hours).value
    assert ratio == pytest.approx(factor)


@given(plans)
def test_giving_back_the_median_hours_changes_no_nominal_value(plan: dict[str, Any]) -> None:
    first = run(**plan)
    again = run(**plan, given={"device_hours": known(first.device_hours).value})
    assert known(again.total).value == pytest.approx(known(first.total).value)
    (check,) = again.cross_checks
    assert check.name == "device_hours" and check.ratio == pytest.approx(1)


@given(plans)
def test_knowing_an_input_narrows_the_range(plan: dict[str, Any]) -> None:
    """The largest driver, given exactly at its median, cannot widen the log-range."""
    first = run(**plan)
    name = first.drivers[0].name
    value = next(entry.value for entry in first.assumptions if entry.name == name)
    again = run(**plan, given={name: value})
    before, after = known(first.total), known(again.total)
    assert after.p90 / after.p10 < before.p90 / before.p10


@given(plans)
def test_the_same_plan_gives_the_same_bytes(plan: dict[str, Any]) -> None:
    assert run(**plan).to_json() == run(**plan).to_json()


@given(plans)
def test_every_assumption_names_its_source_and_its_flag(plan: dict[str, Any]) -> None:
    library = Library.bundled()
    for entry in run(**plan).assumptions:
        assert entry.flag.startswith("--")
        if entry.given:
            assert entry.basis == "given"
        else:
            assert library.source(entry.source).title
        assert (entry.low is None) == (entry.high is None)


TWENTY = [
    {"params": "32.2B", "tokens": "6.6T", "device": "h100-sxm", "device_count": 1024, "region": "us", "year": 2025},
    {"params": "70B", "tokens": "15T", "device": "h100-sxm", "region": "us-va", "year": 2024},
    {"params": 175e9, "tokens": 300e9, "device": "V100-SXM2", "device_count": 10000, "provider": "azure", "year": 2020},
    {"params": "671B", "active_params": "37B", "tokens": "14.8T", "device": "H800", "precision": "fp8", "region": "cn"},
    {"params": "11B", "tokens": "1.05T", "arch": "enc-dec", "device": "TPUv3", "device_count": 512, "region": "tw", "year": 2019},
    {"params": "1B", "tokens": "20B"},
    {"params": "125M", "tokens": "2.5B", "device": "rtx4090", "device_count": 1, "region": "de", "year": 2023},
    {"flop": "3.8e25", "device": "h100-sxm", "device_count": 16384, "region": "us-ia", "year": 2024},
    {"flop": "1e21", "device": "MI250X", "region": "LUMI", "year": 2023},
    {"params": "7B", "tokens": "2T", "device": "a100-sxm-80", "given": {"mfu": 0.45}, "region": "fr", "year": 2022},
    {"params": "7B", "tokens": "2T", "device": "a100-sxm-80", "given": {"mfu": "0.3..0.5", "goodput": 0.95}, "region": "fr", "year": 2022},
    {"params": "7B", "tokens": "2T", "device": "a100-sxm-80", "given": {"tokens_per_second_per_device": 3000}, "region": "se-se3", "year": 2022},
    {"params": "7B", "tokens": "2T", "device": "a100-sxm-80", "recompute": "full", "given": {"hfu": 0.5}, "region": "in", "year": 2022},
    {"given": {"device_hours": "1.3M h"}, "device": "h100-sxm", "region": "pl", "year": 2024},
    {"given": {"wall_clock_days": "2 weeks"}, "device_count": 64, "device": "a100-sxm-40", "region": "us-ca", "year": 2023},
    {"given": {"energy_kwh": "1,287 MWh"}, "region": "us", "year": 2020},
    {"given": {"it_energy_kwh": 433196, "pue": 1.2, "grid_gco2e_per_kwh": 57}},
    {"given": {"operational_kgco2e": "552.1 t"}},
    {"given": {"device_energy_kwh": 100, "host_energy_kwh": 50}, "region": "nl", "year": 2021},
    {"given": {"device_hours": 3.5, "device_power_w": 200, "grid_gco2e_per_kwh": 500}, "only_given": True},
    {"params": "10M", "tokens": "100M", "device": "cpu-laptop", "device_count": 1, "region": "ch", "year": 2024},
]  # fmt: skip


@pytest.mark.parametrize("plan", TWENTY, ids=range(len(TWENTY)))
def test_the_by_hand_block_gives_the_headline(plan: dict[str, Any]) -> None:
    """Read the printed block, key it in, and compare with the value of the JSON."""
    footprint = run(**plan)
    text = footprint.explain()
    block = text.split("By hand")[1].split("\n\n")[0].splitlines()[1:]
    display = 0.0
    for line in block:
        pressed = re.match(r"  ([x/+ ]) ([\d.e+-]+) ", line)
        if pressed is None:
            continue
        operator, number = pressed[1], float(pressed[2])
        display = {
            "x": display * number,
            "/": display / number,
            "+": display + number,
            " ": number,
        }[operator]
        shown = re.search(r"= ([\d.e+-]+) \S", line)
        if shown:
            assert display == pytest.approx(float(shown[1]), rel=1e-3)
    headline = known(footprint.headline)
    unit = {"tCO2e": 1000.0, "kgCO2e": 1.0, "gCO2e": 0.001, "kWh": 1.0}
    last = block[-1].split()[-1]
    assert display * unit[last] == pytest.approx(headline.value, rel=1e-3)


def test_a_default_never_reaches_the_peak_itself() -> None:
    """The tuned share of Gaudi 2 may be all of its peak; no draw of a run is."""
    for plan in ({"arch": "encoder"}, {"arch": "enc-dec"}, {"method": "full"}):
        found = run(params=1e9, tokens=1e10, device="gaudi2", device_count=8, **plan)
        reached = known(found.quantities["utilisation"])
        assert reached.value < reached.p90 < 0.95


def test_gpt3_with_published_inputs_gives_the_published_figure() -> None:
    """Patterson et al. 2021, table 4: 3.14e23 FLOP at 24.6 TFLOP/s on V100, 330 W a device all
    in, PUE 1.10, 429 g/kWh net: 1,287 MWh and 552.1 t."""
    footprint = run(
        flop=3.14e23,
        device="v100-sxm2-32",
        device_count=10000,
        given={
            "utilisation": 24.6 / 125,
            "device_power_w": 330,
            "host_power_w": 0,
            "network_share": 0,
            "pue": 1.10,
            "grid_gco2e_per_kwh": 429,
        },
    )
    assert known(footprint.energy).to("MWh").value == pytest.approx(1287, rel=0.001)
    assert known(footprint.operational).to("t").value == pytest.approx(552.1, rel=0.001)
    assert known(footprint.quantities["wall_clock_days"]).value == pytest.approx(14.8, rel=0.005)


def test_bloom_dynamic_consumption_with_published_inputs() -> None:
    """Luccioni et al. 2022, arXiv:2211.02001: 1,082,990 h x 400 W = 433,196 kWh, x 57 g = 24.69 t."""
    footprint = run(
        given={"device_hours": 1_082_990, "device_power_w": 400, "grid_gco2e_per_kwh": 57},
        only_given=True,
    )
    assert known(footprint.energy).value == pytest.approx(433_196, rel=1e-5)
    assert known(footprint.total).to("t").value == pytest.approx(24.69, rel=1e-3)


def test_quantities_convert_and_refuse_what_they_are_not() -> None:
    footprint = run(params=7e9, tokens=1e12, region="fr")
    total = known(footprint.total)
    assert total.to("t").value == total.value / 1000
    assert total.to("t").unit == "tCO2e"
    assert known(footprint.energy).to("MWh").p90 == pytest.approx(known(footprint.energy).p90 / 1e3)
    with pytest.raises(JoulecastError, match="unit: MWh: does not measure what kgCO2e does"):
        total.to("MWh")


def test_water_is_unknown_without_a_place() -> None:
    assert run(params=7e9, tokens=1e12).water is None
    assert known(run(params=7e9, tokens=1e12, region="fr").water).value > 0


def test_energy_alone_leaves_the_making_out_and_says_so() -> None:
    footprint = run(given={"energy_kwh": 1000}, region="fr", year=2024)
    assert footprint.embodied is None
    assert footprint.total == footprint.operational
    assert "embodied_unknown" in {notice.code for notice in footprint.warnings}
    assert footprint.device_hours is None
    parts = footprint.to_dict()["results"]["parts_kgco2e"]
    assert parts["device"] is None and parts["cooling"] is None


def test_a_range_on_an_input_widens_the_range_of_the_answer() -> None:
    exact = run(params=7e9, tokens=1e12, region="fr", given={"pue": 1.2})
    ranged = run(params=7e9, tokens=1e12, region="fr", given={"pue": (1.05, 1.2, 1.9)})
    assert known(exact.total).value == pytest.approx(known(ranged.total).value)
    assert known(ranged.total).p95 > known(exact.total).p95


def test_published_tokens_of_a_known_model_are_no_slip_of_units() -> None:
    """60,000 tokens per parameter: only what somebody typed is worth a second look."""

    def codes(**plan: Any) -> set[str]:
        return {notice.code for notice in estimate(Plan(model="qwen3-0.6b", **plan)).warnings}

    assert "tokens_per_param" not in codes()
    assert "tokens_per_param" in codes(tokens="36T")


def test_a_stage_given_as_nothing_is_checked_against_what_is_implied() -> None:
    told = estimate(Plan(params=7e9, tokens=2e12, device="h100-sxm", given={"embodied_kgco2e": 0}))
    assert "embodied_kgco2e given is 0 times what the other inputs imply" in [
        notice.message for notice in told.warnings
    ]

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Plan, estimate, units
from joulecast.errors import UnitError

PLANS = (
    Plan(params=70e9, tokens=15e12, device="h100-sxm", device_count=4096, region="us-va", year=2024),
    Plan(params=1e9, tokens=2e10, given={"mfu": (0.3, 0.4, 0.5), "pue": 1.1}, region="fr", year=2023),
    Plan(flop=3e23, device="tpu-v4", device_count=6144, region="us-ok", provider="gcp", year=2022),
    Plan(given={"device_hours": "12600 s", "device_power_w": 200, "grid_gco2e_per_kwh": 500}),
    Plan(params=7e9, tokens=1e11, device="h100-sxm", region="se", year=2021, use={"tokens": "1T/year", "years": 2}),
    Plan(given={"wall_clock_days": 3, "tokens_per_second_per_device": 3000}, params=7e9, tokens=1e11, device="a100-sxm-80", device_count=64, region="se", year=2021),
)  # fmt: skip


@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_answers_do_not_depend_on_the_base_units(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dimensional analysis of the whole package: random sizes of the base units, same answers."""
    before = estimate(plan)
    dice = random.Random(20)
    bases = {base: 10 ** dice.uniform(-3, 3) for base in units.BASES}
    for name, size in units.make(**bases).items():
        monkeypatch.setattr(units, name, size)
    after = estimate(plan)
    for name, quantity in before.quantities.items():
        other = after.quantities[name]
        if quantity is None:
            assert other is None
            continue
        assert other is not None
        for level in ("value", "p5", "p10", "p50", "p90", "p95"):
            assert getattr(other, level) == pytest.approx(getattr(quantity, level), rel=1e-9)
    if before.use_phase is not None and after.use_phase is not None:
        for name, used in before.use_phase.results.items():
            uses = after.use_phase.results[name]
            assert used is not None and uses is not None
            assert uses[:-1] == pytest.approx(used[:-1], rel=1e-9)
    for one, two in zip(before.by_hand, after.by_hand, strict=True):
        assert two.factor == pytest.approx(one.factor, rel=1e-9)
    for drove, drives in zip(before.drivers, after.drivers, strict=True):
        assert drives.share == pytest.approx(drove.share, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "unit", "ratio"),
    [
        ("kWh", "J", 3.6e6),
        ("g/kWh", "kg/MWh", 1.0),
        ("t/MWh", "gCO2e/kWh", 1000.0),
        ("kg", "lb", 1 / 0.45359237),
        ("TFLOPS", "FLOP/s", 1e12),
        ("m3", "L", 1000.0),
        ("weeks", "h", 168.0),
        ("GPU-hours", "h", 1.0),
    ],
)
def test_units_convert(text: str, unit: str, ratio: float) -> None:
    assert units.read_unit(text).factor / units.read_unit(unit).factor == pytest.approx(ratio)
    assert units.read_unit(text).dimension == units.read_unit(unit).dimension


@given(st.sampled_from(sorted(units.SYMBOLS)), st.sampled_from(sorted(units.SYMBOLS)))
def test_a_ratio_of_units_divides_factor_and_dimension(top: str, bottom: str) -> None:
    whole = units.read_unit(f"{top}/{bottom}")
    over, under = units.read_unit(top), units.read_unit(bottom)
    assert whole.factor == pytest.approx(over.factor / under.factor)
    pairs = zip(over.dimension, under.dimension, strict=True)
    assert whole.dimension == tuple(a - b for a, b in pairs)


def test_an_unknown_unit_gets_the_nearest() -> None:
    with pytest.raises(UnitError, match="unit: kWj: is not a unit known here; try kW, kJ, kWh"):
        units.read_unit("kWj")

"""Each trap of power and of reachable speed: TDP is not what a device draws, peak not what it does.

Sources of the figures: vendor documentation, Patterson et al. 2021 (arXiv:2104.10350), the Epoch
table of July 2026 (Epoch), stas00/ml-engineering of August 2026.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Footprint, Library, Plan, estimate
from joulecast.answers.footprint import Assumption
from joulecast.data.records import Device, Figure
from joulecast.resolve.hardware import shares_of_rating

BUNDLED = Library.bundled()
DEVICES = {name: BUNDLED.device(name).device for name in BUNDLED.device_ids}
TPUS = sorted(
    name for name, device in DEVICES.items() if device.kind == "tpu" and not device.missing
)


def device(name: str) -> Device:
    return DEVICES[name]


def run(name: str) -> Footprint:
    return estimate(Plan(params=7e9, tokens=1e12, device=name, region="us", year=2024))


def assumed(footprint: Footprint, name: str) -> Assumption:
    return next(entry for entry in footprint.assumptions if entry.name == name)


def ends(figure: Figure | Assumption | None) -> tuple[float, float]:
    assert figure is not None and figure.low is not None and figure.high is not None
    return figure.low, figure.high


def test_b300_power_is_shown_as_a_range() -> None:
    # 1,000 W (DGX power-capping document), 1,100 W (Epoch), 1,400 W (TechPowerUp).
    assert ends(device("b300-sxm").tdp_w) == (1000, 1400)
    gb300 = device("gb300").tdp_w
    assert gb300 is not None and gb300.value == 1400


@pytest.mark.parametrize("name", ["b300-sxm", "trainium2", "mi308x", "mlu590", "m4-max"])
def test_an_uncertain_tdp_widens_the_power_of_the_estimate(name: str) -> None:
    tdp = device(name).tdp_w
    _, share = shares_of_rating(BUNDLED, device(name))
    assert tdp is not None
    low, high = ends(assumed(run(name), "device_power_w"))
    assert low < ends(share)[0] * tdp.value
    assert high > ends(share)[1] * tdp.value


@pytest.mark.parametrize(
    ("name", "watts", "tdp"),
    [
        ("tpu-v2", 161, 280),  # Patterson 2021, table 3: 221 W of system, less 60 W of host
        ("tpu-v3", 220, 450),  # Google Cloud TPU documentation: 123 / 220 / 262 W
        ("tpu-v4", 170, 340),  # Google Cloud TPU documentation: 90 / 170 / 192 W
    ],
)
def test_tpu_estimates_use_measured_watts(name: str, watts: float, tdp: float) -> None:
    power = assumed(run(name), "device_power_w")
    assert power.value == watts
    assert watts < 0.6 * tdp
    assert power.basis in ("measured", "derived")


@pytest.mark.parametrize("name", TPUS)
def test_tpu_tdp_is_an_upper_bound_never_the_power(name: str) -> None:
    power, tdp = assumed(run(name), "device_power_w"), device(name).tdp_w
    assert tdp is not None and device(name).device_power_w is not None
    assert power.unknown == f"{name}.power"
    assert ends(power)[1] <= tdp.value


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("a100-sxm-40", 0.87),
        ("a100-sxm-80", 0.87),
        ("h100-sxm", 0.80),
        ("h200-sxm", 0.80),
        ("b200-sxm", 0.78),
        ("b300-sxm", 0.78),
        ("gb200", 0.73),
        ("mi355x", 0.68 * 2300 / 2516.6),  # the source divides by 2,300
        ("mi300x", 0.51),
        ("gaudi2", 0.97),
    ],
)
def test_reachable_share_of_peak_is_the_best_measured_matmul(name: str, share: float) -> None:
    # stas00/ml-engineering, maximum achievable matmul FLOP/s (MAMF), August 2026.
    found = device(name).matmul_share
    assert found is not None
    assert found.value == pytest.approx(share, abs=0.01)
    assert (found.basis, found.source) == ("measured", "stas00-accelerators-2026")


def power(params: float, name: str = "h100-sxm") -> tuple[float, float, float]:
    """Power assumed of one device: low, value, high."""
    found = assumed(estimate(Plan(params=params, tokens=1e11, device=name)), "device_power_w")
    low, high = ends(found)
    return low, found.value, high


@pytest.mark.parametrize(
    ("params", "share"), [(2e7, 0.55), (1e8, 0.55), (10**8.5, (0.55 + 0.8911) / 2), (1e9, 0.8911), (7e10, 0.8911)]
)  # fmt: skip
def test_power_goes_from_small_to_large_models_over_a_decade(params: float, share: float) -> None:
    assert power(params)[1] == pytest.approx(700 * share)


@given(st.floats(7, 11), st.sampled_from(["h100-sxm", "a100-sxm-80", "v100-sxm2-32", "mi300x"]))
def test_power_never_jumps_nor_falls_with_size(log_params: float, name: str) -> None:
    """One percent more parameters never move any end of the range by 2 percent, nor down.

    From 0.15 to 0.67 of the rating over a decade of size, the low end rises most.
    """
    one, two = power(10**log_params, name), power(1.01 * 10**log_params, name)
    for before, after in zip(one, two, strict=True):
        assert before <= after * (1 + 1e-9) and after < 1.02 * before


def test_the_page_on_energy_states_the_fit_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "method" / "energy.md").read_text()
    for name, words in (
        ("hopper.large", "| hopper | {} |"),
        ("pre-ampere.small", "| {} | derived [3]; fitted |"),
    ):
        share = BUNDLED.default(f"device_power_share.{name}")
        figures = f"{share.value:.2f} | {share.low:.2f} to {share.high:.2f}"
        assert words.format(figures) in page
    for generation in ("v2", "v3", "v4"):
        chip = DEVICES[f"tpu-{generation}"].device_power_w
        share = BUNDLED.default(f"host_power_share.tpu-{generation}")
        assert chip is not None and share.low is not None and share.high is not None
        host, low, high = (
            f"{chip.value * one:.0f}" for one in (share.value, share.low, share.high)
        )
        words = f"| TPU {generation} | {host} | {low} to {high} | fitted: {share.value:.2f} "
        assert words in page

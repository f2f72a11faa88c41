"""Names as programs print them: nvidia-smi, rocm-smi, JAX, and Hugging Face's list of hardware."""

from __future__ import annotations

import pytest

from joulecast import Library

LIBRARY = Library.bundled()

#: Printed by the driver or the framework: one device, no doubt about the variant.
PRINTED = {
    "NVIDIA A100-SXM4-80GB": "a100-sxm-80",
    "NVIDIA A100-SXM4-40GB": "a100-sxm-40",
    "NVIDIA A100 80GB PCIe": "a100-pcie-80",
    "NVIDIA A100-PCIE-40GB": "a100-pcie-40",
    "Tesla V100-SXM2-16GB": "v100-sxm2-16",
    "Tesla V100-SXM2-32GB": "v100-sxm2-32",
    "Tesla P100-PCIE-16GB": "p100-pcie",
    "Tesla T4": "t4",
    "Tesla K80": "k80",
    "NVIDIA H100 80GB HBM3": "h100-sxm",
    "NVIDIA H100 PCIe": "h100-pcie",
    "NVIDIA H100 NVL": "h100-nvl",
    "NVIDIA H200 NVL": "h200-nvl",
    "NVIDIA GH200 480GB": "gh200",
    "NVIDIA B200": "b200-sxm",
    "NVIDIA B300 SXM6 AC": "b300-sxm",
    "NVIDIA L4": "l4",
    "NVIDIA L40S": "l40s",
    "NVIDIA A10G": "a10g",
    "NVIDIA RTX A6000": "rtx-a6000",
    "NVIDIA RTX 6000 Ada Generation": "rtx6000-ada",
    "NVIDIA GeForce RTX 4090": "rtx4090",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "rtxpro6000-server",
    "AMD Instinct MI300X OAM": "mi300x",
    "AMD Instinct MI325 OAM": "mi325x",
    "AMD Instinct MI210": "mi210",
    "Intel(R) Data Center GPU Max 1550": "max1550",
    "TPU v4": "tpu-v4",
    "TPU v5 lite": "tpu-v5e",
    "TPU v6 lite": "tpu-v6e",
}

#: Hugging Face's list of hardware, as far as we hold the device; many are names of a family.
HUGGING_FACE = {
    "H100": "h100-sxm",
    "A100": "a100-sxm-80",
    "L40": "l40",
    "RTX 6000 Ada": "rtx6000-ada",
    "A40": "a40",
    "A10": "a10",
    "T4": "t4",
    "RTX 4090": "rtx4090",
    "RTX 3090": "rtx3090",
    "RTX Titan": "titan-rtx",
    "MI300": "mi300x",
    "MI250": "mi250",
    "MI210": "mi210",
    "Apple M1 Max": "m1-max",
    "Apple M2 Ultra": "m2-ultra",
    "Apple M3 Max": "m3-max",
}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_names_mean_one_device(name: str) -> None:
    match = LIBRARY.device(name)
    assert (match.device.id, match.variants) == (PRINTED[name], ())


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_names_of_the_hub_are_known(name: str) -> None:
    assert LIBRARY.device(name).device.id == HUGGING_FACE[name]


@pytest.mark.parametrize("name", ["H100", "NVIDIA H100", "nvidia h100"])
def test_a_family_is_a_family_with_its_maker_before_it(name: str) -> None:
    assert LIBRARY.device(name).variants == ("h100-nvl", "h100-pcie")


@pytest.mark.parametrize("name", ["V100", "Tesla V100", "NVIDIA Tesla V100"])
def test_a_tesla_is_a_family_too(name: str) -> None:
    assert set(LIBRARY.device(name).variants) == {"v100-pcie", "v100-sxm2-16"}

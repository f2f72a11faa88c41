"""One broken device per way to break one: the message names the file, the field and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulecast import JoulecastError, Library
from joulecast.errors import SpecsError

BAD = Path(__file__).parents[1] / "data" / "bad_specs"

#: Folder -> what the message says after the name of the file.
MESSAGES = {
    # Keys.
    "misspelt_key": "host_powr_w: unknown key; try host_power_w, host_power_by_cooling, device_power_w",
    "misspelt_required_key": (
        "memory_gbytes: unknown key; try memory_gb, memory_bandwidth_gb_per_s"
    ),
    "misspelt_key_in_figure": "tdp_w.hihg: unknown key; try high",
    "missing_source": "source: missing",
    "missing_release_date": "device: needs release_date, or missing to say that nobody printed one",
    "missing_family": "family: missing",
    "empty_file": "id: missing",
    "no_peaks": "device: needs a dense bf16, fp16 or fp32 peak, or missing to say why not",
    "unknown_source": "source: acme-kit: is not in sources.toml",
    # Names and words.
    "id_with_capitals": "id: Mine: must be lower-case letters, digits and single hyphens",
    "id_not_file_name": "id: yours: must be the name of the file; try mine",
    "bad_date": "release_date: 31 January 2025: is not a date such as 2025-01-31",
    "unknown_device_class": (
        "device_class: hoper: is not a known choice; try hopper, other, ampere"
    ),
    "unknown_kind": "kind: gppu: is not a known choice; try gpu, tpu, npu",
    "unknown_basis": (
        "tdp_w.basis: guessed: is not a known choice; try assumed, measured, published"
    ),
    "unknown_scope": "embodied_scope: module: is not a known choice; try device, system",
    "unknown_precision": "peak_tflops: bf61: is not a known precision; try bf16, fp64, fp16",
    "unknown_sparse_precision": (
        "sparse_peak_tflops: bf61: is not a known precision; try bf16, fp64, fp16"
    ),
    "aliases_as_text": "aliases: MA-1: must be a list in square brackets",
    "framework_counts_bare": "framework_devices: 2: must be a list in square brackets",
    "alias_not_text": "aliases.1: 1: must be a name",
    # Numbers.
    "not_a_number": "memory_gb: eighty: is not a number",
    "not_a_number_in_figure": "tdp_w.value: seven hundred: is not a number",
    "true_as_number": "memory_gb: True: is not a number",
    "nan": "tdp_w.value: nan: must be a finite number",
    "framework_counts_one": "device: framework_devices must be whole numbers from 2",
    "framework_counts_text": "framework_devices.0: two: is not a whole number",
    "other_peak_of_zero": "other_peak_tflops.a100: must be above 0",
    "other_peak_unsaid": "device: other_peak_tflops.a100 needs a note that says what it is",
    "no_devices_per_host": "devices_per_host: 0: must be at least 1",
    "negative_power": "device_power_w: must be above 0",
    "negative_host_power": "host_power_w: must not be negative",
    "host_range_below_zero": "host_power_w: must not be negative",
    "host_range_from_zero": "host_power_w: a range must start above 0",
    "negative_host_embodied": "host_embodied_kgco2e: must not be negative",
    "zero_peak": "peak_tflops.bf16: must be above 0",
    "negative_peak": "peak_tflops.bf16: must be above 0",
    "share_above_one": "matmul_share: is a share and must lie in 0..1, not 1.4",
    "share_in_percent": "matmul_share: is a share and must lie in 0..1, not 78",
    "share_range_above_one": "matmul_share: is a share and must lie in 0..1, not 1.4",
    "tdp_of_7_w": "device: tdp_w 7 is not a plausible device power",
    # Ranges.
    "range_out_of_order": "tdp_w: low, value, high out of order: 800, 700, 600",
    "value_outside_range": "tdp_w: low, value, high out of order: 750, 700, 900",
    "low_without_high": "tdp_w: a range needs both low and high",
    "low_equal_high": "tdp_w: low and high are equal; leave both out for an exact number",
    # Figures that contradict each other.
    "sparse_peak_as_dense": (
        "device: dense bf16 peak 800 is not below the sparse 800: is it a sparse figure?"
    ),
    "no_usable_peak": "device: needs a dense bf16, fp16 or fp32 peak, or missing to say why not",
    "no_power": "device: needs tdp_w or device_power_w, or missing to say why not",
    "embodied_counted_twice": (
        "device: embodied_scope is system, so host_embodied_kgco2e counts it twice"
    ),
    # Files.
    "broken_toml": "Invalid value (at line 2, column 8)",
    "key_twice": "Cannot overwrite a value (at line 13, column 15)",
    "not_utf8": "is not UTF-8 text",
}

#: Files no table can be made of: these stop the whole folder.
UNREADABLE = {"broken_toml", "key_twice", "not_utf8"}


@pytest.mark.parametrize("case", MESSAGES)
def test_broken_device_is_refused_by_file_and_field(case: str) -> None:
    with pytest.raises(SpecsError) as caught:
        Library.with_folder(BAD / case).device("mine")
    assert str(caught.value) == f"devices/mine.toml: {MESSAGES[case]}"


@pytest.mark.parametrize("case", sorted(set(MESSAGES) - UNREADABLE))
def test_broken_device_leaves_the_others_alone(case: str) -> None:
    match = Library.with_folder(BAD / case).device("H100")
    assert match.device.id == "h100-sxm"
    assert match.variants == ("h100-nvl", "h100-pcie")


def test_alias_of_a_shipped_device_makes_the_name_ambiguous() -> None:
    library = Library.with_folder(BAD / "alias_taken")
    assert library.device("mine").device.id == "mine"
    with pytest.raises(JoulecastError) as caught:
        library.device("A100")
    assert str(caught.value) == ("device: A100: could be several devices; try a100-sxm-80, mine")
    assert library.device("a100-sxm-80").device.id == "a100-sxm-80"


def test_every_device_folder_is_tested() -> None:
    folders = {path.parents[1].name for path in BAD.glob("*/devices/*.toml")}
    assert folders == {*MESSAGES, "alias_taken"}

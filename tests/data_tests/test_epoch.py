"""Our devices against the Epoch AI table (CC BY 4.0): two roads to the same figure."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from joulecast import Library
from joulecast.data.records import Device, Figure

DATA = Path(__file__).parents[1] / "data"
TOLERANCE = 0.02


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))


EPOCH = rows("epoch_devices.csv")
DIFFERENCES = {(row["id"], row["field"]): row for row in rows("epoch_differences.csv")}
FIELDS = tuple(name for name in EPOCH[0] if name not in ("id", "row"))


def figure_of(device: Device, field: str) -> Figure | None:
    peaks = device.peak_tflops
    figures = {
        "bf16_or_fp16_dense_tflops": peaks.get("bf16", peaks.get("fp16")),
        "tdp_w": device.tdp_w,
        "memory_gb": device.memory_gb,
        "bandwidth_gb_per_s": device.memory_bandwidth_gb_per_s,
        "fp32_tflops": peaks.get("fp32"),
        "tf32_tflops": peaks.get("tf32"),
        "fp8_tflops": peaks.get("fp8"),
    }
    return figures[field]


def pairs() -> dict[tuple[str, str], tuple[float, float]]:
    """(id, field) -> (ours, theirs), where both have a figure."""
    library = Library.bundled()
    found = {}
    for row in EPOCH:
        device = library.device(row["id"]).device
        for field in FIELDS:
            figure = figure_of(device, field)
            if row[field] and figure is not None:
                found[row["id"], field] = figure.value, float(row[field])
    return found


PAIRS = pairs()


@pytest.mark.parametrize("row", EPOCH, ids=lambda row: row["id"])
def test_figures_agree_with_epoch_or_the_difference_has_a_reason(row: dict[str, str]) -> None:
    for field in FIELDS:
        if (row["id"], field) in PAIRS and (row["id"], field) not in DIFFERENCES:
            ours, theirs = PAIRS[row["id"], field]
            assert ours == pytest.approx(theirs, rel=TOLERANCE), field


@pytest.mark.parametrize("key", DIFFERENCES, ids="-".join)
def test_listed_difference_is_not_stale(key: tuple[str, str]) -> None:
    listed = DIFFERENCES[key]
    ours, theirs = PAIRS[key]
    assert ours == float(listed["ours"])
    # Epoch rows are rounded to four figures in the list.
    assert theirs == pytest.approx(float(listed["epoch"]), rel=1e-3)
    assert abs(ours / theirs - 1) > TOLERANCE
    assert len(listed["reason"]) > 10


def test_no_device_and_no_difference_stands_twice() -> None:
    assert len({row["id"] for row in EPOCH}) == len(EPOCH)
    assert len(DIFFERENCES) == len(rows("epoch_differences.csv"))


def test_most_devices_are_shared() -> None:
    assert len(EPOCH) >= 60
    assert {row["id"] for row in EPOCH} <= set(Library.bundled().device_ids)


def test_sixteen_bit_peak_was_compared_for_most_devices() -> None:
    compared = [key for key in PAIRS if key[1] == "bf16_or_fp16_dense_tflops"]
    assert len(compared) >= 50

"""Devices of 2025 and 2026 and little-known ones: every spelling, status, and what nobody printed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from conftest import Run, each

from joulecast import Library, Plan, estimate
from joulecast.errors import JoulecastError

BUNDLED = Library.bundled()
NAMES = Path(__file__).parents[1] / "data" / "device_names.csv"
TYPED = dict(
    sorted({(row["typed"], row["id"]) for row in csv.DictReader(NAMES.read_text().splitlines())})
)

#: Spellings that stand for a device of another maker first, or for none without its maker.
OTHERS = {"R200": "r200", "Titan": None}


def known(name: str) -> str | None:
    try:
        return BUNDLED.device(name).device.id
    except JoulecastError:
        return None


@each("typed", TYPED)
def test_every_spelling_finds_its_device(typed: str) -> None:
    assert known(typed) == OTHERS.get(typed, TYPED[typed])


def test_the_table_is_whole() -> None:
    assert len(TYPED) > 450 and len(set(TYPED.values())) == 101


@pytest.mark.parametrize(
    ("typed", "id_"),
    [
        ("NVIDIA RTX 6000D", "rtx6000d"), ("Ascend910B3", "ascend910b3"), ("gfx1151", "strix-halo"),
        ("BW200", "bw1000"), ("K100_AI", "k100-ai"), ("昇腾910B2", "ascend910b2"),
        ("海光BW1000", "bw1000"), ("沐曦C500", "metax-c500"), ("RTX 5090 Laptop GPU", "rtx5090-laptop"),
        ("RTX 5090", "rtx5090"), ("RTX PRO 6000", "rtxpro6000"), ("GH200 144GB", "gh200-144"),
    ],
)  # fmt: skip
def test_what_drivers_and_people_print(typed: str, id_: str) -> None:
    assert known(typed) == id_


def test_peaks_are_dense_and_as_derived() -> None:
    """Maker's sheets of 2025 and 2026: sparse headlines halved, GeForce at FP32 accumulation."""
    for name, bf16 in (("r200", 4000), ("mi350p", 1150), ("rtxpro6000-maxq", 438.9),
                       ("rtx5080", 112.6), ("l20", 119.5), ("ascend910b3", 313),
                       ("maia-100", 800), ("metax-c500", 240)):  # fmt: skip
        peak = BUNDLED.device(name).device.peak("bf16")
        assert peak is not None and peak.value == pytest.approx(bf16, rel=1e-3), name


@each("name", [n for n in BUNDLED.device_ids if BUNDLED.device(n).device.peak("bf16") is None])
def test_a_device_without_a_peak_is_known_and_asks_for_one(name: str) -> None:
    device = BUNDLED.device(name).device
    assert device.missing
    plan = Plan(params=7e9, tokens=1e12, device=name, region="fr", year=2027)
    if device.status == "cancelled":
        with pytest.raises(JoulecastError, match="was never sold"):
            estimate(plan)
        return
    with pytest.raises(JoulecastError, match="no 16-bit peak") as error:
        estimate(plan)
    assert "--set peak_flops=" in str(error.value)
    told = estimate(plan.replace(given={"peak_flops": 2e14}))
    assert told.device_hours is not None and told.device_hours.value > 0
    watts = device.tdp_w or device.device_power_w
    assert (told.total is None) == (watts is None)
    if watts is None:
        assert "power_unknown" in {notice.code for notice in told.warnings}


def test_what_is_announced_says_so_on_the_first_screen(joulecast: Run) -> None:
    args = ("estimate", "--params", "7B", "--tokens", "1T", "--year", "2027", "--region", "fr")
    done = joulecast(*args, "--device", "mi455x")
    assert "(announced)" in " ".join(done.stdout.splitlines()[:3])
    assert "device_announced" in done.stdout
    wrong = joulecast(*args, "--device", "falcon-shores")
    assert wrong.returncode == 2 and "was never sold: Intel cancelled it" in wrong.stderr


def test_a_name_of_two_makers_names_the_other() -> None:
    found = estimate(Plan(params=7e9, tokens=1e12, device="R200", region="cn", year=2026))
    message = next(one.message for one in found.warnings if one.code == "device_namesake")
    assert "Kunlunxin R200" in message and "--device kunlun-r200" in message


def test_bins_of_one_name_span_its_range() -> None:
    found = estimate(Plan(params=7e9, tokens=1e12, device="910B", region="cn", year=2026))
    peak = next(one for one in found.assumptions if one.name == "peak_flops")
    assert peak.low == 280e12 and peak.high == 400e12


@pytest.mark.parametrize("name", ["gb10", "strix-halo", "m3-ultra", "jetson-thor"])
def test_a_machine_on_a_desk_holds_its_host(name: str) -> None:
    device = BUNDLED.device(name).device
    assert device.at_a_desk and device.host_power_w is not None
    assert device.host_power_w.value <= 40 and device.devices_per_host == 1


@pytest.mark.parametrize(
    ("typed", "near"),
    [("Ascend 970", "ascend960"), ("RTX 6090", "rtx5090"), ("MetaX C700", "metax-c600"),
     ("MI999", "mi455x"), ("BR200", "br106m"), ("h100x", "h100-nvl"), ("B500", "b300-sxm"),
     ("Trainium5", "trainium4"), ("昇腾990", "ascend960")],
)  # fmt: skip
def test_an_unknown_device_gets_near_names_of_its_maker(typed: str, near: str) -> None:
    with pytest.raises(JoulecastError) as error:
        BUNDLED.device(typed)
    assert near in error.value.choices

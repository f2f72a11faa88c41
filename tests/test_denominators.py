"""What a stated utilisation was divided by: named where it explains a ratio, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Plan, check, estimate
from joulecast.data.denominators import denominators, explained, of_parts, too_high
from joulecast.data.library import Library
from joulecast.data.records import Device
from joulecast.errors import InputError, JoulecastError

A100 = "312 TFLOP/s (the peak of an A100, left in a configuration)"
MATRIX = "TFLOP/s (the matrix cores alone)"
PRODUCT = "304.3 TFLOP/s (a matrix product measured on an Atlas 800T A2)"
DIE = "191.5 TFLOP/s (one of 2 parts that frameworks count as devices)"
EIGHT = "1979 TFLOP/s (its FP8 peak)"
SPARSE = "1979 TFLOP/s (its 16-bit peak with sparsity)"
IN_EIGHT = "it is of work in FP8 over the 16-bit peak, perhaps"
FLOP = 6 * 8e9 * 100e9

#: Device, its dense 16-bit peak, what a stated MFU divides by, and the words for it.
KNOWN: list[tuple[str, float, float, tuple[str, ...]]] = [
    ("trainium1", 190, 180, ("180 TFLOP/s (the rate in AWS's own MFU column of 2023)",)),
    ("mi300x", 1307.4, 312, (A100,)),
    ("mi250x", 383, 191.5, (DIE,)),
    ("ascend910b", 376, 400, ("400 TFLOP/s (all cores of a 910B1)",)),
    ("ascend910b", 376, 353.9, ("353.9 TFLOP/s (the matrix cores of a 910B2 alone)",)),
    ("ascend910b", 376, 312, (A100, "313 TFLOP/s (all cores of a 910B3)")),
    ("ascend910b", 376, 304.3, (PRODUCT,)),
    ("ascend910b", 376, 294.9, ("294.9 TFLOP/s (the matrix cores of a 910B3 alone)",)),
    ("ascend910b", 376, 280, ("280 TFLOP/s (all cores of a 910B4)",)),
    ("ascend910b", 376, 245.8, ("245.8 TFLOP/s (the matrix cores of a 910B4 alone)",)),
    ("ascend910b1", 400, 373.9, (f"373.9 {MATRIX}",)),
    ("ascend910b2", 376, 353.9, (f"353.9 {MATRIX}",)),
    ("ascend910b2", 376, 304.3, (PRODUCT,)),
    ("ascend910b3", 313, 294.9, (f"294.9 {MATRIX}",)),
    ("ascend910b1", 400, 312, (A100,)),
    ("ascend950pr", 486, 432, (f"432 {MATRIX}",)),
    ("ascend950dt", 547, 486, (f"486 {MATRIX}",)),
    ("h100-sxm", 989.4, 1979, (EIGHT, SPARSE)),
    ("gh200", 989.4, 1979, (EIGHT, SPARSE)),
    ("h200-sxm", 989.4, 1979, (EIGHT, SPARSE)),
    ("a100-sxm-80", 312, 624, ("624 TFLOP/s (its 16-bit peak with sparsity)",)),
]
IDS = [f"{name}-{other:g}" for name, _, other, _ in KNOWN]


def device(name: str) -> Device:
    return Library.bundled().device(name).device


def asked(name: str, **given: Any) -> list[str]:
    """What an estimate says of the denominators."""
    plan = Plan(params=8e9, tokens=100e9, device=name, region="fr", given=given)
    found = estimate(plan).warnings
    return [notice.message for notice in found if notice.code == "mfu_denominator"]


def hours_at(share: float, peak: float) -> float:
    return FLOP / (share * peak * 1e12) / 3600


def findings(path: Path, hardware: str, *lines: str) -> list[str]:
    head = ["# Model", "", "## Training", "", "- Parameters: 8B", "- Training tokens: 100B"]
    rows = [*head, f"- Hardware: {hardware}", *(f"- {line}" for line in lines)]
    (path / "README.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return [str(finding) for finding in check(path / "README.md").findings]


@pytest.mark.parametrize(("name", "peak", "other", "words"), KNOWN, ids=IDS)
def test_the_denominator_that_explains_a_ratio_is_named(
    name: str, peak: float, other: float, words: tuple[str, ...]
) -> None:
    dense = device(name).peak("bf16")
    assert dense is not None and dense.value == pytest.approx(peak, rel=1e-3)
    for off in (0.99, 1.0, 1.01) if len(words) == 1 and name == "mi300x" else (1.0,):
        why = explained(device(name), 0.3 * off * peak / other, 0.3)
        assert all(word in why for word in words) and why.endswith(", perhaps")


@pytest.mark.parametrize(("name", "peak", "other", "words"), KNOWN, ids=IDS)
def test_the_other_way_round_the_peak_of_the_record_is_named(
    name: str, peak: float, other: float, words: tuple[str, ...]
) -> None:
    assert words
    why = explained(device(name), 0.2, 0.2 * peak / other, peak=other)
    assert f"{peak:g} TFLOP/s (its dense 16-bit peak)" in why


@pytest.mark.parametrize(("name", "peak", "other", "words"), KNOWN, ids=IDS)
def test_an_estimate_given_both_names_it(
    name: str, peak: float, other: float, words: tuple[str, ...]
) -> None:
    stated = 0.3 if other < peak else 0.2
    implied = stated * other / peak
    (told,) = asked(name, mfu=stated, goodput=0.9, device_hours=hours_at(implied * 0.9, peak))
    assert told.startswith(f"mfu {stated:g} was given, but device_hours imply 0.")
    assert all(word in told for word in words)
    speed = implied * peak * 1e12 / (6 * 8e9)
    (told,) = asked(name, mfu=stated, tokens_per_second_per_device=speed)
    assert "tokens_per_second_per_device imply" in told
    assert all(word in told for word in words)


@pytest.mark.parametrize(("name", "peak", "other", "words"), KNOWN, ids=IDS)
def test_a_card_with_both_names_it(
    name: str, peak: float, other: float, words: tuple[str, ...], tmp_path: Path
) -> None:
    stated = 0.3 if other < peak else 0.2
    implied = stated * other / peak
    mfu = f"MFU: {stated:.2%}"
    hours = f"GPU hours: {hours_at(implied, peak):,.1f}"
    (found,) = findings(tmp_path, f"64 x {name}", hours, mfu)
    assert found.startswith("mfu_peak: MFU ") and all(word in found for word in words)
    assert f"of {peak:g} TFLOP/s; " in found
    assert ("that much time was lost" in found) == (1 < peak / other < 1.25)
    speed = f"Throughput: {implied * peak:.2f} TFLOP/s per GPU"
    (found,) = findings(tmp_path, f"64 x {name}", speed, mfu)
    assert found.startswith("mfu_peak: MFU ") and all(word in found for word in words)


@pytest.mark.parametrize("name", sorted({name for name, *_ in KNOWN}))
@pytest.mark.parametrize("ratio", [0.3, 0.72, 0.85, 1.0, 1.02, 1.7, 3.1, 7.0])
def test_what_nothing_explains_is_not_named(name: str, ratio: float, tmp_path: Path) -> None:
    peak = device(name).peak("bf16")
    assert peak is not None
    assert explained(device(name), 0.05 * ratio, 0.05) == ""
    hours = hours_at(0.05, peak.value)
    assert asked(name, mfu=0.05 * ratio, goodput=1, device_hours=hours) == []
    lines = (f"GPU hours: {hours:,.1f}", f"MFU: {5 * ratio:.2f} %")
    found = findings(tmp_path, f"64 x {name}", *lines)
    assert not any("perhaps" in one for one in found if one.startswith("mfu_peak"))


def test_a_device_without_other_denominators_names_none() -> None:
    assert denominators(device("v100-sxm2-32"), 125) == []
    assert explained(device("v100-sxm2-32"), 0.4, 0.1) == ""
    assert explained(device("tpu-8t"), 0.4, 0.1) == ""  # no 16-bit peak is published


@pytest.mark.parametrize(("stated", "implied"), [(0.0, 0.3), (0.3, 0.0), (-1.0, 0.3)])
def test_no_ratio_no_cause(stated: float, implied: float) -> None:
    assert explained(device("mi300x"), stated, implied) == ""


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.sampled_from(sorted({k[0] for k in KNOWN})))
def test_a_cause_depends_on_the_ratio_alone_and_never_on_agreement(
    stated: float, implied: float, name: str
) -> None:
    one = device(name)
    assert explained(one, stated, implied) == explained(one, stated / 2, implied / 2)
    assert explained(one, stated, stated) == ""


@pytest.mark.parametrize(
    ("speed_over_hours", "words"),
    [
        (2.0, "the hours are of one of 2 parts that frameworks count as devices"),
        (0.5, "the speed is of one of 2 parts that frameworks count as devices"),
    ],
)
@pytest.mark.parametrize("name", ["mi250x", "mi250", "max1550"])
def test_dies_counted_as_devices_double_or_halve_speed_against_hours(
    name: str, speed_over_hours: float, words: str
) -> None:
    assert words in of_parts(device(name), speed_over_hours)
    speed = 1000.0
    hours = 100e9 / speed / 0.9 / 3600 * speed_over_hours
    given = {"tokens_per_second_per_device": speed, "goodput": 0.9}
    (told,) = asked(name, **given, device_hours=hours)
    assert words in told and told.startswith("tokens_per_second_per_device 1000 was given")
    assert asked(name, **given, device_hours=hours / speed_over_hours) == []
    assert asked("h100-sxm", **given, device_hours=hours) == []


def test_half_the_utilisation_of_a_module_may_be_the_speed_of_a_die() -> None:
    why = explained(device("mi250x"), 0.15, 0.3)
    assert why == "the speed is of one of 2 parts that frameworks count as devices, perhaps"
    why = explained(device("mi250x"), 0.6, 0.3)
    assert why == f"it divides by {DIE}, or what stands beside it is of such a part, perhaps"


def test_a_share_of_the_fp8_peak_that_is_one_of_the_16_bit_peak() -> None:
    hours = hours_at(0.4, 989.4)
    (told,) = asked("h100-sxm", mfu_fp8=0.4, goodput=1, device_hours=hours)
    assert told.startswith("mfu_fp8 0.4 was given, but device_hours imply 0.2")
    assert "989.4 TFLOP/s (its dense 16-bit peak)" in told
    assert asked("h100-sxm", mfu_fp8=0.2, goodput=1, device_hours=hours) == []


def test_a_given_peak_is_the_one_compared_with() -> None:
    given = {"peak_flops": 312e12, "goodput": 1}
    assert asked("mi300x", **given, mfu=0.4, device_hours=hours_at(0.4, 312)) == []
    (told,) = asked("mi300x", **given, mfu=0.1, device_hours=hours_at(0.1, 1307.4))
    assert told.startswith("mfu 0.1 was given, but device_hours imply 0.419")
    assert "1307.4 TFLOP/s (its dense 16-bit peak)" in told


def test_hours_without_goodput_may_hold_lost_time_or_none() -> None:
    for lost in (1.0, 0.9):
        hours = hours_at(0.4 * 312 / 1307.4 * lost, 1307.4)
        (told,) = asked("mi300x", mfu=0.4, device_hours=hours)
        assert A100 in told
    # 0.85 of 190, which the assumed goodput alone brings near 180: not told from lost time.
    assert asked("trainium1", mfu=0.4, device_hours=hours_at(0.4 * 0.853, 190)) == []


def test_a_whole_run_utilisation_and_days_are_compared_too() -> None:
    days = hours_at(0.4 * 312 / 1307.4, 1307.4) / 24 / 64
    plan = Plan(
        params=8e9, tokens=100e9, device="mi300x", region="fr", device_count=64,
        given={"utilisation": 0.4, "wall_clock_days": days},
    )  # fmt: skip
    (told,) = [one.message for one in estimate(plan).warnings if one.code == "mfu_denominator"]
    assert told.startswith("utilisation 0.4 was given, but wall_clock_days imply") and A100 in told


def test_nothing_given_twice_nothing_said() -> None:
    assert asked("mi300x", mfu=0.4) == []
    assert asked("mi300x", device_hours=10_000) == []
    assert asked("mi250x", tokens_per_second_per_device=1000) == []


@pytest.mark.parametrize(
    ("name", "sets", "words"),
    [
        ("mi300x", "mfu=1.08", f"must be at most 1; it divides by {A100}, perhaps: 0.258 of 1307.4"),
        ("mi300x", "mfu=113%", f"it divides by {A100}, perhaps: 0.27 of 1307.4"),
        ("mi300x", "mfu=0.6", f"it divides by {A100}, perhaps: 0.143 of 1307.4"),
        ("mi300x", "hfu=1.08", f"it divides by {A100}, perhaps: 0.258 of 1307.4"),
        ("mi250x", "mfu=0.9", f"it divides by {DIE}, perhaps: 0.45 of 383"),
        ("mi250x", "utilisation=1.2", f"it divides by {DIE}, perhaps: 0.6 of 383"),
        ("trainium1", "mfu=0.93", "180 TFLOP/s (the rate in AWS's own MFU column of 2023)"),
        ("ascend910b", "mfu=0.9", A100),
        ("h100-sxm", "mfu=0.9", f"{IN_EIGHT}: 0.45 of the FP8 peak (mfu_fp8)"),
        ("gh200", "mfu=1.1", f"{IN_EIGHT}: 0.55 of the FP8 peak (mfu_fp8)"),
        ("h100-sxm", "mfu_fp8=1.1", "989.4 TFLOP/s (its dense 16-bit peak), perhaps: 0.55 of 1979"),
    ],
)  # fmt: skip
def test_the_error_of_a_share_out_of_reach_names_it(
    joulecast: Run, name: str, sets: str, words: str
) -> None:
    args = ("--params", "8B", "--tokens", "100B", "--region", "fr", "--device", name)
    result = joulecast("estimate", *args, "--set", sets)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert words in result.stderr


@pytest.mark.parametrize(
    ("name", "share"),
    [("mi300x", 9.0), ("a100-sxm-80", 1.1), ("no-such-device", 1.1), (None, 1.1)],
)
def test_a_share_that_no_denominator_brings_within_reach_is_refused_plainly(
    name: str | None, share: float
) -> None:
    with pytest.raises(InputError) as caught:
        Plan(params=8e9, tokens=100e9, device=name, given={"mfu": share})
    assert str(caught.value) == f"mfu: {share:g}: must be at most 1; try a share such as 0.35"


def test_a_range_above_1_is_refused_as_before() -> None:
    with pytest.raises(JoulecastError, match=r"mfu: .* must be at most 1; try a share"):
        Plan(params=8e9, tokens=100e9, device="mi300x", given={"mfu": "0.9..1.1"})


def test_the_warning_of_a_high_utilisation_asks_which_peak() -> None:
    def told(name: str, mfu: float) -> str:
        plan = Plan(params=8e9, tokens=100e9, device=name, region="fr", given={"mfu": mfu})
        found = [n.message for n in estimate(plan).warnings if n.code == "high_utilisation"]
        return "".join(found)

    assert told("gh200", 0.7).endswith(
        "work in FP8 over the 16-bit peak, perhaps: 0.35 of the FP8 peak (mfu_fp8)"
    )
    assert told("a100-sxm-80", 0.7).endswith("the best published whole runs lie near 0.55")
    assert told("gh200", 0.5) == ""
    hours = hours_at(0.7, 989.4)
    plan = Plan(
        params=8e9, tokens=100e9, device="gh200", given={"mfu": 0.4, "device_hours": hours}
    )  # fmt: skip
    (of_hours,) = [n.message for n in estimate(plan).warnings if n.code == "high_utilisation"]
    assert of_hours.endswith("lie near 0.55")  # what was given is not high


def test_a_card_whose_mfu_no_run_reaches_names_it(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "64 x AMD Instinct MI300X", "MFU: 108 %", "GPU hours: 4,000")
    assert found.startswith("utilisation: ") and A100 in found
    (found,) = findings(tmp_path, "64 x A100", "MFU: 108 %")
    assert found.endswith("counted against another peak, or with recomputation")


def test_a_card_that_says_which_peak_contradicts_nothing(tmp_path: Path) -> None:
    lines = (f"GPU hours: {hours_at(0.4, 989.4):,.1f}", "MFU: 20.00 %")
    assert len(findings(tmp_path, "64 x H100 SXM", *lines)) == 1
    said = "FP8 peak: 1,979 TFLOP/s"
    assert findings(tmp_path, "64 x H100 SXM", *lines, said) == []


def test_a_card_whose_two_figures_agree_is_clean(tmp_path: Path) -> None:
    for name, peak in (("Trainium1", 190.0), ("MI300X", 1307.4), ("Ascend 910B2", 376.0)):
        lines = (f"GPU hours: {hours_at(0.4, peak):,.1f}", "MFU: 40 %")
        assert findings(tmp_path, f"64 x {name}", *lines) == []


def test_too_high_within_reach_of_none() -> None:
    assert too_high(device("a100-sxm-80"), 0.95, 0.8) == ""
    assert too_high(device("tpu-8t"), 0.95, 0.8) == ""

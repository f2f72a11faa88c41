"""Cloud instances and TPU slices as devices: what each stands for, and what is said about it."""

from __future__ import annotations

from collections import Counter

import pytest
from conftest import bundled_tables, each

from joulecast import Footprint, Library, Plan, estimate
from joulecast.errors import InputError, UnknownNameError

LIBRARY = Library.bundled()
CORE, _ = bundled_tables()
ROWS = LIBRARY.instance_ids


def run(device: str, **more: object) -> Footprint:
    fields: dict[str, object] = {"params": 7e9, "tokens": 1e12, "year": 2024, **more}
    return estimate(Plan(device=device, **fields))


def devices_of(name: str) -> tuple[str, int]:
    plan = run(name).plan
    return plan["device"], plan["device_count"]


def messages(footprint: Footprint, code: str) -> list[str]:
    return [notice.message for notice in footprint.warnings if notice.code == code]


def pue(footprint: Footprint) -> tuple[float, str]:
    entry = next(entry for entry in footprint.assumptions if entry.name == "pue")
    return entry.value, entry.source


@pytest.mark.parametrize(
    ("name", "device", "count"),
    [
        ("p4d.24xlarge", "a100-sxm-40", 8),  # AWS: 8 x A100, 320 GiB
        ("p4de.24xlarge", "a100-sxm-80", 8),  # 640 GiB
        ("ml.p4d.24xlarge", "a100-sxm-40", 8),  # as SageMaker writes it
        ("P5.48xlarge", "h100-sxm", 8),
        ("p5en.48xlarge", "h200-sxm", 8),
        ("p6-b200.48xlarge", "b200-sxm", 8),
        ("p3dn.24xlarge", "v100-sxm2-32", 8),
        ("g5.12xlarge", "a10g", 4),
        ("g5.16xlarge", "a10g", 1),  # a larger name, a single GPU
        ("trn1.32xlarge", "trainium1", 16),
        ("dl1.24xlarge", "gaudi1", 8),
        ("a2-highgpu-8g", "a100-sxm-40", 8),
        ("a2-megagpu-16g", "a100-sxm-40", 16),
        ("a2-ultragpu-8g", "a100-sxm-80", 8),
        ("a3-ultragpu-8g", "h200-sxm", 8),
        ("a4-highgpu-8g", "b200-sxm", 8),
        ("g2-standard-24", "l4", 2),
        ("g2-standard-32", "l4", 1),
        ("ND96asr_v4", "a100-sxm-40", 8),
        ("Standard_ND96asr_v4", "a100-sxm-40", 8),
        ("standard_nd96amsr_a100_v4", "a100-sxm-80", 8),
        ("ND96isr H100 v5", "h100-sxm", 8),
        ("ND_MI300X_v5", "mi300x", 8),
        ("NC24ads_A100_v4", "a100-pcie-80", 1),  # NC is PCIe, ND is SXM
        ("NC40ads_H100_v5", "h100-nvl", 1),
        ("BM.GPU4.8", "a100-sxm-40", 8),
        ("BM.GPU.H100.8", "h100-sxm", 8),
    ],
)
def test_instance_names_stand_for_devices(name: str, device: str, count: int) -> None:
    assert devices_of(name) == (device, count)


@pytest.mark.parametrize(
    ("name", "device", "count"),
    [
        ("v2-8", "tpu-v2", 4),
        ("v3-8", "tpu-v3", 4),
        ("TPU v3-8", "tpu-v3", 4),
        ("v4-128", "tpu-v4", 64),
        ("TPU v4-128", "tpu-v4", 64),
        ("tpu-v4-128", "tpu-v4", 64),
        ("Cloud TPU v4-128", "tpu-v4", 64),
        ("v5p-12288", "tpu-v5p", 6144),  # Google: 16x16x24, 12,288 cores, 6,144 chips
        ("v5litepod-256", "tpu-v5e", 256),
        ("v5e-16", "tpu-v5e", 16),
        ("v6e-256", "tpu-v6e", 256),
        ("2 x v4-8", "tpu-v4", 8),
    ],
)
def test_a_slice_is_counted_in_chips(name: str, device: str, count: int) -> None:
    assert devices_of(name) == (device, count)


@pytest.mark.parametrize("typed", ["4 x p4d.24xlarge", "4xp4d.24xlarge", "4×p4d.24xlarge"])
def test_several_instances_and_what_is_said_of_them(typed: str) -> None:
    footprint = run(typed)
    assert footprint.plan["device_count"] == 32
    assert footprint.plan["instance"] == "p4d.24xlarge"
    assert messages(footprint, "instance") == ["4 x p4d.24xlarge: 32 x a100-sxm-40"]


def test_several_instances_answer_as_so_many_devices_with_their_provider() -> None:
    one = run("4 x p4d.24xlarge", region="fr")
    other = run("a100-sxm-40", device_count=32, region="fr", provider="aws")
    assert one.to_dict()["results"] == other.to_dict()["results"]


def test_device_count_beside_an_instance_counts_devices() -> None:
    footprint = run("p4d.24xlarge", device_count=16)
    assert footprint.plan["device_count"] == 16
    assert messages(footprint, "instance") == [
        "p4d.24xlarge: 8 x a100-sxm-40; 16 devices in all, as given"
    ]
    assert not messages(footprint, "instance_part")


def test_part_of_an_instance_is_said() -> None:
    footprint = run("p4d.24xlarge", device_count=4)
    assert footprint.plan["device_count"] == 4
    assert messages(footprint, "instance_part") == [
        "4 devices are 0.5 of p4d.24xlarge: what else it holds is not counted"
    ]


def test_days_need_no_device_count_beside_an_instance() -> None:
    plan = Plan(device="2 x p4d.24xlarge", given={"wall_clock_days": 10}, year=2024)
    hours = estimate(plan).device_hours
    assert hours is not None
    assert hours.value == 16 * 240


def test_contradicting_counts_are_an_error() -> None:
    with pytest.raises(InputError, match=r"contradicts 4 x p4d\.24xlarge: 32 x a100-sxm-40"):
        run("4 x p4d.24xlarge", device_count=16)


@pytest.mark.parametrize("name", ["v4-7", "v3-1", "v4-0", "v6e-0"])
def test_a_slice_of_part_of_a_chip_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match="no such slice"):
        run(name)


def test_misspelt_instance_names_the_right_one() -> None:
    with pytest.raises(UnknownNameError) as problem:
        run("p4d.24xlrge")
    assert "p4d.24xlarge" in problem.value.choices


def test_provider_of_the_instance_is_assumed_and_said() -> None:
    footprint = run("p4d.24xlarge", region="us-va")
    assert footprint.plan["provider"] == "aws"
    assert pue(footprint) == pue(run("a100-sxm-40", region="us-va", provider="aws"))
    assert messages(footprint, "provider_assumed")


@pytest.mark.parametrize(("device", "operator"), [("tpu-v4", "gcp"), ("trainium2", "aws")])
def test_who_alone_runs_a_device_is_assumed_and_said(device: str, operator: str) -> None:
    footprint = run(device, region="us-va")
    assert footprint.plan["provider"] == operator
    assert pue(footprint) == pue(run(device, region="us-va", provider=operator))
    assert messages(footprint, "provider_assumed")
    elsewhere = run(device, region="us-va", provider="hpc")
    assert elsewhere.plan["provider"] == "hpc" and not messages(elsewhere, "provider_assumed")


def test_provider_given_wins_over_that_of_the_instance() -> None:
    footprint = run("p4d.24xlarge", region="us", provider="gcp")
    assert footprint.plan["provider"] == "gcp"
    assert messages(footprint, "instance_elsewhere")
    assert not messages(footprint, "provider_assumed")


@pytest.mark.parametrize("region", ["us-west1", "jean-zay"])
def test_a_place_of_somebody_else_stands_and_is_said(region: str) -> None:
    footprint = run("p4d.24xlarge", region=region)
    assert pue(footprint) == pue(run("a100-sxm-40", region=region))
    assert messages(footprint, "instance_elsewhere")


def test_a_region_is_read_as_the_providers_customer_would() -> None:
    assert run("p4d.24xlarge", region="us-west-1").plan["region"] == "aws:us-west-1"
    assert run("a2-highgpu-8g", region="us-west1").plan["region"] == "gcp:us-west1"


def test_only_given_assumes_no_provider() -> None:
    footprint = run("p4d.24xlarge", only_given=True)
    assert footprint.plan["provider"] is None
    assert footprint.plan["device_count"] == 8


def test_a_device_alone_is_no_instance() -> None:
    footprint = run("a100-sxm-40")
    assert footprint.plan["instance"] is None
    assert not messages(footprint, "instance")


def test_an_instance_is_no_family_of_variants() -> None:
    """Its memory is known: nothing is said of A100s of 80 GB."""
    assert not messages(run("p4d.24xlarge"), "device_variant")


# The table.


@each("key", ROWS)
def test_every_instance_resolves_to_its_device(key: str) -> None:
    row = LIBRARY.instance(key)
    typed = key.replace("-*", "-16")
    reserved = LIBRARY.reservation(typed)
    assert reserved is not None and reserved.instance == row
    assert LIBRARY.device(typed).device.id == row.device
    assert row.devices is None or reserved.total == row.devices
    assert row.provider in LIBRARY.provider_ids


@pytest.mark.parametrize("size", [1, 2, 4, 8, 16])
def test_names_that_say_their_gpus_hold_as_many(size: int) -> None:
    """Google's -8g and -4t, Oracle's .8."""
    ends = (f"gpu-{size}g", f"pu-{size}t", f"standard-{size}t")
    named = [key for key in ROWS if key.endswith(ends)]
    named += [k for k in ROWS if k.startswith(("BM.", "VM.")) and k.endswith(f".{size}")]
    assert named
    assert all(LIBRARY.instance(key).devices == size for key in named)


def test_no_instance_goes_by_the_name_of_a_device() -> None:
    names, devices = CORE["names_of_instances"], CORE["names_of_devices"]
    taken = {name for form in devices for name in devices[form]}
    whole = {
        name
        for form in names
        for name, keys in names[form].items()
        if not keys[0].endswith("-*")  # v5e alone is the device, v5e-16 a slice
    }
    assert len(whole) > len(ROWS)
    assert not whole & taken


def test_no_two_instances_go_by_one_name() -> None:
    names = CORE["names_of_instances"]
    several = {name: keys for form in names.values() for name, keys in form.items() if keys[1:]}
    assert not several
    assert max(Counter(ROWS).values()) == 1

"""The worked examples: what the page prints is what the program says, and its sums are right."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from conftest import ROOT, Run

from joulecast import Plan, estimate

PAGE = (ROOT / "docs" / "worked-examples.md").read_text()
FILES = re.findall(r"```(?:toml|json) (\S+)\n(.*?)```", PAGE, re.DOTALL)
BLOCKS = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
EXAMPLES = [
    (shlex.split(command)[1:], shown.splitlines())
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", BLOCKS, re.MULTILINE)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES:
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("args", "shown"), EXAMPLES, ids=[" ".join(a)[:60] for a, _ in EXAMPLES])
def test_the_page_prints_what_the_program_says(
    joulecast: Run, args: list[str], shown: list[str]
) -> None:
    done = joulecast(*args)
    said = iter((done.stdout + done.stderr).splitlines())
    for line in shown:
        if line != "...":
            assert any(line.rstrip() == other.rstrip() for other in said), line


def test_the_page_has_its_five_ways() -> None:
    assert re.findall(r"^## (\d)\. ", PAGE, re.MULTILINE) == list("12345")
    assert len(EXAMPLES) > 12
    assert PAGE.count("usual mistake") >= 5


CROSSED = [
    {"device_power_w": "0.2 kW", "device_hours": "12600 s"},
    {"device_power_w": "200", "device_hours": "210 min"},
    {"device_power_w": "0.0002 MW", "device_hours": "0.5 week", "runs": 24},
    {"it_energy_kwh": "2.52 MJ"},
    {"energy_kwh": "700 Wh"},
]


@pytest.mark.parametrize("given", CROSSED)
def test_watts_and_seconds_are_no_watt_hours(given: dict[str, object]) -> None:
    """200 W for 3.5 h, in whatever units; half a week is 24 times 3.5 h."""
    runs = float(str(given.get("runs", 1)))
    named = {name: value for name, value in given.items() if name != "runs"}
    energy = estimate(Plan(given=named, only_given=True)).energy
    assert energy is not None
    assert energy.value / runs == pytest.approx(0.7, rel=1e-12)


@pytest.mark.parametrize("grid", ["400", "0.4 kg/kWh", "0.0004 t/kWh", "400 kg/MWh", "400 t/GWh"])
def test_grams_kilograms_and_tonnes_are_told_apart(grid: str) -> None:
    plan = Plan(
        device_count=8,
        given={"device_power_w": "0.3 kW", "wall_clock_days": "72 h", "grid_gco2e_per_kwh": grid},
        only_given=True,
    )
    total = estimate(plan).total
    assert total is not None
    assert total.value == pytest.approx(69.12, rel=1e-12)


@pytest.mark.usefixtures("folder")
def test_blooms_split_within_its_rounding() -> None:
    """Luccioni et al. 2022, tables 1 to 3: 24.69 t dynamic, 14.6 t idle, 11.2 t embodied."""
    footprint = estimate(Plan.read("bloom.toml"))
    tonnes = {
        name: round(quantity.to("t").value, 2)
        for name, quantity in footprint.quantities.items()
        if quantity is not None and name.endswith("kgco2e")
    }
    assert tonnes["device_kgco2e"] == 24.69
    assert round(tonnes["host_kgco2e"], 1) == 14.6
    assert round(tonnes["embodied_kgco2e"], 1) == 11.2
    assert round(tonnes["total_kgco2e"], 1) == 50.5


def test_gpt_3_from_its_first_number_within_its_rounding() -> None:
    """Patterson et al. 2021, table 4: 1,287 MWh and 552.1 t from 3.14e23 FLOP at 24.6 TFLOP/s."""
    plan = Plan(
        flop=3.14e23,
        device="v100-sxm2-32",
        given={
            "peak_flops": 125e12,
            "utilisation": 24.6 / 125,
            "device_power_w": 330,
            "pue": 1.1,
            "grid_gco2e_per_kwh": 429,
        },
        only_given=True,
    )
    footprint = estimate(plan)
    assert footprint.energy is not None and footprint.total is not None
    assert round(footprint.energy.to("MWh").value) == 1287
    assert footprint.total.to("t").value == pytest.approx(552.1, abs=0.1)

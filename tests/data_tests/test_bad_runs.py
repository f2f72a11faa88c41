"""One way to break a published run, and the message: file, field and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulecast import Library
from joulecast.errors import SpecsError

GOOD = """\
id = "mine"
name = "My Run"
developer = "Me"
family = "mine"
source = "patterson-2021"
tests = ["H", "E"]

[before]
arch = "dense"
year = 2024
params = 7e9
tokens = 2e12
device = "h100-sxm"
place = "fr"

[reported]
device_hours = 100_000
power_w = { value = 600, basis = "measured", scope = "device" }
energy_kwh = { value = 60_000, basis = "measured", scope = "device", includes_pue = false }
"""
POWER = '{ value = 600, basis = "measured", scope = "device" }'
ENERGY = '{ value = 60_000, basis = "measured", scope = "device", includes_pue = false }'

#: (What is replaced, by what) -> what the message says after the name of the file.
CASES: dict[tuple[str, str], str] = {
    # Keys.
    ("params = 7e9", "parms = 7e9"): "before.parms: unknown key; try params, active_params",
    ("device_hours = ", "device_hors = "): (
        "reported.device_hors: unknown key; try device_hours, device, device_count"
    ),
    ('scope = "device" }', 'scop = "device" }'): "reported.power_w.scop: unknown key; try scope",
    (', scope = "device" }', " }"): "reported.power_w.scope: missing",
    (", includes_pue = false", ""): "reported.energy_kwh.includes_pue: missing",
    ("[before]", "[befor]"): "befor: unknown key; try before",
    ('source = "patterson-2021"\n', ""): "source: missing",
    ('family = "mine"\n', ""): "family: missing",
    # Words and names.
    ('id = "mine"', 'id = "yours"'): "id: yours: must be the name of the file; try mine",
    ('["H", "E"]', '["H", "h"]'): "tests.1: h: is not a known choice; try H",
    ('["H", "E"]', '["H", "H"]'): "run: tests: a letter stands twice",
    ('arch = "dense"', 'arch = "dens"'): (
        "before.arch: dens: is not a known choice; try dense"
    ),
    ('scope = "device" }', 'scope = "node" }'): (
        "reported.power_w.scope: node: is not a known choice; try device, system"
    ),
    ('source = "patterson-2021"', 'source = "paterson-2021"'): (
        "source: paterson-2021: is not in sources.toml; try patterson-2021, "
        "abramson-2024, apertus-2025"
    ),
    ('device = "h100-sxm"', 'device = "h100sxn"'): (
        "before.device: h100sxn: unknown device; try h100-sxm, h100-nvl, h100-pcie"
    ),
    ('place = "fr"', 'place = "fr"\nmodel = "palm-541b"'): (
        "before.model: palm-541b: unknown model; try palm-540b, olmo-1b"
    ),
    ('place = "fr"', 'place = "jean-zai"'): (
        "before.place: jean-zai: unknown place; try jean-zay, tz (Tanzania), jp-kn (Kansai)"
    ),
    # Numbers.
    ("year = 2024", "year = 24"): "before.year: 24: must be at least 2012",
    ("device_hours = 100_000", "device_hours = -1"): "reported.device_hours: must be above 0",
    ("device_hours = 100_000", 'device_hours = "many"'): (
        "reported.device_hours: many: is not a number"
    ),
    ("device_hours = 100_000", "device_hours = 1e5\nmfu = 38"): (
        "reported.mfu: is a share and must lie in 0..1, not 38"
    ),
    ("device_hours = 100_000", "device_hours = 1e5\npue = 0.9"): (
        "reported.pue: is never below 1"
    ),
    ("device_hours = 100_000", 'device_hours = { value = 1e5, basis = "derived" }'): (
        "reported.device_hours: is derived, so note must say how"
    ),
    # What it says it tests.
    ("device_hours = 100_000\n", ""): (
        "run: tests hours, so it needs device and device_hours"
    ),
    ("tokens = 2e12\n", ""): "run: tests hours, so it needs params and tokens, or flop",
    ('arch = "dense"', 'arch = "diffusion"'): (
        "run: tests hours, so it needs params and tokens, or flop"
    ),
    ('arch = "dense"', 'arch = "moe"'): "run: a mixture of experts needs active_params",
    (f"energy_kwh = {ENERGY}\n", ""): "run: tests energy, so it needs energy_kwh",
    ('["H", "E"]', '["H", "C"]'): "run: tests emissions, so it needs operational_kgco2e",
    (POWER, '{ value = 700, basis = "assumed", scope = "device", note = "its rating" }'): (
        "run: energy from an assumed power tests no power: only c"
    ),
    # Tables.
    (GOOD[GOOD.index("[before]") : GOOD.index("[reported]")], "before = 3\n"): (
        "run: before must be a table"
    ),
}  # fmt: skip


def folder(path: Path, text: str) -> Library:
    """A user's folder with one run."""
    (path / "reported_runs").mkdir()
    (path / "reported_runs" / "mine.toml").write_text(text, encoding="utf-8")
    return Library.with_folder(path)


def test_the_run_that_is_broken_below_is_good_itself(tmp_path: Path) -> None:
    run = folder(tmp_path, GOOD).run("mine")
    assert run.reported.energy_kwh is not None and run.reported.energy_kwh.value == 60_000


@pytest.mark.parametrize(("change", "message"), CASES.items(), ids=range(len(CASES)))
def test_broken_run_is_refused_by_file_and_field(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    old, new = change
    assert old in GOOD
    with pytest.raises(SpecsError) as caught:
        folder(tmp_path, GOOD.replace(old, new, 1)).run("mine")
    assert str(caught.value) == f"reported_runs/mine.toml: {message}"


def test_a_broken_run_stops_no_forecast(tmp_path: Path) -> None:
    library = folder(tmp_path, GOOD.replace("params = 7e9", "parms = 7e9"))
    assert library.device("h100-sxm").device.id == "h100-sxm"
    assert library.run("t5-11b").id == "t5-11b"

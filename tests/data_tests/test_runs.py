"""Published training runs: sound records, apart from all that a forecast reads, and refitted from."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import build_runs
import calibrate
import pytest
from conftest import each
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Library, Plan, estimate
from joulecast.data import specs
from joulecast.data.overlay import leaves
from joulecast.data.records import figures_of
from joulecast.data.specs import bare
from joulecast.errors import UnknownNameError
from joulecast.validating.calibration import calibrate as fit_to
from joulecast.validating.calibration import hours_runs
from joulecast.validating.runs import TESTS, Reported, ReportedRun

BUNDLED = Library.bundled()
RUNS = {run.id: run for run in BUNDLED.runs}
ROOT = Path(__file__).parents[2]


@each("key", RUNS)
def test_record_names_known_things(key: str) -> None:
    run = RUNS[key]
    assert run.id == key
    assert set(run.sources) <= set(BUNDLED.source_keys)
    if run.before.device:
        assert BUNDLED.device(run.before.device).device.id == run.before.device
    if run.before.place:
        assert BUNDLED.place(run.before.place).id == run.before.place
    if run.before.model:
        model = BUNDLED.model(run.before.model)
        assert (model.id, model.arch) == (run.before.model, run.before.arch)
        assert run.before.params is not None
        assert run.before.params.value == pytest.approx(model.params.value, rel=0.1)


def test_no_two_runs_answer_to_one_name() -> None:
    names = Counter(name for run in RUNS.values() for name in {bare(run.id), bare(run.name)})
    assert not [name for name, times in names.items() if times > 1]


@pytest.mark.parametrize("name", ["t5-11b", "T5-11B", "t511b", "T5 11b"])
def test_a_run_is_found_by_id_and_name(name: str) -> None:
    assert BUNDLED.run(name).id == "t5-11b"


def test_an_unknown_run_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        BUNDLED.run("palm-54b")
    assert str(caught.value).startswith("run: palm-54b: unknown run; try palm-540b")


def meant_for(letter: str) -> list[ReportedRun]:
    return [run for run in RUNS.values() if letter in run.tests]


def test_power_is_tested_by_meters_alone() -> None:
    """An energy that is hours x rated power only says which rating was looked up."""
    for run in (*meant_for("E"), *meant_for("P"), *meant_for("C")):
        power = run.reported.power_w
        assert power is None or power.basis in ("measured", "derived"), run.id
    for name in ("bloom-176b", "llama2-70b", "granite3.0-8b", "dinov3-7b", "gpt-neox-20b"):
        power = RUNS[name].reported.power_w
        assert power is not None and power.basis == "assumed"
        assert not set(RUNS[name].tests) & set("EPC")


def test_every_kind_of_test_has_its_runs() -> None:
    assert {letter for run in RUNS.values() for letter in run.tests} == set(TESTS)
    first = [run for run in meant_for("H") if not run.added]
    assert (len(first), len({run.family for run in first})) == (74, 37)
    assert len(meant_for("H")) == 106
    assert len({run.family for run in meant_for("H")}) == 51


@pytest.mark.parametrize(
    ("name", "kwh", "kg"),
    [
        ("t5-11b", 85_700, 46_700),  # Patterson et al. 2021, table 4
        ("gshard-600b", 24_100, 4_800),
        ("bloom-176b", 433_196, 24_690),  # Luccioni et al. 2022
        ("granite3.0-8b", 757_000, 295_200),  # Granite 3.0 report, table 7
    ],
)
def test_published_figures_stand_as_published(name: str, kwh: float, kg: float) -> None:
    after = RUNS[name].reported
    assert after.energy_kwh is not None and after.energy_kwh.value == kwh
    assert after.operational_kgco2e is not None and after.operational_kgco2e.value == kg


@pytest.mark.parametrize("key", ["t5-11b", "bloom-176b", "granite3.0-2b", "olmo3-7b", "lamda-137b"])
def test_hours_power_and_pue_give_the_energy(key: str) -> None:
    """What a lab printed follows from what else it printed, within its rounding or 2 %."""
    after = RUNS[key].reported
    assert after.device_hours and after.power_w and after.energy_kwh
    pue = after.pue.value if after.pue and after.energy_kwh.includes_pue else 1.0
    product = after.device_hours.value * after.power_w.value / 1000 * pue
    slack = max(after.energy_kwh.last_digit / 2, 0.02 * after.energy_kwh.value)
    assert abs(product - after.energy_kwh.value) <= slack


@given(st.integers(1, 9999).filter(lambda n: n % 10), st.integers(-6, 12))
def test_the_last_digit_is_read_off_the_number(digits: int, exponent: int) -> None:
    value = float(f"{digits}e{exponent}")
    figure = Reported(value=value, basis="published", source="x")
    assert figure.last_digit == float(f"1e{exponent}")


def test_a_stated_rounding_goes_before_the_digits() -> None:
    figure = Reported(value=380_000, basis="published", source="x", rounding=1000)
    assert figure.last_digit == 1000


def test_figures_of_a_run_are_found_through_both_halves() -> None:
    found = figures_of(RUNS["t5-11b"])
    assert found["before.tokens"].source == "raffel-2020"
    assert found["reported.energy_kwh"].source == "patterson-2021"


# Apart from forecasts.


def test_a_forecast_opens_no_record_of_a_run() -> None:
    script = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(str(args[0])) if event == 'open' else None)\n"
        "from joulecast import Plan, estimate\n"
        "estimate(Plan(params=7e9, tokens=1e12, region='us-va', year=2024))\n"
        "print([name for name in seen if 'reported_runs' in name or 'runs.json' in name])\n"
        "print('joulecast.validating.runs' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n")[:2] == ["[]", "False"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "hardware_specs"
    shutil.copytree(specs.bundled_folder(), folder, ignore=shutil.ignore_patterns("compiled"))
    (tmp_path / "pyproject.toml").touch()
    specs.compile_folder(folder)
    return folder


def test_forecasts_do_without_the_runs_and_name_the_same_data(checkout: Path) -> None:
    shutil.rmtree(checkout / "reported_runs")
    (checkout / "compiled" / specs.RUNS).unlink()
    library = Library(specs.load(checkout), checkout)
    plan = Plan(params=7e9, tokens=1e12, region="us-va", year=2024)
    assert library.run_ids == []
    assert estimate(plan, library).to_dict() == estimate(plan).to_dict()


def test_compiled_runs_are_those_of_the_files(checkout: Path) -> None:
    compiled = dict(specs.load(checkout, specs.RUNS)[specs.RUNS_TABLE])
    shutil.rmtree(checkout / "compiled")
    assert compiled == dict(specs.load(checkout, specs.RUNS)[specs.RUNS_TABLE])
    assert set(compiled) == set(RUNS)


def test_an_edited_run_outdates_the_compiled_copy(checkout: Path) -> None:
    path = checkout / "reported_runs" / "t5-11b.toml"
    path.write_text(path.read_text().replace('name = "T5-11B"', 'name = "T5 eleven"'))
    assert Library(specs.load(checkout), checkout).run("T5 eleven").id == "t5-11b"


def test_a_users_run_is_laid_over_ours(tmp_path: Path) -> None:
    (tmp_path / "reported_runs").mkdir()
    ours = (specs.bundled_folder() / "reported_runs" / "t5-11b.toml").read_text()
    mine = ours.replace('id = "t5-11b"', 'id = "mine"').replace("T5-11B", "My T5")
    (tmp_path / "reported_runs" / "mine.toml").write_text(mine)
    changed = ours.replace('name = "T5-11B"', 'name = "T5 again"')
    (tmp_path / "reported_runs" / "t5-11b.toml").write_text(changed)
    library = Library.with_folder(tmp_path)
    assert set(library.run_ids) == {*RUNS, "mine"}
    assert library.run("My T5").id == "mine"
    assert library.run("t5-11b").name == "T5 again"
    assert BUNDLED.run("t5-11b").name == "T5-11B"


# What is made from them.


def test_the_calibration_is_what_the_runs_give() -> None:
    """Every fitted number follows from the records; digits of the last place may differ."""
    runs = hours_runs(BUNDLED)
    made = tomllib.loads(calibrate.calibration_text(fit_to(BUNDLED.runs, BUNDLED), runs))
    kept = tomllib.loads((specs.bundled_folder() / "calibration.toml").read_text())
    for (name, entry), (other, stands) in zip(leaves(made), leaves(kept), strict=True):
        assert name == other
        for key, value in entry.items():
            wanted = stands[key] if isinstance(value, str) else pytest.approx(stands[key], rel=1e-3)
            assert value == wanted, f"{name}.{key}"


def test_the_page_of_runs_counts_them() -> None:
    page = (ROOT / "docs" / "reference" / "runs.md").read_text()
    assert f"holds {len(RUNS)} trainings" in page
    for name in re.findall(r"`([a-z0-9.]+(?:-[a-z0-9.]+)+)`", page):
        assert name in RUNS, name


ROW = {
    "id": "a-run", "model": "A Run", "org": "A Lab", "year": "2024", "kind": "dense-decoder",
    "params_total": "7000000000", "tokens": "2000000000000", "seq_len": "4096", "n_layers": "32",
    "device": "H100-SXM5-80GB", "n_devices": "128", "device_hours": "61440", "days": "20",
    "avg_power_w_reported": "700", "power_scope": "tdp", "pue": "1.1",
    "grid_gco2_per_kwh": "385", "grid_basis": "location", "energy_kwh": "47300",
    "energy_basis": "tdp-based", "energy_scope": "device+pue", "tco2e": "18.2",
    "hours_basis": "devices x published days", "tests": "H,c", "family": "a-family",
}  # fmt: skip
COLUMNS = {
    *ROW, *build_runs.INPUTS, *build_runs.SHAPE, "mfu_reported", "water_l", "embodied_tco2e"
}  # fmt: skip


def test_a_row_of_a_table_becomes_a_record(tmp_path: Path) -> None:
    with (tmp_path / "runs.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, sorted(COLUMNS))
        table.writeheader()
        table.writerow(ROW)
    facts = (
        '[family.a-family]\nsource = "patterson-2021"\nbefore = { place = "fr" }\n'
        '[run.a-run]\nnote = "Said twice."\nreported = { pue = { source = "strubell-2019" } }\n'
    )
    (tmp_path / "facts.toml").write_text(facts)
    out = tmp_path / "own" / "reported_runs"
    build_runs.main(tmp_path / "runs.csv", out, tmp_path / "facts.toml")
    run = Library.with_folder(tmp_path / "own").run("a-run")
    before, after = run.before, run.reported
    assert (before.place, before.arch, before.device) == ("fr", "dense", "h100-sxm")
    assert before.seq_len and before.seq_len.source == "model-cards-recalled"
    assert after.device_hours and (after.device_hours.basis, after.device_hours.by) == ("derived", "joulecast")  # fmt: skip
    assert after.device_hours.last_digit == 128 * 24
    assert after.power_w and after.power_w.basis == "assumed"
    assert after.energy_kwh and (after.energy_kwh.basis, after.energy_kwh.by) == ("derived", "authors")  # fmt: skip
    assert after.operational_kgco2e and after.operational_kgco2e.value == 18_200
    assert after.operational_kgco2e.last_digit == 100
    assert after.pue and (after.pue.value, after.pue.source) == (1.1, "strubell-2019")


def test_facts_of_no_run_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(",".join(sorted(COLUMNS)) + "\n")
    (tmp_path / "facts.toml").write_text('[family.x]\nsource = "a"\n[run.y]\nnote = "b"\n')
    with pytest.raises(SystemExit, match="no such run: x, y"):
        build_runs.main(tmp_path / "runs.csv", tmp_path / "out", tmp_path / "facts.toml")

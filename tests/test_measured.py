"""A plan against a measurement: inside or outside, and what would explain it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, Verdict, compare_measured, estimate

FILE = Path(__file__).parent / "data" / "cards" / "emissions.csv"
PLAN = Plan(
    params="1.3B", tokens="4B", device="a100-sxm-80", device_count=8, region="de", year=2025
)


def measured(folder: Path, days: float, gpu_kwh: float, kwh: float, kg: float, pue: float = 1) -> Path:  # fmt: skip
    path = folder / "emissions.csv"
    path.write_text(
        "run_id,duration,emissions,energy_consumed,gpu_energy,gpu_count,pue\n"
        f"r,{days * 86400!r},{kg!r},{kwh!r},{gpu_kwh!r},8,{pue}\n"
    )
    return path


def as_forecast(folder: Path, plan: Plan, factor: float = 1) -> Verdict:
    """The verdict on a run that went as forecast, but for a factor in all that grows with time."""
    results = estimate(plan).quantities
    days, device, site, kg = (
        results[name].value * factor  # type: ignore[union-attr]
        for name in ("wall_clock_days", "device_energy_kwh", "energy_kwh", "operational_kgco2e")
    )
    return compare_measured(plan, measured(folder, days, device, site, kg, 1.25))


def test_a_run_as_forecast_is_inside_with_every_input_at_its_median(tmp_path: Path) -> None:
    verdict = as_forecast(tmp_path, PLAN)
    assert verdict.inside and len(verdict.results) == 5
    for one in verdict.results:
        assert one.measured == pytest.approx(one.forecast.value)
        assert 0.3 < one.level < 0.7
        for why in one.explanations:
            assert why.score == pytest.approx(0, abs=1e-6)
            assert why.needed == pytest.approx(why.assumed)
    told = {one.name: one for one in verdict.told}
    assert told["grid_gco2e_per_kwh"].measured == pytest.approx(told["grid_gco2e_per_kwh"].assumed)
    assert told["device_power_w"].score == pytest.approx(0, abs=1e-6)


@settings(max_examples=20)
@given(st.floats(0.4, 2.5))
def test_the_value_named_reproduces_the_measurement(
    tmp_path_factory: pytest.TempPathFactory, factor: float
) -> None:
    """Put the value into the plan and the nominal run is as measured."""
    verdict = as_forecast(tmp_path_factory.mktemp("m"), PLAN, factor)
    hours = next(one for one in verdict.results if one.of == "device_hours")
    assert hours.inside == (hours.forecast.p10 <= hours.measured <= hours.forecast.p90)
    assert hours.explanations
    for why in hours.explanations:
        given_ = {**PLAN.given, why.name: why.needed}
        again = estimate(PLAN.replace(given=given_)).device_hours
        assert again is not None
        assert again.value == pytest.approx(hours.measured, rel=1e-6)
        assert why.within == (abs(why.score) <= 1.6448536269514722)


def test_far_outside_nothing_explains_it(tmp_path: Path) -> None:
    verdict = as_forecast(tmp_path, PLAN, 10_000)
    assert not any(one.inside for one in verdict.results)
    assert all(one.level == 1 and not one.explanations for one in verdict.results)
    assert "no single input within its range does" in verdict.explain()
    assert "(hardly any of the draws are as far above)" in verdict.explain()


def test_without_a_pue_the_machines_are_compared() -> None:
    names = [one.of for one in compare_measured(PLAN, FILE).results]
    assert names[3:] == ["it_energy_kwh", "it_kgco2e"]
    text = compare_measured(PLAN, FILE).explain()
    assert "The file has no PUE" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_power_and_grid_that_were_measured_are_told() -> None:
    told = {one.name: one for one in compare_measured(PLAN, FILE).told}
    assert told["device_power_w"].measured == pytest.approx(62.4e3 / (24 * 8))
    assert told["grid_gco2e_per_kwh"].measured == pytest.approx(16450 / 72)


def test_the_command_says_what_python_says(joulecast: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    PLAN.save(plan)
    done = joulecast("compare", str(plan), str(FILE), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    fits(answer, "compare-measured")
    assert done.stdout.strip() == compare_measured(PLAN, FILE).to_json()
    quiet = joulecast("compare", str(FILE), str(plan), "--quiet")
    assert quiet.stdout == "  2 of 5 measurements inside the 80 % prediction range\n"


def test_several_runs_are_an_error_until_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "emissions.csv"
    text = FILE.read_text()
    path.write_text(text + text.splitlines()[1].replace("run-a", "run-b") + "\n")
    with pytest.raises(JoulecastError, match="holds 2 runs; try --run run-a, --run run-b"):
        compare_measured(PLAN, path)
    assert compare_measured(PLAN, path, run="run-b").run.duration_s == 43200
    with pytest.raises(JoulecastError, match=r"^--run: run-c: is not in .*; try run-a, run-b"):
        compare_measured(PLAN, path, run="run-c")


def test_errors_of_the_two_files_are_one_line(joulecast: Run, tmp_path: Path) -> None:
    done = joulecast("compare", str(FILE), str(FILE))
    assert done.returncode == 2
    assert done.stderr.endswith(
        "one plan is compared with one measurement; try plan.toml emissions.csv\n"
    )
    with pytest.raises(JoulecastError, match=r"^runs: 3: a measurement is of one run; try 1"):
        compare_measured(PLAN.replace(runs=3), FILE)
    with pytest.raises(JoulecastError, match="the forecast knows no hours, energy or emissions"):
        compare_measured(Plan(params="7B", tokens="1T", only_given=True), FILE)

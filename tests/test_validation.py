"""Published runs forecast again: blind, at the scope of the meter, and as the page says."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import Run, fits, remembered

from joulecast import Library, Plan, estimate, validate
from joulecast.answers.validation import Gate, Row, Validation
from joulecast.cli import validate as command
from joulecast.validating import benchmark
from joulecast.validating.accounting import accounts
from joulecast.validating.calibration import calibrate, hours_runs
from joulecast.validating.gates import DECLARED, WHY
from joulecast.validating.gates import gate as gate_of
from joulecast.validating.page import page
from joulecast.validating.plots import save_all
from joulecast.validating.power import fit_power, meters_of
from joulecast.validating.runs import After
from joulecast.validating.telling import inputs
from joulecast.validating.text import text
from joulecast.validating.transfer import validate_devices

ROOT = Path(__file__).parents[1]
BUNDLED = Library.bundled()


#: The verb, asked once for the same tables: it fits and forecasts two seconds long.
ASKED = remembered(validate)


ASKED_OF_DEVICES = remembered(validate_devices)


@pytest.fixture(scope="module")
def result() -> Validation:
    return ASKED(BUNDLED, shipped=False)


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints what the verb has answered already, where it asks the same."""
    monkeypatch.setattr("joulecast.validating.validation.validate", ASKED)


def rows_of(validation: Validation, quantity: str, known: tuple[str, ...] = ()) -> dict[str, Row]:
    return {r.run.id: r for r in validation.rows if (r.quantity, r.known) == (quantity, known)}


def changed(folder: Path, *changes: tuple[str, str, str]) -> Library:
    """The package's tables with records of runs changed: run, what stands there, what instead."""
    runs = folder / "reported_runs"
    runs.mkdir(parents=True)
    for run, old, new in changes:
        mine = runs / f"{run}.toml"
        source = mine if mine.exists() else ROOT / "hardware_specs" / "reported_runs" / mine.name
        record = source.read_text()
        assert old in record, f"{run}: {old}"
        mine.write_text(record.replace(old, new, 1))
    return Library.with_folder(folder)


# Power fitted to meters.


def test_a_fitted_share_lies_between_what_was_assumed_and_what_meters_say() -> None:
    fitted = fit_power(BUNDLED.runs, BUNDLED).shares["hopper.large"][1]
    meters = [BUNDLED.run(name).reported.power_w for name in ("olmo3-7b", "olmo3-32b")]
    shares = [meter.value / 700 for meter in meters if meter is not None]
    assumed = BUNDLED.default("power_before_meters.hopper.large").value
    assert assumed < fitted < max(shares)
    others = [run for run in BUNDLED.runs if run.family != "olmo3"]
    assert fit_power(others, BUNDLED).shares["hopper.large"][1] == pytest.approx(assumed)


def test_hosts_of_tpus_are_shared_between_generations() -> None:
    """PaLM is the one meter on a TPU v4: without it v4 is as the others, with it halfway there."""
    palm = BUNDLED.run("palm-540b")
    told = 378.5 / 170 - 1
    whole = fit_power(BUNDLED.runs, BUNDLED).hosts
    without = fit_power([run for run in BUNDLED.runs if run.id != palm.id], BUNDLED).hosts
    assert without["tpu-v4"] == pytest.approx(without["tpu"])
    assert without["tpu"] < whole["tpu"] < whole["tpu-v4"] < told
    assert whole["tpu-v4"] == pytest.approx(np.sqrt(whole["tpu"] * told))


def test_a_mean_above_the_rating_of_the_devices_teaches_nothing(tmp_path: Path) -> None:
    moved = changed(tmp_path, ("olmo3-7b", "value = 621", "value = 721"))
    told = {meter.run for meter in meters_of(moved.runs, moved)}
    assert "olmo3-32b" in told and "olmo3-7b" not in told


# What a forecast sees.


def test_a_forecast_is_that_of_estimate_by_a_fit_without_the_family(result: Validation) -> None:
    run = BUNDLED.run("falcon-40b")
    others = [other for other in BUNDLED.runs if other.family != run.family]
    assert len({other.id for other in hours_runs(BUNDLED)} - {other.id for other in others}) == 4
    tables = BUNDLED.with_calibration(calibrate(others, BUNDLED).figures())
    hours = estimate(Plan(**inputs(run)), tables).device_hours
    row = rows_of(result, "hours")["falcon-40b"]
    assert hours is not None
    assert (row.predicted, *row.range(0.8)) == pytest.approx((hours.value, hours.p10, hours.p90))
    assert row.range(0.9) == pytest.approx((hours.p5, hours.p95))


def test_the_shipped_fit_is_that_of_estimate() -> None:
    row = rows_of(validate(shipped=True), "hours")["falcon-40b"]
    hours = estimate(Plan(**inputs(row.run))).device_hours
    assert hours is not None and row.predicted == pytest.approx(hours.value)


def test_what_was_reported_never_enters_the_inputs() -> None:
    for run in BUNDLED.runs:
        assert inputs(run) == inputs(run.replace(reported=After()))
        assert set(inputs(run)) <= set(Plan.fields) - {"given"}


FALCON = (("falcon-40b", "value = 552_960", "value = 9_552_960"),)
T5 = (
    ("t5-11b", "value = 245_760", "value = 9_245_760"),
    ("t5-11b", "value = 310", "value = 31"),
    ("t5-11b", "mfu = 0.371", "mfu = 0.1"),
    ("t5-11b", "pue = 1.12", "pue = 1.9"),
    ("t5-11b", "grid_gco2e_per_kwh = 545", "grid_gco2e_per_kwh = 5"),
    ("t5-11b", "value = 85_700", "value = 8_570_000"),
    ("t5-11b", "value = 46_700", "value = 4_670_000"),
)


@pytest.mark.parametrize(
    ("changes", "runs", "quantities"),
    [
        (FALCON, ("falcon-7b", "falcon-40b", "falcon-180b", "falcon-mamba-7b"), ("hours",)),
        (T5, ("t5-11b",), ("hours", "energy", "co2")),
    ],
    ids=["hours of a sister", "all that was reported"],
)
def test_no_figure_reported_of_a_family_moves_its_forecasts(
    result: Validation,
    tmp_path: Path,
    changes: tuple[tuple[str, str, str], ...],
    runs: tuple[str, ...],
    quantities: tuple[str, ...],
) -> None:
    moved = validate(changed(tmp_path, *changes))
    for quantity in quantities:
        was, now = rows_of(result, quantity), rows_of(moved, quantity)
        assert now[changes[0][0]].reported != was[changes[0][0]].reported
        for name in runs:
            assert now[name].predicted == was[name].predicted
            assert np.array_equal(now[name].draws, was[name].draws)
    # Runs of other families do see the change: they are forecast by a fit to it.
    assert (
        rows_of(moved, "hours")["llama2-7b"].predicted
        != rows_of(result, "hours")["llama2-7b"].predicted
    )


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("olmo3-7b", 146_000),  # accelerators alone, no cooling in it
        ("gshard-600b", 24_100 / 1.09),  # with its machine; Patterson et al. 2021, table 4
        ("olmoe-1b-7b", 54_000 / 1.2),
    ],
)
def test_energy_is_compared_without_cooling_at_the_scope_of_the_meter(
    result: Validation, name: str, reported: float
) -> None:
    row = rows_of(result, "energy", ("hours",))[name]
    assert row.reported == pytest.approx(reported)
    run, hours = row.run, row.run.reported.device_hours
    assert hours is not None
    others = [other for other in BUNDLED.runs if other.family != run.family]
    tables = BUNDLED.with_calibration(calibrate(others, BUNDLED).figures())
    told = estimate(Plan(**inputs(run), given={"device_hours": hours.value}), tables).quantities
    device, host = told["device_energy_kwh"], told["host_energy_kwh"]
    assert device is not None and host is not None and run.reported.energy_kwh is not None
    system = run.reported.energy_kwh.scope == "system"
    assert row.predicted == pytest.approx(device.value + (host.value if system else 0.0))


def test_the_naive_forecast_by_hand(result: Validation) -> None:
    """Llama 2 7B: 6 x 6.738e9 x 2e12 FLOP over 0.40 x 312 TFLOP/s."""
    naive = rows_of(result, "hours")["llama2-7b"].baselines["naive"]
    assert naive == pytest.approx(6 * 6.738e9 * 2e12 / (0.40 * 311.87e12) / 3600, rel=1e-3)
    energy = rows_of(result, "energy", ("hours",))["olmo3-7b"].baselines["naive"]
    assert energy == pytest.approx(234_000 * 0.7)


# Gates.


def test_the_numbers_of_the_gates(result: Validation) -> None:
    hours = result.scores["hours"]
    assert (hours["all"].runs, hours["all"].families) == (106, 51)
    first = hours["the first 74 runs"]
    assert (first.runs, first.families, hours["of these, decoders"].families) == (74, 37, 30)
    assert (hours["decoders"].families, hours["the rest"].families) == (38, 15)
    assert len(result.gates) == 35
    assert [hits.low for hits in first.hits] == [13, 25, 29]
    for score in (hours["all"], hours["decoders"], hours["the rest"]):
        assert sum(score.pit) == pytest.approx(score.families)
        assert score.crps < np.log(score.factor)  # a range says more than its middle


def test_what_is_declared_fails_and_says_why(result: Validation) -> None:
    failed = {gate.name for gate in result.gates if not gate.passed}
    assert failed == set(DECLARED) == set(WHY)
    assert result.ok


@pytest.mark.parametrize(
    ("gate", "passed", "ok"),
    [
        (gate_of("x", 1.0, 1.0), True, True),
        (gate_of("x", 1.01, 1.0), False, False),
        (gate_of("x", 5, (4, 6)), True, True),
        (gate_of("x", 3.9, (4, 6)), False, False),
        (gate_of("energy, true hours given: typical factor", 1.235, 1.18), False, True),
        (gate_of("energy, true hours given: typical factor", 1.26, 1.18), False, False),
    ],
)
def test_a_gate_passes_within_its_limits_and_a_declared_one_no_worse(
    gate: Gate, passed: bool, ok: bool
) -> None:
    assert (gate.passed, gate.ok) == (passed, ok)


# Accounting.


def test_published_figures_follow_from_their_own_inputs_or_the_table_says_so() -> None:
    book = {(account.run, account.figure): account for account in accounts(BUNDLED)}
    wrong = {key for key, account in book.items() if account.verdict == "contradicts itself"}
    assert wrong == {("apertus-70b", "energy"), ("gpt-neox-20b", "energy")}
    for key in wrong:
        assert book[key].why and not book[key].unexplained
    bloom = book["bloom-176b", "co2"]
    # 433,196 kWh x 57 g/kWh
    assert bloom.computed == pytest.approx(24_692.172) and bloom.verdict == "reproduced"
    assert book["palm-540b", "energy"].verdict == "made by us"
    assert book["sd-v1", "co2"].verdict == "lacks inputs"


def test_a_figure_that_does_not_follow_and_no_note_says_why_fails(
    joulecast: Run, tmp_path: Path
) -> None:
    changed(
        tmp_path,
        ("olmo3-7b", "device_hours = ", "device_hours = 1"),
        ("olmo3-7b", 'note = "', 'note = "" # "'),
    )
    done = joulecast("validate", "--accounting", "--specs", str(tmp_path))
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("olmo3-7b"))
    assert "contradicts itself" in "".join(lines[at : at + 2]) and done.returncode == 1


# The command.


@pytest.mark.usefixtures("asked_once")
def test_the_command_prints_every_run_and_gate(joulecast: Run, result: Validation) -> None:
    done = joulecast("validate")
    assert (done.returncode, done.stderr) == (0, "")
    for row in result.rows:
        assert row.run.id in done.stdout
    words = " ".join(done.stdout.split())  # long names take several lines
    for gate in result.gates:
        assert gate.name in words
    assert "34 of 35 gates pass, 1 fail (1 as declared)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_accounting_makes_no_forecast(
    joulecast: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forecast(*_: object) -> None:
        raise AssertionError("a forecast was made")

    monkeypatch.setattr(benchmark, "run_benchmark", forecast)
    command.validate(accounting=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and "figures: " in lines[-1]
    told = joulecast("validate", "--accounting", "--json").stdout
    assert len(json.loads(told)) == int(lines[-1].split()[0])
    refused = joulecast("validate", "--accounting", "--plot", ".")
    assert refused.stderr == (
        "error: --plot: is of the forecasts, which --accounting leaves out; "
        "try leaving one of the two out\n"
    )


@pytest.mark.usefixtures("asked_once")
def test_json_is_as_its_schema_says(joulecast: Run) -> None:
    for args, name in ((("--json",), "validate"), (("--accounting", "--json"), "validate-accounting")):  # fmt: skip
        done = joulecast("validate", *args)
        fits(json.loads(done.stdout), name)
        assert done.returncode == 0
    answer = json.loads(joulecast("validate", "--format", "json").stdout)
    assert {"rows", "summary", "gates"} <= set(answer)
    assert {"name", "value", "limit", "pass"} <= set(answer["gates"][0])
    assert answer["fit"] == "family left out"


@pytest.mark.usefixtures("asked_once")
def test_csv_has_a_line_for_each_row(joulecast: Run, result: Validation) -> None:
    table = list(csv.DictReader(io.StringIO(joulecast("validate", "--format", "csv").stdout)))
    assert len(table) == len(result.rows)
    for line, row in zip(table, result.rows, strict=True):
        assert line["run"] == row.run.id
        assert float(line["ratio"]) == pytest.approx(row.predicted / row.reported)


def test_results_that_leave_what_is_declared_exit_1(joulecast: Run, tmp_path: Path) -> None:
    sizes = (7, 13, 34, 70)
    changed(tmp_path, *((f"llama2-{n}b", "device_hours = ", "device_hours = 9") for n in sizes))
    done = joulecast("validate", "--specs", str(tmp_path))
    assert done.returncode == 1 and done.stderr == ""
    assert re.search(r"hours, dense on A100: typical factor .* FAILS\n", done.stdout)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("nonsense",), "usage: got unexpected extra argument"),
        (("--format", "yaml"), "--format: yaml: is not a format of this command; try text, json, csv"),
        (("--write", "page.md", "--shipped"), "--write: page.md: the page is of fits that never saw a run's family; try leaving out --shipped"),
        (("--plot", "no/such/folder"), "--plot: no/such/folder: is not a folder"),
        (("--write", "no/such/page.md"), "--write: no/such: is not a folder"),
        (("--shiped",), "--shiped: unknown option; try --shipped"),
    ],
)  # fmt: skip
def test_errors_are_one_line(joulecast: Run, args: tuple[str, ...], error: str) -> None:
    done = joulecast("validate", *args)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"error: {error}") and done.stderr.count("\n") == 1


# The page.

NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")


def test_the_page_says_what_comes_out(result: Validation) -> None:
    devices = ASKED_OF_DEVICES(BUNDLED)
    made, kept = page(result, devices=devices), (ROOT / "docs" / "validation.md").read_text()
    assert NUMBER.sub("#", made) == NUMBER.sub("#", kept), "stale: see the head of the page"
    values = [
        [float(number.replace(",", "")) for number in NUMBER.findall(content)]
        for content in (made, kept)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_the_page_owns_up_to_what_fails(result: Validation) -> None:
    failures = page(result).split("## Failures")[1].split("## Limits")[0]
    for name in DECLARED:
        assert f"**{name}**" in failures


def test_readme_states_the_figures_as_they_are(result: Validation) -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    hours = result.scores["hours"]
    whole, decoders = hours["all"], hours["decoders"]
    energy = result.scores["energy"]["blind, 1B parameters and more"]
    assert f"Of {whole.runs} published runs of {whole.families} families" in readme
    assert (
        f"a median of {whole.median_ratio:.2f} and a typical factor of {whole.factor:.2f} "
        f"({decoders.factor:.2f} for decoders)"
    ) in readme
    assert f"held for {whole.hits[1].hits:.1f} of the {whole.families} families" in readme
    assert f"a typical factor of {energy.factor:.2f}. `joulecast validate`" in readme


def test_text_has_a_legend_for_its_mark(result: Validation) -> None:
    assert "moviegen-30b F" in text(result) and "F: the FLOP are those reported" in text(result)


def test_pictures_are_the_same_each_time(result: Validation, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ("validation-forecasts.svg", "validation-calibration.svg")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        save_all(result, folder, (".svg",))
    for name in names:
        one, two = ((folder / name).read_text() for folder in folders)
        assert one == two
        assert (ROOT / "docs" / "pictures" / name).exists()
    for label in ("dense, A100", "mixture of experts", "within 1.5x", "reported device-hours"):
        assert label in (folders[0] / names[0]).read_text()


def test_a_validation_is_an_answer_like_the_others(result: Validation) -> None:
    lines = str(result).splitlines()
    assert len(lines) <= 25 and lines[-1] == "All of it: print(answer.explain())"
    assert repr(result) == "<Validation: 34 of 35 gates pass, 1 fail (1 as declared)>"
    assert "<table" in result._repr_html_() and "family left out" in result.to_json()
    assert len(result.to_pandas()) == len(result.rows)

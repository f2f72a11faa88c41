"""`check`: every planted fault is found, and nothing where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, fits
from hypothesis import given
from hypothesis import strategies as st

from joulecast import Check, JoulecastError, check

CARDS = Path(__file__).parent / "data" / "cards"
PLANTED = dict(
    line.split(" => ")
    for line in (CARDS / "expected.txt").read_text().splitlines()
    if not line.startswith("#")
)

SECOND = CARDS / "second"
AGAIN = [
    tuple(line.split(" => "))
    for line in (SECOND / "expected.txt").read_text().splitlines()
    if not line.startswith("#")
]


def checked(text: str, tmp_path: Path, name: str = "README.md") -> Check:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return check(path)


def codes(found: Check) -> list[str]:
    return [finding.code for finding in found.findings]


def test_the_set_is_twenty_faulty_cards_and_five_clean_ones() -> None:
    faulty = sorted(path.stem for path in (CARDS / "faulty").glob("*.md"))
    assert faulty == sorted(PLANTED) and len(faulty) == 20
    assert len(list((CARDS / "clean").glob("*.md"))) == 5


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_the_planted_fault_is_found_and_nothing_else(name: str) -> None:
    found = check(CARDS / "faulty" / f"{name}.md")
    code, part = PLANTED[name].split(": ", 1)
    assert codes(found) == [code]
    assert part in str(found.findings[0])


@pytest.mark.parametrize("path", sorted((CARDS / "clean").glob("*.md")), ids=lambda path: path.stem)
def test_a_clean_card_is_clean_and_was_read(path: Path) -> None:
    found = check(path)
    assert found.passed, found.explain()
    assert len(found.readings) >= 4


@pytest.mark.parametrize(("name", "expected", "part"), AGAIN)
def test_a_second_set_written_without_sight_of_the_rules(
    name: str, expected: str, part: str
) -> None:
    """Tables, prose, the calculator's paragraph, CodeCarbon's file; pounds, GPU-days, TPUs."""
    (path,) = (SECOND / "faulty").glob(f"{name}.*")
    found = check(path)
    assert codes(found) == expected.split(", ")
    assert part in str(found.findings[0])


def test_the_second_set_has_nine_faulty_cards() -> None:
    faulty = sorted(path.stem for path in (SECOND / "faulty").iterdir())
    assert faulty == sorted(name for name, _, _ in AGAIN) and len(faulty) == 9


@pytest.mark.parametrize("path", sorted((SECOND / "clean").iterdir()), ids=lambda path: path.stem)
def test_the_clean_cards_of_the_second_set_are_clean_and_were_read(path: Path) -> None:
    found = check(path)
    assert found.passed, found.explain()
    assert len(found.readings) >= 6


@pytest.mark.parametrize(
    "figure, wrong",
    [("| 20,000 |", "| 200,000 |"), ("4.40", "44.0"), ("1.408 |", "14.08 |"), ("1408000", "14080000"), ("| 200 |", "| 20 |"), ("| 320 |", "| 32 |")],
)  # fmt: skip
def test_any_figure_of_a_clean_card_made_wrong_is_noticed(
    figure: str, wrong: str, tmp_path: Path
) -> None:
    text = (CARDS / "clean" / "quantities-with-units.md").read_text()
    assert figure in text
    assert not checked(text.replace(figure, wrong), tmp_path).passed


def card(hours: float, count: int, power: float, pue: float, grid: float, style: str) -> str:
    """A consistent card, its figures written with five digits."""
    energy = hours * count * power / 1000 * pue
    mass = energy * grid / 1000
    if style == "prose":
        return (
            f"# A model\n\n## Compute\n\nTraining ran for {hours:.5g} hours on {count} devices, "
            f"which drew {power:.5g} W each.\nThe site has a PUE of {pue:.5g}, so it used\n"
            f"{energy:.5f} kWh; at {grid:.5g} gCO2e/kWh that is {mass:.6f} kg CO2e."
        )
    rows = {
        "Number of GPUs": count,
        "GPU hours": f"{hours * count:.5f}",
        "Power per GPU (W)": f"{power:.5g}",
        "PUE": f"{pue:.5g}",
        "Energy": f"{energy:.5f} kWh",
        "Carbon intensity": f"{grid / 1000:.6f} kgCO2eq/kWh",
        "Carbon emitted": f"{mass:.6f} kg CO2eq",
    }
    if style == "table":
        lines = [f"| {name} | {value} |" for name, value in rows.items()]
        return "\n".join(["# A model", "", "| Item | Value |", "|---|---|", *lines])
    return "# A model\n\n" + "\n".join(f"- **{name}:** {value}" for name, value in rows.items())


runs = st.tuples(
    st.floats(10, 5000),
    st.integers(2, 4000),
    st.floats(50, 1200),
    st.floats(1.1, 1.9),
    st.floats(20, 900),
    st.sampled_from(["prose", "table", "bullets"]),
)


@given(runs)
def test_a_consistent_card_is_clean_whatever_its_style(
    tmp_path_factory: pytest.TempPathFactory, run: tuple[float, int, float, float, float, str]
) -> None:
    found = checked(card(*run), tmp_path_factory.mktemp("card"))
    assert found.passed, found.explain()
    names = {reading.name for reading in found.readings}
    assert {"power", "pue", "energy", "intensity", "emissions", "devices"} <= names


@given(runs, st.sampled_from([0.001, 0.5, 1.3, 24, 1000]))
def test_an_emission_that_does_not_follow_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    run: tuple[float, int, float, float, float, str],
    factor: float,
) -> None:
    text = card(*run)
    mass = run[0] * run[1] * run[2] / 1e6 * run[3] * run[4]
    wrong = text.replace(f"{mass:.6f}", f"{mass * factor:.6f}")
    # Half of a sixth decimal may be rounded either way; a PUE applied a second time may be right.
    if wrong == text or abs(factor - run[3]) < 0.1 or mass * factor < 1e-3:
        return
    found = checked(wrong, tmp_path_factory.mktemp("card"))
    assert codes(found) in (["emissions"], ["pue_left_out"]), found.explain()


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("card") / "README.md"
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        check(path)
    except JoulecastError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "words, code, cause",
    [
        ("Training took 100 hours on 8 GPUs at 300 W each and used 30 kWh.", "energy", "the 8 devices were left out"),
        ("Training took 100 hours on 8 GPUs at 300 W each and used 240 MWh.", "energy", "a unit is off"),
        ("Training took 100 hours on 8 GPUs at 300 W each and used 10 kWh.", "energy", "hours and days were mixed up"),
        ("- Energy: 100 kWh\n- Carbon intensity: 500 gCO2/kWh\n- Emissions: 50 t CO2eq", "emissions", "a unit is off"),
        ("- Carbon intensity: 350 kgCO2/kWh\n- Energy: 10 kWh", "grid_unit", "g was meant for kg"),
        ("- Hardware: 8 x A100-SXM4-80GB\n- Power: 3200 W", "tdp", "it is the power of all devices"),
        ("- Hardware: A100-SXM4-80GB\n- GPU hours: 100\n- Energy: 40 MWh", "energy", "400,000 W a device"),
        ("- Parameters: 7B\n- Training tokens: 2T\n- Training FLOP: 2.8e22", "flop", "the forward pass alone"),
        ("- PUE: 12", "pue", "a share in percent is no PUE"),
        ("- Hardware: V100-SXM2-32GB\n- Peak: 250 TFLOP/s", "peak", "is 125 TFLOP/s"),
    ],
)  # fmt: skip
def test_the_likely_cause_is_named(words: str, code: str, cause: str, tmp_path: Path) -> None:
    found = checked(f"# A model\n\n## Environmental impact\n\n{words}\n", tmp_path)
    assert codes(found) == [code], found.explain()
    assert cause in str(found.findings[0])


@pytest.mark.parametrize(
    "words",
    [
        "A cumulative of 100 hours of computation was performed on hardware of type A100 PCIe 40GB (TDP of 250W).\nWith 0.27 kgCO$_2$eq/kWh, total emissions are estimated to be 6.75 kgCO$_2$eq.",
        "- **Hours used:** 100\n- **Hardware type:** 4 x A100-PCIE-40GB\n- **Power:** 250 W\n- **Carbon intensity:** 0.3 kg/kWh\n- **Carbon emitted:** 7.5 kg",
        "We used 104 MWh of IT energy.\n\n- PUE: 1.1\n- Carbon intensity (kg CO2e/kWh): 0.610\n- Emissions: 70 tCO2eq",
        "The run emitted 5 t CO2eq, location-based.\n\n| Basis | Value |\n|---|---|\n| Market-based emissions | 0 |",
        "Emissions were 24.7 tCO₂eq. For comparison, a flight emits 900 kg CO2eq per person.",
        "```\nEnergy: 3 kWh\nPUE: 0.2\n```\n\nEnergy: 3 kWh <!-- PUE: 0.1 -->",
    ],
)  # fmt: skip
def test_what_people_write_and_is_right_is_left_alone(words: str, tmp_path: Path) -> None:
    found = checked(f"# A model\n\n## Environmental impact\n\n{words}\n", tmp_path)
    assert found.passed, found.explain()


@pytest.mark.parametrize(
    "field, grams",
    [("24_700_000", None), ("1.5e+3", None), ("'512'", None), ("1e9", "1 g"), ("~12", "12 g"), ("unknown", "no number")],
)  # fmt: skip
def test_the_field_is_read_as_the_hub_reads_it(
    field: str, grams: str | None, tmp_path: Path
) -> None:
    found = checked(f"---\nco2_eq_emissions:\n  emissions: {field}\n---\n# A model\n", tmp_path)
    assert codes(found) == ([] if grams is None else ["field_text"])
    assert grams is None or f"the Hub reads {grams}" in str(found.findings[0])


def test_a_codecarbon_file_that_is_right(tmp_path: Path) -> None:
    found = check(CARDS / "emissions.csv")
    assert found.passed
    assert [reading.shown for reading in found.readings if reading.name == "energy"] == ["72 kWh"]


@pytest.mark.parametrize(
    "old, new, code, part",
    [
        ("62.4,2.88,72.0", "62.4,2.88,720", "energy", "CPU, GPU and RAM come to 72 kWh"),
        ("16.45,", "16450,", "emissions", "a unit is off"),
        ("16.45,0.000190394", "1.645,0.0000190394", "grid_place", "emissions over energy is 22.8 gCO2e/kWh, but the grid of Germany"),
        (",8,8 x", ",1,8 x", "power", "more GPUs were measured than gpu_count says"),
        ("N,1.0\n", "N,0.8\n", "pue", "never below 1"),
    ],
)  # fmt: skip
def test_a_codecarbon_file_that_is_wrong(
    old: str, new: str, code: str, part: str, tmp_path: Path
) -> None:
    text = (CARDS / "emissions.csv").read_text()
    found = checked(text.replace(old, new), tmp_path, "emissions.csv")
    assert code in codes(found)
    assert part in "".join(map(str, found.findings))


def test_energy_of_gpus_is_judged_before_the_pue(tmp_path: Path) -> None:
    """CodeCarbon's energies hold the PUE: 540 W a GPU at a PUE of 1.5 is 360 W of its 400."""
    text = (CARDS / "emissions.csv").read_text().splitlines()
    row = dict(zip(text[0].split(","), text[1].split(","), strict=True))
    row |= {"gpu_energy": "51.84", "energy_consumed": "56.64", "pue": "1.5"}
    row |= {"emissions": "12.84", "emissions_rate": f"{12.84 / 43200:.9f}"}
    made = "\n".join([text[0], ",".join(row.values())]) + "\n"
    assert codes(checked(made, tmp_path, "emissions.csv")) == []
    again = made.replace("machine,N,1.5", "machine,N,1.0")
    assert codes(checked(again, tmp_path, "emissions.csv")) == ["power"]


@pytest.mark.parametrize(
    "name, text, error",
    [
        ("README.md", "# A model\n\nNothing here.\n", "holds no figure of energy, hours or emissions; try the README.md of a model"),
        ("emissions.csv", "a,b\n1,2\n", "has no column duration, so it is no emissions.csv of CodeCarbon"),
        ("emissions.csv", "duration,emissions,energy_consumed\n", "has no row"),
        ("emissions.csv", "duration,emissions,energy_consumed\n1,two,3\n", "line 2: emissions: two: is not a number; try 7B, 1.5e12"),
        ("emissions.csv", "duration,emissions,energy_consumed\n1,,3\n", "line 2: emissions: is empty"),
        ("emissions.csv", "duration,emissions,energy_consumed\n1,-2,3\n", "line 2: emissions: -2: must not be negative"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_an_error_of_one_line(
    name: str, text: str, error: str, tmp_path: Path
) -> None:
    with pytest.raises(JoulecastError) as problem:
        checked(text, tmp_path, name)
    assert str(problem.value).endswith(error)


def test_the_command_exits_with_1_where_something_contradicts(
    joulecast: Run, tmp_path: Path
) -> None:
    bad = CARDS / "faulty" / "14-pue-below-one.md"
    done = joulecast("check", str(bad), "--quiet")
    assert done.returncode == 1
    assert done.stdout == f"{bad}:6: {check(bad).findings[0]}\n"
    good = joulecast("check", str(CARDS / "clean" / "report-in-prose.md"))
    assert good.returncode == 0
    assert "nothing contradicts" in good.stdout and "129,024 GPU-hours" in good.stdout
    missing = joulecast("check", str(tmp_path / "none.md"))
    assert missing.returncode == 2
    assert (
        missing.stderr.startswith("error: card: ") and "cannot be read: No such" in missing.stderr
    )
    answer = joulecast("check", str(bad), "--json")
    assert answer.returncode == 1
    fits(json.loads(answer.stdout), "check")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("We emitted 2,000 lbs of CO2e in training.", "emissions", 907.18474),
        ("The grid has 2 pounds of CO2e per kilowatt-hour.", "intensity", 907.18474),
        ("Training took 5,760 GPU-days.", "device_hours", 5_760 * 24),
        ("- GPU-days: 5,760", "device_hours", 5_760 * 24),
        ("Training throughput: about 150 TFLOP per GPU per second", "throughput", 150),
        ("Training consumed 1.2 megawatt-hours.", "energy", 1200),
    ],
)
def test_units_as_people_write_them(text: str, name: str, value: float, tmp_path: Path) -> None:
    (one,) = (one for one in checked(f"# A\n\n{text}\n", tmp_path).readings if one.name == name)
    assert one.value == pytest.approx(value)


@pytest.mark.parametrize(
    "words",
    [
        "It was trained on 40 days of reanalysis and 1,900 hours of audio, at 3.2 s a step, with 9 kWh.",
        "Training emitted 40 tCO2e. By market-based accounting it is 3 tCO2e.",
        "Training used 383 MWh in the GPUs. Idle nodes and cooling used 160 MWh.",
    ],
)
def test_what_is_not_of_the_run_is_no_figure_of_it(words: str, tmp_path: Path) -> None:
    found = checked(f"# A\n\n{words}\n", tmp_path)
    assert found.passed, found.explain()
    assert not [one for one in found.readings if one.name == "hours"]


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        ("Matrix products in FP8 on 8 H100 SXM GPUs, peak of 1,979 TFLOP/s.", True),
        ("Trained in BF16 on 8 H100 SXM GPUs, peak of 1,979 TFLOP/s.", False),
        ("FP8 was not used: BF16 on 8 H100 SXM GPUs, peak of 1,979 TFLOP/s.", False),
    ],
)
def test_a_peak_is_that_of_the_precision_named_last(
    words: str, passed: bool, tmp_path: Path
) -> None:
    assert checked(f"# A\n\n{words}\n", tmp_path).passed == passed

"""What people touch of an answer: `print`, `str`, `float`, `repr`, a cell of a notebook, frames."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import joulecast
from joulecast import (
    Footprint,
    JoulecastError,
    Plan,
    Quantity,
    advise,
    calibrate,
    check,
    compare,
    compare_measured,
    estimate,
    estimate_table,
    model,
    optimum,
    solve,
    sweep,
)
from joulecast.answers import count, validation
from joulecast.answers.base import Answer, Noun
from joulecast.answers.shape import as_text
from joulecast.report import door
from joulecast.report.words import SCREEN

DATA = Path(__file__).parent / "data"
PLAN = Plan(params=7e9, tokens=1e12, device="h100-sxm", region="us-va", year=2024)

#: Kind of answer -> one of it.
MADE: dict[str, Callable[[], Any]] = {
    "Advice": lambda: advise(PLAN, only="place,precision"),
    "Calibration": lambda: calibrate(DATA.parents[1] / "docs" / "method" / "past_runs.csv"),
    "Check": lambda: check(next((DATA / "cards").rglob("*.md"))),
    "Comparison": lambda: compare(PLAN, vary={"region": ["fr", "pl", "us-va"]}),
    "Footprint": lambda: estimate(PLAN),
    "ModelCount": lambda: model({"model_type": "mixtral"}),
    "Optimum": lambda: optimum(Plan(flop=1e22, region="fr", year=2024)),
    "Quantity": lambda: estimate(PLAN).total,
    "Runs": lambda: estimate_table(
        [{"run": f"seed {k}", "params": "7B", "tokens": "1T"} for k in range(40)], plan=PLAN
    ),
    "Solution": lambda: solve(PLAN, "grid", {"total": "50t"}),
    "Solutions": lambda: solve(PLAN, "grid", {"total": np.geomspace(1e2, 1e9, 60)}),
    "Sweep": lambda: sweep(PLAN, {"params": "log:1B:70B:10", "region": "fr,pl,us-va"}),
    "Verdict": lambda: compare_measured(
        Plan(params=1e8, tokens=1e9, device="a100-sxm-80", region="fr", year=2024),
        DATA / "cards" / "emissions.csv",
    ),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return {name: make() for name, make in MADE.items()}


def test_every_kind_of_answer_is_here_and_has_a_room() -> None:
    nouns: set[type] = {Quantity, *Noun.__subclasses__()}
    assert {count.ModelCount, validation.Validation} <= nouns
    kinds = {kind.__name__ for kind in nouns if issubclass(kind, Answer)}
    assert kinds == {*MADE, "Validation"} == set(door.ROOMS)  # tests/test_validation.py has one
    public = {name for name in joulecast.__all__ if name in MADE}
    assert public >= {"Advice", "Check", "Comparison", "Footprint", "Optimum", "Sweep", "Verdict"}


@pytest.mark.parametrize("kind", MADE)
def test_an_answer_prints_on_one_screen(kind: str, answers: dict[str, Any]) -> None:
    text = str(answers[kind])
    lines = text.splitlines()
    assert 1 <= len(lines) <= SCREEN == 25
    wide = ("Check", "Sweep", "Solutions", "Verdict")  # as wide as what was asked or measured
    assert kind in wide or all(len(line) <= 80 for line in lines)
    assert text == f"{answers[kind]}" and "object at 0x" not in text


@pytest.mark.parametrize("kind", MADE)
def test_a_repr_is_a_line(kind: str, answers: dict[str, Any]) -> None:
    said = repr(answers[kind])
    assert "\n" not in said and len(said) < 200
    assert said.startswith((f"<{kind}: ", f"{kind}("))


@pytest.mark.parametrize("kind", MADE)
def test_a_cell_of_a_notebook_is_html_that_closes_what_it_opens(
    kind: str, answers: dict[str, Any]
) -> None:
    page = answers[kind]._repr_html_()
    assert page.startswith('<div class="joulecast">') and "<table" in page
    assert "<script" not in page and "http-equiv" not in page
    _Closed().feed(page)


class _Closed(HTMLParser):
    """Every tag is closed by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("wbr", "rect", "line", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in ("rect", "line") or self.open.pop() == tag


@pytest.mark.parametrize("kind", MADE)
def test_an_answer_is_a_dictionary_and_json(kind: str, answers: dict[str, Any]) -> None:
    told = json.loads(answers[kind].to_json())
    if kind == "Sweep":  # its JSON are the rows that the command line prints
        assert len(told) == len(answers[kind]) and told[0].keys() == set(answers[kind].names)
    else:
        assert told == answers[kind].to_dict()


@pytest.mark.parametrize("kind", MADE)
def test_an_answer_is_a_frame(kind: str, answers: dict[str, Any]) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = answers[kind].to_pandas()
    assert isinstance(frame, pandas.DataFrame) and len(frame.columns) > 1
    assert isinstance(answers[kind].to_polars(), polars.DataFrame)
    assert len(answers[kind].to_polars()) == len(frame)


def test_the_first_screen_of_a_forecast() -> None:
    footprint = estimate(Plan(params=70e9, tokens=15e12))
    lines = str(footprint).splitlines()
    total = footprint.total
    assert total is not None
    assert lines[0].startswith("Training a dense model of 70 billion parameters")
    assert "80 % prediction range" in str(footprint) and "tCO2e" in lines[3]
    for word in ("Training ", "Hardware ", "Duration ", "Energy ", "Parts (tCO2e)", "embodied "):
        assert word in str(footprint)
    assert all(notice.code in str(footprint) for notice in footprint.warnings)
    assert lines[-1] == "All of it: print(fp.explain())"
    assert repr(footprint).startswith("<Footprint: ") and "tCO2e" in repr(footprint)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(given={"device_hours": 3.5, "device_power_w": 200}, only_given=True),
        Plan(flop=1e22, only_given=True),
        Plan(params=1, tokens=1),
        Plan(
            params="7B", tokens="2T", currency="EUR", storage_medium="ssd", include_building=True,
            use={"tokens": "1T/year"}, recompute="full",
            given={
                "storage_tb": 100, "storage_months": 24, "transfer_tb": 10, "project_search": 0.5,
                "project_ablations": 0.2, "project_failed_runs": 0.1, "project_evaluation": 0.1,
                "project_data_preparation": 0.1, "project_post_training": 0.1,
                "price_per_device_hour": 2, "price_per_kwh": 0.1, "offsets_kgco2e": 100,
                "market_gco2e_per_kwh": 100,
            },
        ),
    ],
)  # fmt: skip
def test_any_forecast_fits_a_screen(plan: Plan) -> None:
    lines = str(estimate(plan)).splitlines()
    assert 3 <= len(lines) <= SCREEN and lines[-1].startswith("All of it")


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (Quantity(650_300.0, 350e3, 420e3, 640e3, 1.1e6, 1.3e6, "kgCO2e"), "650 t (420 to 1,100)"),
        (Quantity(650_000.0, *(650_000.0,) * 5, "kgCO2e"), "650 t"),
        (Quantity(0.05, 0.01, 0.02, 0.05, 0.09, 0.1, "kgCO2e"), "50 g (20 to 90)"),
        (Quantity(8.9e6, 5e6, 5.9e6, 9e6, 14e6, 15e6, "kWh"), "8.9 GWh (5.9 to 14)"),
        (Quantity(6.3e24, 6e24, 6.1e24, 6.3e24, 6.8e24, 7e24, "FLOP"), "6.3e24 FLOP (6.1e24 to 6.8e24)"),
        (Quantity(0.4, 0.3, 0.35, 0.4, 0.45, 0.5, ""), "0.40 (0.35 to 0.45)"),
        (Quantity(12.0, 10, 11, 12, 13, 14, "d"), "12 days (11 to 13)"),
        (Quantity(0.0, *(0.0,) * 5, "L"), "0 mL"),
    ],
)  # fmt: skip
def test_a_quantity_as_people_say_it(quantity: Quantity, said: str) -> None:
    assert str(quantity) == f"{quantity}" == quantity.explain() == said
    assert float(quantity) == quantity.value


def test_a_quantity_stays_a_tuple() -> None:
    total = estimate(PLAN).total
    assert total is not None
    value, *levels, unit = total
    assert (value, unit) == (total.value, "kgCO2e") and len(levels) == 5
    assert total == tuple(total) and total._replace(unit="kg").unit == "kg"
    assert isinstance(total._replace(unit="kg"), Quantity)
    assert repr(total).startswith("Quantity(value=") and total.to("t").unit == "tCO2e"
    assert pickle.loads(pickle.dumps(total)) == total == copy.copy(total)
    assert hash(total) == hash(tuple(total)) and np.float64(total) == value
    assert sum(map(float, [total, total])) == 2 * value


def test_an_answer_does_not_change_but_a_copy_of_it_may() -> None:
    footprint = estimate(PLAN)
    with pytest.raises(AttributeError, match="a Footprint does not change: drivers; see replace"):
        footprint.drivers = ()  # type: ignore[misc]
    other = footprint.replace(drivers=())
    assert other.drivers == () and other != footprint and footprint.drivers
    assert other.replace(drivers=footprint.drivers) == footprint == copy.copy(footprint)
    assert pickle.loads(pickle.dumps(footprint)) == footprint
    for wrong in ({"drivrs": ()}, {"asked": PLAN, "driver": 1}):
        with pytest.raises(TypeError, match="Footprint: missing, unknown or said twice: driv"):
            footprint.replace(**wrong)
    with pytest.raises(TypeError, match="missing, unknown or said twice: plan, quantities"):
        Footprint(PLAN)  # type: ignore[call-arg]


HOSTILE = '<img src=x onerror=alert(1)>&"quoted"'


def test_hostile_names_are_escaped_in_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(f"{HOSTILE}.md")
    file.write_text("Trained for 100 GPU hours, which emitted 500 t of CO2.")
    config = tmp_path / HOSTILE / "config.json"
    config.parent.mkdir()
    case = (DATA / "architectures" / "cases.jsonl").read_text().splitlines()[0]
    config.write_text(json.dumps(json.loads(case)["config"]))
    shown = [
        check(file),
        compare(
            [PLAN, Plan(params=7e9, tokens=1e11, device="h100-sxm", region="us-va", year=2024)],
            names=[HOSTILE, "other"],
        ),
        estimate(Plan(model=str(config.parent), tokens=1e12)),
    ]
    for answer in shown:
        page = answer._repr_html_()
        assert "<img" not in page and "&lt;img" in page


def test_an_answer_without_a_picture_says_so(tmp_path: Path, answers: dict[str, Any]) -> None:
    with pytest.raises(JoulecastError, match=r"plot: Solution: has no picture; try a footprint"):
        answers["Solution"].plot(tmp_path / "out.svg")


def test_an_answer_that_is_quiet_is_its_headline(answers: dict[str, Any]) -> None:
    for answer in answers.values():
        assert answer.explain().count("\n") >= answer.explain(quiet=True).count("\n")


def test_frames_name_the_package_that_is_missing(
    answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(JoulecastError, match="pandas: is not installed; try pip install pandas"):
        answers["Footprint"].to_pandas()


@pytest.mark.parametrize(
    "value",
    [
        {}, [], {"a": []}, {"a": {}, "b": [1, 2.5, None, True, "é\"\n"]}, [[{}], 1e300, -0.0, 1e-7],
        {"nested": {"deep": [{"x": 1}, {"y": False}]}},
    ],
)  # fmt: skip
def test_json_is_written_as_the_standard_library_writes_it(value: Any) -> None:
    assert as_text(value) == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_word_for_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="no number that JSON has"):
        as_text({"a": [value]})

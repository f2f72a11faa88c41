"""What a plan is to those who hold one: read once, frozen, compared, kept, explained."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc

import pytest

from joulecast import JoulecastError, Plan
from joulecast.plan import FleetEntry, Phase, Use

PLAN = Plan(
    params="7B", tokens=2e12, year=2024, given={"pue": (1.1, 1.2)}, use={"tokens": "1T/year"}
)


def test_text_and_numbers_say_the_same() -> None:
    same = Plan(params=7e9, tokens="2T", year="2024", given={"pue": (1.1, 1.2)}, use=PLAN.use)
    assert same == PLAN and same != PLAN.replace(tokens="3T")
    assert PLAN.params == 7e9 and isinstance(PLAN.use, Use)


def test_a_copy_is_the_same_plan() -> None:
    for again in (copy.copy(PLAN), copy.deepcopy(PLAN), pickle.loads(pickle.dumps(PLAN))):
        assert again == PLAN and again is not PLAN
    entries = {FleetEntry(device="h100-sxm"), FleetEntry(device="h100-sxm", share="50 %")}
    assert len(entries | {FleetEntry(device=" h100-sxm ")}) == 2


def test_another_value_is_read_as_the_first_was() -> None:
    assert PLAN.replace(params="13B").params == 13e9 and PLAN.params == 7e9
    with pytest.raises(JoulecastError, match="params: -1: must be at least 1"):
        PLAN.replace(params=-1)
    with pytest.raises(JoulecastError, match="paramz: is not part of a plan; try params"):
        PLAN.replace(paramz=1)


def test_it_shows_what_was_said_and_nothing_else() -> None:
    assert repr(PLAN) == (
        "Plan(params=7000000000.0, tokens=2000000000000.0, year=2024.0, "
        "given={'pue': (1.1, 1.2)}, use=Use(tokens='1T/year'))"
    )
    assert PLAN.said() == {
        "params": 7e9,
        "tokens": 2e12,
        "year": 2024.0,
        "given": {"pue": (1.1, 1.2)},
        "use": {"tokens": "1T/year"},
    }


@pytest.mark.parametrize("kind", [Plan, Use, Phase, FleetEntry])
def test_help_has_a_line_with_the_type_of_every_field(kind: type[Plan]) -> None:
    text = pydoc.plain(pydoc.render_doc(kind))
    assert "Validator" not in text and "Annotated" not in text
    for name, field in kind.fields.items():
        assert f"{name} : {kind.__annotations__[name]}" in text
        assert field.meaning in text and len(field.meaning) < 100
    assert list(inspect.signature(kind).parameters) == list(kind.fields)


@pytest.mark.parametrize(
    ("said", "meant"), [(True, True), ("yes", True), (1, True), ("FALSE", False), ("off", False)]
)
def test_a_switch_takes_the_words_of_configuration_files(said: object, meant: bool) -> None:
    assert Plan(only_given=said).only_given is meant


@pytest.mark.parametrize("said", [2, "maybe", None, [True], float("nan")])
def test_a_switch_is_true_or_false(said: object) -> None:
    with pytest.raises(JoulecastError, match=r"only_given: .*must be true or false"):
        Plan(only_given=said)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"phases": [1]}, "phases: [1]: must be a list of phases"),
        ({"fleet": ["h100"]}, "fleet: ['h100']: must be a list of entries"),
        ({"phases": [{"tokens": None}]}, "phase.tokens: is missing"),
        ({"fleet": [{"share": 0.5}]}, "fleet.device: is missing"),
        ({"use": "1T/year"}, "use: 1T/year: must map what is said of the use to values"),
        ({"use": {"token": 1}}, "use.token: is not a key of [use]; try tokens"),
        ({"params": "x", "nonsense": 1}, "params: x: is not a number; try 7B, 1.5e12"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(JoulecastError) as error:
        Plan(**values)
    assert str(error.value).startswith(message)

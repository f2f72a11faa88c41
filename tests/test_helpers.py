"""The helpers of the tests hide no failure."""

from __future__ import annotations

import pytest
from conftest import command_here, each, fits, remembered
from jsonschema import ValidationError


def test_each_names_the_cases_that_fail_and_counts_all() -> None:
    seen: list[int] = []

    def check(number: int) -> None:
        seen.append(number)
        assert number < 2, "too large"

    counted: dict[str, object] = {}
    with pytest.raises(AssertionError, match=r"2 of 4 cases fail\nnumber=2: (.|\n)*\nnumber=3: "):
        each("number", range(4))(check)(counted.__setitem__)
    assert seen == [0, 1, 2, 3] and counted == {"cases": 4}
    each("number", (0, 1))(check)(counted.__setitem__)


def test_what_is_remembered_was_asked_with_equal_arguments() -> None:
    asked: list[tuple[int, int]] = []

    def total(one: int, two: int = 0) -> int:
        asked.append((one, two))
        return one + two

    once = remembered(total)
    assert [once(1), once(1, two=2), once(1), once(1, two=2)] == [1, 3, 1, 3]
    assert asked == [(1, 0), (1, 2)]


def test_what_a_command_does_not_catch_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("joulecast.cli.plain.answered", broken)
    with pytest.raises(ZeroDivisionError):
        command_here("--version")


def test_an_answer_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError):
        fits({"schema_version": 1}, "estimate")

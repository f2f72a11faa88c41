"""Places as people type them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from joulecast import Library
from joulecast.errors import UnknownNameError

CASES = Path(__file__).parents[1] / "data" / "places_cases.csv"
PLACES = Library.bundled().place_ids()


def cases() -> list[tuple[str, str, str]]:
    with CASES.open(encoding="utf-8", newline="") as stream:
        table = csv.DictReader(line for line in stream if not line.startswith("#"))
        return [(row["text"], row["expected_id_or_error"], row["comment"]) for row in table]


FOUND = [case[:2] for case in cases() if not case[1].startswith("error:")]
AMBIGUOUS = [(text, comment) for text, expected, comment in cases() if expected[6:] == "ambiguous"]
UNKNOWN = [(text, comment) for text, expected, comment in cases() if expected[6:] == "unknown"]


def test_every_case_is_of_a_known_kind() -> None:
    assert len(FOUND) + len(AMBIGUOUS) + len(UNKNOWN) == len(cases()) > 50


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_place_is_found(text: str, expected: str) -> None:
    assert Library.bundled().place(text).id == expected


@pytest.mark.parametrize(("text", "comment"), AMBIGUOUS)
def test_ambiguous_place_lists_its_candidates(text: str, comment: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Library.bundled().place(text)
    assert caught.value.why == "could be several places"
    assert [choice.split(" (")[0] for choice in caught.value.choices] == comment.split("; ")


@pytest.mark.parametrize(("text", "comment"), UNKNOWN)
def test_unknown_place_offers_the_near_ones(text: str, comment: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Library.bundled().place(text)
    assert caught.value.why == "unknown place"
    wanted = {part for part in comment.split("; ") if f"aws:{part}" in PLACES or part in PLACES}
    offered = {choice.removeprefix("aws:") for choice in caught.value.choices}
    assert wanted <= offered


@pytest.mark.parametrize("text", ["Georgia", "Korea", "us-east-9"])
def test_offered_places_exist(text: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Library.bundled().place(text)
    assert {choice.split(" (")[0] for choice in caught.value.choices} <= set(PLACES)


def test_every_id_finds_its_own_place() -> None:
    library = Library.bundled()
    assert [library.place(key).id for key in PLACES] == PLACES


def test_stockholm_lies_in_sweden() -> None:
    assert Library.bundled().place("eu-north-1").iso3 == "SWE"


@pytest.mark.parametrize(
    ("text", "provider", "expected"),
    [
        ("uswest1", "aws", "aws:us-west-1"),
        ("uswest1", "gcp", "gcp:us-west1"),
        ("aws:us-east-1", "aws", "aws:us-east-1"),
        ("France", "aws", "fr"),
    ],
)
def test_provider_settles_an_ambiguous_region(text: str, provider: str, expected: str) -> None:
    assert Library.bundled().place(text, provider).id == expected

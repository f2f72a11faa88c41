"""Places as people type them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from conftest import bundled_tables

from joulecast import Library, Plan, estimate
from joulecast.answers.footprint import Assumption
from joulecast.data import specs
from joulecast.errors import InputError, UnknownNameError

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
    offered = {choice.removeprefix("aws:").split(" (")[0] for choice in caught.value.choices}
    assert wanted <= offered


@pytest.mark.parametrize("text", ["Georgia", "Korea", "us-east-9"])
def test_offered_places_exist(text: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Library.bundled().place(text)
    assert {choice.split(" (")[0] for choice in caught.value.choices} <= set(PLACES)


def test_every_id_finds_its_own_place() -> None:
    library = Library.bundled()
    assert {key: library.place(key).id for key in PLACES} == {key: key for key in PLACES}


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


def direct(region: str) -> Assumption:
    plan = Plan(params=7e9, tokens=1e12, region=region, year=2023, grid_basis="direct")
    return next(a for a in estimate(plan).assumptions if a.name == "grid_gco2e_per_kwh")


@pytest.mark.parametrize(
    ("region", "grams"),
    # China's Ministry of Ecology and Environment, 2025 No. 47, direct CO2, g/kWh.
    [("CN-GD", 441.9), ("Yunnan", 133.3), ("cn-north-1", 555.4), ("aws:cn-northwest-1", 618.7)],
)
def test_province_of_china_has_a_direct_factor(region: str, grams: float) -> None:
    assert direct(region).value == grams
    assert direct(region).source == "mee-china-2023"


def test_life_cycle_figure_of_a_province_is_the_countrys_and_says_so() -> None:
    plan = {"params": 7e9, "tokens": 1e12, "year": 2024}
    province, china = (estimate(Plan(region=region, **plan)) for region in ("cn-gd", "cn"))
    one, two = (
        next(a for a in fp.assumptions if a.name == "grid_gco2e_per_kwh")
        for fp in (province, china)
    )
    assert one.value == two.value
    assert one.note.startswith("China 2024 (no figure for Guangdong), life-cycle")
    assert one.high is not None and two.high is not None and one.high > 1.5 * two.high
    (notice,) = (n for n in province.warnings if n.code == "grid_national")
    assert notice.message == "no grid figure for Guangdong: that of China is used"


def test_direct_basis_needs_a_place() -> None:
    with pytest.raises(InputError) as caught:
        estimate(Plan(params=7e9, tokens=1e12, grid_basis="direct"))
    assert str(caught.value) == "grid_basis: direct: needs a place (--region)"


@pytest.mark.parametrize("text", ["AX", "CW", "FM", "GS", "PW", "YT"])
def test_zone_of_a_country_without_a_series_is_found(text: str) -> None:
    place = Library.bundled().place(text)
    assert (place.kind, place.zone) == ("zone", text)
    footprint = estimate(Plan(params=7e9, tokens=1e12, region=text, year=2024))
    assert footprint.total is not None and footprint.total.value > 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Albanai", "al (Albania)"),
        ("Untied States", "us (United States)"),
        ("Ontrio", "ca-on (Ontario)"),
        ("TX", "us-tx (Texas)"),
        ("Guandong", "cn-gd (Guangdong)"),
        ("us-east-9", "aws:us-east-1"),
    ],
)
def test_offered_place_has_its_name_where_the_id_says_little(text: str, shown: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Library.bundled().place(text)
    assert shown in caught.value.choices


def test_exact_ids_go_before_loose_forms_in_every_table() -> None:
    library = Library.bundled()
    assert library.place("BR-N").id == "br-n"
    assert library.place("BRN").id == "bn"
    with pytest.raises(UnknownNameError, match=r"could be several places; try bn .*, br-n "):
        library.place("BR N")


@pytest.mark.parametrize(
    ("region", "source", "kind"),
    [
        ("aws:us-east-1", "aws-regions-2025", "withdrawal"),
        ("azure:eastus", "azure-regions-2025", "kind not stated"),
        ("gcp:us-east1", "elsworth-2025", "consumption"),
        ("azure:germanywestcentral", "azure-regions-2025", "kind not stated"),
    ],
)
def test_water_figure_names_its_source_and_what_it_counts(
    region: str, source: str, kind: str
) -> None:
    footprint = estimate(Plan(params=7e9, tokens=1e12, region=region, year=2024))
    found = next(a for a in footprint.assumptions if a.name == "wue_l_per_kwh")
    assert found.source == source
    assert kind in found.note


#: Names that mean several places once punctuation is dropped, and why that does no harm.
ALIKE = {
    "brn": "BRN is Brunei by its exact code, BR-N a zone of Brazil",
    "georgia": "country and state: an error that lists both",
    "mecentral1": "AWS writes me-central-1, Google me-central1",
    "useast1": "AWS writes us-east-1, Google us-east1",
    "useast2": "AWS writes us-east-2, Google us-east2",
    "uswest1": "AWS writes us-west-1, Google us-west1",
    "uswest2": "AWS writes us-west-2, Google us-west2",
}


def test_two_places_normalise_alike_only_by_rule() -> None:
    core, odbl = bundled_tables()
    meant: dict[str, set[str]] = {}
    for table in (core["names_of_places"], odbl["names_of_zones"]):
        for form, keys in table["loose"].items():
            meant.setdefault(form, set()).update(keys)
    rows = core["place_names"].items()
    listed = {specs.bare(name) for name, row in rows if ";" in row["places"]}
    alike = {form for form, keys in meant.items() if len(keys) > 1}
    assert alike - listed == set(ALIKE)


def test_every_typed_name_leads_where_its_row_says() -> None:
    library = Library.bundled()
    for name, row in bundled_tables()[0]["place_names"].items():
        places = row["places"].split(";")
        assert set(places) <= set(PLACES), name
        if len(places) == 1:
            assert library.place(name).id == places[0], name


def test_everywhere_is_no_place() -> None:
    with pytest.raises(UnknownNameError, match="no run is everywhere"):
        Library.bundled().place("World")


def test_the_european_union_is_its_mean_over_very_different_countries() -> None:
    plan = {"params": 7e9, "tokens": 1e12, "region": "EU", "year": 2024}
    whole, mean = (
        next(a for a in fp.assumptions if a.name == "grid_gco2e_per_kwh")
        for fp in (estimate(Plan(**plan)), estimate(Plan(**plan, national_average=True)))
    )
    assert whole.value == mean.value == pytest.approx(211.2, abs=0.05)  # Ember, life-cycle
    assert whole.low is not None and whole.high is not None and mean.high is not None
    assert whole.low < 70 and whole.high > 500 > mean.high
    assert "grid_within_country" in {n.code for n in estimate(Plan(**plan)).warnings}

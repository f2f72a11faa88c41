"""A bibliography can be made of every source, and what was not checked says so in every answer."""

from __future__ import annotations

import re

import pytest
from conftest import bundled_tables, each

from joulecast import Library, Plan, estimate
from joulecast.answers.footprint import Citation
from joulecast.citing.citing import Bibliography, bibtex
from joulecast.data.records import Source, plain
from joulecast.data.validation import validated

BUNDLED = Library.bundled()
SOURCES = {key: BUNDLED.source(key) for key in bundled_tables()[0]["sources"]}  # fmt: skip
CITED = {key: source for key, source in SOURCES.items() if source.kind != "judgement"}


@each("key", CITED)
def test_source_has_what_its_bibtex_entry_needs(key: str) -> None:
    source = CITED[key]
    assert source.authors and source.title and source.year
    preprint = "arxiv.org" in source.url
    match source.kind:
        case "article":  # @article needs a journal, or is a preprint with its number
            assert source.doi or source.journal or preprint
        case "report" | "datasheet" | "standard":  # @techreport needs an institution
            assert source.publisher
        case _:  # @misc needs an address, or who published it and why there is no address
            assert source.url or (source.publisher and source.note)


@pytest.mark.parametrize("key", [k for k, s in CITED.items() if s.read == "primary"])
def test_page_that_was_read_says_when(key: str) -> None:
    assert re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", CITED[key].accessed)


@each("key", CITED)
def test_doi_is_one(key: str) -> None:
    assert not CITED[key].doi or re.fullmatch(r"10\.\d{4,}/\S+", CITED[key].doi)
    assert not CITED[key].url or CITED[key].url.startswith("https://")


# What a run's source says of itself.

OF_RUNS = sorted({key for run in BUNDLED.runs for key in run.sources} & set(CITED))


@each("key", OF_RUNS)
def test_source_of_a_run_is_complete_and_says_how_far_it_was_checked(key: str) -> None:
    source = CITED[key]
    assert source.names and all(source.names) and source.title and source.year
    locators = (source.url, source.doi, source.journal)
    assert any(locators) or "address" in source.unconfirmed
    assert source.entry in ("checked", "partly checked", "unchecked")
    assert bool(source.unconfirmed) == (source.entry != "checked")


def test_most_entries_of_the_runs_sources_were_checked() -> None:
    """Those of the first runs; sources of runs added since say what is unconfirmed."""
    first = {key for run in BUNDLED.runs if not run.added for key in run.sources} & set(CITED)
    checked = [key for key in first if CITED[key].entry == "checked"]
    assert len(checked) / len(first) > 0.9


@pytest.mark.parametrize("key", [key for key in CITED if key.endswith("-recalled")])
def test_two_keys_of_one_work_are_one_entry(key: str) -> None:
    """One key for what was read, one for what is remembered: the same bibliographic entry."""
    other = CITED.get(key.removesuffix("-recalled"))
    if other is None:
        assert CITED[key].read == "recalled"
        return
    for name in ("authors", "title", "year", "url", "doi", "journal", "checked"):
        assert getattr(CITED[key], name) == getattr(other, name)


def test_doubt_about_an_entry_goes_with_it_into_a_bibliography() -> None:
    doubtful = BUNDLED.source("medimageinsight-card")
    found = Bibliography("", (Citation(doubtful.key, "", doubtful.read, doubtful),), ())
    assert "not confirmed: authors, year and address" in bibtex(found)
    assert "not confirmed" not in bibtex(
        Bibliography("", (Citation("x", "", "secondary", BUNDLED.source("rae-2021")),), ())
    )


@pytest.mark.parametrize(
    ("change", "entry"),
    [
        ({}, "unstated"),
        ({"unconfirmed": "year"}, "unchecked"),
        ({"checked": "2026-11-22", "checked_against": "its BibTeX"}, "checked"),
        (
            {"checked": "2026-11-22", "checked_against": "its BibTeX", "unconfirmed": "year"},
            "partly checked",
        ),
    ],
)
def test_status_of_an_entry(change: dict[str, str], entry: str) -> None:
    bare = plain(SOURCES["rae-2021"]) | {
        "checked": "", "checked_against": "", "unconfirmed": "",
    }  # fmt: skip
    assert validated(Source, {**bare, **change}, "x").entry == entry


@pytest.mark.parametrize(
    ("plan", "name", "source"),
    [
        ({"device": "h100-sxm", "region": "lumi"}, "pue", "csc-lumi-recalled"),
        ({"device": "ascend910b", "region": "fr"}, "peak_flops", "recalled-vendor-figures"),
    ],
)
def test_recalled_figure_is_marked_unchecked(plan: dict[str, str], name: str, source: str) -> None:
    footprint = estimate(Plan(params=1e9, tokens=1e11, year=2024, **plan))
    entry = next(a for a in footprint.to_dict()["assumptions"] if a["name"] == name)
    assert (entry["source"], entry["read"]) == (source, "recalled")
    assert f"{source} (unchecked)" in " ".join(footprint.explain().split())
    cited = [line for line in footprint.citations if line.key == source]
    assert cited == [] or cited[0].read == "recalled"

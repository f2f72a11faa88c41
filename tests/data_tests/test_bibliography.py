"""A bibliography can be made of every source, and what was not checked says so in every answer."""

from __future__ import annotations

import re

import pytest

from joulecast import Library, Plan, estimate
from joulecast.data import specs

BUNDLED = Library.bundled()
SOURCES = {key: BUNDLED.source(key) for key in specs.read_folder(specs.bundled_folder())[0]["sources"]}  # fmt: skip
CITED = {key: source for key, source in SOURCES.items() if source.kind != "judgement"}


@pytest.mark.parametrize("key", CITED)
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


@pytest.mark.parametrize("key", CITED)
def test_doi_is_one(key: str) -> None:
    assert not CITED[key].doi or re.fullmatch(r"10\.\d{4,}/\S+", CITED[key].doi)
    assert not CITED[key].url or CITED[key].url.startswith("https://")


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

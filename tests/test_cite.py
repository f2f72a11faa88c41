"""A bibliography of exactly what an answer used, that BibTeX, CSL and a reader can take."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import bundled_tables
from hypothesis import given
from hypothesis import strategies as st

import joulecast
from joulecast import Library, Plan, cite, estimate
from joulecast._version import RELEASED
from joulecast.answers.footprint import Citation
from joulecast.citing.citing import AUTHORS, TITLE, Bibliography, bibtex
from joulecast.citing.markup import latex
from joulecast.errors import InputError
from joulecast.plan import Use
from joulecast.references import FORMULA_SOURCES

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "joulecast"
BUNDLED = Library.bundled()
PLAN = Plan(model="llama-3.1-8b", device="h100-sxm", region="us-va", year=2024)
#: Holds figures known from memory alone.
RECALLED = Plan(params="7B", tokens="2T", device="a100-sxm-80", region="lumi", year=2024)


def entries(text: str) -> dict[str, dict[str, str]]:
    """Entries of a bibliography by key, read brace by brace as BibTeX does."""
    found: dict[str, dict[str, str]] = {}
    text = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    for match in re.finditer(r"@(\w+)\{([^,\s]+),", text):
        at, depth, end = match.end(), 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        body = text[at : end - 1]
        fields = {"entry": match[1]}
        for field in re.finditer(r"^  (\w+)\s+= \{", body, re.MULTILINE):
            start, inside, stop = field.end(), 1, field.end()
            while inside:
                inside += {"{": 1, "}": -1}.get(body[stop], 0)
                stop += 1
            fields[field[1]] = body[start : stop - 1]
        assert match[2] not in found, "a key stands twice"
        found[match[2]] = fields
    return found


def all_sources() -> Bibliography:
    """Every source of the tables, as if an answer had used it."""
    keys = bundled_tables()[0]["sources"]
    sources = [BUNDLED.source(key) for key in keys]
    cited = [Citation(s.key, "", s.read, s) for s in sources if s.kind != "judgement"]
    return Bibliography("digest", tuple(cited), ())


def test_what_is_cited_is_what_was_used_and_checked() -> None:
    footprint = estimate(RECALLED)
    used = {entry.source for entry in footprint.assumptions if not entry.given}
    judged = {key for key in used if BUNDLED.source(key).kind == "judgement"}
    recalled = {key for key in used if BUNDLED.read_of(key) == "recalled"}
    assert recalled, "the plan no longer rests on anything recalled"
    formulas = {one.key for one in footprint.citations if one.of_formula}
    cited = set(entries(cite(footprint, "bibtex"))) - {"joulecast"}
    assert cited - formulas == used - judged - recalled
    assert formulas <= {key for keys in FORMULA_SOURCES.values() for key in keys}
    assert {entry["id"] for entry in json.loads(cite(footprint, "csl"))} == cited | {"joulecast"}


def test_what_was_recalled_is_listed_apart_and_never_cited() -> None:
    text = cite(estimate(RECALLED))
    cited, _, unchecked = text.partition("Unchecked, so not to be cited")
    recalled = [one for one in estimate(RECALLED).citations if one.read == "recalled"]
    for one in recalled:
        assert one.text not in cited and one.text in unchecked
    made = cite(estimate(RECALLED), "bibtex")
    assert all(f"{{{one.key}," not in made for one in recalled)


def test_a_source_of_a_step_that_was_given_is_not_cited() -> None:
    whole = set(entries(cite(estimate(PLAN), "bibtex")))
    from_energy = Plan(given={"energy_kwh": 1e6}, region="us-va", year=2024)
    later = set(entries(cite(estimate(from_energy), "bibtex")))
    assert "kaplan-2020" in whole and "sevilla-2022" in whole
    assert not later & {"kaplan-2020", "sevilla-2022", "idc-2025", "iso-30134-2-2016"}
    assert {"electricitymaps-2026", "ghg-scope-2-2015"} <= later


def test_joulecast_is_cited_with_version_and_data() -> None:
    footprint = estimate(PLAN)
    for form in ("text", "bibtex", "csl"):
        text = cite(footprint, form)
        assert joulecast.__version__ in text and footprint.data_digest in text
        assert TITLE in text and AUTHORS in text


def test_the_citation_file_says_what_the_package_says() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert said["cff-version"] == "1.2.0" and said["type"] == "software" and said["message"]
    assert said["version"] == joulecast.__version__
    assert str(said["date-released"]) == RELEASED
    assert said["title"] == TITLE and [one["name"] for one in said["authors"]] == [AUTHORS]
    assert said["license"] == "Apache-2.0"


def test_every_source_of_the_tables_makes_a_sound_entry() -> None:
    found = all_sources()
    made = entries(bibtex(found))
    assert set(made) == {"joulecast", *(one.key for one in found.cited)}
    for key, fields in made.items():
        assert fields["entry"] in ("article", "techreport", "misc"), key
        assert fields["author"] and fields["title"] and re.fullmatch(r"\d{4}", fields["year"]), key
        if fields["entry"] == "article":
            assert fields["journal"], key
        if fields["entry"] == "techreport":
            assert fields["institution"], key
        for name, value in fields.items():
            assert value.isascii(), f"{key}: {name}: {value}"
            if name not in ("doi", "url"):
                assert not re.search(r"(?<!\\)[%&#_]", value), f"{key}: {name}: {value}"


def test_organisations_keep_their_names_whole() -> None:
    made = entries(bibtex(all_sources()))
    assert made["mee-china-2023"]["author"] == (
        "{Ministry of Ecology and Environment} and {National Bureau of Statistics of China}"
    )
    assert made["650-group-network"]["author"] == "{650 Group}"
    assert made["kaplan-2020"]["author"].startswith("Kaplan, Jared and McCandlish, Sam")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("100 % of A&B_c #1 $x$ {y}", r"100 \% of A\&B\_c \#1 \$x\$ \{y\}"),
        ("~/path^2 \\alpha", r"\textasciitilde{}/path\textasciicircum{}2 \textbackslash{}alpha"),
        ("Jülich, Café, Łódź, Åse", r"J{\"u}lich, Caf{\'e}, {\L}{\'o}d{\'z}, {\AA}se"),
        ("Çelik Šimon naïve", r"{\c C}elik {\v S}imon na{\"\i}ve"),
        ("1–2 × “q”", r"1--2 $\times$ ``q''"),
    ],
)
def test_latex_specials_and_accents(text: str, escaped: str) -> None:
    assert latex(text) == escaped


@given(st.text(max_size=60))
def test_no_text_breaks_an_entry(text: str) -> None:
    """Braces stay balanced and no comment starts, whatever a user's record says."""
    made = re.sub(r"\\[{}%]", "", latex(text))
    assert made.count("{") == made.count("}")
    assert "%" not in made and "\n" not in made


def test_every_formula_of_the_chain_says_what_it_rests_on() -> None:
    import importlib

    tree = ast.parse((SRC / "chain.py").read_text())
    modules = ("compute", "performance", "energy", "carbon", "water", "storage", "use_phase")
    on_chain = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in modules
    }
    assert on_chain == set(FORMULA_SOURCES)
    for name, keys in FORMULA_SOURCES.items():
        module, _, function = name.partition(".")
        formulas = importlib.import_module(f"joulecast.{module}")
        said = (getattr(formulas, function).__doc__ or "").partition("Source: ")[2]
        named = re.search(r"As (\w+)", said)
        if named:
            said += getattr(formulas, named[1]).__doc__ or ""
        for source in map(BUNDLED.source, keys):
            if source.kind != "judgement":
                assert str(source.year) in said, f"{name}: {source.key}"


def test_the_use_cites_its_own_sources_and_only_where_it_was_asked_for() -> None:
    plan = Plan(params="8B", tokens="1T", device="h100-sxm", region="fr", year=2024)
    without = set(entries(cite(estimate(plan), "bibtex")))
    used = plan.replace(use=Use(tokens="1T/year"))
    added = set(entries(cite(estimate(used), "bibtex"))) - without
    assert added == {"pope-2022", "ml-energy-2025", "elsworth-2025", "sardana-2023"}


def test_a_fleet_cites_what_each_of_its_entries_rests_on() -> None:
    run = {"params": "7B", "tokens": "1T", "year": 2024}
    parts = (
        {"device": "h100-sxm", "share": 0.5, "region": "fr"},
        {"device": "tpu-v5p", "share": 0.5, "region": "us-ia"},
    )
    whole = set(entries(cite(estimate(Plan(**run, fleet=parts)), "bibtex")))
    apart: set[str] = set()
    for part in parts:
        alone = estimate(Plan(**run, device=part["device"], region=part["region"]))
        apart |= set(entries(cite(alone, "bibtex")))
    assert whole == apart
    # An entry reserved for hours first: the formulas of the one that trains are cited all the same.
    timed = ({"device": "a100-sxm-80", "device_count": 8, "hours": 10, "region": "fr"}, *parts)
    assert "sevilla-2022" in entries(cite(estimate(Plan(**run, fleet=timed)), "bibtex"))


def test_others_is_no_name() -> None:
    source = BUNDLED.source("elsworth-2025")
    assert source.label == "Elsworth et al. 2025"


def test_csl_names_people_and_organisations() -> None:
    by_id = {entry["id"]: entry for entry in json.loads(cite(estimate(PLAN), "csl"))}
    assert by_id["kaplan-2020"]["author"][0] == {"family": "Kaplan", "given": "Jared"}
    assert by_id["kaplan-2020"]["DOI"] == "10.48550/arXiv.2001.08361"
    assert by_id["epoch-hardware-2026"]["author"] == [{"literal": "Epoch AI"}]
    assert by_id["joulecast"]["issued"]["date-parts"][0][0] == int(RELEASED[:4])
    assert all(entry["title"] and entry["type"] for entry in by_id.values())


def test_several_answers_share_one_bibliography() -> None:
    plans = (PLAN, RECALLED)
    together = set(entries(cite([estimate(plan) for plan in plans], "bibtex")))
    apart: set[str] = set()
    for plan in plans:
        apart |= set(entries(cite(estimate(plan), "bibtex")))
    assert together == apart


def test_a_form_nobody_has_is_an_error() -> None:
    with pytest.raises(InputError) as error:
        cite(estimate(PLAN), "bibtx")
    assert str(error.value) == "--format: bibtx: is no form of a bibliography; try bibtex"


@pytest.mark.parametrize("program", ["bibtex", "biber"])
def test_the_bibliography_compiles(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (tmp_path / "all.bib").write_text(bibtex(all_sources()))
    if program == "biber":
        args: list[Any] = ["biber", "--tool", "--validate-datamodel", "all.bib"]
    else:
        (tmp_path / "all.aux").write_text(
            "\\relax\n\\citation{*}\n\\bibstyle{plain}\n\\bibdata{all}\n"
        )
        args = ["bibtex", "all"]
    done = subprocess.run(args, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "error" not in done.stdout.lower(), done.stdout

"""Each export passes its format's own reader and says the same numbers, with their sources."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from conftest import Run
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import Footprint, JoulecastError, Library, Plan, Quantity, estimate, export
from joulecast.citing.citing import cite
from joulecast.citing.markup import PLAIN
from joulecast.citing.methods import paragraph
from joulecast.exporting import FORMATS
from joulecast.exporting.csv_ import CODECARBON
from joulecast.exporting.eu import EDITION, ENTRIES
from joulecast.exporting.hf import front_matter
from joulecast.exporting.rereading import read
from joulecast.exporting.sci import Score
from joulecast.plan import as_said
from joulecast.report.forecast import readable, two
from joulecast.validating.runs import ReportedRun

SCHEMAS = Path(__file__).parents[1] / "src" / "joulecast" / "schemas"
SCHEMA = json.loads((SCHEMAS / "estimate.json").read_text())
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)
BUNDLED = Library.bundled()

#: Published runs: a dense model, a mixture, two on TPUs, one of a small team.
RUNS = ("bloom-176b", "deepseek-v3", "gpt-j-6b", "palm-540b", "gpt-neox-20b")
ALL = Plan(
    params="32B", active_params="3B", arch="moe", unique_tokens="2T", epochs=2, device="h100-sxm",
    device_count=512, region="us-va", provider="aws", year=2024, runs=2, project_factor="1.5..2..3",
    include_building=True, given={"mfu": (0.3, 0.4, 0.45), "pue": "1.1..1.2"},
)  # fmt: skip
AROUND = Plan(
    params="7B", tokens="1T", device="h100-sxm", device_count=64, region="fr", year=2024,
    storage_medium="ssd", given={
        "project_ablations": "published", "project_post_training": 0.1, "storage_tb": 500,
        "storage_months": 12, "transfer_tb": 20, "price_per_kwh": "0.12 €/kWh",
    },
)  # fmt: skip
FLEET = Plan(
    params="7B", tokens="1T", region="fr", year=2024, fleet=[
        {"device": "h100-sxm", "device_count": 64, "share": 0.6},
        {"device": "tpu-v5p", "device_count": 128, "region": "us-ia"},
    ],
)  # fmt: skip
SMALL = Plan(params="10M", tokens="1B", device="v100-sxm2-32", region="no", year=2023)

plans = st.fixed_dictionaries(
    {},
    optional={
        "device": st.sampled_from(("h100-sxm", "a100-sxm-80", "tpu-v4", "v100-sxm2-32", "H100")),
        "device_count": st.sampled_from((1, 8, 4096)),
        "region": st.sampled_from(("fr", "us-va", "no", "lumi", "us", "gcp us-central1")),
        "year": st.sampled_from((2020, 2023, 2028)),
        "runs": st.sampled_from((1, 3)),
        "project_factor": st.sampled_from((1, "2..3")),
        "include_building": st.booleans(),
    },
).flatmap(
    lambda rest: st.one_of(
        st.fixed_dictionaries({"params": st.floats(1e6, 1e12), "tokens": st.floats(1e8, 1e14)}),
        st.fixed_dictionaries({"flop": st.floats(1e15, 1e27)}),
        st.fixed_dictionaries(
            {"given": st.fixed_dictionaries({"device_hours": st.floats(0.1, 1e8)})}
        ),
        st.fixed_dictionaries(
            {"given": st.fixed_dictionaries({"energy_kwh": st.floats(0.01, 1e9)})}
        ),
    ).map(lambda start: {**rest, **start})
)


def footprint_of(run: ReportedRun) -> Footprint:
    before = run.before
    counts = {
        name: getattr(before, name).value
        for name in ("params", "active_params", "tokens")
        if getattr(before, name) is not None
    }
    flop = {"flop": before.flop.value} if before.needs_flop and before.flop else {}
    return estimate(
        Plan(
            arch=before.arch,
            device=before.device,
            device_count=before.device_count,
            region=before.place,
            year=before.year,
            **counts,
            **flop,
        )
    )


def metadata(card: ModelCard) -> dict[str, Any]:
    """What the Hub's own reader finds in a card."""
    data: Any = card.data
    found: dict[str, Any] = data.to_dict()["co2_eq_emissions"]
    return found


def number(text: str) -> float:
    """Read a number as the exports write it: 1,300, 2.0 million, 7.2 × 10²³."""
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    power = re.match(r"([\d.]+) × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    if power:
        return float(f"{power[1]}e{power[2].translate(raised)}")
    plain = re.match(r"([\d,.]+)(?: (million|billion|trillion|quadrillion))?", text)
    assert plain, text
    words = {"million": 1e6, "billion": 1e9, "trillion": 1e12, "quadrillion": 1e15, None: 1.0}
    return float(plain[1].replace(",", "")) * words[plain[2]]


def known(quantity: Quantity | None) -> Quantity:
    assert quantity is not None
    return quantity


def states(text: str, quantity: Quantity, before: str = "") -> bool:
    """Whether a text states a quantity to its two figures, after some words."""
    shown, unit = readable(quantity)
    return f"{before}{PLAIN.number(shown.value)} {unit}" in text


def cells(text: str, label: str) -> list[str]:
    """Cells of the row of a Markdown table that begins with a label."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


# What each format's own reader makes of an export, and the total it holds [kg], its rounding.


def check_json(text: str, footprint: Footprint) -> None:
    answer = json.loads(text)
    jsonschema.validate(answer, SCHEMA)
    assert answer["results"]["total_kgco2e"]["value"] == pytest.approx(known(footprint.total).value)


def check_html(text: str, footprint: Footprint) -> None:
    """One well-formed page without a link to load, and the whole answer in it."""
    loads: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            loads.extend(name for name, _ in attrs if name == "src")

    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not loads and text.count("<html") == text.count("</html>") == 1
    _, _, rest = text.partition('id="joulecast-answer">')
    check_json(rest.partition("</script>")[0], footprint)


def check_csv(text: str, footprint: Footprint) -> None:
    (row,) = csv.DictReader(io.StringIO(text))
    assert tuple(row)[: len(CODECARBON)] == CODECARBON
    assert float(row["emissions"]) == pytest.approx(known(footprint.operational).value, rel=1e-9)
    assert float(row["energy_consumed"]) == pytest.approx(known(footprint.energy).value, rel=1e-9)
    total = float(row["joulecast_total_kgco2e"])
    assert total == pytest.approx(known(footprint.total).value, rel=1e-9)


def check_md(text: str, footprint: Footprint) -> None:
    assert states(text.splitlines()[2].replace("**", ""), known(footprint.total))
    total = cells(text, "Total emissions")
    shown, unit = readable(known(footprint.total))
    assert total[1] == f"{PLAIN.number(shown.value)} {unit}"
    assert number(total[1]) == pytest.approx(shown.value, rel=0.05)
    check_sources(text, footprint)


def check_hf(text: str, footprint: Footprint) -> None:
    card = ModelCard(text)
    emissions = metadata(card)
    assert set(emissions) == {
        "emissions", "source", "training_type", "geographical_location", "hardware_used",
    }  # fmt: skip
    assert type(emissions["emissions"]) is int
    assert emissions["emissions"] == round(known(footprint.total).value * 1000)
    assert all(type(value) is str for name, value in emissions.items() if name != "emissions")
    assert states(card.text, known(footprint.total), "**Carbon Emitted:** ")
    check_sources(text, footprint)


def check_eu(text: str, footprint: Footprint) -> None:
    energy = cells(text, "Amount of energy used for training")[1]
    assert number(energy) == pytest.approx(known(footprint.energy).to("MWh").value, rel=0.05)
    compute = footprint.quantities["eu_training_compute_flop"]
    entry = cells(text, "Amount of computation used for training")[1]
    assert number(entry) == pytest.approx(known(compute).value, rel=0.05)
    check_sources(text, footprint)


def check_sci(text: str, footprint: Footprint) -> None:
    assert states(cells(text, "C")[2], known(footprint.total))
    flop = footprint.training_flop
    if flop is not None:
        score = cells(text, "per FLOP")[1]
        amount, unit = re.match(r"(.+?) (t|kg|g)CO2e per", score).groups()  # type: ignore[union-attr]
        size = {"t": 1e6, "kg": 1e3, "g": 1.0}[unit]
        grams = known(footprint.total).value * 1000 / flop.value * 1e18
        assert number(amount) * size == pytest.approx(grams, rel=0.05)
    check_sources(text, footprint)


def check_checklist(text: str, footprint: Footprint) -> None:
    assert states(text, known(footprint.total), "**Emissions:** ")
    said = "not included" not in text
    assert said == (footprint.quantities["project_kgco2e"] is not None)
    check_sources(text, footprint)


def check_cyclonedx(text: str, footprint: Footprint) -> None:
    assert VALIDATOR.validate_str(text) is None
    (model,) = json.loads(text)["components"]
    card = model["modelCard"]
    (spent,) = card["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert spent["activityEnergyCost"]["unit"] == "kWh"
    assert spent["co2CostEquivalent"]["unit"] == "tCO2eq"
    total = spent["co2CostEquivalent"]["value"] * 1000
    assert total == pytest.approx(known(footprint.total).value, rel=1e-9)
    inputs = {one["name"]: one["value"] for one in card["properties"]}
    for entry in footprint.assumptions:
        assert entry.source in inputs[f"joulecast:input:{entry.name}"]


def check_latex(text: str, footprint: Footprint) -> None:
    bare = re.sub(r"\\[{}%&$#_]", "", "\n".join(x for x in text.splitlines() if x[:1] != "%"))
    assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
    assert text.count(r"\begin{") == text.count(r"\end{")
    keys = {key for cites in re.findall(r"\\cite\{([^}]+)\}", text) for key in cites.split(",")}
    entries = set(re.findall(r"^@\w+\{([^,]+),", cite(footprint, "bibtex"), re.MULTILINE))
    assert keys and keys <= entries
    check_paragraph(footprint)


def check_methods(text: str, footprint: Footprint) -> None:
    check_paragraph(footprint)
    total = known(footprint.total)
    assert states(" ".join(text.split()), total)


def check_paragraph(footprint: Footprint) -> None:
    text = paragraph(footprint)
    assert states(text, known(footprint.total)) and footprint.data_digest in text
    assert "confidence interval" not in text and " ," not in text and "  " not in text
    assert text.endswith(".") and ".." not in text and "None" not in text and "nan" not in text
    if known(footprint.total).p10 != known(footprint.total).p90:
        assert "80 % prediction range" in text


CHECKS = {
    "json": check_json, "csv": check_csv, "md": check_md, "hf": check_hf, "eu": check_eu,
    "sci": check_sci, "checklist": check_checklist, "cyclonedx": check_cyclonedx,
    "latex": check_latex, "methods": check_methods, "html": check_html,
}  # fmt: skip


def check_sources(text: str, footprint: Footprint) -> None:
    """Every input that is printed has a source, which the list of sources holds."""
    sources = text.partition("Sources")[2]
    by_key = {one.key: one for one in footprint.citations}
    for entry in footprint.assumptions:
        said = cells(text, f"`{entry.name}`")[5]
        if entry.given:
            assert said == "given"
        elif entry.source in by_key:
            source = by_key[entry.source]
            assert source.source.label.replace("_", "\\_") in said
            assert source.text in sources
            listed = sources.partition("Unchecked")[0]
            assert (source.text in listed) == (source.read != "recalled")
        else:
            assert said == "joulecast" or said.endswith("(unchecked)")
    assert "joulecast contributors" in sources


def test_every_format_is_checked() -> None:
    assert set(CHECKS) == set(FORMATS)


@settings(max_examples=40)
@given(plans)
def test_every_export_parses_and_says_the_same(plan: dict[str, Any]) -> None:
    footprint = estimate(Plan(**plan))
    for name, check in CHECKS.items():
        if name == "eu" and footprint.quantities["eu_training_compute_flop"] is None:
            with pytest.raises(JoulecastError, match="eu_training_compute_flop: is unknown"):
                export(footprint, name)
            continue
        check(export(footprint, name), footprint)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("key", RUNS)
def test_published_runs_pass_the_validator_of_each_format(key: str, name: str) -> None:
    footprint = footprint_of(BUNDLED.run(key))
    CHECKS[name](export(footprint, name), footprint)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("plan", [ALL, SMALL, AROUND], ids=["all", "small", "around"])
def test_a_plan_with_everything_and_a_small_one(plan: Plan, name: str) -> None:
    footprint = estimate(plan)
    text = export(footprint, name)
    CHECKS[name](text, footprint)
    assert text == export(estimate(plan), name), "the same input, the same bytes"
    assert "tons" not in text


@pytest.mark.parametrize("name", CHECKS)
def test_an_export_of_a_fleet_speaks_of_all_its_types(name: str) -> None:
    footprint = estimate(FLEET)
    text = export(footprint, name)
    # Nothing is said of one type as if it were of all.
    apart = [a for a in footprint.assumptions if a.name == "device_power_w"]
    assert len(apart) == 2
    if name in ("hf", "md", "latex", "methods", "eu", "checklist"):
        assert "64" in text and "H100 SXM5" in text and "TPU v5p" in text
        for entry in apart:
            assert f"draws {entry.value:.0f} W" not in text
            assert f"a device, {entry.value:.0f} W" not in text
    if name == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["pue"] == "" and float(row["energy_consumed"]) == pytest.approx(
            known(footprint.energy).value, rel=1e-6
        )


def test_the_paragraph_of_a_fleet_is_whole() -> None:
    footprint = estimate(FLEET)
    said = paragraph(footprint)
    assert "(60 % of it" in said and "(40 % of it" in said and "  " not in said
    assert " ," not in said and "On ," not in said and "None" not in said
    for part in footprint.fleet:
        assert states(said, known(part.quantities["total_kgco2e"]))
    assert states(said, known(footprint.total)) and states(said, known(footprint.energy))


def test_the_paragraph_says_what_was_bought() -> None:
    plan = Plan(params="7B", tokens="1T", device="h100-sxm", device_count=64, region="fr",
                year=2024, embodied_mode="purchase")  # fmt: skip
    assert "Making the hardware, charged whole, adds" in paragraph(estimate(plan))


# Hugging Face.


def test_the_card_goes_through_the_hub_unchanged_to_the_gram(tmp_path: Path) -> None:
    total = 1.2e6  # kg: 1.2e9 g, which the Hub reads as 1.2 where it is written so
    footprint = estimate(Plan(given={"total_kgco2e": total}, only_given=True))
    card = ModelCard(export(footprint, "hf"))
    card.save(tmp_path / "README.md")
    again = metadata(ModelCard.load(tmp_path / "README.md"))
    assert again["emissions"] == 1_200_000_000 and type(again["emissions"]) is int
    line = front_matter(footprint).splitlines()[1]
    first = re.search(r"[\d.]+", line)
    assert first and float(first[0]) == 1_200_000_000 and line.strip() == f"emissions: {first[0]}"
    assert again == metadata(ModelCard(export(footprint, "hf")))


def test_norway_stays_norway() -> None:
    assert yaml.safe_load("place: NO") == {"place": False}  # why everything is quoted
    said = yaml.safe_load(front_matter(estimate(SMALL)))["co2_eq_emissions"]
    assert said["geographical_location"] == "Norway (NOR)"
    assert said["training_type"] == "pre-training"
    adapters = Plan(
        params="7B", trainable_params="20M", tokens="1B", device="h100-sxm", region="NO", year=2024
    )
    assert "fine-tuning" in front_matter(estimate(adapters))


def test_a_place_that_was_assumed_is_not_stated_as_one() -> None:
    said = yaml.safe_load(front_matter(estimate(Plan(flop=1e22, device="h100-sxm"))))
    place = said["co2_eq_emissions"]["geographical_location"]
    assert place == "place not stated; the mean grid of the world is assumed"


# EU.


@pytest.mark.parametrize(
    ("flop", "low", "high"), [(9e22, "below", "below"), (2e23, "**above**", "below"), (2e25, "**above**", "**above**")]
)  # fmt: skip
def test_thresholds_are_flagged(flop: float, low: str, high: str) -> None:
    text = export(estimate(Plan(flop=flop, device="h100-sxm", region="fr", year=2024)), "eu")
    assert f"- 10²³ FLOP: {low}. " in text and f"- 10²⁵ FLOP: {high}. " in text


def test_a_range_that_reaches_over_a_threshold_says_so() -> None:
    plan = Plan(given={"training_flop": "8e22..1.3e23"}, device="h100-sxm", region="fr", year=2024)
    text = export(estimate(plan), "eu")
    assert "10²³ FLOP: **above**" in text or "possibly **above**" in text


def test_the_form_states_compute_without_recomputation_and_says_its_boundary() -> None:
    plan = Plan(hardware_flop=4e23, recompute="full", device="h100-sxm", region="fr", year=2024)
    footprint = estimate(plan)
    text = export(footprint, "eu")
    compute = known(footprint.quantities["eu_training_compute_flop"]).value
    assert compute < 4e23
    assert number(cells(text, "Amount of computation used for training")[1]) == pytest.approx(
        compute, rel=0.05
    )
    for word in ("Recomputed activations are not", "synthetic data", "failed or exploratory"):
        assert word in text


def test_the_form_as_data_is_answered_item_by_item() -> None:
    import tomllib

    from joulecast import exporting

    path = Path(exporting.__file__).parent / "templates" / f"{EDITION}.toml"
    template = tomllib.loads(path.read_text())
    assert [item["entry"] for item in template["item"]] == list(ENTRIES)
    for key in ("source", "guidelines"):
        assert BUNDLED.source(template[key]).year == 2025
    assert [end for end, _ in template["size_bands"]] == sorted(
        e for e, _ in template["size_bands"]
    )


@pytest.mark.parametrize(
    ("params", "band"),
    [("400M", "1 million to 500 million"), ("7B", "5 billion to 15 billion"), ("70B", "50 billion to 100 billion"), ("1.5T", "above 1 trillion")],
)  # fmt: skip
def test_the_band_of_the_size(params: str, band: str) -> None:
    plan = Plan(params=params, tokens="1T", device="h100-sxm", region="fr", year=2024)
    assert f"band: {band}" in cells(export(estimate(plan), "eu"), "Total model size")[1]


def test_the_method_of_the_energy_keeps_to_about_100_words() -> None:
    for plan in (ALL, SMALL):
        method = cells(export(estimate(plan), "eu"), "Measurement methodology, energy")[1]
        assert 40 <= len(method.split()) <= 120


# Software Carbon Intensity.


@pytest.mark.parametrize(
    ("score", "kilograms", "grams"),
    [
        # The specification's provider example: 200,000 kg over 5e22 FLOP are 4,000 g per 1e18.
        (Score("FLOP", 5e22, 1e18, "", ""), 200_000, 4_000),
        # 75,000 kg over 2.5 billion parameters are 30,000 kg per billion.
        (Score("parameter", 2.5e9, 1e9, "", ""), 75_000, 30_000_000),
        # 6,500 kg over 50 billion tokens are 130 g per million.
        (Score("token", 50e9, 1e6, "", ""), 6_500, 130),
    ],
)
def test_scores_are_computed_as_the_specification_defines_them(
    score: Score, kilograms: float, grams: float
) -> None:
    assert score.grams(kilograms * 1000) == pytest.approx(grams)


def test_all_three_functional_units_and_the_effective_ones() -> None:
    text = export(estimate(ALL), "sci")
    for unit in ("per FLOP", "per training token", "per parameter"):
        assert f"| {unit} |" in text
    assert "| per distinct token |" in text and "| per active parameter |" in text


# Checklists and CSV.


def test_the_checklist_says_the_project_factor_aloud() -> None:
    assert "not included" in export(estimate(SMALL), "checklist")
    text = export(estimate(ALL), "checklist")
    assert states(text, known(estimate(ALL).quantities["project_kgco2e"]))
    assert "512 x NVIDIA H100 SXM5 80 GB" in text and "device-hours" in text


def test_parts_of_a_project_are_said_in_words() -> None:
    project = known(estimate(AROUND).quantities["project_kgco2e"])
    assert states(export(estimate(AROUND), "checklist"), project)
    said = paragraph(estimate(AROUND))
    assert "With ablations and post training around it, as shares of the run" in said
    assert states(said, project)


def test_csv_has_a_row_to_each_run_in_codecarbons_units() -> None:
    footprints = [estimate(ALL), estimate(SMALL)]
    rows = list(csv.DictReader(io.StringIO(export(footprints, "csv"))))
    assert [row["country_iso_code"] for row in rows] == ["USA", "NOR"]
    days = known(footprints[0].quantities["wall_clock_days"]).value
    assert float(rows[0]["duration"]) == pytest.approx(days * 86400)
    assert rows[0]["gpu_model"] == "512 x NVIDIA H100 SXM5 80 GB" and rows[1]["duration"] == ""
    assert float(rows[0]["emissions_rate"]) * days * 86400 == pytest.approx(
        float(rows[0]["emissions"])
    )


def test_csv_counts_overhead_and_water_as_codecarbon_does() -> None:
    """Its tracker multiplies every power and energy by the PUE, and the energy so made by the WUE."""
    footprint = estimate(ALL)
    (row,) = csv.DictReader(io.StringIO(export(footprint, "csv")))
    energy, duration = float(row["energy_consumed"]), float(row["duration"])
    device = known(footprint.quantities["device_energy_kwh"]).value
    assert float(row["pue"]) > 1
    assert float(row["gpu_energy"]) == pytest.approx(device * float(row["pue"]), rel=1e-9)
    assert float(row["gpu_power"]) / 1000 * duration / 3600 == pytest.approx(
        float(row["gpu_energy"]), rel=1e-9
    )
    assert float(row["gpu_energy"]) < energy
    on_site = known(footprint.quantities["water_onsite_l"]).value
    assert float(row["water_consumed"]) == pytest.approx(on_site, rel=1e-9)
    assert float(row["wue"]) * energy == pytest.approx(on_site, rel=1e-9)


def test_csv_has_the_columns_of_codecarbon_itself() -> None:
    data = pytest.importorskip("codecarbon.output_methods.emissions_data")
    assert tuple(data.EmissionsData.__dataclass_fields__) == CODECARBON


# LaTeX.


def test_the_table_has_a_row_to_each_run_and_one_unit_to_a_column() -> None:
    footprints = [estimate(ALL), estimate(SMALL)]
    text = export(footprints, "latex")
    rows = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0].strip().splitlines()
    assert len(rows) == 2 and all(row.count("&") == 5 for row in rows)
    masses = [row.split("&")[4].strip() for row in rows]
    assert masses[0] == two(known(footprints[0].total).to("t").value)
    assert number(masses[0]) / known(footprints[0].total).value == pytest.approx(1e-3, rel=0.05)


def test_latex_compiles(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    body = export([estimate(ALL), estimate(SMALL)], "latex")
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{textcomp,booktabs}"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "a.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


# The way back.


@settings(max_examples=25)
@given(plan=plans, name=st.sampled_from(("json", "csv", "md", "hf", "html")))
def test_an_export_reads_back_to_the_same_plan_and_numbers(
    plan: dict[str, Any], name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    footprint = estimate(Plan(**plan))
    path = tmp_path_factory.mktemp("export") / f"answer.{name}"
    path.write_text(export(footprint, name))
    found = read(path)
    assert as_said(Plan(**found.fields)) == as_said(footprint.asked)
    assert found.data_digest == footprint.data_digest
    assert estimate(Plan(**found.fields)).to_json() == footprint.to_json()


@pytest.mark.parametrize("name", ["json", "csv", "md", "hf", "html"])
def test_from_on_the_command_line_gives_the_same_bytes(
    joulecast: Run, tmp_path: Path, name: str
) -> None:
    args = ("llama-3.1-8b", "--device", "h100-sxm", "--region", "us-va", "--year", "2024", "--set", "pue=1.1..1.2")  # fmt: skip
    path = tmp_path / f"answer.{name}"
    done = joulecast("export", *args, "--format", name, "--output", str(path))
    assert (done.returncode, done.stdout) == (0, "") and str(path) in done.stderr
    again = joulecast("estimate", "--from", str(path), "--json")
    assert again.stderr == ""
    assert again.stdout == joulecast("estimate", *args, "--json").stdout
    changed = json.loads(
        joulecast("estimate", "--from", str(path), "--region", "fr", "--json").stdout
    )
    assert changed["plan"]["region"] == "fr" and changed["plan"]["model"] == "llama-3.1-8b"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.tex", "x", "LaTeX carries the numbers in words and not the plan; try joulecast export --format json, csv, md, html"),
        ("a.txt", "x", "plain text carries the numbers in words and not the plan; try joulecast export --format json, csv, md, html"),
        ("a.bib", "x", "a bibliography carries no plan; try joulecast export --format json, csv, md, html"),
        ("a.md", "# nothing", "carries no plan; try joulecast export --format json, csv, md, html"),
        ("a.json", "{", "is not JSON: expecting property name enclosed in double quotes"),
        ("a.json", "{}", "carries no plan: it is not what joulecast exports as JSON; try joulecast export --format json, csv, md, html"),
        ("a.csv", "joulecast_plan\n{}\n{}\n", "holds 2 runs, expected one; try a file with one row"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_back_says_so(tmp_path: Path, name: str, text: str, why: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(JoulecastError) as error:
        read(path)
    assert str(error.value).startswith("--from: /") and str(error.value).endswith(why)


@pytest.mark.parametrize("name", ["eu", "sci", "checklist", "cyclonedx", "latex", "methods"])
def test_formats_without_the_plan_say_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a{FORMATS[name].ending}"
    path.write_text(export(estimate(SMALL), name))
    with pytest.raises(JoulecastError, match=r"not the plan|carries no plan"):
        read(path)


def test_data_that_changed_since_are_said(joulecast: Run, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    answer = json.loads(export(estimate(SMALL), "json"))
    answer["provenance"]["data"] = "000000000000"
    path.write_text(json.dumps(answer))
    done = joulecast("estimate", "--from", str(path), "--quiet")
    assert done.returncode == 0 and "was made with data 000000000000" in done.stderr


# Files and errors.


def test_a_file_that_is_there_is_kept_unless_forced(joulecast: Run, tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    path.write_text("mine")
    args = ("export", "--flop", "1e22", "--region", "fr", "--format", "hf", "--output", str(path))
    done = joulecast(*args)
    assert done.returncode == 2 and path.read_text() == "mine"
    assert done.stderr.endswith(": is there already; try another name, --force\n")
    assert joulecast(*args, "--force").returncode == 0
    assert path.read_text().startswith("---\nco2_eq_emissions:")
    assert [one.name for one in tmp_path.iterdir()] == ["card.md"]


@pytest.mark.parametrize(
    ("plan", "name", "why"),
    [
        ({"given": {"energy_kwh": 100}, "only_given": True}, "hf", "total_kgco2e: is unknown, and the hf format must state it; try --region us-va, --set grid_gco2e_per_kwh=400"),
        ({"given": {"energy_kwh": 100}}, "eu", "eu_training_compute_flop: is unknown, and the eu format must state it; try --params 7B --tokens 2T, --flop 1e23"),
        ({"flop": 1e20}, "html5", "--format: html5: is not a format of an export; try "),
    ],
)  # fmt: skip
def test_what_a_format_cannot_do_without(plan: dict[str, Any], name: str, why: str) -> None:
    with pytest.raises(JoulecastError) as error:
        export(estimate(Plan(**plan)), name)
    assert str(error.value).startswith(why)


def test_a_format_for_one_run_refuses_two() -> None:
    with pytest.raises(JoulecastError) as error:
        export([estimate(SMALL), estimate(ALL)], "hf")
    assert str(error.value) == "--format: hf: holds one run; try latex, methods, csv"


def test_estimate_pays_nothing_for_the_exports() -> None:
    script = (
        "import sys; from joulecast.cli import app; "
        "app(['estimate', '--flop', '1e22'], standalone_mode=False); "
        "print(*[m for m in sys.modules if m.startswith('joulecast')], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(shlex.split(done.stderr.replace("'", "")))
    assert not [name for name in loaded if "export" in name or "citing" in name]

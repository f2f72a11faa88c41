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

import pytest
import yaml
from conftest import Run, fits
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import Footprint, JoulecastError, Library, Plan, Quantity, estimate, export
from joulecast.answers.footprint import Assumption
from joulecast.citing.citing import cite
from joulecast.citing.markup import PLAIN
from joulecast.citing.methods import paragraph
from joulecast.exporting import FORMATS
from joulecast.exporting.csv_ import CODECARBON
from joulecast.exporting.eu import EDITION, ENTRIES
from joulecast.exporting.hf import front_matter
from joulecast.exporting.rereading import read
from joulecast.exporting.sci import Score
from joulecast.exporting.tables import inputs_of
from joulecast.plan import Use, as_said
from joulecast.report.words import readable, two
from joulecast.validating.runs import ReportedRun

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)
BUNDLED = Library.bundled()


def shared_out(fleet: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with shares that come to the whole; a fourth is reserved for hours."""
    timed = {"device": "a100-sxm-80", "device_count": 16, "hours": 50, "region": "fr"}
    shares = [{**entry, "share": 1 / len(fleet)} for entry in fleet]
    return [*shares, timed] if len(fleet) == 3 else shares


def with_an_eighth_active(moe: dict[str, Any]) -> dict[str, Any]:
    return {**moe, "active_params": moe["params"] / 8}


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
SMALL = Plan(params="10M", tokens="1B", device="v100-sxm2-32", region="no", year=2023)

USED = Plan(
    params="8B", tokens="2T", device="h100-sxm", device_count=256, region="fr", year=2024,
    project_factor="lab", given={"market_gco2e_per_kwh": 20},
    use={"requests": "2M/day", "batch": "10..64..400", "years": 3},
)  # fmt: skip
FLEET = Plan(
    params="7B", tokens="1T", year=2024,
    fleet=(
        {"device": "h100-sxm", "device_count": 256, "share": 0.6, "region": "fr"},
        {"device": "tpu-v5p", "device_count": 512, "share": 0.4, "region": "us-ia", "provider": "gcp"},
    ),
)  # fmt: skip
#: One entry is reserved for hours: what it computes, and so the FLOP of the whole, are unknown.
TIMED = Plan(
    params="7B", tokens="1T", year=2024, region="de",
    fleet=(
        {"device": "h100-sxm", "share": 0.9},
        {"device": "h100-sxm", "device_count": 64, "share": 0.1, "region": "pl"},
        {"device": "cpu-desktop", "device_count": 3, "hours": 100},
    ),
)  # fmt: skip

devices = st.sampled_from(("h100-sxm", "a100-sxm-80", "tpu-v4", "v100-sxm2-32", "H100"))
places = st.sampled_from(("fr", "us-va", "no", "lumi", "us", "gcp us-central1"))
models = st.one_of(
    st.fixed_dictionaries({"params": st.floats(1e6, 1e12), "tokens": st.floats(1e8, 1e14)}),
    st.fixed_dictionaries(
        {"params": st.floats(1e9, 1e12), "tokens": st.floats(1e9, 1e14), "arch": st.just("moe")}
    ).map(with_an_eighth_active),
)
around = {
    "year": st.sampled_from((2020, 2023, 2028)),
    "runs": st.sampled_from((1, 3)),
    "project_factor": st.sampled_from((1, "2..3", "lab")),
    "include_building": st.booleans(),
}
on_one_type = {
    **around,
    "device": devices,
    "device_count": st.sampled_from((1, 8, 4096)),
    "region": places,
}
entries = st.lists(
    st.fixed_dictionaries(
        {"device": devices},
        optional={"device_count": st.sampled_from((8, 4096)), "region": places},
    ),
    min_size=1,
    max_size=3,
)
#: What is known first: a model, with its use or without, FLOP, hours, energy; or a fleet.
plans = st.one_of(
    st.tuples(st.fixed_dictionaries({}, optional=on_one_type), models),
    st.tuples(
        st.fixed_dictionaries(
            {
                "use": st.fixed_dictionaries(
                    {},
                    optional={
                        "tokens": st.sampled_from(("1T/year", "1B..4B/day")),
                        "batch": st.sampled_from((8, "10..400")),
                        "precision": st.just("fp8"),
                    },
                )
            },
            optional={**on_one_type, "given": st.just({"market_gco2e_per_kwh": 20})},
        ),
        models,
    ),
    st.tuples(
        st.fixed_dictionaries({}, optional=on_one_type),
        st.one_of(
            st.fixed_dictionaries({"flop": st.floats(1e15, 1e27)}),
            st.fixed_dictionaries(
                {"given": st.fixed_dictionaries({"device_hours": st.floats(0.1, 1e8)})}
            ),
            st.fixed_dictionaries(
                {"given": st.fixed_dictionaries({"energy_kwh": st.floats(0.01, 1e9)})}
            ),
        ),
    ),
    st.tuples(st.fixed_dictionaries({"fleet": entries.map(shared_out)}, optional=around), models),
).map(lambda parts: {**parts[0], **parts[1]})


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


def rows_of(text: str, label: str) -> list[list[str]]:
    """Cells of every row that begins with a label."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {label} |")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


# What each format's own reader makes of an export, and the total it holds [kg], its rounding.


def check_json(text: str, footprint: Footprint) -> None:
    answer = json.loads(text)
    fits(answer, "estimate")
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
    check_fleet(text, footprint)
    check_use(text, footprint)
    check_sources(text, footprint)


def check_fleet(text: str, footprint: Footprint) -> None:
    """A row to each entry, which come to the total within their rounding."""
    if len(footprint.fleet) < 2:
        assert "## Fleet" not in text
        return
    table = text.partition("## Fleet")[2].strip().split("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in table] == [part.label for part in footprint.fleet]
    sizes = {"t": 1000.0, "kg": 1.0, "g": 1e-3, "mg": 1e-6}
    masses = (row.split("|")[-2].strip() for row in table)
    found = sum(number(cell) * sizes[cell.split()[-1].removesuffix("CO2e")] for cell in masses)
    assert found == pytest.approx(known(footprint.total).value, rel=0.06)


def check_use(text: str, footprint: Footprint) -> None:
    use = footprint.use_phase
    if use is None:
        assert "## Use" not in text
        return
    request = cells(text, "A request")[1]
    assert request.endswith(" Wh")
    assert number(request) == pytest.approx(
        known(use.results["energy_per_request_wh"]).value, rel=0.06
    )
    year = use.results["operational_per_year_kgco2e"]
    assert (year is not None) == ("| Emissions of a year of use |" in text)


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
    spent, *used = card["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert spent["activityEnergyCost"]["unit"] == "kWh"
    assert spent["co2CostEquivalent"]["unit"] == "tCO2eq"
    total = spent["co2CostEquivalent"]["value"] * 1000
    assert total == pytest.approx(known(footprint.total).value, rel=1e-9)
    provided = sum(one["energyProvided"]["value"] for one in spent["energyProviders"])
    assert provided == pytest.approx(spent["activityEnergyCost"]["value"], rel=1e-9)
    year = (
        None if footprint.use_phase is None else footprint.use_phase.results["energy_per_year_kwh"]
    )
    assert [one["activity"] for one in used] == (["inference"] if year else [])
    assert not year or used[0]["activityEnergyCost"]["value"] == pytest.approx(year.value, rel=1e-9)
    inputs = [(one["name"], one["value"]) for one in card["properties"]]
    assert len(inputs) == len(inputs_of(footprint))
    for entry, (name, value) in zip(inputs_of(footprint), inputs, strict=True):
        assert name == f"joulecast:input:{entry.name}"
        assert entry.source in value and entry.whose in value


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
    assert " On ," not in text and "( " not in text
    for part in footprint.fleet if len(footprint.fleet) > 1 else ():
        assert part.device_name in text and (part.region_name or "") in text
    assert ("The use of the trained model is forecast apart" in text) == bool(footprint.use_phase)
    assert "use of the model are not included in it" in text


CHECKS = {
    "json": check_json, "csv": check_csv, "md": check_md, "hf": check_hf, "eu": check_eu,
    "sci": check_sci, "checklist": check_checklist, "cyclonedx": check_cyclonedx,
    "latex": check_latex, "methods": check_methods, "html": check_html,
}  # fmt: skip


def check_sources(text: str, footprint: Footprint) -> None:
    """Every input that is printed has a source, which the list of sources holds."""
    sources = text.partition("Sources")[2]
    by_key = {one.key: one for one in footprint.citations}
    named: dict[str, list[Assumption]] = {}
    for entry in inputs_of(footprint):
        named.setdefault(entry.name, []).append(entry)
    pairs = [
        (entry, row)
        for name, entries in named.items()
        for entry, row in zip(entries, rows_of(text, f"`{name}`"), strict=True)
    ]
    for entry, row in pairs:
        said = row[5]
        assert entry.whose in row[1]
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
            timed = any(part.hours for part in footprint.fleet)
            way = "share in place of hours" if timed else "--flop 1e23"
            with pytest.raises(
                JoulecastError, match=f"eu_training_compute_flop: is unknown.*{way}"
            ):
                export(footprint, name)
            continue
        check(export(footprint, name), footprint)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("key", RUNS)
def test_published_runs_pass_the_validator_of_each_format(key: str, name: str) -> None:
    footprint = footprint_of(BUNDLED.run(key))
    CHECKS[name](export(footprint, name), footprint)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "plan",
    [ALL, SMALL, AROUND, USED, FLEET],
    ids=["all", "small", "around", "used", "fleet"],
)
def test_a_plan_with_everything_and_a_small_one(plan: Plan, name: str) -> None:
    footprint = estimate(plan)
    text = export(footprint, name)
    CHECKS[name](text, footprint)
    assert text == export(estimate(plan), name), "the same input, the same bytes"
    assert "tons" not in text


def test_the_paragraph_says_what_was_bought() -> None:
    plan = Plan(params="7B", tokens="1T", device="h100-sxm", device_count=64, region="fr",
                year=2024, embodied_mode="purchase")  # fmt: skip
    assert "Making the hardware, charged whole, adds" in paragraph(estimate(plan))


def test_a_fleet_says_every_device_and_place_in_every_form() -> None:
    footprint = estimate(FLEET)
    both = "256 x NVIDIA H100 SXM5 80 GB; 512 x Google TPU v5p"
    card = metadata(ModelCard(export(footprint, "hf")))
    assert (
        card["hardware_used"] == both
        and card["geographical_location"] == "France (FRA); Iowa (USA)"
    )
    assert f"**Compute workers:** {both}; gcp cloud; France (FRA); Iowa (USA)" in export(
        footprint, "checklist"
    )
    (row,) = csv.DictReader(io.StringIO(export(footprint, "csv")))
    assert (row["gpu_model"], row["gpu_count"], row["region"]) == (both, "768", "")
    inputs = [{one.name: one.value for one in part.assumptions} for part in footprint.fleet]
    drawn = [each["device_power_w"] * each["pue"] for each in inputs]
    assert float(row["gpu_power"]) == pytest.approx(256 * drawn[0] + 512 * drawn[1])
    # Of one value for all or none: never that of the last entry.
    assert inputs[0]["pue"] != inputs[1]["pue"] and row["pue"] == ""
    scored = export(footprint, "sci")
    for place in ("(NVIDIA H100 SXM5 80 GB)", "(Google TPU v5p)"):
        assert place in cells(scored, "I")[2]
    method = cells(export(footprint, "eu"), "Measurement methodology, energy")[1]
    assert all(part.device_name in method for part in footprint.fleet)
    days = [known(part.quantities["wall_clock_days"]).value for part in footprint.fleet]
    time = cells(export(footprint, "eu"), "Training time")[1]
    assert time.startswith(
        f"{two(max(days))} days if the fleet runs at once, {two(sum(days))} if in turn"
    )


def test_a_fleet_with_hours_keeps_its_tokens_and_says_what_it_does_not_know() -> None:
    footprint = estimate(TIMED)
    assert footprint.plan["tokens"] == 1e12 and footprint.training_flop is None
    text = " ".join(export(footprint, "methods").split())
    assert "90 % of it on NVIDIA H100 SXM5 80 GB in Germany" in text
    assert "reserved for 100 hours" in text and "on 1.0 trillion tokens" in text
    # Two entries of one device are told apart by their place.
    labels = {one.whose for one in footprint.assumptions if one.name == "grid_gco2e_per_kwh"}
    assert "NVIDIA H100 SXM5 80 GB, Poland" in labels
    assert "| per FLOP |" not in export(footprint, "sci")


def test_the_paragraph_speaks_of_use_project_and_contract() -> None:
    footprint = estimate(USED)
    text = paragraph(footprint)
    use = footprint.use_phase
    assert use is not None
    year = known(use.results["operational_per_year_kgco2e"])
    assert "a year of use takes" in text and f"emits {two(year.to('t').value)} tCO2e" in text
    assert "ten times" not in text and "Nothing of this is in the total." in text
    contract = known(footprint.quantities["market_kgco2e"])
    shown, unit = readable(contract)
    assert f"operation would count {two(shown.value)} {unit}" in text
    assert "With a project factor of 1.8" in text
    assert "No demand was given." in paragraph(estimate(USED.replace(use=Use())))


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


def test_every_line_of_the_score_follows_from_those_above_it() -> None:
    """O = E x I, C = O + M, and C over each functional unit, with numbers anyone can check."""
    plan = Plan(
        params="2B", tokens="50B", flop=5e20, only_given=True,
        given={"energy_kwh": 10_000, "grid_gco2e_per_kwh": 400, "embodied_kgco2e": 1_000},
    )  # fmt: skip
    text = export(estimate(plan), "sci")
    assert [cells(text, term)[2] for term in "EIOMC"] == [
        "10 MWh", "400 gCO2e/kWh", "4.0 tCO2e", "1.0 tCO2e", "5.0 tCO2e",
    ]  # fmt: skip
    # 5e6 g over 500 x 1e18 FLOP, over 50,000 million tokens, over 2 billion parameters.
    scores = {
        "per FLOP": "10 kgCO2e per 10¹⁸ FLOP",
        "per training token": "100 gCO2e per million training tokens",
        "per parameter": "2.5 tCO2e per billion parameters",
    }
    assert {unit: cells(text, unit)[1] for unit in scores} == scores
    assert all(cells(text, unit)[2] == "exact" for unit in scores)


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


def table_rows(text: str) -> list[list[str]]:
    """Cells of the rows of a table, those that meet at the decimal point joined."""
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0].strip()
    rows = []
    for line in body.removesuffix(r"\\").split("\\\\\n"):
        name, *halves = (cell.strip() for cell in line.split(" & "))
        cells: list[str] = []
        for half in halves:
            whole = half.startswith(r"\multicolumn")
            if whole or not cells or cells[-1].endswith("|"):
                cells.append(half + ("|" if whole else ""))
            else:
                cells[-1] += f"{half}|" if len(cells) < 5 else f"--{half}|"
        rows.append([name, *(cell.removesuffix("|") for cell in cells)])
    return rows


def test_the_table_has_a_row_to_each_run_and_one_unit_to_a_column() -> None:
    footprints = [estimate(ALL), estimate(FLEET)]
    text = export(footprints, "latex")
    rows = table_rows(text)
    assert [row[0] for row in rows] == ["MoE, 32 billion", "dense, 7.0 billion"]
    assert r"$\times 10^{21}$" in text and r"$\times 10^{3}$" in text
    for row, footprint in zip(rows, footprints, strict=True):
        total, flop = known(footprint.total).to("t"), known(footprint.training_flop)
        assert row[4] == two(total.value) and row[3] == two(known(footprint.energy).to("MWh").value)
        assert float(row[1].replace(",", "")) == pytest.approx(flop.value / 1e21, rel=0.05)
        assert row[5] == f"{two(total.p10)}--{two(total.p90)}"


def test_runs_of_one_name_are_numbered_and_share_their_boundary() -> None:
    text = export([estimate(SMALL), estimate(SMALL)], "latex")
    assert [row[0] for row in table_rows(text)] == [f"dense, 10 million ({i})" for i in (1, 2)]
    assert text.count("certificates and offsets are not subtracted") == 1
    assert "For all runs: the boundary of the total is" in text


def test_a_config_file_is_named_by_its_folder() -> None:
    footprint = estimate(SMALL)
    named = footprint.replace(plan={**footprint.plan, "model": "models/my_model/config.json"})
    assert table_rows(export(named, "latex"))[0][0] == r"my\_model"


def odd(name: str, plan: Plan) -> Footprint:
    """A forecast of a model that somebody gave an odd name."""
    footprint = estimate(plan)
    return footprint.replace(plan={**footprint.plan, "model": name})


def compiled(tmp_path: Path, options: str, preamble: str, body: str, *passes: str) -> str:
    """Log of the last pass over a paper; the test is skipped where a program is not there."""
    for program in passes:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    (tmp_path / "a.tex").write_text(
        f"\\documentclass[{options}]{{article}}\\usepackage[T1]{{fontenc}}"
        f"\\usepackage{{textcomp,booktabs}}{preamble}\\begin{{document}}\n{body}\n"
        "\\end{document}\n"
    )
    for program in passes:
        options_ = ["-halt-on-error", "-interaction=nonstopmode"] if "latex" in program else []
        done = subprocess.run(
            [program, *options_, "a"], cwd=tmp_path, capture_output=True, text=True, check=False,
            errors="replace",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
    return (tmp_path / "a.log").read_text(errors="replace")


REPORTED = ("bloom-176b", "deepseek-v3", "gpt-j-6b", "palm-540b", "gpt-neox-20b")


def test_a_two_column_paper_of_five_reported_runs_compiles_with_bibtex(tmp_path: Path) -> None:
    """Every citation is found and the table fits the column of a common two-column class."""
    runs = [footprint_of(BUNDLED.run(key)) for key in REPORTED]
    runs = [
        run.replace(plan={**run.plan, "model": key})
        for run, key in zip(runs, REPORTED, strict=True)
    ]
    (tmp_path / "refs.bib").write_text(cite(runs, "bibtex"))
    body = f"{export(runs, 'latex')}\n\\bibliographystyle{{plain}}\\bibliography{{refs}}"
    passes = ("pdflatex", "bibtex", "pdflatex", "pdflatex")
    # 219 points are 7.7 cm, the column of many conferences.
    log = compiled(tmp_path, "twocolumn", r"\setlength{\columnwidth}{219pt}", body, *passes)
    assert "undefined" not in log and "multiply defined" not in log
    wide = [
        line for line in log.splitlines() if line.startswith("Overfull") and "paragraph" in line
    ]
    assert not wide, wide


def test_a_paper_of_a_mixture_a_tpu_a_fleet_and_a_use_compiles_with_biber(tmp_path: Path) -> None:
    tpu = Plan(params="12B", tokens="1T", device="tpu-v4", region="us-ok", year=2023)
    runs = [estimate(plan) for plan in (ALL, tpu, FLEET, TIMED, USED)]
    (tmp_path / "refs.bib").write_text(cite(runs, "bibtex"))
    packages = r"\usepackage[backend=biber]{biblatex}\addbibresource{refs.bib}"
    packages += r"\usepackage[hidelinks]{hyperref}"
    body = f"{export(runs, 'latex')}\n\\printbibliography"
    passes = ("pdflatex", "biber", "pdflatex", "pdflatex")
    log = compiled(tmp_path, "a4paper", packages, body, *passes)
    assert "undefined" not in log
    # The bibliography is the style's; all else is ours.
    last = len((tmp_path / "a.tex").read_text().partition("\\printbibliography")[0].splitlines())
    wide = [int(line) for line in re.findall(r"Overfull .*? at lines (\d+)--", log)]
    assert not [line for line in wide if line < last]
    assert "WARN" not in (tmp_path / "a.blg").read_text()


def test_odd_names_compile_and_are_printed_as_they_are(tmp_path: Path) -> None:
    names = ["foo_bar%", "R&D #1 {x} ~é^2", r"a\b $x$ <Łódź> “q” 3×", "tab\tand\x07bell"]
    plans = (SMALL, USED, FLEET, ALL)
    runs = [odd(name, plan) for name, plan in zip(names, plans, strict=True)]
    text = export(runs, "latex")
    assert r"foo\_bar\%" in text and r"R\&D \#1 \{x\} \textasciitilde{}{\'e}" in text
    compiled(tmp_path, "a4paper", "", text, "pdflatex")


def test_letters_that_pdflatex_lacks_are_said_aloud() -> None:
    assert "use lualatex or xelatex" in export(odd("通义", SMALL), "latex")
    assert "lualatex" not in export(odd("Qwen é", SMALL), "latex")


# The way back.


@settings(max_examples=40)
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
@pytest.mark.parametrize("plan", [USED, FLEET, TIMED], ids=["used", "fleet", "timed"])
def test_use_and_fleet_come_back_to_the_byte(plan: Plan, name: str, tmp_path: Path) -> None:
    footprint = estimate(plan)
    path = tmp_path / f"answer.{name}"
    path.write_text(export(footprint, name))
    again = estimate(Plan(**read(path).fields))
    assert again.to_json() == footprint.to_json()
    assert export(again, name) == path.read_text()


@pytest.mark.parametrize("name", ["json", "md", "html"])
def test_the_use_is_said_on_the_command_line_of_export_and_cite(
    joulecast: Run, tmp_path: Path, name: str
) -> None:
    args = ("--params", "8B", "--tokens", "1T", "--device", "h100-sxm", "--use-tokens", "1T/year")
    path = tmp_path / f"answer.{name}"
    assert joulecast("export", *args, "--format", name, "--output", str(path)).returncode == 0
    again = joulecast("estimate", "--from", str(path), "--json")
    assert again.stdout == joulecast("estimate", *args, "--json").stdout
    assert "elsworth-2025" in joulecast("cite", *args, "--format", "bibtex").stdout
    other = joulecast("estimate", "--from", str(path), "--use-batch", "8", "--json")
    assert json.loads(other.stdout)["asked"]["use"] == {"tokens": "1T/year", "batch": "8"}


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

"""What stands beside the run: data kept and moved, parts of the project, prices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Run, fits
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate
from joulecast.data.library import Library
from joulecast.terms import PROJECT_PARTS, PROJECT_SHARES

RUN: dict[str, Any] = {
    "params": 7e9,
    "tokens": 1e12,
    "device": "h100-sxm",
    "region": "fr",
    "year": 2024,
}
KEPT = {"storage_tb": 500, "storage_months": 12}


def values(**more: Any) -> dict[str, float]:
    quantities = estimate(Plan(**RUN | more)).quantities
    return {name: q.value for name, q in quantities.items() if q is not None}


# Data kept and moved.


def test_nothing_is_kept_or_moved_unless_it_was_said() -> None:
    footprint = estimate(Plan(**RUN))
    for name in ("storage_energy_kwh", "storage_kgco2e", "transfer_energy_kwh", "transfer_kgco2e"):
        assert footprint.quantities[name] is None
    assert not any("storage" in a.name or "transfer" in a.name for a in footprint.assumptions)
    assert footprint.plan["storage_medium"] is None
    assert "Storage" not in footprint.explain()


def test_storage_by_hand_from_published_figures() -> None:
    """Cloud Carbon Footprint: 0.65 Wh per TB and hour on hard disks, 1.2 on SSD."""
    exact = {"pue": 1.2, "grid_gco2e_per_kwh": 100, "storage_copies": 3}
    for medium, power in (("hdd", 0.65), ("ssd", 1.2)):
        found = values(storage_medium=medium, given=KEPT | exact)
        energy = 500 * 3 * power / 1000 * 8766 * 1.2
        assert found["storage_energy_kwh"] == pytest.approx(energy)
    # 3 kg of making a TB on hard disks, over five years.
    hdd = values(given=KEPT | exact)
    assert hdd["storage_kgco2e"] == pytest.approx(hdd["storage_energy_kwh"] * 0.1 + 500 * 3 * 3 / 5)


def test_transfer_by_hand_from_a_published_figure() -> None:
    """Aslan et al. 2018: 0.06 kWh/GB in 2015; 1 PB at 400 g/kWh is 24 t."""
    given = {"transfer_tb": "1 PB", "transfer_kwh_per_gb": 0.06, "grid_gco2e_per_kwh": 400}
    found = values(given=given)
    assert found["transfer_energy_kwh"] == pytest.approx(60_000)
    assert found["transfer_kgco2e"] == pytest.approx(24_000)


def test_the_run_is_not_touched_by_its_data_or_its_project() -> None:
    base = values()
    more = values(given={**KEPT, "transfer_tb": 20, "project_ablations": "published"})
    assert {name: more[name] for name in base} == base


@settings(max_examples=10)
@given(size=st.floats(1e-3, 1e4), months=st.floats(0.1, 120), factor=st.floats(1.5, 10))
def test_twice_the_data_or_the_time_is_twice_the_storage(
    size: float, months: float, factor: float
) -> None:
    base = values(given={"storage_tb": size, "storage_months": months})["storage_kgco2e"]
    larger = values(given={"storage_tb": size * factor, "storage_months": months})
    longer = values(given={"storage_tb": size, "storage_months": months * factor})
    assert larger["storage_kgco2e"] == pytest.approx(base * factor)
    assert longer["storage_kgco2e"] == pytest.approx(base * factor)


def test_data_are_kept_once_for_all_runs() -> None:
    one, three = values(given=KEPT), values(runs=3, given=KEPT)
    assert three["storage_kgco2e"] == one["storage_kgco2e"]
    assert three["total_kgco2e"] == pytest.approx(3 * one["total_kgco2e"])


def test_what_the_site_generates_also_feeds_its_drives_but_not_the_network() -> None:
    given = KEPT | {"transfer_tb": 10, "grid_gco2e_per_kwh": 400}
    given |= {"storage_embodied_kgco2e_per_tb": 0}
    base = values(given=given)
    solar = values(given=given | {"onsite_share": 1, "onsite_gco2e_per_kwh": 40})
    assert solar["storage_kgco2e"] == pytest.approx(base["storage_kgco2e"] / 10)
    assert solar["transfer_kgco2e"] == base["transfer_kgco2e"]


def test_every_figure_of_storage_has_a_source_and_a_range() -> None:
    footprint = estimate(Plan(**RUN, given=KEPT | {"transfer_tb": 1}))
    found = {a.name: a for a in footprint.assumptions}
    for name in (
        "storage_w_per_tb",
        "storage_embodied_kgco2e_per_tb",
        "storage_copies",
        "transfer_kwh_per_gb",
    ):
        entry = found[name]
        assert entry.low is not None and entry.high is not None
        assert entry.low < entry.value < entry.high
        assert entry.source in Library.bundled().source_keys
    assert "as nothing else was said" in found["storage_w_per_tb"].note
    said = estimate(Plan(**RUN, storage_medium="hard disk", given=KEPT))
    note = {a.name: a for a in said.assumptions}["storage_w_per_tb"].note
    assert "as nothing else was said" not in note
    text = footprint.explain()
    assert "Storage " in text and "Transfer " in text and "beside the run" in text


def test_only_given_keeps_to_what_was_given() -> None:
    given = KEPT | {"energy_kwh": 10, "storage_w_per_tb": 1}
    footprint = estimate(Plan(only_given=True, given=given))
    energy = footprint.quantities["storage_energy_kwh"]
    assert energy is not None and energy.value == pytest.approx(500 * 8766 / 1000)
    assert footprint.quantities["storage_kgco2e"] is None
    assert (
        "Storage    4,400 kWh" in footprint.explain() or "Storage    4.4 MWh" in footprint.explain()
    )


# Parts of the project.


def test_parts_of_a_project_sum_to_what_it_adds() -> None:
    given = {"project_ablations": "published", "project_search": 0.2, "project_evaluation": 0.05}
    footprint = estimate(Plan(**RUN, given=given))
    project, total = footprint.quantities["project_kgco2e"], footprint.total
    assert project is not None and total is not None
    parts = {key: footprint.quantities[name] for key, name in PROJECT_PARTS.items()}
    known = {key: part.value for key, part in parts.items() if part is not None}
    assert sum(known.values()) == pytest.approx(project.value - total.value)
    assert set(known) == {"ablations", "search", "evaluation"}
    assert known["search"] == pytest.approx(0.2 * total.value)
    shown = footprint.to_dict()["results"]["project_parts_kgco2e"]
    assert shown["search"]["value"] == pytest.approx(known["search"])
    assert shown["post_training"] is None
    fits(footprint.to_dict(), "estimate")
    assert "+ ablations" in footprint.explain()


CASES = {
    # Hugging Face 2025, SmolLM3, GPU hours; Luccioni et al. 2022, table 5, kWh; final run first.
    "project_ablations": (115_200 / 276_480, (158_972 + 87_210 + 64_257 + 51_686) / 433_196),
    "project_failed_runs": (46_080 / 276_480, 266_522 / 433_196),
    "project_evaluation": (10_000 / 276_480, 43_172 / 433_196),
    # DeepSeek-AI 2024, table 1, thousand GPU hours; DeepSeek-V3.2: "exceeding 10 %".
    "project_post_training": (5 / 2664, 0.10),
}


@pytest.mark.parametrize("name", CASES)
def test_a_published_share_spans_its_cases(name: str) -> None:
    figure = Library.bundled().default(name)
    assert figure.low is not None and figure.high is not None
    low, high = sorted(CASES[name])
    assert figure.low <= low * 1.1 and figure.high >= high
    assert low <= figure.value <= high


def test_the_kinds_of_project_hold_the_published_parts_together() -> None:
    """SmolLM3 whole: 437,760 of 276,480 h, beside which some 10,000 h of evaluation."""
    lab = Library.bundled().default("project_factor.lab")
    assert lab.low is not None and lab.high is not None
    assert lab.low < 437_760 / 276_480 < lab.high
    parts = {name: "published" for name in CASES if name != "project_post_training"}
    found = values(given=parts)
    assert lab.low < found["project_kgco2e"] / found["total_kgco2e"] < lab.high


def test_a_plan_file_says_a_project_in_a_section_of_its_own(tmp_path: Path) -> None:
    given = {"project_ablations": "published", "project_post_training": 0.1, "pue": 1.2}
    plan = Plan(**RUN, storage_medium="ssd", given=given | KEPT)
    plan.save(tmp_path / "plan.toml")
    text = (tmp_path / "plan.toml").read_text()
    assert '[project]\nablations = "published"\npost_training = 0.1' in text
    assert Plan.read(tmp_path / "plan.toml") == plan
    (tmp_path / "wrong.toml").write_text('[project]\nablation = "published"\n')
    with pytest.raises(JoulecastError, match=r"line 2: ablation: is not a key of \[project\]; try ablations"):  # fmt: skip
        Plan.read(tmp_path / "wrong.toml")


@pytest.mark.parametrize("asked", [{"project_factor": "lab"}, {"given": {"project_ablations": "published"}}])  # fmt: skip
def test_words_for_a_project_come_back_from_the_json(asked: dict[str, Any]) -> None:
    footprint = estimate(Plan(**RUN | asked))
    again = estimate(Plan(**footprint.to_dict()["asked"]))
    assert again.to_dict() == footprint.to_dict()


def test_every_share_has_its_part() -> None:
    assert set(PROJECT_SHARES.values()) == set(PROJECT_PARTS)


# Prices.

WRITTEN = {
    "2 EUR/h": (2, "EUR"),
    "2 eur per hour": (2, "EUR"),
    "€2/GPU-h": (2, "EUR"),
    "48 EUR/day": (2, "EUR"),
    "$2/GPU-hour": (2, "$"),
    "US$ 2": (2, "US$"),
    "2 CHF/device-hour": (2, "CHF"),
    "2": (2, None),
    2: (2, None),
}


@pytest.mark.parametrize("price", WRITTEN)
def test_a_price_names_its_currency(price: object) -> None:
    amount, currency = WRITTEN[price]
    footprint = estimate(Plan(**RUN, given={"price_per_device_hour": price}))
    cost, hours = footprint.quantities["device_cost"], footprint.device_hours
    assert cost is not None and hours is not None
    assert cost.value == pytest.approx(amount * hours.value)
    assert footprint.plan["currency"] == currency
    assert f" {currency or ''} " in footprint.explain().partition("Parts")[0]


def test_a_range_of_prices_keeps_its_currency_and_a_plan_file_both(tmp_path: Path) -> None:
    plan = Plan(**RUN, given={"price_per_kwh": "0.1..0.2 €/kWh"})
    entry = {a.name: a for a in estimate(plan).assumptions}["price_per_kwh"]
    assert (entry.low, entry.high, plan.currency) == (0.1, 0.2, "EUR")
    plan.save(tmp_path / "plan.toml")
    assert Plan.read(tmp_path / "plan.toml") == plan
    assert Plan(**RUN, currency="eur", given={"price_per_kwh": "0.1 €/kWh"}).currency == "EUR"


def test_a_price_on_the_command_line_shows_its_currency(joulecast: Run) -> None:
    done = joulecast(
        "estimate", "--only-given", "--set", "energy_kwh=1000", "--set", "price_per_kwh=0.15 €/kWh"
    )
    assert "Power bill 150 EUR" in done.stdout

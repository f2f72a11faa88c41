"""A user's own folder: found, laid over ours, and nothing of ours lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulecast import Footprint, Library, Plan, estimate
from joulecast.footprint import Assumption

GOOD = Path(__file__).parents[1] / "data" / "good_specs"
JUDGEMENT = 'basis = "assumed"\nsource = "joulecast-judgement"\n'


@pytest.fixture
def own() -> Library:
    return Library.with_folder(GOOD)


def folder(path: Path, **tables: str) -> Library:
    """A folder of the tables given: name__suffix -> content."""
    for name, content in tables.items():
        (path / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return Library.with_folder(path)


def run(library: Library, device: str = "wattson-1", **plan: str) -> Footprint:
    return estimate(
        Plan(params=7e9, tokens=1e12, device=device, **{"region": "fr", "year": 2024, **plan}),
        library,
    )


def assumed(footprint: Footprint, name: str) -> Assumption:
    return next(entry for entry in footprint.assumptions if entry.name == name)


@pytest.mark.parametrize("name", ["wattson-1", "Wattson One", "wattson", "WATTSON I", "wattson1"])
def test_own_device_is_found_by_every_name(own: Library, name: str) -> None:
    assert own.device(name).device.id == "wattson-1"


def test_own_device_is_listed_beside_ours(own: Library) -> None:
    assert set(own.device_ids) == {*Library.bundled().device_ids, "wattson-1"}
    assert "wattson-1" not in Library.bundled().device_ids


def test_bare_numbers_take_the_source_of_the_record(own: Library) -> None:
    device = own.device("wattson-1").device
    assert (device.memory_gb.source, device.memory_gb.basis) == ("wattson-2024", "published")
    assert device.tdp_w is not None
    assert (device.tdp_w.source, device.tdp_w.basis) == ("wattson-2024", "measured")


def test_own_device_is_estimated_from_its_own_figures(own: Library) -> None:
    footprint = run(own)
    assert assumed(footprint, "peak_flops").value == 500e12
    assert assumed(footprint, "device_embodied_kgco2e").value == 200
    assert footprint.total is not None
    assert 0 < footprint.total.p10 <= footprint.total.p50 <= footprint.total.p90


def test_own_default_replaces_ours_and_is_cited(own: Library) -> None:
    footprint = run(own, "h100-sxm")
    pue = assumed(footprint, "pue")
    assert (pue.value, pue.low, pue.high) == (1.42, 1.35, 1.50)
    assert (pue.source, pue.basis, pue.read) == ("our-halls-2025", "measured", "primary")
    assert "our-halls-2025" in {citation.key for citation in footprint.citations}


def test_own_default_moves_the_answer_by_its_ratio(own: Library) -> None:
    mine, theirs = run(own, "h100-sxm"), run(Library.bundled(), "h100-sxm")
    assert mine.energy is not None and theirs.energy is not None
    ratio = 1.42 / Library.bundled().default("pue").value
    assert mine.energy.value / theirs.energy.value == pytest.approx(ratio)


def test_other_defaults_and_places_stay_ours(own: Library) -> None:
    bundled = Library.bundled()
    assert own.default("goodput") == bundled.default("goodput")
    assert own.place_ids() == bundled.place_ids()
    assert own.source("ember-2026") == bundled.source("ember-2026")


def test_digest_tells_own_data_apart(own: Library, tmp_path: Path) -> None:
    bundled = Library.bundled().digest
    other = folder(tmp_path, defaults__toml=f"[pue]\nvalue = 1.3\n{JUDGEMENT}")
    assert own.digest.startswith(f"{bundled}+")
    assert len({bundled, own.digest, other.digest}) == 3
    assert run(own).data_digest == own.digest


def test_digest_is_of_the_content_not_the_place(own: Library, tmp_path: Path) -> None:
    for path in GOOD.rglob("*.toml"):
        copy = tmp_path / path.relative_to(GOOD)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert Library.with_folder(tmp_path).digest == own.digest


def test_library_of_the_package_is_not_changed(own: Library) -> None:
    run(own)
    assert Library.bundled().default("pue").source != "our-halls-2025"


def test_own_record_of_a_shipped_device_replaces_it(tmp_path: Path) -> None:
    text = (GOOD / "devices" / "wattson-1.toml").read_text(encoding="utf-8")
    text = text.replace('"wattson-2024"', '"joulecast-judgement"')
    text = text.replace('id = "wattson-1"', 'id = "h100-sxm"')
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "h100-sxm.toml").write_text(text, encoding="utf-8")
    assert Library.with_folder(tmp_path).device("h100-sxm").device.name == "Wattson One"


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ("[network_share.cluster]", "network_share.node"),
        ("[device_power_share.hopper.large]", "device_power_share.hopper.small"),
        ("[device_power_share.hopper.large]", "device_power_share.ampere.large"),
    ],
)
def test_own_case_of_a_default_leaves_the_other_cases(
    tmp_path: Path, table: str, kept: str
) -> None:
    library = folder(tmp_path, defaults__toml=f"{table}\nvalue = 0.5\n{JUDGEMENT}")
    assert library.default(table[1:-1]).value == 0.5
    assert library.default(kept) == Library.bundled().default(kept)


def test_own_utilisation_leaves_the_other_classes(tmp_path: Path) -> None:
    text = f"[utilisation.device_class.hopper]\nvalue = 0.4\n{JUDGEMENT}"
    library = folder(tmp_path, calibration__toml=text)
    assert run(library, "a100-sxm-80").total == run(Library.bundled(), "a100-sxm-80").total


def test_own_grid_year_leaves_the_other_years(tmp_path: Path) -> None:
    library = folder(tmp_path, grids_ember__csv="iso3,year,gco2e_per_kwh\nFRA,2024,50\n")
    bundled = Library.bundled()
    own_year = library.national_grid("FRA", 2024)
    assert own_year is not None and own_year.value == 50
    assert library.national_grid("FRA", 2023) == bundled.national_grid("FRA", 2023)


def test_own_zone_figure_is_read(tmp_path: Path) -> None:
    table = "zone,year,gco2e_per_kwh\nUS-MIDA-PJM,2024,123\n"
    found = folder(tmp_path, grids_electricitymaps__csv=table).zone_grid("US-MIDA-PJM", 2024)
    assert found is not None
    assert found.value == 123


def test_own_site_is_found_with_its_pue(tmp_path: Path) -> None:
    text = (
        '[my-lab]\nname = "My Lab"\niso3 = "FRA"\nzone = "FR"\naliases = ["basement"]\n'
        f"[my-lab.pue]\nvalue = 1.7\n{JUDGEMENT}"
    )
    library = folder(tmp_path, sites__toml=text)
    assert library.place("Basement").id == "my-lab"
    assert assumed(run(library, region="my-lab", device="h100-sxm"), "pue").value == 1.7


@pytest.mark.parametrize(
    "content",
    [
        "iso3,year,gco2e_per_kwh\nFRA,2024,50\n",
        "\ufeffiso3,year,gco2e_per_kwh\r\nFRA,2024,50\r\n",
        "# ours\niso3,year,gco2e_per_kwh\n\nFRA,2024,50",
    ],
    ids=["plain", "saved-by-a-spreadsheet", "comment-and-blank-line"],
)
def test_own_csv_may_come_from_any_editor(tmp_path: Path, content: str) -> None:
    (tmp_path / "grids_ember.csv").write_bytes(content.encode())
    found = Library.with_folder(tmp_path).national_grid("FRA", 2024)
    assert found is not None
    assert found.value == 50


def test_empty_folder_changes_nothing_but_the_digest(tmp_path: Path) -> None:
    library = Library.with_folder(tmp_path)
    assert library.device_ids == Library.bundled().device_ids
    assert run(library, "h100-sxm").total == run(Library.bundled(), "h100-sxm").total

"""A user's own folder: found, laid over ours, and nothing of ours lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from joulecast import Footprint, Library, Plan, estimate
from joulecast.answers.footprint import Assumption
from joulecast.data import specs
from joulecast.errors import SpecsError, UnknownNameError

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


def run(library: Library, device: str = "wattson-1", **plan: object) -> Footprint:
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
    assert device.memory_gb is not None
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


def test_own_ceiling_of_a_class_leaves_the_other_classes(tmp_path: Path) -> None:
    text = f"[matmul_share.tpu]\nvalue = 0.4\n{JUDGEMENT}"
    library = folder(tmp_path, defaults__toml=text)
    assert run(library, "a100-sxm-80").total == run(Library.bundled(), "a100-sxm-80").total
    assert run(library, "tpu-v4").total != run(Library.bundled(), "tpu-v4").total


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


def grid_source(library: Library, region: str, year: int = 2024) -> str:
    footprint = run(library, "h100-sxm", region=region, year=year)
    return assumed(footprint, "grid_gco2e_per_kwh").source


def test_own_national_figure_is_cited_as_own(tmp_path: Path) -> None:
    library = folder(tmp_path, grids_ember__csv="iso3,year,gco2e_per_kwh\nPOL,2024,50\n")
    assert grid_source(library, "pl") == "users-own-figures"
    assert library.read_of("users-own-figures") == "primary"
    # The zone of a French place, and a year the user says nothing of, stay what they were.
    assert grid_source(library, "fr") == grid_source(library, "pl", 2023) == "ember-2026"


def test_own_zone_figure_is_used_and_cited(tmp_path: Path) -> None:
    source = '[my-grid]\nkind = "report"\nauthors = "Us"\ntitle = "Grid"\nyear = 2026\npublisher = "Us"\nread = "primary"\n'
    table = "# source: my-grid\nzone,year,gco2e_per_kwh\nUS-MIDA-PJM,2024,123\n"
    library = folder(tmp_path, grids_electricitymaps__csv=table, sources__toml=source)
    footprint = run(library, "h100-sxm", region="us-va")
    grid = assumed(footprint, "grid_gco2e_per_kwh")
    assert (grid.value, grid.source) == (123, "my-grid")
    assert "my-grid" in {citation.key for citation in footprint.citations}
    assert grid_source(library, "us-ca") == "electricitymaps-2026"


def test_changed_copy_of_our_table_does_not_pass_for_ours(tmp_path: Path) -> None:
    head = "# Source: ember-2026 (Ember, Yearly Electricity Data; Our World in Data).\n"
    library = folder(tmp_path, grids_ember__csv=f"{head}iso3,year,gco2e_per_kwh\nPOL,2024,50\n")
    assert grid_source(library, "pl") == "users-own-figures"


def test_own_zone_is_found_by_its_name(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        zones__csv="zone,name,iso3\nFR-ILE,Our Island,FRA\n",
        grids_electricitymaps__csv="zone,year,gco2e_per_kwh\nFR-ILE,2024,700\n",
    )
    assert library.place("our island").id == "fr-ile"
    assert (
        assumed(run(library, region="FR-ILE", device="h100-sxm"), "grid_gco2e_per_kwh").value == 700
    )
    assert library.place("CA-ON").id == "ca-on"


def test_own_range_over_zones_is_used(tmp_path: Path) -> None:
    library = folder(tmp_path, grids_within_country__csv="iso3,year,p5,p95\nUSA,2024,300,400\n")
    grid = assumed(run(library, "h100-sxm", region="us"), "grid_gco2e_per_kwh")
    assert [grid.low, grid.high] == pytest.approx([300, 400])


def test_own_grid_may_be_free_of_carbon(tmp_path: Path) -> None:
    library = folder(tmp_path, grids_ember__csv="iso3,year,gco2e_per_kwh\nPOL,2024,0\n")
    footprint = run(library, "h100-sxm", region="pl")
    assert footprint.operational is not None
    assert footprint.operational.value == 0


def test_own_provider_and_region_need_few_columns(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        providers__csv="provider,name,year,pue,pue_low,pue_high,source\nmine,Mine,2025,1.3,1.2,1.4,joulecast-judgement\n",
        regions__csv="provider,region,name,iso3,zone,source_pue\nmine,paris-1,Paris,FRA,FR,joulecast-judgement\n",
        states__csv="id,name,iso3,zone\nfr-br,Brittany,FRA,FR\n",
    )
    assert assumed(run(library, "h100-sxm", region="paris-1"), "pue").value == 1.3
    assert library.place("Brittany").zone == "FR"


def test_own_region_may_have_a_pue_of_one_and_use_no_water(tmp_path: Path) -> None:
    head = "provider,region,name,iso3,zone,source_pue,pue_2025,wue_2025"
    row = "mine,paris-1,Paris,FRA,FR,joulecast-judgement,1.0,0"
    library = folder(tmp_path, regions__csv=f"{head}\n{row}\n")
    footprint = run(library, "h100-sxm", region="paris-1")
    assert assumed(footprint, "pue").value == 1
    assert assumed(footprint, "wue_l_per_kwh").value == 0
    assert footprint.total is not None and footprint.total.p10 > 0


def test_own_water_factor_is_cited_as_own(tmp_path: Path) -> None:
    library = folder(tmp_path, water__csv="iso3,l_per_kwh\nFRA,1.5\n")
    water = assumed(run(library, "h100-sxm"), "water_factor_l_per_kwh")
    assert (water.value, water.source) == (1.5, "users-own-figures")
    assert (
        assumed(run(library, region="de", device="h100-sxm"), "water_factor_l_per_kwh").source
        == "wri-2020"
    )


def test_own_calibration_moves_the_default_utilisation_in_proportion(tmp_path: Path) -> None:
    shipped = Library.bundled().default("utilisation.of_tuned").value
    text = f"[utilisation.of_tuned]\nvalue = {shipped / 2}\n{JUDGEMENT}"
    library = folder(tmp_path, calibration__toml=text)
    before = assumed(run(Library.bundled(), "b200-sxm"), "utilisation").value
    assert assumed(run(library, "b200-sxm"), "utilisation").value == pytest.approx(before / 2)


MODEL = """
id = "wattformer"
name = "Wattformer 3B"
developer = "Wattson"
arch = "dense"
release_year = 2024
aliases = ["WF-3B"]
source = "joulecast-judgement"
params = 3e9
tokens = 1e12
"""


def test_own_model_is_found_by_every_name(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "wattformer.toml").write_text(MODEL, encoding="utf-8")
    library = Library.with_folder(tmp_path)
    for name in ("wattformer", "Wattformer 3B", "wf 3b", "WF-3B", "wattformer3b"):
        assert library.model(name).id == "wattformer"
    assert "wattformer" in library.model_ids


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("3e9", "-3e9"), "params: must be above 0"),
        (('"dense"', '"densse"'), "arch: densse: is not a known choice; try dense"),
        (('"dense"', '"moe"'), "model: a mixture of experts needs active_params"),
        (("developer", "developper"), "developper: unknown key; try developer"),
        (('"wattformer"', '"other"'), "id: other: must be the name of the file; try wattformer"),
    ],
)
def test_broken_model_is_refused_by_file_and_field(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    (tmp_path / "models").mkdir()
    text = MODEL.replace(*change, 1)
    (tmp_path / "models" / "wattformer.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecsError) as caught:
        Library.with_folder(tmp_path).model("wattformer")
    assert str(caught.value) == f"models/wattformer.toml: {message}"


def test_unknown_model_offers_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "wattformer.toml").write_text(MODEL, encoding="utf-8")
    with pytest.raises(UnknownNameError) as caught:
        Library.with_folder(tmp_path).model("watformer")
    assert str(caught.value).startswith("model: watformer: unknown model; try wattformer")


def test_everything_works_without_models(tmp_path: Path) -> None:
    folder = tmp_path / "hardware_specs"
    shutil.copytree(
        specs.bundled_folder(), folder, ignore=shutil.ignore_patterns("compiled", "models")
    )
    library = Library(specs.load(folder), folder)
    assert library.model_ids == []
    assert run(library, "h100-sxm").total is not None
    with pytest.raises(UnknownNameError, match="model: llama: unknown model"):
        library.model("llama")
